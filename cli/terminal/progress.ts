/** Progress of long-running work: one line updated in place on a terminal, and no output elsewhere. */
import { stripVTControlCharacters } from "node:util";

/** A line that is written over. */
export interface Progress {
  show(text: string): void;
  /** Takes the line away, so that something else can be written there. */
  clear(): void;
}

/** The part of a terminal's stream that progress needs. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Progress on standard error, which leaves the results in a pipe alone. */
export function openProgress(stream: ProgressStream = process.stderr): Progress {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} };
  let shown = "";
  return {
    show: (text) => {
      // A line that wraps could not be written over. A terminal that does not know its width says 0.
      const next = stripVTControlCharacters(text).slice(0, (stream.columns || 80) - 1);
      if (next !== shown) stream.write(`\r${next}\x1b[K`);
      shown = next;
    },
    clear: () => {
      if (shown !== "") stream.write("\r\x1b[K");
      shown = "";
    },
  };
}
