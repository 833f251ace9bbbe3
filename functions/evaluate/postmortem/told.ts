/** Who was told of what, and who was not and why, from the ledger of deliveries. */
import { list } from "../../../shared/sentences.ts";
import type { Account, DeliveryRecord } from "./account.ts";
import { bullets, inline, table } from "./markdown.ts";
import { between, firstAndLast, moment } from "./words.ts";

/** The most rows, and the most names in one sentence. */
const mostRows = 40;
const mostNames = 12;

/** The section. */
export function toldOf({ incident, deliveries }: Account): (string | undefined)[] {
  if (deliveries.length === 0) return ["Nobody: there are no notices of this incident."];
  const events = [...Map.groupBy(deliveries, ({ sequence, event }) => `${sequence} ${event}`).values()];
  const rows = events.map((own) => [
    moment(own[0]?.at ?? null, incident),
    inline(eventOf(own[0])),
    inline(arrivals(own) || "nobody"),
    inline(own.filter(isLost).map(failureOf).join("; ")),
  ]);
  const left = (count: number): string[] => ["", `${count} more events`, "", ""];
  const untold = reasons(deliveries.filter(({ status }) => status === "suppressed"));
  return [
    table(["at", "event", "told", "not delivered"], firstAndLast(rows, mostRows, left)),
    bullets(firstAndLast(untold, mostRows, (count) => `${count} more reasons`).map(inline)),
  ];
}

/** "`infra-email` and `ops-hook` after 35 s". */
function arrivals(own: readonly DeliveryRecord[]): string {
  const told = own.filter(({ status }) => status === "delivered");
  const byDelay = Map.groupBy(told, ({ at, delivered_at, attempt_count }) => {
    const tries = attempt_count > 1 ? `, at attempt ${attempt_count}` : "";
    const atOnce = delivered_at !== null && delivered_at.getTime() - at.getTime() < 1_000;
    const delay = atOnce ? " at once" : ` after ${between(at, delivered_at)}`;
    return `${delivered_at === null ? "" : delay}${tries}`;
  });
  return [...byDelay].map(([delay, some]) => `${list(some.map(nameOf), mostNames)}${delay}`).join("; ");
}

/** Why channels were not told, with those together that share a reason for the same events. */
function reasons(untold: readonly DeliveryRecord[]): string[] {
  const byChannel = Map.groupBy(untold, ({ channel, reason }) => `${channel}\n${kindOf(reason)}`);
  const missed = [...byChannel.values()].flatMap((own) => {
    const [first] = own;
    const events = list([...new Set(own.map(eventOf))], mostNames);
    return first === undefined ? [] : [{ channel: nameOf(first), what: `${events}: ${kindOf(first.reason)}` }];
  });
  return [...Map.groupBy(missed, ({ what }) => what)].map(([what, own]) => {
    const names = list(
      own.map(({ channel }) => channel),
      mostNames,
    );
    return `${names} ${own.length === 1 ? "was" : "were"} not told of ${what}.`;
  });
}

/** A reason without what differs from event to event. */
function kindOf(reason: string): string {
  return reason.startsWith("no route") ? "no route brings that there" : reason.replace(/\.$/, "");
}

function isLost({ status }: DeliveryRecord): boolean {
  return status !== "delivered" && status !== "suppressed";
}

function failureOf({ channel, status, reason }: DeliveryRecord): string {
  return status === "rejected" ? `\`${channel}\`: ${reason}` : `\`${channel}\`: on its way`;
}

function nameOf({ channel }: DeliveryRecord): string {
  return `\`${channel}\``;
}

function eventOf(delivery: DeliveryRecord | undefined): string {
  return delivery?.event.replaceAll("_", " ") ?? "";
}
