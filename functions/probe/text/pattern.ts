/**
 * Patterns of the configuration, matched against text from a target. RE2 searches in time that is linear in the text: a pattern that
 * backtracks endlessly would block all other probes. It is loaded when the first pattern is parsed.
 * @see https://github.com/google/re2/wiki/Syntax
 */
import { RE2JS } from "re2js";

/** A parsed pattern. */
export class Pattern {
  /** The pattern as written: `/pattern/i`. */
  readonly written: string;
  readonly #engine: RE2JS;

  constructor(written: string, engine: RE2JS) {
    this.written = written;
    this.#engine = engine;
  }

  /** Returns whether the pattern matches in the text. */
  isIn(text: string): boolean {
    return this.#engine.test(text);
  }

  /** Returns the match of the pattern in the text: its first group, or the whole match if it has no groups. */
  find(text: string): string | undefined {
    // Most engines only find whether there is a match; finding its position costs more.
    if (!this.isIn(text)) return undefined;
    const match: readonly (string | undefined)[] | null = this.#engine.exec(text);
    return match?.[1] ?? match?.[0];
  }
}

/** Returns whether a text is written like a pattern, between slashes. */
export function isWrittenAsPattern(text: string): boolean {
  return split.test(text);
}

/** Reads `/pattern/` or `/pattern/i`; `undefined` when the text is not written so, or is no regular expression. */
export function parsePattern(text: string): Pattern | undefined {
  const read = readPattern(text);
  return read instanceof Pattern ? read : undefined;
}

/** Returns why a text is not a valid pattern, as the end of a sentence, or `undefined` if it is valid. */
export function patternMistake(text: string): string | undefined {
  const read = readPattern(text);
  return read instanceof Pattern ? undefined : read;
}

/** Escapes a text so that a pattern matches it literally. */
export function quoted(text: string): string {
  return RE2JS.quote(text);
}

const split = /^\/(.+)\/([ims]*)$/s;

/** Parsed patterns, or their mistakes, by their text: those of a configuration are used in every run. */
const known = new Map<string, Pattern | string>();
/** Maximum number of cached patterns: more than a configuration has. */
const maxKnown = 1_000;
/** Maximum length of a cached pattern, in characters: text from a target may have been filled in. */
const longestKnown = 1_000;

function readPattern(text: string): Pattern | string {
  const remembered = known.get(text);
  if (remembered !== undefined) return remembered;
  const read = compiled(text);
  if (known.size >= maxKnown) known.clear();
  if (text.length <= longestKnown) known.set(text, read);
  return read;
}

/** Maximum number of instructions of a pattern: the search time is proportional to them, too. */
const maxInstructions = 2_000;

function compiled(text: string): Pattern | string {
  const [, source, flags = ""] = split.exec(text) ?? [];
  if (source === undefined) return "write it between slashes";
  const reference = /^(?:[^\\]|\\[^k])*(\\k<[^>]*>?)/s.exec(source)?.[1];
  if (reference !== undefined) return backReference(reference);
  try {
    const engine = RE2JS.compile(RE2JS.translateRegExp(source), flagsOf(flags));
    if (engine.programSize() <= maxInstructions) return new Pattern(text, engine);
    return "it is too large: use smaller repetition counts, such as {1,100}";
  } catch (error) {
    const [, problem = "it is not a regular expression", place = ""] =
      /^error parsing regexp: ([^`]*?)(?:: `(.*)`)?$/s.exec((error as Error).message) ?? [];
    return (
      unsupported.find(({ begins }) => begins.test(place))?.instead(place) ?? `${problem}${place && ` in "${place}"`}`
    );
  }
}

function flagsOf(flags: string): number {
  return (
    (flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0) |
    (flags.includes("m") ? RE2JS.MULTILINE : 0) |
    (flags.includes("s") ? RE2JS.DOTALL : 0)
  );
}

/** JavaScript syntax that no linear-time search can support, and what to write instead. */
const unsupported: readonly { readonly begins: RegExp; readonly instead: (place: string) => string }[] = [
  {
    begins: /^\(\?=/,
    instead: () => "lookahead (?=…) is not supported: include the text that must follow in the pattern",
  },
  {
    begins: /^\(\?!/,
    instead: () =>
      "negative lookahead (?!…) is not supported: match what is allowed there, such as [^x]*, or match a text that indicates success",
  },
  {
    begins: /^\(\?<=/,
    instead: () =>
      "lookbehind (?<=…) is not supported: include the preceding text in the pattern, and put the part to keep in parentheses",
  },
  {
    begins: /^\(\?<!/,
    instead: () => "negative lookbehind (?<!…) is not supported: match what may precede it, such as (?:^|[^x])",
  },
  {
    begins: /^\(\?>|^[*+?}]\+/,
    instead: (place) => `${place} is not supported: remove it, because patterns never backtrack`,
  },
  { begins: /^\\[1-9]/, instead: backReference },
  { begins: /^\\b/, instead: () => "a backspace in brackets, [\\b], is not supported: write \\x08" },
  {
    begins: /^\{\d/,
    instead: (place) =>
      `the count ${place} is invalid: write the smaller number first, and at most 1000, including the product of nested counts`,
  },
];

function backReference(place: string): string {
  return `the backreference ${place} is not supported: repeat the pattern of the group`;
}
