/** Parts of a bound condition: values and truths of a row of series, with their static properties. */
import type { ValueUnit } from "./algebra.ts";
import { windowFunction } from "./functions/functions.ts";
import type { Window, WindowFunction } from "./functions/window.ts";
import {
  calculated,
  decided,
  differences,
  everything,
  type Interval,
  isShare,
  notNegative,
  outcomes,
  point,
  summed,
} from "./interval.ts";
import { type Group, type Row, type Selection, seriesIn } from "./join.ts";
import type { Arithmetic, Binary, Comparison, Expression } from "./language/syntax.ts";
import { both, either, type Truth } from "./logic.ts";
import { countUntil, type Selector, type Series } from "./series.ts";

/** A number that depends on a row of series; `NaN` where data is missing. */
export type NumberAt = (row: Row, at: number) => number;

/** True, false or unknown for a row of series. */
export type TruthAt = (row: Row, at: number) => Truth;

/** The samples that a function sees; `undefined` where there are none. */
export type WindowAt = (row: Row, at: number) => Window | undefined;

/** A value. */
export interface NumberTerm {
  readonly kind: "number";
  readonly node: Expression;
  readonly unit: ValueUnit;
  readonly at: NumberAt;
  /** Its possible values. */
  readonly bounds: Interval;
  /** Its possible values while some of its inputs are missing; absent if it is known exactly or not at all. */
  readonly rangeAt?: (row: Row, at: number) => Interval | undefined;
  /** The value of a term that depends on no series. */
  readonly constant?: number;
}

/** Something that holds or does not. */
export interface TruthTerm {
  readonly kind: "truth";
  readonly node: Expression;
  readonly at: TruthAt;
  readonly formula: Formula;
}

/** Either of them. */
export type Term = NumberTerm | TruthTerm;

/** The compared values, for checks that need no series. */
export type Formula =
  | Compared
  | { readonly kind: "and" | "or"; readonly node: Binary; readonly left: Formula; readonly right: Formula }
  | { readonly kind: "not"; readonly operand: Formula }
  /** Of this nothing can be said. */
  | { readonly kind: "open" };

/** A text to be put into the condition at an offset, to show a value. */
export interface Insertion {
  readonly offset: number;
  show(row: Row, at: number): string;
}

/** A condition bound to the catalogue of metrics. */
export interface Bound {
  /** As written. */
  readonly text: string;
  readonly holds: TruthAt;
  /** The slots of a row, in their order. */
  readonly selections: readonly Selection[];
  readonly selectors: readonly Selector[];
  /** By offset. */
  readonly insertions: readonly Insertion[];
  /** The left side of the first comparison. */
  readonly value: NumberAt | undefined;
  /** Every comparison of which one side is the worse the larger it is. */
  readonly limits: readonly Limit[];
  /** Whether it tests for absence, and so has a result without any series. */
  readonly seesAbsence: boolean;
  /** Slots of groups whose members are counted, with what makes them count. */
  readonly counted: readonly { readonly slot: number; readonly holds: TruthAt }[];
  /** The compared values, for checks that need no series. */
  readonly formula: Formula;
  /** All comparisons, those inside of functions included. */
  readonly compared: readonly Compared[];
}

/** A comparison: what is beyond what. */
export interface Limit {
  readonly value: NumberAt;
  readonly limit: NumberAt;
  readonly unit: ValueUnit;
  readonly above: boolean;
  readonly holds: TruthAt;
}

/** Two values that are compared. */
export interface Compared {
  readonly kind: "comparison";
  readonly node: Binary;
  readonly operator: Comparison;
  readonly left: NumberTerm;
  readonly right: NumberTerm;
}

/** Evaluates the comparison operators. */
export const comparisons: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

const arithmetic: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

/** A term that is always the same. */
export function constantTerm(node: Expression, unit: ValueUnit, constant: number): NumberTerm {
  return { kind: "number", node, unit, at: () => constant, bounds: point(constant), constant };
}

/** The result of an operator on two terms. */
export function calculation(
  operator: Arithmetic,
  result: Pick<NumberTerm, "node" | "unit">,
  left: NumberTerm,
  right: NumberTerm,
): NumberTerm {
  const { node, unit } = result;
  const compute = arithmetic[operator];
  if (left.constant !== undefined && right.constant !== undefined)
    return constantTerm(node, unit, compute(left.constant, right.constant));
  const bounds = calculated(operator, left.bounds, right.bounds);
  const at: NumberAt = (row, instant) => compute(left.at(row, instant), right.at(row, instant));
  if (left.rangeAt === undefined && right.rangeAt === undefined) return { kind: "number", node, unit, bounds, at };
  return {
    kind: "number",
    node,
    unit,
    bounds,
    at,
    rangeAt: (row, instant) => {
      const [a, b] = [known(left, row, instant), known(right, row, instant)];
      return a && b && calculated(operator, a, b);
    },
  };
}

