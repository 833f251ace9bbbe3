import { describe, expect, it } from "vitest";
import { fc } from "../../../../tests/support/chance.ts";
import { repetitions } from "../../../../tests/support/repetitions.ts";
import { compileCondition } from "../condition.ts";
import { forecast, forecastOf } from "./forecast.ts";

const minute = 60_000;
const hour = 60 * minute;

/** The window of one value a minute, the last of them now. */
function windowOf(values: readonly number[], windowMs: number = values.length * minute) {
  const times = values.map((_, i) => (i + 1) * minute);
  return { times, values, from: 0, to: values.length, at: values.length * minute, windowMs };
}

/** Values of one hour, one a minute. */
function hourOf(value: (minute: number) => number): number[] {
  return Array.from({ length: 60 }, (_, i) => value(i));
}

/** Noise that a test can repeat: as many numbers as wanted, from -1 to 1. */
const noise = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 60, maxLength: 60 });

describe("a forecast", () => {
  it.each([
    ["a steady rise goes on", hourOf((i) => 0.4 + i / 200), 0.995],
    ["a steady fall goes on", hourOf((i) => 0.9 - i / 200), 0.305],
    ["what is flat stays", hourOf(() => 0.6), 0.6],
    ["one step up is no trend", hourOf((i) => (i < 30 ? 0.3 : 0.7)), 0.7],
    ["what rose and has levelled off has no trend", hourOf((i) => Math.min(0.7, 0.3 + i / 60)), 0.7],
    ["what rose and falls again has no trend", hourOf((i) => 0.7 - Math.abs(i - 25) / 100), 0.52],
  ])("%s", (_, values, expected) => {
    expect(forecast(windowOf(values))).toBeCloseTo(expected, 1);
  });

  it.each([
    ["fewer than five samples", windowOf([1, 2, 3, 4])],
    ["samples that span less than half of the window", windowOf([1, 2, 3, 4, 5, 6], 13 * minute)],
    ["samples of one instant", { ...windowOf([1, 2, 3, 4, 5]), times: [9, 9, 9, 9, 9] }],
  ])("is undefined for %s", (_, window) => {
    expect(forecast(window)).toBeNaN();
  });

  it("with few samples requires a monotone trend", () => {
    expect(forecast(windowOf([1, 2, 3, 4, 5]))).toBeCloseTo(10, 9);
    expect(forecastOf(windowOf([1, 2, 4, 3, 5]))?.slope).toBe(0);
  });

  it("finds a trend through noise, and where it ends", () => {
    fc.assert(
      fc.property(noise, (shake) => {
        const values = hourOf((i) => 0.3 + (0.4 * i) / 60 + 0.04 * (shake[i] ?? 0));
        expect(forecast(windowOf(values))).toBeGreaterThan(0.95);
        expect(forecast(windowOf(values))).toBeLessThan(1.25);
      }),
    );
  });

  it("is not distorted by 10% of outliers", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(59), { maxLength: 5 }),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        (at, wild) => {
          const values = hourOf((i) => (at.includes(i) ? wild : 0.3 + i / 150));
          expect(forecast(windowOf(values))).toBeCloseTo(1.1, 1);
        },
      ),
    );
  });

  /** Never above 60 % whatever happens, and so the early warning for 85 % must stay silent. */
  const silent = (values: readonly number[]): void => {
    const found = forecastOf(windowOf(values));
    expect((found?.now ?? 0) + (found?.slope ?? 0) * hour).toBeLessThan(0.85);
  };

  it("does not fire on noise", () => {
    fc.assert(
      fc.property(noise, (shake) => silent(shake.map((one) => 0.5 + 0.1 * one))),
      { numRuns: repetitions(500) },
    );
  });

  it("does not fire on the rise of a day", () => {
    const phase = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });
    fc.assert(
      fc.property(phase, noise, (start, shake) => {
        silent(hourOf((i) => 0.4 + 0.18 * Math.sin(start + (2 * Math.PI * i) / 1440) + 0.02 * (shake[i] ?? 0)));
      }),
    );
  });

  it("does not fire on steps", () => {
    const steps = fc.array(fc.record({ at: fc.nat(59), to: fc.double({ min: 0.2, max: 0.6, noNaN: true }) }), {
      maxLength: 2,
    });
    fc.assert(
      fc.property(steps, noise, (all, shake) => {
        const sorted = all.sort((a, b) => a.at - b.at);
        silent(hourOf((i) => (sorted.findLast(({ at }) => at <= i)?.to ?? 0.4) + 0.01 * (shake[i] ?? 0)));
      }),
    );
  });

  it("does not fire on a sawtooth of three teeth and more", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 20 }), fc.nat(19), noise, (period, shift, shake) => {
        silent(hourOf((i) => 0.2 + (0.4 * ((i + shift) % period)) / period + 0.01 * (shake[i] ?? 0)));
      }),
    );
  });

  it("is cheap for any number of samples", () => {
    const window = windowOf(Array.from({ length: 100_000 }, (_, i) => i));
    expect(forecast(window)).toBeCloseTo(199_999, 0);
  });
});

describe("warnings about a forecast", () => {
  const text = "forecast(cloud_sql_pool_utilization, 1h) > 85%";

  function seen(values: readonly number[], condition: string = text): string | undefined {
    const times = values.map((_, i) => (i + 1) * minute);
    const series = { metric: "cloud_sql_pool_utilization", labels: {}, times, values, staleAfterMs: 2 * minute };
    const source = { select: () => [series] };
    return compileCondition(condition, { windowMs: 0 }).evaluate(source, values.length * minute)[0]?.seen;
  }

  it.each([
    [
      "when the limit is reached",
      hourOf((i) => 0.4 + i / 240),
      "forecast(cloud_sql_pool_utilization, 1h) (89.6%: reaches 85% in about 49 min, 10 of 10 slopes agree) > 85%",
    ],
    [
      "that there is no trend",
      hourOf((i) => 0.5 + i / 1000 + (i % 3) / 20),
      "forecast(cloud_sql_pool_utilization, 1h) (59.5%: no clear trend, 6 of 10 slopes agree) > 85%",
    ],
    [
      "that the limit is behind",
      hourOf((i) => 0.6 + i / 200),
      "forecast(cloud_sql_pool_utilization, 1h) (119.5%: 10 of 10 slopes agree) > 85%",
    ],
    ["that there is too little to go by", [0.1, 0.2], "forecast(cloud_sql_pool_utilization, 1h) (no data) > 85%"],
  ])("%s", (_, values, expected) => {
    expect(seen(values)).toBe(expected);
  });

  it("by the limit on the other side", () => {
    const mirrored = seen(
      hourOf((i) => 0.4 + i / 240),
      "85% < forecast(cloud_sql_pool_utilization, 1h)",
    );
    expect(mirrored).toContain("reaches 85% in about 49 min");
  });
});
