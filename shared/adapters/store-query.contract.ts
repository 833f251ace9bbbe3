/** Queries that every store must answer or refuse. */
import { beforeEach, describe, expect, it } from "vitest";
import type { CompositeIndex } from "../documents/indexes.ts";
import type { Fields, Query, Store } from "../ports.ts";
import { refused } from "./store-fixtures.ts";

/** The composite indexes that the suite needs. */
export const queryIndexes: readonly CompositeIndex[] = [
  {
    collection: "incidents",
    fields: [
      { field: "status", direction: "asc" },
      { field: "opened_at", direction: "desc" },
    ],
  },
  {
    collection: "incidents",
    fields: [
      { field: "n", direction: "asc" },
      { field: "opened_at", direction: "asc" },
    ],
  },
];

/** Declares the suite; `opened` gives the store of the running test, which is empty and knows `queryIndexes`. */
export function queryContract(opened: () => Store): void {
  describe("a query", () => {
    let store: Store;
    beforeEach(async () => {
      store = opened();
      await store.transaction(async (transaction) => {
        for (const [id, fields] of Object.entries(incidents)) transaction.set("incidents", id, fields);
        transaction.set("silences", "z", { status: "open" });
      });
    });

    it.each<[string, Omit<Query, "collection">, string[]]>([
      ["everything, by id", {}, ["a", "b", "c", "d", "é", "ﬀ", "🐘"]],
      ["a first few", { limit: 2 }, ["a", "b"]],
      ["equal text", { where: [["status", "==", "open"]] }, ["a", "c"]],
      ["equal null", { where: [["status", "==", null]] }, ["é"]],
      ["equal instants", { where: [["opened_at", "==", new Date(2000)]] }, ["c"]],
      [
        "two equalities",
        {
          where: [
            ["status", "==", "open"],
            ["n", "==", 3],
          ],
        },
        ["c"],
      ],
      ["one of", { where: [["status", "in", ["resolved", "open", "open"]]] }, ["a", "b", "c"]],
      ["less, numbers only, by number", { where: [["n", "<", 3]] }, ["d", "a"]],
      ["at most", { where: [["n", "<=", 3]] }, ["d", "a", "c", "🐘"]],
      ["more", { where: [["n", ">", 1]] }, ["c", "🐘"]],
      ["at least an instant", { where: [["opened_at", ">=", new Date(2000)]] }, ["c", "b"]],
      ["true, which is more than false", { where: [["n", ">", false]] }, ["ﬀ"]],
      [
        "between",
        {
          where: [
            ["n", ">=", 1],
            ["n", "<", 3],
          ],
        },
        ["a"],
      ],
      [
        "by one field, ties by id, without those that lack it",
        { orderBy: { field: "n", direction: "asc" } },
        ["é", "ﬀ", "d", "a", "c", "🐘", "b"],
      ],
      ["backwards, the ties too", { orderBy: { field: "n", direction: "desc" } }, ["b", "🐘", "c", "a", "d", "ﬀ", "é"]],
      ["by text, in the order of UTF-8", { orderBy: { field: "name", direction: "asc" } }, ["d", "a", "c", "b"]],
      ["by a list and a map", { orderBy: { field: "mixed", direction: "asc" } }, ["c", "a", "b", "d", "é", "ﬀ"]],
      [
        "by what is equal anyway",
        { where: [["status", "==", "open"]], orderBy: { field: "status", direction: "desc" } },
        ["c", "a"],
      ],
      [
        "by its declared index",
        { where: [["status", "==", "open"]], orderBy: { field: "opened_at", direction: "desc" } },
        ["c", "a"],
      ],
      [
        "one of, by its declared index",
        {
          where: [["status", "in", ["open", "resolved"]]],
          orderBy: { field: "opened_at", direction: "desc" },
          limit: 2,
        },
        ["b", "c"],
      ],
      [
        "two ranges, by their declared index",
        {
          where: [
            ["opened_at", ">", new Date(0)],
            ["n", ">", 0],
          ],
        },
        ["a", "c"],
      ],
      ["what no document has", { where: [["nothing", "==", 1]] }, []],
    ])("finds %s", async (_name, query, ids) => {
      const found = await store.query({ collection: "incidents", ...query });
      expect(found.map(({ id }) => id)).toEqual(ids);
      for (const { id, fields } of found) expect(fields).toEqual(incidents[id]);
    });

    it("of an unknown collection finds nothing", async () => {
      expect(await store.query({ collection: "nothing" })).toEqual([]);
    });

    it("finds at most 100 by default", async () => {
      await store.transaction(async (transaction) => {
        for (let n = 0; n < 101; n++) transaction.set("reports", `${n}`, { n });
      });
      expect(await store.query({ collection: "reports" })).toHaveLength(100);
      expect(await store.query({ collection: "reports", limit: 200 })).toHaveLength(101);
    });

    it.each<[string, Omit<Query, "collection">, RegExp]>([
      [
        "equality and another order",
        { where: [["status", "==", "open"]], orderBy: { field: "opened_at", direction: "asc" } },
        /needs a composite index: declare .*"incidents".*"status".*"opened_at".* in shared\/documents\/indexes\.ts/,
      ],
      [
        "equality and a range",
        {
          where: [
            ["severity", "==", "critical"],
            ["n", ">", 1],
          ],
        },
        /needs a composite index/,
      ],
      [
        "two ranges in another order",
        {
          where: [
            ["n", ">", 1],
            ["opened_at", ">", new Date(0)],
          ],
          orderBy: { field: "opened_at", direction: "asc" },
        },
        /needs a composite index/,
      ],
      [
        "more than 30 alternatives",
        { where: [["n", "in", Array.from({ length: 31 }, (_, n) => n)]] },
        /31 alternatives, at most 30/,
      ],
      [
        "more than 30 alternatives together",
        {
          where: [
            ["n", "in", [1, 2, 3, 4, 5, 6]],
            ["m", "in", [1, 2, 3, 4, 5, 6]],
          ],
        },
        /36 alternatives/,
      ],
      ["no alternatives", { where: [["n", "in", []]] }, /with no values/],
      ["`in` without a list", { where: [["n", "in", 1]] }, /with no values/],
      ["a null among the alternatives", { where: [["n", "in", [null]]] }, /a map or null/],
      ["less than null", { where: [["n", "<", null]] }, /compared by < with a list, a map or null/],
      ["a map", { where: [["n", "==", {}]] }, /compared by ==/],
      ["not a number", { where: [["n", "==", Number.NaN]] }, /"n" is NaN/],
      ["a reserved field", { where: [["__name__", "==", "a"]] }, /"__name__" is reserved/],
      ["an empty field", { orderBy: { field: "", direction: "asc" } }, /"" is empty/],
      ["a limit of none", { limit: 0 }, /the limit is 0: write a whole number from 1/],
      ["half a limit", { limit: 1.5 }, /the limit is 1\.5/],
    ])("refuses %s", async (_name, query, message) => {
      const error = await refused(store.query({ collection: "incidents", ...query }), "invalid");
      expect(error.message).toMatch(message);
    });
  });
}

const incidents: Readonly<Record<string, Fields>> = {
  a: { status: "open", n: 1, opened_at: new Date(1000), name: "b", mixed: [1, 2] },
  b: { status: "resolved", n: "1", opened_at: new Date(3000), name: "🐘", mixed: [1, 3] },
  c: { status: "open", n: 3, opened_at: new Date(2000), name: "ﬀ", mixed: [1] },
  d: { n: -2.5, name: "B", mixed: { a: 1 } },
  é: { status: null, n: null, mixed: { a: 1, b: 0 } },
  ﬀ: { n: true, mixed: { b: 0 } },
  "🐘": { n: 3 },
};
