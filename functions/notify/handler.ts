/** Receives what happened to incidents, and does not rest until every reader has been told or has a reason why not. */

import type { Reader } from "../../shared/documents/delivery-summary.ts";
import { isCanaryNotice } from "../../shared/messages/canary.ts";
import { type IncidentEvent, parseIncidentEvent } from "../../shared/messages/incident-event.ts";
import { parsePagesDue } from "../../shared/messages/pages-due.ts";
import { decodePush, type PushedMessage } from "../../shared/messages/push.ts";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { selfGroup } from "../../shared/monitor.ts";
import type { Publisher, Timers } from "../../shared/ports.ts";
import { TryAgain } from "../../shared/runtime/shell.ts";
import { realTimers } from "../../shared/runtime/timers.ts";
import { subscriptions, topics } from "../../shared/topology.ts";
import { arrivedCanary } from "./canary.ts";
import { abandon, type DeliveryWorld, deliver, suppress } from "./deliver/delivery.ts";
import { type Delivery, deliveryId, isFinal, isSameReader, type LedgerEntry, readLedger } from "./deliver/ledger.ts";
import { stateCollection } from "./deliver/pace.ts";
import { writeSummary } from "./deliver/summary.ts";
import { channelTroubles, deadLetter, selfReport } from "./deliver/trouble.ts";
import { isAllClear, isOutdated, plan, standsInLater } from "./plan/plan.ts";
import { asOfNow } from "./plan/present.ts";
import { candidates } from "./plan/readers.ts";
import { readSilences } from "./plan/silence.ts";
import { writePlan } from "./plan/write-plan.ts";

/** What the notify function needs of the world. */
export interface NotifyWorld extends DeliveryWorld {
  /** Takes what the notifier reports of itself. */
  readonly publisher: Publisher;
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
    else if (isCanaryNotice(message.data)) await passCanary(message, world);
    else await notify(message, world);
  };
}

/** Reports that a canary has arrived, once that could be noted: a notice that cannot be noted is not sent. */
async function passCanary(
  { data }: PushedMessage,
  { configuration, clock, store, publisher }: NotifyWorld,
): Promise<void> {
  const now = clock.now();
  const report = arrivedCanary(data, configuration, now);
  if (report === undefined) return;
  await store.set(stateCollection, "canary-told", { report: report.report, expires_at: new Date(now + canaryKept) });
  await publisher.publish(topics.measurements, [{ data: report }]);
}

/** How long the last canary is kept, in milliseconds. */
const canaryKept = 7 * 86_400_000;

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
  const isOwn = concerns(event, ledger);
  await deliverAll(event, ledger, isOwn, isLastChance(message, "/notifications"), world, async (now) => {
    const waiting = now.filter((delivery) => !isFinal(delivery));
    if (waiting.length === 0) return;
    await world.publisher.publish(
      topics.retries,
      [...new Set(waiting.map(({ channel }) => channel))].map((channel) => ({
        data: event,
        attributes: { ...message.attributes, [owing]: channel },
      })),
    );
  });
}

/** The attribute that names the channel which still owes a notice. */
const owing = "channel";

/** Tries again to tell one channel, or those of its recipients that do not have it yet. */
async function retry(message: PushedMessage, world: NotifyWorld): Promise<void> {
  const event = parseIncidentEvent(message.data);
  const ledger = await readLedger(world.store, event.incident, world.logger, message.attributes[owing]);
  const now = await deliverAll(event, ledger, concerns(event, ledger), isLastChance(message, "/retries"), world);
  const open = now.filter((delivery) => !isFinal(delivery));
  if (
    open.length > 0 &&
    open.every((one) => isHeldBack(one, world)) &&
    (message.deliveryAttempt ?? 0) >= mostWhileHeld
  ) {
    await world.publisher.publish(topics.retries, [{ data: event, attributes: message.attributes }]);
    return;
  }
  const waiting = open.map(({ channel, waits_for: reason }) =>
    reason === undefined ? channel : `${channel} (${reason})`,
  );
  if (waiting.length > 0)
    throw new TryAgain(`${event.event} of ${event.incident} is not done for ${[...new Set(waiting)].join(", ")}`);
}

/**
 * How often the message of a notice that is held back is redelivered before it is published anew: the pauses between redeliveries double, and the
 * last of them would be longer than a notice may be late.
 */
