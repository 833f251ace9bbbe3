/** Binds a syntax tree to series: resolves names, checks units, and chooses how each value is displayed. */
import { formatValue } from "../../../shared/text/units.ts";
import {
  absenceInside,
  constantComparison,
  mismatch,
  noCalculation,
  noChain,
  noDuration,
  noFunction,
  noGroupLabel,
  noLabel,
  noMetric,
  notTrueOrFalse,
  noValue,
  noWindow,
  offsetTooLong,
  windowAndGroups,
  zeroDivision,
} from "./advice.ts";
import { commonUnit, shownUnit, unitOf, type ValueUnit } from "./algebra.ts";
import { canonical } from "./canonical.ts";
import { isAggregation, windowFunction } from "./functions/functions.ts";
import type { WindowFunction } from "./functions/window.ts";
import { rangeOf } from "./interval.ts";
import { type Group, type Row, type Selection, selectionOf } from "./join.ts";
import type { Arithmetic, Binary, Call, Comparison, Expression, MetricNode, Offset } from "./language/syntax.ts";
import { negation } from "./logic.ts";
import { type NamedMetric, namedMetric } from "./names.ts";
import type { Selector } from "./series.ts";
import {
  absentIn,
  aggregated,
  applied,
  asNumber,
  type Bound,
  calculation,
  combined,
  comparison,
  comparisons,
  constantTerm,
  courseOf,
  type Insertion,
  type Limit,
  lastIn,
  type NumberAt,
  type NumberTerm,
  type Operand,
  ofHowMany,
  operandOf,
  samplesIn,
  type Term,
  type TruthTerm,
  valueIn,
  type WindowAt,
} from "./term.ts";

/**
 * Binds a tree.
 * @param windowMs the window of aliases such as `avg_http_response_time`
 * @throws ConditionError for unknown names and for units that do not fit
 */
export function bind(text: string, tree: Expression, windowMs: number): Bound {
  return new Binder(text, windowMs).condition(tree);
}

/** Largest offset, in milliseconds. State is bounded, and samples are kept for as long as some rule looks back. */
const longestOffsetMs = 3_600_000;

class Binder {
  readonly #text: string;
  readonly #windowMs: number;
  readonly #selections = new Map<string, { readonly slot: number; readonly selection: Selection }>();
  readonly #selectors = new Map<string, Selector>();
  readonly #insertions: Insertion[] = [];
  /** The constant that expressions are compared with, if there is one. */
  readonly #limits = new Map<Expression, number>();
  readonly #comparisons: Limit[] = [];
  readonly #counted: Bound["counted"][number][] = [];
  readonly #compared: Bound["compared"][number][] = [];
  /** Labels by which may be grouped what was bound so far. */
  readonly #labels = new Set<string>();
  /** Slots that were asked for since this was last emptied. */
  #touched = new Set<number>();
  #value: NumberAt | undefined;
  #seesAbsence = false;
  /** How much further back functions look because of the expressions around them, and how much of that is an offset. */
  #earlier = { lookbackMs: 0, offsetMs: 0 };
  /** Inside of what is shown as a whole, nothing is shown by itself. */
  #isInside = false;

  constructor(text: string, windowMs: number) {
    this.#text = text;
    this.#windowMs = windowMs;
  }

