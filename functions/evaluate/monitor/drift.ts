/** The check whether the deployment still is as it must be: when it is due, and what follows from what it found. Pure. */
import type { Diagnosis } from "../../../shared/doctor/doctor.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { DriftState, SelfCheck, SelfState } from "./state.ts";

/** Examines the deployment until the signal ends it. */
export type DriftCheck = (signal: AbortSignal) => Promise<DriftFindings>;

/** The part of a diagnosis that is used. */
export type DriftFindings = Pick<Diagnosis, "project" | "gaps" | "unknown">;

/** Interval between checks, in milliseconds: while nothing is missing, to confirm a first finding, and until what is missing is there again. */
const usuallyEvery = 86_400_000;
const confirmAfter = 600_000;
const whileDriftedEvery = 3_600_000;

/** Checks in a row that must find gaps: an apply that is under way is no drift. */
const confirmations = 2;

/** Before the first check. */
const unchecked: DriftState = { askedAt: 0, checkedAt: 0, found: 0, unknown: 0 };

/** Returns whether a tick checks for drift. One that came to no end is repeated. */
export function isDriftDue({ drift = unchecked }: SelfState, at: number): boolean {
  const { askedAt, checkedAt, found } = drift;
  const every = found === 0 ? usuallyEvery : found < confirmations ? confirmAfter : whileDriftedEvery;
  return at - checkedAt >= every && at - askedAt >= confirmAfter;
}

/** The state of a monitor whose tick begins a check. */
export function driftAsked({ drift = unchecked }: SelfState, at: number): DriftState {
  return { ...drift, askedAt: at };
}

/** The state after a check. What a later one cannot see any more is not known to be there again. */
export function driftChecked(
  { drift = unchecked }: SelfState,
  { project, gaps, unknown }: DriftFindings,
  at: number,
): DriftState {
  const { askedAt, since = at } = drift;
  const [first] = gaps;
  if (first !== undefined) {
    const others = gaps.length === 1 ? "" : `, and ${gaps.length - 1} more`;
    const seen = bounded(`${first.what} ${first.says}${others}`);
    return { askedAt, checkedAt: at, found: drift.found + 1, unknown: unknown.length, since, seen, project };
  }
  if (drift.found > 0 && unknown.length > drift.unknown) return { ...drift, checkedAt: at };
  return { askedAt, checkedAt: at, found: 0, unknown: unknown.length };
}

/** Returns the result of the last drift checks as a check of the monitor; `undefined` if nothing is certainly missing. */
export function driftSeen({ drift = unchecked }: SelfState): [string, Omit<SelfCheck, "at" | "goodSince">] | undefined {
  const { found, since, seen, project } = drift;
  if (found < confirmations || since === undefined || seen === undefined) return undefined;
  return [`drift/${project}`, { rule: "The deployment has drifted", severity: "warning", seen, since }];
}
