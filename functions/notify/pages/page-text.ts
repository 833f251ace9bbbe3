/** Texts of a status page: plain words for the public. They never contain a target, rule, measurement, cause, team or evidence. */
import type { IncidentEvent, IncidentEventKind, IncidentStatus } from "../../../shared/messages/incident-event.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { asSentence, list } from "../../../shared/text/sentences.ts";
import { clockSpan, spokenDuration } from "../../../shared/text/units.ts";

/** State of a component. */
export type ComponentState = "operational" | "degraded" | "down" | "recovering" | "unknown";

/** Labels of component states. */
export const stateLabels: Readonly<Record<ComponentState, string>> = {
  operational: "Operational",
  degraded: "Degraded",
  down: "Not working",
  recovering: "Recovering",
  unknown: "Not measured",
};

/** Labels of incident statuses. */
export const statusLabels: Readonly<Record<IncidentStatus, string>> = {
  open: "Ongoing",
  acknowledged: "Being worked on",
  recovering: "Recovering, being verified",
  resolved: "Resolved",
};

/** Returns the title of an incident: `Disruption of Backend and Auth service`. */
export function incidentTitle(severity: Severity, titles: readonly string[]): string {
  const what = enumeration(titles);
  if (severity === "critical") return `Disruption of ${what}`;
  return severity === "warning" ? `Degradation of ${what}` : `Notice about ${what}`;
}

/** Returns the public text of an event. Pure. */
export function updateText(
  event: Pick<IncidentEvent, "event" | "severity" | "status" | "first_failure_at" | "resolved_at" | "good_seconds">,
  titles: readonly string[],
  impacts: readonly string[],
): string {
  const what = enumeration(titles);
  const felt = impacts.length === 0 ? "" : ` ${impacts.map(sentence).join(" ")}`;
  return updates[event.event]({ what, are: titles.length > 1, felt, ...event });
}

interface UpdateFacts
  extends Pick<IncidentEvent, "severity" | "status" | "first_failure_at" | "resolved_at" | "good_seconds"> {
  readonly what: string;
  /** Whether there are several. */
  readonly are: boolean;
  readonly felt: string;
}

/** Prefix of updates after the severity was raised. */
const worse = "The problem has become worse. ";

/** Returns an update as the first of an incident, if it describes the state: nothing before it could have become worse. */
export function asFirst(text: string): string | undefined {
  return text.startsWith(worse) ? text.slice(worse.length) : undefined;
}

const updates: Readonly<Record<IncidentEventKind, (facts: UpdateFacts) => string>> = {
  opened: (facts) => `${disruptionSentence(facts)}${facts.felt} We know about it.`,
  joined: ({ what, felt }) => `More is affected than we first saw: ${what}.${felt}`,
  severity_raised: (facts) => `${worse}${disruptionSentence(facts)}${facts.felt}`,
  root_cause_changed: () => "We know more about the cause.",
  acknowledged: () => "We are working on it.",
  recovering: ({ what, are }) =>
    `${what} ${are ? "are" : "is"} working again. We are verifying that the recovery lasts.`,
  regressed: (facts) => `The problem is back. ${disruptionSentence(facts)}${facts.felt}`,
  resolved: ({ what, are, first_failure_at, resolved_at, good_seconds = 0 }) => {
    const duration = lastedBetween(first_failure_at, resolved_at, good_seconds);
    const lasted = duration === undefined ? "" : ` The incident lasted ${duration}.`;
    return `Resolved: ${what} ${are ? "are" : "is"} working again.${lasted}`;
  },
  reminder: ({ status }) => `The incident is ongoing.${workOf(status)}`,
  escalated: ({ status }) => `The incident is ongoing.${workOf(status)}`,
  status_update: (facts) => `The incident is ongoing. ${disruptionSentence(facts)}${facts.felt}${workOf(facts.status)}`,
};

/**
 * Returns the duration of an incident by clocks that show whole seconds, as in all notices; `undefined` if unknown.
 * @param goodSeconds time for which it was resolved in between
 */
export function lastedBetween(from: string, to: string | null | undefined, goodSeconds: number): string | undefined {
  const duration = clockSpan(Date.parse(from), Date.parse(to ?? "")) - goodSeconds * 1_000;
  return Number.isNaN(duration) ? undefined : spokenDuration(duration);
}

/** The text says that somebody is working on it only if that is true. */
function workOf(status: IncidentStatus): string {
  return status === "acknowledged" ? " We are still working on it." : "";
}

function disruptionSentence({ severity, what, are }: UpdateFacts): string {
  const verb = are ? "are" : "is";
  if (severity === "critical") return `${what} ${verb} not working as usual.`;
  if (severity === "warning") return `${what} ${verb} slower or less reliable than usual.`;
  return `We have noticed something about ${what}. Nothing is disrupted.`;
}

/** Joins titles into a list, each bounded. */
export function enumeration(titles: readonly string[]): string {
  return list(titles.map((title) => bounded(title, [], 80)));
}

function sentence(text: string): string {
  return asSentence(bounded(text));
}