/** Compares two terms; unknown if the result depends on missing inputs. */
export function comparison(operator: Comparison, left: NumberTerm, right: NumberTerm): TruthAt {
  if (left.rangeAt !== undefined || right.rangeAt !== undefined)
    return (row, instant) => {
      const [a, b] = [known(left, row, instant), known(right, row, instant)];
      return a && b && decided(operator, a, b);
    };
  const compare = comparisons[operator];
  return (row, instant) => {
    const a = left.at(row, instant);
    const b = right.at(row, instant);
    return Number.isFinite(a) && Number.isFinite(b) ? compare(a, b) : undefined;
  };
}

/** Returns whether a comparison can ever hold and can ever fail. */
export function possible({ operator, left, right }: Compared): {
  readonly canHold: boolean;
  readonly canFail: boolean;
} {
  return outcomes(operator, left.bounds, right.bounds);
}

function known({ at, rangeAt }: NumberTerm, row: Row, instant: number): Interval | undefined {
  if (rangeAt !== undefined) return rangeAt(row, instant);
  const value = at(row, instant);
  return Number.isFinite(value) ? point(value) : undefined;
}

/** Two conditions together. */
export function combined(operator: "and" | "or", left: TruthAt, right: TruthAt): TruthAt {
  const decides = operator === "or";
  const combine = operator === "or" ? either : both;
  return (row, at) => {
    const first = left(row, at);
    return first === decides ? first : combine(first, right(row, at));
  };
}

/** The last value of the series in a slot, unless it is too old to stand for the present. */
export function lastIn(slot: number): NumberAt {
  return (row, at) => {
    const series = row[slot] as Series | undefined;
    if (series === undefined) return Number.NaN;
    const last = countUntil(series.times, at) - 1;
    const time = series.times[last];
    return time !== undefined && at - time <= series.staleAfterMs ? (series.values[last] ?? Number.NaN) : Number.NaN;
  };
}

/** The samples in a window of the series in a slot. */
export function samplesIn(slot: number, windowMs: number): WindowAt {
  return (row, at) => {
    const series = row[slot] as Series | undefined;
    if (series === undefined) return undefined;
    const { times, values } = series;
    const from = countUntil(times, at - windowMs);
    const to = countUntil(times, at);
    return from < to ? { times, values, from, to, at, windowMs } : undefined;
  };
}

/** Returns whether the series in a slot has no sample in a window. */
export function absentIn(slot: number, windowMs: number): TruthAt {
  return (row, at) => {
    const times = (row[slot] as Series | undefined)?.times;
    // A series that was never seen has been absent for as long as its source was observed.
    if (times === undefined) return at - windowMs >= (row.watchedSince?.[slot] ?? at - windowMs) ? true : undefined;
    return countUntil(times, at) === countUntil(times, at - windowMs);
  };
}

/** The argument of a function. */
export interface Operand {
  readonly unit: ValueUnit;
  readonly bounds: Interval;
  /** Whether it is a condition: 1 if it holds, 0 if it does not. */
  readonly isCondition: boolean;
}

/** A term as what a function is applied to. */
export function operandOf(term: Term): Operand {
  return term.kind === "truth"
    ? { unit: "count", bounds: { low: 0, high: 1 }, isCondition: true }
    : { unit: term.unit, bounds: term.bounds, isCondition: false };
}

/** The value of a term as a number: 1 and 0 for a condition that holds or does not. */
export function asNumber(term: Term): NumberAt {
  if (term.kind === "number") return term.at;
  return (row, at) => {
    const truth = term.at(row, at);
    return truth === undefined ? Number.NaN : Number(truth);
  };
}

/** A function as it is for what it is applied to. Counting what holds is adding it up. */
export function applied(
  name: string,
  operand: Operand,
): Pick<WindowFunction, "explain"> & { compute(window: Window): number; unit: ValueUnit; bounds: Interval } {
  const counts = name === "count" && operand.isCondition;
  const called = windowFunction(counts ? "sum" : name);
  if (called === undefined) throw new TypeError(`there is no function ${name}`);
  const { compute, ofLevels = compute, explain } = called;
  const isLevel = !["count", "bytes", "number"].includes(operand.unit) || Number.isFinite(operand.bounds.high);
  return {
    compute: isLevel ? ofLevels : compute,
    unit: resultUnit(name, called, operand),
    bounds: resultBounds(name, operand, isLevel),
    ...(explain === undefined ? {} : { explain }),
  };
}

