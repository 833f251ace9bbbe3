/** When a second cause is news: while an outage unfolds, the first may explain a moment later what seemed to be broken by itself. Pure. */
import { confirmedAfter } from "../cause/timing.ts";

/** A second cause, since when it is named, and whether it has lasted long enough to be published. */
export interface SecondCause {
  readonly component: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly isNoted?: true;
}

/**
 * Returns the current second cause. It is published once it has been named for as long as a symptom must last to count in full.
 * @param named by the diagnosis, at this instant
 * @returns the same object if nothing has changed
 */
export function secondCauseAt(
  known: SecondCause | undefined,
  named: string | undefined,
  time: number,
): SecondCause | undefined {
  if (named === undefined) return undefined;
  if (named !== known?.component) return { component: named, since: time };
  return known.isNoted || time - known.since < confirmedAfter ? known : { ...known, isNoted: true };
}
