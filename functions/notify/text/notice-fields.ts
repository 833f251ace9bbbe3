/** The texts of which notices are composed: each bounded, on one line, and not yet escaped for any format. */

import type {
  IncidentEvent,
  IncidentEventKind,
  IncidentStatus,
  Verdict,
} from "../../../shared/messages/incident-event.ts";
import { monitorComponent } from "../../../shared/monitor.ts";
import { zonedMinute } from "../../../shared/text/formatters.ts";
import { bounded, longestText } from "../../../shared/text/redact.ts";
import { list } from "../../../shared/text/sentences.ts";
import type { TemplateField } from "../../../shared/text/template-fields.ts";
import { clockSpan, spokenDuration } from "../../../shared/text/units.ts";
import type { Notice } from "../channel.ts";

/** Maximum size of a notice's texts. The incident has the full texts. */
export interface TextBudget {
  /** Maximum number of sentences in a list. */
  readonly sentences: number;
  /** Maximum number of characters in a text. A single sentence or name is never longer than `longestText`. */
  readonly characters: number;
}

/** Returns the fields of a notice; empty for those without content. */
export function fieldsOf(notice: Notice, budget: TextBudget): Readonly<Record<TemplateField, string>> {
  const { event, timezone, rootCause, url } = notice;
  const environment = bounded(notice.environment);
  const since = localTime(event.first_failure_at, timezone);
  return {
    title: bounded(event.title, [], budget.characters),
    what: whatOf(notice, environment, budget),
    state: headingText(notice),
    severity: event.severity,
    priority: event.priority,
    // Its sentences are in the present tense, which no longer applies.
    impact: isBad(event) ? bounded(event.impact, [], budget.characters) : "",
    outlook: outlookOf[event.status],
    customers: customerText(notice, environment, since),
    cause: event.root_cause === "unknown" ? "" : boundedName(rootCause.title, budget),
    team: bounded(rootCause.team ?? ""),
    components: enumerate(
      event.components.map(
        (name) => [...notice.components, monitorComponent].find((one) => one.name === name)?.title ?? name,
      ),
      budget,
    ),
    // Rule names are written by engineers for engineers.
    alerts: isPlain(notice) ? "" : enumerate(event.alerts, budget),
    since,
    opened: localTime(event.opened_at, timezone),
    resolved: event.resolved_at === undefined ? "" : localTime(event.resolved_at, timezone),
    lasted: lasted(event),
    environment,
    incident: bounded(event.incident),
    link: url ?? "",
    ...(event.drill ? drillFields(event, budget) : {}),
  };
}

/** Returns the fields of a fire drill, marked so that no audience or template can mistake it for a real incident. */
function drillFields({ status, summary }: IncidentEvent, budget: TextBudget): Partial<Record<TemplateField, string>> {
  const isOver = status === "resolved";
  return {
    state: isOver ? "FIRE DRILL, over" : "FIRE DRILL",
    what: bounded(summary, [], budget.characters),
    outlook: isOver ? outlookOf.resolved : "It ends by itself within a few minutes.",
    customers: "Nothing: this is a fire drill.",
  };
}

/** Returns whether the notice is for readers of impact and outlook, without technical details. */
export function isPlain({ audience = "engineers" }: Pick<Notice, "audience">): boolean {
  return audience !== "engineers";
}

/** Formats an instant in a time zone. Text that is not an instant is returned unchanged. */
export function localTime(instant: string, timezone: string): string {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return bounded(instant);
  const local = zonedMinute(time, timezone, true);
  return local.endsWith(" UTC") ? `${time.toISOString().slice(0, 16).replace("T", " ")} UTC` : local;
}

/** Returns as many sentences of a list as fit, and the number of folded ones. */
export function shorten(list: readonly string[], budget: TextBudget): string[] {
  return fold(
    list.map((sentence) => withoutSeconds(boundedName(sentence, budget))),
    budget,
  );
}

/** Returns as many items as fit, and the number of folded ones. */
export function fold(list: readonly string[], budget: TextBudget): string[] {
  const shown = list.slice(0, budget.sentences);
  const folded = list.length - shown.length;
  if (folded === 0) return shown;
  return [...shown, shown.length === 0 ? `all ${folded} are in the incident` : `… and ${folded} more, in the incident`];
}

/** Labels of the responsible layer. */
export const verdictOf: Readonly<Record<Verdict, string>> = {
  platform: "the platform",
  application: "the application",
  monitor: "the monitor itself",
  unknown: "not known yet",
};

/** Heading of each incident status, before any addition by the event. */
const headOf: Readonly<Record<IncidentStatus, string>> = {
  open: "OPEN",
  acknowledged: "ACKNOWLEDGED",
  recovering: "RECOVERING, not yet validated",
  resolved: "RESOLVED",
};

/** Addition by an event to the status of an ongoing incident. */
const additionOf: Readonly<Partial<Record<IncidentEventKind, string>>> = {
  joined: ", and wider than before",
  severity_raised: ", and worse than before",
  root_cause_changed: ", with a different likely cause",
};

const openAgain = "OPEN AGAIN, the recovery did not last";

