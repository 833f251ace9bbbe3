/**
 * One delivery: claim with a lease, send, record. A delivery is made at least once: an instance that dies between sending and recording
 * is followed by one more attempt, with the same idempotency key, when its lease is over.
 */
import { createHash } from "node:crypto";
import type { Configuration } from "../../../shared/config/model.ts";
import { type Severity, worse } from "../../../shared/messages/severity.ts";
import type { Clock, Logger, Store } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import type { AnyChannelKind, Attempt, Outgoing, Reply, Sending } from "../channel.ts";
import { isSuperseded, neverAnnounced, superseded } from "../plan/plan.ts";
import { isTakenBack, tooSoon } from "../plan/relapse.ts";
import {
  type Delivery,
  deliveries,
  deliveryFields,
  isFinal,
  isSameReader,
  type LedgerEntry,
  mayHaveArrived,
  parseDelivery,
  shownAttempts,
  unsure,
} from "./ledger.ts";
import { bucketFields, bucketId, paceOf, readBucket, stateCollection, take } from "./pace.ts";
import { readPayload } from "./payload.ts";
import type { Send } from "./send.ts";

/** What a delivery needs of the world. */
export interface DeliveryWorld {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly send: Send;
  readonly kinds: Readonly<Record<string, AnyChannelKind>>;
  readonly configuration: Configuration;
}

/** The time of one attempt, in milliseconds, however many requests it takes. */
const attemptMs = 15_000;

/** How long a claim lasts, in milliseconds: well over the deadline of an attempt. */
export const leaseMs = 25_000;

/** When retrying ends, in milliseconds after the delivery was planned. */
export const giveUpAfterMs: number = 24 * 3_600_000;

/** How long after it should have moved a delivery counts as abandoned, in milliseconds: no redelivery comes that late. */
export const abandonedAfterMs: number = 30 * 60_000;

/** Whether a delivery may be attempted now. */
export type Turn =
  | { readonly turn: "over" }
  | { readonly turn: "wait" }
  | { readonly turn: "suppress"; readonly reason: string }
  /** `supersedes`: ids of older news that this one makes pointless, and that must not be sent any more. */
  | { readonly turn: "go"; readonly supersedes: readonly string[] };

/**
 * Takes a delivery as far as it can be taken now.
 * @param ledger everything known of its incident
 * @param lastChance whether the message will not be delivered again, so that what fails now has failed
 * @returns the delivery as it stands then; the caller tries again later while it is not final
 * @throws StoreError
 */
export async function deliver(
  entry: LedgerEntry,
  ledger: readonly LedgerEntry[],
  lastChance: boolean,
  world: DeliveryWorld,
): Promise<Delivery> {
  const now = world.clock.now();
  const turn = turnOf(entry, ledger, now, lastChance);
  switch (turn.turn) {
    case "over":
    case "wait":
      return entry.delivery;
    case "suppress":
      return suppress(entry, turn.reason, now, world.store);
    case "go": {
      const urgency = urgencyOf(entry, ledger);
      const claim = await claimDelivery(entry, { ...turn, now, lastChance, urgency }, world);
      if (!claim.claimed) return claim.delivery;
      const attempt = await attemptOnce(claim.delivery, ledger, now, world);
      const recorded = await record({ id: entry.id, delivery: claim.delivery }, attempt, lastChance, world);
      report(entry.id, recorded, attempt, world.logger);
      return recorded;
    }
  }
}

/** How urgent a delivery is: as bad as the worst that still waits behind it for the same reader. */
function urgencyOf({ delivery }: LedgerEntry, ledger: readonly LedgerEntry[]): Severity {
  return ledger
    .map((other) => other.delivery)
    .filter((other) => isSameReader(other, delivery) && !isFinal(other))
    .reduce<Severity>((worst, { severity = "info" }) => worse(worst, severity), delivery.severity ?? "info");
}

