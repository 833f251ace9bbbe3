/** What a status page says: plain words for everybody. No target, rule, measurement, cause, team or evidence is ever among them. */
import type { IncidentEvent, IncidentEventKind, IncidentStatus } from "../../../shared/messages/incident-event.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { asSentence, list } from "../../../shared/text/sentences.ts";
import { clockSpan, spokenDuration } from "../../../shared/text/units.ts";

/** How a component is. */
export type ComponentState = "operational" | "degraded" | "down" | "recovering" | "unknown";

/** A component in words. */
export const stateWords: Readonly<Record<ComponentState, string>> = {
  operational: "Operational",
  degraded: "Degraded",
  down: "Not working",
  recovering: "Recovering",
  unknown: "Not measured",
};

/** Where an incident stands, in words. */
export const statusWords: Readonly<Record<IncidentStatus, string>> = {
  open: "Ongoing",
  acknowledged: "Being worked on",
  recovering: "Recovering, being verified",
  resolved: "Resolved",
};

/** What an incident is called: `Disruption of Backend and Auth service`. */
export function incidentTitle(severity: Severity, titles: readonly string[]): string {
  const what = enumeration(titles);
  if (severity === "critical") return `Disruption of ${what}`;
  return severity === "warning" ? `Degradation of ${what}` : `Notice about ${what}`;
}

/** One thing that happened, told to everybody. Pure. */
export function updateText(
  event: Pick<IncidentEvent, "event" | "severity" | "status" | "first_failure_at" | "resolved_at" | "good_seconds">,
  titles: readonly string[],
  impacts: readonly string[],
): string {
  const what = enumeration(titles);
  const felt = impacts.length === 0 ? "" : ` ${impacts.map(sentence).join(" ")}`;
  return updates[event.event]({ what, are: titles.length > 1, felt, ...event });
}

interface Told
  extends Pick<IncidentEvent, "severity" | "status" | "first_failure_at" | "resolved_at" | "good_seconds"> {
  readonly what: string;
  /** Whether there is more than one. */
  readonly are: boolean;
  readonly felt: string;
}

/** Before what has become worse. */
const worse = "The problem has become worse. ";

/** An update as the first one of an incident, where it says how things are: there was nothing before that became worse. */
export function asFirst(text: string): string | undefined {
  return text.startsWith(worse) ? text.slice(worse.length) : undefined;
}

const updates: Readonly<Record<IncidentEventKind, (told: Told) => string>> = {
  opened: (told) => `${troubleOf(told)}${told.felt} We know about it.`,
  joined: ({ what, felt }) => `More is affected than we first saw: ${what}.${felt}`,
  severity_raised: (told) => `${worse}${troubleOf(told)}${told.felt}`,
  root_cause_changed: () => "We know more about the cause.",
  acknowledged: () => "We are working on it.",
  recovering: ({ what, are }) =>
    `${what} ${are ? "are" : "is"} working again. We are verifying that the recovery lasts.`,
  regressed: (told) => `The problem is back. ${troubleOf(told)}${told.felt}`,
  resolved: ({ what, are, first_failure_at, resolved_at, good_seconds = 0 }) => {
    const duration = lastedBetween(first_failure_at, resolved_at, good_seconds);
    const lasted = duration === undefined ? "" : ` The incident lasted ${duration}.`;
    return `Resolved: ${what} ${are ? "are" : "is"} working again.${lasted}`;
  },
  reminder: ({ status }) => `The incident is ongoing.${workOf(status)}`,
  escalated: ({ status }) => `The incident is ongoing.${workOf(status)}`,
  status_update: (told) => `The incident is ongoing. ${troubleOf(told)}${told.felt}${workOf(told.status)}`,
};

/** How long an incident lasted by clocks that show whole seconds, as all notices have it; `undefined` where that is not known. @param goodSeconds how long it was over in between */
export function lastedBetween(from: string, to: string | null | undefined, goodSeconds: number): string | undefined {
  const duration = clockSpan(Date.parse(from), Date.parse(to ?? "")) - goodSeconds * 1_000;
  return Number.isNaN(duration) ? undefined : spokenDuration(duration);
}

/** That somebody works on it is said when somebody does. */
function workOf(status: IncidentStatus): string {
  return status === "acknowledged" ? " We are still working on it." : "";
}

function troubleOf({ severity, what, are }: Told): string {
  const verb = are ? "are" : "is";
  if (severity === "critical") return `${what} ${verb} not working as usual.`;
  if (severity === "warning") return `${what} ${verb} slower or less reliable than usual.`;
  return `We have noticed something about ${what}. Nothing is disrupted.`;
}

/** Titles as people list them, each bounded. */
export function enumeration(titles: readonly string[]): string {
  return list(titles.map((title) => bounded(title, [], 80)));
}

function sentence(text: string): string {
  return asSentence(bounded(text));
}
