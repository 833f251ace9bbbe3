/** SQLite files that may be damaged, or not ours: what is wrong with one, and what can still be read of it. */
import { lstatSync, renameSync } from "node:fs";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";

/** The tables that a file must have, where it has any: their columns by name, and which of those holds JSON. */
export type Tables = ReadonlyMap<string, { readonly columns: readonly string[]; readonly json: string }>;

/** One row of a table, by column. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/**
 * Looks through a whole file.
 * @returns what is wrong with it, to be put after "it": `is not a database`; `undefined` where nothing is, or it cannot be opened at present
 */
export function problemOf(file: string, tables: Tables): string | undefined {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isFile()) return found.isSymbolicLink() ? "is a symbolic link" : "is not a file";
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    return foreignTables(database, tables) ?? damage(database, tables);
  } catch (error) {
    const code = primaryCode(error);
    if (code === corruptCode) return `is damaged: ${(error as Error).message}`;
    if (code === notDatabaseCode) return "is not a database";
    return undefined;
  } finally {
    database?.close();
  }
}

/**
 * Renames a file, with what SQLite keeps beside it, so that another can take its place.
 * @returns its new name
 */
export function setAside(file: string, now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  const aside = `${file}.damaged-${stamp}`;
  for (const part of ["", "-wal", "-shm"]) {
    if (lstatSync(`${file}${part}`, { throwIfNoEntry: false })) renameSync(`${file}${part}`, `${aside}${part}`);
  }
  return aside;
}

/** A file of which as much as possible is read. Nothing is written to it. */
export class DamagedFile {
  readonly #database: DatabaseSync | undefined;

  constructor(file: string) {
    this.#database = openAnyway(file);
  }

  /** The rows of a table, oldest first, as far as they can be read. */
  *rows(table: string): Generator<Row> {
    let next: ReturnType<DatabaseSync["prepare"]>;
    try {
      if (this.#database === undefined) return;
      next = this.#database.prepare(`SELECT rowid AS place, * FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT 1`);
    } catch {
      return;
    }
    const after = (place: number): Row | "end" | "unreadable" => {
      try {
        return next.get(place) ?? "end";
      } catch {
        return "unreadable";
      }
    };
    let place = 0;
    for (;;) {
      let row = after(place);
      if (row === "unreadable") {
        place = firstReadable(place, (at) => after(at) !== "unreadable");
        row = after(place);
      }
      if (row === "end" || row === "unreadable") return;
      yield row;
      place = Number(row["place"]);
    }
  }

  close(): void {
    this.#database?.close();
  }
}

/** Result codes of SQLite: SQLITE_CORRUPT and SQLITE_NOTADB. @see https://sqlite.org/rescode.html */
export const corruptCode = 11;
export const notDatabaseCode = 26;

/** The primary result code of an error of SQLite. */
export function primaryCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
}

/** Past every key that there can be. */
const lastPlace = 2 ** 52;

/** The place after an unreadable stretch from `bad` on, found by doubling steps and then by halves; `lastPlace` where there is none. */
function firstReadable(bad: number, isReadable: (place: number) => boolean): number {
  let step = 1;
  let unreadable = bad;
  while (unreadable + step < lastPlace && !isReadable(unreadable + step)) {
    unreadable += step;
    step *= 2;
  }
  let readable = Math.min(unreadable + step, lastPlace);
  while (readable - unreadable > 1) {
    const middle = Math.floor((readable + unreadable) / 2);
    if (isReadable(middle)) readable = middle;
    else unreadable = middle;
  }
  return readable;
}

function openAnyway(file: string): DatabaseSync | undefined {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  try {
    const database = new DatabaseSync(file, { readOnly: true, defensive: false });
    // A file that was cut off is read as far as it goes.
    database.exec("PRAGMA writable_schema = ON");
    return database;
  } catch {
    return undefined;
  }
}

function foreignTables(database: DatabaseSync, tables: Tables): string | undefined {
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  const present = new Set(names.all().map(({ name }) => String(name)));
  const ours = [...tables.keys()].filter((name) => present.has(name));
  if (present.size > 0 && ours.length === 0) return "is a database of another program";
  for (const name of ours) {
    const columns = database.prepare("SELECT name FROM pragma_table_info(?)").all(name);
    const expected = tables.get(name)?.columns ?? [];
    if (columns.map((column) => String(column["name"])).join() !== expected.join())
      return "was written by another version, or by another program";
  }
  return undefined;
}

function damage(database: DatabaseSync, tables: Tables): string | undefined {
  const [result] = database.prepare("PRAGMA quick_check(1)").all();
  const text = String(Object.values(result ?? { result: "ok" })[0]);
  if (text !== "ok") return `is damaged: ${text.split("\n").at(-1)}`;
  for (const [table, { json }] of tables) {
    const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table);
    if (known === undefined) continue;
    const bad = database.prepare(`SELECT 1 FROM ${table} WHERE NOT json_valid(${json}) LIMIT 1`).get();
    if (bad !== undefined) return "is damaged: it holds text that is not JSON";
  }
  return undefined;
}
