/** Runs the notifier on virtual time, under faults, and checks its notifications. */
import type { VirtualWorld } from "../../cli/virtual/world.ts";
import type { Outgoing, Reply } from "../../functions/notify/channel.ts";
import { channels as kinds } from "../../functions/notify/channels/index.ts";
import {
  type Delivery,
  deliveryId,
  isFinal,
  type LedgerEntry,
  mayHaveArrived,
  parseDelivery,
} from "../../functions/notify/deliver/ledger.ts";
import { includedInResolution } from "../../functions/notify/deliver/order.ts";
import { paceOf } from "../../functions/notify/deliver/pace.ts";
import type { Send } from "../../functions/notify/deliver/send.ts";
import { summarize } from "../../functions/notify/deliver/summary.ts";
import { recipientsOf } from "../../functions/notify/plan/readers.ts";
import { revokedByRelapse } from "../../functions/notify/plan/relapse.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { type Reader, readerName } from "../../shared/documents/delivery-summary.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { Random } from "../simulation/random.ts";
import { keyOf, Receiver, type ReceiverFailure } from "../simulation/receivers.ts";
import type { Fate, FaultyPorts } from "../support/faulty-ports.ts";
import { announce, type Course, minute, notifierWorld, start } from "../support/notifier-world.ts";

const day = 24 * 60 * minute;

const course: Course = [
  ["opened", 0, { severity: "warning" }],
  ["severity_raised", 2, { severity: "critical", summary: "It is worse." }],
  ["root_cause_changed", 5, { severity: "critical", summary: "It is something else.", root_cause: "unknown" }],
  ["resolved", 40, { severity: "critical", status: "resolved", root_cause: "unknown" }],
];

