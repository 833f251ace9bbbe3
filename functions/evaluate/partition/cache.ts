/** Partitions as they were last seen, so that a document that has not changed is not decoded again. */
import type { Reads } from "../../../shared/ports.ts";
import { stateCollection } from "../commit/state-collection.ts";
import { decodePartition, type Encoded, encodePartition } from "./document.ts";
import type { PartitionState } from "./state.ts";

/** Number of partitions in the cache. */
const most = 64;

/**
 * States that this instance last decoded or encoded. A cached state is used only if its text equals the document, which is read every time.
 * States are immutable, so one may be returned many times.
 */
export class PartitionCache {
  readonly #known = new Map<string, Encoded>();

  /** The state of a partition, as its document says. */
  async get(reads: Reads, partition: string): Promise<PartitionState> {
    const data = (await reads.get(stateCollection, partition))?.["data"];
    const text = typeof data === "string" ? data : undefined;
    const known = this.#known.get(partition);
    if (known !== undefined && known.text === text) return known.state;
    const state = decodePartition(text);
    if (text !== undefined) this.#remember(partition, { state, text });
    return state;
  }

  /** A state with its text, remembered for when the document holds it. */
  encode(partition: string, state: PartitionState): Encoded {
    const encoded = encodePartition(state);
    this.#remember(partition, encoded);
    return encoded;
  }

  #remember(partition: string, encoded: Encoded): void {
    this.#known.delete(partition);
    this.#known.set(partition, encoded);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= most) break;
      this.#known.delete(oldest);
    }
  }
}