const mostWhileHeld = 7;

function isHeldBack({ held_until: until }: Delivery, { clock }: NotifyWorld): boolean {
  return until !== undefined && until.getTime() > clock.now();
}

/** How many recipients of one channel are told at the same time: servers refuse who opens many connections. */
const atOnce = 4;

/** For how long after the message has come deliveries are begun, in milliseconds: the last of them end before the function is timed out. */
const beginWithinMs = 30_000;

/** How long channels are waited for before those that are done are concluded, in milliseconds: a mail server may take minutes. */
const concludedAfterMs = 20_000;

/**
 * Takes the deliveries of an event as far as they can be taken now: each channel for itself, so that a slow or broken one delays nobody.
 * @param isOwn which entries of the ledger those are
 * @param andThen what is done with those of the channels that are done, once or twice: a channel that takes minutes comes later
 * @returns how they stand then
 */
async function deliverAll(
  event: IncidentEvent,
  ledger: readonly LedgerEntry[],
  isOwn: (entry: LedgerEntry) => boolean,
  lastChance: boolean,
  world: NotifyWorld,
  andThen: (now: readonly Delivery[]) => Promise<void> = async () => {},
): Promise<Delivery[]> {
  const own = ledger.filter(isOwn);
  const isOpen = own.some(({ delivery }) => !isFinal(delivery));
  const document = isOpen ? await world.store.get("incidents", event.incident) : undefined;
  const occasion = { event, ledger, present: asOfNow(event, document), lastChance };
  const begun = world.clock.now();
  const results = new Map<LedgerEntry, PromiseSettledResult<Delivery>>();
  const work = async (queue: Iterable<LedgerEntry>): Promise<void> => {
    for (const entry of queue) {
      if (world.clock.now() - begun > beginWithinMs) return;
      const [result] = await Promise.allSettled([deliver(entry, occasion, world)]);
      results.set(entry, result);
    }
  };
  const states = (entries: readonly LedgerEntry[]): Delivery[] =>
    entries.map((entry) => {
      const result = results.get(entry);
      return result?.status === "fulfilled" ? result.value : entry.delivery;
    });
  const finish = async (entries: readonly LedgerEntry[]): Promise<void> => {
    const now = states(entries);
    // Where all only wait, nothing is new, and whoever makes something new of it notes that. An attempt that fell over is news.
    const isNews = entries.some(
      (entry, at) => now[at] !== entry.delivery || isFinal(entry.delivery) || results.get(entry)?.status === "rejected",
    );
    if (isNews) await conclude(event, now, world);
    const failure = entries.map((entry) => results.get(entry)).find((result) => result?.status === "rejected");
    if (failure?.status === "rejected") throw failure.reason;
    await andThen(now);
  };
  const pending = new Set(own);
  const queues = Map.groupBy(own, ({ delivery }) => delivery.channel);
  const working = [...queues.values()].map(async (entries) => {
    // Whoever was tried least comes first, so that no recipient that hangs starves the others. The workers of a channel share one iterator.
    const queue = entries.toSorted((a, b) => a.delivery.attempt_count - b.delivery.attempt_count).values();
    await Promise.all(Array.from({ length: atOnce }, () => work(queue)));
    for (const entry of entries) pending.delete(entry);
  });
  const all = Promise.all(working);
  if (await isOverWithin(all, concludedAfterMs, world.timers)) await finish(own);
  else {
    const [slow, done] = partition(own, (entry) => pending.has(entry));
    // A failure of the first part fails the message, and must not leave the second without its end.
    const [first] = await Promise.allSettled([finish(done)]);
    await all;
    await finish(slow);
    if (first.status === "rejected") throw first.reason;
  }
  return states(own);
}

