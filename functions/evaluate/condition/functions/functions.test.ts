import { describe, expect, it } from "vitest";
import { functionNames, windowFunction } from "./functions.ts";

const minute = 60_000;

/** A window of one value a minute; the last is of the instant `at`. */
function compute(name: string, values: readonly number[], windowMs = values.length * minute): number | undefined {
  const times = values.map((_, i) => (i + 1) * minute);
  const at = values.length * minute;
  return windowFunction(name)?.compute({ times, values, from: 0, to: times.length, at, windowMs });
}

describe("functions over a window", () => {
  it.each([
    ["avg", [2, 4, 9], 5],
    ["min", [2, -4, 9], -4],
    ["max", [-2, -4, -9], -2],
    ["sum", [2, 4, 9], 15],
    ["count", [2, 4, 9], 3],
    ["last", [2, 4, 9], 9],
    ["delta", [2, 40, 9], 7],
    ["rate", [0, 50, 120], 1],
    ["p50", [9, 2, 4], 4],
    ["p50", [1, 2, 3, 4], 2.5],
    ["p25", [1, 2, 3, 4, 5], 2],
    ["p95", [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 95],
    ["p99", [5], 5],
    ["p1", [0, 100], 1],
    ["avg", [7], 7],
    // One a minute: rises by 1 a minute, so 5 minutes after the 5th it is at 10.
    ["forecast", [1, 2, 3, 4, 5], 10],
    ["forecast", [3, 3, 3, 3, 3], 3],
    // One outlier of twelve bends a mean, not a median.
    ["forecast", [1, 2, 3, 4, 5, 99, 7, 8, 9, 10, 11, 12], 24],
  ])("%s of %j is %d", (name, values, expected) => {
    expect(compute(name, values)).toBeCloseTo(expected, 9);
  });

  it.each([
    ["delta", [5]],
    ["rate", [5]],
    ["forecast", [1, 2, 3, 4]],
  ])("%s of %j is unknown", (name, values) => {
    expect(compute(name, values)).toBeNaN();
  });

  it("forecast is unknown until half of its window has samples", () => {
    expect(compute("forecast", [1, 2, 3, 4, 5], 9 * minute)).toBeNaN();
    expect(compute("forecast", [1, 2, 3, 4, 5], 8 * minute)).toBeCloseTo(13, 9);
  });

  it("forecast of a long window takes every n-th sample and the last one", () => {
    const rising = Array.from({ length: 1000 }, (_, i) => i);
    expect(compute("forecast", rising)).toBeCloseTo(1999, 6);
  });

  it("sees only its window", () => {
    const [times, values] = [
      [0, 1, 2, 3],
      [9, 1, 2, 9],
    ];
    for (const [name, expected] of Object.entries({ avg: 1.5, min: 1, max: 2, sum: 3, count: 2, last: 2, delta: 1 })) {
      expect(windowFunction(name)?.compute({ times, values, from: 1, to: 3, at: 3, windowMs: 3 })).toBe(expected);
    }
  });

  it("rate of samples of one instant is unknown", () => {
    const window = { times: [5, 5], values: [1, 2], from: 0, to: 2, at: 5, windowMs: 9 };
    expect(Number.isFinite(windowFunction("rate")?.compute(window))).toBe(false);
  });

  it("knows every suggested name except absent", () => {
    const unknown = functionNames.filter((name) => windowFunction(name) === undefined);
    expect(unknown).toEqual(["absent"]);
  });

  it.each(["p0", "p100", "p01", "p9.5", "constructor", "Avg", ""])("knows no %j", (name) => {
    expect(windowFunction(name)).toBeUndefined();
  });
});
