/** The incident as people and the notifier read it: the document in Firestore and the event on the topic. */
import { type EvaluatorFields, readIncident } from "../../../../shared/documents/incident.ts";
import type { IncidentEvent, IncidentEventKind, Priority } from "../../../../shared/messages/incident-event.ts";
import type { Fields } from "../../../../shared/ports.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import { asSentence } from "../../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../../shared/text/units.ts";
import type { Symptom } from "../../cause/diagnosis.ts";
import { isDrill } from "../../monitor/drill.ts";
import { isOfMonitor, monitorImpact, monitorSummary } from "../../monitor/incident-text.ts";
import { impactsOf, type Plan, titleOf } from "../../plan.ts";
import { recoveryFields } from "../recovery/recovery-record.ts";
import type { Incident, TimelineEntry } from "../state.ts";
import { changeFields, logPatternFields } from "./change-fields.ts";
import { affectedFields, findingFields, symptomFields } from "./impact.ts";
import { clockTime, dateTime } from "./instants.ts";
import { onsetSentences } from "./onset-text.ts";
import { firstAcknowledged, goodBetween, lastedUntil } from "./relapses.ts";

/** The components of the alerts of an incident, each once, in the order in which they joined. */
export function componentsOf(incident: Incident): string[] {
  return [...new Set(Object.values(incident.alerts).map(({ component }) => component))];
}

/**
 * Symptoms to publish: those beyond chance, and those that have just started while something else certainly fails. A single failed run
 * beside a mere warning is not published.
 */
export function believed({ symptoms }: Pick<Incident, "symptoms">): Symptom[] {
  const all = Object.values(symptoms);
  const fails = all.some(({ source, confirmed }) => source === "probe" && confirmed === true);
  return all.filter(({ source, confirmed, until }) => source === "rule" || confirmed || (fails && until === undefined));
}

/** Everything that was seen to fail, single failed runs left out: the components of alerts and symptoms, and the root cause first. */
export function affectedBy({ diagnosis, symptoms, ...incident }: Incident): string[] {
  const named = diagnosis.rootCause === "unknown" ? [] : [diagnosis.rootCause];
  const seen = believed({ symptoms }).map(({ component }) => component);
  const alerting = Object.values(incident.alerts).map(({ component }) => component);
  return [...new Set([...named, ...alerting, ...seen])];
}

/** Components that cannot do their work: those that were seen to fail, and what needs them and was not seen to work without them. */
export function blockedBy({ symptoms, diagnosis }: Incident, { graph }: Plan): string[] {
  const failing = new Set(
    believed({ symptoms }).flatMap(({ source, component }) => (source === "probe" ? [component] : [])),
  );
  const working = new Set(diagnosis.working);
  const reaches = (name: string, failed: string): boolean =>
    graph.distance(name, failed) !== undefined && !graph.path(name, failed).some((between) => working.has(between));
  return graph.names.filter((name) => [...failing].some((failed) => reaches(name, failed)));
}

/** Fields of the document that the evaluator owns; operators and the notifier write the others. */
export function documentOf(incident: Incident, plan: Plan): EvaluatorFields {
  const { diagnosis } = incident;
  const end = incident.resolvedAt;
  const seen = believed(incident);
  return {
    _overview: overviewOf(incident, plan),
    title: incident.title,
    status: incident.status,
    severity: incident.severity,
    priority: priorityOf(incident, plan),
    summary: summaryOf(incident, plan),
    impact: impactOf(incident, plan),
    root_cause: diagnosis.rootCause,
    root_cause_since: instant(incident.causeSince),
    causes: causeFields(incident, plan),
    also_broken: diagnosis.alsoBroken ?? null,
    candidates: (diagnosis.candidates ?? []).map((one) => ({ ...one })),
    pattern: diagnosis.pattern ?? null,
    verdict: diagnosis.verdict,
    confidence: diagnosis.confidence,
    team: diagnosis.team ?? null,
    evidence: [...diagnosis.evidence],
    whys: [...diagnosis.whys],
    next_steps: [...(diagnosis.next ?? [])],
    components: affectedBy(incident),
    component_states: componentStates(incident),
    affected: affectedFields(affectedBy(incident), seen, rulesOf(incident), plan),
    symptoms: symptomFields(seen),
    findings: findingFields(incident),
    changes: changeFields(incident),
    suspected_change: diagnosis.change?.says ?? null,
    log_patterns: logPatternFields(incident),
    alerts: rulesOf(incident),
    ...(isDrill(incident) ? { drill: true as const } : {}),
    environment: plan.configuration.environment,
    first_failure_at: new Date(incident.firstFailureAt),
    opened_at: new Date(incident.openedAt),
    opened_by: incident.openedBy ?? null,
    acknowledged_at: instant(firstAcknowledged(incident)),
    acknowledged_by: incident.acknowledgedBy ?? null,
    recovering_at: instant(incident.recoveringAt),
    resolved_at: instant(end),
    duration: end === undefined ? null : lastedFor(incident, end),
    relapses: relapseFields(incident.relapses ?? []),
    previous: incident.previous ?? null,
    recovery: recoveryFields(incident.recoveries),
    timeline: [...incident.timeline].sort((a, b) => a.at - b.at).map(({ at, text }) => timelineLine(at, text)),
    problem: incident.problem ?? null,
  };
}

