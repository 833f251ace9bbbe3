/** The ledger of deliveries: one document for each event and reader, told or not, written to be read in the console. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { ledgerCollection, type Reader } from "../../../shared/documents/delivery-summary.ts";
import { type IncidentEvent, incidentEventKinds } from "../../../shared/messages/incident-event.ts";
import { severities } from "../../../shared/messages/severity.ts";
import type { Fields, Filter, Logger, Store } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";

// The evaluator reads the ledger as well: where it is, and when an entry is done, both know from one place.
export { isDone as isFinal, ledgerCollection as deliveries } from "../../../shared/documents/delivery-summary.ts";

/** How long the ledger is kept, in milliseconds: longer than anyone asks why a notice did or did not come. */
export const keptForMs: number = 90 * 86_400_000;

/** How many attempts a document shows; the newest. */
export const shownAttempts = 20;

/** The most entries of one incident that are read: more than there are of 50 recipients with an event every hour for a week. */
const mostEntries = 10_000;

/** Where a delivery stands. `delivered`, `rejected` and `suppressed` are final. */
export const deliveryStatuses = ["planned", "sending", "retrying", "delivered", "rejected", "suppressed"] as const;

/** One of the statuses of a delivery. */
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** Whether two readers are the same. An entry without a recipient was told to the whole channel, and so to each of its recipients. */
export function isSameReader(a: Reader, b: Reader): boolean {
  const isSameRecipient = a.recipient === undefined || b.recipient === undefined || a.recipient === b.recipient;
  return a.channel === b.channel && isSameRecipient;
}

/** The outcome of an attempt of which nobody knows whether it arrived: the answer never came, or whoever waited for it died. */
export const unsure = "lost";

/** What stands in the place of an answer where whoever waited for it died: it may have sent nothing. */
export const didNotComeBack = "the instance that was sending did not come back";

/** Whether the other side has it, or may have it: from an instance that did not come back as well. Who refuses it in the end has not taken it before. */
export function mayHaveArrived({ status, attempts }: Delivery): boolean {
  if (status === "delivered" || status === "sending") return true;
  return attempts.some(({ outcome }) => outcome === unsure) && attempts.at(-1)?.outcome !== "rejected";
}

/** Whether the reader has it or is about to get it. */
export function isTelling({ status }: Delivery): boolean {
  return status !== "suppressed" && status !== "rejected";
}

/** Whether the reader has it, is about to get it, or may have got it before it was given up. */
export function isKnowing(delivery: Delivery): boolean {
  return isTelling(delivery) || mayHaveArrived(delivery);
}

/** From the best to the worst that may become of a delivery. */
const fromBestToWorst: readonly DeliveryStatus[] = [
  "suppressed",
  "delivered",
  "planned",
  "sending",
  "retrying",
  "rejected",
];

/** Whether it stands worse with a delivery than with another one, of another reader. */
export function isWorse({ status }: Delivery, other: Delivery): boolean {
  return fromBestToWorst.indexOf(status) > fromBestToWorst.indexOf(other.status);
}

/** The deliveries with one for each event and channel: that of the recipient with whom it stands worst. Keeps the order. */
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

/** The id of the document of an event for a reader: `incident:event:channel` or `incident:event:channel:recipient`, with `event-2` for its second occurrence. */
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

/** A fingerprint of the incident as an event shows it: alike for all events of one moment. */
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
 * Everything the ledger holds on an incident. A document that cannot be read is left out, with a warning.
 * @param channel of this channel only; without it, of all
 */
export async function readLedger(
  store: Store,
  incident: string,
  logger: Logger,
  channel?: string,
): Promise<LedgerEntry[]> {
  const ofChannel: readonly Filter[] = channel === undefined ? [] : [["channel", "==", channel]];
  const where: readonly Filter[] = [["incident", "==", incident], ...ofChannel];
  const stored = await store.query({ collection: ledgerCollection, where, limit: mostEntries });
  return stored.flatMap(({ id, fields }) => {
    const delivery = parseDelivery(fields);
    if (delivery === undefined) logger.warning(`notify ignores the delivery ${id}, its document cannot be read`);
    return delivery === undefined ? [] : [{ id, delivery }];
  });
}

/** Reads a document of the ledger; `undefined` where it is none. */
export function parseDelivery(fields: Fields | undefined): Delivery | undefined {
  return deliverySchema().safeParse(fields).data;
}

/** The fields of the document of a delivery. */
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
    /** Of the event within its incident. */
    sequence: z.number(),
    /** When the event happened. */
    at: z.date(),
    /** What the incident was like then, as a fingerprint; absent in entries of before there were such. */
    moment: z.string().optional(),
    /** What the incident is called for this reader, from the first notice on. */
    title: z.string(),
    /** Of the incident then; absent in entries of before there were such. */
    severity: z.enum(severities).optional(),
    status: z.enum(deliveryStatuses),
    /** Why it is told, or why it is not. */
    reason: z.string(),
    /** What is sent, as JSON; rendered once, so that a late attempt still tells the state it was meant to tell. */
    payload: z.string().optional(),
    /** Of a lasting kind, or one with recipients: the settings it was told with, as JSON. They still lead there when the configuration has others. */
    settings: z.string().optional(),
    /** What the other side calls the notice: what follows may answer it or change it. */
    reference: namedRecord(z.string(), z.string()).optional(),
    attempts: z.array(z.object({ at: z.date(), outcome: z.string(), answer: z.string() })).readonly(),
    /** All attempts, also those no longer shown. */
    attempt_count: z.number(),
    /** Until then the delivery belongs to the instance that is sending it. */
    lease_until: z.date().optional(),
    /** Since when every attempt was refused for what a person can correct. */
    refused_since: z.date().optional(),
    next_attempt_at: z.date().optional(),
    /** Until when it was held back on purpose. */
    held_until: z.date().optional(),
    /** Why there is no attempt before then, where it is not that one has failed. */
    waits_for: z.string().optional(),
    /** Of an event that is told by another entry: the id of that entry. */
    told_by: z.string().optional(),
    planned_at: z.date(),
    delivered_at: z.date().optional(),
    /** The store deletes the document after that. */
    expires_at: z.date(),
  }),
);

/** One event for one reader, with everything that became of it. */
export type Delivery = z.output<ReturnType<typeof deliverySchema>>;
