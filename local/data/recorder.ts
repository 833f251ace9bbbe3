/** Appends every report to a file, one JSON object a line: what `pathkeeper replay` reads. */
import { open } from "node:fs/promises";
import type { Report } from "../../shared/messages/report.ts";
import type { Logger } from "../../shared/ports.ts";
import { appendWhole } from "./log-file.ts";

/** An open record. */
export interface Recorder {
  /** Appends a report, soon. When one cannot be written, that is logged once, and the record ends with the report before it: it has no gaps. */
  write(report: Report): void;
  /** Returns when everything has been written. */
  stop(): Promise<void>;
}

/**
 * Opens the file, which may have been written to before.
 * @throws Error one sentence, when it cannot be written to
 */
export async function openRecorder(file: string, logger: Logger): Promise<Recorder> {
  const handle = await open(file, "a").catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`cannot record to ${file}: ${cause.message}`, { cause });
  });
  await handle.close();
  let failed = false;
  let writing: Promise<void> = Promise.resolve();
  const append = async (line: string): Promise<void> => {
    if (failed) return;
    try {
      await appendWhole(file, line);
    } catch (error) {
      failed = true;
      logger.error(`the record ${file} ends here: ${(error as Error).message}`);
    }
  };
  return {
    write: (report) => {
      const line = `${JSON.stringify(report)}\n`;
      // One after the other: a line is whole before the next begins.
      writing = writing.then(() => append(line));
    },
    stop: () => writing,
  };
}
