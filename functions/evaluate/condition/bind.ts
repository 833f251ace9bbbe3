/** From a tree to closures over series: names are looked up, units are checked, and every value is told how it is shown. */
import { formatValue } from "../../../shared/text/units.ts";
import {
  constantComparison,
  mismatch,
  noCalculation,
  noChain,
  noDuration,
  noFunction,
  noLabel,
  noMetric,
  notTrueOrFalse,
  noValue,
  noWindow,
  zeroDivision,
} from "./advice.ts";
import { commonUnit, unitOf, type ValueUnit } from "./algebra.ts";
import { windowFunction } from "./functions/functions.ts";
import type { Window, WindowFunction } from "./functions/window.ts";
import type { Row, Selection } from "./join.ts";
import type { Arithmetic, Binary, Call, Comparison, Expression, Matcher, MetricNode } from "./language/syntax.ts";
import { both, either, negation, type Truth } from "./logic.ts";
import { type NamedMetric, namedMetric } from "./names.ts";
import { countUntil, type Selector } from "./series.ts";

/** A number that depends on a row of series; `NaN` where data is missing. */
export type NumberAt = (row: Row, at: number) => number;

/** What is true, false or unknown of a row of series. */
export type TruthAt = (row: Row, at: number) => Truth;

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
  /** Whether it asks for absence, and so says something where there are no series. */
  readonly seesAbsence: boolean;
}

/** A comparison: what is beyond what. */
export interface Limit {
  readonly value: NumberAt;
  readonly limit: NumberAt;
  readonly unit: ValueUnit;
  readonly above: boolean;
  readonly holds: TruthAt;
}

/** How the comparisons compare. */
export const comparisons: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

/**
 * Binds a tree.
 * @param windowMs the window of aliases such as `avg_http_response_time`
 * @throws ConditionError for unknown names and for units that do not fit
 */
export function bind(text: string, tree: Expression, windowMs: number): Bound {
  return new Binder(text, windowMs).condition(tree);
}

interface NumberTerm {
  readonly kind: "number";
  readonly node: Expression;
  readonly unit: ValueUnit;
  readonly at: NumberAt;
  /** The value of a term that depends on no series. */
  readonly constant?: number;
}

interface TruthTerm {
  readonly kind: "truth";
  readonly at: TruthAt;
}

type Term = NumberTerm | TruthTerm;

/** The samples that a function sees; `undefined` where there are none. */
type WindowAt = (row: Row, at: number) => Window | undefined;

const arithmetic: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

class Binder {
  readonly #text: string;
  readonly #windowMs: number;
  readonly #selections = new Map<string, { readonly slot: number; readonly selection: Selection }>();
  readonly #selectors = new Map<string, Selector>();
  readonly #insertions: Insertion[] = [];
  /** What expressions are compared with, where that is a constant. */
  readonly #limits = new Map<Expression, number>();
  readonly #comparisons: Limit[] = [];
  #value: NumberAt | undefined;
  #seesAbsence = false;

  constructor(text: string, windowMs: number) {
    this.#text = text;
    this.#windowMs = windowMs;
  }

  condition(tree: Expression): Bound {
    const { at } = this.#truth(tree);
    return {
      text: this.#text,
      holds: at,
      selections: [...this.#selections.values()].map(({ selection }) => selection),
      selectors: [...this.#selectors.values()],
      insertions: this.#insertions.sort((a, b) => a.offset - b.offset),
      value: this.#value,
      limits: this.#comparisons,
      seesAbsence: this.#seesAbsence,
    };
  }

  #term(node: Expression): Term {
    switch (node.kind) {
      case "literal":
        return constantTerm(node, node.unit, node.value);
      case "metric":
        return this.#metric(node);
      case "call":
        return this.#call(node);
      case "unary":
        return node.operator === "not" ? this.#not(node.operand) : this.#minus(node, node.operand);
      case "binary":
        return this.#binary(node);
    }
  }

  #number(node: Expression): NumberTerm {
    const term = this.#term(node);
    if (term.kind === "truth") throw noValue(this.#text, node);
    return term;
  }

  #truth(node: Expression): TruthTerm {
    const term = this.#term(node);
    if (term.kind === "number") throw notTrueOrFalse(this.#text, node, term.unit);
    return term;
  }

  #metric(node: MetricNode): NumberTerm {
    const named = this.#named(node);
    const applied = named.applied === undefined ? undefined : windowFunction(named.applied);
    return applied === undefined
      ? this.#shown(node, named.unit, this.#last(node, named))
      : this.#shown(node, applied.unit ?? named.unit, valueIn(this.#window(node, named, this.#windowMs), applied));
  }

