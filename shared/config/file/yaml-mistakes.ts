/** Explains YAML errors to people who do not know its grammar. Pure. */
import { type Document, isPair, isScalar, isSeq, type Node, type Pair, visit } from "yaml";
import { nameOf } from "./characters.ts";

/** A mistake and where it stands, in characters of the text. */
export interface Flaw {
  readonly extent: readonly [start: number, end: number];
  readonly message: string;
}

/** An error of the parser. */
interface Reported {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** The text where the parser stopped. */
interface Place {
  readonly text: string;
  readonly start: number;
  readonly line: string;
  readonly inFlow: boolean;
  readonly message: string;
}

/** Spaces that YAML takes for letters, and characters that nobody sees. */
const invisible = /[\u00a0\u00ad\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/;

/** Signs of other keyboards, and what YAML has in their place. */
const lookalikes: ReadonlyMap<string, readonly [name: string, instead: string]> = new Map([
  ["：", ["a full-width colon", ":"]],
  ["﹕", ["a small colon", ":"]],
  ["，", ["a full-width comma", ","]],
  ["、", ["an ideographic comma", ","]],
  ["［", ["a full-width bracket", "["]],
  ["］", ["a full-width bracket", "]"]],
  ["｛", ["a full-width brace", "{"]],
  ["｝", ["a full-width brace", "}"]],
  ["“", ["a curly quote", '"']],
  ["„", ["a curly quote", '"']],
  ["‘", ["a curly quote", "'"]],
]);

/** Finds such characters in place of YAML's own: in the indent, in a key, after a key, or at the start of a value. Elsewhere they are text. */
const misplaced = [
  /(?<=^[\s-]*[\w.-]*|[:,[{]\s*)[\u00a0\u00ad\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/gm,
  /(?<=^[\s-]*["'\w.-]+\s*|[,{]\s*["'\w.-]+\s*)[：﹕]/gm,
  /(?<=(?:[:,[{-]|^)\s*)[“„‘［｛]/gm,
  /(?<=[[{][^\n]*)[，、］｝]/gm,
] as const;

/** Explains an error of the parser. */
export function explained(text: string, { code, message, pos }: Reported): Flaw {
  const [start, end] = pos;
  const odd = oddCharacterNear(text, start);
  if (odd !== undefined) return odd;
  const line = text.slice(text.lastIndexOf("\n", start - 1) + 1).split(/\r?\n/, 1)[0] ?? "";
  const place = { text, start, line, inFlow: isInFlow(text, start), message };
  const comma = place.inFlow && missesComma.has(code) ? commaBefore(place) : undefined;
  if (comma !== undefined) {
    const what = /, or : between flow map/.test(message) ? "a comma or a colon" : "a comma";
    return { extent: [comma, comma + 1], message: `invalid YAML: ${what} is missing before this` };
  }
  return { extent: [start, end], message: `invalid YAML: ${reasons.get(code)?.(place) ?? message}` };
}

/** Mistakes that the parser takes for texts: keys with characters that nobody sees, and colons that are none. */
export function oddKeys(text: string, document: Document.Parsed): Flaw[] {
  const found: Flaw[] = [];
  visit(document, {
    Scalar(where, { type, source = "", range }, ancestors) {
      if (type !== "PLAIN" || !range) return;
      const [from] = range;
      const parent = ancestors.at(-1);
      const isKey = where === "key";
      const isEntry = isKey || isSeq(parent) || (isPair(parent) && standsBelow(text, parent, from));
      const at = isKey ? source.search(invisible) : -1;
      if (at >= 0) found.push(flawAt(from + at, source.charAt(at), at === 0));
      const [colon = ""] = (isEntry && /^[\w.-]+\s*[：﹕]/.exec(source)) || [];
      if (colon !== "") found.push(flawAt(from + colon.length - 1, colon.slice(-1), false));
    },
  });
  return found;
}

/** Returns whether a value starts on its own line, as a map or a list usually does. */
function standsBelow(text: string, { key }: Pair, from: number): boolean {
  const keyEnd = isScalar(key) ? (key as Node).range?.[1] : undefined;
  return keyEnd !== undefined && text.slice(keyEnd, from).includes("\n");
}

/** The first character of another kind on the line of an error or the one above it, outside of quotes and comments. */
function oddCharacterNear(text: string, start: number): Flaw | undefined {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const from = lineStart === 0 ? 0 : text.lastIndexOf("\n", lineStart - 2) + 1;
  const nextBreak = text.indexOf("\n", start);
  const bare = withoutQuoted(text.slice(from, nextBreak < 0 ? text.length : nextBreak));
  const found = misplaced.flatMap((pattern) => [...bare.matchAll(pattern)].map(({ index }) => index));
  if (found.length === 0) return undefined;
  const at = Math.min(...found);
  return flawAt(from + at, bare.charAt(at), /^\s*$/.test(bare.slice(bare.lastIndexOf("\n", at - 1) + 1, at)));
}

/** A text with its quoted parts and comments made unreadable, at the same length. */
function withoutQuoted(text: string): string {
  return text.replaceAll(/"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?<=^|\s)#[^\n]*/gm, (quoted) => "x".repeat(quoted.length));
}

function flawAt(at: number, character: string, isIndent: boolean): Flaw {
  const [name, instead] = lookalikes.get(character) ?? [];
  const message =
    name !== undefined
      ? `"${character}" is ${name} (${nameOf(character)}), which means nothing in YAML: write a plain ${instead}`
      : isIndent
        ? `this line is indented with ${spoken(character)}: indent it with plain spaces`
        : `there is ${spoken(character)} here: write a plain space, or remove it`;
  return { extent: [at, at + 1], message };
}

function spoken(character: string): string {
  const kind =
    character === "\u00a0" ? "a no-break space" : /\s/.test(character) ? "an unusual space" : "an invisible character";
  return `${kind} (${nameOf(character)})`;
}

/** Returns whether a position is inside the brackets of a list or a map. */
function isInFlow(text: string, end: number): boolean {
  const bare = withoutQuoted(text.slice(0, end));
  let depth = 0;
  for (const [bracket, before = ""] of bare.matchAll(/(?<=([\s,:[{]|^))[[{]|[\]}]/gm)) {
    if (bracket === "[" || bracket === "{") depth++;
    else if (before === "") depth = Math.max(0, depth - 1);
  }
  return depth > 0;
}

const missesComma: ReadonlySet<string> = new Set([
  "BLOCK_IN_FLOW",
  "MISSING_CHAR",
  "UNEXPECTED_TOKEN",
  "MULTILINE_IMPLICIT_KEY",
  "BLOCK_AS_IMPLICIT_KEY",
]);

/** Position of the missing comma; `undefined` if another mistake is more likely. */
function commaBefore({ text, start, message }: Place): number | undefined {
  if (/Missing closing|in YAML stream|end with a/.test(message)) return undefined;
  const [, value = ""] = /^([^,:{}[\]]*?\s)[\w."'-]+\s*:(\s|$)/.exec(text.slice(start)) ?? [];
  if (value !== "") return start + value.length;
  return /between flow|node end|Unexpected/.test(message) ? start : undefined;
}

/** Meaning of the parser's error codes. */
const reasons: ReadonlyMap<string, (place: Place) => string | undefined> = new Map([
  ["MULTIPLE_DOCS", () => "one file holds one document, without --- in the middle"],
  ["RESOURCE_EXHAUSTION", () => "it is nested too deeply"],
  ["TAB_AS_INDENT", () => "indent with spaces, not with tabs"],
  ["MULTILINE_IMPLICIT_KEY", noValue],
  ["BLOCK_AS_IMPLICIT_KEY", nested],
  ["BAD_INDENT", indented],
  ["MISSING_CHAR", missing],
  ["BAD_SCALAR_START", ({ text, start }) => `a value that begins with ${text.charAt(start)} must stand in quotes`],
  [
    "BAD_DQ_ESCAPE",
    ({ text, start }) => `${text.slice(start, start + 2)} means nothing in double quotes: write it in single quotes`,
  ],
  ["UNEXPECTED_TOKEN", unexpected],
]);

function noValue({ line }: Place): string {
  const [, key = "", value = ""] = /^[\s-]*([\w.-]+):(\S.*)$/.exec(line) ?? [];
  if (key !== "") return `a space is missing behind the colon: write ${key}: ${value}`;
  return `"${line.trim()}" has no value: write KEY: VALUE, with a colon and a space`;
}

function nested({ line }: Place): string {
  return /:\s.*:\s/.test(line)
    ? "a value with a colon and a space in it must stand in quotes"
    : "a key with a value cannot have more keys below it: line the next line up with it, or remove the value";
}

function indented({ message }: Place): string | undefined {
  const [, bracket] = /end with a (\S)/.exec(message) ?? [];
  if (bracket !== undefined) return `the closing ${bracket} is missing`;
  return "this line does not line up with the entries above it: indent it as they are";
}

function missing(place: Place): string | undefined {
  const { message } = place;
  const [, quote] = /Missing closing (["'])/.exec(message) ?? [];
  if (quote !== undefined) return `the closing ${quote} is missing`;
  if (/followed by map values/.test(message)) return noValue(place);
  if (/without - indicator/.test(message)) return "this line does not line up with the entries of the list above it";
  return undefined;
}

function unexpected({ message, text, start }: Place): string | undefined {
  if (/in YAML stream/.test(message)) return `there is a ${text.charAt(start)} too many`;
  if (/header/.test(message)) return "nothing may follow | or > on its line: begin the text on the next one";
  if (/at node end/.test(message)) return "there is text behind the value: put the whole value in quotes";
  return undefined;
}
