/** Receives what happened to incidents, and does not rest until every channel has been told or has a reason why not. */
import { type IncidentEvent, parseIncidentEvent } from "../../shared/messages/incident-event.ts";
import { parsePagesDue } from "../../shared/messages/pages-due.ts";
import { decodePush, type PushedMessage } from "../../shared/messages/push.ts";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { selfGroup } from "../../shared/monitor.ts";
import type { Publisher } from "../../shared/ports.ts";
import { TryAgain } from "../../shared/shell.ts";
import { subscriptions, topics } from "../../shared/topology.ts";
import { abandon, type DeliveryWorld, deliver } from "./delivery.ts";
import {
  type Delivery,
  deliveries,
  deliveryFields,
  deliveryId,
  isFinal,
  keptForMs,
  type LedgerEntry,
  momentOf,
  parseDelivery,
  readLedger,
} from "./ledger.ts";
import { isAllClear, type NotificationPlan, plan, type SuppressedDelivery } from "./plan.ts";
import { readSilences } from "./silence.ts";
import { summarize, writeSummary } from "./summary.ts";
import { channelTroubles, deadLetter, selfReport } from "./trouble.ts";

/** What the notify function needs of the world. */
export interface NotifyWorld extends DeliveryWorld {
  /** Takes what the notifier reports of itself. */
  readonly publisher: Publisher;
  /** Where people find incidents, with `${incident}` for the id of one. @default nowhere */
  readonly incidentLinks?: string | undefined;
  /** Writes the status pages as things stand. @default there are none */
  readonly refreshPages?: () => Promise<void>;
}

/** How long an event waits for the message of the opening, in milliseconds since it was published. */
export const patienceForOpeningMs: number = 15 * 60_000;

/**
 * Makes the handler of pushed messages: incident events, on `/retries` what a channel still owes of them, on `/pages` that status pages are
 * due, and on `/dead-letters` what could not be delivered.
 */
