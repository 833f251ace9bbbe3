/** What a relapse means for those who heard that it was over, and how long an end is held back where nothing can be opened again. Pure. */
import type { Configuration } from "../../../shared/config/model.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { reopenWithin } from "../../../shared/reopen-within.ts";
import { type Delivery, isKnowing } from "../deliver/ledger.ts";

/** The longest that a resolution is held back, in milliseconds. */
const longestHold = 600_000;

/** Until when the end of an incident is held back where nothing is opened again, in milliseconds since the epoch; 0 for what is told at once. */
export function holdOf(
  { event, drill, resolved_at }: IncidentEvent,
  configuration: Pick<Configuration, "recovery">,
  now: number,
): number {
  if (event !== "resolved" || drill || resolved_at === undefined) return 0;
  const hold = Math.min(reopenWithin(configuration), longestHold);
  return Math.min(Date.parse(resolved_at), now) + hold;
}

/** Whether a delivery is the all-clear that an event takes back. */
export function isAllClearBefore(delivery: Delivery, { sequence }: Pick<IncidentEvent, "sequence">): boolean {
  return delivery.event === "resolved" && delivery.sequence < sequence && isKnowing(delivery);
}

/** The last that a reader knows, or may know, of an incident from before an event; `undefined` where that is nothing. */
export function lastKnown(
  history: readonly Delivery[],
  { sequence }: Pick<IncidentEvent, "sequence">,
): Delivery | undefined {
  return history
    .filter((delivery) => delivery.sequence < sequence && isKnowing(delivery))
    .reduce<Delivery | undefined>(
      (last, one) => (last === undefined || one.sequence > last.sequence ? one : last),
      undefined,
    );
}

/** Why an all-clear is not told that a relapse has overtaken. */
export const tooSoon = "superseded: it failed again";

/** Whether a relapse has overtaken the all-clear of that place among the events. */
export function isTakenBack(history: readonly Delivery[], sequence: number): boolean {
  return history.some((later) => later.event === "regressed" && later.sequence > sequence);
}
