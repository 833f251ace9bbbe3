import { describe, expect, it } from "vitest";
import { incidentEvent, noticeOf } from "../fixtures.ts";
import { bytes, characters, cut, fitted, wellFormedJson } from "./fit.ts";
import type { NoticeText } from "./notice-text.ts";

const sentences = Array.from({ length: 15 }, (_, n) => `Fact ${n + 1}.`);
const notice = noticeOf(incidentEvent({ evidence: sentences, whys: [], summary: "s".repeat(1_000) }));

function evidence({ lists }: NoticeText): string[] {
  return [...(lists[0]?.items ?? [])];
}

describe("a notice with a size limit", () => {
  it.each<[number, string[]]>([
    [13, [...sentences.slice(0, 12), "… and 3 more, in the incident"]],
    [12, [...sentences.slice(0, 11), "… and 4 more, in the incident"]],
    [2, ["Fact 1.", "… and 14 more, in the incident"]],
    [1, ["all 15 are in the incident"]],
  ])("with room for %i lines of evidence folds the rest, and counts it", (most, lines) => {
    expect(fitted(notice, evidence, ({ length }) => length <= most)).toEqual(lines);
  });

  const items = { "12 sentences": 13, "no sentence": 1, nothing: undefined } as const;

  it.each<[number, number, keyof typeof items]>([
    [600, 600, "12 sentences"],
    [599, 300, "no sentence"],
    [200, 150, "no sentence"],
    [80, 75, "no sentence"],
    [20, 18, "nothing"],
    [1, 1, "nothing"],
  ])("with room for %i characters is cut to %i only after its sentences are folded", (most, length, kept) => {
    const { what, lists } = fitted(
      notice,
      (words) => words,
      (words) => words.what.length <= most,
    );
    expect([what.length, lists[0]?.items.length]).toEqual([length, items[kept]]);
  });

  it("names as many components as fit, and counts the rest", () => {
    const components = Array.from({ length: 100 }, (_, n) => `service-${n + 10}`);
    const { facts } = fitted(
      noticeOf(incidentEvent({ components, summary: "s".repeat(1_000) })),
      (words) => words,
      ({ what }) => what.length <= 75,
    );
    expect(facts.find(({ label }) => label === "Affected")?.value).toBe(
      "service-10, service-11, service-12, service-13, service-14, and 95 more",
    );
  });
});

describe("a notice with very little room", () => {
  const nasty = noticeOf(
    incidentEvent({ summary: "🔥".repeat(1_000), title: "障害".repeat(100), impact: "👩‍🚒".repeat(300) }),
  );
  const write = ({ state, what, facts, link = "" }: NoticeText): string =>
    [state, what, ...facts.map(({ label, value }) => `${label}: ${value}`), link].join("\n").replace(/\n+$/, "");

  it.each([2_000, 400, 250, 150, 100, 50, 10, 3])("is cut to %i characters without splitting one", (most) => {
    const text = fitted(nasty, write, (written) => characters(written) <= most);
    expect(characters(text)).toBeLessThanOrEqual(most);
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toBe("");
  });

  it("drops the state and the link last", () => {
    const text = fitted(nasty, write, (written) => characters(written) <= 250);
    expect(text).toContain("NEW INCIDENT");
    expect(text).toContain(nasty.url);
  });

  it("is refused if not even a message without text fits", () => {
    expect(() => fitted(nasty, write, () => false)).toThrow(RangeError);
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
    ["🔥🔥🔥", 0, ""],
  ])("%s cut to %i characters is %s", (text, limit, expected) => {
    expect(cut(text, limit)).toBe(expected);
  });

  it("loses only lone surrogates as JSON", () => {
    expect(wellFormedJson({ text: "a\ud83d…", list: ["\udd25b", "🔥"], flag: true, none: null })).toBe(
      '{"text":"a…","list":["b","🔥"],"flag":true,"none":null}',
    );
  });
});
