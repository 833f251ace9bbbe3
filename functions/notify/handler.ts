/** Receives what happened to incidents, and does not rest until every channel has been told or has a reason why not. */
import type { Configuration } from "../../shared/config/model.ts";
import { type IncidentEvent, parseIncidentEvent } from "../../shared/messages/incident-event.ts";
import { parsePagesDue } from "../../shared/messages/pages-due.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import { TryAgain } from "../../shared/shell.ts";
import { subscriptions } from "../../shared/topology.ts";
import { type DeliveryWorld, deliver } from "./delivery.ts";
import {
  type Delivery,
  deliveries,
  deliveryFields,
  deliveryId,
  isFinal,
  keptForMs,
  type LedgerEntry,
  parseDelivery,
  readLedger,
} from "./ledger.ts";
import { isAllClear, type NotificationPlan, plan, type SuppressedDelivery } from "./plan.ts";
import { readSilences } from "./silence.ts";
import { summarize, writeSummary } from "./summary.ts";

/** What the notify function needs of the world. */
export interface NotifyWorld extends DeliveryWorld {
  readonly configuration: Configuration;
  /** Writes the status pages as things stand. @default there are none */
  readonly refreshPages?: () => Promise<void>;
}

/** How long an event waits for the message of the opening, in milliseconds since it was published. */
export const patienceForOpeningMs: number = 15 * 60_000;

/** Makes the handler of pushed messages: incident events, on `/pages` that status pages are due, and on `/dead-letters` what could not be delivered. */
export function notifyHandler(world: NotifyWorld): (message: PushedMessage, path: string) => Promise<void> {
  return async (message, path) => {
    if (path === "/dead-letters") announceDeadLetter(message, world);
    else if (path === "/pages") await refresh(message, world);
    else await notify(message, world);
  };
}

