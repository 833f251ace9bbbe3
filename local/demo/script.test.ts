import { describe, expect, it } from "vitest";
import { script, scriptAt } from "./script.ts";

describe("scriptAt", () => {
  it.each([
    [0, 1, 0, 15_000],
    [14_999, 1, 0, 1],
    [15_000, 1, 15_000, 10_000],
    [60_000, 1, 35_000, 15_000],
    [75_000, 1, 75_000, 40_000],
    [114_000, 1, 75_000, 1_000],
    [15_000, 4, 35_000, 3_750],
  ])("after %i ms at pace %i it plays the step of %i ms, for %i ms more", (elapsed, pace, at, nextInMs) => {
    expect(scriptAt(elapsed, pace)).toMatchObject({ step: { at }, nextInMs, ended: false });
  });

  it.each([
    [115_000, 1],
    [28_750, 4],
    [1e9, 1],
  ])("has ended after %i ms at pace %i", (elapsed, pace) => {
    expect(scriptAt(elapsed, pace)).toMatchObject({ step: { at: 115_000 }, nextInMs: 0, ended: true });
  });

  it("shortens what is waited for with the pace, and nothing else", () => {
    expect(scriptAt(20_000, 1).step.faults).toMatchObject({ latencyMs: 400, neighbours: 0.7 });
    expect(scriptAt(5_000, 4).step.faults).toMatchObject({ latencyMs: 200, neighbours: 0.7 });
  });
});

describe("the script", () => {
  it("begins and ends in health, and tells every step in one sentence that fits a line", () => {
    const steps = script.map(({ at, say, faults }) => ({ at, say, faults }));
    expect(steps.map(({ at }) => at)).toEqual(steps.map(({ at }) => at).toSorted((a, b) => a - b));
    expect(steps.at(-1)?.faults).toEqual(steps[0]?.faults);
    for (const { say } of steps) expect(say.length).toBeLessThanOrEqual(75);
  });
});
