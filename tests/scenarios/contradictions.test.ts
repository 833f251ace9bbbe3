/** An outage that grows, as the example and the demo tell of it: few notices, none of which contradicts another, and the check that says so. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTests } from "../../cli/scenario/file/load.ts";
import { type Played, play } from "../../cli/scenario/play.ts";
import { contradictions, noticesBeforeTheEnd } from "./contradictions.ts";

const example = join(import.meta.dirname, "../../examples/netra-staging/outage.test.yaml");

describe("the outage of the example", () => {
  let played: Played;

  beforeAll(async () => {
    const loaded = await loadTests(readFileSync(example, "utf8"), example);
    if ("problems" in loaded || loaded.scenarios[0] === undefined) throw new Error(JSON.stringify(loaded));
    played = await play(loaded.scenarios[0]);
  }, 120_000);

  it("sends nothing that contradicts the incident or an earlier notification", () => {
    expect(contradictions(played)).toEqual([]);
  });

  it("notifies each channel at most three times before the all-clear", () => {
    const counts = noticesBeforeTheEnd(played);
    expect(counts.length).toBeGreaterThan(3);
    expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  });

  it.each<[string, RegExp, string]>([
    ["a state that is over", /^RESOLVED/, "NEW INCIDENT"],
    ["a subject that is over", /\[RESOLVED\]/, "[CRITICAL]"],
    ["seconds", /Lasted:/, "Lasted 12:04:10:"],
    ["steps in an all-clear", /Lasted:/, "First step: restart it\nLasted:"],
    ["work that nobody has begun", /Lasted:/, "We are working on it. Lasted:"],
  ])("detects a wrong mail that says %s", (_, pattern, replacement) => {
    const deliveries = played.deliveries.map((delivery) => {
      const payload: unknown = JSON.parse(delivery.payload ?? "null");
      const change = (text: unknown): unknown => (typeof text === "string" ? text.replace(pattern, replacement) : text);
      if (typeof payload !== "object" || payload === null) return delivery;
      const changed = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, change(value)]));
      return { ...delivery, payload: JSON.stringify(changed) };
    });
    expect(contradictions({ ...played, deliveries })).not.toEqual([]);
  });
});
