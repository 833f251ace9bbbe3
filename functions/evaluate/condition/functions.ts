/** The functions over a window, and what they make of the samples in it. */
import type { Unit } from "../../../shared/units.ts";

/** The samples that a function sees: those from index `from` to `to - 1`, at least one. */
export interface Window {
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** The instant of the evaluation, milliseconds since the epoch. */
  readonly at: number;
  readonly windowMs: number;
}

/** A function over a window. */
export interface WindowFunction {
  /** @default the unit of the metric */
  readonly unit?: Unit;
  /** Its value, `NaN` where the samples do not suffice. */
  compute(window: Window): number;
}

/** The function of that name, `p1` to `p99` included; `undefined` where there is none. `absent` is no such function: it is true or false. */
export function windowFunction(name: string): WindowFunction | undefined {
  if (Object.hasOwn(functions, name)) return functions[name];
  const [, percent] = /^p([1-9]\d?)$/.exec(name) ?? [];
  return percent === undefined
    ? undefined
    : { compute: (window) => quantile(window.values.slice(window.from, window.to), Number(percent) / 100) };
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
  rate: { compute: (window) => (change(window) / spanMs(window)) * 1000 },
  forecast: { compute: forecast },
};

/**
 * The value that the metric is heading for: the Theil-Sen line through the samples (the median of the slopes between all pairs, so that
 * outliers do not bend it), one window ahead. It looks back as far as it looks ahead, and says nothing before it has seen half of that.
 * @see https://en.wikipedia.org/wiki/Theil-Sen_estimator
 */
function forecast(window: Window): number {
  const { times: instants, at, windowMs } = window;
  if (window.to - window.from < 3 || spanMs(window) < windowMs / 2) return Number.NaN;
  // Pairs grow with the square of the samples; every n-th tells the trend of a long window as well.
  const step = Math.ceil((window.to - window.from) / 100);
  const times: number[] = [];
  const levels: number[] = [];
  const slopes: number[] = [];
  for (let i = window.to - 1; i >= window.from; i -= step) {
    const time = (instants[i] ?? Number.NaN) - at;
    const level = value(window, i);
    for (let j = 0; j < times.length; j++) {
      const elapsed = (times[j] ?? Number.NaN) - time;
      if (elapsed > 0) slopes.push(((levels[j] ?? Number.NaN) - level) / elapsed);
    }
    times.push(time);
    levels.push(level);
  }
  const slope = median(slopes);
  const now = median(levels.map((level, i) => level - slope * (times[i] ?? Number.NaN)));
  return now + slope * windowMs;
}

/** From the first sample to the last; `NaN` for a lone one. */
function change(window: Window): number {
  return window.to - window.from < 2 ? Number.NaN : value(window, window.to - 1) - value(window, window.from);
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

function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** By linear interpolation between the two nearest ranks, as spreadsheets and Prometheus do. */
function quantile(numbers: readonly number[], q: number): number {
  const sorted = Float64Array.from(numbers).sort();
  const rank = q * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? Number.NaN;
  const above = sorted[Math.ceil(rank)] ?? Number.NaN;
  return below + (above - below) * (rank - Math.floor(rank));
}
