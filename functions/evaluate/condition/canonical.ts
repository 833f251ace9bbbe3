/** Conditions in one form, so that what means the same is written the same. */
import type { Comparison, Expression } from "./language/syntax.ts";
import { namedMetric } from "./names.ts";

/** The relation of `b` to `a` if this one holds between `a` and `b`. */
const turned: Partial<Record<Comparison, Comparison>> = { "<": ">", "<=": ">=" };

const commutative: ReadonlySet<string> = new Set(["and", "or", "+", "*", "==", "!="]);

/**
 * Returns an expression in one form, whatever its spaces, parentheses, aliases, units and the order of labels and of what may be exchanged.
 * @param windowMs the window of aliases such as `avg_http_response_time`
 */
export function canonical(node: Expression, windowMs: number): string {
  const form = (part: Expression): string => canonical(part, windowMs);
  switch (node.kind) {
    case "literal":
      return `${node.value} ${node.unit === "number" ? "count" : node.unit}`;
    case "metric": {
      const named = namedMetric(node.name);
      const matchers = [
        ...Object.entries(named?.matchers ?? {}).map(([label, value]) => JSON.stringify([label, "=", value])),
        ...node.matchers.map(({ label, operator, value }) => JSON.stringify([label, operator, value])),
      ];
      const metric = `${named?.metric ?? node.name}{${matchers.sort().join()}}`;
      return named?.applied === undefined ? metric : `${named.applied}(${metric}, ${windowMs / 1000} seconds)`;
    }
    case "call": {
      const by = node.by === undefined ? "" : ` by (${node.by.map(({ name }) => name).sort()})`;
      return `${node.name}(${node.operands.map(form).join(", ")})${by}`;
    }
    case "offset":
      return `(${form(node.operand)} offset ${form(node.duration)})`;
    case "unary":
      return `(${node.operator} ${form(node.operand)})`;
    case "binary": {
      const other = turned[node.operator as Comparison];
      const sides = [form(node.left), form(node.right)];
      if (other !== undefined) return `(${sides[1]} ${other} ${sides[0]})`;
      if (commutative.has(node.operator)) sides.sort();
      return `(${sides.join(` ${node.operator} `)})`;
    }
  }
}
