/** Partitions as they were last seen, so that a document that has not changed is not decoded again. */
import type { Reads } from "../../../shared/ports.ts";
import { stateCollection } from "../commit/state-collection.ts";
import { decodePartition, type Encoded, encodePartition } from "./document.ts";
import type { PartitionState } from "./state.ts";

/** How many partitions are remembered. */
const most = 64;

/**
 * What this instance decoded or encoded last. It is never trusted by itself: the document is read all the same, and a state is only taken
 * from here when its text is what stands there. States are never changed in place, so one may be handed out again and again.
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
