/**
 * Files that lines are appended to. A disk that is full, or that refuses, ends nothing: the lines wait until they can be written. A file that has become
 * long is renamed to `FILE.1`, and an older `FILE.1` is dropped, so that a log never takes more than twice that.
 */
import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { RecurringFailure } from "../failures.ts";

/** A log that is written in the background. */
export interface LogFile {
  /** Appends text, soon; whole lines, or the parts of one in order. Never throws. */
  write(text: string): void;
  /** Returns when everything is written, or one last attempt has failed. */
  close(): Promise<void>;
}

/** Characters that wait at most, about; beyond that the oldest lines are dropped. */
const longestWaiting = 256 * 1024;

/** Options of a log. */
export interface LogFileOptions {
  /** Delay after a failure, in milliseconds. @default 1000 */
  readonly retryMs?: number;
  /** The length at which a file is renamed, in bytes. @default 10 MiB */
  readonly longest?: number;
}

/** Opens a log, and makes its file where it is missing. */
export function openLogFile(file: string, failure: RecurringFailure, options: LogFileOptions = {}): LogFile {
  const { retryMs = 1_000, longest = 10 * 2 ** 20 } = options;
  let waiting = "";
  let missing = 0;
  let isMade = false;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    if (retry !== undefined || (waiting === "" && isMade)) return;
    const text = waiting;
    waiting = "";
    try {
      const size = await appendWhole(file, `${missing === 0 ? "" : gap(missing)}${text}`);
      missing = 0;
      isMade = true;
      if (size > longest) await rename(file, `${file}.1`).catch(() => {});
      failure.end();
    } catch (error) {
      keep(text);
      failure.begin(error as Error);
      if (!closed) retry = setTimeout(again, retryMs).unref();
    }
  };
  const schedule = (): void => {
    writing = writing.then(flush);
  };
  const again = (): void => {
    clearTimeout(retry);
    retry = undefined;
    schedule();
  };
  /** Puts text back before what came meanwhile, without the oldest lines where that is too much. */
  const keep = (text: string): void => {
    waiting = text + waiting;
    if (waiting.length <= longestWaiting) return;
    const end = waiting.indexOf("\n", waiting.length - longestWaiting / 2) + 1 || waiting.length;
    missing += waiting.slice(0, end).split("\n").length - 1;
    waiting = waiting.slice(end);
  };
  schedule();
  return {
    write: (text) => {
      if (closed) return;
      waiting += text;
      if (retry === undefined) schedule();
      else keep("");
    },
    close: async () => {
      if (!closed) again();
      closed = true;
      await writing;
    },
  };
}

/**
 * Appends text to a file, which is made with its folder where it is missing: all of it, or nothing.
 * @returns its length then, in bytes; 0 for what is no regular file
 * @throws Error of the file system
 */
export async function appendWhole(file: string, text: string): Promise<number> {
  const handle = await open(file, "a").catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    await mkdir(dirname(file), { recursive: true });
    return open(file, "a");
  });
  try {
    const { size } = await handle.stat();
    try {
      await handle.appendFile(text);
    } catch (error) {
      // Only a regular file can be truncated; other files have stored nothing.
      await handle.truncate(size).catch(() => {});
      throw error;
    }
    const after = await handle.stat();
    return after.isFile() ? after.size : 0;
  } finally {
    await handle.close();
  }
}

function gap(lines: number): string {
  const message = `${lines} lines are missing here: the file could not be written`;
  return `${JSON.stringify({ severity: "WARNING", message })}\n`;
}
