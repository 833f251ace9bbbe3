/** Receives incident events, and retries until every reader has been notified or has a recorded reason why not. */

import type { Reader } from "../../shared/documents/delivery-summary.ts";
import { readIncident } from "../../shared/documents/incident.ts";
import { isCanaryNotice } from "../../shared/messages/canary.ts";
import { type IncidentEvent, parseIncidentEvent } from "../../shared/messages/incident-event.ts";
import { parsePagesDue } from "../../shared/messages/pages-due.ts";
import { decodePush, type PushedMessage } from "../../shared/messages/push.ts";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { selfGroup } from "../../shared/monitor.ts";
import { swimlaneOf } from "../../shared/picture/swimlane.ts";
import type { Publisher, Timers } from "../../shared/ports.ts";
import { lazily } from "../../shared/runtime/lazily.ts";
import { TryAgain } from "../../shared/runtime/shell.ts";
import { realTimers } from "../../shared/runtime/timers.ts";
import { subscriptions, topics } from "../../shared/topology.ts";
import { arrivedCanary } from "./canary.ts";
import { abandon, type DeliveryWorld, deliver } from "./deliver/delivery.ts";
import { type Delivery, deliveryId, isFinal, type LedgerEntry, readLedger } from "./deliver/ledger.ts";
import { stateCollection } from "./deliver/pace.ts";
import { channelProblems, deadLetter, selfReport } from "./deliver/self-report.ts";
import { writeSummary } from "./deliver/summary.ts";
import { isAllClear, type NotificationPlan, plan } from "./plan/plan.ts";
import { withPresentState } from "./plan/present.ts";
import { candidates } from "./plan/readers.ts";
import { hasEnded } from "./plan/relapse.ts";
import { readSilences } from "./plan/silence.ts";
import { writePlan } from "./plan/write-plan.ts";

/** Dependencies of the notify function. */
export interface NotifyWorld extends DeliveryWorld {
  /** Publishes the notifier's reports about itself. */
  readonly publisher: Publisher;
  /** Writes the status pages with the present state. @default there are none */
  readonly refreshPages?: () => Promise<void>;
}

/** Maximum time that an event waits for the message of the opening, in milliseconds after its publication. */
export const patienceForOpeningMs: number = 15 * 60_000;

/**
 * Creates the handler of pushed messages: incident events; on `/retries`, pending notices of one channel; on `/pages`, the refresh of status
 * pages; and on `/dead-letters`, messages that could not be delivered.
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

/** Reports the arrival of a canary, after recording it: a notice that cannot be recorded is not sent. */
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

/** Retention of the last canary, in milliseconds. */
const canaryKept = 7 * 86_400_000;