/** The fields of the document of an incident that is over, with what belongs to its record and came afterwards. */
export function withAfterwards(document: Fields, entries: readonly TimelineEntry[]): Pick<EvaluatorFields, "timeline"> {
  const lines = entries.map(({ at, text }) => timelineLine(at, bounded(text)));
  return { timeline: [...readIncident(document).timeline, ...lines] };
}

/** Fields that only some events have. */
export type UpdateFields = Pick<IncidentEvent, "news" | "tried">;

/** One event of an incident, with the incident as it stands. */
export function eventOf(
  incident: Incident,
  event: IncidentEventKind,
  announced: { at: number; change: string; occurrence: number; sequence: number } & UpdateFields,
  plan: Plan,
): IncidentEvent {
  const { diagnosis } = incident;
  return {
    v: 1,
    at: new Date(announced.at).toISOString(),
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
    sequence: announced.sequence,
    occurrence: announced.occurrence,
    change: announced.change,
    title: incident.title,
    status: incident.status,
    priority: priorityOf(incident, plan),
    impact: impactOf(incident, plan),
    evidence: [...diagnosis.evidence],
    whys: [...diagnosis.whys],
    ...(diagnosis.next === undefined || diagnosis.next.length === 0 ? {} : { next_steps: [...diagnosis.next] }),
    ...(diagnosis.alsoBroken === undefined ? {} : { also_broken: diagnosis.alsoBroken }),
    ...(diagnosis.candidates === undefined ? {} : { candidates: diagnosis.candidates.map((one) => ({ ...one })) }),
    ...(diagnosis.change === undefined ? {} : { suspected_change: diagnosis.change.says }),
    ...(announced.news === undefined ? {} : { news: announced.news }),
    ...(announced.tried === undefined ? {} : { tried: [...announced.tried] }),
    ...(diagnosis.team === undefined ? {} : { team: diagnosis.team }),
    ...(incident.acknowledgedBy === undefined ? {} : { acknowledged_by: incident.acknowledgedBy }),
    opened_at: new Date(incident.openedAt).toISOString(),
    first_failure_at: new Date(incident.firstFailureAt).toISOString(),
    ...(incident.resolvedAt === undefined ? {} : { resolved_at: new Date(incident.resolvedAt).toISOString() }),
    ...(incident.relapses === undefined ? {} : { good_seconds: Math.round(goodBetween(incident) / 1000) }),
    ...(isDrill(incident) ? { drill: true as const } : {}),
    ...(incident.audibleSince === undefined ? {} : { audible_since: new Date(incident.audibleSince).toISOString() }),
  };
}

/** Current state of each affected component: `fails`, `degraded` or `works again`. */
export function componentStates(incident: Incident): Record<string, "fails" | "degraded" | "works again"> {
  const lasting = believed(incident).filter(({ until }) => until === undefined);
  const over = incident.status === "recovering" || incident.status === "resolved";
  const stateOf = (name: string): "fails" | "degraded" | "works again" => {
    if (over) return "works again";
    const own = lasting.filter(({ component }) => component === name);
    if (own.some(({ source }) => source === "probe")) return "fails";
    return own.length > 0 || name === incident.diagnosis.rootCause ? "degraded" : "works again";
  };
  return Object.fromEntries(affectedBy(incident).map((name) => [name, stateOf(name)]));
}

/**
 * The causes that were named, each with its own time: the first from the first failure on, the last until all is over. One that has recovered is
 * charged until then, and the one named after it from then on.
 */
function causeFields({ causes = [], firstFailureAt, resolvedAt }: Incident, plan: Plan): EvaluatorFields["causes"] {
  const lasting = causes.filter(({ since }, index) => causes[index + 1]?.since !== since);
  const ends = lasting.map(({ recoveredAt }, index) => recoveredAt ?? lasting[index + 1]?.since ?? resolvedAt);
  const first = lasting.findIndex(({ component }) => component !== "unknown");
  return lasting.flatMap(({ component }, index) => {
    const from = index <= first ? firstFailureAt : (ends[index - 1] ?? firstFailureAt);
    return component === "unknown"
      ? []
      : [{ component, title: titleOf(plan, component), from: new Date(from), until: instant(ends[index]) }];
  });
}

/** The previous cause, if it has recovered. */
function earlierCauseOf({ causes = [], diagnosis }: Incident, plan: Plan): string {
  const earlier = causes.findLast(({ recoveredAt }) => recoveredAt !== undefined);
  if (earlier?.recoveredAt === undefined || earlier.component === diagnosis.rootCause) return "";
  return `Until ${clockTime(earlier.recoveredAt)}, the cause was ${titleOf(plan, earlier.component)}.`;
}

