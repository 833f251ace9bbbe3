/** Decides the order of deliveries: events of one incident reach a reader in order, and late notices describe the present state. Pure. */
import type { IncidentEventKind, IncidentStatus } from "../../../shared/messages/incident-event.ts";
import type { AnyChannelKind } from "../channel.ts";
import { includedInLater, isSuperseded, neverAnnounced, superseded } from "../plan/plan.ts";
import { hasEnded, isRevoked, revokedByRelapse } from "../plan/relapse.ts";
import {
  type Delivery,
  isDeliveredOrPending,
  isFinal,
  isSameReader,
  type LedgerEntry,
  mayHaveArrived,
} from "./ledger.ts";

/** Time without progress after which a delivery counts as abandoned, in milliseconds: no redelivery comes that late. */
export const abandonedAfterMs: number = 30 * 60_000;

/**
 * Maximum time after the end of an incident that other notices wait for its end event, in milliseconds. The event is published together with
 * the end.
 */
const resolutionWaitMs = 10 * 60_000;

/** Decision about attempting a delivery now. */
export type Decision =
  | { readonly action: "none" }
  | { readonly action: "wait" }
  | { readonly action: "suppress"; readonly reason: string }
  /**
   * `supersedes`: ids of other notices that this one replaces, and that must no longer be sent. `replacesOpening`: the end or the relapse of an
   * incident whose opening the reader has not received, and never will.
   */
  | { readonly action: "send"; readonly supersedes: readonly string[]; readonly replacesOpening?: true };

/**
 * Handling of late notices. A program gets every event, in order. A pager is not triggered for what is over. A person gets one notice with
 * the present state.
 */
export type ReceiverType = "program" | "pager" | "person";

/** Returns the type of receiver behind a kind of channel. */
export function receiverTypeOf({ everyEvent, lasting }: Pick<AnyChannelKind, "everyEvent" | "lasting">): ReceiverType {
  if (everyEvent) return "program";
  return lasting ? "pager" : "person";
}

/** Present state of the incident; `undefined` if unknown. */
export interface PresentState {
  readonly status: IncidentStatus;
  /** Who acknowledged it, and how. */
  readonly acknowledgedBy?: string | undefined;
  readonly resolvedAt?: number | undefined;
}

/** Reason for suppressing an opening after the incident is over: the end notice gives its start and end. */
export const includedInResolution = "superseded: included in the resolution";

/** Reason for suppressing a change that a late opening already includes. */
export const includedInOpening = "included in the opening";

/** Reason for suppressing an escalation when the incident is recovering. */
const supersededByRecovery = "superseded: it is recovering";

/** Reason for not paging after the incident is over. */
export const resolvedBeforeAnnounced = "superseded: resolved before it could be announced here";

/** Inputs of the decision besides the ledger. */
export interface DecisionContext {
  readonly receiver: ReceiverType;
  /** Whether the channel looks up a notice that may have arrived before it sends it again. @default false */
  readonly looksUp?: boolean;
  /** @default unknown */
  readonly present?: PresentState | undefined;
}