export function notifyHandler(world: NotifyWorld): (message: PushedMessage, path: string) => Promise<void> {
  return async (message, path) => {
    if (path === "/dead-letters") await announceDeadLetter(message, world);
    else if (path === "/pages") await refresh(message, world);
    else if (path === "/retries") await retry(message, world);
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

/** Tells everybody who is to be told, once. What a channel does not take at once goes another way, on which it delays nobody else. */
async function notify(message: PushedMessage, world: NotifyWorld): Promise<void> {
  const event = parseIncidentEvent(message.data);
  const ledger = await plannedLedger(event, message.publishedAt, world);
  const now = await deliverAll(event, ledger, concerns(event, ledger), isLastChance(message, "/notifications"), world);
  const waiting = now.filter((delivery) => !isFinal(delivery));
  if (waiting.length === 0) return;
  await world.publisher.publish(
    topics.retries,
    waiting.map(({ channel }) => ({ data: event, attributes: { ...message.attributes, [owing]: channel } })),
  );
}

/** The attribute that names the channel which still owes a notice. */
const owing = "channel";

/** Tries again to tell one channel. */
async function retry(message: PushedMessage, world: NotifyWorld): Promise<void> {
  const event = parseIncidentEvent(message.data);
  const ledger = await readLedger(world.store, event.incident, world.logger, message.attributes[owing]);
  const now = await deliverAll(event, ledger, concerns(event, ledger), isLastChance(message, "/retries"), world);
  const waiting = now
    .filter((delivery) => !isFinal(delivery))
    .map(({ channel, waits_for: reason }) => (reason === undefined ? channel : `${channel} (${reason})`));
  if (waiting.length > 0)
    throw new TryAgain(`${event.event} of ${event.incident} is not done for ${waiting.join(", ")}`);
}

/**
 * Takes the deliveries of an event as far as they can be taken now: each channel for itself, so that a slow or broken one delays nobody.
 * @param isOwn which entries of the ledger those are
 * @returns how they stand then
 */
async function deliverAll(
  event: IncidentEvent,
  ledger: readonly LedgerEntry[],
  isOwn: (entry: LedgerEntry) => boolean,
  lastChance: boolean,
  world: NotifyWorld,
): Promise<Delivery[]> {
  const [own, others] = partition(ledger, isOwn);
  const results = await Promise.allSettled(own.map((entry) => deliver(entry, ledger, lastChance, world)));
  const now = own.map(({ delivery }, at) => (results[at]?.status === "fulfilled" ? results[at].value : delivery));
  // Where all only wait, nothing is new, and whoever makes something new of it notes that. An attempt that fell over is news.
  const isNews = own.some(
    ({ delivery }, at) => now[at] !== delivery || isFinal(delivery) || results[at]?.status === "rejected",
  );
  if (isNews) await conclude(event, now, others, world);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return now;
}

/**
 * Notes on the incident how its notices stand, and reports those that do not arrive. Said again with every delivery of the message, because
 * an instance may die in between; the evaluator takes each of them once.
 */
async function conclude(
  { event, incident }: IncidentEvent,
  now: readonly Delivery[],
  others: readonly LedgerEntry[],
  world: NotifyWorld,
): Promise<void> {
  await noteOn(incident, now, others, world);
  await reportTrouble(`${incident}:${event}`, channelTroubles(now, world.clock.now()), world);
}

/** Notes on the incident how its notices stand. @param others the rest of its ledger */
function noteOn(
  incident: string,
  now: readonly Delivery[],
  others: readonly LedgerEntry[],
  { store, logger }: NotifyWorld,
): Promise<void> {
  return writeSummary(store, incident, summarize([...others.map(({ delivery }) => delivery), ...now]), logger);
}

async function reportTrouble(id: string, troubles: readonly ProbeResult[], world: NotifyWorld): Promise<void> {
  if (troubles.length === 0) return;
  await world.publisher.publish(topics.measurements, [
    { data: selfReport(world.configuration.environment, id, troubles) },
  ]);
}

/** The ledger of the incident, in which this event is planned: once, however often its message comes. */
async function plannedLedger(event: IncidentEvent, publishedAt: number, world: NotifyWorld): Promise<LedgerEntry[]> {
  const { store, logger, configuration, kinds, incidentLinks } = world;
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
  await writePlan(event, plan(event, { configuration, kinds, silences, ledger, incidentLinks }, now), now, world);
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
  event: IncidentEvent,
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
    moment: momentOf(event),
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

/** Pub/Sub counts deliveries only roughly, so the last few all count as the last. */
function isLastChance({ deliveryAttempt }: PushedMessage, path: string): boolean {
  const limit = subscriptions.find((subscription) => subscription.path === path)?.maxDeliveryAttempts;
  return deliveryAttempt !== undefined && limit !== undefined && deliveryAttempt > limit - 5;
}

/**
 * Makes a message that was given up an incident of the monitor. Of news of an incident it is known whom they did not reach: what was not done
 * for a channel is given up with the message, and is told to the others.
 */
async function announceDeadLetter(message: PushedMessage, world: NotifyWorld): Promise<void> {
  const { messageId, attributes, publishedAt, data } = message;
  world.logger.error(`a message could not be processed and is a dead letter: ${messageId}`, { messageId, attributes });
  // What cannot even be reported would be reported for ever.
  if (isOwnReport(readable(decodePush, data)?.data ?? data)) return;
  const event = readable(parseIncidentEvent, data);
  const lost = event === undefined ? [] : await giveUp(event, message, world);
  const troubles =
    lost.length > 0 ? channelTroubles(lost, world.clock.now()) : [deadLetter(attributes, event, publishedAt)];
  await reportTrouble(`dead-letter/${messageId}`, troubles, world);
}

/** Gives up what an event still owes. @returns what became of it, channel by channel */
async function giveUp(event: IncidentEvent, message: PushedMessage, world: NotifyWorld): Promise<Delivery[]> {
  const ledger = await readLedger(world.store, event.incident, world.logger, message.attributes[owing]);
  const [own, others] = partition(ledger, concerns(event, ledger));
  if (own.length === 0) return [];
  const now = await Promise.all(own.map((entry) => abandon(entry, world)));
  if (now.some((delivery) => !isFinal(delivery)))
    throw new TryAgain(`${event.event} of ${event.incident} is being sent`);
  await noteOn(event.incident, now, others, world);
  return now.filter(({ status }) => status === "rejected");
}

function isOwnReport(data: unknown): boolean {
  return typeof data === "object" && data !== null && "group" in data && data.group === selfGroup;
}

function readable<T>(parse: (data: unknown) => T, data: unknown): T | undefined {
  try {
    return parse(data);
  } catch {
    return undefined;
  }
}

function partition<T>(values: readonly T[], test: (value: T) => boolean): [T[], T[]] {
  return [values.filter(test), values.filter((value) => !test(value))];
}
