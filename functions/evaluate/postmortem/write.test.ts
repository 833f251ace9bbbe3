/** When postmortems are written, and that each is written once. */
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import type { Fields, Transaction } from "../../../shared/ports.ts";
import { readingBy } from "../../../tests/support/transactions.ts";
import { Bench, failing, smallEnvironment } from "../fixtures.ts";

const outage = { database: failing("timeout/connect"), "backend-health": failing("http_status/response") };
const withChannel: Configuration = {
  ...smallEnvironment,
  channels: [{ name: "mail", kind: "email", settings: {} }],
};

/** A store that counts how often a postmortem is written, and fails as the process would that dies before or after that. */
class WatchedStore extends MemoryStore {
  postmortems = 0;
  dies: "before" | "after" | undefined;

  override async transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    let writes = false;
    const done = await super.transaction((inner) =>
      body({
        ...readingBy(inner, inner.get.bind(inner)),
        update: (collection, id, fields) => {
          writes = typeof fields["postmortem"] === "string";
          if (writes && this.dies === "before") throw new Error("the process died before the commit");
          inner.update(collection, id, fields);
        },
      }),
    );
    if (writes) this.postmortems += 1;
    if (writes && this.dies === "after") throw new Error("the process died after the commit");
    return done;
  }
}

/** An incident that is resolved; the ticks that come after that are the test's. */
async function resolved(
  configuration: Configuration = smallEnvironment,
): Promise<{ bench: Bench; store: WatchedStore }> {
  const store = new WatchedStore();
  const bench = new Bench(configuration, { watchesItself: false }, { store });
  for (let i = 0; i < 4; i++) await bench.minute(outage);
  for (;;) {
    for (const report of bench.reports()) await bench.deliver(report);
    await bench.answerValidations();
    if ((await incident(bench))["status"] === "resolved") return { bench, store };
    bench.now += 60_000;
    await bench.tick();
  }
}

async function incident(bench: Bench): Promise<Fields> {
  return (await bench.incidents())[0]?.fields ?? {};
}

async function recordDelivery(bench: Bench, event: string, status: string): Promise<void> {
  const [{ id = "" } = {}] = await bench.incidents();
  const at = new Date(bench.now);
  await bench.store.set("deliveries", `${id}:${event}:mail`, {
    incident: id,
    event,
    channel: "mail",
    sequence: event === "opened" ? 1 : 9,
    status,
    reason: "a route",
    at,
    delivered_at: at,
    attempt_count: 1,
  });
}

async function tick(bench: Bench, afterMs: number): Promise<unknown> {
  bench.now += afterMs;
  await bench.tick();
  return (await incident(bench))["postmortem"];
}

describe("a postmortem", () => {
  it("is written on the first tick after the end without channels", async () => {
    const { bench } = await resolved();
    expect((await incident(bench))["postmortem"]).toBeUndefined();
    expect(await tick(bench, 60_000)).toMatch(/^# Postmortem: Test: /);
  });

  it("waits for pending deliveries, and lists them", async () => {
    const { bench } = await resolved(withChannel);
    await recordDelivery(bench, "opened", "delivered");
    expect(await tick(bench, 60_000)).toBeUndefined();
    await recordDelivery(bench, "resolved", "retrying");
    expect(await tick(bench, 60_000)).toBeUndefined();
    await recordDelivery(bench, "resolved", "delivered");
    expect(await tick(bench, 60_000)).toMatch(/^Delivered: opened to .*; resolved to .* immediately\.$/m);
  });

  it("does not wait for a channel that is down for longer than ten minutes", async () => {
    const { bench } = await resolved(withChannel);
    await recordDelivery(bench, "resolved", "retrying");
    expect(await tick(bench, 540_000)).toBeUndefined();
    expect(await tick(bench, 60_000)).toContain('`mail` did not receive "resolved": delivery pending.');
  });

  it("is written once for any number of ticks and instances", async () => {
    const { bench, store } = await resolved();
    const other = new Bench(smallEnvironment, { watchesItself: false }, { store, publisher: bench.publisher });
    other.now = bench.now + 60_000;
    bench.now += 60_000;
    await Promise.all([bench.tick(), other.tick()]);
    for (let i = 0; i < 5; i++) await tick(bench, 60_000);
    expect(store.postmortems).toBe(1);
  });

  it.each(["before", "after"] as const)("is written once if the process crashes %s the commit", async (when) => {
    const { bench, store } = await resolved();
    store.dies = when;
    await tick(bench, 60_000);
    expect(bench.logged).toEqual([expect.stringMatching(/^the postmortem of .+ was not written: the process died/)]);
    store.dies = undefined;
    bench.restart();
    expect(await tick(bench, 60_000)).toMatch(/^# Postmortem/);
    expect(store.postmortems).toBe(1);
  });

  it("keeps text edited by people", async () => {
    const { bench } = await resolved();
    const [{ id = "" } = {}] = await bench.incidents();
    await bench.store.update("incidents", id, { postmortem: "Ours." });
    expect(await tick(bench, 60_000)).toBe("Ours.");
    await bench.store.update("incidents", id, { postmortem: "Ours, longer." });
    expect(await tick(bench, 60_000)).toBe("Ours, longer.");
  });

  it("does not recreate a deleted document", async () => {
    const { bench } = await resolved();
    const [{ id = "" } = {}] = await bench.incidents();
    await bench.store.delete("incidents", id);
    await tick(bench, 60_000);
    expect(await bench.incidents()).toEqual([]);
    expect(bench.logged).toEqual([]);
  });
});
