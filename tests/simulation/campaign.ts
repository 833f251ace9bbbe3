/** Plays seeds in sequence, and counts the faults that occurred. */
import type { FaultKind } from "./faults.ts";
import { violations } from "./invariants.ts";
import type { Outage } from "./outages.ts";
import type { Schedule } from "./outcome.ts";
import type { Failure } from "./shrink.ts";
import { play } from "./world.ts";

/** Counts of a campaign. */
export interface Tally {
  schedules: number;
  steps: number;
  readonly struck: Map<FaultKind, number>;
  /** Transactions that lost against another instance. */
  contended: number;
}

/** Returns an empty tally. */
export function newTally(): Tally {
  return { schedules: 0, steps: 0, struck: new Map(), contended: 0 };
}

/** Plays a schedule. @returns the broken invariants, if any */
export async function playCounted(
  schedule: Schedule,
  outages: readonly Outage[],
  tally: Tally,
): Promise<Failure | undefined> {
  const outage = outageOf(schedule.outage, outages);
  const outcome = await play(schedule, outage.scenario);
  tally.schedules += 1;
  tally.steps += Object.values(outcome.profile.steps).reduce((sum, count) => sum + count, 0);
  tally.contended += outcome.documents.lost;
  for (const [kind, count] of outcome.struck) tally.struck.set(kind, (tally.struck.get(kind) ?? 0) + count);
  const broken = violations(outcome, outage.quiet);
  return broken.length === 0 ? undefined : { schedule, broken };
}

/** Returns an outage by its name. */
export function outageOf(name: string, outages: readonly Outage[]): Outage {
  const outage = outages.find(({ scenario }) => scenario.name === name);
  if (outage === undefined) throw new Error(`there is no outage "${name}"`);
  return outage;
}

/** Returns the sum of two tallies. */
export function added(to: Tally, more: Tally): Tally {
  const struck = new Map(to.struck);
  for (const [kind, count] of more.struck) struck.set(kind, (struck.get(kind) ?? 0) + count);
  return {
    schedules: to.schedules + more.schedules,
    steps: to.steps + more.steps,
    contended: to.contended + more.contended,
    struck,
  };
}
