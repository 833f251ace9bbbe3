/**
 * Tracks outages of the store as one instance sees them. Messages that waited for the store are redelivered within the longest backoff, in
 * any order. Until then newer reports and ticks wait, so that each is judged by its own time and none is too late.
 */
import type { Report } from "../../../shared/messages/report.ts";
import { TryAgain } from "../../../shared/runtime/shell.ts";
import { subscriptions } from "../../../shared/topology.ts";
import { horizonOf } from "../partition/fold.ts";
import { reportInstant } from "../partition/publication.ts";
import type { PartitionState } from "../partition/state.ts";
import type { Plan } from "../plan.ts";

/** Length of an outage after which new messages wait for redelivered ones, in milliseconds. */
const minOutage = 30_000;
/** By when what was held up has been delivered, in milliseconds from the end of the outage. */
const caughtUpAfter =
  1_000 * Math.max(...subscriptions.filter(isOfEvaluator).map((one) => one.maximumBackoffSeconds)) + 15_000;

/** Results of the calls of one instance to the store. */
export class StoreOutage {
  #failingSince: number | undefined;
  #until = Number.NEGATIVE_INFINITY;

  /** A call failed because the store is not available. */
  failed(now: number): void {
    this.#failingSince ??= now;
  }

  /** A call succeeded. */
  worked(now: number): void {
    if (this.#isLong(now)) this.#until = now + caughtUpAfter;
    this.#failingSince = undefined;
  }

  /** Returns whether an outage has just ended, or has no known end, so that earlier messages may still arrive. */
  isCatchingUp(now: number): boolean {
    return now < this.#until || this.#isLong(now);
  }

  #isLong(now: number): boolean {
    return this.#failingSince !== undefined && now - this.#failingSince >= minOutage;
  }
}

/**
 * Lets a report wait that would make earlier ones too late.
 * @throws TryAgain
 */
export function awaitEarlier(state: PartitionState, report: Report, plan: Plan): void {
  if (state.watermark === 0) return;
  const watermark = reportInstant(report);
  if (horizonOf({ ...state, watermark }, plan) > state.watermark)
    throw new TryAgain(`${report.report} waits for earlier reports, which the store has kept waiting`);
}

function isOfEvaluator({ target }: (typeof subscriptions)[number]): boolean {
  return target === "evaluate";
}
