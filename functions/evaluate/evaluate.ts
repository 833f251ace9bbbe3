/**
 * The evaluator's transactions: which documents are read, which pure step decides, which documents are written. One report costs one
 * read and one write while nothing changes. State, incidents and outbox are one commit; messages leave the outbox after it.
 */
import type { Report } from "../../shared/messages/report.ts";
import { selfGroup } from "../../shared/monitor.ts";
import type { Fields, Reads, Store, Transaction } from "../../shared/ports.ts";
import { documentOf, incidentCollection } from "./document.ts";
import type { Happening } from "./draft.ts";
import { revise } from "./incident.ts";
import type { OperatorFields } from "./operator.ts";
import {
  applied,
  type Change,
  type Evaluated,
  evaluateReport,
  evaluateTick,
  judgeNow,
  reportInstant,
  sourceOf,
} from "./partition.ts";
import type { Plan } from "./plan.ts";
import { hearSelf, missTicks, ticksAreDue, watchTick } from "./self/checks.ts";
import { decodeSelf, noted, type SelfState } from "./self/state.ts";
import {
  decodeEnvironment,
  decodePartition,
  type EnvironmentState,
  encodeState,
  environmentDocument,
  type OutboxEntry,
  type PartitionState,
  stateCollection,
} from "./state.ts";
import type { Turns } from "./turns.ts";

/** What is to be published now that the commit has been made, and why a report was not judged. */
export interface Committed {
  readonly outbox: readonly OutboxEntry[];
  readonly ignored?: string;
}

/** What every commit needs. */
export interface Desk {
  readonly store: Store;
  readonly plan: Plan;
  readonly turns: Turns;
  /** Ids of outbox entries that are known to have been published. */
  readonly published: ReadonlySet<string>;
  /** Whether the monitor watches itself. Not in a rehearsal: of a record nobody knows what should have been in it. */
  readonly watchesItself: boolean;
  /** The newest tick that this instance knows of. */
  readonly ticks: { at: number };
}

/** Partition of the rules that join metrics of several others. */
const crossPartition = "cross";

/** Folds the report of a schedule into its partition and, if anything changed, into the incidents. */
export async function commitReport(desk: Desk, report: Report, now: number): Promise<Committed> {
  const step = (state: PartitionState): Evaluated => {
    const evaluated = evaluateReport(state, report, desk.plan);
    if (evaluated.ignored === "repeated" || evaluated.ignored === "late") return evaluated;
    const heard = noted(state.heard, report, reportInstant(report), now);
    return { ...evaluated, state: { ...evaluated.state, heard } };
  };
  const committed = await commitStep(desk, partition(report.group), step, now);
  if (!desk.watchesItself || !ticksAreDue(desk.ticks.at, now)) return committed;
  const { outbox } = await commitStep(desk, itself, (state) => missTicks(known(state, desk, now), now), now);
  return { ...committed, outbox: [...new Set([...committed.outbox, ...outbox])] };
}

/** Takes in what a function reports of the monitor itself. */
export function commitSelfReport(desk: Desk, report: Report, now: number): Promise<Committed> {
  return commitStep(desk, itself, (state) => hearSelf(state, report, now), now);
}

/** Takes a report that answers a validation to the incident that asked for it. */
export async function commitValidation(desk: Desk, report: Report, now: number): Promise<Committed> {
  return { outbox: await commitIncidents(desk, { changes: [], validation: report }, now) };
}

/** Makes the time until now no pause: whoever starts the system knows that it did not run. For one machine; the cloud never stops on purpose. */
export async function excusePause(store: Store, now: number): Promise<void> {
  await store.transaction(async (transaction) => {
    const state = decodeSelf(await transaction.get(stateCollection, selfGroup));
    if (state.tickAt === 0) return;
    transaction.set(stateCollection, selfGroup, encodeState({ ...state, tickAt: now, resumedAt: now }, now));
  });
}

