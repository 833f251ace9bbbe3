/**
 * Whether it is a delivery's turn: events of one incident reach a reader in their order, and what is told late is told as things stand by then. Pure.
 */
import type { IncidentEventKind, IncidentStatus } from "../../../shared/messages/incident-event.ts";
import type { AnyChannelKind } from "../channel.ts";
import { isSuperseded, neverAnnounced, standsInLater, superseded } from "../plan/plan.ts";
import { isTakenBack, tooSoon } from "../plan/relapse.ts";
import { type Delivery, isFinal, isSameReader, type LedgerEntry, mayHaveArrived } from "./ledger.ts";

/** How long after it should have moved a delivery counts as abandoned, in milliseconds: no redelivery comes that late. */
export const abandonedAfterMs: number = 30 * 60_000;

/** How long a notice waits for the end of an incident that is over, in milliseconds after that: the end is published with it. */
const endComesWithinMs = 10 * 60_000;

/** Whether a delivery may be attempted now. */
export type Turn =
  | { readonly turn: "over" }
  | { readonly turn: "wait" }
  | { readonly turn: "suppress"; readonly reason: string }
  /**
   * `supersedes`: ids of other news that this one makes pointless, and that must not be sent any more. `unheard`: the end of something whose
   * beginning the reader has not heard, and never will.
   */
  | { readonly turn: "go"; readonly supersedes: readonly string[]; readonly unheard?: true };

/**
 * What late news become. A program gets every event, in order. A pager is not called for what is over, and a person is told once, as things stand.
 */
export type Listener = "program" | "pager" | "person";

/** What listens to a kind of channel. */
export function listenerOf({ everyEvent, lasting }: Pick<AnyChannelKind, "everyEvent" | "lasting">): Listener {
  if (everyEvent) return "program";
  return lasting ? "pager" : "person";
}

/** The incident at this moment; `undefined` where that is not known. */
export interface PresentState {
  readonly status: IncidentStatus;
  /** Who has acknowledged it, and how. */
  readonly acknowledgedBy?: string | undefined;
  readonly resolvedAt?: number | undefined;
}

/** Why an opening is not told any more, whose incident is over: the end says from when until when it was. */
export const toldWithEnd = "superseded: told with its end";

/** Why a change is not told besides an opening that comes late. */
export const standsInOpening = "told with the opening, in which it stands";

/** Why an escalation is not told any more that nobody need be called for. */
const nearlyOver = "superseded: it is recovering";

/** Why nobody is called for what is over. */
export const overBefore = "superseded: it was over before it could be told here";

/** What a turn depends on besides the ledger. */
export interface Circumstances {
  readonly listener: Listener;
  /** Whether the channel looks up what may have arrived before it is sent again. @default false */
  readonly looksUp?: boolean;
  /** @default it is not known */
  readonly present?: PresentState | undefined;
}

/** Decides whether it is a delivery's turn. */
export function turnOf(
  entry: LedgerEntry,
  ledger: readonly LedgerEntry[],
  now: number,
  lastChance: boolean,
  { listener, looksUp = false, present }: Circumstances = { listener: "program" },
): Turn {
  const { delivery } = entry;
  if (isFinal(delivery)) return { turn: "over" };
  if (isHeld(delivery, now)) return { turn: "wait" };
  const siblings = ledger
    .filter((other) => isSameReader(other.delivery, delivery))
    .sort((a, b) => a.delivery.sequence - b.delivery.sequence);
  const history = siblings.map((sibling) => sibling.delivery);
  const isFound = (one: Delivery): boolean => looksUp && mayHaveArrived(one);
  const outdated =
    isFound(delivery) && delivery.event === "opened" ? undefined : outdatedBy(delivery, history, listener, present);
  if (outdated !== undefined) return { turn: "suppress", reason: outdated };
  if (!lastChance && !isDue(delivery, now)) return { turn: "wait" };
  const earlier = siblings.filter((other) => other.delivery.sequence < delivery.sequence);
  const unfinished = waitedFor(earlier, now);
  const overtaken = unfinished.filter((other) =>
    isOvertaken(other.delivery, delivery, isFound(other.delivery) ? "program" : listener, now),
  );
  if (unfinished.length > overtaken.length) return { turn: "wait" };
  if (listener !== "program" && !lastChance && isEndAwaited(delivery, present, now)) return { turn: "wait" };
  const closes = delivery.event === "resolved" || earlier.some((other) => other.delivery.event === "resolved");
  const supersedes = overtaken.map(({ id }) => id);
  if (closes && !earlier.some((other) => mayHaveArrived(other.delivery))) {
    const isOwed = earlier.some(
      ({ delivery: { event, status, reason } }) =>
        event === "opened" &&
        (status !== "suppressed" ? !isFinal({ status }) : [toldWithEnd, overBefore].includes(reason)),
    );
    if (delivery.event === "resolved" && isOwed && listener === "person")
      return { turn: "go", supersedes, unheard: true };
    if (isOwed && listener === "pager") return { turn: "suppress", reason: overBefore };
    // What is still on its way gives way by itself, and until then may arrive.
    return supersedes.length > 0 ? { turn: "wait" } : { turn: "suppress", reason: neverAnnounced };
  }
  // An opening that comes late tells how things stand, and so what has happened since.
  const later = isOutdatedOpening(delivery, listener, present)
    ? siblings.filter(({ delivery: one }) => one.sequence > delivery.sequence && isPending(one, now))
    : [];
  return { turn: "go", supersedes: [...supersedes, ...later.map(({ id }) => id)] };
}

