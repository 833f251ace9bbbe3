/** Sentences of scenarios as words, and the mistakes in them with their place. */
import { insteadOf } from "../../../shared/config/file/problems.ts";
import { nearest } from "../../../shared/text/nearest.ts";
import { parseDuration, quantity, type Unit } from "../../../shared/text/units.ts";

/** A sentence that is not understood; the place is in characters of the text. */
export class Misunderstood extends Error {
  override readonly name = "Misunderstood";
  readonly offset: number;
  readonly length: number;
  readonly suggestion: string | undefined;

  constructor(message: string, { start, end }: Span, suggestion?: string) {
    super(message);
    this.offset = start;
    this.length = Math.max(1, end - start);
    this.suggestion = suggestion;
  }
}

/** A piece of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One word: a plain one, a text in quotes without them, or a mark. */
export interface Token extends Span {
  readonly kind: "plain" | "text" | "mark" | "end";
  readonly text: string;
}

const word: RegExp = /"(?<text>(?:[^"\\]|\\.)*)"|(?<mark>[(){},=])|(?<plain>[^\s"(){},=]+)|(?<other>\S)/gu;

/** A sentence while it is read. */
export class Tokens {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(sentence: string) {
    const tokens = [...sentence.matchAll(word)].map((match): Token => {
      const span = { start: match.index, end: match.index + match[0].length };
      const { text, mark, plain, other } = match.groups ?? {};
      if (other !== undefined) throw new Misunderstood(`unterminated string: write "…"`, span);
      if (text !== undefined) return { kind: "text", text: text.replaceAll(/\\(.)/g, "$1"), ...span };
      return mark === undefined ? { kind: "plain", text: plain ?? "", ...span } : { kind: "mark", text: mark, ...span };
    });
    this.#tokens = [...tokens, { kind: "end", text: "", start: sentence.length, end: sentence.length }];
  }

  /** The word that comes next. */
  get next(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", text: "", start: 0, end: 0 };
  }

  take(): Token {
    const { next } = this;
    if (next.kind !== "end") this.#next += 1;
    return next;
  }

  /** Returns true and consumes the next word if it is one of these. */
  has(...wanted: readonly string[]): boolean {
    const { next } = this;
    if (next.kind === "text" || next.kind === "end" || !wanted.includes(next.text)) return false;
    this.take();
    return true;
  }

  /** The next word must be one of these. @returns which */
  one(...wanted: readonly string[]): string {
    const { next } = this;
    if (this.has(...wanted)) return next.text;
    throw this.unexpected(wanted.map((each) => `"${each}"`).join(" or "), nearest(next.text, wanted));
  }

  /** A text in quotes, if one comes next. */
  quoted(): string | undefined {
    return this.next.kind === "text" ? this.take().text : undefined;
  }

  /** A plain word or a text. */
  name(what: string): Token {
    const { next } = this;
    if (next.kind === "plain" || next.kind === "text") return this.take();
    throw this.unexpected(what);
  }

  /** A word that must be one of these names. */
  known(what: string, names: readonly string[]): string {
    const { text, ...span } = this.name(`the name of a ${what}`);
    if (names.includes(text)) return text;
    const suggestion = nearest(text, names);
    throw new Misunderstood(
      `there is no ${what} "${text}": ${insteadOf(suggestion, names, `${what}s`)}`,
      span,
      suggestion,
    );
  }

  /** A duration, in milliseconds. */
  duration(): number {
    const { text, ...span } = this.name("a duration such as 90s");
    const milliseconds = parseDuration(text);
    if (milliseconds === undefined) throw new Misunderstood(`invalid duration "${text}": write 90s, 5m or 1h30m`, span);
    return milliseconds;
  }

  /** A value of a metric in its base unit. */
  value(metric: string, unit: Unit): number {
    const { text, ...span } = this.name(`a value such as ${samples[unit]}`);
    return quantityOf(text, metric, unit, span);
  }

  whole(what: string): number {
    const { text, ...span } = this.name(what);
    if (/^\d{1,6}$/.test(text)) return Number(text);
    throw new Misunderstood(`invalid whole number "${text}": write ${what}`, span);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.next.kind !== "end") throw this.unexpected("the end of the sentence");
  }

  unexpected(wanted: string, suggestion?: string): Misunderstood {
    const { next } = this;
    const found = next.kind === "end" ? "the sentence ends" : `"${next.text}" stands`;
    return new Misunderstood(`${found} where ${wanted} should`, next, suggestion);
  }
}

/** A value such as `93%` in the base unit of its metric. @throws Misunderstood */
export function quantityOf(text: string, metric: string, unit: Unit, span: Span): number {
  const [, number, suffix = ""] = /^(-?\d+(?:\.\d+)?(?:e-?\d+)?)([A-Za-z%]*)$/.exec(text) ?? [];
  const read = number === undefined ? undefined : quantity(Number(number), suffix);
  if (read === undefined) throw new Misunderstood(`invalid value "${text}": write one such as ${samples[unit]}`, span);
  // Base units need no suffix: 27 seconds, or a ratio from 0 to 1.
  if (suffix === "" || read.unit === unit) return read.value;
  throw new Misunderstood(
    `${metric} is ${called[unit]} and ${text} is ${called[read.unit]}: write one such as ${samples[unit]}`,
    span,
  );
}

const samples: Readonly<Record<Unit, string>> = { seconds: "27s", ratio: "93%", bytes: "64MiB", count: "12" };
const called: Readonly<Record<Unit, string>> = {
  seconds: "a time",
  ratio: "a ratio",
  bytes: "an amount of bytes",
  count: "a plain number",
};
