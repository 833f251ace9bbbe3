/** Every mistake in the meaning of a condition, in one sentence that says what to write instead. */
import { nearest } from "../../../shared/text/nearest.ts";
import { formatDuration } from "../../../shared/text/units.ts";
import { called, sampleOf, type ValueUnit } from "./algebra.ts";
import { functionNames, windowFunction } from "./functions/functions.ts";
import { type Interval, isShare } from "./interval.ts";
import { ConditionError, corrected, type Span } from "./language/error.ts";
import type { Binary, Call, Expression, Matcher, MetricNode, Offset } from "./language/syntax.ts";
import { type NamedMetric, namedMetric, nearestMetric } from "./names.ts";

/** One side of an operator: what stands there, and its unit. */
export interface Side {
  readonly node: Expression;
  readonly unit: ValueUnit;
  readonly bounds: Interval;
}

/** A name that is neither a metric nor an alias. */
export function noMetric(text: string, name: string, span: Span): ConditionError {
  if (windowFunction(name) !== undefined || name === "absent") {
    return new ConditionError(`${name} is a function: write ${name}(http_response_time, 5m)`, span);
  }
  const meant = nearestMetric(name);
  return meant === undefined
    ? new ConditionError(`there is no metric ${name}: the metrics are listed in docs/metrics.md`, span)
    : teach(text, `there is no metric ${name}: write ${meant}`, span, meant);
}

/** A label that the metric does not have, or one that is asked to have two values. */
export function noLabel(text: string, node: MetricNode, matcher: Matcher, { labels }: NamedMetric): ConditionError {
  if (labels.includes(matcher.label)) {
    return new ConditionError(`the label ${matcher.label} of ${node.name} is given twice: remove one`, matcher);
  }
  const known = `${labels.slice(0, -1).join(", ")} and ${labels.at(-1)}`;
  const name = { start: matcher.start, end: matcher.start + matcher.label.length };
  const meant = nearest(matcher.label, labels);
  return meant === undefined
    ? new ConditionError(`${node.name} has no label ${matcher.label}: its labels are ${known}`, name)
    : teach(text, `${node.name} has no label ${matcher.label}: write ${meant}`, name, meant);
}

/** A name before a parenthesis that is no function. */
export function noFunction(text: string, node: Call): ConditionError {
  const name = node.nameSpan;
  const plain = node.name.replace(/_over_time$/i, "").toLowerCase();
  const meant =
    namedMetric(node.name) === undefined ? (foreign.get(plain) ?? nearest(plain, functionNames)) : undefined;
  if (meant !== undefined) return teach(text, `there is no function ${node.name}: write ${meant}`, name, meant);
  if (namedMetric(node.name) !== undefined) {
    return new ConditionError(`${node.name} is a metric, not a function: write avg(${node.name}, 5m)`, name);
  }
  const known = `${functionNames.filter((other) => !/\d/.test(other)).join(", ")} and p1 to p99`;
  return new ConditionError(`there is no function ${node.name}: the functions are ${known}`, name);
}

/** Names that other languages use for our functions. */
const foreign: ReadonlyMap<string, string> = new Map([
  ["increase", "rate"],
  ["irate", "rate"],
  ["deriv", "delta"],
  ["idelta", "delta"],
  ["predict_linear", "forecast"],
  ["mean", "avg"],
]);

/** A function with too few or too many arguments. */
export function noWindow(text: string, node: Call): ConditionError {
  const [only] = node.operands;
  const metric = only?.kind === "metric" && namedMetric(only.name) !== undefined ? source(text, only) : undefined;
  const example = `${node.name}(${metric ?? "http_response_time"}, 5m)`;
  const message = `${node.name} takes a metric and a window: write ${example}`;
  return metric !== undefined && node.operands.length === 1
    ? teach(text, message, node, example)
    : new ConditionError(message, node);
}

/** A function of something else than a plain metric. */
export function noCalculation(text: string, node: Call, operand: Expression): ConditionError {
  const found = source(text, operand);
  if (operand.kind === "metric") {
    const plain = operand.name.slice(operand.name.indexOf("_") + 1);
    const message = `${operand.name} already looks at a window: write ${node.name}(${plain}, 5m)`;
    return teach(text, message, operand.nameSpan, plain);
  }
  const message = `${node.name} takes one metric, and ${found} is not a metric: write for example ${node.name}(http_response_time, 5m)`;
  return new ConditionError(message, operand);
}

/** A window that is no duration. */
export function noDuration(text: string, node: Expression): ConditionError {
  if (node.kind === "literal" && node.unit === "number" && node.value > 0) {
    return teach(text, `the window ${node.text} has no unit: write ${node.text}m`, node, `${node.text}m`);
  }
  return new ConditionError(`invalid window ${source(text, node)}: write a positive duration, such as 5m`, node);
}

/** A window and groups in one call: the one looks along time, the other across series. */
export function windowAndGroups(text: string, node: Call, operand: Expression, duration: Expression): ConditionError {
  const inner = `${node.name}(${source(text, operand)}, ${source(text, duration)})`;
  const outer = `${node.name}(${inner}) by (${node.by?.map(({ name }) => name).join(", ")})`;
  return teach(text, `a window and "by" cannot be combined: write ${outer}`, node, outer);
}

