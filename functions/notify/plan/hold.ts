/** Decides which notices are deliberately held back, and until when. Pure. */
import type { Configuration } from "../../../shared/config/model.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { AnyChannelKind } from "../channel.ts";
import { type Delivery, isDeliveredOrPending } from "../deliver/ledger.ts";
import { resolutionHeldUntil } from "./relapse.ts";

/** End of the time for which a delivery is held back, in milliseconds since the epoch, and the reason. */
export interface Hold {
  readonly until: number;
  readonly because: string;
}

/**
 * Minimum time between a person's last notice of an incident and one that only changes its root cause, in milliseconds. A growing outage
 * changes its explanation several times; notices that it worsens, escalates or ends are sent immediately and include the cause.
 */
export const minCauseChangeGapMs = 10 * 60_000;

/**
 * Returns how long a delivery is held back; `undefined` if it is sent immediately.
 * @param history ledger entries of this incident for its reader
 */
export function holdFor(
  event: IncidentEvent,
  { closesForGood, everyEvent, lasting }: Pick<AnyChannelKind, "closesForGood" | "everyEvent" | "lasting">,
  history: readonly Delivery[],
  configuration: Pick<Configuration, "recovery">,
  now: number,
): Hold | undefined {
  if (closesForGood) {
    const until = resolutionHeldUntil(event, configuration, now);
    if (until > now) return { until, because: "a closed alert cannot be reopened if the incident recurs" };
  }
  if (event.event !== "root_cause_changed" || everyEvent || lasting) return undefined;
  const sentAt = history.filter(isDeliveredOrPending).map(({ at }) => at.getTime());
  const until = Math.min(Math.max(...sentAt), now) + minCauseChangeGapMs;
  return until > now ? { until, because: "the cause may change again" } : undefined;
}
