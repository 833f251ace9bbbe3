/** Partitions as they were last seen, so that a document that has not changed is not decoded again, and one that has grown only where it has. */
import type { Fields, Reads } from "../../../shared/ports.ts";
import { stateCollection } from "../commit/state-collection.ts";
import {
  type KeptPartition,
  readPartition,
  type StoredPartition,
  storedPartition,
  writePartition,
} from "./document.ts";
import type { PartitionState } from "./state.ts";

/** Number of partitions in the cache. */
const most = 64;

/**
 * States that this instance last decoded or encoded. A cached state is used only if its contents equal the document, which is read every time.
 * States are immutable, so one may be returned many times.
 */
export class PartitionCache {
  readonly #known = new Map<string, KeptPartition>();
  /** The contents of the documents that hold these states. */
  readonly #stored = new WeakMap<PartitionState, StoredPartition>();

  /** The state of a partition, as its document says. */
  async get(reads: Reads, partition: string): Promise<PartitionState> {
    const stored = storedPartition(await reads.get(stateCollection, partition));
    const state = readPartition(stored, this.#known.get(partition));
    if (stored !== undefined) this.#remember(partition, { state, stored });
    return state;
  }

  /**
   * The state as its document will hold it, remembered for when it does, and the fields that change in the document.
   * @param before the state that this cache has read from it
   */
  write(
    partition: string,
    state: PartitionState,
    before: PartitionState,
  ): { readonly state: PartitionState; readonly fields: Fields; readonly isWhole: boolean } {
    const earlier = this.#stored.get(before);
    const kept = writePartition(state, earlier && { state: before, stored: earlier });
    this.#remember(partition, kept);
    const { text, changes } = kept.stored;
    const isWhole = changes.length === 0;
    return { state: kept.state, fields: isWhole ? { data: text } : { changes }, isWhole };
  }

  #remember(partition: string, kept: KeptPartition): void {
    this.#stored.set(kept.state, kept.stored);
    this.#known.delete(partition);
    this.#known.set(partition, kept);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= most) break;
      this.#known.delete(oldest);
    }
  }
}
