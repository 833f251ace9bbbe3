/** Files that lines are appended to. A disk that is full, or that refuses, ends nothing: the lines wait until they can be written. */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Trouble } from "../troubles.ts";

/** A log that is written in the background. */
export interface LogFile {
  /** Appends text, soon; whole lines, or the parts of one in order. Never throws. */
  write(text: string): void;
  /** Returns when everything is written, or one last attempt has failed. */
  close(): Promise<void>;
}

/** Characters that wait at most, about; beyond that the oldest lines are dropped. */
const longestWaiting = 256 * 1024;

/** Opens a log, and makes its file where it is missing. @param retryMs how long to wait after a failure, in milliseconds */
export function openLogFile(file: string, trouble: Trouble, retryMs: number = 1_000): LogFile {
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
      await appendWhole(file, `${missing === 0 ? "" : gap(missing)}${text}`);
      missing = 0;
      isMade = true;
      trouble.end();
    } catch (error) {
      keep(text);
      trouble.begin(error as Error);
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
 * @throws Error of the file system
 */
export async function appendWhole(file: string, text: string): Promise<void> {
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
      // What is no regular file cannot be cut, and has kept nothing.
      await handle.truncate(size).catch(() => {});
      throw error;
    }
  } finally {
    await handle.close();
  }
}

function gap(lines: number): string {
  const message = `${lines} lines are missing here: the file could not be written`;
  return `${JSON.stringify({ severity: "WARNING", message })}\n`;
}
