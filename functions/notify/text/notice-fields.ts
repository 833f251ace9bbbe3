/** The words of which notices are made, each bounded, on one line, and not yet escaped for any format. */

import type {
  IncidentEvent,
  IncidentEventKind,
  IncidentStatus,
  Verdict,
} from "../../../shared/messages/incident-event.ts";
import { dateFormat } from "../../../shared/text/formatters.ts";
import { bounded, longestText } from "../../../shared/text/redact.ts";
import type { TemplateField } from "../../../shared/text/template-fields.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import type { Notice } from "../channel.ts";

/** How much a notice may say; the incident has everything. */
export interface TextBudget {
  /** The most sentences of one list. */
  readonly sentences: number;
  /** The most characters of one text; a single sentence or name is never longer than `longestText`. */
  readonly characters: number;
}

/** What the fields of a notice say; empty where there is nothing to say. */
export function fieldsOf(notice: Notice, budget: TextBudget): Readonly<Record<TemplateField, string>> {
  const { event, timezone, rootCause, url } = notice;
  const environment = bounded(notice.environment);
  const since = localTime(event.first_failure_at, timezone);
  return {
    title: bounded(event.title, [], budget.characters),
    what: whatOf(notice, environment, budget),
    state: stateWords(notice),
    severity: event.severity,
    priority: event.priority,
    impact: event.status === "resolved" ? "" : bounded(event.impact, [], budget.characters),
    outlook: outlookOf[event.status],
    customers: customerWords(event, environment, since),
    cause: event.root_cause === "unknown" ? "" : boundedName(rootCause.title, budget),
    team: bounded(rootCause.team ?? ""),
    components: enumerate(
      event.components.map((name) => notice.components.find((one) => one.name === name)?.title ?? name),
      budget,
    ),
    // What rules are called is written by engineers for engineers.
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

/** What is said of a fire drill, so that nobody takes it for more, whatever they read and in whose words. */
function drillFields({ status, summary }: IncidentEvent, budget: TextBudget): Partial<Record<TemplateField, string>> {
  const isOver = status === "resolved";
  return {
    state: isOver ? "FIRE DRILL, over" : "FIRE DRILL",
    what: bounded(summary, [], budget.characters),
    outlook: isOver ? "It is over." : "It ends by itself within a few minutes.",
    customers: "Nothing: this is a fire drill.",
  };
}

/** Whether the notice is for readers who hear impact and outlook, and nothing that only those who mend it understand. */
export function isPlain({ audience = "engineers" }: Pick<Notice, "audience">): boolean {
  return audience !== "engineers";
}

/** An instant as people of that zone say it. Text that is no instant stays as it is. */
export function localTime(instant: string, timezone: string): string {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return bounded(instant);
  const local = dateFormat("en-GB", {
    timeZone: timezone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  }).format(time);
  return local.endsWith(" UTC") ? `${time.toISOString().slice(0, 16).replace("T", " ")} UTC` : local;
}

/** Sentences of a list, as many as there is room for, and how many were folded. */
export function shorten(list: readonly string[], budget: TextBudget): string[] {
  return fold(
    list.map((sentence) => withoutSeconds(boundedName(sentence, budget))),
    budget,
  );
}

/** As many items as there is room for, and how many were folded. */
export function fold(list: readonly string[], budget: TextBudget): string[] {
  const shown = list.slice(0, budget.sentences);
  const folded = list.length - shown.length;
  if (folded === 0) return shown;
  return [
    ...shown,
    shown.length === 0 ? `all ${folded} stand in the incident` : `… and ${folded} more, in the incident`,
  ];
}

/** The layer that is responsible. */
export const verdictOf: Readonly<Record<Verdict, string>> = {
  platform: "the platform",
  application: "the application",
  monitor: "the monitor itself",
  unknown: "not known yet",
};

const stateOf: Readonly<Record<IncidentEventKind, string>> = {
  opened: "NEW INCIDENT",
  joined: "OPEN, and wider than before",
  severity_raised: "OPEN, and worse than before",
  root_cause_changed: "OPEN, with another likely cause",
  acknowledged: "ACKNOWLEDGED",
  recovering: "RECOVERING, not yet validated",
  regressed: "OPEN AGAIN, the recovery did not last",
  resolved: "RESOLVED",
  reminder: "STILL OPEN",
  escalated: "ESCALATED, nobody has acknowledged",
  status_update: "STATUS UPDATE",
};

/** The first thing to read. It never says what the incident is not any more. */
function stateWords({ event, delay }: Notice): string {
  if (delay === "unheard") return "RESOLVED, before it could be told";
  const words = delay === "late" ? lateStateOf[event.status] : stateOf[event.event];
  if (event.event !== "reminder" && event.event !== "status_update") return words;
  return event.status === "open" ? words : `${words}, ${event.status}`;
}

/** Of an opening that could not be told before. */
const lateStateOf: Readonly<Record<IncidentStatus, string>> = {
  open: "STILL OPEN, told late",
  acknowledged: "ACKNOWLEDGED, told late",
  recovering: "RECOVERING, told late",
  resolved: "RESOLVED, told late",
};

function whatOf({ event, delay, timezone, ...notice }: Notice, environment: string, budget: TextBudget): string {
  if (delay === "unheard") {
    const [from, to] = [event.first_failure_at, event.resolved_at ?? event.at].map((at) => localTime(at, timezone));
    const how = event.severity === "critical" ? "was down" : "was in trouble";
    return `${environment} ${how} from ${from} to ${to}, and is over.`;
  }
  return isPlain(notice)
    ? plainState(event, environment)
    : withoutSeconds(bounded(event.summary, [], budget.characters));
}

/** A sentence with times to the minute: seconds stand in the incident. */
export function withoutSeconds(sentence: string): string {
  return sentence.replaceAll(/\b(\d{2}:\d{2}):\d{2}(?:\.\d+)?(?=Z| UTC|[ ,.;)]|$)/g, "$1");
}

const outlookOf: Readonly<Record<IncidentStatus, string>> = {
  open: "Nobody has taken it yet. How long it will take is not known.",
  acknowledged: "Somebody is working on it. How long it will take is not known.",
  recovering: "Service appears to be restored. The all-clear comes when every stage of the recovery has been proved.",
  resolved: "It is over.",
};

function plainState({ status, severity }: IncidentEvent, environment: string): string {
  if (status === "resolved") return `${environment} works again.`;
  if (status === "recovering") return `${environment} seems to work again; this is being checked.`;
  return severity === "critical" ? `${environment} does not work as it should.` : `${environment} needs attention.`;
}

/** Words for people outside. Neither cause nor impact: both are written for colleagues. */
function customerWords({ status, severity }: IncidentEvent, environment: string, since: string): string {
  if (status === "resolved") return `The trouble that began ${since} is over, and ${environment} works again.`;
  // That somebody works on it is said when somebody does.
  if (severity !== "critical")
    return `Nothing yet. Should somebody ask: ${status === "open" ? "we know about it" : "we are looking into it"}.`;
  const doing = doingOf[status];
  return `Since ${since} ${environment} does not work as it should. ${doing} We will tell you when it is over. (Promise no time: none is known.)`;
}

const doingOf: Readonly<Record<Exclude<IncidentStatus, "resolved">, string>> = {
  open: "We know about it.",
  acknowledged: "We are working on it.",
  recovering: "Service appears to be restored; we are verifying it.",
};

function lasted({ first_failure_at, resolved_at, at, good_seconds = 0 }: IncidentEvent): string {
  const duration = Date.parse(resolved_at ?? at) - Date.parse(first_failure_at) - good_seconds * 1_000;
  return Number.isNaN(duration) ? "" : spokenDuration(duration);
}

/** Names with commas, as many as there is room for. */
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
