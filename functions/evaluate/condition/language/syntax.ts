/** The tree that a condition is parsed into, before its names and units are looked at. */
import type { Unit } from "../../../../shared/text/units.ts";
import type { Span } from "./error.ts";

/** A number with its unit; `number` is a bare one, which takes on the unit of what it multiplies. */
export interface Literal extends Span {
  readonly kind: "literal";
  /** As written, without spaces. */
  readonly text: string;
  /** In the base unit. */
  readonly value: number;
  readonly unit: Unit | "number";
}

/** One comparison of a label: `phase="dns"`. */
export interface Matcher extends Span {
  readonly label: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** A metric or an alias of one, with the labels that its series must have. */
export interface MetricNode extends Span {
  readonly kind: "metric";
  readonly name: string;
  readonly nameSpan: Span;
  readonly matchers: readonly Matcher[];
}

/** A function with its arguments. */
export interface Call extends Span {
  readonly kind: "call";
  readonly name: string;
  readonly nameSpan: Span;
  readonly operands: readonly Expression[];
  /** The labels by which series are grouped; absent without `by`. */
  readonly by?: readonly Label[];
}

/** The name of a label, as in `by (component)`. */
export interface Label extends Span {
  readonly name: string;
}

/** The past value of an expression: `http_response_time offset 1h`. */
export interface Offset extends Span {
  readonly kind: "offset";
  readonly operand: Expression;
  readonly duration: Literal;
}

/** `-x` or `not x`. */
export interface Unary extends Span {
  readonly kind: "unary";
  readonly operator: "-" | "not";
  readonly operand: Expression;
}

/** `+ - * /`. */
export type Arithmetic = "+" | "-" | "*" | "/";

/** `> >= < <= == !=`. */
export type Comparison = ">" | ">=" | "<" | "<=" | "==" | "!=";

/** Two expressions and what stands between them. */
export interface Binary extends Span {
  readonly kind: "binary";
  readonly operator: Arithmetic | Comparison | "and" | "or";
  readonly left: Expression;
  readonly right: Expression;
}

/** Any expression. Its span includes the parentheses around it. */
export type Expression = Literal | MetricNode | Call | Offset | Unary | Binary;
