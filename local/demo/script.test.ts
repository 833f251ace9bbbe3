import { describe, expect, it } from "vitest";
import { allWell } from "./faults.ts";
import { faultNames, outages, scriptAt } from "./script.ts";

const { script } = outages.connector;

describe("scriptAt", () => {
  it.each([
    [0, 1, 0, 15_000],
    [14_999, 1, 0, 1],
    [15_000, 1, 15_000, 10_000],
    [60_000, 1, 35_000, 15_000],
    [75_000, 1, 75_000, 40_000],
    [114_000, 1, 75_000, 1_000],
    [15_000, 4, 35_000, 3_750],
  ])("plays, after %i ms at pace %i, the step of %i ms for %i ms more", (elapsed, pace, at, nextInMs) => {
    expect(scriptAt(script, elapsed, pace)).toMatchObject({ step: { at }, nextInMs, ended: false });
  });

  it.each([
    [115_000, 1],
    [28_750, 4],
    [1e9, 1],
  ])("ends after %i ms at pace %i", (elapsed, pace) => {
    expect(scriptAt(script, elapsed, pace)).toMatchObject({ step: { at: 115_000 }, nextInMs: 0, ended: true });
  });

  it("shortens only the waits with the pace", () => {
    expect(scriptAt(script, 20_000, 1).step.faults.connector).toMatchObject({ latencyMs: 700, neighbours: 0.7 });
    expect(scriptAt(script, 5_000, 4).step.faults.connector).toMatchObject({ latencyMs: 350, neighbours: 0.7 });
  });
});

describe("the outage", () => {
  it.each(faultNames)(
    "of %s begins and ends healthy, and describes every step in one sentence that fits on a line",
    (name) => {
      const { script, title } = outages[name];
      const times = script.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect([script[0].faults, script.at(-1)?.faults]).toEqual([allWell, allWell]);
      expect(script.some(({ faults }) => faults !== allWell)).toBe(true);
      for (const { say } of script) expect(say.length).toBeLessThanOrEqual(75);
      expect(title.length).toBeLessThanOrEqual(75);
    },
  );

  it("of the connector affects only the connector, and is announced by Google", () => {
    for (const { faults } of script)
      expect({ ...faults, connector: allWell.connector, google: undefined }).toEqual(allWell);
  });
});
