/** Commits what happened to the open incidents: reads the environment, revises it, and writes every document that changed. */

import { incidentCollection } from "../../../shared/documents/incident.ts";
import type { Fields, Reads, Transaction } from "../../../shared/ports.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import type { Symptom } from "../cause/diagnosis.ts";
import type { IncidentInput } from "../incident/draft.ts";
import type { OperatorFields } from "../incident/operator-edits.ts";
import { keptResolved } from "../incident/recently-resolved.ts";
import { documentOf, withAfterwards } from "../incident/record/document.ts";
import { isOwnPostmortem } from "../incident/record/own-postmortem.ts";
import { revise } from "../incident/revise.ts";
import { decodeEnvironment, type EnvironmentState, encodeEnvironment, type Incident } from "../incident/state.ts";
import type { EvaluatorContext } from "./context.ts";
import { healedEnvironment } from "./heal.ts";
import { environmentDocument, stateCollection } from "./state-collection.ts";

export function commitIncidents(
  context: EvaluatorContext,
  input: IncidentInput,
  now: number,
): Promise<EnvironmentState> {
  return context.mutex.take(environmentDocument, () =>
    context.store.transaction((transaction) => reviseIncidents(transaction, input, context, now)),
  );
}

/**
 * Works what happened into the incidents and writes what changed.
 * @returns the environment, with the entries of the outbox that are not known to have been published
 */
export async function reviseIncidents(
  transaction: Transaction,
  input: IncidentInput,
  context: EvaluatorContext,
  now: number,
): Promise<EnvironmentState> {
  const { plan, published } = context;
  const stored = await readEnvironment(transaction);
  const before = healedEnvironment(stored, context.latest);
  const documents: Record<string, OperatorFields> = {};
  for (const id of Object.keys(before.incidents)) {
    const document = await transaction.get(incidentCollection, id);
    if (document) setEntry(documents, id, document);
  }
  const taken = new Set<string>();
  let known = input;
  let revised = revise(before, { ...known, documents }, plan, now);
  if (revised.changed.some(isOverWhileBad)) {
    known = { ...input, probes: await measuredProbes(transaction, context) };
    revised = revise(before, { ...known, documents }, plan, now);
  }
  for (;;) {
    const occupied = await firstTaken(transaction, revised.opened, taken);
    if (occupied === undefined) break;
    taken.add(occupied);
    revised = revise(before, { ...known, documents }, plan, now, taken);
  }

  const postmortems = new Map<string, Fields>();
  for (const id of revised.reopened) {
    const document = await transaction.get(incidentCollection, id);
    if (document === undefined) continue;
    setEntry(documents, id, document);
    const written = ownEntry(revised.environment.incidents, id)?.postmortem;
    if (isOwnPostmortem(document["postmortem"], written)) postmortems.set(id, { postmortem: null });
  }
  const amended = new Map<string, Fields>();
  for (const [id, entries] of revised.afterwards) {
    const document = await transaction.get(incidentCollection, id);
    if (document) amended.set(id, withAfterwards(document, entries));
  }
  const environment: EnvironmentState = {
    ...revised.environment,
    outbox: revised.environment.outbox.filter(({ id }) => !published.has(id)),
    recentlyResolved: keptResolved(before.recentlyResolved, revised.changed, now),
  };
  const unchanged =
    before === stored &&
    input.changes.length === 0 &&
    (input.reported ?? []).length === 0 &&
    revised.changed.length === 0 &&
    revised.afterwards.size === 0 &&
    environment.outbox.length === before.outbox.length;
  if (!unchanged) {
    transaction.set(stateCollection, environmentDocument, encodeEnvironment(environment, now));
    for (const [id, fields] of amended) transaction.update(incidentCollection, id, fields);
    const healed = before === stored ? [] : Object.values(environment.incidents);
    for (const incident of new Set([...revised.changed, ...healed])) {
      const fields = { ...documentOf(incident, plan), ...postmortems.get(incident.id) };
      const stored = ownEntry(documents, incident.id);
      if (stored) transaction.update(incidentCollection, incident.id, withoutNulls({ ...fields, ...noEditor }, stored));
      else transaction.set(incidentCollection, incident.id, { ...withoutNulls(fields), ...blankOperatorFields });
    }
  }
  return environment;
}

/** Returns whether an incident is resolved while a probe fails: no change of that probe will complete the record. */
function isOverWhileBad({ status, symptoms }: Incident): boolean {
  const isBad = ({ source, until }: Symptom): boolean => source === "probe" && until === undefined;
  return status === "resolved" && Object.values(symptoms).some(isBad);
}

async function measuredProbes(
  reads: Reads,
  { partitions, plan }: EvaluatorContext,
): Promise<NonNullable<IncidentInput["probes"]>> {
  const states = await Promise.all(plan.groups.map((group) => partitions.get(reads, group)));
  return Object.assign({}, ...states.map(({ probes }) => probes));
}

/** A name belongs to one edit. */
const noEditor: Fields = { edited_by: null, edits: null };

/** Present from the start, so that in the console they need only be filled in. */
const blankOperatorFields: Fields = {
  note: "",
  silenced_until: null,
  edited_by: null,
  deliveries: {},
  told: {},
};

/** The fields that say something: what has not happened yet is absent rather than null. A null is only written where it clears what is stored. */
function withoutNulls(fields: Fields, stored: object = {}): Fields {
  const clears = (field: string): boolean => (ownEntry(stored as Fields, field) ?? null) !== null;
  return Object.fromEntries(Object.entries(fields).filter(([field, value]) => value !== null || clears(field)));
}

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

export async function readEnvironment(reads: Reads): Promise<EnvironmentState> {
  return decodeEnvironment(await reads.get(stateCollection, environmentDocument));
}