/** Decides whether a delivery is attempted now, waits, or is suppressed. */
export function decide(
  entry: LedgerEntry,
  ledger: readonly LedgerEntry[],
  now: number,
  lastChance: boolean,
  { receiver, looksUp = false, present }: DecisionContext = { receiver: "program" },
): Decision {
  const { delivery } = entry;
  if (isFinal(delivery)) return { action: "none" };
  if (isLeased(delivery, now)) return { action: "wait" };
  const siblings = ledger
    .filter((other) => isSameReader(other.delivery, delivery))
    .sort((a, b) => a.delivery.sequence - b.delivery.sequence);
  const history = siblings.map((sibling) => sibling.delivery);
  const isFound = (one: Delivery): boolean => looksUp && mayHaveArrived(one);
  const outdated =
    isFound(delivery) && delivery.event === "opened" ? undefined : outdatedBy(delivery, history, receiver, present);
  if (outdated !== undefined) return { action: "suppress", reason: outdated };
  if (isEndUnplanned(delivery, history, ledger)) return { action: "suppress", reason: resolvedBeforeAnnounced };
  if (!lastChance && !isDue(delivery, now)) return { action: "wait" };
  const earlier = siblings.filter((other) => other.delivery.sequence < delivery.sequence);
  const unfinished = blocking(earlier, now);
  const overtaken = unfinished.filter((other) =>
    isOvertaken(other.delivery, delivery, isFound(other.delivery) ? "program" : receiver, now),
  );
  if (unfinished.length > overtaken.length) return { action: "wait" };
  if (receiver !== "program" && !lastChance && isResolutionAwaited(delivery, present, now)) return { action: "wait" };
  const closes = delivery.event === "resolved" || earlier.some((other) => other.delivery.event === "resolved");
  const supersedes = overtaken.map(({ id }) => id);
  if (closes && !earlier.some((other) => mayHaveArrived(other.delivery))) {
    const isOwed = earlier.some((other) => isOpeningOutstanding(other.delivery));
    // The opening was left to the resolution, which this relapse revokes.
    if (delivery.event === "regressed" && isOwed) return { action: "send", supersedes, replacesOpening: true };
    if (delivery.event === "resolved" && isOwed && receiver === "person")
      return { action: "send", supersedes, replacesOpening: true };
    if (isOwed && receiver === "pager") return { action: "suppress", reason: resolvedBeforeAnnounced };
    // Superseded notices that are still being sent are suppressed by decisions of their own, and may arrive until then.
    return supersedes.length > 0 ? { action: "wait" } : { action: "suppress", reason: neverAnnounced };
  }
  // A late opening describes the present state, and so includes later changes.
  const later = isOutdatedOpening(delivery, receiver, present)
    ? siblings.filter(({ delivery: one }) => one.sequence > delivery.sequence && isPending(one, now))
    : [];
  return { action: "send", supersedes: [...supersedes, ...later.map(({ id }) => id)] };
}

/** Returns whether an opening is still to be sent, or was left to the resolution. */
function isOpeningOutstanding({ event, status, reason }: Delivery): boolean {
  if (event !== "opened") return false;
  return status === "suppressed"
    ? [includedInResolution, resolvedBeforeAnnounced].includes(reason)
    : !isFinal({ status });
}

/** Returns the reason a delivery is outdated; `undefined` if it is not. */
function outdatedBy(
  delivery: Delivery,
  history: readonly Delivery[],
  receiver: ReceiverType,
  present: PresentState | undefined,
): string | undefined {
  const { event, sequence } = delivery;
  if (event !== "opened" && isSuperseded(history, sequence)) return superseded;
  if (event === "resolved" && isRevoked(history, sequence) && !mayHaveArrived(delivery)) return revokedByRelapse;
  if (isOutOfOrder(delivery, history)) return includedInLater;
  if (event === "opened" && !mayHaveArrived(delivery) && isResolutionSuppressed(history, sequence))
    return resolvedBeforeAnnounced;
  if (receiver === "program") return undefined;
  if (event === "opened" && hasEnded(history, sequence))
    return receiver === "pager" ? resolvedBeforeAnnounced : includedInResolution;
  const isAnswered = present?.status === "acknowledged" || present?.status === "recovering";
  if (event === "escalated" && isAnswered && !mayHaveArrived(delivery))
    return present?.status === "recovering"
      ? supersededByRecovery
      : `superseded: acknowledged by ${present?.acknowledgedBy ?? "somebody"}`;
  const isReplaced =
    receiver === "person" &&
    replaceable.includes(event) &&
    !mayHaveArrived(delivery) &&
    present !== undefined &&
    history.some((later) => later.sequence > sequence && replaceable.includes(later.event) && !isFinal(later));
  return isReplaced ? includedInLater : undefined;
}

/** Changes that are included in later ones, because each describes the present state. */
const replaceable: readonly IncidentEventKind[] = [
  "joined",
  "severity_raised",
  "root_cause_changed",
  "reminder",
  "status_update",
];

/**
 * Returns whether a later change has been sent before this one, or is about to be: an instance that planned the later one without seeing
 * this one does not wait for it.
 */
function isOutOfOrder(delivery: Delivery, history: readonly Delivery[]): boolean {
  const { event, sequence } = delivery;
  return (
    replaceable.includes(event) &&
    !mayHaveArrived(delivery) &&
    history.some(
      (later) =>
        later.sequence > sequence &&
        replaceable.includes(later.event) &&
        (mayHaveArrived(later) || (isDeliveredOrPending(later) && later.follows?.includes(sequence) === false)),
    )
  );
}

