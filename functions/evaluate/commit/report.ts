/** Commits reports: of a schedule, of the monitor itself, and those that answer a validation or a diagnosis. */
import { canaryName } from "../../../shared/messages/canary.ts";
import type { Report } from "../../../shared/messages/report.ts";
import { withReport } from "../availability/uptime.ts";
import type { Change } from "../cause/knowledge/changes.ts";
import { judgedCanary } from "../monitor/canary.ts";
import { applySelfReport, missTicks, ticksAreDue } from "../monitor/checks.ts";
import type { SelfState } from "../monitor/state.ts";
import { noted } from "../partition/activity.ts";
import { type Evaluated, evaluateReport, horizonOf } from "../partition/fold.ts";
import { type Publication, reportInstant } from "../partition/publication.ts";
import type { PartitionState } from "../partition/state.ts";
import type { Committed, EvaluatorContext } from "./context.ts";
import { commitIncidents } from "./incidents.ts";
import { stateCollection, stateDocument } from "./state-collection.ts";
import { monitorDocument, partitionDocument } from "./state-document.ts";
import { commitStep, type Stepped } from "./step.ts";
import { awaitEarlier } from "./store-outage.ts";

/** Folds the report of a schedule into its partition and, if anything changed, into the incidents. */
export async function commitReport(
  context: EvaluatorContext,
  report: Report,
  now: number,
  publication?: Publication,
): Promise<Committed> {
  const step = (state: PartitionState): Evaluated => {
    if (context.catchingUp) awaitEarlier(state, report, context.plan);
    const evaluated = evaluateReport(state, report, context.plan);
    const next = evaluated.state;
    if (evaluated.ignored === "repeated") return evaluated;
    const judged = evaluated.ignored !== "late";
    const heard = noted(state.heard, report, reportInstant(report), now, publication, judged);
    if (!judged) return { ...evaluated, state: { ...next, heard } };
    const uptime = withReport(state.uptime ?? {}, report, context.plan, horizonOf(next, context.plan), next.runs);
    return { ...evaluated, state: { ...next, heard, uptime } };
  };
  const committed = await commitStep(context, partitionDocument(report.group, context), step, now);
  if (!context.watchesItself || !ticksAreDue(context.ticks.at, now)) return committed;
  const miss = (state: SelfState): Stepped<SelfState> => missTicks(known(state, context, now), now);
  const { outbox } = await commitStep(context, monitorDocument(context), miss, now);
  return { ...committed, outbox: [...new Set([...committed.outbox, ...outbox])] };
}

/** Takes in what a function reports of the monitor itself. */
export function commitSelfReport(context: EvaluatorContext, report: Report, now: number): Promise<Committed> {
  return commitStep(context, monitorDocument(context), (state) => applySelfReport(state, report, now), now);
}

/** Takes a report that answers a validation to the incident that asked for it. */
export async function commitValidation(context: EvaluatorContext, report: Report, now: number): Promise<Committed> {
  return { outbox: (await commitIncidents(context, { changes: [], validation: report }, now)).outbox };
}

/** Takes a report that answers a diagnosis to the incidents that it concerns. */
export async function commitDiagnosis(context: EvaluatorContext, report: Report, now: number): Promise<Committed> {
  return { outbox: (await commitIncidents(context, { changes: [], diagnosis: report }, now)).outbox };
}

/** Takes a change that somebody reports to the incidents, those to come included. */
export async function commitReportedChange(context: EvaluatorContext, change: Change, now: number): Promise<Committed> {
  return { outbox: (await commitIncidents(context, { changes: [], reported: [change] }, now)).outbox };
}

/** Judges a canary, plans its notification as for any outage, and stores nothing else of it. */
export async function commitCanary({ store }: EvaluatorContext, report: Report, now: number): Promise<Committed> {
  const entry = judgedCanary(report, now);
  if (entry === undefined) return { outbox: [], remarks: ["a canary was not seen to fail"] };
  await store.set(stateCollection, canaryName, stateDocument(JSON.stringify(entry), now));
  return { outbox: [entry] };
}

/** The state as it is, with a note of the newest tick for this instance, which asks for it again a minute later at the earliest. */
export function known(state: SelfState, { ticks }: EvaluatorContext, now: number): SelfState {
  ticks.at = Math.max(state.tickAt, now - 240_000);
  return state;
}
