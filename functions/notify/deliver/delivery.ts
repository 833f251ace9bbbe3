/**
 * One delivery: claim with a lease, send, record. Delivery is at least once: if an instance dies between sending and recording, one more
 * attempt follows with the same idempotency key when its lease expires.
 */
import type { Configuration } from "../../../shared/config/model.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { type Severity, worse } from "../../../shared/messages/severity.ts";
import type { Clock, Logger, Store, Timers } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { realTimers } from "../../../shared/runtime/timers.ts";
import type { AnyChannelKind, Attempt, Outgoing, Reply, Sending } from "../channel.ts";
import { recompose } from "../plan/compose.ts";
import { includedInLater, superseded } from "../plan/plan.ts";
import { revokedByRelapse } from "../plan/relapse.ts";
import {
  type Delivery,
  deliveries,
  deliveryFields,
  instanceDied,
  isFinal,
  isSameReader,
  type LedgerEntry,
  mayHaveArrived,
  parseDelivery,
  shownAttempts,
  unsure,
} from "./ledger.ts";
import {
  type Decision,
  decide,
  includedInOpening,
  includedInResolution,
  isDue,
  isLeased,
  receiverTypeOf,
} from "./order.ts";
import { afterAttempt, attempts } from "./outcome.ts";
import { bucketFields, bucketId, paceOf, readBucket, stateCollection, take } from "./pace.ts";
import { readPayload } from "./payload.ts";
import type { Send } from "./send.ts";

export { abandonedAfterMs, decide } from "./order.ts";

/** Dependencies of deliveries. */
export interface DeliveryWorld {
  readonly store: Store;
  readonly clock: Clock;
  /** @default the timers of the process */
  readonly timers?: Timers;
  readonly logger: Logger;
  readonly send: Send;
  readonly kinds: Readonly<Record<string, AnyChannelKind>>;
  readonly configuration: Configuration;
  /** URL of an incident, with `${incident}` for its id. @default none */
  readonly incidentLinks?: string | undefined;
  /** Base URL for answers, without a trailing slash. @default none */
  readonly answersUrl?: string | undefined;
  /** URL of the folder in which status pages are written. @default pages are written to buckets */
  readonly pagesUrl?: string | undefined;
}

/** Time limit of one attempt, in milliseconds: for HTTP, all its requests together; for a mail, whose last reply may take minutes. */
const requestsMs = 15_000;
const mailMs = 300_000;

/** Duration of a claim, in milliseconds: the time a notice waits if the sending instance dies. The claim is renewed during an attempt. */
export const leaseMs = 10_000;
const renewEveryMs = 3_000;

/** Context in which the deliveries of an event are made. */
export interface DeliveryContext {
  readonly event: IncidentEvent;
  /** All ledger entries of the incident. */
  readonly ledger: readonly LedgerEntry[];
  /** Reads the event with the incident's present state, `undefined` if unknown. Called only where it decides. @default unknown */
  readonly present?: () => Promise<IncidentEvent | undefined>;
  /** Whether the message will not be redelivered, so that a failure now is final. */
  readonly lastChance: boolean;
}

/**
 * Advances a delivery as far as possible now.
 * @returns the delivery in its new state; the caller retries later until it is final
 * @throws StoreError
 */
export async function deliver(entry: LedgerEntry, context: DeliveryContext, world: DeliveryWorld): Promise<Delivery> {
  const { ledger, lastChance } = context;
  const now = world.clock.now();
  const { delivery } = entry;
  const receiver = receiverTypeOf(ownEntry(world.kinds, delivery.kind) ?? {});
  const isWaiting = isFinal(delivery) || isLeased(delivery, now) || !(lastChance || isDue(delivery, now));
  // A program gets every event as planned, whatever the present state is.
  const present = isWaiting || receiver === "program" ? undefined : await context.present?.();
  const state = present && {
    status: present.status,
    acknowledgedBy: present.acknowledged_by,
    resolvedAt: Date.parse(present.resolved_at ?? "") || undefined,
  };
  const looksUp = ownEntry(world.kinds, delivery.kind)?.converse !== undefined;
  const decision = decide(entry, ledger, now, lastChance, { receiver, looksUp, present: state });
  switch (decision.action) {
    case "none":
    case "wait":
      return delivery;
    case "suppress":
      return suppress(entry, decision.reason, now, world.store);
    case "send": {
      const urgency = urgencyOf(entry, ledger);
      const replacement =
        receiver === "program" ? undefined : latePayload(entry, decision, { ...context, present }, now, world);
      const claim = await claimDelivery(entry, { ...decision, now, lastChance, urgency, replacement }, world);
      if (!claim.claimed) return claim.delivery;
      const held = { id: entry.id, delivery: claim.delivery };
      const attempt = await whileRenewed(held, world, () => attemptOnce(claim.delivery, ledger, now, world));
      const recorded = await record(held, attempt, lastChance, world);
      report(entry.id, recorded, attempt, world.logger);
      return recorded;
    }
  }
}

