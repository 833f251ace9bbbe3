/** The documents of state that a step is taken in: how each is read, brought back from the future, and written. */
import { isDeepStrictEqual } from "node:util";
import { awaitedFields } from "../../../shared/documents/heartbeats.ts";
import { selfGroup } from "../../../shared/monitor.ts";
import type { Fields, Reads } from "../../../shared/ports.ts";
import { decodeSelf, encodeSelf, type SelfState } from "../monitor/state.ts";
import type { PartitionCache } from "../partition/cache.ts";
import { squeezedSentence } from "../partition/document.ts";
import type { PartitionState } from "../partition/state.ts";
import { healedPartition, healedSelf } from "./heal.ts";
import { stateCollection, stateDates } from "./state-collection.ts";

/** A document of state. */
export interface StateDocument<State> {
  readonly id: string;
  read(reads: Reads): Promise<State>;
  /** The state without the future; the same object where nothing of it is in the future. */
  heal(state: State): State;
  /**
   * Fields of the document after a step, and how they are written: `set` replaces the document, `update` leaves its other fields. Beside them sentences for the log about its contents, and the fields written for the probe function.
   * @param stored the state that was read from it
   */
  write(
    state: State,
    stored: State,
    now: number,
  ): { how: "set" | "update"; fields: Fields; remarks?: readonly string[]; awaited?: Fields };
}

/** Dependencies for reading them. */
interface Readable {
  readonly partitions: PartitionCache;
  /** The newest instant that can have passed, in milliseconds since the epoch. */
  readonly latest: number;
}

/** The document of the monitor itself. */
export function monitorDocument({ latest }: Pick<Readable, "latest">): StateDocument<SelfState> {
  return {
    id: selfGroup,
    read: async (reads) => decodeSelf(await reads.get(stateCollection, selfGroup)),
    heal: (state) => healedSelf(state, latest),
    write: (state, { awaited: known }, now) => ({
      how: "set",
      fields: encodeSelf(state, now),
      ...(isDeepStrictEqual(state.awaited, known) ? {} : { awaited: awaitedFields(state.awaited ?? {}, now) }),
    }),
  };
}

/** The document of a partition. */
export function partitionDocument(id: string, { partitions, latest }: Readable): StateDocument<PartitionState> {
  return {
    id,
    read: (reads) => partitions.get(reads, id),
    heal: (state) => healedPartition(state, latest),
    write(state, stored, now) {
      const { state: kept, fields, isWhole } = partitions.write(id, state, stored);
      const sentence = squeezedSentence(kept, id);
      // Said when it begins and when it changes, not with every report.
      const isNews = sentence !== undefined && sentence !== squeezedSentence(stored, id);
      return {
        how: isWhole ? "set" : "update",
        fields: { ...fields, ...stateDates(now) },
        remarks: isNews ? [sentence] : [],
      };
    },
  };
}
