/** Writes the plan of an event into the ledger: each reader once, however often the message of the event is delivered. */
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { Store, Transaction } from "../../../shared/ports.ts";
import {
  type Delivery,
  deliveries,
  deliveryFields,
  keptForMs,
  type LedgerEntry,
  momentOf,
  parseDelivery,
} from "../deliver/ledger.ts";
import type { Hold } from "./hold.ts";
import type { NotificationPlan, SuppressedDelivery } from "./plan.ts";

/** Reason in the own entry of an event that is sent as an opening. */
const sentAsOpening = "sent as the opening, which had not been announced here";

/** Number of readers written in one transaction: their payloads, of 64 KB at most, stay within Firestore's commit limit. */
const readersAtOnce = 100;

/** The entry of an event for one reader and, if a late opening is sent in its place, the entry of the opening. */
interface Planned {
  readonly own: LedgerEntry;
  readonly opening?: LedgerEntry;
}

/**
 * Writes the entries of an event, and keeps those that a concurrent delivery of the message has written. A late opening replaces the entry
 * that recorded the opening as not sent.
 * @throws StoreError
 */
export async function writePlan(
  event: IncidentEvent,
  plan: NotificationPlan,
  now: number,
  store: Store,
): Promise<void> {
  const planned = [...plannedOf(event, plan, now)];
  for (let from = 0; from < planned.length; from += readersAtOnce) {
    const some = planned.slice(from, from + readersAtOnce);
    await store.transaction(async (transaction) => {
      const read = ({ id }: LedgerEntry): ReturnType<Transaction["get"]> => transaction.get(deliveries, id);
      const known = await Promise.all(some.map(({ own }) => read(own)));
      const before = await Promise.all(some.map(({ opening }) => opening && read(opening)));
      for (const [index, { own, opening }] of some.entries()) {
        if (known[index] !== undefined) continue;
        transaction.create(deliveries, own.id, deliveryFields(own.delivery));
        if (opening !== undefined) writeOpening(transaction, opening, parseDelivery(before[index]));
      }
    });
  }
}

function writeOpening(transaction: Transaction, { id, delivery }: LedgerEntry, before: Delivery | undefined): void {
  if (before === undefined) transaction.create(deliveries, id, deliveryFields(delivery));
  else if (before.status === "suppressed" || before.status === "rejected") {
    const { attempts, attempt_count } = before;
    transaction.set(deliveries, id, deliveryFields({ ...delivery, attempts, attempt_count }));
  }
}

function* plannedOf(event: IncidentEvent, plan: NotificationPlan, now: number): Iterable<Planned> {
  const opening = { ...event, event: "opened", sequence: 1 } as const;
  // The same for every reader and for the opening: it identifies the incident as shown, not the event.
  const moment = momentOf(event);
  for (const planned of plan.deliveries) {
    const { key: id, insteadOf, settings, hold } = planned;
    const payload = JSON.stringify(planned.payload);
    const state = { status: "planned", moment, payload, settings, ...heldFields(hold) } as const;
    if (insteadOf === undefined) yield { own: { id, delivery: entryOf(event, planned, now, state) } };
    else {
      const own = entryOf(event, { ...planned, reason: sentAsOpening }, now, {
        status: "suppressed",
        moment,
        told_by: id,
      });
      yield { own: { id: insteadOf, delivery: own }, opening: { id, delivery: entryOf(opening, planned, now, state) } };
    }
  }
  for (const omitted of plan.suppressed) {
    yield { own: { id: omitted.key, delivery: entryOf(event, omitted, now, { status: "suppressed", moment }) } };
  }
}

function heldFields(hold: Hold | undefined): Pick<Delivery, "held_until" | "next_attempt_at" | "waits_for"> {
  if (hold === undefined) return {};
  const until = new Date(hold.until);
  return { held_until: until, next_attempt_at: until, waits_for: hold.because };
}

function entryOf(
  event: IncidentEvent,
  { channel, recipient, kind, title, follows, reason }: SuppressedDelivery,
  now: number,
  state: Partial<Delivery> & Pick<Delivery, "status" | "moment">,
): Delivery {
  return {
    incident: event.incident,
    event: event.event,
    channel,
    recipient,
    kind,
    sequence: event.sequence,
    follows,
    at: new Date(event.at),
    severity: event.severity,
    title,
    reason,
    ...state,
    attempts: [],
    attempt_count: 0,
    planned_at: new Date(now),
    expires_at: new Date(now + keptForMs),
  };
}