  #call(node: Call): Term {
    const called = windowFunction(node.name);
    if (called === undefined && node.name !== "absent") throw noFunction(this.#text, node);
    const [metric, duration, ...rest] = node.operands;
    if (metric === undefined || duration === undefined || rest.length > 0) throw noWindow(this.#text, node);
    if (metric.kind !== "metric") throw noCalculation(this.#text, node, metric);
    const named = this.#named(metric);
    if (named.applied !== undefined) throw noCalculation(this.#text, node, metric);
    if (duration.kind !== "literal" || duration.unit !== "seconds" || duration.value < 0.001) {
      throw noDuration(this.#text, duration);
    }
    const windowMs = Math.round(duration.value * 1000);
    if (called === undefined) return this.#absent(node, metric, named, windowMs);
    const unit = called.unit ?? named.unit;
    const windowAt = this.#window(metric, named, windowMs);
    const explain = called.explain === undefined ? undefined : this.#explained(node, called, windowAt, unit);
    return this.#shown(node, unit, valueIn(windowAt, called), explain);
  }

  #last(node: MetricNode, named: NamedMetric): NumberAt {
    const slot = this.#slot(node, named, 0);
    return (row, at) => {
      const series = row[slot];
      if (series === undefined) return Number.NaN;
      const last = countUntil(series.times, at) - 1;
      const time = series.times[last];
      return time !== undefined && at - time <= series.staleAfterMs ? (series.values[last] ?? Number.NaN) : Number.NaN;
    };
  }

  #window(node: MetricNode, named: NamedMetric, windowMs: number): WindowAt {
    const slot = this.#slot(node, named, windowMs);
    return (row, at) => {
      const series = row[slot];
      if (series === undefined) return undefined;
      const { times, values } = series;
      const from = countUntil(times, at - windowMs);
      const to = countUntil(times, at);
      return from < to ? { times, values, from, to, at, windowMs } : undefined;
    };
  }

  /** What a function says besides its value, by the limit that the comparison around it has. */
  #explained(node: Call, { explain }: WindowFunction, windowAt: WindowAt, unit: ValueUnit): Insertion["show"] {
    return (row, at) => {
      const window = windowAt(row, at);
      const limit = this.#limits.get(node);
      const shown = limit === undefined ? undefined : { value: limit, text: shownValue(limit, unit) };
      const words = window === undefined ? "" : (explain?.(window, shown) ?? "");
      return words === "" ? "" : `: ${words}`;
    };
  }

  #absent(node: Call, metric: MetricNode, named: NamedMetric, windowMs: number): TruthTerm {
    const slot = this.#slot(metric, named, windowMs);
    this.#seesAbsence = true;
    const absent = (row: Row, at: number): Truth => {
      const times = row[slot]?.times;
      // What was never seen is absent for as long as somebody has looked.
      if (times === undefined) return at - windowMs >= (row.watchedSince?.[slot] ?? at - windowMs) ? true : undefined;
      return countUntil(times, at) === countUntil(times, at - windowMs);
    };
    this.#insert(node.end, (row, at) => {
      const truth = absent(row, at);
      return truth === undefined ? " (not known yet)" : truth ? " (yes)" : " (no)";
    });
    return { kind: "truth", at: absent };
  }

  #not(operand: Expression): TruthTerm {
    const { at } = this.#truth(operand);
    return { kind: "truth", at: (row, instant) => negation(at(row, instant)) };
  }

  #minus(node: Expression, operand: Expression): NumberTerm {
    const { unit, at, constant } = this.#number(operand);
    if (constant !== undefined) return constantTerm(node, unit, -constant);
    return { kind: "number", node, unit, at: (row, instant) => -at(row, instant) };
  }

  #binary(node: Binary): Term {
    switch (node.operator) {
      case "and":
      case "or":
        return this.#logical(node, node.operator);
      case "+":
      case "-":
      case "*":
      case "/":
        return this.#arithmetic(node, node.operator);
      default:
        return this.#comparison(node, node.operator);
    }
  }

  #logical(node: Binary, operator: "and" | "or"): TruthTerm {
    const left = this.#truth(node.left).at;
    const right = this.#truth(node.right).at;
    const decided = operator === "or";
    const combine = operator === "or" ? either : both;
    const at: TruthAt = (row, instant) => {
      const first = left(row, instant);
      return first === decided ? decided : combine(first, right(row, instant));
    };
    return { kind: "truth", at };
  }

  #arithmetic(node: Binary, operator: Arithmetic): NumberTerm {
    const left = this.#number(node.left);
    const right = this.#number(node.right);
    const unit = unitOf(operator, left.unit, right.unit);
    if (unit === undefined) throw mismatch(this.#text, operator, left, right);
    if (operator === "/" && right.constant === 0) throw zeroDivision(node.right);
    const compute = arithmetic[operator];
    if (left.constant !== undefined && right.constant !== undefined) {
      return constantTerm(node, unit, compute(left.constant, right.constant));
    }
    return { kind: "number", node, unit, at: (row, at) => compute(left.at(row, at), right.at(row, at)) };
  }

  #comparison(node: Binary, operator: Comparison): TruthTerm {
    if (node.left.kind === "binary" && node.left.operator in comparisons) throw noChain(this.#text, node);
    const left = this.#number(node.left);
    this.#value ??= left.at;
    this.#showResult(left);
    const right = this.#number(node.right);
    this.#showResult(right);
    if (commonUnit(left.unit, right.unit) === undefined) throw mismatch(this.#text, operator, left, right);
    if (left.constant !== undefined && right.constant !== undefined) throw constantComparison(this.#text, node);
    if (right.constant !== undefined) this.#limits.set(left.node, right.constant);
    if (left.constant !== undefined) this.#limits.set(right.node, left.constant);
    const compare = comparisons[operator];
    const at: TruthAt = (row, instant) => {
      const a = left.at(row, instant);
      const b = right.at(row, instant);
      return Number.isFinite(a) && Number.isFinite(b) ? compare(a, b) : undefined;
    };
    const direction = operator === "==" || operator === "!=" ? undefined : operator.startsWith(">");
    if (direction !== undefined) {
      const [value, limit, above] = left.constant === undefined ? [left, right, direction] : [right, left, !direction];
      this.#comparisons.push({ value: value.at, limit: limit.at, unit: value.unit, above, holds: at });
    }
    return { kind: "truth", at };
  }

  #named(node: MetricNode): NamedMetric {
    const named = namedMetric(node.name);
    if (named === undefined) throw noMetric(this.#text, node.name, node.nameSpan);
    const seen = new Set<string>(Object.keys(named.matchers));
    for (const matcher of node.matchers) {
      const again = matcher.operator === "=" && seen.has(matcher.label);
      if (again || !named.labels.includes(matcher.label)) throw noLabel(this.#text, node, matcher, named);
      if (matcher.operator === "=") seen.add(matcher.label);
    }
    return named;
  }

  /** The place in a row for the series that a metric selects, the same for the same selection. */
  #slot(node: MetricNode, named: NamedMetric, windowMs: number): number {
    const implied = Object.entries(named.matchers).map(
      ([label, value]): Matcher => ({ label, operator: "=", value, start: node.start, end: node.end }),
    );
    const matchers = [...implied, ...node.matchers];
    const pinned = Object.fromEntries(
      matchers.filter(({ operator }) => operator === "=").map(({ label, value }) => [label, value]),
    );
    const { metric } = named;
    const key = JSON.stringify([
      metric,
      ...matchers.map(({ label, operator, value }) => JSON.stringify([label, operator, value])).sort(),
    ]);
    this.#selectors.set(`${key} ${windowMs}`, { metric, matchers: pinned, windowMs });
    const known = this.#selections.get(key);
    if (known !== undefined) return known.slot;
    const slot = this.#selections.size;
    this.#selections.set(key, { slot, selection: { metric, matchers, pinned } });
    return slot;
  }

  #shown(node: Expression, unit: ValueUnit, at: NumberAt, explain?: Insertion["show"]): NumberTerm {
    this.#insert(node.end, (row, instant) => {
      return ` (${shownValue(at(row, instant), unit)}${explain?.(row, instant) ?? ""})`;
    });
    return { kind: "number", node, unit, at };
  }

  /** A calculation shows its result besides the values that went into it. */
  #showResult({ node, unit, at, constant }: NumberTerm): void {
    if (constant !== undefined || node.kind === "metric" || node.kind === "call") return;
    this.#insert(node.end, (row, instant) => ` = ${shownValue(at(row, instant), unit)}`);
  }

  #insert(offset: number, show: Insertion["show"]): void {
    this.#insertions.push({ offset, show });
  }
}

function constantTerm(node: Expression, unit: ValueUnit, constant: number): NumberTerm {
  return { kind: "number", node, unit, at: () => constant, constant };
}

function valueIn(windowAt: WindowAt, { compute }: WindowFunction): NumberAt {
  return (row, at) => {
    const window = windowAt(row, at);
    return window === undefined ? Number.NaN : compute(window);
  };
}

function shownValue(value: number, unit: ValueUnit): string {
  return Number.isFinite(value) ? formatValue(value, unit === "number" ? "count" : unit) : "no data";
}
