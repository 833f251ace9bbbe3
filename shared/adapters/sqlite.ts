/** The store of one machine: a SQLite file that the three functions share, each from its own process. */
import { randomInt } from "node:crypto";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { expiringCollections } from "../documents/indexes.ts";
import { type Fields, type Stored, StoreError, type Value } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";
import type { StoreOptions } from "./checked-store.ts";
import { OptimisticStore, type Versioned } from "./optimistic-store.ts";
import { corruptCode, DamagedFile, notDatabaseCode, primaryCode, type Tables } from "./sqlite-file.ts";
import { type QueryPlan, select } from "./store-query.ts";

/** The tables of a store. */
export const storeTables: Tables = new Map([
  ["documents", { columns: ["version", "collection", "id", "fields"], json: "fields" }],
]);

/** Documents as JSON text in a SQLite file. */
export class SqliteStore extends OptimisticStore {
  readonly #database: DatabaseSync;
  readonly #load: StatementSync;
  readonly #version: StatementSync;
  readonly #scan: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens `file`, or makes it where it is missing, in a folder that exists.
   * @throws Error that names the file when it cannot be opened, or is no database
   */
  constructor(file: string, options?: StoreOptions) {
    super(options);
    this.#database = openDatabase(file);
    const prepare = (sql: string): StatementSync => {
      try {
        return this.#database.prepare(sql);
      } catch (error) {
        this.#database.close();
        throw cannotOpen(file, error);
      }
    };
    this.#load = prepare("SELECT version, fields FROM documents WHERE collection = ? AND id = ?");
    this.#version = prepare("SELECT version FROM documents WHERE collection = ? AND id = ?");
    this.#scan = prepare("SELECT id, fields FROM documents WHERE collection = ?");
    this.#put = prepare("INSERT OR REPLACE INTO documents (collection, id, fields) VALUES (?, ?, ?)");
    this.#remove = prepare("DELETE FROM documents WHERE collection = ? AND id = ?");
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  protected override load(collection: string, id: string): Versioned | undefined {
    const row = translated(() => this.#load.get(collection, id));
    return row && { version: Number(row["version"]), fields: decode(String(row["fields"])) };
  }

  protected override version(collection: string, id: string): number {
    return Number(translated(() => this.#version.get(collection, id))?.["version"] ?? 0);
  }

  protected override scan(collection: string): Stored[] {
    return stored(translated(() => this.#scan.all(collection)));
  }

  /** Lets SQLite leave out what does not match, by its indexes where it has one, so that a query does not decode a whole collection. */
  protected override async find(plan: QueryPlan): Promise<Stored[]> {
    const { clauses, values, isWhole } = narrowing(plan);
    const sql = `SELECT id, fields FROM documents WHERE collection = ?${clauses}`;
    const rows = translated(() =>
      this.#prepared(sql).all(plan.collection, ...values, ...(isWhole ? [plan.limit] : [])),
    );
    return select(stored(rows), plan);
  }

  /** Deletes documents of collections that expire. @returns how many */
  expire(now: number): number {
    const collections = Object.keys(expiringCollections);
    const field = Object.values(expiringCollections)[0] ?? "";
    const places = collections.map(() => "?").join(", ");
    const sql = `DELETE FROM documents WHERE collection IN (${places}) AND ${instantIn(field)} < ?`;
    const { changes } = translated(() => this.#prepared(sql).run(...collections, new Date(now).toISOString()));
    return Number(changes);
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  protected override put(collection: string, id: string, fields: Fields): void {
    this.#put.run(collection, id, JSON.stringify(fields, tagDates));
  }

  protected override remove(collection: string, id: string): void {
    this.#remove.run(collection, id);
  }

  protected override exclusively<T>(work: () => T): T {
    return translated(() => {
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        this.#database.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /** By chance, so that two processes that collided do not do so again in step. */
  protected override async pause(lost: number): Promise<void> {
    await wait(randomInt(1, 2 + Math.min(lost, 10) * 5));
  }
}

/** Field names of this form are refused by the rules, so that no document can hold one of its own. */
const dateTag = "__date__";

/** Time to wait for the commit of another process, which takes less than a millisecond unless the machine is overloaded. */
const busyTimeoutMs = 10_000;

/** Fields by which large collections are asked for: by what stands in them, and by the newest. */
const indexedTexts = ["incident"] as const;
const indexedInstants = ["planned_at", "opened_at", "expires_at"] as const;

/** SQL expression for the value of a field. The name comes from this file. */
function textIn(field: string): string {
  return `json_extract(fields, '$.${field}')`;
}

/** The instant in a field, as text that sorts by time; NULL where none stands there. */
function instantIn(field: string): string {
  return `json_extract(fields, '$.${field}.${dateTag}')`;
}

/** Conditions that everything fulfils that a query finds, and whether they are all that it asks for. */
function narrowing({ where, orders, limit }: QueryPlan): { clauses: string; values: string[]; isWhole: boolean } {
  const values: string[] = [];
  let clauses = "";
  for (const [field, operator, value] of where) {
    if (operator !== "==" || typeof value !== "string" || !/^\w+$/.test(field)) continue;
    clauses += ` AND ${textIn(field)} = ?`;
    values.push(value);
  }
  const [order] = orders;
  const isWhole =
    where.length === 0 && orders.length === 1 && indexedInstants.some((field) => field === order?.field) && limit > 0;
  if (isWhole && order !== undefined) {
    const instant = instantIn(order.field);
    clauses += ` AND ${instant} IS NOT NULL ORDER BY ${instant} ${order.direction}, id ${order.direction} LIMIT ?`;
  }
  return { clauses, values, isWhole };
}

function stored(rows: readonly Readonly<Record<string, unknown>>[]): Stored[] {
  return rows.map((row) => ({ id: String(row["id"]), fields: decode(String(row["fields"])) }));
}

// AUTOINCREMENT makes the row id a version: a replaced or recreated document never gets one that was used before.
const schema = `
  CREATE TABLE IF NOT EXISTS documents (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (collection, id)
  );
  ${indexedTexts.map((field) => `CREATE INDEX IF NOT EXISTS documents_${field} ON documents (collection, ${textIn(field)})`).join(";\n")};
  ${indexedInstants.map((field) => `CREATE INDEX IF NOT EXISTS documents_${field} ON documents (collection, ${instantIn(field)})`).join(";\n")}`;

function openDatabase(file: string): DatabaseSync {
  try {
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    patiently(() => {
      database.exec("PRAGMA journal_mode = WAL");
      // A write that returned survives a loss of power too. At a tenth of a millisecond a commit, NORMAL would gain nothing that matters.
      database.exec("PRAGMA synchronous = FULL");
      database.exec(schema);
    });
    return database;
  } catch (error) {
    throw cannotOpen(file, error);
  }
}

function cannotOpen(file: string, error: unknown): Error {
  return new Error(`Cannot open the store ${file}: ${messageOf(error)}`, { cause: error });
}

/**
 * Writes the documents that can be read of a damaged store into another.
 * @returns how many there are
 */
export async function salvageDocuments(damaged: string, store: SqliteStore): Promise<number> {
  const file = new DamagedFile(damaged);
  let kept = 0;
  try {
    for (const { collection, id, fields } of file.rows("documents")) {
      try {
        await store.set(String(collection), String(id), decode(String(fields)));
        kept += 1;
      } catch (error) {
        // One that is not whole, or is none of ours; a disk that is full is another matter.
        if (error instanceof StoreError && error.retryable) throw error;
      }
    }
  } finally {
    file.close();
  }
  return kept;
}

/** Works until nobody is in the way: for a change of the journal SQLite does not wait by itself, and several processes open a new file at once. */
function patiently(work: () => void): void {
  const until = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (primaryCode(error) !== busyCode || performance.now() >= until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** SQLITE_BUSY; source: https://sqlite.org/rescode.html. */
const busyCode = 5;

/** `JSON.stringify` has called `toJSON` when it asks for the value, so that the instant itself is taken from its holder. */
function tagDates(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const original = ownEntry(this, key);
  return original instanceof Date ? { [dateTag]: original.toISOString() } : value;
}

function decode(json: string): Fields {
  return JSON.parse(json, (_key, value: Value | { readonly [dateTag]: string }) =>
    value !== null && typeof value === "object" && dateTag in value ? new Date(String(value[dateTag])) : value,
  );
}

/** Gives SQLite's errors that may pass by themselves (locked, disk full, I/O) the form that callers know. */
function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = primaryCode(error);
    if (code !== undefined && passing.has(code)) {
      throw new StoreError("unavailable", `SQLite is unavailable: ${messageOf(error)}`, { cause: error });
    }
    throw error;
  }
}

/**
 * Primary result codes SQLITE_BUSY, _LOCKED, _NOMEM, _IOERR, _FULL, _CANTOPEN; source: https://sqlite.org/rescode.html. A file that is
 * damaged while in use does not recover by itself, but messages that wait for it are kept until it is recovered.
 */
const passing: ReadonlySet<number> = new Set([5, 6, 7, 10, 13, 14, corruptCode, notDatabaseCode]);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
