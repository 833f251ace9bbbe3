/** Common parts of the probers that read logs. */
import type { SeenFailure } from "../../net/faults.ts";
import type { Assessment } from "../../prober.ts";
import type { ReportText } from "../../text/target-text.ts";

/** The facts of a prober that reads log entries for a diagnosis. */
export const logProberFacts = {
  reach: "control_plane",
  secondhand: true,
  delayed: true,
  environmentWide: true,
  arrivesLate: true,
  targetless: true,
  usualSeconds: 0.8,
  logPagesRead: 1,
} as const;

/** The part of an observation that says why logs could not be read. */
export interface LogAccess {
  /** The reading failed. */
  readonly failure?: SeenFailure;
  /** The API refused. The probe reports that as unchecked, and does not fail. */
  readonly refused?: ReportText;
}

/** Returns the assessment of logs that could not be read; `undefined` if they were. @param check the part of the result that is missing */
export function assessUnread({ failure, refused }: LogAccess, check: string, resource: string): Assessment | undefined {
  if (failure !== undefined) return { failure, measurements: [] };
  if (refused === undefined) return undefined;
  return { measurements: [], unchecked: [{ checks: [check], resource, explanation: refused }] };
}
