/** Baselines: what is normal for a metric, as a comparison that is true when things are good. */
import { formatValue } from "../../../shared/text/units.ts";
import { inUnit, noMetric } from "./advice.ts";
import { called, commonUnit, sampleOf } from "./algebra.ts";
import { ConditionError, corrected } from "./language/error.ts";
import { lex } from "./language/lexer.ts";
import { literal } from "./language/parser.ts";
import type { Comparison, Literal } from "./language/syntax.ts";
import { type NamedMetric, namedMetric } from "./names.ts";
import { comparisons } from "./term.ts";

/** A baseline, ready to be held against values. */
export interface BaselineCheck {
  readonly metric: string;
  /** Labels that its series must have: phase 3 for `smd_phase_3_duration`. */
  readonly matchers: Readonly<Record<string, string>>;
  /** The whole comparison: `database_connection_time < 5s`. */
  readonly text: string;
  /** Returns whether a value in the base unit is normal. */
  holds(value: number): boolean;
  /** Describes an abnormal value: `database_connection_time (27.4s) is not < 5s`. */
  describe(value: number): string;
}

/**
 * Compiles a baseline such as `<5.0s` or `>=99%`; a bare value such as `100%` is what the metric must equal.
 * @param metric the name of a metric, or an alias such as `smd_phase_3_duration`
 * @throws ConditionError with its position in `expectation`, or in `metric` where that is not known
 */
export function compileBaseline(metric: string, expectation: string): BaselineCheck {
  const named = plainMetric(metric);
  const { operator, limit } = parseExpectation(expectation);
  if (commonUnit(named.unit, limit.unit) === undefined) {
    const fitted = inUnit(limit, named.unit);
    const found = `${metric} is ${called[named.unit]} and ${limit.text} is ${called[limit.unit]}`;
    throw fitted === undefined
      ? new ConditionError(`${found}: write for example <${sampleOf[named.unit]}`, limit)
      : new ConditionError(`${found}: write ${fitted}`, limit, corrected(expectation, limit, fitted));
  }
  const compare = comparisons[operator];
  const expected = `${operator} ${formatValue(limit.value, named.unit)}`;
  return {
    metric: named.metric,
    matchers: named.matchers,
    text: `${metric} ${expected}`,
    holds: (value) => compare(value, limit.value),
    describe: (value) => `${metric} (${formatValue(value, named.unit)}) is not ${expected}`,
  };
}

function plainMetric(metric: string): NamedMetric {
  const span = { start: 0, end: metric.length };
  const named = namedMetric(metric);
  if (named === undefined) throw noMetric(metric, metric, span);
  if (named.applied === undefined) return named;
  const plain = metric.slice(named.applied.length + 1);
  throw new ConditionError(`a baseline applies to every value, not to ${metric}: write ${plain}`, span, plain);
}

function parseExpectation(text: string): { readonly operator: Comparison; readonly limit: Literal } {
  const [first, ...rest] = lex(text);
  if (first?.kind === "symbol" && first.text === "=") {
    throw new ConditionError('invalid operator "=": write ==', first, corrected(text, first, "=="));
  }
  const compares = first?.kind === "symbol" && Object.hasOwn(comparisons, first.text);
  const operator = compares ? (first.text as Comparison) : "==";
  const [amount, end] = compares ? rest : [first, ...rest];
  if (amount?.kind !== "number" || end?.kind !== "end") {
    const span = { start: 0, end: text.length };
    throw new ConditionError(`invalid expectation "${text}": write one such as <5s, >=99% or 100%`, span);
  }
  return { operator, limit: literal(text, amount) };
}
