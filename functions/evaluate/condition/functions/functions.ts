/** The functions over a window, and what they make of the samples in it. */
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import { explainForecast, forecast } from "./forecast.ts";
import { quantile } from "./quantile.ts";
import type { Window, WindowFunction } from "./window.ts";

/** The function of that name, `p1` to `p99` included; `undefined` where there is none. `absent` is no such function: it is true or false. */
export function windowFunction(name: string): WindowFunction | undefined {
  const known = ownEntry(functions, name);
  if (known !== undefined) return known;
  const [, percent] = /^p([1-9]\d?)$/.exec(name) ?? [];
  return percent === undefined
    ? undefined
    : { compute: (window) => quantile(window.values.slice(window.from, window.to), Number(percent) / 100) };
}

/** The functions that aggregate series as well, `p1` to `p99` besides. Each grows with every value. */
export function isAggregation(name: string): boolean {
  return ["avg", "min", "max", "sum", "count"].includes(name) || /^p[1-9]\d?$/.test(name);
}

/** Names of the functions, for advice; the percentiles stand for all from `p1` to `p99`. */
export const functionNames: readonly string[] = [
  ...["avg", "min", "max", "sum", "count", "last", "rate", "delta", "forecast", "absent"],
  ...["p50", "p90", "p95", "p99"],
];

const functions: Readonly<Record<string, WindowFunction>> = {
  avg: { compute: (window) => sum(window) / (window.to - window.from) },
  min: { compute: (window) => fold(window, Number.POSITIVE_INFINITY, Math.min) },
  max: { compute: (window) => fold(window, Number.NEGATIVE_INFINITY, Math.max) },
  sum: { compute: sum },
  count: { unit: "count", compute: (window) => window.to - window.from },
  last: { compute: (window) => value(window, window.to - 1) },
  delta: { compute: change },
  rate: {
    compute: (window) => (increase(window) / spanMs(window)) * 1000,
    ofLevels: (window) => (change(window) / spanMs(window)) * 1000,
  },
  forecast: { compute: forecast, explain: explainForecast },
};

/** From the first sample to the last; `NaN` for a lone one. */
function change(window: Window): number {
  return window.to - window.from < 2 ? Number.NaN : value(window, window.to - 1) - value(window, window.from);
}

/**
 * Returns the increase of a counter between the first and the last sample; `NaN` for a single one. A counter falls only when it restarts
 * from 0, as in Prometheus: https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
 */
function increase(window: Window): number {
  let sum = change(window);
  for (let i = window.from + 1; i < window.to; i++) {
    const before = value(window, i - 1);
    if (value(window, i) < before) sum += before;
  }
  return sum;
}

function spanMs({ times, from, to }: Window): number {
  return (times[to - 1] ?? Number.NaN) - (times[from] ?? Number.NaN);
}

function sum(window: Window): number {
  return fold(window, 0, (a, b) => a + b);
}

function fold(window: Window, start: number, combine: (a: number, b: number) => number): number {
  let result = start;
  for (let i = window.from; i < window.to; i++) result = combine(result, value(window, i));
  return result;
}

function value({ values }: Window, index: number): number {
  return values[index] ?? Number.NaN;
}
