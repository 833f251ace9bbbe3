/** The collection in which the evaluator keeps its state: one document per partition, one for the environment. */
import type { Fields } from "../../../shared/ports.ts";

/** Name of the collection that holds both. */
export const stateCollection = "state";

/** Id of the document of the environment; no partition has this name, because theirs begin with a vantage point. */
export const environmentDocument = "environment";

/** Retention of a state document after its last write, in milliseconds. */
const keepState = 90 * 86_400_000;

/** A state as a document: one text, which costs no index entries. */
export function stateDocument(data: string, now: number): Fields {
  return { data, ...stateDates(now) };
}

/** When a state document was written, and until when it is kept. */
export function stateDates(now: number): Fields {
  return { updated_at: new Date(now), expires_at: new Date(now + keepState) };
}