/** Time before the plan of an end in which a first notice may be planned unseen by it, in milliseconds: longer than an instance takes to plan. */
const planningMs = 60_000;

/**
 * Returns whether the end is planned for others, and not for this reader, of whom the instance that planned the end did not know: the first notice
 * to the reader was planned at the same time.
 */
function isEndUnplanned(delivery: Delivery, history: readonly Delivery[], ledger: readonly LedgerEntry[]): boolean {
  const { event, sequence, planned_at } = delivery;
  const all = ledger.map((entry) => entry.delivery);
  if (event === "resolved" || history.some(mayHaveArrived) || !hasEnded(all, sequence)) return false;
  const isEnd = (one: Delivery): boolean => one.event === "resolved" && one.sequence > sequence;
  if (history.some(isEnd)) return false;
  return all.some((one) => isEnd(one) && planned_at.getTime() > one.planned_at.getTime() - planningMs);
}

/** Returns whether the reader is not notified of the end, because the instance that planned it saw no announcement. */
function isResolutionSuppressed(history: readonly Delivery[], sequence: number): boolean {
  const isRefused = (one: Delivery): boolean => one.status === "suppressed" && one.reason === neverAnnounced;
  return hasEnded(
    history.filter((one) => one.event !== "resolved" || isRefused(one)),
    sequence,
  );
}

/** Returns whether the incident is over and its end event is about to come: any other notice would soon be wrong. */
function isResolutionAwaited(delivery: Delivery, present: PresentState | undefined, now: number): boolean {
  return (
    present?.status === "resolved" &&
    delivery.event !== "resolved" &&
    now - (present.resolvedAt ?? 0) < resolutionWaitMs
  );
}

function isOutdatedOpening(delivery: Delivery, receiver: ReceiverType, present: PresentState | undefined): boolean {
  return receiver === "person" && delivery.event === "opened" && present !== undefined && !mayHaveArrived(delivery);
}

function isPending(delivery: Delivery, now: number): boolean {
  return (
    replaceable.includes(delivery.event) && !isFinal(delivery) && !isLeased(delivery, now) && !mayHaveArrived(delivery)
  );
}

/**
 * Returns whether a later notice supersedes an unfinished one: an all-clear supersedes what it closes, a relapse supersedes an all-clear that
 * has not arrived, and any notice to a person supersedes a change that is held back.
 */
function isOvertaken(earlier: Delivery, { event }: Delivery, receiver: ReceiverType, now: number): boolean {
  if (event === "resolved") return earlier.event !== "opened" || receiver !== "program";
  if (receiver === "person" && isChangeOnHold(earlier, now)) return true;
  return event === "regressed" && earlier.event === "resolved" && !mayHaveArrived(earlier);
}

function isChangeOnHold(delivery: Delivery, now: number): boolean {
  const { event, held_until: until } = delivery;
  return replaceable.includes(event) && until !== undefined && until.getTime() > now && !mayHaveArrived(delivery);
}

/** Returns whether an instance is sending it. */
export function isLeased({ status, lease_until }: Delivery, now: number): boolean {
  return status === "sending" && lease_until !== undefined && lease_until.getTime() > now;
}

/** Returns whether its next attempt is due. */
export function isDue({ next_attempt_at }: Delivery, now: number): boolean {
  return next_attempt_at === undefined || next_attempt_at.getTime() <= now;
}

/** Returns the earlier deliveries, in order, that are unfinished and not abandoned: they, or the ones they wait for, still make progress. */
function blocking(earlier: readonly LedgerEntry[], now: number): LedgerEntry[] {
  let movedAt = 0;
  return earlier.filter(({ delivery }) => {
    movedAt = Math.max(movedAt, lastProgress(delivery));
    return !isFinal(delivery) && now - movedAt <= abandonedAfterMs;
  });
}

function lastProgress({ planned_at, lease_until, next_attempt_at, attempts }: Delivery): number {
  const moves = [planned_at, lease_until, next_attempt_at, attempts.at(-1)?.at];
  return Math.max(...moves.map((instant) => instant?.getTime() ?? 0));
}