async function isOverWithin(promise: Promise<unknown>, ms: number, timers: Timers = realTimers): Promise<boolean> {
  let cancel = (): void => {};
  const late = new Promise<false>((resolve) => {
    cancel = timers.after(ms, () => resolve(false));
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    cancel();
  }
}

/**
 * Notes on the incident how its notices stand, and reports those that do not arrive. Said again with every delivery of the message, because
 * an instance may die in between; the evaluator takes each of them once.
 */
async function conclude(
  { event, incident }: IncidentEvent,
  now: readonly Delivery[],
  world: NotifyWorld,
): Promise<void> {
  await writeSummary(world.store, incident, world.logger);
  await reportTrouble(`${incident}:${event}`, channelTroubles(now, world.clock.now()), world);
}

async function reportTrouble(id: string, troubles: readonly ProbeResult[], world: NotifyWorld): Promise<void> {
  if (troubles.length === 0) return;
  await world.publisher.publish(topics.measurements, [
    { data: selfReport(world.configuration.environment, id, troubles) },
  ]);
}

/** The ledger of the incident, in which this event is planned for every reader: once, however often its message comes. */
async function plannedLedger(event: IncidentEvent, publishedAt: number, world: NotifyWorld): Promise<LedgerEntry[]> {
  const { store, logger, configuration, kinds, incidentLinks, answersUrl, pagesUrl } = world;
  const now = world.clock.now();
  const ledger = await readLedger(store, event.incident, logger);
  const ids = new Set(ledger.map(({ id }) => id));
  // What was planned for a channel as a whole, before its recipients had entries of their own, is planned for each of them.
  const isUnplanned = ({ channel, recipient }: Reader): boolean =>
    !ids.has(deliveryId(event, channel, recipient)) && !ids.has(deliveryId(event, channel));
  const readers = candidates({ configuration, kinds, ledger }, isAllClear(event));
  if (!readers.some((reader) => isUnplanned({ ...reader, channel: reader.channel.name }))) return ledger;
  const begun = event.event === "opened" || ledger.some(({ delivery }) => delivery.sequence < event.sequence);
  if (!begun && now - publishedAt < patienceForOpeningMs) {
    throw new TryAgain(`${event.event} of ${event.incident} waits for the message of its opening`);
  }
  const document = await store.get("incidents", event.incident);
  const silences = isAllClear(event) ? [] : await readSilences(store, { id: event.incident, fields: document }, logger);
  const planned = plan(
    event,
    { configuration, kinds, silences, ledger, incidentLinks, answersUrl, pagesUrl, document },
    now,
  );
  const missing = {
    deliveries: planned.deliveries.filter(isUnplanned),
    suppressed: planned.suppressed.filter(isUnplanned),
  };
  await writePlan(event, missing, now, store);
  const written = await readLedger(store, event.incident, logger);
  // Whoever planned a later event meanwhile did not see this one, and does not wait for it.
  const passed = written.filter(({ id, delivery }) => {
    const later = written.filter((other) => !ids.has(other.id) && isSameReader(other.delivery, delivery));
    return (
      !ids.has(id) &&
      isOutdated(
        delivery,
        later.map((other) => other.delivery),
      )
    );
  });
  if (passed.length === 0) return written;
  await Promise.all(passed.map((entry) => suppress(entry, standsInLater, now, store)));
  return readLedger(store, event.incident, logger);
}

/** Whether an entry is that of the event for its reader, or the one that tells it. */
function concerns(event: IncidentEvent, ledger: readonly LedgerEntry[]): (entry: LedgerEntry) => boolean {
  const own = ledger.filter(({ id, delivery }) => id === deliveryId(event, delivery.channel, delivery.recipient));
  const ids = new Set(own.flatMap(({ id, delivery }) => [id, ...(delivery.told_by ? [delivery.told_by] : [])]));
  return ({ id }) => ids.has(id);
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
  const now = event === undefined ? [] : await giveUp(event, message, world);
  const isKnown = now.some(({ status }) => status === "rejected");
  const troubles = isKnown ? channelTroubles(now, world.clock.now()) : [deadLetter(attributes, event, publishedAt)];
  await reportTrouble(`dead-letter/${messageId}`, troubles, world);
}

/** Gives up what an event still owes. @returns what became of it, reader by reader */
async function giveUp(event: IncidentEvent, message: PushedMessage, world: NotifyWorld): Promise<Delivery[]> {
  const ledger = await readLedger(world.store, event.incident, world.logger, message.attributes[owing]);
  const own = ledger.filter(concerns(event, ledger));
  if (own.length === 0) return [];
  const now = await Promise.all(own.map((entry) => abandon(entry, world)));
  if (now.some((delivery) => !isFinal(delivery)))
    throw new TryAgain(`${event.event} of ${event.incident} is being sent`);
  await writeSummary(world.store, event.incident, world.logger);
  return now;
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
