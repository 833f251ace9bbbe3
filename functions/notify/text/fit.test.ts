import { describe, expect, it } from "vitest";
import { incidentEvent, noticeOf } from "../fixtures.ts";
import { bytes, characters, cut, fitted, wellFormedJson } from "./fit.ts";
import type { Wording } from "./notice-text.ts";

const sentences = Array.from({ length: 15 }, (_, n) => `Fact ${n + 1}.`);
const notice = noticeOf(incidentEvent({ evidence: sentences, whys: [], summary: "s".repeat(1_000) }));

function evidence({ lists }: Wording): string[] {
  return [...(lists[0]?.items ?? [])];
}

describe("a notice that must fit", () => {
  it.each<[number, string[]]>([
    [13, [...sentences.slice(0, 12), "… and 3 more, in the incident"]],
    [12, [...sentences.slice(0, 11), "… and 4 more, in the incident"]],
    [2, ["Fact 1.", "… and 14 more, in the incident"]],
    [1, ["all 15 stand in the incident"]],
  ])("in %i lines of evidence folds the rest and counts it", (most, lines) => {
    expect(fitted(notice, evidence, ({ length }) => length <= most)).toEqual(lines);
  });

  it.each<[number, number, string]>([
    [600, 600, "12 sentences"],
    [599, 300, "no sentence"],
    [200, 150, "no sentence"],
    [80, 75, "no sentence"],
    [1, 75, "no sentence"],
  ])("in %i characters is cut to %i only after its sentences are folded", (most, length, kept) => {
    const { what, lists } = fitted(
      notice,
      (words) => words,
      (words) => words.what.length <= most,
    );
    expect([what.length, lists[0]?.items.length]).toEqual([length, kept === "no sentence" ? 1 : 13]);
  });

  it("names as many components as fit, and counts the others", () => {
    const components = Array.from({ length: 100 }, (_, n) => `service-${n + 10}`);
    const { facts } = fitted(
      noticeOf(incidentEvent({ components })),
      (words) => words,
      ({ lists }) => lists[0]?.items.length === 0,
    );
    expect(facts.find(({ label }) => label === "Affected")?.value).toBe(
      "service-10, service-11, service-12, service-13, service-14, and 95 more",
    );
  });
});

describe("a text", () => {
  it.each<[string, number, number]>([
    ["Größe", 5, 7],
    ["🔥", 1, 4],
    ["e\u0301", 2, 3],
    ["障害", 2, 6],
  ])("%s has %i characters and %i bytes", (text, points, size) => {
    expect([characters(text), bytes(text)]).toEqual([points, size]);
  });

  it.each<[string, number, string]>([
    ["short", 5, "short"],
    ["longer", 5, "long…"],
    ["🔥🔥🔥", 3, "🔥🔥🔥"],
    ["🔥🔥🔥", 2, "🔥…"],
  ])("%s in %i characters is %s", (text, limit, expected) => {
    expect(cut(text, limit)).toBe(expected);
  });

  it("loses torn halves of characters, and nothing else, as JSON", () => {
    expect(wellFormedJson({ text: "a\ud83d…", list: ["\udd25b", "🔥"], flag: true, none: null })).toBe(
      '{"text":"a…","list":["b","🔥"],"flag":true,"none":null}',
    );
  });
});
