/** Transactions for stores without locks of their own: what was read is remembered by version, and verified at the commit. */
import { type Fields, type Stored, StoreError } from "../ports.ts";
import { type Attempt, CheckedStore, type Write } from "./checked-store.ts";
import { type QueryPlan, select } from "./store-query.ts";
import { admit } from "./store-rules.ts";

/** A document as it is kept. */
export interface Versioned {
  readonly fields: Fields;
  /** From 1, and never given twice to the same name, not even after a deletion. */
  readonly version: number;
}

/**
 * A store whose adapter keeps documents and commits them synchronously.
 *
 * No lock is held while a body runs, however long it takes. A loser runs again, and each time somebody else has won, so that all together
 * always get on.
 */
export abstract class OptimisticStore extends CheckedStore {
  protected async read(collection: string, id: string): Promise<Fields | undefined> {
    return this.load(collection, id)?.fields;
  }

  protected async find(plan: QueryPlan): Promise<Stored[]> {
    return select(this.scan(plan.collection), plan);
  }

  protected async attempts<T>(attempt: Attempt<T>): Promise<T> {
    for (let tried = 1; tried <= maxAttempts; tried++) {
      const seen = new Map<string, number>();
      try {
        const { result, writes } = await attempt(async (collection, id) => {
          const found = this.load(collection, id);
          const name = documentName(collection, id);
          if (!seen.has(name)) seen.set(name, found?.version ?? 0);
          return found?.fields;
        });
        if (this.#commit(seen, writes)) return result;
      } catch (error) {
        // A body that read while others wrote may have failed over a state that never was.
        if (this.#unchanged(seen)) throw error;
      }
      await this.pause(tried);
    }
    throw new StoreError("contention", `A transaction lost to others ${maxAttempts} times in a row`);
  }

  protected abstract load(collection: string, id: string): Versioned | undefined;

  /** The version of a document, 0 where there is none. */
  protected abstract version(collection: string, id: string): number;

  protected abstract scan(collection: string): Iterable<Stored>;

  /** Called inside `exclusively`. */
  protected abstract put(collection: string, id: string, fields: Fields): void;

  /** Called inside `exclusively`. */
  protected abstract remove(collection: string, id: string): void;

  /** Runs `work` while nobody else writes, and keeps what it wrote only where it returns. */
  protected abstract exclusively<T>(work: () => T): T;

  /** Waits before the next attempt after so many lost ones. */
  protected abstract pause(lost: number): Promise<void>;

  #commit(seen: ReadonlyMap<string, number>, writes: readonly Write[]): boolean {
    return this.exclusively(() => {
      if (!this.#unchanged(seen)) return false;
      const outcome = new Map<string, Outcome>();
      for (const write of writes) this.#apply(write, outcome);
      for (const { collection, id, fields } of outcome.values()) {
        if (fields === undefined) this.remove(collection, id);
        else this.put(collection, id, fields);
      }
      return true;
    });
  }

  #apply(write: Write, outcome: Map<string, Outcome>): void {
    const { kind, collection, id } = write;
    const name = documentName(collection, id);
    const put = (fields: Fields | undefined): unknown => outcome.set(name, { collection, id, fields });
    if (kind === "delete") return void put(undefined);
    if (kind === "set") return void put(write.fields);
    const earlier = outcome.get(name);
    const present = earlier === undefined ? this.load(collection, id)?.fields : earlier.fields;
    if (kind === "create") {
      if (present !== undefined) throw new StoreError("exists", `${name} cannot be created: it exists`);
      return void put(write.fields);
    }
    if (present === undefined) throw new StoreError("missing", `${name} cannot be updated: it does not exist`);
    put(admit(collection, id, { ...present, ...write.fields }).fields);
  }

  #unchanged(seen: ReadonlyMap<string, number>): boolean {
    return [...seen].every(([name, version]) => {
      const slash = name.indexOf("/");
      return this.version(name.slice(0, slash), name.slice(slash + 1)) === version;
    });
  }
}

/** A transaction with a short body and a hundred rivals still comes through. */
const maxAttempts = 200;

/** State of a document after a commit; without fields it is deleted. */
interface Outcome {
  readonly collection: string;
  readonly id: string;
  readonly fields: Fields | undefined;
}

/** Unambiguous, because no name contains a slash. */
function documentName(collection: string, id: string): string {
  return `${collection}/${id}`;
}
