import { describe, expect, it } from "vitest";
import { vocabulary } from "../cli/vocabulary.ts";
import { MemoryStore } from "../shared/adapters/memory.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import { type Query, type Stored, StoreError } from "../shared/ports.ts";
import { RecurringFailures } from "./failures.ts";
import { Watch } from "./watch.ts";

const loaded = loadConfiguration(
  "environment: shop\ncomponents: { shop: { layer: application } }\n",
  "monitor.yaml",
  vocabulary,
);
if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
const { configuration } = loaded;
const surroundings = { at: 0, elapsedMs: 0, messages: 0, failures: [], hints: [] };
const sentence = "cannot read: Query of incidents: not done by Firestore within 45000 ms";

/** Documents in memory, whose queries wait until the test lets them go on or fail. */
class LateStore extends MemoryStore {
  queries = 0;
  late = Promise.withResolvers<void>();

  override async query(query: Query): Promise<Stored[]> {
    this.queries += 1;
    await this.late.promise;
    return super.query(query);
  }
}

function watched() {
  const store = new LateStore();
  const watch = new Watch(configuration, store);
  const reported: string[] = [];
  const failures = new RecurringFailures((text) => reported.push(text));
  const failure = failures.of("view", (reason) => `cannot read: ${reason}`);
  const refresh = (withinMs: number, signal = new AbortController().signal): Promise<void> =>
    watch.refresh(withinMs, failure, signal);
  return { store, watch, reported, failures, refresh };
}

describe("a store that answers late", () => {
  it("holds up neither the view nor the end, and is asked once at a time", async () => {
    const { watch, refresh, store } = watched();
    await store.set("incidents", "20250916-120900-shop", { title: "Shop", opened_at: new Date(0) });
    await refresh(1);
    const asked = store.queries;
    await refresh(1);
    expect(store.queries).toBe(asked);
    const end = new AbortController();
    const waiting = refresh(600_000, end.signal);
    end.abort();
    await waiting;
    expect(watch.snapshot(surroundings)).not.toHaveProperty("incident");
    store.late.resolve();
    await refresh(600_000);
    expect(watch.incidents.map(({ id }) => id)).toEqual(["20250916-120900-shop"]);
  });

  it("ends nothing when it gives up, which is told until it answers again", async () => {
    const { refresh, reported, failures, store } = watched();
    const waiting = refresh(600_000);
    store.late.reject(new StoreError("unavailable", "Query of incidents: not done by Firestore within 45000 ms"));
    await waiting;
    expect(reported).toEqual([sentence]);
    expect(failures.sentences).toEqual([sentence]);
    store.late = Promise.withResolvers();
    store.late.resolve();
    await refresh(600_000);
    expect(failures.sentences).toEqual([]);
  });
});
