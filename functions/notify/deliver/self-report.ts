/**
 * Reports of the notifier about itself: notices that do not reach a channel, and messages that were given up. They become incidents of the
 * monitor.
 */

import { type Reader, readerName } from "../../../shared/documents/delivery-summary.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { ProbeResult, Report } from "../../../shared/messages/report.ts";
import { channelProbe, channelRule, deadLettersProbe, monitorComponent, selfGroup } from "../../../shared/monitor.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { type Delivery, isFinal, mayHaveArrived } from "./ledger.ts";

/** Time that a notice is retried before its delay is reported, in milliseconds. */
export const lateAfterMs: number = 15 * 60_000;

/**
 * Returns the delivery problems of an event's readers: notices that were rejected, are refused or late, and those that arrived after being
 * late. If no recipient of a channel is reached, the problem is reported for the channel. Pure.
 */
export function channelProblems(deliveries: readonly Delivery[], now: number): ProbeResult[] {
  return [...Map.groupBy(deliveries, ({ channel }) => channel).values()].flatMap((own) => {
    const isWhole = own.every(
      (delivery) =>
        delivery.status === "rejected" || isRefused(delivery) || (!isFinal(delivery) && isLate(delivery, now)),
    );
    return own.flatMap((delivery) => problemsOf(delivery, isWhole ? { channel: delivery.channel } : delivery, now));
  });
}

/** @param reader the reader that is not reached, or is reached again */
function problemsOf(delivery: Delivery, reader: Reader, now: number): ProbeResult[] {
  const { event, incident, status, reason, attempts, attempt_count, planned_at, recipient } = delivery;
  const last = attempts.at(-1);
  const at = last?.at ?? planned_at;
  const what = named({ event, incident });
  const to = recipient === undefined ? "" : ` to ${recipient}`;
  const name = readerName(reader);
  if (status === "rejected") {
    const how = mayHaveArrived(delivery) ? "may not have been delivered" : "was not delivered";
    return [failed(channelProbe(name), at, `${what} ${how}${to}: ${reason}`)];
  }
  if (isRefused(delivery)) return [failed(channelProbe(name), at, `${what} was refused${to}: ${last?.answer}`)];
  // A superseded notice is no longer due, however long it was retried.
  const isProblem = isLate(delivery, now) || attempts.some(({ outcome }) => outcome === "rejected");
  if (status === "suppressed" || attempt_count === 0 || !isProblem) return [];
  // A delivered notice proves that the channel works, even if other recipients are still pending.
  if (status === "delivered") {
    return [...new Set([name, delivery.channel])].map((reached) => result(channelProbe(reached), at));
  }
  const tried = `${what} has been retried for ${spokenDuration(now - planned_at.getTime())}${to}: ${last?.answer}`;
  return [failed(channelProbe(name), at, tried)];
}

/** Returns whether it was refused for a reason that a person can correct. */
function isRefused({ status, refused_since }: Delivery): boolean {
  return status === "retrying" && refused_since !== undefined;
}

function isLate({ delivered_at, planned_at, held_until = planned_at }: Delivery, now: number): boolean {
  return (delivered_at?.getTime() ?? now) - held_until.getTime() >= lateAfterMs;
}

/**
 * Returns the report of a message that was given up.
 * @param event the event in the message, if it was one of an incident
 * @param at time of giving up, in milliseconds since the epoch
 */
export function deadLetter(
  attributes: Readonly<Record<string, string>>,
  event: IncidentEvent | undefined,
  at: number,
): ProbeResult {
  const { CloudPubSubDeadLetterSourceSubscription: from, CloudPubSubDeadLetterSourceDeliveryCount: count } = attributes;
  const { function: by, reason } = attributes;
  const text =
    from === undefined
      ? `${by ?? "a function"} could not read a message: ${reason ?? "no reason given"}`
      : `a message to ${from} was abandoned${count === undefined ? "" : ` after ${count} attempts`}`;
  const lost = event === undefined ? "" : `: ${named(event)}`;
  return failed(deadLettersProbe, new Date(at), `${text}${lost}`);
}

/** Returns the report with these results, for the topic `measurements`. @param id the same for the same message */
export function selfReport(environment: string, id: string, results: readonly ProbeResult[]): Report {
  const instants = results.map(({ at }) => at).sort();
  return {
    v: 1,
    report: `${environment}/${selfGroup}/${id}`,
    environment,
    vantage: "outside",
    group: selfGroup,
    trigger: "schedule",
    started_at: instants[0] ?? new Date(0).toISOString(),
    finished_at: instants.at(-1) ?? new Date(0).toISOString(),
    results: [...results],
  };
}

/** Returns whether an incident of the monitor is about notices that do not reach this reader. */
export function isAbout({ root_cause, alerts }: IncidentEvent, reader: Reader): boolean {
  return root_cause === monitorComponent.name && alerts.includes(channelRule(readerName(reader)));
}

function named({ event, incident }: Pick<IncidentEvent, "event" | "incident">): string {
  return `${event.replaceAll("_", " ")} of ${incident}`;
}

function failed(probe: string, at: Date, text: string): ProbeResult {
  return {
    ...result(probe, at),
    success: false,
    failure: { kind: "internal", phase: "delivery", message: bounded(text) },
  };
}

function result(probe: string, at: Date): ProbeResult {
  return { probe, component: monitorComponent.name, at: at.toISOString(), success: true, measurements: [] };
}
