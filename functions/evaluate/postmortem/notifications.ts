/** Describes who was notified, from the ledger of deliveries: one line, and any problems. */

import { readerName } from "../../../shared/documents/delivery-summary.ts";
import { list } from "../../../shared/text/sentences.ts";
import type { Account, DeliveryRecord } from "./account.ts";
import { between } from "./format.ts";
import { bullets, inline } from "./markdown.ts";

/** Maximum number of names in a sentence, and of failures. */
const maxNames = 12;
const maxFailures = 20;

/** Writes the section. */
export function notificationLines({ deliveries }: Account): (string | undefined)[] {
  if (deliveries.length === 0) return ["No notifications were recorded for this incident."];
  const events = [...Map.groupBy(deliveries, ({ sequence, event }) => `${sequence} ${event}`).values()];
  const last = events.findLast(([first]) => first?.event === "resolved");
  // A relapsed incident has earlier resolutions.
  const isEnd = (own: readonly DeliveryRecord[]): boolean => own === last || own[0]?.event === "opened";
  let before = "";
  const ends = events.filter(isEnd).flatMap((own) => {
    const reached = arrivals(own);
    if (reached === "") return [];
    const names = list(namesOf(own.filter(isDelivered), own), maxNames);
    // Resolutions are sent to those who received the opening.
    const shown = names === before ? reached.replace(names, "the same recipients") : reached;
    before = names;
    return [`${eventOf(own[0])} to ${shown}`];
  });
  const updates = events.filter((own) => !isEnd(own)).flatMap((own) => own.filter(isDelivered));
  const news =
    updates.length === 0 ? [] : [`updates to ${list(namesOf(updates, deliveries), maxNames)}: ${eventsOf(updates)}`];
  const line = [...ends.slice(0, 1), ...news, ...ends.slice(1)].join("; ");
  return [
    line === "" ? "No notification of this incident was delivered." : inline(`Delivered: ${line}.`),
    bullets([...failures(deliveries), ...muted(deliveries)].slice(0, maxFailures).map(inline)),
  ];
}

/** Formats deliveries: "`infra-email` and `ops-hook` after 35 s". @param own all deliveries of an event */
function arrivals(own: readonly DeliveryRecord[]): string {
  const byDelay = Map.groupBy(own.filter(isDelivered), ({ at, delivered_at, attempt_count }) => {
    const tries = attempt_count > 1 ? ` on attempt ${attempt_count}` : "";
    const atOnce = delivered_at !== null && delivered_at.getTime() - at.getTime() < 1_000;
    const delay = atOnce ? " immediately" : ` after ${between(at, delivered_at)}`;
    return `${delivered_at === null ? "" : delay}${tries}`;
  });
  return [...byDelay].map(([delay, some]) => `${list(namesOf(some, own), maxNames)}${delay}`).join(", ");
}

/** Counts events: "joined (3 times) and recovering". */
function eventsOf(own: readonly DeliveryRecord[]): string {
  const byEvent = Map.groupBy(own, eventOf);
  const counts = Array.from(byEvent, ([event, some]) => {
    const times = new Set(some.map(({ sequence }) => sequence)).size;
    return times === 1 ? event : `${event} (${times} times)`;
  });
  return list(counts, maxNames);
}

/** Lists undelivered notifications: "`hook` did not receive "resolved": 410 Gone." @param all deliveries of the incident */
function failures(all: readonly DeliveryRecord[]): string[] {
  const lost = all.filter(({ status }) => status !== "delivered" && status !== "suppressed");
  const stateOf = ({ status, reason }: DeliveryRecord): string => (status === "rejected" ? reason : "delivery pending");
  const alike = Map.groupBy(lost, (one) => `${eventOf(one)}\n${one.channel}\n${stateOf(one)}`);
  return Array.from(alike.values(), (some) => {
    const [first] = some;
    const of = all.filter(({ event, sequence }) => event === first?.event && sequence === first.sequence);
    return `${list(namesOf(some, of), maxNames)} did not receive "${eventOf(first)}": ${some.slice(0, 1).map(stateOf).join("")}.`;
  });
}

/** Readers who did not get the opening although a route matches: it was muted, or superseded by others. */
function muted(all: readonly DeliveryRecord[]): string[] {
  const kept = all.filter(
    ({ event, status, reason }) => event === "opened" && status === "suppressed" && !reason.startsWith("no route"),
  );
  return Array.from(
    Map.groupBy(kept, ({ reason }) => reason.replace(/\.$/, "")),
    ([reason, some]) => `${list(namesOf(some, all), maxNames)} did not receive "opened": ${reason}.`,
  );
}

function isDelivered({ status }: DeliveryRecord): boolean {
  return status === "delivered";
}

/** Returns the names of channels; if only some recipients of a channel are meant, the names of those. @param all deliveries that include the others */
function namesOf(some: readonly DeliveryRecord[], all: readonly DeliveryRecord[]): string[] {
  const recipients = (of: readonly DeliveryRecord[], channel: string): Set<string> =>
    new Set(of.filter((one) => one.channel === channel).map(readerName));
  const channels = [...new Set(some.map(({ channel }) => channel))];
  return channels.flatMap((channel) => {
    const own = recipients(some, channel);
    return own.size === recipients(all, channel).size ? [`\`${channel}\``] : [...own].map((name) => `\`${name}\``);
  });
}

function eventOf(delivery: DeliveryRecord | undefined): string {
  return delivery?.event.replaceAll("_", " ") ?? "";
}
