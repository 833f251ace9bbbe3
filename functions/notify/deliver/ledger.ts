/** The delivery ledger: one document for each event and reader, notified or not, readable in the console. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { ledgerCollection, type Reader } from "../../../shared/documents/delivery-summary.ts";
import { type IncidentEvent, incidentEventKinds } from "../../../shared/messages/incident-event.ts";
import { severities } from "../../../shared/messages/severity.ts";
import type { Fields, Filter, Logger, Store } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";

// The evaluator reads the ledger as well: its location, and the rule for when an entry is final, are defined in one place.
export { isDone as isFinal, ledgerCollection as deliveries } from "../../../shared/documents/delivery-summary.ts";

/** Retention of the ledger, in milliseconds: as long as somebody may ask why a notice did or did not arrive. */
export const keptForMs: number = 90 * 86_400_000;

/** Maximum number of attempts in a document; the newest are kept. */
export const shownAttempts = 20;

/** Maximum number of entries read for one incident: more than 50 recipients with an event every hour produce in a week. */
const maxEntries = 10_000;

/** Statuses of a delivery. `delivered`, `rejected` and `suppressed` are final. */
export const deliveryStatuses = ["planned", "sending", "retrying", "delivered", "rejected", "suppressed"] as const;

/** Status of a delivery. */
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** Returns whether two readers are the same. An entry without a recipient was sent to the whole channel, and so to each of its recipients. */
export function isSameReader(a: Reader, b: Reader): boolean {
  const isSameRecipient = a.recipient === undefined || b.recipient === undefined || a.recipient === b.recipient;
  return a.channel === b.channel && isSameRecipient;
}

/** Outcome of an attempt that may have arrived: the reply is missing, or the instance that waited for it died. */
export const unsure = "lost";

/** Answer recorded for an instance that died. It may have sent nothing. */
export const instanceDied = "the sending instance did not report back";

/**
 * Returns whether the receiver has the notice, or may have it, including from an instance that died. A receiver that finally refuses it did
 * not accept it before.
 */
export function mayHaveArrived({ status, attempts }: Delivery): boolean {
  if (status === "delivered" || status === "sending") return true;
  return attempts.some(({ outcome }) => outcome === unsure) && attempts.at(-1)?.outcome !== "rejected";
}

/** Returns whether the reader has the notice or is about to receive it. */
export function isDeliveredOrPending({ status }: Delivery): boolean {
  return status !== "suppressed" && status !== "rejected";
}

/** Returns whether the reader has the notice, is about to receive it, or may have received it before it was given up. */
export function mayReachReader(delivery: Delivery): boolean {
  return isDeliveredOrPending(delivery) || mayHaveArrived(delivery);
}

/** Statuses from best to worst. */
const fromBestToWorst: readonly DeliveryStatus[] = [
  "suppressed",
  "delivered",
  "planned",
  "sending",
  "retrying",
  "rejected",
];

/** Returns whether a delivery has a worse status than that of another reader. */
export function isWorse({ status }: Delivery, other: Delivery): boolean {
  return fromBestToWorst.indexOf(status) > fromBestToWorst.indexOf(other.status);
}

/** Reduces deliveries to one for each event and channel: that of the recipient with the worst status. Keeps the order. */
export function byChannel(ledger: readonly Delivery[]): Delivery[] {
  const worst = new Map<string, Delivery>();
  for (const delivery of ledger) {
    const { incident, event, sequence, channel } = delivery;
    const key = JSON.stringify([incident, event, sequence, channel]);
    const known = worst.get(key);
    const isLater = (known?.delivered_at ?? 0) < (delivery.delivered_at ?? 0);
    if (known === undefined || isWorse(delivery, known) || (delivery.status === known.status && isLater))
      worst.set(key, delivery);
  }
  return [...worst.values()];
}

/** A delivery with the id of its document, which is also its idempotency key. */
export interface LedgerEntry {
  readonly id: string;
  readonly delivery: Delivery;
}

/**
 * Returns the document id of an event for a reader: `incident:event:channel` or `incident:event:channel:recipient`, with `event-2` for its
 * second occurrence.
 */