async function refresh(message: PushedMessage, { configuration, refreshPages }: NotifyWorld): Promise<void> {
  if (parsePagesDue(message.data).environment !== configuration.environment) return;
  try {
    await refreshPages?.();
  } catch (cause) {
    throw new TryAgain(`a status page cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

async function notify(message: PushedMessage, world: NotifyWorld): Promise<void> {
  const event = parseIncidentEvent(message.data);
  const ledger = await plannedLedger(event, message.publishedAt, world);
  const [own, others] = partition(ledger, concerns(event, ledger));
  // Each channel for itself: a slow or broken one delays nobody.
  const results = await Promise.allSettled(own.map((entry) => deliver(entry, ledger, isLastChance(message), world)));
  const now = own.map(({ delivery }, at) => (results[at]?.status === "fulfilled" ? results[at].value : delivery));
  await writeSummary(
    world.store,
    event.incident,
    summarize([...others.map(({ delivery }) => delivery), ...now]),
    world.logger,
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
  const waiting = now.filter((delivery) => !isFinal(delivery)).map(({ channel }) => channel);
  if (waiting.length > 0)
    throw new TryAgain(`${event.event} of ${event.incident} is not done for ${waiting.join(", ")}`);
}

/** The ledger of the incident, in which this event is planned: once, however often its message comes. */
async function plannedLedger(event: IncidentEvent, publishedAt: number, world: NotifyWorld): Promise<LedgerEntry[]> {
  const { store, logger, configuration, kinds } = world;
  const now = world.clock.now();
  const ledger = await readLedger(store, event.incident, logger);
  if (ledger.some(({ id, delivery }) => id === deliveryId(event, delivery.channel))) return ledger;
  const begun = event.event === "opened" || ledger.some(({ delivery }) => delivery.sequence < event.sequence);
  if (!begun && now - publishedAt < patienceForOpeningMs) {
    throw new TryAgain(`${event.event} of ${event.incident} waits for the message of its opening`);
  }
  const silences = isAllClear(event)
    ? []
    : await readSilences(store, { id: event.incident, fields: await store.get("incidents", event.incident) }, logger);
  await writePlan(event, plan(event, { configuration, kinds, silences, ledger }, now), now, world);
  return readLedger(store, event.incident, logger);
}

/** Whether an entry is that of the event in its channel, or the one that tells it. */
function concerns(event: IncidentEvent, ledger: readonly LedgerEntry[]): (entry: LedgerEntry) => boolean {
  const own = ledger.filter(({ id, delivery }) => id === deliveryId(event, delivery.channel));
  const ids = new Set(own.flatMap(({ id, delivery }) => [id, ...(delivery.told_by ? [delivery.told_by] : [])]));
  return ({ id }) => ids.has(id);
}

/** What an event that is told as an opening has in its own entry. */
const toldAsOpening = "told as the opening, which had not been told here";

/**
 * Writes all documents of an event or none, and leaves alone what another delivery of the message has planned meanwhile. An opening that is
 * told late takes over the entry in which it stands that it was not told.
 */
async function writePlan(
  event: IncidentEvent,
  planned: NotificationPlan,
  now: number,
  { store }: NotifyWorld,
): Promise<void> {
  const late = planned.deliveries.filter(({ insteadOf }) => insteadOf !== undefined);
  const opening = { ...event, event: "opened", sequence: 1 } as const;
  const entries = [
    ...planned.deliveries.map((told) => {
      const of = told.insteadOf === undefined ? event : opening;
      return {
        id: told.key,
        delivery: entryOf(of, told, now, {
          status: "planned",
          payload: JSON.stringify(told.payload),
          settings: told.settings,
        }),
      };
    }),
    ...planned.suppressed.map((untold) => ({
      id: untold.key,
      delivery: entryOf(event, untold, now, { status: "suppressed" }),
    })),
    ...late.map(({ insteadOf = "", ...told }) => ({
      id: insteadOf,
      delivery: entryOf(event, { ...told, reason: toldAsOpening }, now, { status: "suppressed", told_by: told.key }),
    })),
  ];
  const revived = new Set(late.map(({ key }) => key));
  await store.transaction(async (transaction) => {
    const known = await Promise.all(entries.map(({ id }) => transaction.get(deliveries, id)));
    if (entries.some(({ id }, index) => known[index] !== undefined && !revived.has(id))) return;
    for (const [index, { id, delivery }] of entries.entries()) {
      const before = parseDelivery(known[index]);
      if (before === undefined) transaction.create(deliveries, id, deliveryFields(delivery));
      else if (before.status === "suppressed" || before.status === "rejected") {
        const { attempts, attempt_count } = before;
        transaction.set(deliveries, id, deliveryFields({ ...delivery, attempts, attempt_count }));
      }
    }
  });
}

function entryOf(
  event: Pick<IncidentEvent, "incident" | "event" | "sequence" | "at">,
  { channel, kind, title, reason }: SuppressedDelivery,
  now: number,
  state: Pick<Delivery, "status" | "payload" | "settings" | "told_by">,
): Delivery {
  return {
    incident: event.incident,
    event: event.event,
    channel,
    kind,
    sequence: event.sequence,
    at: new Date(event.at),
    title,
    reason,
    ...state,
    attempts: [],
    attempt_count: 0,
    planned_at: new Date(now),
    expires_at: new Date(now + keptForMs),
  };
}

/** Pub/Sub counts deliveries only roughly, so the last few all count as the last. */
function isLastChance({ deliveryAttempt }: PushedMessage): boolean {
  const limit = subscriptions.find(({ path }) => path === "/notifications")?.maxDeliveryAttempts;
  return deliveryAttempt !== undefined && limit !== undefined && deliveryAttempt > limit - 5;
}

function announceDeadLetter({ messageId, attributes }: PushedMessage, { logger }: NotifyWorld): void {
  logger.error(`a message could not be processed and is a dead letter: ${messageId}`, { messageId, attributes });
}

function partition<T>(values: readonly T[], test: (value: T) => boolean): [T[], T[]] {
  return [values.filter(test), values.filter((value) => !test(value))];
}
