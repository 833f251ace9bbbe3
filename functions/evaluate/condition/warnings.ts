/** Finds conditions that are always or never true, whatever the series. */
import { formatValue } from "../../../shared/text/units.ts";
import { shownUnit } from "./algebra.ts";
import { canonical } from "./canonical.ts";
import type { Interval } from "./interval.ts";
import type { Span } from "./language/error.ts";
import type { Comparison, Expression } from "./language/syntax.ts";
import { type Bound, type Compared, type Formula, type NumberTerm, possible } from "./term.ts";

/** A warning, and the part of the condition that it is about. */
export interface ConditionWarning extends Span {
  readonly message: string;
}

/**
 * Returns the comparisons that can never or must always be true, and where there is none, whether that holds of the condition as a whole.
 * @param windowMs the window of aliases such as `avg_http_response_time`
 */
export function warningsOf({ text, formula, compared }: Bound, windowMs: number): readonly ConditionWarning[] {
  const single = compared.flatMap((one) => warningsFor(one, text));
  if (single.length > 0) return single;
  const contradiction = contradictionIn(casesOf(formula, true), windowMs);
  if (contradiction !== undefined) return [together(contradiction, "never", text)];
  const exhaustive = contradictionIn(casesOf(formula, false), windowMs);
  return exhaustive === undefined ? [] : [together(exhaustive, "always", text)];
}

/** A formula and whether it holds. */
export interface Claim {
  readonly formula: Formula;
  readonly holds: boolean;
}

/** Returns whether two claims exclude each other although each of them can be true. */
export function excludeEachOther(a: Claim, b: Claim, windowMs: number): boolean {
  const [first, second] = [casesOf(a.formula, a.holds), casesOf(b.formula, b.holds)];
  if (first === undefined || second === undefined || first.length * second.length > maxCases) return false;
  const isPossible = (cases: readonly (readonly Literal[])[]): boolean =>
    contradictionIn(cases, windowMs) === undefined;
  const both = first.flatMap((one) => second.map((other) => [...one, ...other]));
  return isPossible(first) && isPossible(second) && !isPossible(both);
}

function warningsFor(compared: Compared, text: string): ConditionWarning[] {
  const { node, left, right } = compared;
  const { canHold, canFail } = possible(compared);
  if (canHold && canFail) return [];
  const facts = [left, right].filter(({ constant }) => constant === undefined).map((term) => bounds(term, text));
  const message = `${source(text, node)} is ${canHold ? "always" : "never"} true: ${facts.join(", and ")}`;
  return [{ message, start: node.start, end: node.end }];
}

/** `database_connection_time is at least 0s`. */
function bounds({ node, unit, bounds: { low, high } }: NumberTerm, text: string): string {
  const name = source(text, node);
  const [least, most] = [formatValue(low, shownUnit(unit)), formatValue(high, shownUnit(unit))];
  if (low === high) return `${name} is ${least}`;
  if (Number.isFinite(low) && Number.isFinite(high)) return `${name} is from ${least} to ${most}`;
  return Number.isFinite(low) ? `${name} is at least ${least}` : `${name} is at most ${most}`;
}

function together(literals: readonly Literal[], when: "never" | "always", text: string): ConditionWarning {
  const parts = literals
    .toSorted((a, b) => a.of.node.start - b.of.node.start)
    // A condition was found to be always true because its opposite never is.
    .map(({ of, holds }) => `${holds === (when === "never") ? "" : "not "}${source(text, of.node)}`);
  const message =
    when === "never"
      ? `${parts.join(" and ")} are never true together`
      : `${parts.join(" or ")} is always true: one of them holds for every value`;
  const start = Math.min(...literals.map(({ of }) => of.node.start));
  const end = Math.max(...literals.map(({ of }) => of.node.end));
  return { message, start, end };
}

/** A comparison that holds, or one that does not. */
interface Literal {
  readonly of: Compared;
  readonly holds: boolean;
}