/** Maximum age of a notice that is sent as planned, and the age from which an opening says that it is late, in milliseconds. */
const sentAsPlannedForMs = 60_000;
const lateAfterMs = 10 * 60_000;

/** Returns the new payload for a notice that may be outdated and cannot have arrived; `undefined` if it is sent as planned. */
function latePayload(
  { id, delivery }: LedgerEntry,
  { supersedes, replacesOpening }: Decision & { readonly action: "send" },
  { event, ledger, present }: Omit<DeliveryContext, "present"> & { readonly present: IncidentEvent | undefined },
  now: number,
  { configuration, kinds, incidentLinks, answersUrl, pagesUrl }: DeliveryWorld,
): Pick<Delivery, "payload" | "settings"> | undefined {
  const age = now - delivery.at.getTime();
  if (mayHaveArrived(delivery) || (!replacesOpening && supersedes.length === 0 && age < sentAsPlannedForMs))
    return undefined;
  const entries = ledger.filter((other) => isSameReader(other.delivery, delivery));
  const hasEarlier = entries.some((other) => other.id !== id && mayHaveArrived(other.delivery));
  const isEnd = delivery.event === "resolved";
  const isFirst = !isEnd && !hasEarlier;
  const base = isEnd ? event : present;
  if (base === undefined || (delivery.event !== event.event && !isFirst)) return undefined;
  // The change described by an event applies only to the state at that event.
  const isMoment = base.status === event.status && base.severity === event.severity;
  const change = isMoment ? base.change : "";
  const announced: IncidentEvent = isFirst ? { ...base, event: "opened", occurrence: 1 } : { ...base, change };
  const delay = replacesOpening && isEnd ? "unannounced" : isFirst && age >= lateAfterMs ? "late" : undefined;
  const context = { configuration, kinds, incidentLinks, answersUrl, pagesUrl, silences: [], ledger };
  const replacement = recompose(announced, { id, delivery }, entries, delay, context);
  return replacement && { payload: JSON.stringify(replacement.payload), settings: replacement.settings };
}

/** Returns the urgency of a delivery: the highest severity among the unfinished deliveries to the same reader. */
function urgencyOf({ delivery }: LedgerEntry, ledger: readonly LedgerEntry[]): Severity {
  return ledger
    .map((other) => other.delivery)
    .filter((other) => isSameReader(other, delivery) && !isFinal(other))
    .reduce<Severity>((worst, { severity = "info" }) => worse(worst, severity), delivery.severity ?? "info");
}

type Claim = { readonly claimed: boolean; readonly delivery: Delivery };

/** Parameters of a claim. */
interface ClaimRequest {
  readonly supersedes: readonly string[];
  readonly now: number;
  readonly lastChance: boolean;
  readonly urgency: Severity;
  /** Payload sent instead of the planned one. @default the planned one */
  readonly replacement?: Pick<Delivery, "payload" | "settings"> | undefined;
}

async function claimDelivery(
  { id, delivery: seen }: LedgerEntry,
  { supersedes, now, lastChance, urgency, replacement }: ClaimRequest,
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
    const blocked = [delivery, ...older.map((entry) => entry.delivery)].some((held) => isLeased(held, now));
    if (isFinal(delivery) || blocked || (!lastChance && !isDue(delivery, now))) return { claimed: false, delivery };
    const token = take(bucket, pace, urgency, now);
    if (token.taken) transaction.set(stateCollection, bucketId(seen), bucketFields(token.bucket, now));
    else if (!lastChance) {
      const waiting: Delivery = {
        ...(delivery.status === "sending"
          ? { ...withLostAttempt(delivery), status: "retrying", lease_until: undefined }
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
        deliveryFields(suppressed(entry.delivery, reasonFor(entry.delivery, delivery))),
      );
    const claimed: Delivery = {
      ...(delivery.status === "sending" ? withLostAttempt(delivery) : { ...delivery, ...replacement }),
      status: "sending",
      lease_until: new Date(now + leaseMs),
      waits_for: undefined,
    };
    transaction.set(deliveries, id, deliveryFields(claimed));
    return { claimed: true, delivery: claimed };
  });
}

/** Returns the reason for suppressing a delivery that another one supersedes. */
function reasonFor(pointless: Delivery, { event }: Delivery): string {
  if (event === "regressed") return revokedByRelapse;
  if (event === "opened") return includedInOpening;
  if (pointless.event === "opened") return includedInResolution;
  return event === "resolved" ? superseded : includedInLater;
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
    return { outcome: "rejected", answer: "the planned delivery can no longer be read" };
  }
  const attemptMs = outgoing.transport === "smtp" ? mailMs : requestsMs;
  const sending = sendingOf(delivery, ledger);
  const replies: Reply[] = [];
  for (;;) {
    const next = kind.converse?.(outgoing, sending, replies) ?? sendOnce(kind, outgoing, replies);
    if ("outcome" in next) return next;
    replies.push(await send(next, now, now + attemptMs - clock.now()));
  }
}

