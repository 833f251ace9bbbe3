/** JSON as the text of one field of a document: as it is where people could still read it, compressed where it is long. */
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";

/** JSON of more characters than this is compressed, where nothing else is asked for. */
const longestPlain = 32 * 1024;

/** A JSON text as it is kept. @param plain the most characters that are not compressed */
export function packed(json: string, plain: number = longestPlain): string {
  if (json.length <= plain) return json;
  // The fastest level: the next ones take several times as long, and save a tenth.
  return brotliCompressSync(json, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }).toString("base64");
}

/** Whether a text was compressed. */
export function isPacked(text: string): boolean {
  return text !== "" && !text.startsWith("{");
}

/** The JSON text that was packed. */
export function unpacked(text: string): string {
  return !isPacked(text) ? text : brotliDecompressSync(Buffer.from(text, "base64")).toString();
}