/** More cases than people write; beyond them nothing is said. */
const maxCases = 256;

/**
 * The cases in which a formula has a truth, as its disjunctive normal form: each a list of comparisons that then hold or do not.
 * `undefined` where there are too many.
 */
function casesOf(formula: Formula, truth: boolean): readonly (readonly Literal[])[] | undefined {
  switch (formula.kind) {
    case "open":
      return [[]];
    case "comparison":
      return [[{ of: formula, holds: truth }]];
    case "not":
      return casesOf(formula.operand, !truth);
    default: {
      const left = casesOf(formula.left, truth);
      const right = casesOf(formula.right, truth);
      if (left === undefined || right === undefined) return undefined;
      const all =
        (formula.kind === "or") === truth ? [...left, ...right] : left.flatMap((a) => right.map((b) => [...a, ...b]));
      return all.length > maxCases ? undefined : all;
    }
  }
}

/** The comparisons that exclude each other in the first case, where no case is possible. */
function contradictionIn(
  cases: readonly (readonly Literal[])[] | undefined,
  windowMs: number,
): readonly Literal[] | undefined {
  const contradictions = (cases ?? []).map((literals) => contradictionAmong(literals, windowMs));
  return contradictions.every((one) => one !== undefined) ? contradictions[0] : undefined;
}

function contradictionAmong(literals: readonly Literal[], windowMs: number): readonly Literal[] | undefined {
  const demands = literals.flatMap((literal) => demandOf(literal, windowMs));
  const byValue = Map.groupBy(demands, ({ value }) => value);
  const contradictory = [...byValue.values()].find((own) => !areMet(own));
  return contradictory?.map(({ literal }) => literal);
}

/** The constraint that a comparison with a constant puts on a value. */
interface Demand {
  readonly literal: Literal;
  /** The value, in its canonical form. */
  readonly value: string;
  readonly bounds: Interval;
  readonly operator: Comparison;
  readonly limit: number;
}

function demandOf(literal: Literal, windowMs: number): Demand[] {
  const { operator, left, right } = literal.of;
  const [term, limit, asked] =
    right.constant !== undefined ? [left, right.constant, operator] : [right, left.constant, turned[operator]];
  if (limit === undefined) return [];
  return [
    {
      literal,
      value: canonical(term.node, windowMs),
      bounds: term.bounds,
      operator: literal.holds ? asked : opposite[asked],
      limit,
    },
  ];
}

const turned: Readonly<Record<Comparison, Comparison>> = {
  ">": "<",
  ">=": "<=",
  "<": ">",
  "<=": ">=",
  "==": "==",
  "!=": "!=",
};

const opposite: Readonly<Record<Comparison, Comparison>> = {
  ">": "<=",
  ">=": "<",
  "<": ">=",
  "<=": ">",
  "==": "!=",
  "!=": "==",
};

/** Returns whether some value within its bounds satisfies all constraints. */
function areMet(demands: readonly Demand[]): boolean {
  let { low, high } = demands[0]?.bounds ?? { low: 0, high: 0 };
  let [lowOpen, highOpen] = [false, false];
  const excluded = new Set<number>();
  for (const { operator, limit } of demands) {
    if (operator === "!=") excluded.add(limit);
    if (operator === ">" || operator === ">=" || operator === "==") {
      const isOpen = operator === ">";
      if (limit > low || (limit === low && isOpen)) [low, lowOpen] = [limit, isOpen];
    }
    if (operator === "<" || operator === "<=" || operator === "==") {
      const isOpen = operator === "<";
      if (limit < high || (limit === high && isOpen)) [high, highOpen] = [limit, isOpen];
    }
  }
  if (low < high) return true;
  return low === high && !lowOpen && !highOpen && !excluded.has(low);
}

function source(text: string, { start, end }: Expression): string {
  return text.slice(start, end).replaceAll(/\s+/g, " ");
}
