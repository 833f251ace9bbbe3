/** The bytes of a configuration file: they must be UTF-8, as YAML is written everywhere. Pure. */
import type { Problem } from "./problems.ts";

/** The text of a file, and what is wrong with its bytes. */
export interface Decoded {
  readonly text: string;
  readonly problem?: Problem;
}

/**
 * Reads bytes as UTF-8, with or without a byte order mark.
 * @param file what the problem calls the file
 * @returns with a problem, a text in which what cannot be read is replaced
 */
export function decodeFile(bytes: Uint8Array, file: string): Decoded {
  const utf16 = utf16Of(bytes);
  if (utf16 !== undefined) {
    const text = new TextDecoder(utf16).decode(bytes);
    return { text, problem: problemAt(text, 0, file, "the file is UTF-16: save it as UTF-8") };
  }
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const again = new TextEncoder().encode(text);
  const at = again.findIndex((byte, index) => byte !== bytes[index]);
  if (at < 0 && again.length === bytes.length) return { text };
  const offset = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, at)).length;
  const found = `0x${(bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, "0")}`;
  const message = `the file is not UTF-8: no character begins with the byte ${found}; save it as UTF-8, not as Windows-1252 or Latin-1`;
  return { text, problem: problemAt(text, offset, file, message) };
}

/** UTF-16 is known by its mark, or by its zeros: every other byte of a text in Latin letters is one. */
function utf16Of(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const start = bytes.subarray(0, 256);
  const zeros = [0, 1].map((parity) => start.filter((byte, at) => at % 2 === parity && byte === 0).length);
  const [even = 0, odd = 0] = zeros;
  if (odd > start.length / 4 && even === 0) return "utf-16le";
  return even > start.length / 4 && odd === 0 ? "utf-16be" : undefined;
}

function problemAt(text: string, offset: number, file: string, message: string): Problem {
  const before = text.slice(0, offset).split(/\r?\n/);
  return { file, line: before.length, column: (before.at(-1) ?? "").length + 1, length: 1, path: "", message };
}
