import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import type { Report } from "../../../shared/messages/report.ts";
import { StoreError, type Transaction } from "../../../shared/ports.ts";
import { TryAgain } from "../../../shared/runtime/shell.ts";
import { Bench, failing, probe, smallEnvironment } from "../fixtures.ts";

/** A store that is away at times. */
class AbsentStore extends MemoryStore {
  isAway = false;

  override async transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.isAway) throw new StoreError("unavailable", "nobody answers");
    return super.transaction(body);
  }
}

const configuration = {
  ...smallEnvironment,
  probes: [probe("backend-health", "backend", "outside", "http", "every 15s")],
  rules: [],
  recovery: { stages: [] },
};
const minute = 60_000;
const step = 15_000;

/** Plays minutes of runs every 15 s. Reports that cannot be stored are redelivered after the given pause, newest first. */
class Deliveries {
  readonly store = new AbsentStore();
  readonly bench = new Bench(configuration, { watchesItself: true }, { store: this.store });
  readonly #waiting: { due: number; work: () => Promise<void>; pause: number }[] = [];

  async run(steps: number, shown: Parameters<Bench["reports"]>[0] = {}): Promise<void> {
    for (let n = 0; n < steps; n++) {
      const reports: Report[] = this.bench.reports(shown);
      for (const report of reports) await this.#take(() => this.bench.deliver(report), 0);
      const at = this.bench.now;
      if (at % minute === 0) await this.#take(() => this.bench.tick(at), 0);
      this.bench.now += step;
      for (const waiting of this.#waiting.splice(0).reverse()) {
        if (waiting.due > this.bench.now) this.#waiting.push(waiting);
        else await this.#take(waiting.work, waiting.pause);
      }
    }
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  async #take(work: () => Promise<void>, before: number): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TryAgain)) throw error;
      const pause = Math.min(minute, Math.max(1_000, before * 2));
      this.#waiting.push({ due: this.bench.now + pause, work, pause });
    }
  }
}

describe("an outage of the store", () => {
  it("of ten minutes loses no report, and keeps the first failure to the second", async () => {
    const deliveries = new Deliveries();
    const { bench, store } = deliveries;
    await deliveries.run(20);
    store.isAway = true;
    await deliveries.run(8);
    const broken = bench.now;
    await deliveries.run(32, { "backend-health": failing("http_status/response") });
    expect(bench.events).toEqual([]);
    store.isAway = false;
    await deliveries.run(16, { "backend-health": failing("http_status/response") });
    const [incident] = (await bench.incidents()).filter(({ id }) => id.endsWith("backend"));
    expect(incident?.fields["first_failure_at"]).toEqual(new Date(broken));
    expect(deliveries.waiting).toBe(0);
    const lost = bench.logged.filter((line) => line.includes("late"));
    expect(lost).toEqual([]);
  });

  it("raises monitor alerts that clear by themselves", async () => {
    const deliveries = new Deliveries();
    const { bench, store } = deliveries;
    await deliveries.run(20);
    store.isAway = true;
    await deliveries.run(40);
    store.isAway = false;
    await deliveries.run(120);
    const statuses = (await bench.incidents()).map(({ fields }) => fields["status"]);
    expect(statuses.filter((status) => status !== "resolved")).toEqual([]);
  });

  it("of a moment delays nothing", async () => {
    const deliveries = new Deliveries();
    const { store } = deliveries;
    await deliveries.run(20);
    store.isAway = true;
    await deliveries.run(1);
    store.isAway = false;
    await deliveries.run(2);
    expect(deliveries.waiting).toBe(0);
  });
});
