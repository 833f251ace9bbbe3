/** Commits a tick: time passes in every partition, for the monitor itself and for the open incidents. */
import type { Availability } from "../../../shared/documents/availability.ts";
import { exportsOf } from "../../../shared/metrics/exported.ts";
import { selfGroup } from "../../../shared/monitor.ts";
import type { Store } from "../../../shared/ports.ts";
import { TryAgain } from "../../../shared/runtime/shell.ts";
import { flushAvailability, flushEvery } from "../availability/flush.ts";
import { pagesDue } from "../availability/pages.ts";
import { timed } from "../availability/period.ts";
import { unreportedOf } from "../incident/recently-resolved.ts";
import { affectedBy } from "../incident/record/document.ts";
import type { EnvironmentState, OutboxEntry } from "../incident/state.ts";
import { canaryRequests, isCanaryDue } from "../monitor/canary.ts";
import { watchTick } from "../monitor/checks.ts";
import { type DriftFindings, driftAsked, driftChecked, isDriftDue } from "../monitor/drift.ts";
import { type Exported, ownPoints, reportsIn, seriesPoints } from "../monitor/export.ts";
import { decodeSelf, emptySelf, encodeSelf, groupResultsOf, type SelfState } from "../monitor/state.ts";
import { isWatchdogDue } from "../monitor/watchdog.ts";
import { type Evaluated, evaluateTick, judgeable, judgeNow } from "../partition/fold.ts";
import { sourceOf } from "../partition/samples.ts";
import { emptyPartition, type PartitionState } from "../partition/state.ts";
import type { Plan } from "../plan.ts";
import { applied, type Change } from "../rules/alerts.ts";
import { crossPartition } from "../rules/configuration-edits.ts";
import type { Committed, EvaluatorContext } from "./context.ts";
import { healedEnvironment, healedPartition } from "./heal.ts";
import { commitIncidents, readEnvironment } from "./incidents.ts";
import { stateCollection } from "./state-collection.ts";
import { monitorDocument, partitionDocument } from "./state-document.ts";
import { commitStep, type Stepped } from "./step.ts";

/**
 * Marks the time until now as running time: whoever starts the system knows that it was stopped. For one machine only; the cloud never stops
 * on purpose.
 */
export async function excusePause(store: Store, now: number): Promise<void> {
  await store.transaction(async (transaction) => {
    const state = decodeSelf(await transaction.get(stateCollection, selfGroup));
    if (state.tickAt === 0) return;
    transaction.set(stateCollection, selfGroup, encodeSelf({ ...state, tickAt: now, resumedAt: now }, now));
  });
}

/** Lets time pass: in every partition, over the rules that join several, and for the open incidents and their documents. */
export async function commitTick(context: EvaluatorContext, at: number, now: number): Promise<Committed> {
  const { store, plan, partitions } = context;
  const committed: Committed[] = [];
  const { alerts } = healedEnvironment(await readEnvironment(store), context.latest);
  // Measurements taken during an outage of the store come first: the tick would report them missing.
  if (context.catchingUp) throw new TryAgain("the tick waits for reports, which the store has kept waiting");
  // Partitions that the configuration does not have any more may have left alerts, which nobody else would end.
  const strays = Object.values(alerts).map(({ partition: of }) => of);
  const groups = [...new Set([...plan.groups, ...strays])].filter((group) => !elsewhere.includes(group));
  const stored = await Promise.all(groups.map((group) => partitions.get(store, group)));
  const seen = stored.map((state) => healedPartition(state, context.latest));
  for (const [index, group] of groups.entries()) {
    const state = seen[index] ?? emptyPartition;
    if (evaluateTick(state, group, plan, at).state === stored[index]) continue;
    const step = (before: PartitionState): Evaluated => evaluateTick(before, group, plan, at);
    committed.push(await commitStep(context, partitionDocument(group, context), step, now));
  }
  const states = new Map(groups.map((group, index) => [group, seen[index] ?? emptyPartition]));
  const itself = context.watchesItself ? await assessMonitor(context, states, at, now) : undefined;
  if (itself !== undefined) committed.push(itself);
  if (plan.crossRules.length > 0 || strays.includes(crossPartition)) {
    const source = sourceOf(seen, plan);
    const step = (state: PartitionState): Evaluated => {
      const changes: Change[] = [];
      const probes = Object.assign({}, ...seen.map((one) => one.probes)) as PartitionState["probes"];
      const known = { alerts: state.alerts, probes };
      const verdicts = judgeNow(judgeable(plan.crossRules, states, plan, at), source, at, known, plan);
      const next = applied(state.alerts, verdicts, { partition: crossPartition, plan, source, watermark: at, changes });
      return { state: next === state.alerts ? state : { ...state, watermark: at, alerts: next }, changes };
    };
    committed.push(await commitStep(context, partitionDocument(crossPartition, context), step, now));
  }
  const changes = lostAlerts(alerts, states, at, plan);
  const environment = await commitIncidents(context, { changes, tickAt: at }, now);
  committed.push({ outbox: environment.outbox });
  const month = itself && (await writeAvailability(context, states, itself, environment, at, now));
  const exported = itself?.isNew && context.exports && exportsOf(plan.configuration) !== undefined;
  const unreported = unreportedOf(environment);
  const outbox = [...committed.flatMap((one) => one.outbox), ...(month === undefined ? [] : pagesDue(plan, at))];
  return {
    outbox: [...new Map(outbox.map((entry) => [entry.id, entry])).values()],
    remarks: committed.flatMap(({ remarks = [] }) => remarks),
    ...(itself?.signalDue ? { signalAt: at } : {}),
    ...(itself?.driftDue ? { driftAt: at } : {}),
    ...(unreported.length === 0 ? {} : { unreported }),
    ...(exported
      ? {
          points: [...itself.exported.points, ...ownPoints(itself, states, environment, month, plan, at, now)],
          pointsLeftOut: itself.exported.leftOut,
        }
      : {}),
  };
}

