/** The world in memory, for unit tests, replay and the simulator: as strict as production, and gone with the process. */

import type { Fields, MetricPoint, MetricSink, OutgoingMessage, Publisher, Stored, Value, Written } from "../ports.ts";
import { setEntry } from "../runtime/entries.ts";
import { OptimisticStore, type Versioned } from "./optimistic-store.ts";
import { encodeMessages } from "./publish-rules.ts";
import type { QueryPlan } from "./store-query.ts";

/** Documents in memory. It never waits, so that simulated time stands still while it works. */
export class MemoryStore extends OptimisticStore {
  readonly #collections = new Map<string, Map<string, Versioned>>();
  #version = 0;

  async close(): Promise<void> {}

  protected override async find(plan: QueryPlan): Promise<Stored[]> {
    const found = await super.find(plan);
    return found.map(({ id, fields }) => ({ id, fields: copy(fields) }));
  }

  protected override load(collection: string, id: string): Versioned | undefined {
    const kept = this.#collections.get(collection)?.get(id);
    return kept && { version: kept.version, fields: copy(kept.fields) };
  }

  protected override version(collection: string, id: string): number {
    return this.#collections.get(collection)?.get(id)?.version ?? 0;
  }

  protected override *scan(collection: string): Iterable<Stored> {
    for (const [id, { fields }] of this.#collections.get(collection) ?? []) yield { id, fields };
  }

  protected override put(collection: string, id: string, fields: Fields): void {
    const documents = this.#collections.get(collection) ?? new Map<string, Versioned>();
    this.#collections.set(collection, documents);
    this.#version += 1;
    documents.set(id, { fields, version: this.#version });
  }

  protected override remove(collection: string, id: string): void {
    this.#collections.get(collection)?.delete(id);
  }

  protected override exclusively<T>(work: () => T): T {
    return work();
  }

  protected override async pause(): Promise<void> {}
}

/** A message that was published. */
export interface PublishedMessage {
  readonly topic: string;
  /** As it would arrive: what JSON keeps of it. */
  readonly data: unknown;
  readonly attributes: Readonly<Record<string, string>>;
  readonly id: string;
}

/** Keeps what was published instead of delivering it. */
export class MemoryPublisher implements Publisher {
  /** Everything published so far, oldest first. */
  readonly published: PublishedMessage[] = [];

  async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<string[]> {
    return encodeMessages(topic, messages).map(({ json, attributes }) => {
      const id = String(this.published.length + 1);
      this.published.push({ topic, data: JSON.parse(json), attributes: { ...attributes }, id });
      return id;
    });
  }

  async close(): Promise<void> {}
}

/** Keeps what was exported. */
export class MemoryMetrics implements MetricSink {
  /** The points of each call, oldest first. */
  readonly calls: (readonly MetricPoint[])[] = [];

  async write(points: readonly MetricPoint[]): Promise<Written> {
    this.calls.push(points);
    return { written: points.length, refused: 0 };
  }

  async close(): Promise<void> {}
}

/** Several times faster than `structuredClone`, on which the simulator would spend most of its time. */
function copy<T extends Value>(value: T): T;
function copy(value: Value): Value {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Date) return new Date(value);
  if (Array.isArray(value)) return value.map((element) => copy<Value>(element));
  const copied: Record<string, Value> = {};
  for (const [field, inner] of Object.entries(value)) setEntry(copied, field, copy<Value>(inner));
  return copied;
}
