/** The life of an incident, from open over recovering to resolved and back, by what is observed and by what operators write. */

import type { Report } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { asSentence, list } from "../../../shared/text/sentences.ts";
import { clockSpan, spokenDuration } from "../../../shared/text/units.ts";
import { isOfMonitor, monitorProof } from "../monitor/incident-text.ts";
import type { Plan } from "../plan.ts";
import type { Draft, Facts, IncidentInput } from "./draft.ts";
import { type Edit, editorOf, type OperatorFields, readEdit } from "./operator-edits.ts";
import { clockTime } from "./record/instants.ts";
import { lastedUntil } from "./record/relapses.ts";
import {
  attemptDue,
  attemptId,
  enterStage,
  isGivenUp,
  lastSeenBad,
  nextAttempt,
  outcomeOf,
  requestsFor,
  silenceOf,
  stageOf,
  withResults,
} from "./recovery/recovery.ts";
import {
  attempted,
  begun,
  ended,
  extended,
  failed,
  passed,
  type RecoveryRecord,
  unanswered,
} from "./recovery/recovery-record.ts";
import type { Incident, RecoveryState } from "./state.ts";

/** Leads the incident from open over recovering to resolved, and back when it regresses. */
export function follow(draft: Draft, facts: Facts, input: IncidentInput, plan: Plan, now: number): void {
  const { incident } = draft;
  if (incident.status === "resolved") return;
  const firing = Object.values(incident.alerts).filter((alert) => alert.firing);
  if (firing.length > 0) {
    if (incident.recovery === undefined) return;
    draft.without("recovery", "recoveringAt");
    draft.set({ status: incident.acknowledgedAt === undefined ? "open" : "acknowledged" });
    record(draft, (records) => ended(records, "regressed", facts.watermark));
    const rules = [...new Set(firing.map(({ rule }) => `"${rule}"`))];
    draft.announce(
      "regressed",
      facts.watermark,
      `It is not over: ${list(rules)} fired again during recovery validation.`,
    );
    return;
  }
  if (isOfMonitor(incident)) {
    resolve(draft, facts.watermark, monitorProof(incident, ownEntry(input.documents, incident.id)));
    return;
  }
  if (incident.recovery === undefined) {
    const after = spokenDuration(
      clockSpan(incident.relapses?.at(-1)?.failedAt ?? incident.firstFailureAt, facts.watermark),
    );
    draft.set({ status: "recovering", recoveringAt: facts.watermark });
    record(draft, (records) => begun(records, plan.configuration.recovery.stages, facts.watermark));
    draft.announce(
      "recovering",
      facts.watermark,
      `All alerts have cleared, ${after} after the first failure${incident.relapses === undefined ? "" : " of this relapse"}. The recovery is being validated.`,
    );
    advance(draft, 0, facts, plan, now);
    return;
  }
  if (input.validation) takeValidation(draft, input.validation, facts, plan, now);
  if (input.tickAt === undefined) return;
  // Time passes even when no message arrives.
  tryAgain(draft, { ...facts, watermark: Math.max(facts.watermark, input.tickAt) }, plan, now);
}

/** Makes the next attempt at a stage when it is due. */
function tryAgain(draft: Draft, facts: Facts, plan: Plan, now: number): void {
  const { recovery, status } = draft.incident;
  if (recovery === undefined || status === "resolved") return;
  const { outcome } = outcomeOf(recovery, plan);
  if (outcome === "passed") {
    draft.note(facts.watermark, `Stage ${recovery.stage + 1} no longer has probes: the configuration was changed.`);
    advance(draft, recovery.stage + 1, facts, plan, now);
  } else if (attemptDue(recovery, plan, now)) {
    if (outcome === "waiting") missAnswer(draft, recovery, plan, facts.watermark, now);
    if (isGivenUp(recovery)) conclude(draft, recovery, facts);
    else attempt(draft, nextAttempt(recovery, plan, now), plan, facts.watermark);
  }
}

/** Asks the probes of a stage. @param at the time of the measurements, as the record has it */
function attempt(draft: Draft, recovery: RecoveryState, plan: Plan, at: number): void {
  draft.set({ recovery });
  record(draft, (records) => attempted(records, recovery.stage, at));
  draft.request(requestsFor(draft.incident.id, recovery, plan));
}

