/** Summarizes deliveries on the incident: one sentence for each channel, with the numbers behind it. */
import { isDeepStrictEqual } from "node:util";
import { type DeliverySummary, withDeliverySummary } from "../../../shared/documents/delivery-summary.ts";
import type { Logger, Store } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { list } from "../../../shared/text/sentences.ts";
import { type Delivery, isFinal, isWorse, mayHaveArrived, readLedger } from "./ledger.ts";

/**
 * Returns the summary of each channel: of the newest delivery that was not suppressed, or else of the newest that was; with several
 * recipients, of those with the worst status. Pure.
 */
export function summarize(ledger: readonly Delivery[]): Record<string, DeliverySummary> {
  const channels = Map.groupBy(ledger, ({ channel }) => channel);
  return Object.fromEntries([...channels].map(([channel, entries]) => [channel, stateOf(entries)]));
}

/**
 * Writes the summary of the ledger into the incident, and keeps that of other channels. Several instances write concurrently: the ledger is
 * read after the document, so that the last to commit has seen at least as much as all before.
 * @throws StoreError
 */
export async function writeSummary(store: Store, incident: string, logger: Logger): Promise<void> {
  const found = await store.transaction(async (transaction) => {
    const document = await transaction.get("incidents", incident);
    if (document === undefined) return false;
    const ledger = await readLedger(store, incident, logger);
    const fields = withDeliverySummary(document, summarize(ledger.map(({ delivery }) => delivery)));
    if (Object.entries(fields).some(([name, value]) => !isDeepStrictEqual(ownEntry(document, name), value))) {
      transaction.update("incidents", incident, fields);
    }
    return true;
  });
  if (!found) logger.warning(`notify finds no incident ${incident} to note its deliveries on`);
}

function stateOf(entries: readonly Delivery[]): DeliverySummary {
  const arrived = entries.flatMap(({ delivered_at }) => delivered_at ?? []).sort((a, b) => a.getTime() - b.getTime());
  const [firstAt] = arrived;
  const lastAt = arrived.at(-1);
  const lasts = [...Map.groupBy(entries, ({ recipient }) => recipient).values()].map((own) =>
    own.reduce((known, delivery) => (weight(delivery) > weight(known) ? delivery : known)),
  );
  const worst = lasts.reduce((known, delivery) => (isAbove(delivery, known) ? delivery : known));
  const alike = lasts.filter((delivery) => !isWorse(worst, delivery));
  const unreached = lasts.length > 1 ? lasts.filter(({ status }) => status === "rejected").length : 0;
  return {
    sentence: sentence(worst, alike.length < lasts.length ? alike : []),
    entries: entries.length,
    done: entries.filter(isFinal).length,
    attempts: entries.reduce((sum, { attempt_count }) => sum + attempt_count, 0),
    ...(firstAt === undefined ? {} : { firstAt }),
    ...(lastAt === undefined ? {} : { lastAt }),
    ...(unreached === 0 ? {} : { unreached }),
  };
}

function weight({ sequence, status }: Delivery): number {
  return status === "suppressed" ? sequence - Number.MAX_SAFE_INTEGER : sequence;
}

/** Returns whether a delivery has a worse status than another, or the same status and is newer. */
function isAbove(delivery: Delivery, other: Delivery): boolean {
  if (isWorse(delivery, other) || isWorse(other, delivery)) return isWorse(delivery, other);
  const arrived = (one: Delivery): number => one.delivered_at?.getTime() ?? 0;
  return (delivery.sequence - other.sequence || arrived(delivery) - arrived(other)) > 0;
}

/** Maximum number of recipients that are named. */
const maxNamed = 3;

/** @param those the recipients concerned, if others of the channel have a better status; empty if all are concerned */
function sentence(delivery: Delivery, those: readonly Delivery[]): string {
  const { event, status, reason, attempts, delivered_at, next_attempt_at, waits_for } = delivery;
  const what = event.replaceAll("_", " ");
  const names = list(
    those.flatMap(({ recipient }) => recipient ?? []),
    maxNamed,
  );
  const to = names === "" ? "" : ` to ${names}`;
  if (waits_for !== undefined)
    return `${what}${to} waits until ${clockTime(next_attempt_at ?? new Date(0))}: ${waits_for}`;
  switch (status) {
    case "delivered":
      return `${what} delivered${to} ${delivered_at === undefined ? "" : clockTime(delivered_at)}`.trim();
    case "rejected":
      return mayHaveArrived(delivery)
        ? `${what} possibly not delivered${to}: ${reason}`
        : `${what} not delivered${to}: ${reason}`;
    case "suppressed":
      return `${what} not sent${to}: ${reason}`;
    case "retrying":
      return `${what} not delivered yet${to}: ${attempts.at(-1)?.answer}, next attempt ${clockTime(next_attempt_at ?? new Date(0))}`;
    case "planned":
    case "sending":
      return `${what} on its way${to}`;
  }
}

function clockTime(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