/** Decides whether it is a delivery's turn: events of one incident reach a reader in their order. Pure. */
export function turnOf(
  { delivery }: LedgerEntry,
  ledger: readonly LedgerEntry[],
  now: number,
  lastChance: boolean,
): Turn {
  if (isFinal(delivery)) return { turn: "over" };
  if (isHeld(delivery, now)) return { turn: "wait" };
  const siblings = ledger
    .filter((other) => isSameReader(other.delivery, delivery))
    .sort((a, b) => a.delivery.sequence - b.delivery.sequence);
  const history = siblings.map((sibling) => sibling.delivery);
  if (delivery.event !== "opened" && isSuperseded(history, delivery.sequence)) {
    return { turn: "suppress", reason: superseded };
  }
  if (delivery.event === "resolved" && isTakenBack(history, delivery.sequence) && !mayHaveArrived(delivery)) {
    return { turn: "suppress", reason: tooSoon };
  }
  if (!lastChance && !isDue(delivery, now)) return { turn: "wait" };
  const earlier = siblings.filter((other) => other.delivery.sequence < delivery.sequence);
  const unfinished = waitedFor(earlier, now);
  const supersedes = unfinished.filter((other) => isOvertaken(other.delivery, delivery));
  if (unfinished.length > supersedes.length) return { turn: "wait" };
  const closes = delivery.event === "resolved" || earlier.some((other) => other.delivery.event === "resolved");
  if (closes && !earlier.some((other) => mayHaveArrived(other.delivery))) {
    // What is still on its way gives way by itself, and until then may arrive.
    return supersedes.length > 0 ? { turn: "wait" } : { turn: "suppress", reason: neverAnnounced };
  }
  return { turn: "go", supersedes: supersedes.map(({ id }) => id) };
}

/** Whether a later notice makes an unfinished one needless: the all-clear all but the opening, and a relapse an all-clear that nobody has heard. */
function isOvertaken(earlier: Delivery, { event }: Delivery): boolean {
  if (event === "resolved") return earlier.event !== "opened";
  return event === "regressed" && earlier.event === "resolved" && !mayHaveArrived(earlier);
}

/** What an attempt makes of a delivery. Pure. */
export function afterAttempt(
  { id, delivery }: LedgerEntry,
  attempt: Attempt,
  now: number,
  lastChance: boolean,
): Delivery {
  const count = delivery.attempt_count + 1;
  const outcome = attempt.outcome === "retry" && attempt.unsure ? unsure : attempt.outcome;
  const tried: Delivery = {
    ...delivery,
    attempts: [...delivery.attempts, { at: new Date(now), outcome, answer: attempt.answer }].slice(-shownAttempts),
    attempt_count: count,
    lease_until: undefined,
    next_attempt_at: undefined,
  };
  if (attempt.outcome === "delivered") {
    const { reference } = attempt;
    return { ...tried, status: "delivered", delivered_at: new Date(now), ...(reference ? { reference } : {}) };
  }
  if (attempt.outcome === "rejected") return { ...tried, status: "rejected", reason: attempt.answer };
  const next = now + Math.max(backoff(id, count), attempt.afterMs ?? 0);
  const age = now - delivery.planned_at.getTime();
  if (lastChance || next - delivery.planned_at.getTime() > giveUpAfterMs) {
    const reason = `gave up after ${attempts(count)} in ${spokenDuration(age)}: ${attempt.answer}`;
    return { ...tried, status: "rejected", reason };
  }
  return { ...tried, status: "retrying", next_attempt_at: new Date(next) };
}

/** The wait after the `count`th attempt, in milliseconds: 5 s doubled up to 10 min, and up to a fifth more, by hash. */
export function backoff(id: string, count: number): number {
  const wait = Math.min(5_000 * 2 ** (count - 1), 600_000);
  const chance = createHash("sha256").update(`${id}:${count}`).digest().readUInt32BE() / 2 ** 32;
  return Math.round(wait * (1 + chance / 5));
}

