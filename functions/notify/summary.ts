/** What the incident itself says of its deliveries: one sentence a channel. */
import type { Fields, Logger, Store } from "../../shared/ports.ts";
import type { Delivery } from "./ledger.ts";

/** The last word on each channel: the newest delivery that was not suppressed, or else the newest that was. Pure. */
export function summarize(ledger: readonly Delivery[]): Record<string, string> {
  const last = new Map<string, Delivery>();
  for (const delivery of ledger) {
    const known = last.get(delivery.channel);
    if (known === undefined || weight(delivery) > weight(known)) last.set(delivery.channel, delivery);
  }
  return Object.fromEntries([...last].map(([channel, delivery]) => [channel, sentence(delivery)]));
}

/** Writes the summary into the field `deliveries` of the incident, next to what other channels have there. */
export async function writeSummary(
  store: Store,
  incident: string,
  summary: Readonly<Record<string, string>>,
  logger: Logger,
): Promise<void> {
  const found = await store.transaction(async (transaction) => {
    const document = await transaction.get("incidents", incident);
    if (document === undefined) return false;
    const known = isMap(document["deliveries"]) ? document["deliveries"] : {};
    const changed = Object.entries(summary).some(([channel, text]) => known[channel] !== text);
    if (changed) transaction.update("incidents", incident, { deliveries: { ...known, ...summary } });
    return true;
  });
  if (!found) logger.warning(`notify finds no incident ${incident} to note its deliveries on`);
}

function weight({ sequence, status }: Delivery): number {
  return status === "suppressed" ? sequence - Number.MAX_SAFE_INTEGER : sequence;
}

function sentence({ event, status, reason, attempts, delivered_at, next_attempt_at }: Delivery): string {
  const what = event.replaceAll("_", " ");
  switch (status) {
    case "delivered":
      return `${what} delivered ${delivered_at === undefined ? "" : clockTime(delivered_at)}`.trim();
    case "rejected":
      return `${what} not delivered: ${reason}`;
    case "suppressed":
      return `${what} not sent: ${reason}`;
    case "retrying":
      return `${what} not delivered yet: ${attempts.at(-1)?.answer}, next attempt ${clockTime(next_attempt_at ?? new Date(0))}`;
    case "planned":
    case "sending":
      return `${what} on its way`;
  }
}

function clockTime(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
