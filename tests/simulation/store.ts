/**
 * One store for many instances: every read and every commit is a separate step, so that others can come in between. Minimal, because the
 * simulation spends much of its time here: the limits of real stores are tested by their contract.
 */
import { planQuery, select } from "../../shared/adapters/store-query.ts";
import { compositeIndexes } from "../../shared/documents/indexes.ts";
import {
  type Fields,
  type Query,
  type Reads,
  type Store,
  type Stored,
  StoreError,
  type Transaction,
} from "../../shared/ports.ts";

/** Takes a step. @param effect the effect of the step; its value is the response */
export type TakeStep = <T>(what: "read" | "write", effect: () => T) => Promise<T>;

interface Versioned {
  readonly fields: Fields;
  readonly version: number;
}

interface Write {
  readonly kind: "set" | "create" | "update" | "delete";
  readonly collection: string;
  readonly id: string;
  readonly fields: Fields;
}

/** Stores the documents, and notifies the listeners of each write. */
export class Documents {
  /** Number of transactions that lost against another one. */
  lost = 0;
  readonly #collections = new Map<string, Map<string, Versioned>>();
  readonly #onWritten: (collection: string, id: string, fields: Fields) => void;
  #version = 0;

  constructor(onWritten: (collection: string, id: string, fields: Fields) => void) {
    this.#onWritten = onWritten;
  }

  get(collection: string, id: string): Fields | undefined {
    return this.#collections.get(collection)?.get(id)?.fields;
  }

  version(collection: string, id: string): number {
    return this.#collections.get(collection)?.get(id)?.version ?? 0;
  }

  *of(collection: string): Iterable<Stored> {
    for (const [id, { fields }] of this.#collections.get(collection) ?? []) yield { id, fields };
  }

  query(query: Query): Stored[] {
    return select(this.of(query.collection), planQuery(query, compositeIndexes));
  }

  /** Writes all documents or none. @throws StoreError */
  commit(writes: readonly Write[]): void {
    for (const { kind, collection, id } of writes) {
      const isThere = this.get(collection, id) !== undefined;
      if (kind === "create" && isThere) throw new StoreError("exists", `${collection}/${id} exists`);
      if (kind === "update" && !isThere) throw new StoreError("missing", `${collection}/${id} does not exist`);
    }
    for (const { kind, collection, id, fields } of writes) {
      if (kind === "delete") this.#collections.get(collection)?.delete(id);
      else this.#put(collection, id, kind === "update" ? { ...this.get(collection, id), ...fields } : fields);
    }
  }

  #put(collection: string, id: string, fields: Fields): void {
    let documents = this.#collections.get(collection);
    if (documents === undefined) {
      documents = new Map();
      this.#collections.set(collection, documents);
    }
    this.#version += 1;
    documents.set(id, { fields, version: this.#version });
    this.#onWritten(collection, id, fields);
  }
}

/** Maximum number of attempts of a transaction. */
const maxTries = 12;

/** The store as seen by one instance. */
export class StepwiseStore implements Store {
  readonly #documents: Documents;
  readonly #take: TakeStep;

  constructor(documents: Documents, take: TakeStep) {
    this.#documents = documents;
    this.#take = take;
  }

  get(collection: string, id: string): Promise<Fields | undefined> {
    return this.#take("read", () => this.#documents.get(collection, id));
  }

  query(query: Query): Promise<Stored[]> {
    return this.#take("read", () => this.#documents.query(query));
  }

  set(collection: string, id: string, fields: Fields): Promise<void> {
    return this.#write({ kind: "set", collection, id, fields });
  }

  create(collection: string, id: string, fields: Fields): Promise<void> {
    return this.#write({ kind: "create", collection, id, fields });
  }

  update(collection: string, id: string, fields: Fields): Promise<void> {
    return this.#write({ kind: "update", collection, id, fields });
  }

  delete(collection: string, id: string): Promise<void> {
    return this.#write({ kind: "delete", collection, id, fields: {} });
  }

  async transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    for (let tried = 0; tried < maxTries; tried++) {
      const attempt = new Attempt(this.#documents, this.#take);
      try {
        const result = await body(attempt);
        if (await this.#commit(attempt)) return result;
      } catch (error) {
        // A transaction that read while others wrote may have failed because of an inconsistent state.
        if (attempt.unchanged()) throw error;
      }
      this.#documents.lost += 1;
    }
    throw new StoreError("contention", `a transaction lost ${maxTries} times`);
  }

  async close(): Promise<void> {}

  async #commit(attempt: Attempt): Promise<boolean> {
    if (attempt.writes.length === 0) return attempt.unchanged();
    return this.#take("write", () => {
      if (!attempt.unchanged()) return false;
      this.#documents.commit(attempt.writes);
      return true;
    });
  }

  #write(write: Write): Promise<void> {
    return this.#take("write", () => this.#documents.commit([write]));
  }
}

class Attempt implements Transaction, Reads {
  readonly writes: Write[] = [];
  readonly #documents: Documents;
  readonly #take: TakeStep;
  readonly #seen: { readonly collection: string; readonly id: string; readonly version: number }[] = [];

  constructor(documents: Documents, take: TakeStep) {
    this.#documents = documents;
    this.#take = take;
  }

  get = (collection: string, id: string): Promise<Fields | undefined> => {
    if (this.writes.length > 0) throw new StoreError("invalid", `${collection}/${id} is read after a write`);
    return this.#take("read", () => {
      this.#seen.push({ collection, id, version: this.#documents.version(collection, id) });
      return this.#documents.get(collection, id);
    });
  };

  set = (collection: string, id: string, fields: Fields): unknown =>
    this.writes.push({ kind: "set", collection, id, fields });
  create = (collection: string, id: string, fields: Fields): unknown =>
    this.writes.push({ kind: "create", collection, id, fields });
  update = (collection: string, id: string, fields: Fields): unknown =>
    this.writes.push({ kind: "update", collection, id, fields });
  delete = (collection: string, id: string): unknown =>
    this.writes.push({ kind: "delete", collection, id, fields: {} });

  unchanged(): boolean {
    return this.#seen.every(({ collection, id, version }) => this.#documents.version(collection, id) === version);
  }
}