type Claim = { readonly claimed: boolean; readonly delivery: Delivery };

/** What a claim is made for. */
interface ClaimRequest {
  readonly supersedes: readonly string[];
  readonly now: number;
  readonly lastChance: boolean;
  readonly urgency: Severity;
}

async function claimDelivery(
  { id, delivery: seen }: LedgerEntry,
  { supersedes, now, lastChance, urgency }: ClaimRequest,
  { store, configuration, kinds }: DeliveryWorld,
): Promise<Claim> {
  const configured = configuration.channels.find(({ name }) => name === seen.channel) ?? {};
  const pace = paceOf(configured, ownEntry(kinds, seen.kind) ?? {});
  return store.transaction(async (transaction): Promise<Claim> => {
    const delivery = parseDelivery(await transaction.get(deliveries, id)) ?? seen;
    const older: LedgerEntry[] = [];
    for (const olderId of supersedes) {
      const found = parseDelivery(await transaction.get(deliveries, olderId));
      if (found !== undefined && !isFinal(found)) older.push({ id: olderId, delivery: found });
    }
    const bucket = readBucket(await transaction.get(stateCollection, bucketId(seen)));
    const blocked = [delivery, ...older.map((entry) => entry.delivery)].some((held) => isHeld(held, now));
    if (isFinal(delivery) || blocked || (!lastChance && !isDue(delivery, now))) return { claimed: false, delivery };
    const token = take(bucket, pace, urgency, now);
    if (token.taken) transaction.set(stateCollection, bucketId(seen), bucketFields(token.bucket, now));
    else if (!lastChance) {
      const waiting: Delivery = {
        ...(delivery.status === "sending"
          ? { ...lost(delivery), status: "retrying", lease_until: undefined }
          : delivery),
        next_attempt_at: new Date(now + token.waitMs),
        waits_for: `at most ${pace.perMinute} notices a minute`,
      };
      transaction.set(deliveries, id, deliveryFields(waiting));
      return { claimed: false, delivery: waiting };
    }
    for (const entry of older)
      transaction.set(
        deliveries,
        entry.id,
        deliveryFields(suppressed(entry.delivery, delivery.event === "regressed" ? tooSoon : superseded)),
      );
    const claimed: Delivery = {
      ...(delivery.status === "sending" ? lost(delivery) : delivery),
      status: "sending",
      lease_until: new Date(now + leaseMs),
      waits_for: undefined,
    };
    transaction.set(deliveries, id, deliveryFields(claimed));
    return { claimed: true, delivery: claimed };
  });
}

async function attemptOnce(
  delivery: Delivery,
  ledger: readonly LedgerEntry[],
  now: number,
  { kinds, send, clock }: DeliveryWorld,
): Promise<Attempt> {
  const kind = ownEntry(kinds, delivery.kind);
  const outgoing = readPayload(delivery.payload);
  if (kind === undefined || outgoing === undefined) {
    return { outcome: "rejected", answer: "what was planned cannot be read any more" };
  }
  const sending = sendingOf(delivery, ledger);
  const replies: Reply[] = [];
  for (;;) {
    const next = kind.converse?.(outgoing, sending, replies) ?? singly(kind, outgoing, replies);
    if ("outcome" in next) return next;
    replies.push(await send(next, now, now + attemptMs - clock.now()));
  }
}

/** What a kind does that needs one request: it sends, and that is it. */
function singly(kind: AnyChannelKind, outgoing: Outgoing, [reply]: readonly Reply[]): Outgoing | Attempt {
  return reply === undefined ? outgoing : kind.classify(reply);
}

/** What is known of a delivery when it is sent. */
function sendingOf(delivery: Delivery, ledger: readonly LedgerEntry[]): Sending {
  const opening = ledger.find(
    (other) => isSameReader(other.delivery, delivery) && other.delivery.reference && other.delivery.event === "opened",
  )?.delivery.reference;
  return {
    ...(opening === undefined || delivery.event === "opened" ? {} : { opening }),
    attempts: delivery.attempt_count,
    plannedAt: delivery.planned_at.getTime(),
  };
}