/** An attempt was not answered: its request, its run or its report was lost. */
function missAnswer(draft: Draft, recovery: RecoveryState, plan: Plan, at: number, now: number): void {
  const reason = silenceOf(recovery, plan, now);
  record(draft, (records) => unanswered(records, recovery.stage, reason, at));
  noteAttempt(draft, recovery, at, "was inconclusive", reason, plan);
}

function record(draft: Draft, change: (records: readonly RecoveryRecord[]) => readonly RecoveryRecord[]): void {
  draft.set({ recoveries: change(draft.incident.recoveries ?? []) });
}

/** The first attempts stand in the timeline one by one, later ones now and then; all of them are counted in the record of the recovery. */
function noteAttempt(
  draft: Draft,
  recovery: RecoveryState,
  at: number,
  what: string,
  reason: string,
  plan: Plan,
): void {
  const { stage, attempt: number } = recovery;
  if (number > 3 && number % 10 !== 0) return;
  const which = number === 1 ? "" : ` at attempt ${number}`;
  draft.note(at, `Validation of stage ${stage + 1}, ${stageOf(recovery, plan).name}, ${what}${which}: ${reason}.`);
}

function takeValidation(draft: Draft, report: Report, facts: Facts, plan: Plan, now: number): void {
  const { recovery, id } = draft.incident;
  if (recovery === undefined || report.request !== attemptId(id, recovery)) return;
  // The same report may come twice.
  if (outcomeOf(recovery, plan).outcome === "failed") return;
  if (report.prober_unhealthy !== undefined) {
    draft.set({ recovery: { ...recovery, proberTrouble: bounded(report.prober_unhealthy) } });
    return;
  }
  const next = withResults(recovery, report.results, plan);
  draft.set({ recovery: next });
  const seen = { ...facts, watermark: Math.max(facts.watermark, Date.parse(report.finished_at)) };
  const outcome = outcomeOf(next, plan);
  if (outcome.outcome === "failed") {
    const reason = outcome.reasons.join("; ");
    record(draft, (records) => failed(records, next.stage, reason, seen.watermark));
    noteAttempt(draft, next, seen.watermark, "failed", reason, plan);
  } else if (outcome.outcome === "passed") {
    const tries = next.attempt === 1 ? "" : `, at attempt ${next.attempt}`;
    record(draft, (records) => passed(records, next.stage, seen.watermark));
    const begunAt = draft.incident.recoveries?.at(-1)?.stages[next.stage]?.begunAt ?? seen.watermark;
    const took = spokenDuration(clockSpan(begunAt, seen.watermark));
    if (next.remaining !== undefined) draft.set({ symptoms: withRecovered(draft.incident, next.remaining, report) });
    draft.note(seen.watermark, `Stage ${next.stage + 1}, ${stageOf(next, plan).name}, passed after ${took}${tries}.`);
    advance(draft, next.stage + 1, seen, plan, now);
  }
}

/** The symptoms, with those probes good again: until they were asked, nothing had spoken against what they showed. */
function withRecovered(
  { symptoms }: Incident,
  probes: readonly string[],
  { results, finished_at }: Report,
): Incident["symptoms"] {
  const ended = probes.flatMap((probe) => {
    const symptom = symptoms[`probe/${probe}`];
    const until = Date.parse(results.find((result) => result.probe === probe)?.at ?? finished_at);
    return symptom === undefined ? [] : [[symptom.id, { ...symptom, confirmed: true, until }] as const];
  });
  return { ...symptoms, ...Object.fromEntries(ended) };
}

/** Enters the stage of that index, or the one of what was last seen bad; behind that it resolves the incident. */
function advance(draft: Draft, stage: number, facts: Facts, plan: Plan, now: number): void {
  const { stages } = plan.configuration.recovery;
  const round = roundOf(draft.incident);
  const next = stages.findIndex((candidate, index) => index >= stage && candidate.probes.length > 0);
  if (next >= 0) {
    attempt(draft, enterStage(next, now, round), plan, facts.watermark);
    return;
  }
  const remaining = lastSeenBad(draft.incident, plan);
  if (stage <= stages.length && remaining.length > 0) {
    const last = enterStage(stages.length, now, round, remaining);
    record(draft, (records) => extended(records, stageOf(last, plan)));
    attempt(draft, last, plan, facts.watermark);
    return;
  }
  record(draft, (records) => ended(records, "passed", facts.watermark));
  const proof = stages.length === 0 ? "No recovery stages are configured." : "Every stage of the recovery has passed.";
  resolve(draft, facts.watermark, proof);
}

