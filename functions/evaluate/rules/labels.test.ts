import { describe, expect, it } from "vitest";
import { array, assert, constantFrom, dictionary, property, tuple } from "../../../tests/support/chance.ts";
import { repetitions } from "../../../tests/support/repetitions.ts";
import { seriesKey } from "../partition/samples.ts";
import { alertKey, type Labels, labelKey } from "./labels.ts";

/** Texts of what joins keys, and of others. */
const textOf = (...pieces: string[]) => array(constantFrom(...pieces), { maxLength: 3 }).map((some) => some.join(""));
const labels = dictionary(constantFrom("a", "b"), textOf("1", ",b=1", "|b=1", ",", "\\", "="), { maxKeys: 2 });

/** As one text that is alike for equal sets only. */
function sorted(some: Labels): string {
  return JSON.stringify(Object.entries(some).sort());
}

describe("keys", () => {
  it.each<[string, string, Labels, string, Labels]>([
    ["a comma in a value", "r", { a: "1,b=2" }, "r", { a: "1", b: "2" }],
    ["a backslash before a comma", "r", { a: "1\\", b: "2" }, "r", { a: "1\\,b=2" }],
    ["a stroke in the name of a rule", "r|a=1", {}, "r", { a: "1" }],
    ["no value and no label", "r", { a: "" }, "r", {}],
  ])("distinguish alerts: %s", (_what, rule, some, otherRule, others) => {
    expect(alertKey(rule, some)).not.toBe(alertKey(otherRule, others));
  });

  it("are unchanged if there is nothing to distinguish", () => {
    const some = { path: "/a?b=c|d", phase: "3", probe: "health", component: "backend" };
    expect(labelKey(some)).toBe("path=/a?b=c|d,phase=3,probe=health");
    expect(alertKey("Slow, at times", some)).toBe("Slow, at times|path=/a?b=c|d,phase=3,probe=health");
  });

  it("of alerts differ in the rule and the labels", () => {
    const keys = new Map<string, string>();
    assert(
      property(textOf("r", "|", "|a=1", "\\"), labels, (rule, own) => {
        const key = alertKey(rule, own);
        const content = JSON.stringify([rule, sorted(own)]);
        expect([key, keys.get(key) ?? content]).toEqual([key, content]);
        keys.set(key, content);
      }),
      { numRuns: repetitions(5000) },
    );
  });

  it("of series differ in the metric, the probe and the labels of their own", () => {
    const one = tuple(constantFrom("http_status", "smd_phase_duration"), constantFrom("p", "q"), labels);
    const keys = new Map<string, string>();
    assert(
      property(one, ([metric, probe, own]) => {
        const key = seriesKey({ metric, labels: { ...own, probe, component: "backend", vantage: "outside" } });
        const content = JSON.stringify([metric, probe, sorted(own)]);
        expect([key, keys.get(key) ?? content]).toEqual([key, content]);
        keys.set(key, content);
      }),
      { numRuns: repetitions(5000) },
    );
  });
});
