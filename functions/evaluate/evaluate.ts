/**
 * The evaluator's transactions: which documents are read, which pure step decides, which documents are written. One report costs one
 * read and one write while nothing changes. State, incidents and outbox are one commit; messages leave the outbox after it.
 */
import type { Availability } from "../../shared/documents/availability.ts";
import { ownEntry, setEntry } from "../../shared/runtime/entries.ts";
import { exportsOf } from "../../shared/metrics/exported.ts";
import { awaitedPlace } from "../../shared/documents/heartbeats.ts";
import type { Report } from "../../shared/messages/report.ts";
import { selfGroup } from "../../shared/monitor.ts";
import type { Fields, MetricPoint, Reads, Store, Transaction } from "../../shared/ports.ts";
import { applied, type Change } from "./rules/alerts.ts";
import { flushAvailability, flushEvery } from "./availability/flush.ts";
import { pagesDue } from "./availability/pages.ts";
import { timed } from "./availability/period.ts";
import { withReport } from "./availability/uptime.ts";
import { closedLately, unreportedOf } from "./incident/recently-resolved.ts";
import { documentOf, incidentCollection, withAfterwards } from "./incident/record/document.ts";
import type { Happening } from "./incident/draft.ts";
import { crossPartition } from "./rules/configuration-edits.ts";
import { healedEnvironment, healedPartition } from "./commit/heal.ts";
import { revise } from "./incident/revise.ts";
import type { OperatorFields } from "./incident/operator-edits.ts";
import {
  type Evaluated,
  evaluateReport,
  evaluateTick,
  horizonOf,
  judgeable,
  judgeNow,
  reportInstant,
} from "./partition/fold.ts";
import type { PartitionCache } from "./partition/cache.ts";
import type { Plan } from "./plan.ts";
import type { Publication } from "./partition/publication.ts";
import { sourceOf } from "./partition/samples.ts";
import { hearSelf, missTicks, ticksAreDue, watchTick } from "./monitor/checks.ts";
import { type Exported, ownPoints, reportsIn, seriesPoints } from "./monitor/export.ts";
import { isHeartbeatDue } from "./monitor/watchdog.ts";
import { decodeSelf, emptySelf, encodeSelf, heardOf, noted, type SelfState } from "./monitor/state.ts";
import {
  type Closed,
  decodeEnvironment,
  type EnvironmentState,
  emptyPartition,
  encodeEnvironment,
  environmentDocument,
  type OutboxEntry,
  type PartitionState,
  stateCollection,
} from "./state.ts";
import { monitorDocument, partitionDocument, type StateDocument } from "./commit/state-document.ts";
import type { Turns } from "./keyed-mutex.ts";

/** What is to be published now that the commit has been made, and why a report was not judged. */
export interface Committed {
  readonly outbox: readonly OutboxEntry[];
  readonly ignored?: string;
  /** What people who run this should know, as sentences for the log. */
  readonly remarks?: readonly string[];
  /** A tick after whose publication a heartbeat is deserved. */
  readonly heartbeatAt?: number;
  /** What a tick exports for dashboards. */
  readonly points?: readonly MetricPoint[];
  /** How many of them there were too many. */
  readonly pointsLeftOut?: number;
  /** Resolved incidents that a tick finds without a postmortem. */
  readonly unreported?: readonly Closed[];
}

/** What every commit needs. */
export interface Desk {
  readonly store: Store;
  readonly plan: Plan;
  readonly turns: Turns;
  readonly partitions: PartitionCache;
  /** Ids of outbox entries that are known to have been published. */
  readonly published: ReadonlySet<string>;
  /** Whether the monitor watches itself. Not in a rehearsal: of a record nobody knows what should have been in it. */
  readonly watchesItself: boolean;
  /** Whether there is somewhere to export to. */
  readonly exports: boolean;
  /** The newest tick that this instance knows of. */
  readonly ticks: { at: number };
  /** The newest instant that can have passed, in milliseconds since the epoch; infinite where nothing says what can have. */
  readonly latest: number;
}