/** Default conversation of kinds that need one request: send, then classify the reply. */
function sendOnce(kind: AnyChannelKind, outgoing: Outgoing, [reply]: readonly Reply[]): Outgoing | Attempt {
  return reply === undefined ? outgoing : kind.classify(reply);
}

/** Returns the facts about a delivery that are known when it is sent. */
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

/** Renews the claim on a delivery during an attempt. The claim ends with the attempt, or when the instance dies. */
async function whileRenewed<T>(
  held: { id: string; delivery: Delivery },
  world: DeliveryWorld,
  attempt: () => Promise<T>,
): Promise<T> {
  const { timers = realTimers } = world;
  let renewing = Promise.resolve();
  let cancel = (): void => {};
  const renewLater = (): void => {
    cancel = timers.after(renewEveryMs, () => {
      renewing = renewing.then(() => renew(held, world)).catch(() => {});
      renewLater();
    });
  };
  renewLater();
  try {
    return await attempt();
  } finally {
    cancel();
    await renewing;
  }
}

async function renew(held: { id: string; delivery: Delivery }, { store, clock }: DeliveryWorld): Promise<void> {
  const until = new Date(clock.now() + leaseMs);
  const renewed = await store.transaction(async (transaction) => {
    const current = parseDelivery(await transaction.get(deliveries, held.id));
    if (current?.lease_until?.getTime() !== held.delivery.lease_until?.getTime()) return undefined;
    const next = { ...held.delivery, lease_until: until };
    transaction.set(deliveries, held.id, deliveryFields(next));
    return next;
  });
  if (renewed !== undefined) held.delivery = renewed;
}

/** Records an attempt, unless another instance has taken over since. A successful delivery is recorded in any case. */
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
    if (!ours && (current.status === "delivered" || attempt.outcome !== "delivered")) return current;
    const { reason } = claimed;
    const next = afterAttempt({ id, delivery: { ...current, reason } }, attempt, now, lastChance);
    transaction.set(deliveries, id, deliveryFields(next));
    return next;
  });
}

/** Suppresses a delivery, unless it is final or being sent. @returns the delivery in its new state */
async function suppress(
  { id, delivery: seen }: LedgerEntry,
  reason: string,
  now: number,
  store: Store,
): Promise<Delivery> {
  return store.transaction(async (transaction) => {
    const delivery = parseDelivery(await transaction.get(deliveries, id)) ?? seen;
    if (isFinal(delivery) || isLeased(delivery, now)) return delivery;
    const next = suppressed(delivery, reason);
    transaction.set(deliveries, id, deliveryFields(next));
    return next;
  });
}

/** Gives up a delivery whose message will not be redelivered. @returns the delivery in its new state */
export async function abandon({ id, delivery: seen }: LedgerEntry, { store, clock }: DeliveryWorld): Promise<Delivery> {
  return store.transaction(async (transaction) => {
    const delivery = parseDelivery(await transaction.get(deliveries, id)) ?? seen;
    if (isFinal(delivery) || isLeased(delivery, clock.now())) return delivery;
    const tried = delivery.status === "sending" ? withLostAttempt(delivery) : delivery;
    const answer = tried.attempts.at(-1)?.answer;
    const how = answer === undefined ? "without an attempt" : `after ${attempts(tried.attempt_count)}`;
    const reason = `gave up ${how}, its message is a dead letter${answer === undefined ? "" : `: ${answer}`}`;
    const next = finished(delivery, "rejected", reason);
    transaction.set(deliveries, id, deliveryFields(next));
    return next;
  });
}

function suppressed(delivery: Delivery, reason: string): Delivery {
  return finished(delivery, "suppressed", reason);
}

function finished(delivery: Delivery, status: "suppressed" | "rejected", reason: string): Delivery {
  const known = delivery.status === "sending" ? withLostAttempt(delivery) : delivery;
  return { ...known, status, reason, lease_until: undefined, next_attempt_at: undefined, waits_for: undefined };
}

/** Records the attempt of an instance that died. Whether it arrived is unknown. */
function withLostAttempt(delivery: Delivery): Delivery {
  const at = new Date((delivery.lease_until ?? delivery.planned_at).getTime());
  const attempt = { at, outcome: unsure, answer: instanceDied };
  return {
    ...delivery,
    attempts: [...delivery.attempts, attempt].slice(-shownAttempts),
    attempt_count: delivery.attempt_count + 1,
  };
}

function report(id: string, delivery: Delivery, attempt: Attempt, logger: Logger): void {
  const fields = { delivery: id, attempt: delivery.attempt_count, outcome: attempt.outcome, answer: attempt.answer };
  if (delivery.status === "rejected") logger.error(`notify cannot deliver ${id}: ${delivery.reason}`, fields);
  else logger.info(`notify: ${id} is ${delivery.status}`, fields);
}