function rulesOf(incident: Incident): string[] {
  return [...new Set(Object.values(incident.alerts).map(({ rule }) => rule))];
}

function priorityOf(incident: Incident, plan: Plan): Priority {
  if (incident.severity === "critical") return impactsOf(plan, blockedBy(incident, plan)).length > 0 ? "P0" : "P1";
  return incident.severity === "warning" ? "P2" : "P3";
}

/** Returns the summary for a person: severity and start, what fails, what it blocks, who acts, and what to do. */
function overviewOf(incident: Incident, plan: Plan): string[] {
  const { severity, status, openedAt, diagnosis } = incident;
  const [next] = incident.resolvedAt === undefined ? (diagnosis.next ?? []) : [];
  return [
    asSentence(`${severity} (${priorityOf(incident, plan)}), ${status}, opened at ${dateTime(openedAt)}`),
    summaryOf(incident, plan),
    impactOf(incident, plan),
    ...(diagnosis.team === undefined ? [] : [`Owner: ${diagnosis.team}.`]),
    ...(next === undefined ? [] : [asSentence(`First step: ${next}`)]),
  ];
}

/** Blocked or threatened activities, and their extent. */
function impactOf(incident: Incident, plan: Plan): string {
  if (isOfMonitor(incident)) return monitorImpact(incident, plan);
  const affected = affectedBy(incident);
  const blocked = impactsOf(plan, blockedBy(incident, plan)).map(asSentence);
  const exposed = plan.graph.names.filter((name) =>
    affected.some((cause) => plan.graph.distance(name, cause) !== undefined),
  );
  const atRisk = impactsOf(plan, exposed).map(asSentence);
  const are = affected.length === 1 ? "is" : "are";
  const reach = `${affected.length} of ${plan.graph.names.length} components ${are} affected.`;
  if (blocked.length > 0) return [...blocked, reach].join(" ");
  const nothing = incident.resolvedAt === undefined ? "Nothing is blocked so far." : "Nothing was blocked.";
  return [nothing, ...(atRisk.length > 0 ? ["At risk:", ...atRisk] : []), reach].join(" ");
}

/** A few sentences: what is wrong since when, why, and what it blocks. */
function summaryOf(incident: Incident, plan: Plan): string {
  if (isOfMonitor(incident)) return monitorSummary(incident, plan);
  const [blocked] = impactsOf(plan, blockedBy(incident, plan)).map(asSentence);
  // Once every alert has cleared, nothing is blocked any more as far as anybody knows.
  const blocks = isFailing(incident) ? blocked : undefined;
  const sentences =
    incident.resolvedAt === undefined
      ? [onsetSummary(incident, plan), earlierCauseOf(incident, plan), causeOf(incident, plan), blocks]
      : [
          onsetSummary(incident, plan),
          earlierCauseOf(incident, plan),
          causeOf(incident, plan),
          `It lasted ${lastedFor(incident, incident.resolvedAt)}.`,
        ];
  return sentences.filter((sentence) => sentence !== undefined && sentence !== "").join(" ");
}

/** "Cloud SQL and Backend have been failing since 12:04:06 UTC." Each from its own first failure on; the cause has its own sentence. */
function onsetSummary(incident: Incident, plan: Plan): string {
  const affected = affectedFields(affectedBy(incident), believed(incident), rulesOf(incident), plan);
  const others = affected.filter(({ component }) => component !== incident.diagnosis.rootCause);
  return onsetSentences(others, !isFailing(incident)).join(" ");
}

/** Returns whether the failure is still observed. */
function isFailing({ status }: Incident): boolean {
  return status === "open" || status === "acknowledged";
}

function causeOf({ diagnosis, resolvedAt }: Incident, plan: Plan): string {
  const { rootCause, alsoBroken, verdict, confidence } = diagnosis;
  if (rootCause === "unknown") return "The cause is not known.";
  const also = alsoBroken === undefined ? "" : ` and, independently, ${titleOf(plan, alsoBroken)}`;
  const tense = resolvedAt === undefined ? "likely cause is" : "cause was";
  return `The ${tense} ${titleOf(plan, rootCause)}${also} (${verdict}, ${Math.round(confidence * 100)}% sure).`;
}

function lastedFor(incident: Incident, end: number): string {
  return spokenDuration(lastedUntil(incident, end));
}

function relapseFields(relapses: NonNullable<Incident["relapses"]>): EvaluatorFields["relapses"] {
  return relapses.map(({ resolvedAt, failedAt, reopenedAt, acknowledgedAt }) => ({
    resolved_at: new Date(resolvedAt),
    failed_at: new Date(failedAt),
    reopened_at: new Date(reopenedAt),
    acknowledged_at: instant(acknowledgedAt),
  }));
}

function timelineLine(at: number, text: string): string {
  return `${dateTime(at)}  ${text}`;
}

function instant(at: number | undefined): Date | null {
  return at === undefined ? null : new Date(at);
}
