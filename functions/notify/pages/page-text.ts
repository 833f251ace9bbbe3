/** What a status page says: plain words for everybody. No target, rule, measurement, cause, team or evidence is ever among them. */
import type { IncidentEvent, IncidentEventKind, IncidentStatus } from "../../../shared/messages/incident-event.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { asSentence, list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";

/** How a component is. */
export type ComponentState = "operational" | "degraded" | "down" | "recovering" | "unknown";

/** A component in words. */
export const stateWords: Readonly<Record<ComponentState, string>> = {
  operational: "Works",
  degraded: "Slower or less reliable",
  down: "Does not work",
  recovering: "Works again, being checked",
  unknown: "Not known",
};

/** Where an incident stands, in words. */
export const statusWords: Readonly<Record<IncidentStatus, string>> = {
  open: "Not over yet",
  acknowledged: "Being worked on",
  recovering: "Works again, being checked",
  resolved: "Over",
};

/** What an incident is called: `Disruption of Backend and Auth service`. */
export function incidentTitle(severity: Severity, titles: readonly string[]): string {
  const what = enumeration(titles);
  if (severity === "critical") return `Disruption of ${what}`;
  return severity === "warning" ? `${what} slower or less reliable` : `Notice about ${what}`;
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
const worse = "It has become worse. ";

/** An update as the first one of an incident, where it says how things are: there was nothing before that became worse. */
export function asFirst(text: string): string | undefined {
  return text.startsWith(worse) ? text.slice(worse.length) : undefined;
}

const updates: Readonly<Record<IncidentEventKind, (told: Told) => string>> = {
  opened: (told) => `${troubleOf(told)}${told.felt} We know about it.`,
  joined: ({ what, felt }) => `It reaches further than we first saw: ${what}.${felt}`,
  severity_raised: (told) => `${worse}${troubleOf(told)}${told.felt}`,
  root_cause_changed: () => "We know more about the cause.",
  acknowledged: () => "Somebody is working on it.",
  recovering: ({ what, are }) => `${what} ${are ? "work" : "works"} again. We are checking that it stays so.`,
  regressed: (told) => `It is not over yet. ${troubleOf(told)}${told.felt}`,
  resolved: ({ what, are, first_failure_at, resolved_at, good_seconds = 0 }) => {
    const lasted = Date.parse(resolved_at ?? "") - Date.parse(first_failure_at) - good_seconds * 1_000;
    const how = Number.isNaN(lasted) ? "" : ` It lasted ${spokenDuration(lasted)}.`;
    return `It is over: ${what} ${are ? "work" : "works"} again.${how}`;
  },
  reminder: ({ status }) => `It is not over yet.${workOf(status)}`,
  escalated: ({ status }) => `It is not over yet.${workOf(status)}`,
  status_update: (told) => `It is not over yet. ${troubleOf(told)}${told.felt}${workOf(told.status)}`,
};

/** That somebody works on it is said when somebody does. */
function workOf(status: IncidentStatus): string {
  return status === "acknowledged" ? " We go on working on it." : "";
}

function troubleOf({ severity, what, are }: Told): string {
  if (severity === "critical") return `${what} ${are ? "do" : "does"} not work as usual.`;
  if (severity === "warning") return `${what} ${are ? "are" : "is"} slower or less reliable than usual.`;
  return `We have noticed something about ${what}; nothing is disturbed.`;
}

/** Titles as people list them, each bounded. */
export function enumeration(titles: readonly string[]): string {
  return list(titles.map((title) => bounded(title, [], 80)));
}

function sentence(text: string): string {
  return asSentence(bounded(text));
}