/** A label in `by` that no series has. */
export function noGroupLabel(text: string, name: string, span: Span, labels: readonly string[]): ConditionError {
  const known = `the labels are ${labels.join(", ")}`;
  const meant = nearest(name, labels);
  return meant === undefined
    ? new ConditionError(`there is no label ${name} to group by: ${known}`, span)
    : teach(text, `there is no label ${name} to group by: write ${meant}`, span, meant);
}

/** Absence inside of an aggregation. */
export function absenceInside(operand: Expression): ConditionError {
  const message =
    "absent cannot be used inside another function, because a missing series belongs to no group: use absent on its own, or compare count(…) with the expected number";
  return new ConditionError(message, operand);
}

/** An offset beyond what the state holds. @param leftMs how much of it the offsets around it leave, in milliseconds */
export function offsetTooLong(text: string, { duration }: Offset, longestMs: number, leftMs: number): ConditionError {
  const found = `offsets reach back ${formatDuration(longestMs)} at most, because the state holds no older samples for them`;
  return leftMs === 0
    ? new ConditionError(`${found}: remove this one`, duration)
    : teach(text, `${found}: write offset ${formatDuration(leftMs)} or less`, duration, formatDuration(leftMs));
}

/** A comparison where a value must stand. */
export function noValue(text: string, node: Expression): ConditionError {
  const message = `${source(text, node)} is true or false, not a value: combine it with and, or, not`;
  return new ConditionError(message, node);
}

/** A comparison of a comparison: `1s < http_response_time < 2s`. */
export function noChain(text: string, { left, operator, right, start, end }: Binary): ConditionError {
  const middle = left.kind === "binary" ? left.right : left;
  const split = `${source(text, left)} and ${source(text, middle)} ${operator} ${source(text, right)}`;
  return teach(text, `comparisons do not chain: write ${split}`, { start, end }, split);
}

/** A value where a comparison must stand. */
export function notTrueOrFalse(text: string, node: Expression, unit: ValueUnit): ConditionError {
  const found = source(text, node);
  const example = node.kind === "literal" ? "vpc_connector_utilization > 70%" : `${found} > ${sampleOf[unit]}`;
  return new ConditionError(`${found} is ${called[unit]}, not a comparison: write for example ${example}`, node);
}

/** Two units that cannot meet. */
export function mismatch(text: string, operator: Binary["operator"], left: Side, right: Side): ConditionError {
  const found = `${source(text, left.node)} is ${called[left.unit]} and ${source(text, right.node)} is ${called[right.unit]}`;
  for (const [side, other] of [
    [right, left],
    [left, right],
  ] as const) {
    if (other.unit === "ratio" && side.unit === "count" && side.node.kind === "metric" && isShare(side.bounds)) {
      const flag = source(text, side.node);
      const mean = `avg(${flag}, 1h)`;
      return teach(text, `${flag} is 0 or 1: for the share of the time write ${mean}`, side.node, mean);
    }
    const fitted = inUnit(side.node, other.unit);
    if (fitted !== undefined) return teach(text, `${found}: write ${fitted}`, side.node, fitted);
  }
  const span = { start: left.node.start, end: right.node.end };
  return new ConditionError(`${found}: ${unitAdvice(operator, left.unit, right.unit)}`, span);
}

/** A comparison of two constants. */
export function constantComparison(text: string, node: Binary): ConditionError {
  return new ConditionError(
    `${source(text, node)} is constant: compare a metric, as in vpc_connector_utilization > 70%`,
    node,
  );
}

/** A division by a constant zero. */
export function zeroDivision(node: Expression): ConditionError {
  return new ConditionError("division by zero is not allowed", node);
}

/** Returns a literal in the unit it must have, or `undefined` if that is ambiguous. */
export function inUnit(node: Expression, unit: ValueUnit): string | undefined {
  if (node.kind !== "literal") return undefined;
  const number = /^[\d.]+/.exec(node.text)?.[0] ?? "";
  if (unit === "count") return node.unit === "ratio" ? undefined : number;
  if (node.unit !== "number") return undefined;
  switch (unit) {
    case "number":
    case "share":
      return undefined;
    case "ratio":
      // 0.7 and 70 are both ways in which people write 70%.
      return `${node.value <= 1 ? Number((node.value * 100).toPrecision(12)) : number}%`;
    case "seconds":
      return `${number}s`;
    case "bytes":
      return `${number}B`;
  }
}

function unitAdvice(operator: Binary["operator"], left: ValueUnit, right: ValueUnit): string {
  if (operator === "*") return "a product can have at most one unit: multiply by a bare number or a ratio";
  if (operator === "/") return "divide by a value of the same unit or by a bare number";
  const units = [left, right];
  if (units.includes("ratio") && units.includes("count")) {
    return "a count becomes a ratio when it is divided by another, as in database_connections / database_connection_limit";
  }
  return `only values of the same unit can be ${operator === "+" || operator === "-" ? "added or subtracted" : "compared"}`;
}

function teach(text: string, message: string, span: Span, replacement: string): ConditionError {
  return new ConditionError(message, span, corrected(text, span, replacement));
}

function source(text: string, { start, end }: Span): string {
  return text.slice(start, end).replaceAll(/\s+/g, " ");
}
