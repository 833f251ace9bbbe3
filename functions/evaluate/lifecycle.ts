/** The life of an incident, from open over recovering to resolved and back, by what is observed and by what operators write. */
import type { Report } from "../../shared/messages/report.ts";
import { list } from "../../shared/sentences.ts";
import { spokenDuration } from "../../shared/units.ts";
import type { Draft, Facts, Happening } from "./draft.ts";
import { type OperatorFields, readEdit } from "./operator.ts";
import type { Plan } from "./plan.ts";
import {
  attemptDue,
  attemptId,
  enterStage,
  nextAttempt,
  outcomeOf,
  requestsFor,
  stageOf,
  withResults,
} from "./recovery.ts";
import { isOfMonitor } from "./self/wording.ts";
import { clockTime } from "./sentences.ts";

/** Leads the incident from open over recovering to resolved, and back when it regresses. */
export function follow(draft: Draft, facts: Facts, happening: Happening, plan: Plan, now: number): void {
  const { incident } = draft;
  if (incident.status === "resolved") return;
  const firing = Object.values(incident.alerts).filter((alert) => alert.firing);
  if (firing.length > 0) {
    if (incident.recovery === undefined) return;
    draft.without("recovery", "recoveringAt");
    draft.set({ status: incident.acknowledgedAt === undefined ? "open" : "acknowledged" });
    const rules = [...new Set(firing.map(({ rule }) => `"${rule}"`))];
    draft.tell(
      "regressed",
      facts.watermark,
      `It is not over: ${list(rules)} fired again while the recovery was validated.`,
    );
    return;
  }
  if (isOfMonitor(incident)) {
    resolve(draft, facts.watermark, "The monitor sees again what it did not.");
    return;
  }
  if (incident.recovery === undefined) {
    const after = spokenDuration(facts.watermark - incident.firstFailureAt);
    draft.set({ status: "recovering", recoveringAt: facts.watermark });
    draft.tell(
      "recovering",
      facts.watermark,
      `All alerts have cleared, ${after} after the first failure. The recovery is being validated.`,
    );
    advance(draft, 0, facts, plan, now);
    return;
  }
  if (happening.validation) takeValidation(draft, happening.validation, facts, plan, now);
  const { recovery } = draft.incident;
  if (
    happening.tickAt !== undefined &&
    draft.incident.status !== "resolved" &&
    recovery &&
    attemptDue(recovery, plan, now)
  ) {
    const next = nextAttempt(recovery, now);
    draft.set({ recovery: next });
    draft.request(requestsFor(draft.incident.id, next, plan));
  }
}

function takeValidation(draft: Draft, report: Report, facts: Facts, plan: Plan, now: number): void {
  const { recovery, id } = draft.incident;
  if (recovery === undefined || report.request !== attemptId(id, recovery)) return;
  if (report.prober_unhealthy !== undefined) return;
  const next = withResults(recovery, report.results, plan);
  draft.set({ recovery: next });
  const seen = { ...facts, watermark: Math.max(facts.watermark, Date.parse(report.finished_at)) };
  const outcome = outcomeOf(next, plan);
  const stage = stageOf(next, plan);
  if (outcome.outcome === "failed") {
    draft.note(
      seen.watermark,
      `Validation of stage ${next.stage + 1}, ${stage.name}, failed: ${outcome.reasons.join("; ")}.`,
    );
  } else if (outcome.outcome === "passed") {
    const took = spokenDuration(now - next.stageSince);
    draft.note(seen.watermark, `Stage ${next.stage + 1}, ${stage.name}, passed after ${took}.`);
    advance(draft, next.stage + 1, seen, plan, now);
  }
}

/** Enters the stage of that index, or resolves the incident behind the last. */
function advance(draft: Draft, stage: number, facts: Facts, plan: Plan, now: number): void {
  const { stages } = plan.configuration.recovery;
  const next = stages.findIndex((candidate, index) => index >= stage && candidate.probes.length > 0);
  if (next >= 0) {
    const recovery = enterStage(next, now);
    draft.set({ recovery });
    draft.request(requestsFor(draft.incident.id, recovery, plan));
    return;
  }
  const proof = stages.length === 0 ? "No recovery stages are configured." : "Every stage of the recovery has passed.";
  resolve(draft, facts.watermark, proof);
}

function resolve(draft: Draft, at: number, proof: string): void {
  const { firstFailureAt } = draft.incident;
  draft.set({ status: "resolved", resolvedAt: at });
  draft.tell(
    "resolved",
    at,
    `Resolved. ${proof} It lasted ${spokenDuration(at - firstFailureAt)}, from ${clockTime(firstFailureAt)}.`,
  );
}

/** Honours what an operator wrote into the document. */
export function applyEdit(draft: Draft, document: OperatorFields, watermark: number, now: number): void {
  const edit = readEdit(draft.incident, document);
  // An edit has no measurement to take its time from.
  const at = Math.max(watermark, now);
  if (edit.problem !== draft.incident.problem) {
    if (edit.problem === undefined) draft.without("problem");
    else draft.set({ problem: edit.problem });
  }
  if (edit.restoresStatus) draft.changed = true;
  if (edit.note !== undefined && edit.note !== draft.incident.note) {
    draft.set({ note: edit.note });
    draft.note(at, `Note by an operator: ${edit.note}`);
  }
  switch (edit.status) {
    case "acknowledged":
      draft.set({ acknowledgedAt: at, ...(draft.incident.status === "open" ? { status: "acknowledged" } : {}) });
      draft.tell("acknowledged", at, "Acknowledged by an operator, in the document.");
      break;
    case "resolved":
      resolve(draft, at, "An operator resolved it, in the document.");
      break;
    case "open":
      draft.without("acknowledgedAt");
      draft.set({ status: "open" });
      draft.note(at, "An operator took the acknowledgement back.");
      break;
    case undefined:
      break;
  }
}
