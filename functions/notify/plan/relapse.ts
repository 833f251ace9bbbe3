/** Handles relapses for readers who received the all-clear, and holds back resolutions for services that cannot reopen. Pure. */
import type { Configuration } from "../../../shared/config/model.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { reopenWithin } from "../../../shared/reopen-within.ts";
import { type Delivery, mayReachReader } from "../deliver/ledger.ts";

/** Maximum time that a resolution is held back, in milliseconds. */
const maxHoldMs = 600_000;

/**
 * Returns the time until which a resolution is held back for services that cannot reopen, in milliseconds since the epoch; 0 if it is sent
 * immediately.
 */
export function resolutionHeldUntil(
  { event, drill, resolved_at }: IncidentEvent,
  configuration: Pick<Configuration, "recovery">,
  now: number,
): number {
  if (event !== "resolved" || drill || resolved_at === undefined) return 0;
  const hold = Math.min(reopenWithin(configuration), maxHoldMs);
  return Math.min(Date.parse(resolved_at), now) + hold;
}

/** Returns whether a delivery is the all-clear that an event revokes. */
export function isRevokedAllClear(delivery: Delivery, { sequence }: Pick<IncidentEvent, "sequence">): boolean {
  return delivery.event === "resolved" && delivery.sequence < sequence && mayReachReader(delivery);
}

/** Returns the last delivery before an event that the reader has or may have received; `undefined` if there is none. */
export function lastReceived(
  history: readonly Delivery[],
  { sequence }: Pick<IncidentEvent, "sequence">,
): Delivery | undefined {
  return history
    .filter((delivery) => delivery.sequence < sequence && mayReachReader(delivery))
    .reduce<Delivery | undefined>(
      (last, one) => (last === undefined || one.sequence > last.sequence ? one : last),
      undefined,
    );
}

/** Reason for suppressing an all-clear that a relapse has overtaken. */
export const revokedByRelapse = "superseded: it failed again";

/** Returns whether a relapse has overtaken the all-clear with this sequence number. */
export function isRevoked(history: readonly Delivery[], sequence: number): boolean {
  return history.some((later) => later.event === "regressed" && later.sequence > sequence);
}

/** Returns whether the incident ended after a point in its events, and no relapse has revoked that. */
export function hasEnded(history: readonly Delivery[], sequence: number): boolean {
  return history.some(
    (later) => later.event === "resolved" && later.sequence > sequence && !isRevoked(history, later.sequence),
  );
}
