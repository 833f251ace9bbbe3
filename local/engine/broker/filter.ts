/** Pub/Sub's filter language: which messages a subscription wants, by their attributes. */
import { ownEntry } from "../../../shared/runtime/entries.ts";

/** Returns true if a message with these attributes matches the subscription's filter. */
export type AttributeFilter = (attributes: Readonly<Record<string, string>>) => boolean;

/** A filter that Pub/Sub would refuse. The message shows where. */
export class FilterError extends Error {
  override readonly name = "FilterError";
}

/**
 * Reads a filter: `attributes:key`, `attributes.key = "value"`, `attributes.key != "value"`, `hasPrefix(attributes.key, "prefix")`, joined by
 * `AND` or `OR` (never both without parentheses) and negated by `NOT` or `-`. A key may be quoted. A message without the key has no value
 * that equals anything.
 * @throws FilterError with the column, from 1, and what was expected there
 * @see https://cloud.google.com/pubsub/docs/subscription-message-filter
 */
export function parseFilter(text: string): AttributeFilter {
  if (Buffer.byteLength(text) > maxFilterBytes) {
    throw new FilterError(`filter of ${Buffer.byteLength(text)} bytes: at most ${maxFilterBytes} are allowed`);
  }
  const reader = new Reader(text);
  const filter = expression(reader);
  if (!reader.atEnd()) reader.expected('"AND", "OR" or the end');
  return filter;
}

const maxFilterBytes = 256;

/** Unparsed rest of a filter. */
class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  atEnd(): boolean {
    return this.#position === this.#text.length;
  }

  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.#position;
    return pattern.test(this.#text);
  }

  /** Takes what `pattern`, which is sticky, matches here; `undefined` where it does not match. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#position += found.length;
    this.#skipSpace();
    return found;
  }

  must(pattern: RegExp, what: string): string {
    return this.take(pattern) ?? this.expected(what);
  }

  expected(what: string): never {
    const found = this.atEnd() ? "the end" : JSON.stringify(this.#text.slice(this.#position).split(/\s/)[0]);
    throw new FilterError(`filter ${this.#text}: expected ${what} at column ${this.#position + 1}, found ${found}`);
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#position] ?? "")) this.#position += 1;
  }
}

const and = /AND\b/y;
const or = /OR\b/y;
const not = /NOT\b|-/y;
const open = /\(/y;
const close = /\)/y;
const prefix = /hasPrefix\b/y;
const attributesWord = /attributes\b/y;
const bareKey = /[A-Za-z0-9_-]+/y;
const quoted = /"(?:[^"\\]|\\.)*"/y;

function expression(reader: Reader): AttributeFilter {
  const first = term(reader);
  const joint = [and, or].find((word) => reader.sees(word));
  if (joint === undefined) return first;
  const terms = [first];
  while (reader.take(joint) !== undefined) terms.push(term(reader));
  if (reader.sees(joint === and ? or : and)) reader.expected("parentheses around the ANDs or the ORs");
  return joint === and
    ? (attributes) => terms.every((matches) => matches(attributes))
    : (attributes) => terms.some((matches) => matches(attributes));
}

function term(reader: Reader): AttributeFilter {
  if (reader.take(not) !== undefined) {
    const negated = term(reader);
    return (attributes) => !negated(attributes);
  }
  if (reader.take(open) !== undefined) {
    const inner = expression(reader);
    reader.must(close, '")"');
    return inner;
  }
  if (reader.take(prefix) !== undefined) return hasPrefix(reader);
  return comparison(reader);
}

function hasPrefix(reader: Reader): AttributeFilter {
  reader.must(open, '"("');
  reader.must(attributesWord, '"attributes"');
  reader.must(/\./y, '"."');
  const key = attributeKey(reader);
  reader.must(/,/y, '","');
  const start = text(reader, "a prefix in double quotes");
  reader.must(close, '")"');
  return (attributes) => own(attributes, key)?.startsWith(start) ?? false;
}

function comparison(reader: Reader): AttributeFilter {
  reader.must(attributesWord, '"attributes", "hasPrefix", "NOT" or "("');
  if (reader.take(/:/y) !== undefined) {
    const key = attributeKey(reader);
    return (attributes) => own(attributes, key) !== undefined;
  }
  reader.must(/\./y, '":" or "."');
  const key = attributeKey(reader);
  const operator = reader.must(/!=|=/y, '"=" or "!="');
  const value = text(reader, "a value in double quotes");
  return operator === "="
    ? (attributes) => own(attributes, key) === value
    : (attributes) => own(attributes, key) !== value;
}

function attributeKey(reader: Reader): string {
  return reader.take(bareKey) ?? text(reader, "the key of an attribute");
}

function text(reader: Reader, what: string): string {
  const literal = reader.must(quoted, what);
  try {
    return JSON.parse(literal);
  } catch {
    throw new FilterError(`filter with the text ${literal}: its escapes are not those of JSON`);
  }
}

function own(attributes: Readonly<Record<string, string>>, key: string): string | undefined {
  return ownEntry(attributes, key);
}
