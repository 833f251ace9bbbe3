/** Structured logs, one JSON object a line, in the fields that Cloud Logging and Error Reporting understand. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "../ports.ts";

/** Whose lines they are. */
export interface LogSource {
  /** Name of the service, under which its errors are grouped. */
  readonly service?: string | undefined;
  /** Its revision, so that it is seen with which one an error came. */
  readonly version?: string | undefined;
  /** The Google Cloud project of the traces. Without it lines name no trace. */
  readonly project?: string | undefined;
}

/** The trace of the request that is being answered, in the words of its header. */
const requests = new AsyncLocalStorage<string | undefined>();

/** Does something for a request: lines that are written meanwhile stand with it. @param trace `TRACE/SPAN;o=1`, the header of Google's front end */
export function forRequest<T>(trace: string | undefined, work: () => T): T {
  return requests.run(trace, work);
}

/**
 * A logger that writes lines for Cloud Logging to `write`. An error is one of Error Reporting as well: by its field `stack_trace`, else by the
 * service that it happened in.
 * @see https://cloud.google.com/logging/docs/structured-logging
 * @see https://cloud.google.com/error-reporting/docs/formatting-error-messages
 */
export function structuredLogger(
  write: (line: string) => void = (line) => process.stdout.write(line),
  source: LogSource = {},
): Logger {
  const log =
    (severity: string, more: (fields: Fields) => Fields = () => ({})) =>
    (message: string, fields: Fields = {}): void =>
      write(
        `${JSON.stringify({ severity, message, ...traceOf(requests.getStore(), source), ...more(fields), ...fields })}\n`,
      );
  return { info: log("INFO"), warning: log("WARNING"), error: log("ERROR", (fields) => reported(fields, source)) };
}

type Fields = Readonly<Record<string, unknown>>;

function reported({ stack_trace }: Fields, { service = "pathkeeper", version }: LogSource): Fields {
  return {
    "@type": "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent",
    serviceContext: { service, version },
    // Without a stack it must be said where it happened.
    ...(stack_trace === undefined ? { context: { reportLocation: { functionName: service } } } : {}),
  };
}

function traceOf(header: string | undefined, { project }: LogSource): Fields {
  const [, trace, span, sampled] = /^([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;o=(\d))?$/i.exec(header ?? "") ?? [];
  if (trace === undefined || project === undefined) return {};
  return {
    "logging.googleapis.com/trace": `projects/${project}/traces/${trace}`,
    // The header counts in tens, the log in sixteens.
    ...(span === undefined
      ? {}
      : { "logging.googleapis.com/spanId": BigInt(span).toString(16).padStart(16, "0").slice(-16) }),
    "logging.googleapis.com/trace_sampled": sampled === "1",
  };
}

/** Writes why the process ends before it does, in one line that Error Reporting finds. Nothing else about the end changes. */
export function reportCrashes(logger: Logger): void {
  process.on("uncaughtExceptionMonitor", (error: unknown, origin) => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    logger.error(`the process ends because of an uncaught error (${origin}): ${message}`, { stack_trace: stack });
  });
}

/** A logger that says nothing, for tests and for runs whose output is their result. */
export const silentLogger: Logger = { info: () => {}, warning: () => {}, error: () => {} };
