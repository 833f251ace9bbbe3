/** JSON as the text of one field of a document: as it is where people could still read it, compressed where it is long. */
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";

/** JSON of more characters than this is compressed. */
const longestPlain = 32 * 1024;

/** A JSON text as it is kept. */
export function packed(json: string): string {
  if (json.length <= longestPlain) return json;
  // The fastest level: the next ones take several times as long, and save a tenth.
  return brotliCompressSync(json, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }).toString("base64");
}

/** The JSON text that was packed. */
export function unpacked(text: string): string {
  return text.startsWith("{") ? text : brotliDecompressSync(Buffer.from(text, "base64")).toString();
}
