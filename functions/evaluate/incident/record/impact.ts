/** Observations kept in the document of an incident: who was affected for how long, and which checks failed. Pure. */
import { targetOf } from "../../../../shared/documents/availability.ts";
import type { Affected, FindingRecord, SymptomRecord } from "../../../../shared/documents/incident.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import type { Symptom } from "../../cause/diagnosis.ts";
import type { Plan } from "../../plan.ts";
import { failingName } from "../../rules/built-in.ts";
import type { Incident } from "../state.ts";
import { failurePhrase } from "./symptom-text.ts";

/**
 * Each affected component: how it was affected, and from when until when.
 * @param names of the components
 * @param symptoms those that are more than chance
 * @param rules whose alerts belong to the incident
 */
export function affectedFields(
  names: readonly string[],
  symptoms: readonly Symptom[],
  rules: readonly string[],
  plan: Plan,
): Affected[] {
  return names.map((name) => {
    const own = symptoms.filter(({ component }) => component === name);
    const failures = own.filter(({ source }) => source === "probe");
    const shown = failures.length > 0 ? failures : own;
    const lasting = shown.some(({ until }) => until === undefined);
    const { title, layer, impact } = plan.graph.component(name);
    return {
      component: name,
      title,
      layer,
      impact: impact ?? null,
      trouble: failures.length > 0 ? "failed" : own.length > 0 ? "degraded" : "no failure observed",
      intermittent: failures.length > 0 && failures.every((symptom) => isIntermittent(symptom, rules)),
      from: shown.length === 0 ? null : new Date(Math.min(...shown.map(({ since }) => since))),
      until: shown.length === 0 || lasting ? null : new Date(Math.max(...shown.map(({ until = 0 }) => until))),
      availability_target: targetOf(plan.configuration, name),
    };
  });
}

/** Returns whether a probe failed only intermittently, never for as long as the rule for continuous failures waits. */
function isIntermittent({ id, intermittent }: Symptom, rules: readonly string[]): boolean {
  return intermittent !== undefined && !rules.includes(failingName(id.slice("probe/".length)));
}

/** The most entries of ledgers that a document keeps, of all probes together. */
const maxFailures = 200;

/** The longest text of one of them, in characters. */
const longestShown = 260;

/** Each check that failed: a probe, or a rule. In the order in which they began to. */
export function symptomFields(symptoms: readonly Symptom[]): SymptomRecord[] {
  const mostOfEach = Math.max(1, Math.floor(maxFailures / Math.max(1, symptoms.length)));
  return [...symptoms]
    .sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1))
    .map(({ id, rule, source, component, vantage, since, until, times = 1, phrase, failures = [] }) => ({
      check: rule ?? id.slice(id.indexOf("/") + 1),
      kind: source,
      component,
      vantage: vantage ?? null,
      since: new Date(since),
      until: until === undefined ? null : new Date(until),
      times,
      showed: bounded(phrase, [], 400),
      failures: failures
        .toSorted((a, b) => b.count - a.count || a.from - b.from)
        .slice(0, mostOfEach)
        .sort((a, b) => a.from - b.from)
        .map(({ failure, from, until: last, count }) => ({
          showed: bounded(failurePhrase(failure), [], longestShown),
          kind: failure.kind,
          phase: failure.phase,
          status: failure.status ?? null,
          code: failure.code ?? null,
          from: new Date(from),
          until: new Date(last),
          count,
        })),
    }));
}

/** Faults found by the configuration checks. */
export function findingFields({ faults = [] }: Pick<Incident, "faults">): FindingRecord[] {
  return faults.map(({ check, component, says, severity, since, isNew }) => ({
    check,
    component,
    severity,
    says,
    since: new Date(since),
    came_with_it: isNew,
  }));
}
