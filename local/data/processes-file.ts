/** The file that names the processes of a run, so that people can find them and kill them. */

import { renameSync, writeFileSync } from "node:fs";
import { setEntry } from "../../shared/runtime/entries.ts";
import type { RecurringFailure } from "../failures.ts";

/** A file that is always up to date, as soon as it can be written. */
export interface ProcessesFile {
  /** Notes the id of the process that has this name from now on. */
  set(name: string, pid: number): void;
  /** Ends attempts to write. */
  stop(): void;
}

/** Delay after a failure, in milliseconds. */
const retryMs = 1_000;

/** Opens the file, which is replaced as a whole each time. */
export function openProcessesFile(file: string, failure: RecurringFailure): ProcessesFile {
  const processes: Record<string, number> = {};
  let retry: NodeJS.Timeout | undefined;
  const write = (): void => {
    clearTimeout(retry);
    try {
      writeFileSync(`${file}.new`, `${JSON.stringify(processes, null, 2)}\n`);
      renameSync(`${file}.new`, file);
      failure.end();
    } catch (error) {
      failure.begin(error as Error);
      retry = setTimeout(write, retryMs).unref();
    }
  };
  return {
    set: (name, pid) => {
      setEntry(processes, name, pid);
      write();
    },
    stop: () => clearTimeout(retry),
  };
}
