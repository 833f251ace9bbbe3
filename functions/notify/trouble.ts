/** What the notifier reports of itself: notices that do not reach a channel, and messages that were given up. They become incidents of the monitor. */
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { ProbeResult, Report } from "../../shared/messages/report.ts";
import { channelProbe, channelRule, deadLettersProbe, monitorComponent, selfGroup } from "../../shared/monitor.ts";
import { bounded } from "../../shared/redact.ts";
import { spokenDuration } from "../../shared/units.ts";
import type { Delivery } from "./ledger.ts";

/** How long a notice may be tried before people hear that it does not arrive, in milliseconds. */
export const lateAfterMs: number = 15 * 60_000;

/** What deliveries show of their channels: those that were rejected, or are late, and those that arrived after having been late. Pure. */
export function channelTroubles(deliveries: readonly Delivery[], now: number): ProbeResult[] {
  return deliveries.flatMap((delivery) => {
    const { event, incident, status, reason, attempts, attempt_count, planned_at, delivered_at } = delivery;
    const last = attempts.at(-1);
    const at = last?.at ?? planned_at;
    const what = named({ event, incident });
    const lateMs = (delivered_at?.getTime() ?? now) - planned_at.getTime();
    if (status === "rejected") return [failed(delivery.channel, at, `${what} was not delivered: ${reason}`)];
    // What was overtaken is not owed any more, however long it was tried.
    if (status === "suppressed" || attempt_count === 0 || lateMs < lateAfterMs) return [];
    if (status === "delivered") return [result(channelProbe(delivery.channel), at)];
    const tried = `${what} has been tried for ${spokenDuration(lateMs)}: ${last?.answer}`;
    return [failed(delivery.channel, at, tried)];
  });
}

/**
 * What is to be said of a message that was given up.
 * @param event the news that it was, where it was news of an incident
 * @param at when that was, in milliseconds since the epoch
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
      ? `${by ?? "a function"} could not read a message: ${reason ?? "it does not say why"}`
      : `a message to ${from} was given up${count === undefined ? "" : ` after ${count} attempts`}`;
  const lost = event === undefined ? "" : `: ${named(event)}`;
  return failed(undefined, new Date(at), `${text}${lost}`);
}

/** The report with these results, for the topic `measurements`. @param id the same for the same news */
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

/** Whether an incident of the monitor is about notices that do not reach this channel. */
export function isAbout({ root_cause, alerts }: IncidentEvent, channel: string): boolean {
  return root_cause === monitorComponent.name && alerts.includes(channelRule(channel));
}

function named({ event, incident }: Pick<IncidentEvent, "event" | "incident">): string {
  return `${event.replaceAll("_", " ")} of ${incident}`;
}

function failed(channel: string | undefined, at: Date, text: string): ProbeResult {
  const probe = channel === undefined ? deadLettersProbe : channelProbe(channel);
  return {
    ...result(probe, at),
    success: false,
    failure: { kind: "internal", phase: "delivery", message: bounded(text) },
  };
}

function result(probe: string, at: Date): ProbeResult {
  return { probe, component: monitorComponent.name, at: at.toISOString(), success: true, measurements: [] };
}