/** Remembers that a heartbeat has arrived. */
export async function commitWatchdogSignal(context: EvaluatorContext, at: number, now: number): Promise<void> {
  const step = (state: SelfState): Stepped<SelfState> => ({ state: { ...state, signalledAt: at }, changes: [] });
  await commitStep(context, monitorDocument(context), step, now);
}

/** Remembers what a check for drift found: the next tick judges it. */
export async function commitDrift(
  context: EvaluatorContext,
  findings: DriftFindings,
  at: number,
  now: number,
): Promise<void> {
  const step = (state: SelfState): Stepped<SelfState> => ({
    state: { ...state, drift: driftChecked(state, findings, at) },
    changes: [],
  });
  await commitStep(context, monitorDocument(context), step, now);
}

const nothing: Exported = { points: [], upTo: {}, leftOut: 0 };

/** Findings of a tick about the monitor itself. */
interface SelfAssessment {
  readonly outbox: readonly OutboxEntry[];
  readonly before: SelfState;
  readonly after: SelfState;
  /** Whether the tick is new. */
  readonly isNew: boolean;
  readonly signalDue: boolean;
  readonly driftDue: boolean;
  readonly exported: Exported;
}

async function assessMonitor(
  context: EvaluatorContext,
  states: ReadonlyMap<string, PartitionState>,
  at: number,
  now: number,
): Promise<SelfAssessment> {
  const { plan, ticks } = context;
  const results = Object.fromEntries(Array.from(states, ([group, state]) => [group, groupResultsOf(state)]));
  let before = emptySelf;
  let after = emptySelf;
  let exported = nothing;
  let canaryDue = false;
  let driftDue = false;
  const { outbox } = await commitStep(
    context,
    monitorDocument(context),
    (state) => {
      const watched = watchTick(state, results, plan, at, now);
      before = state;
      after = watched.state;
      driftDue = false;
      if (watched.state === state) return watched;
      driftDue = context.checksDrift && isDriftDue(watched.state, at);
      exported = context.exports ? seriesPoints(states, state.exported, plan, at) : nothing;
      const flushedAt = at - state.flushedAt >= flushEvery ? at : state.flushedAt;
      canaryDue = context.signals && isCanaryDue(watched.state, plan, at);
      const asked = canaryDue ? { canaryAskedAt: at } : {};
      const { drift: known, ...rest } = watched.state;
      // Where nobody checks any more, nothing is known any more.
      const drift = driftDue ? driftAsked(watched.state, at) : context.checksDrift ? known : undefined;
      after = {
        ...rest,
        ...asked,
        ...(drift && { drift }),
        flushedAt,
        exported: exported.upTo,
        reports: reportsIn(states),
      };
      return { ...watched, state: after };
    },
    now,
  );
  ticks.at = after.tickAt;
  const isNew = before !== after;
  const canaries = canaryDue ? canaryRequests(plan, at) : [];
  return {
    outbox: [...outbox, ...canaries],
    before,
    after,
    isNew,
    driftDue,
    exported,
    signalDue: isNew && isWatchdogDue(after, results, plan, at, now),
  };
}

/** Brings the documents of availability up to date: every few minutes, and when an incident is over. */
async function writeAvailability(
  { store, partitions, plan: { configuration } }: EvaluatorContext,
  states: ReadonlyMap<string, PartitionState>,
  { before, after }: SelfAssessment,
  { incidents, recentlyResolved = [] }: EnvironmentState,
  at: number,
  now: number,
): Promise<Availability | undefined> {
  const over = recentlyResolved.some(({ resolvedAt = 0 }) => resolvedAt > after.flushedAt);
  if (before === after || (before.flushedAt === after.flushedAt && !over)) return undefined;
  const left = Object.keys(after.retired).filter((group) => !states.has(group));
  const retired = await Promise.all(left.map((group) => partitions.get(store, group)));
  const uptimes = [...states.values(), ...retired].map(({ uptime = {} }) => uptime);
  return flushAvailability(
    store,
    uptimes,
    [...Object.values(incidents).map((incident) => timed(incident, affectedBy(incident))), ...recentlyResolved],
    at,
    now,
    configuration.maintenance,
  );
}

/** Ends alerts of partitions that nothing reports to any more, and of which nothing is kept. */
function lostAlerts(
  alerts: EnvironmentState["alerts"],
  states: ReadonlyMap<string, PartitionState>,
  at: number,
  plan: Plan,
): Change[] {
  const lost = Object.values(alerts).filter(
    ({ key, partition }) =>
      !elsewhere.includes(partition) && !plan.groups.includes(partition) && !states.get(partition)?.alerts.has(key),
  );
  const reason = "nothing reports on it any more";
  return lost.map(({ key }) => ({ what: "alert", at, key, alert: undefined, reason }));
}

/** Names of documents of alerts that no group of probes stands behind. */
const elsewhere: readonly string[] = [crossPartition, selfGroup];
