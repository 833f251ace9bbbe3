/**
 * The evaluator's transactions: which documents are read, which pure step decides, which documents are written. One report costs one
 * read and one write while nothing changes. State, incidents and outbox are one commit; messages leave the outbox after it.
 */
import type { Report } from "../../shared/messages/report.ts";
import type { Fields, Reads, Store, Transaction } from "../../shared/ports.ts";
import { documentOf, incidentCollection } from "./document.ts";
import { type Happening, revise } from "./incident.ts";
import type { OperatorFields } from "./operator.ts";
import { applied, type Change, evaluateReport, evaluateTick, judgeNow, sourceOf } from "./partition.ts";
import type { Plan } from "./plan.ts";
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

/** What is to be published now that the commit has been made, and why a report was not judged. */
export interface Committed {
  readonly outbox: readonly OutboxEntry[];
  readonly ignored?: string;
}

/** Partition of the rules that join metrics of several others. */
const crossPartition = "cross";

/**
 * Folds the report of a schedule into its partition and, if anything changed, into the incidents.
 * @param published ids of outbox entries that are known to have been published
 */
export function commitReport(
  store: Store,
  report: Report,
  plan: Plan,
  now: number,
  published: ReadonlySet<string>,
): Promise<Committed> {
  return store.transaction(async (transaction): Promise<Committed> => {
    const before = decodePartition(await transaction.get(stateCollection, report.group));
    const { state, changes, ignored } = evaluateReport(before, report, plan);
    if (ignored === "repeated") {
      // It may be a redelivery after a crash between the commit and the publication.
      const { outbox } = await readEnvironment(transaction);
      return { outbox: outbox.filter(({ id }) => !published.has(id)), ignored };
    }
    const outbox = changes.length === 0 ? [] : await reviseIncidents(transaction, { changes }, plan, now, published);
    if (state !== before) transaction.set(stateCollection, report.group, encodeState(state, now));
    return { outbox, ...(ignored === undefined ? {} : { ignored }) };
  });
}

/** Takes a report that answers a validation to the incident that asked for it. */
export function commitValidation(
  store: Store,
  report: Report,
  plan: Plan,
  now: number,
  published: ReadonlySet<string>,
): Promise<Committed> {
  return store.transaction(async (transaction) => ({
    outbox: await reviseIncidents(transaction, { changes: [], validation: report }, plan, now, published),
  }));
}

/** Lets time pass: in every partition, over the rules that join several, and for the open incidents and their documents. */
export async function commitTick(
  store: Store,
  at: number,
  plan: Plan,
  now: number,
  published: ReadonlySet<string>,
): Promise<Committed> {
  const outbox: OutboxEntry[] = [];
  const partitions: PartitionState[] = [];
  for (const group of plan.groups) {
    const seen = decodePartition(await store.get(stateCollection, group));
    partitions.push(seen);
    if (evaluateTick(seen, plan, at).state === seen) continue;
    outbox.push(...(await commitStep(store, group, (state) => evaluateTick(state, plan, at), plan, now, published)));
  }
  if (plan.crossRules.length > 0) {
    const source = sourceOf(Object.assign({}, ...partitions.map(({ series }) => series)), plan);
    const judged = judgeNow(plan.crossRules, source, at, plan);
    const step = (state: PartitionState): { state: PartitionState; changes: readonly Change[] } => {
      const changes: Change[] = [];
      const alerts = applied(state.alerts, judged, at, plan, changes);
      return { state: alerts === state.alerts ? state : { ...state, watermark: at, alerts }, changes };
    };
    outbox.push(...(await commitStep(store, crossPartition, step, plan, now, published)));
  }
  outbox.push(
    ...(await store.transaction((transaction) =>
      reviseIncidents(transaction, { changes: [], tick: true }, plan, now, published),
    )),
  );
  return { outbox: [...new Map(outbox.map((entry) => [entry.id, entry])).values()] };
}

function commitStep(
  store: Store,
  partition: string,
  step: (state: PartitionState) => { state: PartitionState; changes: readonly Change[] },
  plan: Plan,
  now: number,
  published: ReadonlySet<string>,
): Promise<readonly OutboxEntry[]> {
  return store.transaction(async (transaction) => {
    const before = decodePartition(await transaction.get(stateCollection, partition));
    const { state, changes } = step(before);
    const outbox = changes.length === 0 ? [] : await reviseIncidents(transaction, { changes }, plan, now, published);
    if (state !== before) transaction.set(stateCollection, partition, encodeState(state, now));
    return outbox;
  });
}

/**
 * Works what happened into the incidents and writes what changed.
 * @returns the entries of the outbox that are not known to have been published
 */
async function reviseIncidents(
  transaction: Transaction,
  happening: Happening,
  plan: Plan,
  now: number,
  published: ReadonlySet<string>,
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