/** Returns the heading, which never states a past status. */
function headingText({ event: { event, status }, delay, isBack = false }: Notice): string {
  if (delay === "unannounced") return "RESOLVED before a notification could be delivered";
  if (delay === "late")
    return status === "open" ? "STILL OPEN, notified late" : `${status.toUpperCase()}, notified late`;
  if (status === "resolved" || (status === "recovering" && event !== "status_update")) return headOf[status];
  const besides = status === "open" ? "" : `, ${status}`;
  if (isBack) return openAgain;
  switch (event) {
    case "opened":
      return `NEW INCIDENT${besides}`;
    case "regressed":
      return openAgain;
    case "reminder":
      return `STILL OPEN${besides}`;
    case "status_update":
      return `STATUS UPDATE${besides}`;
    case "escalated":
      return status === "open" ? "ESCALATED, not acknowledged" : headOf[status];
    default:
      return `${headOf[status]}${additionOf[event] ?? ""}`;
  }
}

/** Returns whether the incident is still failing. */
export function isBad({ status }: IncidentEvent): boolean {
  return status === "open" || status === "acknowledged";
}

/** Returns whether the incident is about the monitor itself, and not about anything that users touch. */
function isOfMonitor({ verdict }: IncidentEvent): boolean {
  return verdict === "monitor";
}

function whatOf(notice: Notice, environment: string, budget: TextBudget): string {
  const { event, delay, timezone } = notice;
  if (delay === "unannounced") {
    const [from, to] = [event.first_failure_at, event.resolved_at ?? event.at].map((at) => localTime(at, timezone));
    const how = event.severity === "critical" ? "was down" : "was impaired";
    const what = isOfMonitor(event) ? `The monitoring of ${environment} was impaired` : `${environment} ${how}`;
    return `${what} from ${from} to ${to}, and is over.`;
  }
  return isPlain(notice)
    ? plainState(notice, environment)
    : withoutSeconds(bounded(event.summary, [], budget.characters));
}

/** Returns a sentence with times to the minute. The incident has the seconds. */
export function withoutSeconds(sentence: string): string {
  return sentence.replaceAll(/\b(\d{2}:\d{2}):\d{2}(?:\.\d+)?(?=Z| UTC|[ ,.;)]|$)/g, "$1");
}

const outlookOf: Readonly<Record<IncidentStatus, string>> = {
  open: "Nobody has acknowledged it yet. There is no estimate of when it will be resolved.",
  acknowledged: "Somebody is working on it. There is no estimate of when it will be resolved.",
  recovering: "Service appears to be restored. The all-clear follows when the recovery has been verified.",
  resolved: "It is resolved.",
};

/**
 * Names the affected components that users touch, or else all affected ones. The environment may have another incident, so this never claims
 * that everything works.
 */
function affected(
  { event, components }: Notice,
  environment: string,
): { readonly names: string; readonly are: string } {
  const known = components.filter(({ name }) => event.components.includes(name));
  const touched = known.filter(({ layer }) => layer === "application");
  const titles = (touched.length > 0 ? touched : known).map(({ title }) => bounded(title, [], 80));
  return { names: titles.length === 0 ? environment : list(titles), are: titles.length > 1 ? "are" : "is" };
}

function plainState(notice: Notice, environment: string): string {
  const { status, severity } = notice.event;
  if (isOfMonitor(notice.event)) {
    const monitoring = `The monitoring of ${environment}`;
    return isBad(notice.event) ? `${monitoring} needs attention.` : `${monitoring} is back to normal.`;
  }
  const { names, are } = affected(notice, environment);
  if (status === "resolved") return `${names} ${are} back to normal.`;
  if (status === "recovering") return `${names} ${are} apparently back to normal. This is being verified.`;
  return severity === "critical"
    ? `${environment} is not working properly.`
    : `${environment} has a problem that needs attention.`;
}

/** Returns the text for customers. It omits cause and impact, which are written for colleagues. */
function customerText(notice: Notice, environment: string, since: string): string {
  const { status, severity } = notice.event;
  if (isOfMonitor(notice.event)) return "Nothing: this concerns only our own monitoring.";
  if (status === "resolved") {
    const { names, are } = affected(notice, environment);
    return `The problem that began ${since} is over: ${names} ${are} back to normal.`;
  }
  if (severity !== "critical") return `Nothing yet. If somebody asks: ${answerOf[status]}`;
  const promise = "We will tell you when it is over. (Do not promise a time: there is no estimate.)";
  const what =
    status === "recovering"
      ? `${environment} had an outage that began ${since}.`
      : `Since ${since}, ${environment} has not been working properly.`;
  return `${what} ${answerOf[status]} ${promise}`;
}

/** The text says that somebody is working on it only if that is true. */
const answerOf: Readonly<Record<Exclude<IncidentStatus, "resolved">, string>> = {
  open: "We know about it.",
  acknowledged: "We are working on it.",
  recovering: "Service appears to be restored; we are verifying it.",
};

function lasted({ first_failure_at, resolved_at, at, good_seconds = 0 }: IncidentEvent): string {
  const duration = clockSpan(Date.parse(first_failure_at), Date.parse(resolved_at ?? at)) - good_seconds * 1_000;
  return Number.isNaN(duration) ? "" : spokenDuration(duration);
}

/** Joins names with commas, as many as fit. */
function enumerate(names: readonly string[], { characters }: TextBudget): string {
  let text = "";
  let shown = 0;
  for (const name of names) {
    const next = `${text}${text === "" ? "" : ", "}${bounded(name, [], Math.min(longestText, Math.floor(characters / 2)))}`;
    if (next.length > characters - ", and 1000 more".length) break;
    text = next;
    shown += 1;
  }
  return shown === names.length ? text : `${text}, and ${names.length - shown} more`;
}

function boundedName(text: string, budget: TextBudget): string {
  return bounded(text, [], Math.min(longestText, budget.characters));
}
