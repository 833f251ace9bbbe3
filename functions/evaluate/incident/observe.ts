/** Derives the state of an open incident: its alerts, symptoms and diagnosis, its successive causes, and its severity. Pure. */
import { isDeepStrictEqual } from "node:util";
import { type Severity, severities, worse } from "../../../shared/messages/severity.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { diagnose } from "../cause/diagnose.ts";
import type { Diagnosis } from "../cause/diagnosis.ts";
import {
  knownProbes,
  observedOf,
  withChanges,
  withFaults,
  withIndicators,
  withLogPatterns,
} from "../cause/observed.ts";
import { failingIn } from "../cause/symptoms/built-in.ts";
import { withSymptoms } from "../cause/symptoms/follow.ts";
import { diagnoseMonitor, isOfMonitor } from "../monitor/incident-text.ts";
import { type Plan, titleOf } from "../plan.ts";
import type { Draft, Facts } from "./draft.ts";
import { membershipOf } from "./membership/correlate.ts";
import { alertNotes } from "./record/alert-timeline.ts";
import { believed } from "./record/document.ts";
import { clockTime } from "./record/instants.ts";
import { begunBy } from "./record/relapses.ts";
import { secondCauseAt } from "./second-cause.ts";
import type { Incident } from "./state.ts";

/** The most causes that are kept of one incident. */
const maxCauses = 12;

/** Brings alerts, symptoms, diagnosis and severity up to what is known. */
export function observe(draft: Draft, facts: Facts, plan: Plan): void {
  const { incident } = draft;
  const alerts = Object.entries(incident.alerts).map(([key, alert]) => {
    const known = ownEntry(facts.alerts, key);
    const firing = known?.status === "firing";
    for (const { at, text } of alertNotes(alert, known, facts.news.get(key), facts.watermark, plan))
      draft.note(at, text);
    const { flapping: _, absence: __, ...rest } = alert;
    const component = known?.component ?? alert.component;
    const held = known?.flapping && { flapping: known.flapping };
    return [key, { ...rest, component, firing, ...held, ...(known?.absence && { absence: known.absence }) }] as const;
  });
  const isNew = ([key, { firing, component, flapping, absence }]: (typeof alerts)[number]): boolean => {
    const before = ownEntry(incident.alerts, key);
    if (before?.firing !== firing || before.component !== component) return true;
    return before.flapping?.since !== flapping?.since || before.absence?.what !== absence?.what;
  };
  if (alerts.some(isNew)) {
    draft.set({ alerts: Object.fromEntries(alerts) });
  }
  const known: Facts = { ...facts, probes: knownProbes(draft.incident, facts.probes, plan) };
  // Failures of targets are unrelated to failures of the monitor itself.
  const isOwn = isOfMonitor(draft.incident);
  const indicators = isOwn ? {} : withIndicators(draft.incident, known, plan);
  const faults = isOwn ? [] : withFaults(draft.incident, known);
  if (indicators !== draft.incident.indicators && Object.keys(indicators).length > 0) draft.set({ indicators });
  if (faults !== draft.incident.faults && faults.length > 0) {
    for (const { says, since } of faults.slice(draft.incident.faults?.length ?? 0)) {
      if (draft.incident.id !== "") draft.note(Math.max(since, draft.incident.firstFailureAt), `Found: ${says}.`);
    }
    draft.set({ faults });
  }

  const takeFound = (): void => {
    if (isOwn) return;
    const changes = withChanges(draft.incident, known, plan);
    if (changes !== draft.incident.changes && changes.length > 0) draft.set({ changes });
    const logPatterns = withLogPatterns(draft.incident, known, plan);
    if (logPatterns !== draft.incident.logPatterns && logPatterns.length > 0) draft.set({ logPatterns });
  };

  const before = draft.incident.diagnosis;
  const diagnosed = (): Diagnosis => {
    const symptoms = withSymptoms(draft, known, plan, membershipOf(draft.incident, known, plan));
    if (symptoms !== draft.incident.symptoms) draft.set({ symptoms });
    takeFound();
    return isOwn
      ? diagnoseMonitor(Object.values(symptoms), plan)
      : diagnose(observedOf(draft.incident, known, plan), before);
  };
  let diagnosis = diagnosed();
  if (diagnosis.rootCause !== before.rootCause) {
    // Symptoms that the new cause explains belong to the incident at once.
    draft.set({ diagnosis });
    diagnosis = diagnosed();
  }
  if (!isDeepStrictEqual(diagnosis, before)) draft.set({ diagnosis });
  const { change } = diagnosis;
  if (change !== undefined && change.id !== before.change?.id && draft.incident.id !== "")
    draft.announceChange(facts.watermark, `Found: ${change.says}`);
  const began = beginningOf(draft.incident, facts);
  if (began < (draft.incident.relapses?.at(-1)?.failedAt ?? draft.incident.firstFailureAt))
    draft.set(begunBy(draft.incident, began));
  if (diagnosis.rootCause !== before.rootCause) {
    const since = draft.incident.id === "" ? draft.incident.openedAt : facts.watermark;
    const { causeSince, causes: listed } = draft.incident;
    // Of an incident that an older version opened, the present cause is known.
    const named = listed ?? (causeSince === undefined ? [] : [{ component: before.rootCause, since: causeSince }]);
    const recoveredAt = recoveryOf(before.rootCause, draft.incident);
    const earlier = named.map((cause, index) =>
      index === named.length - 1 && recoveredAt !== undefined ? { ...cause, recoveredAt } : cause,
    );
    const causes = [...earlier, { component: diagnosis.rootCause, since }];
    draft.set({ causeSince: since, causes: causes.slice(-maxCauses) });
    if (draft.incident.id !== "")
      draft.announce("root_cause_changed", facts.watermark, causeChange(before, diagnosis, recoveredAt, plan));
  }
  const severity = severityOf(draft.incident, facts, plan);
  if (severities.indexOf(severity) <= severities.indexOf(draft.incident.severity)) return;
  draft.set({ severity });
  if (draft.incident.id !== "") draft.announce("severity_raised", facts.watermark, `The severity is now ${severity}.`);
}

