/** Symptoms: everything bad that was observed during an incident, kept when it has passed, because it remains to be explained. */
import { componentsOf } from "./document.ts";
import type { Draft, Facts } from "./draft.ts";
import type { Plan } from "./plan.ts";
import { alertPhrase, probePhrase } from "./sentences.ts";
import type { Symptom } from "./state.ts";

/** Everything bad that belongs to the incident, with what has passed; the same object when nothing is new. */
export function withSymptoms(draft: Draft, facts: Facts, plan: Plan): Readonly<Record<string, Symptom>> {
  const { incident } = draft;
  const members = componentsOf(incident);
  const near = (component: string): boolean => members.some((member) => plan.graph.connected(member, component));
  const symptoms: Record<string, Symptom> = { ...incident.symptoms };
  let changed = false;
  for (const seen of [...probeSymptoms(facts), ...alertSymptoms(facts)]) {
    const known = symptoms[seen.id];
    if (!near(seen.component) || (known && known.until === undefined)) continue;
    symptoms[seen.id] = known ? { ...seen, since: known.since } : seen;
    changed = true;
    if (incident.id !== "") draft.note(seen.since, `${seen.phrase}.`);
  }
  for (const [id, symptom] of Object.entries(symptoms)) {
    if (symptom.until !== undefined || stillBad(symptom, facts)) continue;
    symptoms[id] = { ...symptom, until: facts.watermark };
    changed = true;
    if (symptom.source === "probe") {
      const probe = id.slice("probe/".length);
      const end = facts.probes[probe] === undefined ? "is not configured any more" : "is good again";
      draft.note(facts.watermark, `\`${probe}\` ${end}.`);
    }
  }
  return changed ? symptoms : incident.symptoms;
}

function probeSymptoms(facts: Facts): Symptom[] {
  return Object.values(facts.probes)
    .filter(({ status }) => status === "bad")
    .map((fact) => ({
      id: `probe/${fact.probe}`,
      component: fact.component,
      source: "probe",
      since: fact.since,
      phrase: probePhrase(fact),
      vantage: fact.vantage,
      ...(fact.failure === undefined ? {} : { failure: fact.failure }),
    }));
}

/** Alerts of configured rules; those built into a probe say nothing that the probe does not. */
function alertSymptoms(facts: Facts): Symptom[] {
  return Object.values(facts.alerts)
    .filter(({ rule, labels }) => rule !== `${labels["probe"]} failing`)
    .map((alert) => ({
      id: `alert/${alert.key}`,
      component: alert.component,
      source: "rule",
      since: alert.since,
      phrase: alertPhrase(alert),
    }));
}

function stillBad({ id, source }: Symptom, facts: Facts): boolean {
  return source === "probe"
    ? (facts.probes[id.slice("probe/".length)]?.status ?? "good") !== "good"
    : facts.alerts[id.slice("alert/".length)] !== undefined;
}
