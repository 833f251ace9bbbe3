/** The incident as people and the notifier read it: the document in Firestore and the event on the topic. */
import type { IncidentEvent, IncidentEventKind, Priority } from "../../shared/messages/incident-event.ts";
import type { Fields } from "../../shared/ports.ts";
import { spokenDuration } from "../../shared/units.ts";
import { impactsOf, type Plan, titleOf } from "./plan.ts";
import { asSentence, clockTime, dateTime, list } from "./sentences.ts";
import type { Incident } from "./state.ts";

/** Name of the collection of incidents. */
export const incidentCollection = "incidents";

/** The components of the alerts of an incident, each once, in the order in which they joined. */
export function componentsOf(incident: Incident): string[] {
  return [...new Set(Object.values(incident.alerts).map(({ component }) => component))];
}

/** Everything that was seen to fail: the components of alerts and symptoms, and the root cause first. */
export function affectedBy({ diagnosis, symptoms, ...incident }: Incident): string[] {
  const named = diagnosis.rootCause === "unknown" ? [] : [diagnosis.rootCause];
  const seen = Object.values(symptoms).map(({ component }) => component);
  const alerting = Object.values(incident.alerts).map(({ component }) => component);
  return [...new Set([...named, ...alerting, ...seen])];
}

/** The fields of the document that the evaluator owns; what operators and the notifier write stands beside them. */
export function documentOf(incident: Incident, plan: Plan): Fields {
  const { diagnosis } = incident;
  const end = incident.resolvedAt;
  return {
    title: incident.title,
    status: incident.status,
    severity: incident.severity,
    priority: priorityOf(incident, plan),
    summary: summaryOf(incident, plan),
    impact: impactOf(incident, plan),
    root_cause: diagnosis.rootCause,
    verdict: diagnosis.verdict,
    confidence: diagnosis.confidence,
    team: plan.graph.component(diagnosis.rootCause).team ?? null,
    evidence: diagnosis.evidence,
    whys: diagnosis.whys,
    components: affectedBy(incident),
    alerts: rulesOf(incident),
    environment: plan.configuration.environment,
    opened_at: new Date(incident.openedAt),
    first_failure_at: new Date(incident.firstFailureAt),
    acknowledged_at: instant(incident.acknowledgedAt),
    recovering_at: instant(incident.recoveringAt),
    resolved_at: instant(end),
    duration: end === undefined ? null : spokenDuration(end - incident.firstFailureAt),
    timeline: [...incident.timeline].sort((a, b) => a.at - b.at).map(({ at, text }) => `${dateTime(at)}  ${text}`),
    problem: incident.problem ?? null,
  };
}

/** One event of an incident, with the incident as it stands. */
export function eventOf(
  incident: Incident,
  event: IncidentEventKind,
  told: { at: number; change: string; occurrence: number; sequence: number },
  plan: Plan,
): IncidentEvent {
  const { diagnosis } = incident;
  return {
    v: 1,
    at: new Date(told.at).toISOString(),
    incident: incident.id,
    event,
    severity: incident.severity,
    root_cause: diagnosis.rootCause,
    verdict: diagnosis.verdict,
    confidence: diagnosis.confidence,
    components: affectedBy(incident),
    alerts: rulesOf(incident),
    summary: summaryOf(incident, plan),
    environment: plan.configuration.environment,
    sequence: told.sequence,
    occurrence: told.occurrence,
    change: told.change,
    title: incident.title,
    status: incident.status,
    priority: priorityOf(incident, plan),
    impact: impactOf(incident, plan),
    evidence: [...diagnosis.evidence],
    whys: [...diagnosis.whys],
    opened_at: new Date(incident.openedAt).toISOString(),
    first_failure_at: new Date(incident.firstFailureAt).toISOString(),
    ...(incident.resolvedAt === undefined ? {} : { resolved_at: new Date(incident.resolvedAt).toISOString() }),
  };
}

function rulesOf(incident: Incident): string[] {
  return [...new Set(Object.values(incident.alerts).map(({ rule }) => rule))];
}

function priorityOf(incident: Incident, plan: Plan): Priority {
  if (incident.severity === "critical") return impactsOf(plan, affectedBy(incident)).length > 0 ? "P0" : "P1";
  return incident.severity === "warning" ? "P2" : "P3";
}

function impactOf(incident: Incident, plan: Plan): string {
  const affected = affectedBy(incident);
  const total = plan.graph.names.length;
  const sentences = impactsOf(plan, affected).map(asSentence);
  return [...sentences, `${affected.length} of ${total} components are affected.`].join(" ");
}

/** One sentence or two: what is broken since when, why, and what it blocks. */
function summaryOf(incident: Incident, plan: Plan): string {
  const { rootCause, alsoBroken, verdict, confidence } = incident.diagnosis;
  const failing = affectedBy(incident).filter((name) => name !== rootCause);
  const titles = list(failing.map((name) => titleOf(plan, name)));
  const since = clockTime(incident.firstFailureAt);
  const over = incident.status === "resolved";
  const also = alsoBroken === undefined ? "" : ` and, by itself, ${titleOf(plan, alsoBroken)}`;
  const trust = `${verdict}, ${Math.round(confidence * 100)}% sure`;
  const cause =
    rootCause === "unknown"
      ? "The cause is not known."
      : `The ${over ? "" : "likely "}cause ${over ? "was" : "is"} ${titleOf(plan, rootCause)}${also} (${trust}).`;
  const what =
    titles === ""
      ? ""
      : `${titles} ${over ? "failed" : failing.length > 1 ? "are failing" : "is failing"} since ${since}. `;
  const [impact] = impactsOf(plan, affectedBy(incident));
  const over_ =
    over && incident.resolvedAt !== undefined
      ? ` It lasted ${spokenDuration(incident.resolvedAt - incident.firstFailureAt)}.`
      : "";
  return `${what}${cause}${impact === undefined || over ? "" : ` ${asSentence(impact)}`}${over_}`;
}

function instant(at: number | undefined): Date | null {
  return at === undefined ? null : new Date(at);
}