/** Follows the second cause, and says so in the timeline when it has stood. */
export function followSecondCause(draft: Draft, time: number, plan: Plan): void {
  const { secondCause: known, diagnosis, status } = draft.incident;
  const next = secondCauseAt(known, diagnosis.alsoBroken, time);
  if (next === known || status === "resolved") return;
  if (next === undefined) draft.without("secondCause");
  else draft.set({ secondCause: next });
  if (next?.isNoted && !known?.isNoted) {
    draft.note(next.since, `${titleOf(plan, next.component)} is also broken, independently.`);
  }
}

/** Describes a change of cause. @param recoveredAt when the previous cause recovered, in milliseconds */
function causeChange(before: Diagnosis, after: Diagnosis, recoveredAt: number | undefined, plan: Plan): string {
  if (recoveredAt !== undefined) {
    const over = `${titleOf(plan, before.rootCause)} has worked again since ${clockTime(recoveredAt)}, and the remaining failures do not follow from it.`;
    if (after.rootCause === "unknown") return `${over} The cause of the remaining failures is not known.`;
    return `${over} The likely cause is now ${titleOf(plan, after.rootCause)}.`;
  }
  const from = before.rootCause === "unknown" ? "" : ` and no longer ${titleOf(plan, before.rootCause)}`;
  const reason = after.evidence[0];
  const because = reason === undefined ? "" : ` ${reason}`;
  return after.rootCause === "unknown"
    ? `The cause is no longer known: ${titleOf(plan, before.rootCause)} does not explain the observations.`
    : `The likely cause is ${titleOf(plan, after.rootCause)}${from}.${because}`;
}

/** When the probes whose alerts belong to the incident began to fail, as far as is known by now: the first of their failures may come late. */
function beginningOf({ alerts, symptoms }: Incident, facts: Facts): number {
  const own = [...failingIn(facts.alerts)].filter(([, { key }]) => Object.hasOwn(alerts, key));
  return Math.min(
    ...own.flatMap(([probe]) => {
      const symptom = ownEntry(symptoms, `probe/${probe}`);
      return symptom?.againSince ?? symptom?.since ?? [];
    }),
  );
}

/** When everything that a component showed was good again, in milliseconds; `undefined` where it showed nothing, or goes on. */
function recoveryOf(component: string, { symptoms }: Incident): number | undefined {
  const own = Object.values(symptoms).filter((symptom) => symptom.component === component);
  const until = Math.max(...own.map((symptom) => symptom.until ?? Number.POSITIVE_INFINITY));
  return own.length > 0 && Number.isFinite(until) ? until : undefined;
}

/** User impact decides: a failing component whose failure blocks something makes the incident critical. */
function severityOf(incident: Incident, facts: Facts, plan: Plan): Severity {
  const ofAlerts = Object.keys(incident.alerts)
    .map((key) => ownEntry(facts.alerts, key)?.severity ?? "info")
    .reduce(worse, incident.severity);
  const felt = believed(incident).filter(
    ({ source, component }) => source === "probe" && plan.graph.component(component).impact !== undefined,
  );
  return felt.map(({ most = "critical" }) => most).reduce(worse, ofAlerts);
}
