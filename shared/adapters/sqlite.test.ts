import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, it, vi } from "vitest";
import { repetitions } from "../../tests/support/repetitions.ts";
import { SqliteStore } from "./sqlite.ts";
import { storeContract } from "./store.contract.ts";

const folder = mkdtempSync(join(tmpdir(), "pathkeeper-sqlite-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function newFile(): string {
  files += 1;
  return join(folder, `${files}.sqlite`);
}

storeContract("SqliteStore", async (options) => {
  const store = new SqliteStore(newFile(), options);
  return { store, close: () => store.close() };
});

describe("a SqliteStore", () => {
  it("finds its documents after reopening, and may be closed twice", async () => {
    const file = newFile();
    const store = new SqliteStore(file);
    await store.set("incidents", "a", { at: new Date(7) });
    await store.close();
    await store.close();
    const again = new SqliteStore(file);
    expect(await again.get("incidents", "a")).toEqual({ at: new Date(7) });
    await again.close();
  });

  it("finds the entries of one incident, and the newest, without decoding the others", async () => {
    const store = new SqliteStore(newFile());
    const at = (n: number): Date => new Date(Date.UTC(2025, 8, 16) + n * 1_000);
    for (let n = 0; n < 300; n++) {
      const fields = { incident: `incident-${n % 100}`, n, planned_at: at(n), expires_at: at(n + 1_000) };
      await store.set("deliveries", `d${n}`, fields);
    }
    const parse = vi.spyOn(JSON, "parse");
    const own = await store.query({ collection: "deliveries", where: [["incident", "==", "incident-7"]] });
    expect(own.map(({ id }) => id)).toEqual(["d107", "d207", "d7"]);
    const newest = { field: "planned_at", direction: "desc" } as const;
    expect((await store.query({ collection: "deliveries", orderBy: newest, limit: 2 })).map(({ id }) => id)).toEqual([
      "d299",
      "d298",
    ]);
    expect(parse.mock.calls).toHaveLength(5);
    parse.mockRestore();
    await store.close();
  });

  it("deletes only expired documents", async () => {
    const store = new SqliteStore(newFile());
    for (const [collection, id, expires_at] of [
      ["deliveries", "old", new Date(1_000)],
      ["deliveries", "new", new Date(3_000)],
      ["state", "old", new Date(1_000)],
      ["incidents", "old", new Date(1_000)],
    ] as const)
      await store.set(collection, id, { expires_at });
    await store.set("deliveries", "for ever", { n: 1 });
    expect(store.expire(2_000)).toBe(2);
    const left = await Promise.all(
      ["deliveries", "state", "incidents"].map((collection) => store.query({ collection })),
    );
    expect(left.map((found) => found.map(({ id }) => id))).toEqual([["for ever", "new"], [], ["old"]]);
    await store.close();
  });

  it("names the file that it cannot open", () => {
    const text = newFile();
    writeFileSync(text, "This is no database, but a text of some length.\n".repeat(20));
    expect(() => new SqliteStore(text)).toThrow(`Cannot open the store ${text}: file is not a database`);
    expect(() => new SqliteStore("/no/such/folder/store")).toThrow(
      "Cannot open the store /no/such/folder/store: unable",
    );
  });

  it("reruns a transaction if a document that it read was changed, deleted or recreated meanwhile", async () => {
    const file = newFile();
    const [store, rival] = [new SqliteStore(file), new SqliteStore(file)];
    await store.set("state", "a", { n: 0 });
    const seen: unknown[] = [];
    await store.transaction(async (transaction) => {
      seen.push(await transaction.get("state", "a"));
      if (seen.length === 1) await rival.set("state", "a", { n: 1 });
      if (seen.length === 2) await rival.delete("state", "a");
      if (seen.length === 3) await rival.create("state", "a", { n: 1 });
      if (seen.length === 4) {
        await rival.delete("state", "a");
        await rival.create("state", "a", { n: 1 });
      }
      transaction.set("state", "a", { seen: seen.length });
    });
    expect(seen).toEqual([{ n: 0 }, { n: 1 }, undefined, { n: 1 }, { n: 1 }]);
    expect(await rival.get("state", "a")).toEqual({ seen: 5 });
    await store.close();
    await rival.close();
  });

  it("retries a body that failed on an inconsistent read", async () => {
    const file = newFile();
    const [store, rival] = [new SqliteStore(file), new SqliteStore(file)];
    let runs = 0;
    const total = await store.transaction(async (transaction) => {
      runs += 1;
      const a = await transaction.get("state", "a");
      if (runs === 1) {
        await rival.transaction(async (both) => {
          both.set("state", "a", {});
          both.set("state", "b", {});
        });
      }
      const b = await transaction.get("state", "b");
      if ((a === undefined) !== (b === undefined)) throw new Error("a and b are only written together");
      return runs;
    });
    expect(total).toBe(2);
    await store.close();
    await rival.close();
  });
});

describe("processes that share a SqliteStore", () => {
  it("lose no increment", async () => {
    const file = newFile();
    const writers = [1, 2, 3].map(() => spawnWriter("increment", file));
    const codes = await Promise.all(writers.map(async (writer) => (await once(writer, "exit"))[0]));
    expect(codes).toEqual([0, 0, 0]);
    const store = new SqliteStore(file);
    expect(await store.get("state", "counter")).toEqual({ n: 300 });
    await store.close();
  });

  it("can all open a new file at the same moment", async () => {
    const ready = new SharedArrayBuffer(4);
    const script = new URL("./testdata/sqlite-opener.ts", import.meta.url);
    const openers = [1, 2].map(() => new Worker(script, { workerData: { ready } }));
    const answers = new Set<string>();
    for (let round = 1; round <= repetitions(100); round++) {
      const file = newFile();
      const replies = openers.map(async (opener) => {
        opener.postMessage({ file, all: round * openers.length });
        const [answer] = await once(opener, "message");
        answers.add(String(answer).replace(file, "FILE"));
      });
      await Promise.all(replies);
    }
    expect([...answers]).toEqual(["opened"]);
    await Promise.all(openers.map((opener) => opener.terminate()));
  });

  it("keep every write that was acknowledged before a kill -9", async () => {
    const file = newFile();
    const writer = spawnWriter("acknowledge", file);
    let acknowledged = 0;
    for await (const line of createInterface({ input: writer.stdout })) {
      acknowledged = Number(line);
      if (acknowledged === 500) writer.kill("SIGKILL");
    }
    expect(acknowledged).toBeGreaterThanOrEqual(500);
    const store = new SqliteStore(file);
    const found = await store.query({ collection: "writes", limit: 1_000_000 });
    const kept = new Set(found.map(({ id }) => id));
    expect(Array.from({ length: acknowledged }, (_, n) => `${n + 1}`).filter((id) => !kept.has(id))).toEqual([]);
    for (const { id, fields } of found) expect(await store.get("pairs", id)).toEqual(fields);
    await store.create("writes", "after", {});
    await store.close();
  });
});

function spawnWriter(task: "increment" | "acknowledge", file: string): ChildProcessByStdio<null, Readable, null> {
  const script = new URL("./testdata/sqlite-writer.ts", import.meta.url).pathname;
  return spawn(process.execPath, [script, task, file], { stdio: ["ignore", "pipe", "inherit"] });
}
