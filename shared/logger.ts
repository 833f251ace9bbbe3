/** Structured logs, one JSON object a line, in the fields that Cloud Logging understands. */
import type { Logger } from "./ports.ts";

/**
 * A logger that writes lines for Cloud Logging to `write`.
 * @see https://cloud.google.com/logging/docs/structured-logging
 */
export function structuredLogger(write: (line: string) => void = (line) => process.stdout.write(line)): Logger {
  const log =
    (severity: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      write(`${JSON.stringify({ severity, message, ...fields })}\n`);
  return { info: log("INFO"), warning: log("WARNING"), error: log("ERROR") };
}

/** A logger that says nothing, for tests and for runs whose output is their result. */
export const silentLogger: Logger = { info: () => {}, warning: () => {}, error: () => {} };
