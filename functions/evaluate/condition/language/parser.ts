/** From tokens to a tree, by precedence climbing. */
import { parseDuration, quantity, unitSuffixes } from "../../../../shared/text/units.ts";
import { ConditionError, corrected, type Span } from "./error.ts";
import { lex, type Token } from "./lexer.ts";
import type { Binary, Expression, Label, Literal, Matcher } from "./syntax.ts";

/**
 * Parses a condition. Names and units are not checked yet.
 * @throws ConditionError
 */
export function parse(text: string): Expression {
  return new Parser(text).condition();
}

/**
 * Reads a number with its unit, such as `70%`, `5.0s`, `1h30m` or `12`.
 * @throws ConditionError
 */
export function literal(text: string, token: Token): Literal {
  const [, amount, suffix] = /^(\d+(?:\.\d+)?)([A-Za-z]*|%)$/.exec(token.text) ?? [];
  const { start, end } = token;
  if (amount !== undefined && suffix !== undefined) {
    const read = quantity(Number(amount), suffix);
    if (read !== undefined) {
      return {
        kind: "literal",
        text: token.text,
        value: read.value,
        unit: suffix === "" ? "number" : read.unit,
        start,
        end,
      };
    }
    const meant = unitMeant(suffix);
    const advice = meant === undefined ? `the units are ${unitSuffixes.join(" ")}` : `write ${amount}${meant}`;
    const suggestion = meant === undefined ? undefined : corrected(text, token, `${amount}${meant}`);
    throw new ConditionError(`invalid unit "${suffix}": ${advice}`, token, suggestion);
  }
  const milliseconds = parseDuration(token.text);
  if (milliseconds !== undefined) {
    return { kind: "literal", text: token.text, value: milliseconds / 1000, unit: "seconds", start, end };
  }
  throw new ConditionError(`invalid number "${token.text}": write 12, 70%, 2.5s, 1h30m or 64MiB`, token);
}

