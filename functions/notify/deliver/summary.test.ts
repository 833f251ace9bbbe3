import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import type { Store } from "../../../shared/ports.ts";
import { heldLedger, noon, rememberingLogger } from "../fixtures.ts";
import { type Delivery, type DeliveryStatus, deliveries, deliveryFields } from "./ledger.ts";
import { writeSummary } from "./summary.ts";

const incident = "i";

/** An event, the status of its delivery, and the number of attempts. */
type State = readonly [Delivery["event"], DeliveryStatus, number?];

/** Builds ledger entries of `ops`: events in order, with the status of each. */
function seen(...states: readonly State[]): Delivery[] {
  return states.map(([event, status, attempts = status === "delivered" ? 1 : 0], index) => {
    const [entry] = heldLedger("ops", [[{ event, sequence: index + 1 }, status]]);
    const delivered = status === "delivered" ? { delivered_at: new Date(noon + index * 60_000) } : {};
    return { ...(entry as { delivery: Delivery }).delivery, reason: "why", attempt_count: attempts, ...delivered };
  });
}

async function remember(store: Store, ledger: readonly Delivery[]): Promise<void> {
  for (const delivery of ledger) {
    const { sequence, recipient = "" } = delivery;
    await store.set(deliveries, `${sequence}:${recipient}`, deliveryFields({ ...delivery, incident }));
  }
}

/** Writes the summary after each of the given ledgers, and returns the summary on the incident. */
async function written(...ledgers: readonly (readonly Delivery[])[]): Promise<unknown> {
  const store = new MemoryStore();
  await store.set("incidents", incident, { title: "t", deliveries: { mail: "opened delivered" } });
  for (const ledger of ledgers) {
    await remember(store, ledger);
    await writeSummary(store, incident, rememberingLogger());
  }
  return (await store.get("incidents", incident))?.["deliveries"];
}

describe("the summary of a channel", () => {
  const opened = seen(["opened", "delivered"]);
  const both = seen(["opened", "delivered"], ["resolved", "delivered"]);

  it.each<[string, Delivery[][], string]>([
    ["that of the newest delivery", [opened, both], "resolved delivered 2025-09-16 12:01:00 UTC"],
    [
      "that of a delivered notice, if newer ones were suppressed",
      [opened, seen(["opened", "delivered"], ["joined", "suppressed"])],
      "opened delivered 2025-09-16 12:00:00 UTC",
    ],
    [
      "that of the previous delivery, after a pending one was superseded",
      [
        seen(["opened", "delivered"], ["reminder", "planned"]),
        seen(["opened", "delivered"], ["reminder", "suppressed"]),
      ],
      "opened delivered 2025-09-16 12:00:00 UTC",
    ],
    [
      "that of a late opening",
      [
        seen(["opened", "suppressed"], ["joined", "suppressed"]),
        seen(["opened", "planned"], ["joined", "suppressed"], ["severity_raised", "suppressed"]),
      ],
      "opened on its way",
    ],
  ])("is %s", async (_, writers, ops) => {
    expect(await written(...writers)).toEqual({ mail: "opened delivered", ops });
  });

  it("is not overwritten by a writer that read an older ledger", async () => {
    const store = new MemoryStore();
    await store.set("incidents", incident, { title: "t" });
    await remember(store, seen(["opened", "delivered"], ["resolved", "planned"]));
    const query = store.query.bind(store);
    store.query = async (...asked) => {
      store.query = query;
      const before = await query(...asked);
      await remember(store, both);
      await writeSummary(store, incident, rememberingLogger());
      return before;
    };
    await writeSummary(store, incident, rememberingLogger());
    expect((await store.get("incidents", incident))?.["deliveries"]).toEqual({
      ops: "resolved delivered 2025-09-16 12:01:00 UTC",
    });
  });

  describe("with several recipients", () => {
    const to = (recipient: string, ...states: readonly State[]): Delivery[] =>
      seen(...states).map((delivery) => ({ ...delivery, recipient }));
    const attempts = [{ at: new Date(noon), outcome: "retry", answer: "451 later" }];
    const later = { attempts, next_attempt_at: new Date(noon + 60_000) };

    it.each<[string, Delivery[], string]>([
      [
        "if all have the same status",
        [...to("a", ["opened", "delivered"]), ...to("b", ["joined", "suppressed"], ["opened", "delivered"])],
        "opened delivered 2025-09-16 12:01:00 UTC",
      ],
      [
        "if one has a worse status",
        [
          ...to("a", ["opened", "delivered"], ["resolved", "delivered"]),
          ...to("b", ["opened", "rejected"], ["resolved", "suppressed"]),
        ],
        "opened not delivered to b: why",
      ],
      [
        "if some have a worse status",
        [
          ...to("a", ["opened", "delivered"]),
          ...["b", "c"].flatMap((name) => to(name, ["opened", "retrying", 1]).map((one) => ({ ...one, ...later }))),
        ],
        "opened not delivered yet to b and c: 451 later, next attempt 2025-09-16 12:01:00 UTC",
      ],
      [
        "if all have a bad status",
        [...to("a", ["opened", "rejected"]), ...to("b", ["opened", "rejected"])],
        "opened not delivered: why",
      ],
      [
        "if one is not notified at all",
        [...to("a", ["opened", "suppressed"]), ...to("b", ["opened", "delivered"])],
        "opened delivered to b 2025-09-16 12:00:00 UTC",
      ],
    ])("is one sentence %s", async (_, ledger, ops) => {
      expect(await written(ledger)).toEqual({ mail: "opened delivered", ops });
    });
  });

  it("has numbers, and the times of the first and the last arrival", async () => {
    const store = new MemoryStore();
    await store.set("incidents", incident, { told: { mail: { entries: 1, done: 1, attempts: 1 } } });
    const ledger = seen(
      ["opened", "delivered", 3],
      ["joined", "suppressed"],
      ["reminder", "delivered"],
      ["resolved", "planned"],
    );
    await remember(store, ledger);
    await writeSummary(store, incident, rememberingLogger());
    expect((await store.get("incidents", incident))?.["told"]).toEqual({
      mail: { entries: 1, done: 1, attempts: 1 },
      ops: { entries: 4, done: 3, attempts: 4, first_at: new Date(noon), last_at: new Date(noon + 120_000) },
    });
  });
});