/** Number of recoveries before the current one: all published ones, and the current one is published only when the revision ends. */
function roundOf({ events, recovery }: Incident): number {
  return recovery === undefined ? (events.recovering ?? 0) : (recovery.round ?? 0);
}

/** Resolves an incident of which all is proved but what no stage and no alert is about. */
function conclude(draft: Draft, { remaining = [] }: RecoveryState, facts: Facts): void {
  record(draft, (records) => ended(records, "passed", facts.watermark));
  const names = list(remaining.map((name) => `\`${name}\``));
  const still = remaining.length === 1 ? `${names} was` : `${names} were`;
  resolve(
    draft,
    facts.watermark,
    `Every stage of the recovery has passed. ${still} not confirmed healthy, but is covered by no alert and no stage.`,
  );
}

function resolve(draft: Draft, at: number, proof: string): void {
  const { firstFailureAt, relapses = [] } = draft.incident;
  draft.set({ status: "resolved", resolvedAt: at });
  const times = relapses.length === 0 ? "" : `, ${relapses.length + 1} times in total`;
  draft.announce(
    "resolved",
    at,
    `Resolved. ${proof} It lasted ${spokenDuration(lastedUntil(draft.incident, at))}${times}, from ${clockTime(firstFailureAt)}.`,
  );
}

/** Honours what an operator wrote into the document. */
export function applyEdit(draft: Draft, document: OperatorFields, watermark: number, now: number): void {
  const edit = readEdit(draft.incident, document);
  // An edit has no measurement to take its time from.
  const at = Math.max(watermark, now);
  explain(draft, edit, at);
  // A name belongs to one edit: writing the document takes it away.
  if (edit.restoresStatus || typeof document.edited_by === "string") draft.changed = true;
  if (edit.note !== undefined && edit.note !== draft.incident.note) {
    draft.set({ note: edit.note });
    draft.note(at, `Note by ${editorOf(document, "note").by}: ${asSentence(edit.note)}`);
  }
  if (edit.publicNote !== undefined && edit.publicNote !== draft.incident.publicNote) {
    draft.set({ publicNote: edit.publicNote });
    draft.note(at, `Public note by ${editorOf(document, "public_note").by}: ${asSentence(edit.publicNote)}`);
  }
  const { subject, by, via, where } = editorOf(document, "status");
  switch (edit.status) {
    case "acknowledged":
      draft.set({ acknowledgedAt: at, acknowledgedBy: `${by}${where}` });
      if (draft.incident.status === "open") draft.set({ status: "acknowledged" });
      draft.announce("acknowledged", at, `Acknowledged by ${by}${where}.`);
      break;
    case "resolved":
      record(draft, (records) => ended(records, "cut_short", at));
      draft.set({ byOperator: true });
      resolve(draft, at, `${subject} resolved it${where}.`);
      break;
    case "open":
      draft.without("acknowledgedAt", "acknowledgedBy");
      draft.set({ status: "open" });
      draft.note(at, `${subject} withdrew the acknowledgement${via}.`);
      break;
    case undefined:
      break;
  }
}

/** Says in the document and in the timeline what was not understood. A wrong status is gone at once, so what is wrong about it stays for a while. */
function explain(draft: Draft, { problems, statusProblem, status }: Edit, at: number): void {
  const { misread, problem: before } = draft.incident;
  if (statusProblem !== undefined) draft.set({ misread: { text: statusProblem, until: at + explainedFor } });
  else if (misread !== undefined && (status !== undefined || at >= misread.until)) draft.without("misread");
  const shown = draft.incident.misread?.text;
  const all = shown === undefined ? problems : [...problems, shown];
  const problem = all.length === 0 ? undefined : `${all.join("; ")}.`;
  const news = all.filter((text) => text === statusProblem || !before?.includes(text));
  if (news.length > 0) draft.note(at, `Invalid edit: ${news.join("; ")}.`);
  if (problem === before) return;
  if (problem === undefined) draft.without("problem");
  else draft.set({ problem });
}

/** How long an invalid status is explained, in milliseconds, unless a valid one is written earlier. */
const explainedFor = 3_600_000;