/** Binding powers of operators. */
const precedence: Readonly<Record<Binary["operator"], number>> = {
  or: 1,
  and: 2,
  ...{ ">": 4, ">=": 4, "<": 4, "<=": 4, "==": 4, "!=": 4 },
  ...{ "+": 5, "-": 5 },
  ...{ "*": 6, "/": 6 },
};
const ofNot = 3;
const ofMinus = 7;

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = lex(text);
  }

  condition(): Expression {
    if (this.#peek().kind === "end") {
      throw this.#error("the condition is empty: write one such as vpc_connector_utilization > 70%", this.#peek());
    }
    const expression = this.#expression(0);
    if (this.#peek().kind !== "end") throw this.#misplaced();
    return expression;
  }

  #expression(floor: number): Expression {
    let left = this.#prefixed();
    for (;;) {
      const operator = binaryOperator(this.#peek());
      if (operator === undefined || precedence[operator] <= floor) return left;
      this.#take();
      const right = this.#expression(precedence[operator]);
      left = { kind: "binary", operator, left, right, start: left.start, end: right.end };
    }
  }

  #prefixed(): Expression {
    const operator = isKeyword(this.#peek(), "not") ? "not" : isSymbol(this.#peek(), "-") ? "-" : undefined;
    if (operator === undefined) return this.#shifted(this.#primary());
    const { start } = this.#take();
    const operand = this.#expression(operator === "not" ? ofNot : ofMinus);
    return { kind: "unary", operator, operand, start, end: operand.end };
  }

  #shifted(operand: Expression): Expression {
    if (!isKeyword(this.#peek(), "offset")) return operand;
    this.#take();
    const token = this.#peek();
    const duration = token.kind === "number" ? literal(this.#text, this.#take()) : undefined;
    if (duration?.unit !== "seconds") {
      const unit = duration?.unit === "number" ? `${duration.text}m` : undefined;
      throw this.#error(`an offset is a duration: write offset ${unit ?? "1h"}`, token, unit);
    }
    return this.#shifted({ kind: "offset", operand, duration, start: operand.start, end: duration.end });
  }

  #primary(): Expression {
    const token = this.#peek();
    if (token.kind === "number") return literal(this.#text, this.#take());
    if (token.kind === "name" && !isOperatorWord(token)) return this.#named(this.#take());
    if (!isSymbol(token, "(")) throw this.#noOperand();
    this.#take();
    const inner = this.#expression(0);
    return { ...inner, start: token.start, end: this.#close(token, ")").end };
  }

  #named({ text: name, start, end }: Token): Expression {
    const nameSpan = { start, end };
    const opening = this.#peek();
    const before = this.#by();
    if (before !== undefined && !isSymbol(this.#peek(), "("))
      throw this.#error(`the argument must be in parentheses: write ${name}(…) by (…)`, this.#peek());
    if (isSymbol(this.#peek(), "(")) {
      const operands = this.#list(this.#peek(), ")", () => this.#expression(0));
      const by = before ?? this.#by();
      return {
        kind: "call",
        name,
        nameSpan,
        operands,
        ...(by === undefined ? {} : { by }),
        start,
        end: this.#previous().end,
      };
    }
    const matchers = isSymbol(opening, "{") ? this.#list(opening, "}", () => this.#matcher()) : [];
    return { kind: "metric", name, nameSpan, matchers, start, end: this.#previous().end };
  }

  /** The labels of `by (…)`, before or behind what is grouped. */
  #by(): readonly Label[] | undefined {
    if (isKeyword(this.#peek(), "without"))
      throw this.#error("list the labels to group by: write by (component)", this.#peek());
    if (!isKeyword(this.#peek(), "by")) return undefined;
    this.#take();
    const opening = this.#peek();
    if (!isSymbol(opening, "(")) throw this.#error("labels must be in parentheses: write by (component)", opening);
    return this.#list(opening, ")", () => {
      const { kind, text, start, end } = this.#take();
      if (kind !== "name") throw this.#error("a label is expected: write by (component)", { start, end });
      return { name: text, start, end };
    });
  }

  #list<T>(opening: Token, closing: ")" | "}", item: () => T): readonly T[] {
    const items: T[] = [];
    this.#take();
    if (!isSymbol(this.#peek(), closing)) {
      items.push(item());
      while (isSymbol(this.#peek(), ",")) {
        this.#take();
        items.push(item());
      }
    }
    this.#close(opening, closing);
    return items;
  }

  #matcher(): Matcher {
    const label = this.#take();
    if (label.kind !== "name") {
      throw this.#error(`${shown(label)} is not a valid label: write {probe="database"}`, label);
    }
    const operator = this.#take();
    if (isSymbol(operator, "==")) {
      throw this.#error("inside { }, compare a label with a single =: write =", operator, "=");
    }
    if (!isSymbol(operator, "=") && !isSymbol(operator, "!=")) {
      throw this.#error(`compare a label with = or !=: write {${label.text}="..."}`, operator);
    }
    const value = this.#take();
    if (value.kind !== "string") {
      const quoted = value.kind === "name" || value.kind === "number" ? `"${value.text}"` : undefined;
      throw this.#error(`the value of a label must be in quotes: write ${quoted ?? '"database"'}`, value, quoted);
    }
    const sign = operator.text === "=" ? "=" : "!=";
    return { label: label.text, operator: sign, value: value.text, start: label.start, end: value.end };
  }

  #close(opening: Token, closing: ")" | "}"): Token {
    if (isSymbol(this.#peek(), closing)) return this.#take();
    if (closing === ")" && this.#peek().kind !== "end") throw this.#misplaced();
    const { end } = this.#previous();
    const suggestion = corrected(this.#text, { start: end, end }, closing);
    throw new ConditionError(`unclosed "${opening.text}": write "${closing}"`, opening, suggestion);
  }

  #noOperand(): ConditionError {
    const token = this.#peek();
    const found = token.kind === "end" ? "the condition ends" : `${shown(token)} stands`;
    return this.#error(`${found} where a metric or a value is expected, such as http_response_time or 25s`, token);
  }

  #misplaced(): ConditionError {
    const token = this.#peek();
    const before = this.#previous();
    if (isSymbol(token, "=")) return this.#error('invalid operator "=": write ==', token, "==");
    if (isSymbol(token, ")") || isSymbol(token, "}")) {
      return this.#error(`unmatched "${token.text}": remove it`, token, "");
    }
    if (before.kind === "number" && token.kind === "name") {
      const unit = unitMeant(token.text);
      if (unit !== undefined) {
        const joined = `${before.text}${unit}`;
        return this.#error(
          `write the unit directly after the number: ${joined}`,
          { start: before.start, end: token.end },
          joined,
        );
      }
    }
    return this.#error(`unexpected ${shown(token)}: an operator such as > or and is missing before it`, token);
  }

  #error(message: string, span: Span, replacement?: string): ConditionError {
    const suggestion = replacement === undefined ? undefined : corrected(this.#text, span, replacement);
    return new ConditionError(message, span, suggestion);
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? this.#previous();
  }

  #previous(): Token {
    return this.#tokens[this.#next - 1] ?? this.#peek();
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== "end") this.#next++;
    return token;
  }
}

function isSymbol(token: Token, text: string): boolean {
  return token.kind === "symbol" && token.text === text;
}

function isKeyword(token: Token, word: string): boolean {
  return token.kind === "name" && token.text.toLowerCase() === word;
}

function isOperatorWord(token: Token): boolean {
  return isKeyword(token, "and") || isKeyword(token, "or") || isKeyword(token, "not");
}

function binaryOperator(token: Token): Binary["operator"] | undefined {
  const text = token.kind === "name" ? token.text.toLowerCase() : token.kind === "symbol" ? token.text : "";
  return Object.hasOwn(precedence, text) ? (text as Binary["operator"]) : undefined;
}

function shown(token: Token): string {
  return token.kind === "end" ? "the end" : token.kind === "string" ? `the text "${token.text}"` : `"${token.text}"`;
}

/** The unit that somebody means who writes `sec`, `Min` or `mb`. */
function unitMeant(suffix: string): string | undefined {
  const lower = suffix.toLowerCase();
  return (
    unitSuffixes.find((unit) => unit.toLowerCase() === lower) ??
    unitSuffixes.find((unit) => longUnits.test(lower) && lower.startsWith(unit))
  );
}

/** Long forms of the units of time. */
const longUnits: RegExp = /^(m(illi)?sec(ond)?s?|s(ec(ond)?s?)|m(in(ute)?s?)|h((ou)?rs?)|d(ays?))$/;