/** Folds the report of a schedule into its partition and, if anything changed, into the incidents. */
export async function commitReport(
  desk: Desk,
  report: Report,
  now: number,
  publication?: Publication,
): Promise<Committed> {
  const step = (state: PartitionState): Evaluated => {
    const evaluated = evaluateReport(state, report, desk.plan);
    const next = evaluated.state;
    if (evaluated.ignored === "repeated") return evaluated;
    const judged = evaluated.ignored !== "late";
    const heard = noted(state.heard, report, reportInstant(report), now, publication, judged);
    if (!judged) return { ...evaluated, state: { ...next, heard } };
    const uptime = withReport(state.uptime ?? {}, report, desk.plan, horizonOf(next, desk.plan));
    return { ...evaluated, state: { ...next, heard, uptime } };
  };
  const committed = await commitStep(desk, partitionDocument(report.group, desk), step, now);
  if (!desk.watchesItself || !ticksAreDue(desk.ticks.at, now)) return committed;
  const miss = (state: SelfState): Stepped<SelfState> => missTicks(known(state, desk, now), now);
  const { outbox } = await commitStep(desk, monitorDocument(desk), miss, now);
  return { ...committed, outbox: [...new Set([...committed.outbox, ...outbox])] };
}

/** Takes in what a function reports of the monitor itself. */
export function commitSelfReport(desk: Desk, report: Report, now: number): Promise<Committed> {
  return commitStep(desk, monitorDocument(desk), (state) => hearSelf(state, report, now), now);
}

/** Takes a report that answers a validation to the incident that asked for it. */
export async function commitValidation(desk: Desk, report: Report, now: number): Promise<Committed> {
  return { outbox: (await commitIncidents(desk, { changes: [], validation: report }, now)).outbox };
}

/** Makes the time until now no pause: whoever starts the system knows that it did not run. For one machine; the cloud never stops on purpose. */
export async function excusePause(store: Store, now: number): Promise<void> {
  await store.transaction(async (transaction) => {
    const state = decodeSelf(await transaction.get(stateCollection, selfGroup));
    if (state.tickAt === 0) return;
    transaction.set(stateCollection, selfGroup, encodeSelf({ ...state, tickAt: now, resumedAt: now }, now));
  });
}

/** Takes a report that answers a diagnosis to the incidents that it concerns. */
export async function commitDiagnosis(desk: Desk, report: Report, now: number): Promise<Committed> {
  return { outbox: (await commitIncidents(desk, { changes: [], diagnosis: report }, now)).outbox };
}

