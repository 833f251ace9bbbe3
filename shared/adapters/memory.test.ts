import { describe, expect, it } from "vitest";
import { MemoryPublisher, MemoryStore } from "./memory.ts";
import { publisherContract } from "./publisher.contract.ts";
import { storeContract } from "./store.contract.ts";

storeContract("MemoryStore", async (options) => {
  const store = new MemoryStore(options);
  return { store, close: () => store.close() };
});

publisherContract("memory", async () => {
  const publisher = new MemoryPublisher();
  return { publisher, received: () => publisher.published, close: async () => {} };
});

describe("a MemoryStore", () => {
  it("accepts a commit of nearly 10 MiB, unlike Google's emulator", async () => {
    const store = new MemoryStore();
    await store.transaction(async (transaction) => {
      for (let n = 0; n < 10; n++) transaction.set("incidents", `${n}`, { text: "x".repeat(1_048_000) });
    });
    expect(await store.query({ collection: "incidents" })).toHaveLength(10);
  });
});

describe("MemoryPublisher", () => {
  it("keeps messages as delivered, oldest first", async () => {
    const publisher = new MemoryPublisher();
    const data = { at: new Date(0), gone: undefined, list: [1] };
    expect(await publisher.publish("ticks", [{ data }, { data: null, attributes: { vantage: "inside" } }])).toEqual([
      "1",
      "2",
    ]);
    data.list.push(2);
    expect(await publisher.publish("measurements", [{ data: "x" }])).toEqual(["3"]);
    expect(publisher.published).toEqual([
      { topic: "ticks", data: { at: "1970-01-01T00:00:00.000Z", list: [1] }, attributes: {}, id: "1" },
      { topic: "ticks", data: null, attributes: { vantage: "inside" }, id: "2" },
      { topic: "measurements", data: "x", attributes: {}, id: "3" },
    ]);
  });
});
