import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { SqliteStore, salvageDocuments, storeTables } from "./sqlite.ts";
import { problemOf, setAside } from "./sqlite-file.ts";

const folder = mkdtempSync(join(tmpdir(), "pathkeeper-damaged-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function newFile(): string {
  files += 1;
  return join(folder, `${files}.db`);
}

const page = 4096;
const documents = 400;

/** A store with many documents of several sizes. */
async function filledStore(): Promise<string> {
  const file = newFile();
  const store = new SqliteStore(file);
  await store.transaction(async (transaction) => {
    for (let n = 0; n < documents; n++)
      transaction.set("incidents", `i${n}`, { n, at: new Date(n), text: "x".repeat((n % 7) * 400) });
  });
  await store.close();
  return file;
}

function overwrite(file: string, pages: readonly number[]): void {
  const handle = openSync(file, "r+");
  for (const number of pages) writeSync(handle, Buffer.alloc(page, 0xa5), 0, page, number * page);
  closeSync(handle);
}

function database(sql: string): string {
  const file = newFile();
  const made = new DatabaseSync(file);
  made.exec(sql);
  made.close();
  return file;
}

describe("problemOf", () => {
  it("finds no problem in a store, an empty file or a missing file", async () => {
    const empty = newFile();
    writeFileSync(empty, "");
    for (const file of [await filledStore(), empty, newFile()]) expect(problemOf(file, storeTables)).toBeUndefined();
  });

  it("accepts a store that was not closed", async () => {
    const file = newFile();
    const store = new SqliteStore(file);
    await store.set("incidents", "a", { n: 1 });
    expect(problemOf(file, storeTables)).toBeUndefined();
    expect(await store.get("incidents", "a")).toEqual({ n: 1 });
    await store.close();
  });

  it.each<[string, () => string | Promise<string>, string]>([
    [
      "garbage",
      () => {
        const file = newFile();
        writeFileSync(file, "no database ".repeat(2_000));
        return file;
      },
      "is not a database",
    ],
    [
      "a file that was cut off",
      async () => {
        const file = await filledStore();
        truncateSync(file, 20 * page);
        return file;
      },
      "is damaged: ",
    ],
    [
      "bad pages",
      async () => {
        const file = await filledStore();
        overwrite(file, [30, 31]);
        return file;
      },
      "is damaged: ",
    ],
    [
      "text that is not JSON",
      () =>
        database(
          "CREATE TABLE documents (version, collection, id, fields); INSERT INTO documents VALUES (1, 'a', 'b', '{')",
        ),
      "is damaged: it holds text that is not JSON",
    ],
    ["the database of another program", () => database("CREATE TABLE photos (id)"), "is a database of another program"],
    [
      "another schema",
      () => database("CREATE TABLE documents (id, body)"),
      "was written by another version, or by another program",
    ],
    [
      "a folder",
      () => {
        const file = newFile();
        mkdirSync(file);
        return file;
      },
      "is not a file",
    ],
    [
      "a symbolic link",
      async () => {
        const file = newFile();
        symlinkSync(await filledStore(), file);
        return file;
      },
      "is a symbolic link",
    ],
  ])("finds %s", async (_what, make, problem) => {
    expect(problemOf(await make(), storeTables)).toContain(problem);
  });
});

describe("salvageDocuments", () => {
  async function salvaged(file: string): Promise<{ kept: number; ids: number[] }> {
    const aside = setAside(file, Date.parse("2025-09-16T12:00:00Z"));
    expect(aside).toBe(`${file}.damaged-20250916T120000Z`);
    const before = readFileSync(aside);
    const store = new SqliteStore(file);
    const kept = await salvageDocuments(aside, store);
    const found = await store.query({
      collection: "incidents",
      orderBy: { field: "n", direction: "asc" },
      limit: 1_000,
    });
    await store.close();
    expect(readFileSync(aside).equals(before), "the damaged file is as it was").toBe(true);
    expect(problemOf(file, storeTables)).toBeUndefined();
    for (const { fields } of found) {
      const n = Number(fields["n"]);
      expect(fields).toEqual({ n, at: new Date(n), text: "x".repeat((n % 7) * 400) });
    }
    return { kept, ids: found.map(({ fields }) => Number(fields["n"])) };
  }

  it("keeps everything before, between and after bad pages", async () => {
    const file = await filledStore();
    const count = readFileSync(file).length / page;
    overwrite(file, [Math.floor(count / 3), Math.floor(count / 3) + 1, Math.floor((2 * count) / 3)]);
    const { kept, ids } = await salvaged(file);
    expect(ids).toHaveLength(kept);
    expect(ids.slice(0, 3)).toEqual([0, 1, 2]);
    expect(ids.at(-1)).toBe(documents - 1);
    expect(kept).toBeGreaterThan(documents - 30);
    expect(kept).toBeLessThan(documents);
  });

  it("keeps the readable part of a truncated file", async () => {
    const file = await filledStore();
    truncateSync(file, Math.floor(readFileSync(file).length / 2 / page) * page);
    const { kept } = await salvaged(file);
    expect(kept).toBeGreaterThan(documents / 4);
    expect(kept).toBeLessThan(documents);
  });

  it("keeps nothing of a file that is not a store", async () => {
    for (const make of [() => database("CREATE TABLE photos (id)"), () => database("CREATE TABLE documents (a)")]) {
      expect((await salvaged(make())).kept).toBe(0);
    }
    const garbage = newFile();
    writeFileSync(garbage, "no database ".repeat(2_000));
    expect((await salvaged(garbage)).kept).toBe(0);
  });
});
