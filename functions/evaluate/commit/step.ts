/** Takes one step in a document of state, and in the environment where the step changes an alert. */
import { awaitedPlace } from "../../../shared/documents/heartbeats.ts";
import type { OutboxEntry } from "../incident/state.ts";
import type { SelfState } from "../monitor/state.ts";
import type { Evaluated } from "../partition/fold.ts";
import type { PartitionState } from "../partition/state.ts";
import type { Change } from "../rules/alerts.ts";
import type { Committed, EvaluatorContext } from "./context.ts";
import { readEnvironment, reviseIncidents } from "./incidents.ts";
import { environmentDocument, stateCollection } from "./state-collection.ts";
import type { StateDocument } from "./state-document.ts";

/** The next state of a document, its changes, and why a report left it unchanged. */
export interface Stepped<State> {
  readonly state: State;
  readonly changes: readonly Change[];
  readonly ignored?: NonNullable<Evaluated["ignored"]>;
}

/**
 * Takes one step in a document of state. While nothing changes, its own document is all that is read and written; a step that changes something is
 * taken again when it is its turn to write the environment as well.
 */
export function commitStep<State extends PartitionState | SelfState>(
  context: EvaluatorContext,
  document: StateDocument<State>,
  step: (state: State) => Stepped<State>,
  now: number,
): Promise<Committed> {
  const { store, mutex, published } = context;
  const attempt = (environmentToo: boolean): Promise<Committed | "environment too"> =>
    store.transaction(async (transaction) => {
      const stored = await document.read(transaction);
      const before = document.heal(stored);
      const { state, changes, ignored } = step(before);
      if (changes.length > 0 && !environmentToo) return "environment too";
      let outbox: readonly OutboxEntry[] = [];
      if (changes.length > 0) outbox = (await reviseIncidents(transaction, { changes }, context, now)).outbox;
      // It may be a redelivery after a crash between the commit and the publication.
      else if (ignored === "repeated") {
        outbox = (await readEnvironment(transaction)).outbox.filter((entry) => !published.has(entry.id));
      }
      const written = state === stored ? undefined : document.write(state, stored, now);
      if (written !== undefined) transaction[written.how](stateCollection, document.id, written.fields);
      if (written?.awaited !== undefined) transaction.set(awaitedPlace.collection, awaitedPlace.id, written.awaited);
      return { outbox, remarks: written?.remarks ?? [], ...(ignored === undefined ? {} : { ignored }) };
    });
  return mutex.take(document.id, async () => {
    const committed = await attempt(false);
    if (committed !== "environment too") return committed;
    return (await mutex.take(environmentDocument, () => attempt(true))) as Committed;
  });
}