/** Why a delivery is not told any more, where it is not. */
function outdatedBy(
  delivery: Delivery,
  history: readonly Delivery[],
  listener: Listener,
  present: PresentState | undefined,
): string | undefined {
  const { event, sequence } = delivery;
  if (event !== "opened" && isSuperseded(history, sequence)) return superseded;
  if (event === "resolved" && isTakenBack(history, sequence) && !mayHaveArrived(delivery)) return tooSoon;
  if (isPassed(delivery, history)) return standsInLater;
  if (listener === "program") return undefined;
  if (event === "opened" && hasEnded(history, sequence)) return listener === "pager" ? overBefore : toldWithEnd;
  const isAnswered = present?.status === "acknowledged" || present?.status === "recovering";
  if (event === "escalated" && isAnswered && !mayHaveArrived(delivery))
    return present?.status === "recovering"
      ? nearlyOver
      : `superseded: acknowledged by ${present?.acknowledgedBy ?? "somebody"}`;
  const isReplaced =
    listener === "person" &&
    replaceable.includes(event) &&
    !mayHaveArrived(delivery) &&
    present !== undefined &&
    history.some((later) => later.sequence > sequence && replaceable.includes(later.event) && !isFinal(later));
  return isReplaced ? standsInLater : undefined;
}

/** Changes that stand in later ones: each says how things are. */
const replaceable: readonly IncidentEventKind[] = [
  "joined",
  "severity_raised",
  "root_cause_changed",
  "reminder",
  "status_update",
];

/** Whether a change comes after a later one: two instances may plan both at the same moment, and neither sees the other. */
function isPassed(delivery: Delivery, history: readonly Delivery[]): boolean {
  return (
    replaceable.includes(delivery.event) &&
    !mayHaveArrived(delivery) &&
    history.some(
      (later) => later.sequence > delivery.sequence && replaceable.includes(later.event) && mayHaveArrived(later),
    )
  );
}

/** Whether it is over after a place among the events, and no relapse has taken that back. */
function hasEnded(history: readonly Delivery[], sequence: number): boolean {
  return history.some(
    (later) => later.event === "resolved" && later.sequence > sequence && !isTakenBack(history, later.sequence),
  );
}

/** Whether the incident is over, and its end is about to come: whatever else is told now would be wrong in a moment. */
function isEndAwaited(delivery: Delivery, present: PresentState | undefined, now: number): boolean {
  return (
    present?.status === "resolved" &&
    delivery.event !== "resolved" &&
    now - (present.resolvedAt ?? 0) < endComesWithinMs
  );
}

function isOutdatedOpening(delivery: Delivery, listener: Listener, present: PresentState | undefined): boolean {
  return listener === "person" && delivery.event === "opened" && present !== undefined && !mayHaveArrived(delivery);
}

function isPending(delivery: Delivery, now: number): boolean {
  return (
    replaceable.includes(delivery.event) && !isFinal(delivery) && !isHeld(delivery, now) && !mayHaveArrived(delivery)
  );
}

/**
 * Whether a later notice makes an unfinished one needless: the all-clear whatever it closes, a relapse an all-clear that nobody has heard, and whatever a
 * person is told, a change that is held back.
 */
function isOvertaken(earlier: Delivery, { event }: Delivery, listener: Listener, now: number): boolean {
  if (event === "resolved") return earlier.event !== "opened" || listener !== "program";
  if (listener === "person" && isChangeOnHold(earlier, now)) return true;
  return event === "regressed" && earlier.event === "resolved" && !mayHaveArrived(earlier);
}

function isChangeOnHold(delivery: Delivery, now: number): boolean {
  const { event, held_until: until } = delivery;
  return replaceable.includes(event) && until !== undefined && until.getTime() > now && !mayHaveArrived(delivery);
}

/** Whether an instance is sending it. */
export function isHeld({ status, lease_until }: Delivery, now: number): boolean {
  return status === "sending" && lease_until !== undefined && lease_until.getTime() > now;
}

/** Whether the time of its next attempt has come. */
export function isDue({ next_attempt_at }: Delivery, now: number): boolean {
  return next_attempt_at === undefined || next_attempt_at.getTime() <= now;
}

/** Of the deliveries before one, in their order, those that are not done and still move: themselves, or what they wait for. */
function waitedFor(earlier: readonly LedgerEntry[], now: number): LedgerEntry[] {
  let movedAt = 0;
  return earlier.filter(({ delivery }) => {
    movedAt = Math.max(movedAt, lastMove(delivery));
    return !isFinal(delivery) && now - movedAt <= abandonedAfterMs;
  });
}

function lastMove({ planned_at, lease_until, next_attempt_at, attempts }: Delivery): number {
  const moves = [planned_at, lease_until, next_attempt_at, attempts.at(-1)?.at];
  return Math.max(...moves.map((instant) => instant?.getTime() ?? 0));
}