/** Lets time pass: in every partition, over the rules that join several, and for the open incidents and their documents. */
export async function commitTick(desk: Desk, at: number, now: number): Promise<Committed> {
  const { store, plan, partitions } = desk;
  const committed: Committed[] = [];
  const { alerts } = healedEnvironment(await readEnvironment(store), desk.latest);
  // Partitions that the configuration does not have any more may have left alerts, which nobody else would end.
  const strays = Object.values(alerts).map(({ partition: of }) => of);
  const groups = [...new Set([...plan.groups, ...strays])].filter((group) => !elsewhere.includes(group));
  const stored = await Promise.all(groups.map((group) => partitions.get(store, group)));
  const seen = stored.map((state) => healedPartition(state, desk.latest));
  for (const [index, group] of groups.entries()) {
    const state = seen[index] ?? emptyPartition;
    if (evaluateTick(state, group, plan, at).state === stored[index]) continue;
    const step = (before: PartitionState): Evaluated => evaluateTick(before, group, plan, at);
    committed.push(await commitStep(desk, partitionDocument(group, desk), step, now));
  }
  const states = new Map(groups.map((group, index) => [group, seen[index] ?? emptyPartition]));
  const itself = desk.watchesItself ? await lookAtItself(desk, states, at, now) : undefined;
  if (itself !== undefined) committed.push(itself);
  if (plan.crossRules.length > 0 || strays.includes(crossPartition)) {
    const source = sourceOf(seen, plan);
    const step = (state: PartitionState): Evaluated => {
      const changes: Change[] = [];
      const verdicts = judgeNow(judgeable(plan.crossRules, states, plan, at), source, at, plan);
      const next = applied(state.alerts, verdicts, { partition: crossPartition, plan, source, watermark: at, changes });
      return { state: next === state.alerts ? state : { ...state, watermark: at, alerts: next }, changes };
    };
    committed.push(await commitStep(desk, partitionDocument(crossPartition, desk), step, now));
  }
  const changes = lostAlerts(alerts, states, at, plan);
  const environment = await commitIncidents(desk, { changes, tickAt: at }, now);
  committed.push({ outbox: environment.outbox });
  const month = itself && (await writeAvailability(desk, states, itself, environment, at, now));
  const exported = itself?.isNew && desk.exports && exportsOf(plan.configuration) !== undefined;
  const unreported = unreportedOf(environment);
  const outbox = [...committed.flatMap((one) => one.outbox), ...(month === undefined ? [] : pagesDue(plan, at))];
  return {
    outbox: [...new Map(outbox.map((entry) => [entry.id, entry])).values()],
    remarks: committed.flatMap(({ remarks = [] }) => remarks),
    ...(itself?.heartbeatDue ? { heartbeatAt: at } : {}),
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
export async function commitHeartbeat(desk: Desk, at: number, now: number): Promise<void> {
  const step = (state: SelfState): Stepped<SelfState> => ({ state: { ...state, beatAt: at }, changes: [] });
  await commitStep(desk, monitorDocument(desk), step, now);
}

const nothing: Exported = { points: [], upTo: {}, leftOut: 0 };

/** What a tick found of the monitor itself. */
interface SelfLook {
  readonly outbox: readonly OutboxEntry[];
  readonly before: SelfState;
  readonly after: SelfState;
  /** Whether the tick was not known yet. */
  readonly isNew: boolean;
  readonly heartbeatDue: boolean;
  readonly exported: Exported;
}

async function lookAtItself(
  desk: Desk,
  states: ReadonlyMap<string, PartitionState>,
  at: number,
  now: number,
): Promise<SelfLook> {
  const { plan, ticks } = desk;
  const heard = Object.fromEntries(Array.from(states, ([group, state]) => [group, heardOf(state)]));
  let before = emptySelf;
  let after = emptySelf;
  let exported = nothing;
  const { outbox } = await commitStep(
    desk,
    monitorDocument(desk),
    (state) => {
      const watched = watchTick(state, heard, plan, at, now);
      before = state;
      after = watched.state;
      if (watched.state === state) return watched;
      exported = desk.exports ? seriesPoints(states, state.exported, plan, at) : nothing;
      const flushedAt = at - state.flushedAt >= flushEvery ? at : state.flushedAt;
      after = { ...watched.state, flushedAt, exported: exported.upTo, reports: reportsIn(states) };
      return { ...watched, state: after };
    },
    now,
  );
  ticks.at = after.tickAt;
  const isNew = before !== after;
  return { outbox, before, after, isNew, exported, heartbeatDue: isNew && isHeartbeatDue(after, heard, plan, at, now) };
}

/** Brings the documents of availability up to date: every few minutes, and when an incident is over. */
async function writeAvailability(
  { store, partitions, plan: { configuration } }: Desk,
  states: ReadonlyMap<string, PartitionState>,
  { before, after }: SelfLook,
  { incidents, closed = [] }: EnvironmentState,
  at: number,
  now: number,
): Promise<Availability | undefined> {
  const over = closed.some(({ resolvedAt = 0 }) => resolvedAt > after.flushedAt);
  if (before === after || (before.flushedAt === after.flushedAt && !over)) return undefined;
  const left = Object.keys(after.retired).filter((group) => !states.has(group));
  const retired = await Promise.all(left.map((group) => partitions.get(store, group)));
  const uptimes = [...states.values(), ...retired].map(({ uptime = {} }) => uptime);
  return flushAvailability(
    store,
    uptimes,
    [...Object.values(incidents).map(timed), ...closed],
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

/** The next state of a document, what changed with it, and why a report left it as it was. */
interface Stepped<State> {
  readonly state: State;
  readonly changes: readonly Change[];
  readonly ignored?: NonNullable<Evaluated["ignored"]>;
}

/** Names of documents of alerts that no group of probes stands behind. */
const elsewhere: readonly string[] = [crossPartition, selfGroup];

/** The state as it is, with a note of the newest tick for this instance, which asks for it again a minute later at the earliest. */
function known(state: SelfState, { ticks }: Desk, now: number): SelfState {
  ticks.at = Math.max(state.tickAt, now - 240_000);
  return state;
}

/**
 * Takes one step in a document of state. While nothing changes, its own document is all that is read and written; a step that changes something is
 * taken again when it is its turn to write the environment as well.
 */
function commitStep<State extends PartitionState | SelfState>(
  desk: Desk,
  document: StateDocument<State>,
  step: (state: State) => Stepped<State>,
  now: number,
): Promise<Committed> {
  const { store, turns, published } = desk;
  const attempt = (environmentToo: boolean): Promise<Committed | "environment too"> =>
    store.transaction(async (transaction) => {
      const stored = await document.read(transaction);
      const before = document.heal(stored);
      const { state, changes, ignored } = step(before);
      if (changes.length > 0 && !environmentToo) return "environment too";
      let outbox: readonly OutboxEntry[] = [];
      if (changes.length > 0) outbox = (await reviseIncidents(transaction, { changes }, desk, now)).outbox;
      // It may be a redelivery after a crash between the commit and the publication.
      else if (ignored === "repeated") {
        outbox = (await readEnvironment(transaction)).outbox.filter((entry) => !published.has(entry.id));
      }
      const written = state === stored ? undefined : document.write(state, before, now);
      if (written !== undefined) transaction.set(stateCollection, document.id, written.fields);
      if (written?.awaited !== undefined) transaction.set(awaitedPlace.collection, awaitedPlace.id, written.awaited);
      return { outbox, remarks: written?.remarks ?? [], ...(ignored === undefined ? {} : { ignored }) };
    });
  return turns.take(document.id, async () => {
    const committed = await attempt(false);
    if (committed !== "environment too") return committed;
    return (await turns.take(environmentDocument, () => attempt(true))) as Committed;
  });
}

function commitIncidents(desk: Desk, happening: Happening, now: number): Promise<EnvironmentState> {
  return desk.turns.take(environmentDocument, () =>
    desk.store.transaction((transaction) => reviseIncidents(transaction, happening, desk, now)),
  );
}

/**
 * Works what happened into the incidents and writes what changed.
 * @returns the environment, with the entries of the outbox that are not known to have been published
 */
async function reviseIncidents(
  transaction: Transaction,
  happening: Happening,
  desk: Desk,
  now: number,
): Promise<EnvironmentState> {
  const { plan, published } = desk;
  const stored = await readEnvironment(transaction);
  const before = healedEnvironment(stored, desk.latest);
  const documents: Record<string, OperatorFields> = {};
  for (const id of Object.keys(before.incidents)) {
    const document = await transaction.get(incidentCollection, id);
    if (document) setEntry(documents, id, document);
  }
  const taken = new Set<string>();
  let revised = revise(before, { ...happening, documents }, plan, now);
  for (;;) {
    const occupied = await firstTaken(transaction, revised.opened, taken);
    if (occupied === undefined) break;
    taken.add(occupied);
    revised = revise(before, { ...happening, documents }, plan, now, taken);
  }

  const amended = new Map<string, Fields>();
  for (const [id, entries] of revised.afterwards) {
    const document = await transaction.get(incidentCollection, id);
    if (document) amended.set(id, withAfterwards(document, entries));
  }
  const environment: EnvironmentState = {
    ...revised.environment,
    outbox: revised.environment.outbox.filter(({ id }) => !published.has(id)),
    closed: closedLately(before.closed, revised.changed, now),
  };
  const unchanged =
    before === stored &&
    happening.changes.length === 0 &&
    revised.changed.length === 0 &&
    revised.afterwards.size === 0 &&
    environment.outbox.length === before.outbox.length;
  if (!unchanged) {
    transaction.set(stateCollection, environmentDocument, encodeEnvironment(environment, now));
    for (const [id, fields] of amended) transaction.update(incidentCollection, id, fields);
    const healed = before === stored ? [] : Object.values(environment.incidents);
    for (const incident of new Set([...revised.changed, ...healed])) {
      const fields = documentOf(incident, plan);
      if (ownEntry(documents, incident.id)) transaction.update(incidentCollection, incident.id, fields);
      else transaction.set(incidentCollection, incident.id, { ...fields, ...blankOperatorFields });
    }
  }
  return environment;
}

/** Present from the start, so that in the console they need only be filled in. */
const blankOperatorFields: Fields = { note: "", silenced_until: null, deliveries: {}, told: {}, postmortem: null };

/** The first of the ids under which a document stands already: an earlier incident of the same second and component. */
async function firstTaken(
  reads: Reads,
  ids: readonly string[],
  known: ReadonlySet<string>,
): Promise<string | undefined> {
  for (const id of ids) {
    if (!known.has(id) && (await reads.get(incidentCollection, id)) !== undefined) return id;
  }
  return undefined;
}

async function readEnvironment(reads: Reads): Promise<EnvironmentState> {
  return decodeEnvironment(await reads.get(stateCollection, environmentDocument));
}
