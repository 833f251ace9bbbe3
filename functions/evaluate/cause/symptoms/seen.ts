/** Current symptoms: probes that fail or have an alert for intermittent failures, and alerts of configured rules. Pure. */
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import type { Facts } from "../../incident/draft.ts";
import { beganAfter } from "../../incident/record/onset.ts";
import { alertPhrase, probePhrase } from "../../incident/record/symptom-text.ts";
import type { KnownAlert } from "../../incident/state.ts";
import { ledgerSince } from "../../partition/failure-ledger.ts";
import type { ProbeFact } from "../../partition/state.ts";
import { intervalOf, type Plan } from "../../plan.ts";
import type { Symptom } from "../diagnosis.ts";
import { failingIn, intermittentIn, isBuiltIn } from "./built-in.ts";
import { withLedger } from "./ledger.ts";
import { measureOf, mostOf } from "./worst.ts";

/**
 * Everything that is bad.
 * @param earliest of failures that come and go, those before this instant do not belong to the symptom of this id
 */
export function symptomsIn(facts: Facts, plan: Plan, earliest: (id: string) => number): readonly Symptom[] {
  return [...probeSymptoms(facts, plan, earliest), ...alertSymptoms(facts, plan)];
}

/** The symptom that a firing alert would add to an incident. */
export function symptomOf(alert: KnownAlert, facts: Facts, plan: Plan): Symptom {
  const { component, since, key, labels } = alert;
  const { probe } = labels;
  const isProbe = isBuiltIn(alert) && probe !== undefined;
  const own = Object.values(facts.alerts).filter((one) => (isProbe ? one.labels["probe"] === probe : one.key === key));
  const fact = isProbe ? ownEntry(facts.probes, probe) : undefined;
  const probes = Object.fromEntries(fact === undefined ? [] : [[probe, fact]]);
  const of: Facts = { ...facts, probes, alerts: Object.fromEntries(own.map((one) => [one.key, one])) };
  const [known] = isProbe ? probeSymptoms(of, plan, () => Number.NEGATIVE_INFINITY) : alertSymptoms(of, plan);
  const id = isProbe ? `probe/${probe}` : `alert/${key}`;
  return known ?? { id, component, source: "rule", since, phrase: alertPhrase(alert) };
}

function probeSymptoms(facts: Facts, plan: Plan, earliest: (id: string) => number): Symptom[] {
  const builtIn = new Map(
    Object.values(facts.alerts).flatMap((alert) => (isBuiltIn(alert) ? [[alert.labels["probe"], alert] as const] : [])),
  );
  const intermittent = intermittentIn(facts.alerts);
  return Object.values(facts.probes).flatMap((fact): Symptom[] => {
    const { probe } = fact;
    const alert = intermittent.get(probe);
    const isBad = fact.status === "bad";
    if (!isBad && alert === undefined) return [];
    const id = `probe/${probe}`;
    const beginnings = [...(isBad ? [fact.since] : []), ...(alert ? [beganAfter(alert, earliest(id))] : [])];
    const symptom = probeSymptom(fact, Math.min(...beginnings), builtIn.get(probe), plan);
    const most = mostOf(plan, probe, alert, facts.alerts);
    const intermittency =
      alert === undefined ? {} : { intermittent: { at: alert.firedAt ?? alert.since, seen: alert.seen } };
    return [{ ...symptom, ...most, ...intermittency }];
  });
}

/**
 * Probes that are good again while the alert of their failures still fires: what is known of an outage so late that nobody had heard of it while it
 * lasted.
 */
export function passedSymptoms(facts: Facts, plan: Plan): readonly Symptom[] {
  return [...failingIn(facts.alerts)].flatMap(([probe, alert]) => {
    const fact = ownEntry(facts.probes, probe);
    return fact?.status === "good" ? [probeSymptom(fact, alert.since, alert, plan)] : [];
  });
}

/** Failures of a probe since an instant. */
function probeSymptom(fact: ProbeFact, since: number, alert: KnownAlert | undefined, plan: Plan): Symptom {
  const { probe, component, vantage } = fact;
  const ledger = ledgerSince(fact.failures, since);
  const failure = fact.status === "bad" ? fact.failure : ledger.at(-1)?.failure;
  const symptom: Symptom = {
    id: `probe/${probe}`,
    component,
    source: "probe",
    since,
    phrase: probePhrase(probe, failure),
    vantage,
    everyMs: intervalOf(plan, probe),
    ...beforeOf(alert),
    ...sourceOf(plan, probe),
    ...(failure?.signal === undefined ? {} : { signal: failure.signal }),
    ...(failure === undefined ? {} : { failure }),
  };
  return withLedger(symptom, ledger);
}

/** Alerts of configured rules; those built into a probe say nothing that the probe does not. */
function alertSymptoms(facts: Facts, plan: Plan): Symptom[] {
  return Object.values(facts.alerts)
    .filter((alert) => !isBuiltIn(alert))
    .map((alert) => {
      const { signal, metrics = [], windowMs = 0 } = plan.rulesByName.get(alert.rule) ?? {};
      const { probe } = alert.labels;
      return {
        id: `alert/${alert.key}`,
        component: alert.component,
        source: "rule",
        since: alert.since,
        phrase: alertPhrase(alert),
        ...(alert.seenAt === undefined ? {} : { seenAt: alert.seenAt }),
        rule: alert.rule,
        metrics,
        ...vantageOf(alert),
        ...beforeOf(alert),
        ...(probe === undefined ? {} : { probe, ...sourceOf(plan, probe) }),
        everyMs: intervalOf(plan, probe) + windowMs,
        ...measureOf(alert, metrics, signal),
      };
    });
}

/** From where a rule sees it, where its series have one vantage point. */
function vantageOf({ labels }: KnownAlert): Pick<Symptom, "vantage"> {
  const vantage = labels["vantage"];
  return vantage === "inside" || vantage === "outside" ? { vantage } : {};
}

function beforeOf(alert: KnownAlert | undefined): Pick<Symptom, "badBefore"> {
  return alert?.badBefore === undefined ? {} : { badBefore: alert.badBefore };
}

function sourceOf(plan: Plan, probe: string): Pick<Symptom, "kind" | "reach" | "secondhand" | "timeoutMs"> {
  const configured = plan.probes.get(probe);
  if (configured === undefined) return {};
  const { kind, reach = "private", secondhand, timeoutMs } = configured;
  return { kind, reach, timeoutMs, ...(secondhand ? { secondhand } : {}) };
}
