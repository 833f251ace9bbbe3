/** Keeps secrets and endless texts out of everything that is stored, sent or logged. */
import { Automaton, type Found, type Needle } from "./automaton.ts";
import { bytesOf, decodings, textOf, unescaped } from "./decode.ts";
import { type SecretPart, secretParts, shortestPart } from "./secret-parts.ts";

/** The longest text of a target that is kept, in characters. */
export const longestText = 300;

/** Replaces secrets in a text by `***`. @param isCut whether the text went on: then what is left of a secret at its end is replaced, too */
export type Redact = (text: string, isCut?: boolean) => string;

/**
 * Makes a text of a target fit to be kept: control characters, those that turn the direction of writing included, become spaces, `secrets` become `***`, and the end is cut.
 * @param limit in characters
 */
export function bounded(text: string, secrets: Iterable<string> | Redactor = [], limit: number = longestText): string {
  const redactor = secrets instanceof Redactor ? secrets : new Redactor(secrets);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;
  return excerpt(text, limit, (head, isCut) => redactor.redact(head, isCut).replaceAll(controls, " ").trim());
}

/** The beginning of a text of a target. @param limit in characters @param redact what is done to it before it is cut */
export function excerpt(text: string, limit: number, redact: Redact): string {
  // Cut generously first, so that an endless text costs nothing. Halves of characters become visible: a receiver that leaves them out may
  // find nothing left.
  const head = text.slice(0, limit * 4);
  const clean = redact(head.toWellFormed(), head.length < text.length);
  if (clean.length <= limit) return clean;
  const cut = clean.slice(0, limit - 1).toWellFormed();
  return `${cut.replace(/\ufffd$/, "")}…`;
}

/** Replaces secrets in a text by `***`, as `Redactor` does. */
export function redact(text: string, secrets: Iterable<string>): string {
  return new Redactor(secrets).redact(text);
}

/**
 * Replaces secrets and their parts by `***`, as they are and in whatever they are written: URL and form encoding, HTML, JSON, base64, and
 * these in one another. The text is searched, and what it decodes to, in linear time.
 */
export class Redactor {
  readonly #secrets: Set<string>;
  #automaton: Automaton | undefined;

  constructor(secrets: Iterable<string> = []) {
    this.#secrets = new Set(secrets);
  }

  /** Whether there is nothing to redact. */
  get isEmpty(): boolean {
    return this.#secrets.size === 0;
  }

  /** Conceals one more. */
  add(secret: string): void {
    if (!this.#secrets.has(secret)) this.#automaton = undefined;
    this.#secrets.add(secret);
  }

  readonly redact: Redact = (text, isCut = false) => {
    if (this.isEmpty) return text;
    this.#automaton ??= automatonFor(this.#secrets);
    const bytes = bytesOf(text);
    const spans: Span[] = [];
    search(bytes, this.#automaton, { depth: deepest, leastAtEnd: isCut ? 1 : unmarked }, (start, end) =>
      spans.push({ start, end }),
    );
    return spans.length === 0 ? text : textOf(starred(bytes, spans));
  };
}

/** Automata by their secrets: probes of a run share theirs, and so do runs. */
const automata = new Map<string, Automaton>();
/** Number of cached tokens: more than a configuration has, but not every token that was ever issued. */
const maxAutomata = 100;

function automatonFor(secrets: ReadonlySet<string>): Automaton {
  const key = JSON.stringify([...secrets]);
  const known = automata.get(key);
  if (known) return known;
  const automaton = new Automaton([...secrets].flatMap(secretParts).flatMap(needlesOf));
  if (automata.size >= maxAutomata) automata.clear();
  automata.set(key, automaton);
  return automaton;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Maximum nesting of encodings: JSON in HTML in a form in base64. */
const deepest = 5;

/** Appearance of a part in the text of a target. */
function needlesOf({ text, open }: SecretPart): Needle[] {
  const needles = writings.map((write) => [folded(write(text)), write(text.slice(0, open)).length] as const);
  return [...new Map(needles)].map(([bytes, start]) => ({ text: bytes, open: start }));
}

/**
 * The bytes of a part: as it is, without its escapes, and without them read in the wrong character set, for a header is sent in Latin-1
 * and may come back in UTF-8, or the other way round.
 */
const writings: readonly ((text: string) => string)[] = [
  bytesOf,
  plain,
  (text) => bytesOf(plain(text)),
  (text) => bytesOf(textOf(plain(text)).replaceAll(/[\u0080-\u00ff]/g, "\ufffd")),
];

/** The bytes of a text without its escapes. */
function plain(text: string): string {
  let bytes = bytesOf(text);
  for (let depth = 0; depth < deepest; depth++) bytes = unescaped(bytes)?.bytes ?? bytes;
  return bytes;
}

/** A form writes a space as a plus. */
function folded(bytes: string): string {
  return bytes.replaceAll("+", " ");
}

function search(
  bytes: string,
  automaton: Automaton,
  { depth, leastAtEnd }: { readonly depth: number; readonly leastAtEnd: number },
  found: Found,
): void {
  const least = (position: number): number => (position < bytes.length ? leastBefore(bytes, position) : leastAtEnd);
  const isCutOff = (length: number, position: number): boolean =>
    (length >= shortestPart || position === bytes.length) && length >= least(position);
  automaton.search(folded(bytes), isCutOff, found);
  if (depth === 0) return;
  for (const { bytes: inner, from, to } of decodings(bytes)) {
    const state = { depth: depth - 1, leastAtEnd: least(to(inner.length)) };
    search(inner, automaton, state, (start, end) => found(from(start), to(end)));
  }
}

/**
 * Minimum length of a truncated secret that is redacted, in characters. A truncated text ends in dots; a quotation mark alone is weaker
 * evidence, because a name can start like a password.
 */
function leastBefore(bytes: string, position: number): number {
  const [, mark] = cut.exec(bytes.slice(position, position + 12)) ?? [];
  if (mark === undefined) return Number.POSITIVE_INFINITY;
  return mark.endsWith('"') ? unmarked : shortestPart;
}

/** The end of a truncated text, perhaps inside an escape. */
const cut = /^(?:%[0-9a-f]?|\\u[0-9a-f]{0,3}|\\|&#?\w{0,7})?(\.\.|\u00e2\u0080\u00a6|\\?"|$)/i;

/** Minimum length of a redacted part of a secret where nothing shows that it was truncated, in characters. */
const unmarked = 12;

function starred(bytes: string, spans: Span[]): string {
  let clean = "";
  let last = 0;
  for (const { start, end } of spans.sort((one, other) => one.start - other.start)) {
    if (end <= last) continue;
    if (start > last || last === 0) clean += `${bytes.slice(last, start)}***`;
    last = end;
  }
  return clean + bytes.slice(last);
}
