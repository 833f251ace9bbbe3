/** Common base of the three stores: every call is validated, and every write is a transaction. */
import { type CompositeIndex, compositeIndexes } from "../documents/indexes.ts";
import { type Fields, type Query, type Store, type Stored, StoreError, type Transaction } from "../ports.ts";
import { planQuery, type QueryPlan } from "./store-query.ts";
import { type Admitted, admit, checkName, maxCommitBytes } from "./store-rules.ts";

/** Options of every store. */
export interface StoreOptions {
  /** @default those of `shared/documents/indexes.ts` */
  readonly indexes?: readonly CompositeIndex[];
}

/** One write of a commit, found good by the rules. */
export type Write = { readonly collection: string; readonly id: string } & (
  | { readonly kind: "set" | "create" | "update"; readonly fields: Fields }
  | { readonly kind: "delete" }
);

/** Reads one document for a transaction. */
export type Read = (collection: string, id: string) => Promise<Fields | undefined>;

/** One try of a transaction: calls the body with the given read, and tells what is to be committed. */
export type Attempt<T> = (read: Read) => Promise<{ readonly result: T; readonly writes: readonly Write[] }>;

/** A store whose adapter only reads, finds and commits. */
export abstract class CheckedStore implements Store {
  readonly #indexes: readonly CompositeIndex[];

  constructor({ indexes = compositeIndexes }: StoreOptions = {}) {
    this.#indexes = indexes;
  }

  async get(collection: string, id: string): Promise<Fields | undefined> {
    checkName(collection, id);
    return this.read(collection, id);
  }

  async set(collection: string, id: string, fields: Fields): Promise<void> {
    await this.#commit({ kind: "set", ...admit(collection, id, fields) });
  }

  async create(collection: string, id: string, fields: Fields): Promise<void> {
    await this.#commit({ kind: "create", ...admit(collection, id, fields) });
  }

  async update(collection: string, id: string, fields: Fields): Promise<void> {
    await this.#commit({ kind: "update", ...admitUpdate(collection, id, fields) });
  }

  async delete(collection: string, id: string): Promise<void> {
    checkName(collection, id);
    await this.#commit({ kind: "delete", collection, id });
  }

  async query(query: Query): Promise<Stored[]> {
    return this.find(planQuery(query, this.#indexes));
  }

  transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.attempts(async (read) => {
      const transaction = new CheckedTransaction(read);
      const result = await body(transaction);
      return { result, writes: transaction.end() };
    });
  }

  abstract close(): Promise<void>;

  protected abstract read(collection: string, id: string): Promise<Fields | undefined>;

  protected abstract find(plan: QueryPlan): Promise<Stored[]>;

  /** Runs the attempt, and commits; again on contention. An error of the attempt ends it and is thrown as it is. */
  protected abstract attempts<T>(attempt: Attempt<T>): Promise<T>;

  #commit(write: Write): Promise<void> {
    return this.attempts(async () => ({ result: undefined, writes: [write] }));
  }
}

/** Keeps the writes of one attempt until the body is done. */
class CheckedTransaction implements Transaction {
  readonly #read: Read;
  readonly #writes: Write[] = [];
  #bytes = 0;
  #over = false;

  constructor(read: Read) {
    this.#read = read;
  }

  async get(collection: string, id: string): Promise<Fields | undefined> {
    checkName(collection, id);
    this.#assertRunning();
    if (this.#writes.length > 0) {
      throw new StoreError(
        "invalid",
        `Read of ${collection}/${id} after a write: read everything before the first write`,
      );
    }
    return this.#read(collection, id);
  }

  set(collection: string, id: string, fields: Fields): void {
    this.#add("set", admit(collection, id, fields));
  }

  create(collection: string, id: string, fields: Fields): void {
    const admitted = admit(collection, id, fields);
    const earlier = this.#writes.findLast((write) => write.collection === collection && write.id === id);
    if (earlier !== undefined && earlier.kind !== "delete") {
      throw new StoreError("exists", `${collection}/${id} is written by this transaction already: set it instead`);
    }
    this.#add("create", admitted);
  }

  update(collection: string, id: string, fields: Fields): void {
    this.#add("update", admitUpdate(collection, id, fields));
  }

  delete(collection: string, id: string): void {
    checkName(collection, id);
    this.#assertRunning();
    this.#writes.push({ kind: "delete", collection, id });
  }

  /** The writes to commit; nothing can be added afterwards. */
  end(): readonly Write[] {
    this.#over = true;
    return this.#writes;
  }

  #add(kind: "set" | "create" | "update", admitted: Admitted): void {
    this.#assertRunning();
    this.#bytes += admitted.size;
    if (this.#bytes > maxCommitBytes) {
      const { collection, id } = admitted;
      throw new StoreError(
        "invalid",
        `A transaction writes more than ${maxCommitBytes} bytes with ${collection}/${id}: divide it into several`,
      );
    }
    this.#writes.push({ kind, ...admitted });
  }

  #assertRunning(): void {
    if (this.#over)
      throw new StoreError("invalid", "A transaction was used after its body had ended: await all that it does");
  }
}

function admitUpdate(collection: string, id: string, fields: Fields): Admitted {
  const admitted = admit(collection, id, fields);
  if (Object.keys(admitted.fields).length === 0) {
    throw new StoreError("invalid", `Update of ${collection}/${id} without a field: give one, or leave it out`);
  }
  return admitted;
}
