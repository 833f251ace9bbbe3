/** A structured log in a file, for what would disturb the live view. */

import type { Logger } from "../shared/ports.ts";
import { structuredLogger } from "../shared/runtime/logger.ts";
import { openLogFile } from "./data/log-file.ts";
import { type RecurringFailure, silentFailure } from "./failures.ts";

/** A logger with a file of its own. */
export interface FileLogger extends Logger {
  /** Returns when every line is written, or one last attempt has failed. */
  close(): Promise<void>;
}

/** Opens a logger that appends to `file`; its folder is made where it is missing. */
export async function fileLogger(file: string, failure: RecurringFailure = silentFailure): Promise<FileLogger> {
  const log = openLogFile(file, failure);
  return { ...structuredLogger((line) => log.write(line)), close: () => log.close() };
}
