/** Undoes the encodings in which a text may stand in another. Texts are strings of bytes, a character for each, so that all encodings meet. */
import { ownEntry } from "../runtime/entries.ts";

/** Decoded bytes, or a part of them. */
export interface Decoded {
  readonly bytes: string;
  /** Position of a byte in the decoded text. */
  from(byte: number): number;
  /** End, in the decoded text, of what ends before a byte. */
  to(byte: number): number;
}

/** The bytes of a text in UTF-8. */
export function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The text of bytes in UTF-8. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Everything that bytes may stand for: all of them without one layer of escapes, and each run that may be base64. */
export function* decodings(bytes: string): Generator<Decoded> {
  const decoded = unescaped(bytes);
  if (decoded) yield decoded;
  for (const { 0: run, index } of bytes.matchAll(/[\w+/-]{8,}={0,2}/g)) {
    // The characters before a run may look like a part of it: it can start at any of four characters.
    for (let start = index; start < index + 4; start++) {
      const inner = Buffer.from(bytes.slice(start, index + run.length), "base64").toString("latin1");
      yield {
        bytes: inner,
        from: (byte) => start + Math.floor((byte * 4) / 3),
        to: (byte) => (byte < inner.length ? start + Math.ceil((byte * 4) / 3) : index + run.length),
      };
    }
  }
}

/** Escapes of URLs, JSON and HTML, in upper and lower case. */
const escapes =
  /%([0-9a-f]{2})|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|\\([^ux])|&#(\d{1,7});|&#x([0-9a-f]{1,6});|&(amp|lt|gt|quot|apos);/gi;

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const short: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Undoes one layer of escapes, of all kinds together; `undefined` where there are none. */
export function unescaped(bytes: string): Decoded | undefined {
  if (!/[%\\&]/.test(bytes)) return undefined;
  const parts: string[] = [];
  const at: number[] = [];
  let last = 0;
  for (const match of bytes.matchAll(escapes)) {
    const meant = meaning(match);
    parts.push(bytes.slice(last, match.index), meant);
    for (; last < match.index; last++) at.push(last);
    for (let count = 0; count < meant.length; count++) at.push(match.index);
    last += match[0].length;
  }
  if (parts.length === 0) return undefined;
  parts.push(bytes.slice(last));
  for (; last <= bytes.length; last++) at.push(last);
  const place = (byte: number): number => at[byte] ?? bytes.length;
  return { bytes: parts.join(""), from: place, to: place };
}

function meaning([, percent, high, low, unit, hex, character, decimal, point, name]: RegExpExecArray): string {
  if (percent !== undefined) return String.fromCharCode(Number.parseInt(percent, 16));
  if (high !== undefined && low !== undefined)
    return bytesOf(String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16)));
  const code = unit ?? hex ?? point;
  if (code !== undefined) return ofPoint(Number.parseInt(code, 16));
  if (decimal !== undefined) return ofPoint(Number(decimal));
  if (character !== undefined) return ownEntry(short, character) ?? character;
  return ownEntry(named, name?.toLowerCase() ?? "") ?? "";
}

function ofPoint(point: number): string {
  return bytesOf(String.fromCodePoint(point <= 0x10ffff ? point : 0xfffd));
}
