/** Interval arithmetic: between which bounds a value lies that is not known exactly. Bounds may be infinite, and are part of the interval otherwise. */
import { metricNamed } from "../../../shared/metrics/catalogue.ts";
import type { Arithmetic, Comparison } from "./language/syntax.ts";
import type { Truth } from "./logic.ts";

/** All values from `low` to `high`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Every value. */
export const everything: Interval = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Every value that is not negative. */
export const notNegative: Interval = { low: 0, high: Number.POSITIVE_INFINITY };

/** The one value. */
export function point(value: number): Interval {
  return { low: value, high: value };
}

/** The possible values of a metric. */
export function rangeOf(metric: string): Interval {
  const range = metricNamed(metric)?.range;
  return range === undefined ? notNegative : { low: range[0], high: range[1] };
}

/** Returns whether a value is always 0, 1 or between them. */
export function isShare({ low, high }: Interval): boolean {
  return low >= 0 && high <= 1;
}

/** All results of an operator on values of two intervals. */
export function calculated(operator: Arithmetic, a: Interval, b: Interval): Interval {
  switch (operator) {
    case "+":
      return { low: a.low + b.low, high: a.high + b.high };
    case "-":
      return { low: a.low - b.high, high: a.high - b.low };
    case "*":
      return spanOf(corners(a, b, (x, y) => (x === 0 || y === 0 ? 0 : x * y)));
    case "/":
      // A division by zero has no result, so that only the rest counts.
      if (b.low < 0 && b.high >= 0) return everything;
      return spanOf(corners(a, b, quotient));
  }
}

/** The sum of at least one value of an interval. */
export function summed({ low, high }: Interval): Interval {
  return {
    low: low >= 0 ? low : Number.NEGATIVE_INFINITY,
    high: high <= 0 ? high : Number.POSITIVE_INFINITY,
  };
}

/** The differences between two values of an interval. */
export function differences(values: Interval): Interval {
  return calculated("-", values, values);
}

/** Returns whether a comparison can hold, and whether it can fail, for values of two intervals. */
export function outcomes(
  operator: Comparison,
  a: Interval,
  b: Interval,
): { readonly canHold: boolean; readonly canFail: boolean } {
  switch (operator) {
    case ">":
      return { canHold: a.high > b.low, canFail: a.low <= b.high };
    case ">=":
      return { canHold: a.high >= b.low, canFail: a.low < b.high };
    case "<":
      return outcomes(">", b, a);
    case "<=":
      return outcomes(">=", b, a);
    case "==": {
      const isOneValue = a.low === a.high && b.low === b.high && a.low === b.low;
      return { canHold: a.low <= b.high && b.low <= a.high, canFail: !isOneValue };
    }
    case "!=": {
      const { canHold, canFail } = outcomes("==", a, b);
      return { canHold: canFail, canFail: canHold };
    }
  }
}

/** Returns the result of a comparison for all values of two intervals, or unknown if they disagree. */
export function decided(operator: Comparison, a: Interval, b: Interval): Truth {
  const { canHold, canFail } = outcomes(operator, a, b);
  return canHold && canFail ? undefined : canHold;
}

function corners(a: Interval, b: Interval, compute: (x: number, y: number) => number): readonly number[] {
  return [compute(a.low, b.low), compute(a.low, b.high), compute(a.high, b.low), compute(a.high, b.high)];
}

/** A quotient at the edge of what is possible: towards a zero of the divisor it grows without an end. */
function quotient(x: number, y: number): number {
  if (y === 0) return x === 0 ? 0 : x * Number.POSITIVE_INFINITY;
  if (!Number.isFinite(y)) return 0;
  return x / y;
}

function spanOf(values: readonly number[]): Interval {
  return { low: Math.min(...values), high: Math.max(...values) };
}
