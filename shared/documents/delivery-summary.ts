/**
 * Delivery state of the notifications of an incident, in its document and in the ledger: written by the notifier, read by people and by the
 * evaluator.
 */

import type { Fields, Value } from "../ports.ts";
import { setEntry } from "../runtime/entries.ts";

/** Collection of the ledger: one document for each event and reader, notified or not. */
export const ledgerCollection = "deliveries";

/** A reader: a channel, or one recipient of a channel that has recipients. */
export interface Reader {
  /** Name of the channel. */
  readonly channel: string;
  /** The address of a mail channel; absent where the channel itself is the reader. */
  readonly recipient?: string | undefined;
}

/** Name of a reader: `ops`, or `infra (ann@example.com)`. */
export function readerName({ channel, recipient }: Reader): string {
  return recipient === undefined ? channel : `${channel} (${recipient})`;
}

/** Returns whether an entry of the ledger is final. */
export function isDone({ status }: { readonly status: string }): boolean {
  return status === "delivered" || status === "rejected" || status === "suppressed";
}

/** The numbers behind the last word on a channel. */
export interface DeliveryCounts {
  /** Number of ledger entries for this channel: sent, or withheld for a reason. */
  readonly entries: number;
  /** Number of final entries. */
  readonly done: number;
  /** Attempts at all of them. */
  readonly attempts: number;
  /** When the first notice arrived; absent while none has. */
  readonly firstAt?: Date;
  /** When the last notice arrived; absent while none has. */
  readonly lastAt?: Date;
  /** Of a channel with several recipients: how many of them the last notice could not be delivered to; absent where there are none. */
  readonly unreached?: number;
}

/** The last word on a channel: a sentence, and the numbers behind it. */
export interface DeliverySummary extends DeliveryCounts {
  readonly sentence: string;
}

/**
 * How early a reminder may be sent, in milliseconds: ticks come once a minute, and half a minute early is closer to the configured time than
 * the next tick.
 */
export const reminderSlackMs = 30_000;

/** Reads the state of the channels of an incident, by channel name, from the fields of its document; unreadable entries are left out. */
export function deliveryCountsOf(document: { readonly told?: Value | undefined }): Record<string, DeliveryCounts> {
  const read = Object.entries(mapOf(document.told)).flatMap(([channel, value]) => {
    const { entries, done, attempts, first_at: firstAt, last_at: lastAt, unreached } = mapOf(value);
    if (typeof entries !== "number" || typeof done !== "number" || typeof attempts !== "number") return [];
    const first = firstAt instanceof Date ? { firstAt } : {};
    const last = lastAt instanceof Date ? { lastAt } : {};
    const missed = typeof unreached === "number" ? { unreached } : {};
    return [[channel, { entries, done, attempts, ...first, ...last, ...missed }] as const];
  });
  return Object.fromEntries(read);
}

/** Returns the fields of the document of an incident with the latest state of some channels; the other channels keep theirs. */
export function withDeliverySummary(
  document: Readonly<Record<string, Value | undefined>>,
  news: Readonly<Record<string, DeliverySummary>>,
): Fields {
  const sentences: Record<string, Value> = { ...mapOf(document["deliveries"]) };
  const numbers: Record<string, Value> = { ...mapOf(document["told"]) };
  for (const [channel, { sentence, firstAt: first_at = null, lastAt: last_at = null, ...counts }] of Object.entries(
    news,
  )) {
    setEntry(sentences, channel, sentence);
    setEntry(numbers, channel, { ...counts, first_at, last_at });
  }
  return { deliveries: sentences, told: numbers };
}

function mapOf(value: Value | undefined): Fields {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
  return isMap ? (value as Fields) : {};
}