/** Lets time pass: in every partition, over the rules that join several, and for the open incidents and their documents. */
export async function commitTick(desk: Desk, at: number, now: number): Promise<Committed> {
  const { store, plan } = desk;
  const outbox: OutboxEntry[] = [];
  const partitions: PartitionState[] = [];
  for (const group of plan.groups) {
    const seen = decodePartition(await store.get(stateCollection, group));
    partitions.push(seen);
    if (evaluateTick(seen, group, plan, at).state === seen) continue;
    outbox.push(
      ...(await commitStep(desk, partition(group), (state) => evaluateTick(state, group, plan, at), now)).outbox,
    );
  }
  if (desk.watchesItself) {
    const heard = Object.fromEntries(plan.groups.map((group, index) => [group, partitions[index]?.heard]));
    const step = (state: SelfState): Stepped<SelfState> => watchTick(known(state, desk, now), heard, plan, at, now);
    outbox.push(...(await commitStep(desk, itself, step, now)).outbox);
    desk.ticks.at = Math.max(desk.ticks.at, at);
  }
  if (plan.crossRules.length > 0) {
    const source = sourceOf(Object.assign({}, ...partitions.map(({ series }) => series)), plan);
    const judged = judgeNow(plan.crossRules, source, at, plan);
    const step = (state: PartitionState): Evaluated => {
      const changes: Change[] = [];
      const alerts = applied(state.alerts, judged, at, plan, changes);
      return { state: alerts === state.alerts ? state : { ...state, watermark: at, alerts }, changes };
    };
    outbox.push(...(await commitStep(desk, partition(crossPartition), step, now)).outbox);
  }
  outbox.push(...(await commitIncidents(desk, { changes: [], tickAt: at }, now)));
  return { outbox: [...new Map(outbox.map((entry) => [entry.id, entry])).values()] };
}

/** A document of state: its id, and how it is read. */
interface Drawer<State> {
  readonly id: string;
  decode(fields: Fields | undefined): State;
}

/** The next state of a document, what changed with it, and why a report left it as it was. */
interface Stepped<State> {
  readonly state: State;
  readonly changes: readonly Change[];
  readonly ignored?: NonNullable<Evaluated["ignored"]>;
}

/** The document of the monitor itself. */
const itself: Drawer<SelfState> = { id: selfGroup, decode: decodeSelf };

function partition(id: string): Drawer<PartitionState> {
  return { id, decode: decodePartition };
}

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
  { id, decode }: Drawer<State>,
  step: (state: State) => Stepped<State>,
  now: number,
): Promise<Committed> {
  const { store, turns, published } = desk;
  const attempt = (environmentToo: boolean): Promise<Committed | "environment too"> =>
    store.transaction(async (transaction) => {
      const before = decode(await transaction.get(stateCollection, id));
      const { state, changes, ignored } = step(before);
      if (changes.length > 0 && !environmentToo) return "environment too";
      let outbox: readonly OutboxEntry[] = [];
      if (changes.length > 0) outbox = await reviseIncidents(transaction, { changes }, desk, now);
      // It may be a redelivery after a crash between the commit and the publication.
      else if (ignored === "repeated") {
        outbox = (await readEnvironment(transaction)).outbox.filter((entry) => !published.has(entry.id));
      }
      if (state !== before) transaction.set(stateCollection, id, encodeState(state, now));
      return { outbox, ...(ignored === undefined ? {} : { ignored }) };
    });
  return turns.take(id, async () => {
    const committed = await attempt(false);
    if (committed !== "environment too") return committed;
    return (await turns.take(environmentDocument, () => attempt(true))) as Committed;
  });
}

function commitIncidents(desk: Desk, happening: Happening, now: number): Promise<readonly OutboxEntry[]> {
  return desk.turns.take(environmentDocument, () =>
    desk.store.transaction((transaction) => reviseIncidents(transaction, happening, desk, now)),
  );
}

/**
 * Works what happened into the incidents and writes what changed.
 * @returns the entries of the outbox that are not known to have been published
 */
async function reviseIncidents(
  transaction: Transaction,
  happening: Happening,
  { plan, published }: Desk,
  now: number,
): Promise<readonly OutboxEntry[]> {
  const before = await readEnvironment(transaction);
  const documents: Record<string, OperatorFields> = {};
  for (const id of Object.keys(before.incidents)) {
    const document = await transaction.get(incidentCollection, id);
    if (document) documents[id] = document;
  }
  const taken = new Set<string>();
  let revised = revise(before, { ...happening, documents }, plan, now);
  for (;;) {
    const occupied = await firstTaken(transaction, revised.opened, taken);
    if (occupied === undefined) break;
    taken.add(occupied);
    revised = revise(before, { ...happening, documents }, plan, now, taken);
  }

  const environment: EnvironmentState = {
    ...revised.environment,
    outbox: revised.environment.outbox.filter(({ id }) => !published.has(id)),
  };
  const unchanged =
    happening.changes.length === 0 &&
    revised.changed.length === 0 &&
    environment.outbox.length === before.outbox.length;
  if (!unchanged) {
    transaction.set(stateCollection, environmentDocument, encodeState(environment, now));
    for (const incident of revised.changed) {
      const fields = documentOf(incident, plan);
      if (documents[incident.id]) transaction.update(incidentCollection, incident.id, fields);
      else transaction.set(incidentCollection, incident.id, { ...fields, ...blankOperatorFields });
    }
  }
  return environment.outbox;
}

/** Present from the start, so that in the console they need only be filled in. */
const blankOperatorFields: Fields = { note: "", silenced_until: null, deliveries: {}, postmortem: null };

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