/** One attempt at one notice, and its fault. */
export interface Attempt extends Reader {
  readonly receiver: Receiver;
  readonly notice: string;
  readonly key: string | undefined;
  readonly failure: ReceiverFailure;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Sends an attempt to its receiver. */
export type Transport = (outgoing: Outgoing, attempt: Attempt) => Promise<Reply>;

/** Recipients of the notifications, and their channels. */
export interface RunOptions {
  readonly configuration: Configuration;
  /** @default the receiver responds directly, without a network */
  readonly transport?: Transport;
}

/** Outcome of a run. */
export interface DeliveryRun {
  readonly configuration: Configuration;
  readonly world: VirtualWorld;
  readonly faults: FaultyPorts;
  /** By the names of readers. */
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly events: readonly IncidentEvent[];
  readonly ledger: readonly LedgerEntry[];
}

/**
 * Runs a number of incidents, one every two minutes, and then days in which every pending delivery can complete.
 * @param fate where a function crashes
 */
export async function runDelivery(
  chance: Random,
  incidents: number,
  fate: Fate,
  { configuration, transport }: RunOptions,
): Promise<DeliveryRun> {
  const readers = readersOf(configuration);
  const names = readers.map(readerName);
  const receivers = new Map(readers.map((reader) => [readerName(reader), new Receiver(reader.kind)]));
  // For an hour, two channels refuse everything.
  const stuck = [names[chance.below(names.length)], names[chance.below(names.length)]];
  const isStuck = (reader: Reader, at: number): boolean =>
    at - start < 60 * minute && stuck.includes(readerName(reader));
  const send: Send = async (outgoing, now) => {
    const notice = JSON.stringify(outgoing);
    const reader = planned.get(notice);
    const receiver = reader && receivers.get(readerName(reader));
    if (reader === undefined || receiver === undefined) throw new Error(`nobody planned ${notice}`);
    const failure = isStuck(reader, now) ? "refused" : nextFailure(chance);
    const key = keyOf(outgoing);
    return transport === undefined
      ? receiver.answer(notice, key, failure, now)
      : transport(outgoing, { ...reader, receiver, notice, key, failure, at: now });
  };
  const planned = new Map<string, Reader>();
  const { world, faults } = notifierWorld({
    configuration,
    send,
    fate,
    onEntry: (delivery) => {
      if (delivery.payload !== undefined) planned.set(delivery.payload, delivery);
    },
    // Events arrive twice, some retries arrive twice, and everything arrives out of order.
    arrivals: (topic) =>
      topic === "notifications" || chance.chance(0.1)
        ? [chance.below(20_000), chance.below(60_000)]
        : [chance.below(2_000)],
  });
  const events: IncidentEvent[] = [];
  for (let number = 0; number < incidents; number++) {
    const incident = `20250916-${String(number).padStart(6, "0")}-database`;
    events.push(...(await announce(world, incident, start + number * 2 * minute, course)));
  }
  await world.run(start + 3 * day);
  const stored = await world.store.query({ collection: "deliveries", limit: 100_000 });
  const ledger = stored.map(({ id, fields }) => ({ id, delivery: parseDelivery(fields) as Delivery }));
  return { configuration, world, faults, receivers, events, ledger };
}

/** Returns every channel, and each recipient of those with several. */
function readersOf({ channels }: Configuration): (Reader & { readonly kind: string })[] {
  return channels.flatMap((channel): (Reader & { readonly kind: string })[] => {
    const reader = { channel: channel.name, kind: channel.kind };
    const recipients = recipientsOf(channel, kinds);
    return recipients.length === 0 ? [reader] : recipients.map((recipient) => ({ ...reader, recipient }));
  });
}

/** Returns the errors of a run, in sentences. */
export async function violations({ configuration, world, receivers, events, ledger }: DeliveryRun): Promise<string[]> {
  const violations = [...world.mishaps];
  const entries = new Map(ledger.map(({ id, delivery }) => [id, delivery]));
  for (const event of events) {
    for (const { channel, recipient } of readersOf(configuration)) {
      const id = deliveryId(event, channel, recipient);
      if (!entries.has(id)) violations.push(`${id} is not in the ledger`);
    }
  }
  for (const { id, delivery } of ledger) {
    const receiver = receivers.get(readerName(delivery));
    violations.push(...(receiver === undefined ? [`${id} is of no reader`] : entryViolations(id, delivery, receiver)));
  }
  for (const reader of readersOf(configuration)) {
    const own = ledger.map(({ delivery }) => delivery).filter((one) => readerName(one) === readerName(reader));
    const receiver = receivers.get(readerName(reader));
    if (receiver !== undefined) violations.push(...orderViolations(reader, receiver, own, configuration));
  }
  // The deliveries in the incidents match the ledger.
  for (const [incident, own] of Map.groupBy(ledger, ({ delivery }) => delivery.incident)) {
    const document = await world.store.get("incidents", incident);
    for (const [channel, { sentence }] of Object.entries(summarize(own.map(({ delivery }) => delivery)))) {
      const recorded = (document?.["deliveries"] as Record<string, string> | undefined)?.[channel];
      if (recorded !== sentence)
        violations.push(`${incident} says of ${channel} "${recorded}" and should say "${sentence}"`);
    }
  }
  return violations;
}

/** Compares one ledger entry with the log of its receiver. */
function entryViolations(id: string, delivery: Delivery, receiver: Receiver): string[] {
  if (!isFinal(delivery)) return [`${id} is ${delivery.status}`];
  const { status, reason, payload, attempts, attempt_count: count } = delivery;
  const arrived = receiver.arrivals.filter(({ notice }) => notice === payload);
  if (status === "delivered") {
    if (arrived.length === 0) return [`${id} is delivered, and did not arrive`];
    const isUnsure = attempts.some(({ outcome }) => outcome === "lost" || outcome === "retry");
    if (arrived.length > 1 && arrived[0]?.key !== undefined) return [`${id} arrived ${arrived.length} times`];
    return arrived.length > 1 && !isUnsure ? [`${id} arrived twice without a reason`] : [];
  }
  if (status === "rejected") {
    const refusal = receiver.refusals.get(payload ?? "");
    // Errors that a person can correct are retried for a while; a mail that may have arrived is retried only once.
    const isGivenUp = /^(gave up after|may have arrived)/.test(reason);
    if (!isGivenUp && (refusal === undefined || !reason.startsWith(String(refusal)))) {
      return [`${id} is rejected, and its receiver did not refuse it: ${reason}`];
    }
    return [];
  }
  if (
    !/^(superseded|never announced here|not due|included in the opening|sent as the opening|the resolution was already|limit: |no route: |it is about)/.test(
      reason,
    )
  ) {
    return [`${id} is suppressed without a known reason: ${reason}`];
  }
  // A superseded notification in flight may have arrived; one that was never attempted has not.
  return count === 0 && arrived.length > 0 ? [`${id} is suppressed, and arrived`] : [];
}

/** Checks the order in which a reader received the events of each incident, the keys of its notices, and the rate limit. */
function orderViolations(
  reader: Reader,
  { arrivals }: Receiver,
  own: readonly Delivery[],
  configuration: Configuration,
): string[] {
  const violations: string[] = [];
  const name = readerName(reader);
  const byPayload = new Map(own.map((delivery) => [delivery.payload, delivery]));
  const lastSequence = new Map<string, number>();
  const seen = new Set<string>();
  const keys = new Map<string, string>();
  for (const { notice, key } of arrivals) {
    const delivery = byPayload.get(notice);
    if (delivery === undefined) {
      violations.push(`${name} got what the ledger does not have: ${notice}`);
      continue;
    }
    if (key !== undefined && keys.get(key) !== undefined && keys.get(key) !== notice) {
      violations.push(`${name} got two notices with the key ${key}`);
    }
    if (key !== undefined) keys.set(key, notice);
    const { incident, event, sequence } = delivery;
    // Without an idempotency key, a duplicate cannot be recognized.
    if (seen.has(notice)) continue;
    seen.add(notice);
    const last = lastSequence.get(incident) ?? 0;
    if (sequence < last) violations.push(`${name} heard of ${incident} ${event} after what came later`);
    // Without a response, only the receiver knows that nothing arrived.
    const isUnsure = own.some((other) => other.incident === incident && other !== delivery && mayHaveArrived(other));
    // If the opening could not be sent in time, one notification reports the incident and its end.
    const isBoth = own.some((other) => other.incident === incident && other.reason === includedInResolution);
    if (event === "resolved" && last === 0 && !isUnsure && !isBoth)
      violations.push(`${name} heard that ${incident} is over, and not that it began`);
    lastSequence.set(incident, Math.max(last, sequence));
  }
  const { perMinute, atOnce } = paceOfChannel(reader.channel, configuration);
  for (const [index, { at }] of arrivals.entries()) {
    const within = arrivals.slice(index).findIndex((later) => later.at - at >= minute);
    if (within > perMinute + atOnce) violations.push(`${name} got ${within} notices within a minute`);
  }
  // A reader notified of an incident is notified of its end, unless the receiver rejected it. An end superseded by a relapse does not count.
  const cameBack = (end: Delivery): boolean =>
    end.reason === revokedByRelapse &&
    own.some(
      ({ incident, event, sequence }) => incident === end.incident && event === "regressed" && sequence > end.sequence,
    );
  for (const end of own) {
    if (end.event === "resolved" && end.status === "suppressed" && lastSequence.has(end.incident) && !cameBack(end))
      violations.push(`${name} is not told that ${end.incident} is over: ${end.reason}`);
  }
  return violations;
}

function paceOfChannel(
  channel: string,
  configuration: Configuration,
): { readonly perMinute: number; readonly atOnce: number } {
  const configured = configuration.channels.find(({ name }) => name === channel);
  return paceOf(configured ?? {}, kinds[configured?.kind ?? ""] ?? {});
}

/** Frequency of each fault, in percent. */
const failureShares: readonly (readonly [NonNullable<ReceiverFailure>, number])[] = [
  ["refused", 6],
  ["reset", 5],
  ["slow", 4],
  ["too many", 7],
  ["broken", 7],
  ["unwanted", 1],
  ["answer lost", 6],
  ["answer late", 4],
];

/** Returns the next fault, at random. */
function nextFailure(chance: Random): ReceiverFailure {
  let rest = chance.next() * 100;
  for (const [failure, share] of failureShares) {
    rest -= share;
    if (rest < 0) return failure;
  }
  return undefined;
}
