/** The canary, from a tick over a probe, the evaluator and the notifier to the watchdog signal: the handlers of the three functions, with a broker between them. */
import { describe, expect, it } from "vitest";
import { component, noon, probe, smallEnvironment } from "../functions/evaluate/fixtures.ts";
import { evaluateHandler } from "../functions/evaluate/handler.ts";
import { planOf } from "../functions/evaluate/plan.ts";
import { channels } from "../functions/notify/channels/index.ts";
import { notifyHandler } from "../functions/notify/handler.ts";
import { probeHandler } from "../functions/probe/handler.ts";
import { runProbes } from "../functions/probe/run/run.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import { MemoryPublisher, MemoryStore } from "../shared/adapters/memory.ts";
import { localSecrets } from "../shared/adapters/secrets.ts";
import type { Configuration } from "../shared/config/model.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { probePaths, topics } from "../shared/topology.ts";

const configuration: Configuration = {
  ...smallEnvironment,
  components: [component("shop", "Shop", "application")],
  probes: [probe("shop", "shop"), probe("shop-inside", "shop", "inside", "tcp")],
  rules: [],
  baselines: [],
  recovery: { stages: [] },
  watchdog: { url: "", everyMs: 60_000, method: "GET", allowPrivate: true },
};

/** Message that is lost in transit. */
type Lost = "nothing" | "probe" | "evaluate" | "notify";

class Monitor {
  readonly store = new MemoryStore();
  readonly signals: number[] = [];
  lost: Lost = "nothing";
  now = noon;
  readonly #publisher = new MemoryPublisher();
  #delivered = 0;
  readonly #clock = { now: () => this.now };
  readonly #common = {
    configuration,
    store: this.store,
    publisher: this.#publisher,
    clock: this.#clock,
    logger: silentLogger,
  };
  readonly #probe = probeHandler({
    ...this.#common,
    vantage: "any",
    secrets: localSecrets({}),
    google: googleApi("http://127.0.0.1:1"),
    warm: async () => {},
    // The targets are healthy; the canary run is real.
    run: async (run) => {
      if (run.trigger === "canary") return runProbes(run);
      const at = new Date(this.now).toISOString();
      const results = run.probes.map(({ name, component: of }) => ({
        ...{ probe: name, component: of, at, success: true },
        measurements: [{ metric: "probe_success", value: 1, labels: {} }],
      }));
      const { environment, vantage, group, trigger, reportId: report } = run;
      return { v: 1, report, environment, vantage, group, trigger, started_at: at, finished_at: at, results };
    },
  });
  readonly #evaluate = evaluateHandler(
    { ...this.#common, signal: async () => void this.signals.push(this.now - noon) },
    planOf(configuration),
  );
  readonly #notify = notifyHandler({
    ...this.#common,
    kinds: channels,
    send: () => Promise.reject(new Error("a canary is sent to nobody")),
  });

  /** Runs every group, ticks, and delivers until no message is left. */
  async minute(): Promise<void> {
    const { environment } = configuration;
    for (const { group, vantage } of configuration.probes) {
      const data = { v: 1, environment, vantage, trigger: "schedule", group };
      await this.#publisher.publish(topics.probeRequests, [{ data, attributes: { trigger: "schedule" } }]);
    }
    await this.#deliver();
    this.now += 60_000;
    await this.#publisher.publish(topics.ticks, [{ data: { v: 1, environment } }]);
    await this.#deliver();
  }

  get published(): MemoryPublisher["published"] {
    return this.#publisher.published;
  }

  async #deliver(): Promise<void> {
    for (; this.#delivered < this.published.length; this.#delivered++) {
      const { topic, data, attributes = {} } = this.published[this.#delivered] ?? { topic: "", data: undefined };
      const message = { messageId: String(this.#delivered), publishedAt: this.now, attributes, data, subscription: "" };
      const isCanary = JSON.stringify(data).includes('"canary');
      if (topic === topics.probeRequests && !(isCanary && this.lost === "probe"))
        await this.#probe(message, attributes["trigger"] === "schedule" ? probePaths.scheduled : probePaths.asked);
      if (topic === topics.measurements && !(isCanary && this.lost === "evaluate"))
        await this.#evaluate(message, "/measurements");
      if (topic === topics.ticks) await this.#evaluate(message, "/ticks");
      if (topic === topics.notifications && this.lost !== "notify") await this.#notify(message, "/notifications");
    }
  }
}

describe("the canary", () => {
  it("passes a probe, the evaluator and the notifier, and then the watchdog signal is sent", async () => {
    const monitor = new Monitor();
    for (let n = 0; n < 4; n++) await monitor.minute();
    expect(monitor.signals).toEqual([120_000, 180_000, 240_000]);
    const reports = monitor.published.flatMap(({ topic, data }) => (topic === topics.measurements ? [data] : []));
    expect(reports).toContainEqual(
      expect.objectContaining({
        trigger: "canary",
        results: [expect.objectContaining({ success: false, failure: expect.objectContaining({ kind: "refused" }) })],
      }),
    );
  });

  it.each<Lost>(["probe", "evaluate", "notify"])("withholds the signal if %s does not pass it on", async (lost) => {
    const monitor = new Monitor();
    for (let n = 0; n < 3; n++) await monitor.minute();
    const before = monitor.signals.length;
    monitor.lost = lost;
    for (let n = 0; n < 3; n++) await monitor.minute();
    // A canary that has already arrived may let one more signal leave.
    expect(monitor.signals.length).toBeLessThanOrEqual(before + 1);
    const stopped = monitor.signals.length;
    for (let n = 0; n < 3; n++) await monitor.minute();
    expect(monitor.signals).toHaveLength(stopped);
    monitor.lost = "nothing";
    for (let n = 0; n < 2; n++) await monitor.minute();
    expect(monitor.signals.length).toBeGreaterThan(stopped);
  });

  it("affects no incident, availability, notification or count", async () => {
    const monitor = new Monitor();
    for (let n = 0; n < 12; n++) await monitor.minute();
    expect(await monitor.store.query({ collection: "incidents" })).toEqual([]);
    expect(await monitor.store.query({ collection: "deliveries" })).toEqual([]);
    const kept = await Promise.all(
      ["availability", "pages", "silences"].map((collection) => monitor.store.query({ collection })),
    );
    expect(JSON.stringify(kept)).not.toContain("canary");
    const self = JSON.parse(String((await monitor.store.get("state", "self"))?.["data"]));
    expect([self.checks, self.told, self.reports]).toEqual([{}, {}, 24 - 0]);
  });
});
