/** Who was told of what, and who was not and why, from the ledger of deliveries. */

import { readerName } from "../../../shared/documents/delivery-summary.ts";
import { list } from "../../../shared/text/sentences.ts";
import type { Account, DeliveryRecord } from "./account.ts";
import { between, firstAndLast, moment } from "./format.ts";
import { bullets, inline, table } from "./markdown.ts";

/** The most rows, and the most names in one sentence. */
const mostRows = 40;
const mostNames = 12;

/** The section. */
export function notificationLines({ incident, deliveries }: Account): (string | undefined)[] {
  if (deliveries.length === 0) return ["Nobody: there are no notices of this incident."];
  const events = [...Map.groupBy(deliveries, ({ sequence, event }) => `${sequence} ${event}`).values()];
  const rows = events.map((own) => [
    moment(own[0]?.at ?? null, incident),
    inline(eventOf(own[0])),
    inline(arrivals(own) || "nobody"),
    inline(failures(own)),
  ]);
  const left = (count: number): string[] => ["", `${count} more events`, "", ""];
  const suppressed = reasons(deliveries);
  return [
    table(["at", "event", "told", "not delivered"], firstAndLast(rows, mostRows, left)),
    bullets(firstAndLast(suppressed, mostRows, (count) => `${count} more reasons`).map(inline)),
  ];
}

/** "`infra-email` and `ops-hook` after 35 s". @param own all deliveries of an event */
function arrivals(own: readonly DeliveryRecord[]): string {
  const told = own.filter(({ status }) => status === "delivered");
  const byDelay = Map.groupBy(told, ({ at, delivered_at, attempt_count }) => {
    const tries = attempt_count > 1 ? `, at attempt ${attempt_count}` : "";
    const atOnce = delivered_at !== null && delivered_at.getTime() - at.getTime() < 1_000;
    const delay = atOnce ? " at once" : ` after ${between(at, delivered_at)}`;
    return `${delivered_at === null ? "" : delay}${tries}`;
  });
  return [...byDelay].map(([delay, some]) => `${list(namesOf(some, own), mostNames)}${delay}`).join("; ");
}

/** Why readers were not told, with those together that share a reason for the same events. @param all deliveries of the incident */
function reasons(all: readonly DeliveryRecord[]): string[] {
  const suppressed = all.filter(({ status }) => status === "suppressed");
  const byReader = Map.groupBy(suppressed, (one) => `${readerName(one)}\n${kindOf(one.reason)}`);
  const missed = [...byReader.values()].flatMap((own) => {
    const [first] = own;
    const events = list([...new Set(own.map(eventOf))], mostNames);
    return first === undefined ? [] : [{ reader: first, what: `${events}: ${kindOf(first.reason)}` }];
  });
  return [...Map.groupBy(missed, ({ what }) => what)].map(([what, own]) => {
    const names = namesOf(
      own.map(({ reader }) => reader),
      all,
    );
    return `${list(names, mostNames)} ${names.length === 1 ? "was" : "were"} not told of ${what}.`;
  });
}

/** A reason without what differs from event to event. */
function kindOf(reason: string): string {
  return reason.startsWith("no route") ? "no route brings that there" : reason.replace(/\.$/, "");
}

function isLost({ status }: DeliveryRecord): boolean {
  return status !== "delivered" && status !== "suppressed";
}

/** "`infra`: 550 no such user". @param own all deliveries of an event */
function failures(own: readonly DeliveryRecord[]): string {
  const stateOf = ({ status, reason }: DeliveryRecord): string => (status === "rejected" ? reason : "on its way");
  const byChannel = Map.groupBy(own.filter(isLost), (one) => `${one.channel}\n${stateOf(one)}`);
  return [...byChannel.values()]
    .map((some) => `${list(namesOf(some, own), mostNames)}: ${some.slice(0, 1).map(stateOf).join("")}`)
    .join("; ");
}

/** The names of channels, with those of their recipients who are meant where it is not all of them. @param all in which the others are found */
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