/** Records an attempt, unless somebody else has taken over since; what was delivered is recorded even then. */
async function record(
  { id, delivery: claimed }: LedgerEntry,
  attempt: Attempt,
  lastChance: boolean,
  { store, clock }: DeliveryWorld,
): Promise<Delivery> {
  const now = clock.now();
  return store.transaction(async (transaction) => {
    const current = parseDelivery(await transaction.get(deliveries, id)) ?? claimed;
    const ours = current.lease_until?.getTime() === claimed.lease_until?.getTime();
    if (!ours && (isFinal(current) || attempt.outcome !== "delivered")) return current;
    const next = afterAttempt({ id, delivery: current }, attempt, now, lastChance);
    transaction.set(deliveries, id, deliveryFields(next));
    return next;
  });
}

async function suppress(
  { id, delivery: seen }: LedgerEntry,
  reason: string,
  now: number,
  store: Store,
): Promise<Delivery> {
  return store.transaction(async (transaction) => {
    const delivery = parseDelivery(await transaction.get(deliveries, id)) ?? seen;
    if (isFinal(delivery) || isHeld(delivery, now)) return delivery;
    const next = suppressed(delivery, reason);
    transaction.set(deliveries, id, deliveryFields(next));
    return next;
  });
}

/** Gives a delivery up whose message will not come again. @returns the delivery as it stands then */
export async function abandon({ id, delivery: seen }: LedgerEntry, { store, clock }: DeliveryWorld): Promise<Delivery> {
  return store.transaction(async (transaction) => {
    const delivery = parseDelivery(await transaction.get(deliveries, id)) ?? seen;
    if (isFinal(delivery) || isHeld(delivery, clock.now())) return delivery;
    const tried = delivery.status === "sending" ? lost(delivery) : delivery;
    const answer = tried.attempts.at(-1)?.answer;
    const how = answer === undefined ? "without an attempt" : `after ${attempts(tried.attempt_count)}`;
    const reason = `gave up ${how}, its message is a dead letter${answer === undefined ? "" : `: ${answer}`}`;
    const next = ended(delivery, "rejected", reason);
    transaction.set(deliveries, id, deliveryFields(next));
    return next;
  });
}

function suppressed(delivery: Delivery, reason: string): Delivery {
  return ended(delivery, "suppressed", reason);
}

function ended(delivery: Delivery, status: "suppressed" | "rejected", reason: string): Delivery {
  const known = delivery.status === "sending" ? lost(delivery) : delivery;
  return { ...known, status, reason, lease_until: undefined, next_attempt_at: undefined, waits_for: undefined };
}

function attempts(count: number): string {
  return count === 1 ? "1 attempt" : `${count} attempts`;
}

/** The attempt of an instance that died: nobody knows whether it arrived. */
function lost(delivery: Delivery): Delivery {
  const at = new Date((delivery.lease_until ?? delivery.planned_at).getTime());
  const attempt = { at, outcome: unsure, answer: "the instance that was sending did not come back" };
  return {
    ...delivery,
    attempts: [...delivery.attempts, attempt].slice(-shownAttempts),
    attempt_count: delivery.attempt_count + 1,
  };
}

function isHeld({ status, lease_until }: Delivery, now: number): boolean {
  return status === "sending" && lease_until !== undefined && lease_until.getTime() > now;
}

function isDue({ next_attempt_at }: Delivery, now: number): boolean {
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

function report(id: string, delivery: Delivery, attempt: Attempt, logger: Logger): void {
  const fields = { delivery: id, attempt: delivery.attempt_count, outcome: attempt.outcome, answer: attempt.answer };
  if (delivery.status === "rejected") logger.error(`notify cannot deliver ${id}: ${delivery.reason}`, fields);
  else logger.info(`notify: ${id} is ${delivery.status}`, fields);
}
