/** Contract of every store: one suite for all adapters. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Fields, Store, Value } from "../ports.ts";
import type { StoreOptions } from "./checked-store.ts";
import { refused } from "./store-fixtures.ts";
import { queryContract, queryIndexes } from "./store-query.contract.ts";
import { documentBytes } from "./store-rules.ts";

/** A new, empty store for one test, and a function that closes it. */
export interface OpenedStore {
  readonly store: Store;
  close(): Promise<void>;
}

/** Declares the suite for one adapter; `open` is called for each test. */
export function storeContract(name: string, open: (options: StoreOptions) => Promise<OpenedStore>): void {
  describe(`${name} keeps the contract of stores`, () => {
    let opened: OpenedStore;
    let store: Store;
    beforeEach(async () => {
      opened = await open({ indexes: queryIndexes });
      store = opened.store;
    });
    afterEach(() => opened.close());

    describe("a document", () => {
      it("is created once, read, replaced, and deleted repeatedly", async () => {
        expect(await store.get("incidents", "a")).toBeUndefined();
        await store.create("incidents", "a", { n: 1, old: true });
        await refused(store.create("incidents", "a", { n: 2 }), "exists");
        expect(await store.get("incidents", "a")).toEqual({ n: 1, old: true });
        await store.set("incidents", "a", { n: 3 });
        expect(await store.get("incidents", "a")).toEqual({ n: 3 });
        await store.delete("incidents", "a");
        await store.delete("incidents", "a");
        expect(await store.get("incidents", "a")).toBeUndefined();
        await store.create("incidents", "a", {});
        expect(await store.get("incidents", "a")).toEqual({});
      });

      it("is updated by top-level field, with dots not taken as paths, and only if it exists", async () => {
        await refused(store.update("incidents", "a", { n: 1 }), "missing");
        expect(await store.get("incidents", "a")).toBeUndefined();
        await store.set("incidents", "a", { kept: 1, map: { x: 1, y: 2 }, "a.b": 1 });
        await store.update("incidents", "a", { map: { x: 3 }, "a.b": 2, "`odd` 名": null });
        expect(await store.get("incidents", "a")).toEqual({ kept: 1, map: { x: 3 }, "a.b": 2, "`odd` 名": null });
      });

      it("comes back as it was written", async () => {
        const fields: Fields = {
          text: 'ünï "q" \u0000\n🐘',
          empty: "",
          number: 0.1 + 0.2,
          large: Number.MAX_SAFE_INTEGER,
          huge: 1e300,
          negative: -7,
          yes: true,
          nothing: null,
          at: new Date("2025-09-16T12:04:00.123Z"),
          longAgo: new Date("0001-01-01T00:00:00.000Z"),
          farAhead: new Date("9999-12-31T23:59:59.999Z"),
          list: [1, "two", null, { at: new Date(1), list: [] }],
          map: { "a.b": {}, $date: 1, toJSON: "no function" },
        };
        await store.set("incidents", "a", fields);
        expect(await store.get("incidents", "a")).toEqual(fields);
      });

      it("accepts any name for ids and map keys, including those that objects inherit", async () => {
        await store.create("incidents", "constructor", { told: { constructor: { valueOf: 1 } } });
        const fields = { told: { constructor: { valueOf: 2 }, toString: "a" } };
        await store.update("incidents", "constructor", fields);
        expect(await store.query({ collection: "incidents" })).toEqual([{ id: "constructor", fields }]);
      });

      it("is an independent copy", async () => {
        const list = [1];
        const writing = store.set("incidents", "a", { list, at: new Date(5) });
        list.push(2);
        await writing;
        const found = await store.query({ collection: "incidents" });
        const read = [await store.get("incidents", "a"), ...found.map(({ fields }) => fields)];
        expect(read).toHaveLength(2);
        for (const fields of read) {
          (fields?.["list"] as unknown[] | undefined)?.push(3);
          (fields?.["at"] as Date | undefined)?.setTime(0);
        }
        expect(await store.get("incidents", "a")).toEqual({ list: [1], at: new Date(5) });
      });

      it("repairs text cut in the middle of a character, and a negative zero", async () => {
        await store.set("incidents", "a", { text: "🐘".slice(0, 1), list: ["🐘".slice(1)], zero: -0 });
        expect(await store.get("incidents", "a")).toEqual({ text: "\ufffd", list: ["\ufffd"], zero: 0 });
      });

      it.each([
        "a b",
        "20250916-120900-vpc:opened:ops",
        "ünï-名-🐘",
        "a.b",
        "...",
        "__a",
        "%2F#?&",
        "`'\"\\",
        "x".repeat(1500),
      ])("may have the id %j", async (id) => {
        await store.create("incidents", id, { n: 1 });
        await store.update("incidents", id, { n: 2 });
        expect(await store.get("incidents", id)).toEqual({ n: 2 });
        expect(await store.query({ collection: "incidents" })).toEqual([{ id, fields: { n: 2 } }]);
      });

      it.each(["", ".", "..", "a/b", "__a__", "a\0b", "🐘".slice(1), "x".repeat(1501)])(
        "may not have the id %j",
        async (id) => {
          await refused(store.set("incidents", id, {}), "invalid");
          await refused(store.delete("incidents", id), "invalid");
          await refused(store.get("incidents", id), "invalid");
          await refused(store.set(id, "a", {}), "invalid");
          await refused(store.query({ collection: id }), "invalid");
        },
      );
    });

    describe("production's limits", () => {
      it.each<[string, unknown, RegExp]>([
        ["undefined", { a: { b: undefined } }, /incidents\/a: field "a\.b" is undefined: leave the field out/],
        ["a hole in a list", { a: Array(2) }, /"a\[0\]" is undefined/],
        ["not a number", { a: Number.NaN }, /"a" is NaN: write null/],
        ["infinity", { a: [Number.NEGATIVE_INFINITY] }, /"a\[0\]" is -Infinity/],
        ["no instant", { a: new Date("never") }, /"a" is no instant/],
        ["an instant after the year 9999", { a: new Date(253_402_300_800_000) }, /"a" is no instant/],
        ["a list in a list", { a: [[1]] }, /"a\[0\]" is an array directly in an array: put a map between/],
        ["a function", { a: () => 1 }, /"a" is a function/],
        ["a big integer", { a: 1n }, /"a" is a bigint/],
        ["an object of a class", { a: new Map() }, /"a" is no plain object but a Map/],
        ["a reserved field name", { a: { __b__: 1 } }, /field name "a.__b__" is reserved/],
        ["an empty field name", { a: { "": 1 } }, /field name "a." is empty/],
        ["a long field name", { ["x".repeat(1501)]: 1 }, /takes 1501 bytes, at most 1500/],
        ["a list as the document", [], /it is no plain object but a Array/],
        ["21 levels", { deep: nested(20) }, /nested deeper than 20 levels/],
        ["a map that holds itself", { deep: circle() }, /nested deeper than 20 levels, or holds itself/],
        ["a field that is too large", { a: "x".repeat(1_048_487) }, /field "a" takes 1048488 bytes, at most 1048487/],
        ["fields that are too large together", halves(524_260), /takes 1048\d{3} bytes, at most 1048576 are allowed/],
      ])("refuse %s", async (_name, fields, message) => {
        await store.set("incidents", "a", { before: 1 });
        for (const write of ["set", "update"] as const) {
          const error = await refused(store[write]("incidents", "a", fields as Fields), "invalid");
          expect(error.message).toMatch(message);
        }
        await refused(store.create("incidents", "b", fields as Fields), "invalid");
        expect(await store.query({ collection: "incidents" })).toEqual([{ id: "a", fields: { before: 1 } }]);
      });

      it("allow values just within them", async () => {
        await store.set("incidents", "deep", { deep: nested(19) });
        expect(await store.get("incidents", "deep")).toEqual({ deep: nested(19) });
        const large = halves(524_000);
        const padded = {
          ...large,
          pad: "x".repeat(1_048_576 - documentBytes("incidents", "large", { ...large, pad: "" })),
        };
        expect(documentBytes("incidents", "large", padded)).toBe(1_048_576);
        await store.set("incidents", "large", padded);
        expect(await store.get("incidents", "large")).toEqual(padded);
      });

      it("refuse an update that makes the document too large, and one of nothing", async () => {
        await store.set("incidents", "a", { a: "x".repeat(600_000) });
        await refused(store.update("incidents", "a", { b: "x".repeat(600_000) }), "invalid");
        await refused(store.update("incidents", "a", {}), "invalid");
        expect(Object.keys((await store.get("incidents", "a")) ?? {})).toEqual(["a"]);
      });

      it("refuse a commit of more than 10 MiB", async () => {
        const write = (documents: number): Promise<void> =>
          store.transaction(async (transaction) => {
            for (let n = 0; n < documents; n++) transaction.set("incidents", `${n}`, { text: "x".repeat(1_000_000) });
          });
        expect((await refused(write(11), "invalid")).message).toMatch(/more than 10485760 bytes with incidents\/10/);
        expect(await store.query({ collection: "incidents" })).toEqual([]);
        // Google's emulator takes no request of more than 4 MiB, and its client would try again until the deadline.
        await write(3);
        expect(await store.query({ collection: "incidents" })).toHaveLength(3);
      });
    });

    describe("a transaction", () => {
      it("commits all writes of its body in order, and returns its result", async () => {
        await store.set("incidents", "old", { n: 1 });
        await store.set("incidents", "gone", { n: 1 });
        const result = await store.transaction(async (transaction) => {
          const [old, none] = await Promise.all([
            transaction.get("incidents", "old"),
            transaction.get("incidents", "none"),
          ]);
          transaction.update("incidents", "old", { m: 2 });
          transaction.create("deliveries", "new", { n: 1 });
          transaction.update("deliveries", "new", { m: 2 });
          transaction.delete("incidents", "gone");
          transaction.create("incidents", "gone", { again: true });
          transaction.set("incidents", "none", { n: 0 });
          transaction.delete("incidents", "none");
          return { old, none };
        });
        expect(result).toEqual({ old: { n: 1 }, none: undefined });
        expect(await store.query({ collection: "incidents" })).toEqual([
          { id: "gone", fields: { again: true } },
          { id: "old", fields: { n: 1, m: 2 } },
        ]);
        expect(await store.get("deliveries", "new")).toEqual({ n: 1, m: 2 });
      });

      it("writes nothing when its body throws, and throws the same", async () => {
        const trouble = Object.assign(new Error("no"), { code: 14 });
        let runs = 0;
        const failing = store.transaction(async (transaction) => {
          runs += 1;
          await transaction.get("incidents", "a");
          transaction.set("incidents", "a", {});
          throw trouble;
        });
        await expect(failing).rejects.toBe(trouble);
        expect(runs).toBe(1);
        expect(await store.get("incidents", "a")).toBeUndefined();
      });

      it.each([
        ["exists", "create", "taken"],
        ["missing", "update", "free"],
      ] as const)("writes nothing when one document %s", async (code, kind, id) => {
        await store.set("incidents", "taken", { n: 1 });
        const failing = store.transaction(async (transaction) => {
          transaction.set("incidents", "before", {});
          transaction[kind]("incidents", id, { n: 2 });
          transaction.set("deliveries", "after", {});
        });
        await refused(failing, code);
        expect(await store.query({ collection: "incidents" })).toEqual([{ id: "taken", fields: { n: 1 } }]);
        expect(await store.query({ collection: "deliveries" })).toEqual([]);
      });

      it("rejects reads after a write, creating a document it wrote, and use after its end", async () => {
        const reading = store.transaction(async (transaction) => {
          transaction.set("incidents", "a", {});
          await transaction.get("incidents", "b");
        });
        expect((await refused(reading, "invalid")).message).toMatch(
          /incidents\/b after a write: read everything before/,
        );
        const creating = store.transaction(async (transaction) => {
          transaction.set("incidents", "a", {});
          transaction.create("incidents", "a", {});
        });
        await refused(creating, "exists");
        const late = await store.transaction(async (transaction) => transaction);
        expect(() => late.set("incidents", "a", {})).toThrow(/after its body had ended/);
        expect(await store.get("incidents", "a")).toBeUndefined();
      });

      it("loses no increment of ten concurrent ones", { timeout: 60_000 }, async () => {
        await store.set("state", "counter", { n: 0 });
        const increments = Array.from({ length: 10 }, () =>
          store.transaction(async (transaction) => {
            const counter = await transaction.get("state", "counter");
            transaction.update("state", "counter", { n: Number(counter?.["n"]) + 1 });
          }),
        );
        await Promise.all(increments);
        expect(await store.get("state", "counter")).toEqual({ n: 10 });
      });

      // A process that dies in the middle of a transaction must not block others.
      it("does not lock documents that it has read, and reruns if they changed", async () => {
        await store.set("state", "a", { n: 1, old: true });
        const seen: unknown[] = [];
        await store.transaction(async (transaction) => {
          const before = await transaction.get("state", "a");
          seen.push(before);
          if (seen.length === 1) {
            await store.set("state", "a", { n: 2, old: true });
            await store.transaction(async (other) => {
              const between = await other.get("state", "a");
              other.update("state", "a", { n: Number(between?.["n"]) + 1 });
            });
          }
          transaction.set("state", "a", { n: Number(before?.["n"]) + 1 });
        });
        expect(seen).toEqual([
          { n: 1, old: true },
          { n: 3, old: true },
        ]);
        expect(await store.get("state", "a")).toEqual({ n: 4 });
      });

      it.each([
        ["is there", { on: true }],
        ["is there and empty", {}],
        ["is not there", undefined],
      ])("runs again when a document has changed that it only read and that %s", async (_, before) => {
        if (before !== undefined) await store.set("state", "read", before);
        const seen: unknown[] = [];
        await store.transaction(async (transaction) => {
          seen.push(await transaction.get("state", "read"));
          if (seen.length === 1) await store.set("state", "read", { on: false });
          transaction.set("state", "written", { run: seen.length });
        });
        expect(seen).toEqual([before, { on: false }]);
        expect(await store.get("state", "written")).toEqual({ run: 2 });
        expect(await store.get("state", "read")).toEqual({ on: false });
      });

      it.each([
        ["is there", { on: true, off: false }],
        ["is there and empty", {}],
        ["is not there", undefined],
      ])("leaves a document alone that it only read and that %s", async (_, before) => {
        if (before !== undefined) await store.set("state", "read", before);
        await store.transaction(async (transaction) => {
          const read = await transaction.get("state", "read");
          transaction.set("state", "written", { read: read ?? null });
        });
        expect(await store.get("state", "read")).toEqual(before);
        expect(await store.get("state", "written")).toEqual({ read: before ?? null });
      });

      it.each([
        ["creates", "create"],
        ["sets", "set"],
      ] as const)("runs again when a document that it %s has come meanwhile", async (_, kind) => {
        const seen: unknown[] = [];
        await store.transaction(async (transaction) => {
          const found = await transaction.get("state", "a");
          seen.push(found);
          if (seen.length === 1) await store.create("state", "a", { by: "another" });
          if (found === undefined) transaction[kind]("state", "a", { by: "us" });
        });
        expect(seen).toEqual([undefined, { by: "another" }]);
        expect(await store.get("state", "a")).toEqual({ by: "another" });
      });

      it("runs again when a document that it updates has gone meanwhile, and one that it deletes has changed", async () => {
        await store.set("state", "a", { n: 1 });
        await store.set("state", "b", { n: 1 });
        const seen: unknown[] = [];
        await store.transaction(async (transaction) => {
          const [a, b] = [await transaction.get("state", "a"), await transaction.get("state", "b")];
          seen.push([a, b]);
          if (seen.length === 1) await store.delete("state", "a");
          if (seen.length === 2) await store.set("state", "b", { n: 2 });
          if (a !== undefined) transaction.update("state", "a", { n: 2 });
          if (b?.["n"] === 1) transaction.delete("state", "b");
        });
        expect(seen).toEqual([
          [{ n: 1 }, { n: 1 }],
          [undefined, { n: 1 }],
          [undefined, { n: 2 }],
        ]);
        expect(await store.get("state", "b")).toEqual({ n: 2 });
      });

      it("never completes with inconsistent reads of two documents", async () => {
        await store.set("state", "a", { n: 1 });
        await store.set("state", "b", { n: 1 });
        let runs = 0;
        const look = (fails: boolean): Promise<unknown> =>
          store.transaction(async (transaction) => {
            runs += 1;
            const a = await transaction.get("state", "a");
            if (runs % 2 === 1) {
              await store.transaction(async (other) => {
                other.set("state", "a", { n: runs + 1 });
                other.set("state", "b", { n: runs + 1 });
              });
            }
            const b = await transaction.get("state", "b");
            if (fails && a?.["n"] !== b?.["n"]) throw new Error("a state that never was");
            return [a, b];
          });
        expect(await look(false)).toEqual([{ n: 2 }, { n: 2 }]);
        expect(await look(true)).toEqual([{ n: 4 }, { n: 4 }]);
      });

      it("reads a document twice with the same result", async () => {
        await store.set("state", "a", { n: 1 });
        let runs = 0;
        const both = await store.transaction(async (transaction) => {
          const first = await transaction.get("state", "a");
          if (runs++ === 0) await store.set("state", "a", { n: 2 });
          return [first, await transaction.get("state", "a")];
        });
        expect(both[0]).toEqual(both[1]);
      });

      it("lets exactly one of ten create a document", { timeout: 60_000 }, async () => {
        const claims = Array.from({ length: 10 }, (_, claimant) => store.create("deliveries", "claim", { claimant }));
        const outcomes = await Promise.allSettled(claims);
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "exists", retryable: false });
        }
      });
    });

    queryContract(() => store);
  });
}

/** A map in so many maps. */
function nested(levels: number): Value {
  return levels === 0 ? "deep" : { deeper: nested(levels - 1) };
}

function circle(): object {
  const map: Record<string, unknown> = {};
  map["self"] = map;
  return map;
}

function halves(bytes: number): Fields {
  return { a: "x".repeat(bytes), b: "x".repeat(bytes) };
}