function resultUnit(name: string, { unit }: WindowFunction, operand: Operand): ValueUnit {
  if (name === "avg" && operand.unit === "count" && isShare(operand.bounds)) return "share";
  return unit ?? operand.unit;
}

function resultBounds(name: string, { bounds, isCondition }: Operand, isLevel: boolean): Interval {
  switch (name) {
    case "count":
      return isCondition ? notNegative : { low: 1, high: Number.POSITIVE_INFINITY };
    case "sum":
      return summed(bounds);
    case "delta":
      return differences(bounds);
    case "rate":
      return isLevel ? everything : notNegative;
    case "forecast":
      return everything;
    default:
      return bounds;
  }
}

/** The value of a function over a window. */
export function valueIn(windowAt: WindowAt, compute: (window: Window) => number): NumberAt {
  return (row, at) => {
    const window = windowAt(row, at);
    return window === undefined ? Number.NaN : compute(window);
  };
}

/** The values of an expression at every instant in a window at which a series in one of the slots has a sample. */
export function courseOf(slots: readonly number[], value: NumberAt, windowMs: number): WindowAt {
  return (row, at) => {
    const instants = new Set<number>();
    for (const { times } of seriesIn(slots.map((slot) => row[slot]))) {
      const to = countUntil(times, at);
      for (let i = countUntil(times, at - windowMs); i < to; i++) instants.add(times[i] ?? Number.NaN);
    }
    const seen = [...instants]
      .sort((a, b) => a - b)
      .map((instant) => ({ instant, value: value(row, instant) }))
      .filter((one) => Number.isFinite(one.value));
    if (seen.length === 0) return undefined;
    const [times, values] = [seen.map(({ instant }) => instant), seen.map((one) => one.value)];
    return { times, values, from: 0, to: times.length, at, windowMs };
  };
}

/** The result of aggregating a group. */
export interface Aggregate {
  /** By the members that are known; `NaN` where none is. */
  readonly value: number;
  /** Its possible values, whatever the unknown members are; `undefined` if no member is known. */
  readonly range: Interval | undefined;
  readonly members: number;
  readonly unknown: number;
}

/** An aggregation of the values that a term has for the members of a group. */
export function aggregated(
  name: string,
  term: Term,
): {
  readonly unit: ValueUnit;
  readonly bounds: Interval;
  values(group: Group | undefined, at: number): Aggregate;
} {
  const operand = operandOf(term);
  const { unit, bounds, compute } = applied(name, operand);
  const countsMembers = name === "count" && !operand.isCondition;
  const over = (values: readonly number[]): number =>
    compute({ times: [], values, from: 0, to: values.length, at: 0, windowMs: 0 });
  const rangeAt = term.kind === "number" ? term.rangeAt : undefined;
  const value = asNumber(term);
  return {
    unit,
    bounds: countsMembers ? notNegative : bounds,
    values(group, at) {
      const rows = group?.rows ?? [];
      const ranges = rows.map((row) => {
        if (rangeAt !== undefined) return rangeAt(row, at);
        const own = value(row, at);
        return Number.isFinite(own) ? point(own) : undefined;
      });
      const found = ranges.filter((range) => range !== undefined);
      const counts = { members: rows.length, unknown: rows.length - found.length };
      if (countsMembers) return { value: found.length, range: group && point(found.length), ...counts };
      if (found.length === 0) return { value: Number.NaN, range: undefined, ...counts };
      const all = ranges.map((range) => range ?? operand.bounds);
      const low = over(all.map((range) => range.low));
      const high = over(all.map((range) => range.high));
      // Between two infinite values nothing can be interpolated.
      const range = { low: Number.isNaN(low) ? bounds.low : low, high: Number.isNaN(high) ? bounds.high : high };
      const exact = rangeAt === undefined && counts.unknown === 0;
      return { value: exact ? low : over(knownValues(rows, value, at)), range, ...counts };
    },
  };
}

function knownValues(rows: readonly Row[], value: NumberAt, at: number): readonly number[] {
  return rows.map((row) => value(row, at)).filter(Number.isFinite);
}

/** Describes how many of the members count: ` of 12, 2 unknown`. */
export function ofHowMany({ members, unknown }: Aggregate): string {
  return ` of ${members}${unknown === 0 ? "" : `, ${unknown} unknown`}`;
}