async function refresh(message: PushedMessage, { configuration, refreshPages }: NotifyWorld): Promise<void> {
  if (parsePagesDue(message.data).environment !== configuration.environment) return;
  try {
    await refreshPages?.();
  } catch (cause) {
    throw new TryAgain(`a status page cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** Notifies all readers of an event once. A channel that fails is retried by a separate message, so that it delays no other. */
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
        attributes: { ...message.attributes, [channelAttribute]: channel },
      })),
    );
  });
}

/** Attribute with the name of the channel that has pending notices. */
const channelAttribute = "channel";

/** Retries one channel, or those of its recipients that are still pending. */
async function retry(message: PushedMessage, world: NotifyWorld): Promise<void> {
  const event = parseIncidentEvent(message.data);
  const ledger = await readLedger(world.store, event.incident, world.logger, message.attributes[channelAttribute]);
  const now = await deliverAll(event, ledger, concerns(event, ledger), isLastChance(message, "/retries"), world);
  const open = now.filter((delivery) => !isFinal(delivery));
  if (
    open.length > 0 &&
    open.every((one) => isHeldBack(one, world)) &&
    (message.deliveryAttempt ?? 0) >= maxWhileHeld
  ) {
    await world.publisher.publish(topics.retries, [{ data: event, attributes: message.attributes }]);
    return;
  }
  const waiting = open.map(({ channel, waits_for: reason }) =>
    reason === undefined ? channel : `${channel} (${reason})`,
  );
  if (waiting.length > 0)
    throw new TryAgain(`${event.event} of ${event.incident} is still pending for ${[...new Set(waiting)].join(", ")}`);
}

/**
 * Number of redeliveries of a held-back notice's message before it is published anew: the pauses double, and the last of them would exceed
 * the permitted delay of a notice.
 */
const maxWhileHeld = 7;

function isHeldBack({ held_until: until }: Delivery, { clock }: NotifyWorld): boolean {
  return until !== undefined && until.getTime() > clock.now();
}

/** Maximum number of recipients of one channel that are notified concurrently: servers refuse clients that open many connections. */
const atOnce = 4;

/**
 * Time after receipt of a message within which deliveries are started, in milliseconds. The last of them then end before the function times
 * out.
 */
const beginWithinMs = 30_000;

/** Time that slow channels are waited for before the finished ones are concluded, in milliseconds. A mail server may take minutes. */
const concludedAfterMs = 20_000;

/**
 * Advances the deliveries of an event as far as possible now. Channels run independently, so that a slow or broken one delays no other.
 * @param isOwn selects the ledger entries
 * @param andThen called once or twice with the deliveries of the finished channels: a channel that takes minutes comes later
 * @returns the deliveries in their new state
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
  const present = lazily(async () => withPresentState(event, await world.store.get("incidents", event.incident)));
  const context = { event, ledger, present, lastChance };
  const begun = world.clock.now();
  const results = new Map<LedgerEntry, PromiseSettledResult<Delivery>>();
  const work = async (queue: Iterable<LedgerEntry>): Promise<void> => {
    for (const entry of queue) {
      if (world.clock.now() - begun > beginWithinMs) return;
      const [result] = await Promise.allSettled([deliver(entry, context, world)]);
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
    // If all entries only wait, nothing has changed: the message that changes them updates the summary. A crashed attempt counts as a
    // change.
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
    // Recipients with the fewest attempts come first, so that one that hangs does not starve the others. The workers of a channel share one
    // iterator.
    const queue = entries.toSorted((a, b) => a.delivery.attempt_count - b.delivery.attempt_count).values();
    await Promise.all(Array.from({ length: atOnce }, () => work(queue)));
    for (const entry of entries) pending.delete(entry);
  });
  const all = Promise.all(working);
  if (await isOverWithin(all, concludedAfterMs, world.timers)) await finish(own);
  else {
    const [slow, done] = partition(own, (entry) => pending.has(entry));
    // A failure of the first part fails the message, but must not leave the second part unfinished.
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
 * Records the delivery summary on the incident, and reports notices that do not arrive. Repeated with every redelivery of the message,
 * because an instance may die in between; the evaluator accepts each report once.
 */
async function conclude(
  { event, incident }: IncidentEvent,
  now: readonly Delivery[],
  world: NotifyWorld,
): Promise<void> {
  await writeSummary(world.store, incident, world.logger);
  await reportProblems(`${incident}:${event}`, channelProblems(now, world.clock.now()), world);
}

async function reportProblems(id: string, problems: readonly ProbeResult[], world: NotifyWorld): Promise<void> {
  if (problems.length === 0) return;
  await world.publisher.publish(topics.measurements, [
    { data: selfReport(world.configuration.environment, id, problems) },
  ]);
}

/** Returns whether the event that must precede this one is planned: the opening or, after an all-clear, the relapse. */
function isBegun({ event, sequence }: IncidentEvent, ledger: readonly LedgerEntry[]): boolean {
  if (event === "opened") return true;
  const earlier = ledger.map(({ delivery }) => delivery).filter((one) => one.sequence < sequence);
  return earlier.length > 0 && (event === "regressed" || !hasEnded(earlier, 0));
}

/** Maximum number of times that an event is planned for readers that other instances add in the meantime. */
const planningRounds = 3;

/** Returns the ledger of the incident, with this event planned once for every reader, however often its message is delivered. */
async function plannedLedger(event: IncidentEvent, publishedAt: number, world: NotifyWorld): Promise<LedgerEntry[]> {
  const { store, logger } = world;
  let ledger = await readLedger(store, event.incident, logger);
  for (let round = 0; round < planningRounds; round++) {
    const isUnplanned = unplannedIn(ledger, event);
    const readers = candidates({ ...world, ledger }, isAllClear(event));
    if (!readers.some((reader) => isUnplanned({ ...reader, channel: reader.channel.name }))) return ledger;
    if (!isBegun(event, ledger) && world.clock.now() - publishedAt < patienceForOpeningMs) {
      throw new TryAgain(`${event.event} of ${event.incident} waits for the message of its opening`);
    }
    const { deliveries, suppressed } = await planFor(event, ledger, world);
    const missing = { deliveries: deliveries.filter(isUnplanned), suppressed: suppressed.filter(isUnplanned) };
    await writePlan(event, missing, world.clock.now(), store);
    ledger = await readLedger(store, event.incident, logger);
  }
  return ledger;
}

/** Returns which readers have no entry of an event. An entry for a whole channel, before its recipients had entries of their own, counts for each of them. */
function unplannedIn(ledger: readonly LedgerEntry[], event: IncidentEvent): (reader: Reader) => boolean {
  const ids = new Set(ledger.map(({ id }) => id));
  return ({ channel, recipient }) =>
    !ids.has(deliveryId(event, channel, recipient)) && !ids.has(deliveryId(event, channel));
}

async function planFor(
  event: IncidentEvent,
  ledger: readonly LedgerEntry[],
  { store, logger, clock, configuration, kinds, incidentLinks, answersUrl, pagesUrl }: NotifyWorld,
): Promise<NotificationPlan> {
  const document = await store.get("incidents", event.incident);
  const silences = isAllClear(event) ? [] : await readSilences(store, { id: event.incident, fields: document }, logger);
  const picture = lazily(() => document && swimlaneOf({ incident: readIncident(document), now: Date.parse(event.at) }));
  const context = { configuration, kinds, silences, ledger, incidentLinks, answersUrl, pagesUrl, picture };
  return plan(event, context, clock.now());
}

/** Returns whether an entry is that of the event for its reader, or the one sent in its place. */
function concerns(event: IncidentEvent, ledger: readonly LedgerEntry[]): (entry: LedgerEntry) => boolean {
  const own = ledger.filter(({ id, delivery }) => id === deliveryId(event, delivery.channel, delivery.recipient));
  const ids = new Set(own.flatMap(({ id, delivery }) => [id, ...(delivery.told_by ? [delivery.told_by] : [])]));
  return ({ id }) => ids.has(id);
}

/** Pub/Sub counts deliveries only approximately, so the last few all count as the last. */
function isLastChance({ deliveryAttempt }: PushedMessage, path: string): boolean {
  const limit = subscriptions.find((subscription) => subscription.path === path)?.maxDeliveryAttempts;
  return deliveryAttempt !== undefined && limit !== undefined && deliveryAttempt > limit - 5;
}

/**
 * Reports a dead-lettered message as an incident of the monitor. For incident events, the affected readers are known: their pending
 * deliveries are given up with the message, and the others are notified of that.
 */
async function announceDeadLetter(message: PushedMessage, world: NotifyWorld): Promise<void> {
  const { messageId, attributes, publishedAt, data } = message;
  world.logger.error(`a message could not be processed and is a dead letter: ${messageId}`, { messageId, attributes });
  // A report that itself fails would be reported in an endless loop.
  if (isOwnReport(readable(decodePush, data)?.data ?? data)) return;
  const event = readable(parseIncidentEvent, data);
  const now = event === undefined ? [] : await giveUp(event, message, world);
  const isKnown = now.some(({ status }) => status === "rejected");
  const problems = isKnown ? channelProblems(now, world.clock.now()) : [deadLetter(attributes, event, publishedAt)];
  await reportProblems(`dead-letter/${messageId}`, problems, world);
}

/** Gives up the pending deliveries of an event. @returns the result for each reader */
async function giveUp(event: IncidentEvent, message: PushedMessage, world: NotifyWorld): Promise<Delivery[]> {
  const ledger = await readLedger(world.store, event.incident, world.logger, message.attributes[channelAttribute]);
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