  condition(tree: Expression): Bound {
    const { at, formula } = this.#truth(tree);
    return {
      text: this.#text,
      holds: at,
      selections: [...this.#selections.values()].map(({ selection }) => selection),
      selectors: [...this.#selectors.values()],
      insertions: this.#insertions.sort((a, b) => a.offset - b.offset),
      value: this.#value,
      limits: this.#comparisons,
      seesAbsence: this.#seesAbsence,
      counted: this.#counted,
      formula,
      compared: this.#compared,
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
      case "offset":
        return this.#offset(node);
      case "unary":
        return node.operator === "not" ? this.#not(node, node.operand) : this.#minus(node, node.operand);
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
    const source: Operand = { unit: named.unit, bounds: rangeOf(named.metric), isCondition: false };
    if (named.applied === undefined)
      return this.#shown({ node, unit: named.unit, bounds: source.bounds, at: lastIn(this.#slot(node, named, 0)) });
    const { compute, unit, bounds } = applied(named.applied, source);
    return this.#shown({
      node,
      unit,
      bounds,
      at: valueIn(samplesIn(this.#slot(node, named, this.#windowMs), this.#windowMs), compute),
    });
  }

  #call(node: Call): Term {
    if (windowFunction(node.name) === undefined && node.name !== "absent") throw noFunction(this.#text, node);
    const [operand, duration, ...rest] = node.operands;
    if (operand !== undefined && duration === undefined && isAggregation(node.name) && !forgetsWindow(node, operand))
      return this.#aggregation(node, operand);
    if (operand === undefined || duration === undefined || rest.length > 0) throw noWindow(this.#text, node);
    if (node.by !== undefined) throw windowAndGroups(this.#text, node, operand, duration);
    if (node.name === "absent" && operand.kind !== "metric") throw noCalculation(this.#text, node, operand);
    if (operand.kind === "metric" && this.#named(operand).applied !== undefined)
      throw noCalculation(this.#text, node, operand);
    if (duration.kind !== "literal" || duration.unit !== "seconds" || duration.value < 0.001) {
      throw noDuration(this.#text, duration);
    }
    const windowMs = Math.round(duration.value * 1000);
    if (node.name === "absent" && operand.kind === "metric") return this.#absent(node, operand, windowMs);
    const { windowAt, ...source } =
      operand.kind === "metric" ? this.#samples(operand, windowMs) : this.#course(node, operand, windowMs);
    const { compute, unit, bounds, explain } = applied(node.name, source);
    const explained = explain === undefined ? undefined : this.#explained(node, explain, windowAt, unit);
    return this.#shown({ node, unit, bounds, at: valueIn(windowAt, compute) }, explained);
  }

  /** The samples of a metric in a window. */
  #samples(node: MetricNode, windowMs: number): Operand & { readonly windowAt: WindowAt } {
    const named = this.#named(node);
    const windowAt = samplesIn(this.#slot(node, named, windowMs), windowMs);
    return { unit: named.unit, bounds: rangeOf(named.metric), isCondition: false, windowAt };
  }

  /** The values that an expression had in a window, at every instant at which one of its series has a sample. */
  #course(node: Call, operand: Expression, windowMs: number): Operand & { readonly windowAt: WindowAt } {
    const touchedBefore = this.#touched;
    this.#touched = new Set();
    const term = this.#within({ lookbackMs: windowMs, offsetMs: 0 }, () => this.#term(operand));
    const slots = [...this.#touched];
    this.#touched = new Set([...touchedBefore, ...slots]);
    if (slots.length === 0) throw noCalculation(this.#text, node, operand);
    return { ...operandOf(term), windowAt: courseOf(slots, asNumber(term), windowMs) };
  }

  /** One value of all combinations of series that an expression speaks of, or of each group of them. */
  #aggregation(node: Call, operand: Expression): NumberTerm {
    const inner = new Binder(this.#text, this.#windowMs);
    inner.#earlier = this.#earlier;
    const term = inner.#term(operand);
    if (inner.#selections.size === 0) throw noCalculation(this.#text, node, operand);
    if (inner.#seesAbsence) throw absenceInside(operand);
    const by = (node.by ?? []).map(({ name, ...span }) => {
      if (!inner.#labels.has(name)) throw noGroupLabel(this.#text, name, span, [...inner.#labels]);
      return name;
    });
    for (const name of by) this.#labels.add(name);
    for (const [key, selector] of inner.#selectors) this.#selectors.set(key, selector);
    this.#compared.push(...inner.#compared);
    const members = [...inner.#selections.values()].map(({ selection }) => selection);
    const slot = this.#slotOf(JSON.stringify([canonical(operand, this.#windowMs), by]), { members, by });
    if (term.kind === "truth") this.#counted.push({ slot, holds: term.at });
    const { unit, bounds, values } = aggregated(node.name, term);
    const groupAt = (row: Row): Group | undefined => row[slot] as Group | undefined;
    return this.#shown(
      {
        node,
        unit,
        bounds,
        at: (row, at) => values(groupAt(row), at).value,
        rangeAt: (row, at) => values(groupAt(row), at).range,
      },
      term.kind === "truth" && node.name === "count" ? (row, at) => ofHowMany(values(groupAt(row), at)) : undefined,
    );
  }

  #offset(node: Offset): Term {
    const offsetMs = Math.round(node.duration.value * 1000);
    const leftMs = longestOffsetMs - this.#earlier.offsetMs;
    if (offsetMs > leftMs) throw offsetTooLong(this.#text, node, longestOffsetMs, leftMs);
    const term = this.#within({ lookbackMs: offsetMs, offsetMs }, () => this.#term(node.operand));
    if (term.kind === "truth")
      return { kind: "truth", node, at: (row, at) => term.at(row, at - offsetMs), formula: { kind: "open" } };
    const { unit, bounds, constant, rangeAt } = term;
    if (constant !== undefined) return constantTerm(node, unit, constant);
    return this.#shown({
      node,
      unit,
      bounds,
      at: (row, at) => term.at(row, at - offsetMs),
      ...(rangeAt === undefined ? {} : { rangeAt: (row, at) => rangeAt(row, at - offsetMs) }),
    });
  }

  /** Binds what looks further back than it says, and is not shown by itself. */
  #within<T>({ lookbackMs, offsetMs }: { lookbackMs: number; offsetMs: number }, bindIt: () => T): T {
    const [earlier, isInside] = [this.#earlier, this.#isInside];
    this.#earlier = { lookbackMs: earlier.lookbackMs + lookbackMs, offsetMs: earlier.offsetMs + offsetMs };
    this.#isInside = true;
    const made = bindIt();
    this.#earlier = earlier;
    this.#isInside = isInside;
    return made;
  }

  /** Describes what a function found besides its value, given the limit of the comparison around it. */
  #explained(
    node: Call,
    explain: NonNullable<WindowFunction["explain"]>,
    windowAt: WindowAt,
    unit: ValueUnit,
  ): Insertion["show"] {
    return (row, at) => {
      const window = windowAt(row, at);
      const limit = this.#limits.get(node);
      const shown = limit === undefined ? undefined : { value: limit, text: shownValue(limit, unit) };
      const words = window === undefined ? "" : explain(window, shown);
      return words === "" ? "" : `: ${words}`;
    };
  }

  #absent(node: Call, metric: MetricNode, windowMs: number): TruthTerm {
    const slot = this.#slot(metric, this.#named(metric), windowMs);
    this.#seesAbsence = true;
    const absent = absentIn(slot, windowMs);
    this.#insert(node.end, (row, at) => {
      const truth = absent(row, at);
      return truth === undefined ? " (not known yet)" : truth ? " (yes)" : " (no)";
    });
    return { kind: "truth", node, at: absent, formula: { kind: "open" } };
  }

  #not(node: Expression, operand: Expression): TruthTerm {
    const { at, formula } = this.#truth(operand);
    return {
      kind: "truth",
      node,
      at: (row, instant) => negation(at(row, instant)),
      formula: { kind: "not", operand: formula },
    };
  }

  #minus(node: Expression, operand: Expression): NumberTerm {
    const term = this.#number(operand);
    if (term.constant !== undefined) return constantTerm(node, term.unit, -term.constant);
    return calculation("-", { node, unit: term.unit }, constantTerm(node, term.unit, 0), term);
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
    const { at: left, formula: first } = this.#truth(node.left);
    const { at: right, formula: second } = this.#truth(node.right);
    return {
      kind: "truth",
      node,
      at: combined(operator, left, right),
      formula: { kind: operator, node, left: first, right: second },
    };
  }

  #arithmetic(node: Binary, operator: Arithmetic): NumberTerm {
    const left = this.#number(node.left);
    const right = this.#number(node.right);
    const unit = unitOf(operator, left.unit, right.unit);
    if (unit === undefined) throw mismatch(this.#text, operator, left, right);
    if (operator === "/" && right.constant === 0) throw zeroDivision(node.right);
    return calculation(operator, { node, unit }, left, right);
  }

  #comparison(node: Binary, operator: Comparison): TruthTerm {
    if (node.left.kind === "binary" && node.left.operator in comparisons) throw noChain(this.#text, node);
    const left = this.#number(node.left);
    if (!this.#isInside) this.#value ??= left.at;
    this.#showResult(left);
    const right = this.#number(node.right);
    this.#showResult(right);
    if (commonUnit(left.unit, right.unit) === undefined) throw mismatch(this.#text, operator, left, right);
    if (left.constant !== undefined && right.constant !== undefined) throw constantComparison(this.#text, node);
    if (right.constant !== undefined) this.#limits.set(left.node, right.constant);
    if (left.constant !== undefined) this.#limits.set(right.node, left.constant);
    const at = comparison(operator, left, right);
    const direction = operator === "==" || operator === "!=" ? undefined : operator.startsWith(">");
    if (direction !== undefined && !this.#isInside) {
      const [value, limit, above] = left.constant === undefined ? [left, right, direction] : [right, left, !direction];
      this.#comparisons.push({ value: value.at, limit: limit.at, unit: value.unit, above, holds: at });
    }
    const formula = { kind: "comparison", node, operator, left, right } as const;
    this.#compared.push(formula);
    return { kind: "truth", node, at, formula };
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
    for (const label of named.labels) this.#labels.add(label);
    return named;
  }

  /** The place in a row for the series that a metric selects, the same for the same selection. */
  #slot(node: MetricNode, named: NamedMetric, windowMs: number): number {
    const { key, selection } = selectionOf(node, named);
    const lookbackMs = windowMs + this.#earlier.lookbackMs;
    this.#selectors.set(`${key} ${lookbackMs}`, {
      metric: selection.metric,
      matchers: selection.pinned,
      windowMs: lookbackMs,
    });
    return this.#slotOf(key, selection);
  }

  #slotOf(key: string, selection: Selection): number {
    const slot = this.#selections.get(key)?.slot ?? this.#selections.size;
    this.#selections.set(key, { slot, selection });
    this.#touched.add(slot);
    return slot;
  }

  #shown(term: Omit<NumberTerm, "kind">, explain?: Insertion["show"]): NumberTerm {
    const { node, unit, at } = term;
    this.#insert(node.end, (row, instant) => {
      return ` (${shownValue(at(row, instant), unit)}${explain?.(row, instant) ?? ""})`;
    });
    return { kind: "number", ...term };
  }

  /** A calculation shows its result besides the values that went into it. */
  #showResult({ node, unit, at, constant }: NumberTerm): void {
    if (constant !== undefined || node.kind === "metric" || node.kind === "call" || node.kind === "offset") return;
    this.#insert(node.end, (row, instant) => ` = ${shownValue(at(row, instant), unit)}`);
  }

  #insert(offset: number, show: Insertion["show"]): void {
    if (!this.#isInside) this.#insertions.push({ offset, show });
  }
}

/** Of a plain metric, these are asked for along time much more often: across series they say `by`, be it `by ()`. */
function forgetsWindow({ name, by }: Call, operand: Expression): boolean {
  return by === undefined && operand.kind === "metric" && name !== "sum" && name !== "count";
}

function shownValue(value: number, unit: ValueUnit): string {
  return Number.isFinite(value) ? formatValue(value, shownUnit(unit)) : "no data";
}
