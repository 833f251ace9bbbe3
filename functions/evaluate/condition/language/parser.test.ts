import { describe, expect, it } from "vitest";
import { anyCharacter, fc } from "../../../../tests/support/chance.ts";
import { repetitions } from "../../../../tests/support/repetitions.ts";
import { ConditionError } from "./error.ts";
import { parse } from "./parser.ts";
import type { Binary, Expression, Literal } from "./syntax.ts";

describe("parse", () => {
  it.each([
    // and before or, not before and, comparison before not
    ["a > 1 or b > 2 and c > 3", "((a > 1) or ((b > 2) and (c > 3)))"],
    ["a > 1 and b > 2 or c > 3", "(((a > 1) and (b > 2)) or (c > 3))"],
    ["not a > 1 and b > 2", "((not (a > 1)) and (b > 2))"],
    ["not not a > 1", "(not (not (a > 1)))"],
    ["not (a > 1 and b > 2)", "(not ((a > 1) and (b > 2)))"],
    ["A > 1 AND b > 2 Or NOT c > 3", "(((A > 1) and (b > 2)) or (not (c > 3)))"],
    // multiplication before addition before comparison, each from left to right
    ["a + b * c > d - e - f", "((a + (b * c)) > ((d - e) - f))"],
    ["a / b / c == 1", "(((a / b) / c) == 1)"],
    ["(a + b) * c != 1", "(((a + b) * c) != 1)"],
    ["-a * b < -1", "(((-a) * b) < (-1))"],
    ["a - -1 <= 2", "((a - (-1)) <= 2)"],
    ["a>=1", "(a >= 1)"],
    // names, labels, functions
    ['m{phase="dns", probe != "x"} > 1s', '(m{phase="dns",probe!="x"} > 1s)'],
    ["m{phase='say \"dns\"'} > 1s", "(m{phase='say \"dns\"'} > 1s)"],
    ["m{} > 1s", "(m > 1s)"],
    ["avg(m, 5m) > max ( m , 1h30m )", "(avg(m,5m) > max(m,1h30m))"],
    ["f() > 1", "(f() > 1)"],
    // groups and offsets
    ["sum(m) by (a, b) > 1", "(sum(m) by (a,b) > 1)"],
    ["sum BY (a) (m + 1) > 1", "(sum(m + 1) by (a) > 1)"],
    ["count(m == 0) by () > 1", "(count(m == 0) by () > 1)"],
    ["a > 2 * a offset 1h + 1", "(a > ((2 * a offset 1h) + 1))"],
    ["-m{x='y'} offset 5m > 1", '((-m{x="y"} offset 5m) > 1)'],
    ["(a + b) offset 1h > sum(m) by (x) OFFSET 90s", "((a + b) offset 1h > sum(m) by (x) offset 90s)"],
    ["by > 1 and offset > 2", "((by > 1) and (offset > 2))"],
    ["andy > 1 and order > 2 and nothing > 3", "(((andy > 1) and (order > 2)) and (nothing > 3))"],
    [" a\n  > 70 % ", "(a > 70%)"],
  ])("reads %j as %j", (text, expected) => {
    expect(print(parse(text), always)).toBe(expected);
  });

  it.each([
    ["70%", 0.7, "ratio"],
    ["70 %", 0.7, "ratio"],
    ["99.5%", 0.995, "ratio"],
    ["25s", 25, "seconds"],
    ["5.0s", 5, "seconds"],
    ["250ms", 0.25, "seconds"],
    ["5m", 300, "seconds"],
    ["2h", 7200, "seconds"],
    ["30d", 2_592_000, "seconds"],
    ["1h30m", 5400, "seconds"],
    ["512B", 512, "bytes"],
    ["1KB", 1000, "bytes"],
    ["64MiB", 67_108_864, "bytes"],
    ["1.5GiB", 1_610_612_736, "bytes"],
    ["12", 12, "number"],
    ["0.5", 0.5, "number"],
  ])("reads the literal %s as %d, %s", (text, value, unit) => {
    expect(parse(text)).toMatchObject({ kind: "literal", value, unit });
  });

  it("records positions, including parentheses", () => {
    expect(parse(" (abc + 1) > 2s")).toMatchObject({
      ...{ start: 1, end: 15 },
      left: { start: 1, end: 10, left: { nameSpan: { start: 2, end: 5 } } },
      right: { start: 13, end: 15 },
    });
  });

  it.each([always, whereNeeded])("parses printed expressions to the same tree (%o)", (parentheses) => {
    fc.assert(
      fc.property(tree, (expression) => {
        const text = print(expression, parentheses);
        fc.pre(text.length <= 2000);
        expect(withoutSpans(parse(text))).toEqual(withoutSpans(expression));
      }),
    );
  });

  it("throws nothing but ConditionError, and points into the text", () => {
    const word = fc.constantFrom(
      ...["a", "avg", "(", ")", "{", "}", ",", "=", "==", "!=", ">", "and", "OR", "not", "-", "*", "70%", "5m", '"x"'],
      ...["'", "&&", "!", ".", "[", "é", "😀", "1.2.3", "12", " "],
    );
    const text = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.array(word).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(text, (input) => {
        const error = errorOf(() => parse(input));
        if (error === undefined) return true;
        if (!(error instanceof ConditionError)) throw error;
        const { position, length, message } = error;
        return message !== "" && position >= 0 && position + length <= input.length;
      }),
      { numRuns: repetitions(300) },
    );
  });

  it.each(["(", "-", "not ", "f(", "m{"])("survives the deepest nesting of %j", (opening) => {
    const text = opening.repeat(Math.floor(2000 / opening.length));
    expect(errorOf(() => parse(text))).toBeInstanceOf(ConditionError);
  });
});

function errorOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Returns whether an expression needs parentheses next to an operator that binds as tightly as `around`. */
type Parentheses = (inner: number, around: number) => boolean;

function always(inner: number): boolean {
  return inner < tightest;
}

function whereNeeded(inner: number, around: number): boolean {
  return inner < around;
}

const tightest = 8;
const levels: Readonly<Record<Binary["operator"], number>> = {
  or: 1,
  and: 2,
  ...{ ">": 4, ">=": 4, "<": 4, "<=": 4, "==": 4, "!=": 4 },
  ...{ "+": 5, "-": 5, "*": 6, "/": 6 },
};

function level(node: Expression): number {
  if (node.kind === "binary") return levels[node.operator];
  return node.kind === "unary" ? (node.operator === "not" ? 3 : 7) : tightest;
}

function print(node: Expression, parentheses: Parentheses, around = 0): string {
  const own = level(node);
  const text = bare(node, parentheses);
  return parentheses(own, around) ? `(${text})` : text;
}

function bare(node: Expression, parentheses: Parentheses): string {
  const own = level(node);
  switch (node.kind) {
    case "literal":
      return node.text;
    case "metric": {
      const matchers = node.matchers.map(({ label, operator, value }) => `${label}${operator}${quoted(value)}`);
      return matchers.length === 0 ? node.name : `${node.name}{${matchers.join()}}`;
    }
    case "call":
      return `${node.name}(${node.operands.map((operand) => bare(operand, parentheses)).join()})${
        node.by === undefined ? "" : ` by (${node.by.map((label) => label.name).join()})`
      }`;
    case "offset":
      return `${print(node.operand, parentheses, tightest)} offset ${node.duration.text}`;
    case "unary":
      return `${node.operator === "not" ? "not " : "-"}${print(node.operand, parentheses, own)}`;
    case "binary":
      return `${print(node.left, parentheses, own)} ${node.operator} ${print(node.right, parentheses, own + 1)}`;
  }
}

function quoted(value: string): string {
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

function withoutSpans(node: unknown): unknown {
  const spans = new Set(["start", "end", "nameSpan"]);
  return JSON.parse(JSON.stringify(node, (key, value) => (spans.has(key) ? undefined : value)));
}

const span = { start: 0, end: 0 };
const name = fc
  .stringMatching(/^[a-z_][a-z0-9_]{0,6}$/)
  .filter((word) => !["and", "or", "not"].includes(word.toLowerCase()));
const matcher = fc.record({
  label: name,
  operator: fc.constantFrom("=" as const, "!=" as const),
  value: fc.oneof(fc.stringMatching(/^[^"]{0,6}$/), fc.stringMatching(/^[^']{0,6}$/)),
  start: fc.constant(0),
  end: fc.constant(0),
});
const { tree } = fc.letrec<{ tree: Expression }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom("70%", "25s", "1h30m", "64MiB", "12", "0.25").map((text) => parse(text)),
    fc
      .tuple(name, fc.array(matcher, { maxLength: 2 }))
      .map(([text, matchers]) => ({ kind: "metric" as const, name: text, nameSpan: span, matchers, ...span })),
    fc
      .tuple(name, fc.array(tie("tree"), { maxLength: 3 }))
      .map(([text, operands]) => ({ kind: "call" as const, name: text, nameSpan: span, operands, ...span })),
    fc.tuple(name, tie("tree"), fc.array(name, { maxLength: 2 })).map(([text, operand, labels]) => {
      const by = labels.map((label) => ({ name: label, ...span }));
      return { kind: "call" as const, name: text, nameSpan: span, operands: [operand], by, ...span };
    }),
    fc.tuple(tie("tree"), fc.constantFrom("1h", "90s")).map(([operand, text]) => {
      return { kind: "offset" as const, operand, duration: parse(text) as Literal, ...span };
    }),
    fc
      .tuple(fc.constantFrom("-" as const, "not" as const), tie("tree"))
      .map(([operator, operand]) => ({ kind: "unary" as const, operator, operand, ...span })),
    fc
      .tuple(fc.constantFrom(...(Object.keys(levels) as Binary["operator"][])), tie("tree"), tie("tree"))
      .map(([operator, left, right]) => ({ kind: "binary" as const, operator, left, right, ...span })),
  ),
}));