export function deliveryId(
  event: Pick<IncidentEvent, "incident" | "event" | "occurrence">,
  channel: string,
  recipient?: string,
): string {
  const occurrence = event.occurrence > 1 ? `-${event.occurrence}` : "";
  return [event.incident, `${event.event}${occurrence}`, channel, ...(recipient === undefined ? [] : [recipient])].join(
    ":",
  );
}

/** Returns a fingerprint of the incident as shown by an event: the same for all events of one moment. */
export function momentOf({
  event: _1,
  at: _2,
  sequence: _3,
  occurrence: _4,
  change: _5,
  ...shown
}: IncidentEvent): string {
  return createHash("sha256").update(JSON.stringify(shown)).digest("hex").slice(0, 16);
}

/**
 * Reads all ledger entries of an incident. A document that cannot be read is left out, with a warning.
 * @param channel only entries of this channel.
 * @default all channels
 */
export async function readLedger(
  store: Store,
  incident: string,
  logger: Logger,
  channel?: string,
): Promise<LedgerEntry[]> {
  const ofChannel: readonly Filter[] = channel === undefined ? [] : [["channel", "==", channel]];
  const where: readonly Filter[] = [["incident", "==", incident], ...ofChannel];
  const stored = await store.query({ collection: ledgerCollection, where, limit: maxEntries });
  return stored.flatMap(({ id, fields }) => {
    const delivery = parseDelivery(fields);
    if (delivery === undefined) logger.warning(`notify ignores the delivery ${id}, its document cannot be read`);
    return delivery === undefined ? [] : [{ id, delivery }];
  });
}

/** Parses a document of the ledger; `undefined` if it is invalid. */
export function parseDelivery(fields: Fields | undefined): Delivery | undefined {
  return deliverySchema().safeParse(fields).data;
}

/** Returns the document fields of a delivery. */
export function deliveryFields(delivery: Delivery): Fields {
  return Object.fromEntries(
    Object.entries(delivery).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

const deliverySchema = lazily(() =>
  z.object({
    incident: z.string(),
    event: z.enum(incidentEventKinds),
    channel: z.string(),
    recipient: z.string().optional(),
    kind: z.string(),
    /** Sequence number of the event within its incident. */
    sequence: z.number(),
    /** Sequence numbers of earlier events that were not final for this reader when it was planned; absent in older entries. */
    follows: z.array(z.number()).readonly().optional(),
    /** When the event happened. */
    at: z.date(),
    /** Fingerprint of the incident at that time; absent in older entries. */
    moment: z.string().optional(),
    /** Title of the incident for this reader, fixed by the first notice. */
    title: z.string(),
    /** Severity of the incident at that time; absent in older entries. */
    severity: z.enum(severities).optional(),
    status: z.enum(deliveryStatuses),
    /** Why the reader is or is not notified. */
    reason: z.string(),
    /** The message, as JSON; rendered once, so that a late attempt still describes the state it was planned for. */
    payload: z.string().optional(),
    /** For lasting kinds and kinds with recipients: the settings used, as JSON. Later notices use them even if the configuration has changed. */
    settings: z.string().optional(),
    /** The receiver's identifiers for the notice, so that later ones can reply to it or update it. */
    reference: namedRecord(z.string(), z.string()).optional(),
    attempts: z.array(z.object({ at: z.date(), outcome: z.string(), answer: z.string() })).readonly(),
    /** Number of all attempts, including those no longer listed. */
    attempt_count: z.number(),
    /** End of the lease of the instance that is sending it. */
    lease_until: z.date().optional(),
    /** Start of the unbroken series of refusals that a person can correct. */
    refused_since: z.date().optional(),
    next_attempt_at: z.date().optional(),
    /** End of the time for which it was deliberately held back. */
    held_until: z.date().optional(),
    /** Why the next attempt waits, if not because of a failed attempt. */
    waits_for: z.string().optional(),
    /** Id of the entry that is sent in place of this one. */
    told_by: z.string().optional(),
    planned_at: z.date(),
    delivered_at: z.date().optional(),
    /** Time after which the store deletes the document. */
    expires_at: z.date(),
  }),
);

/** One event for one reader, with the history of its delivery. */
export type Delivery = z.output<ReturnType<typeof deliverySchema>>;
