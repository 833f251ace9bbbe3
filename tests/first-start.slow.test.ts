/**
 * Tests what the monitor reports as missing, and when, on its first day and after an edit of its configuration. The probes and the evaluator
 * run on virtual time.
 */
import { describe, expect, it } from "vitest";
import { Bench, component, probe, rule, smallEnvironment } from "../functions/evaluate/fixtures.ts";
import { runProbes } from "../functions/probe/run/run.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import { localSecrets } from "../shared/adapters/secrets.ts";
import type { Configuration, ConfiguredProbe } from "../shared/config/model.ts";
import { nextTrigger } from "../shared/config/schedule.ts";
import { readAvailability } from "../shared/documents/availability.ts";
import { awaitedIn, heartbeatsIn, keepHeartbeat } from "../shared/documents/heartbeats.ts";

const minute = 60_000;
const hour = 60 * minute;

/** A probe that waits for reports of a job, which is the component `export`. */
function nightly(settings: object = {}, name = "nightly-export"): ConfiguredProbe {
  const base = probe(name, "export", "outside", "heartbeat", "every 5m");
  return {
    ...base,
    alert: { afterMs: 0, severity: "critical" },
    settings: { beat: "nightly", every: "24h", ...settings },
  };
}

function environmentOf(probes: readonly ConfiguredProbe[], more: Partial<Configuration> = {}): Configuration {
  return {
    ...smallEnvironment,
    components: [...smallEnvironment.components, component("export", "Nightly export", "application")],
    probes,
    rules: [],
    recovery: { stages: [] },
    ...more,
  };
}

/** A monitor on virtual time that runs real probes. */
class FirstDays {
  readonly bench: Bench;
  readonly #start: number;

  constructor(configuration: Configuration) {
    this.bench = new Bench(configuration, { watchesItself: true });
    this.#start = this.bench.now;
  }

  /** Advances the time by hours: each group runs when it is due, and the evaluator ticks each minute. */
  async hours(count: number): Promise<void> {
    const { bench } = this;
    const until = bench.now + count * hour;
    while (bench.now < until) {
      await this.#runWhatIsDue();
      bench.now += minute;
      await bench.tick();
    }
  }

  /** Sends a report of the job. */
  async report(ok = true): Promise<void> {
    await keepHeartbeat(this.bench.store, { name: "nightly", ok }, this.bench.now);
  }

  /** Returns the events with the hours since the first start, with one decimal. */
  get story(): string[] {
    return this.bench.events.map(({ at, event, root_cause, severity }) => {
      const after = (Date.parse(at) - this.#start) / hour;
      return `${after.toFixed(1)} ${event} ${root_cause} ${severity}`;
    });
  }

  /** Returns today's seconds of a component. */
  async today(name: string) {
    const day = new Date(this.bench.now).toISOString().slice(0, 10);
    return readAvailability(await this.bench.store.get("availability", day))?.components[name];
  }

  async #runWhatIsDue(): Promise<void> {
    const { bench } = this;
    const { store, configuration } = bench;
    for (const [group, probes] of Map.groupBy(configuration.probes, (each) => each.group)) {
      const [first] = probes;
      if (first === undefined || nextTrigger(first.schedule, bench.now - 1) !== bench.now) continue;
      await bench.deliver(
        await runProbes({
          environment: configuration.environment,
          vantage: first.vantage,
          group,
          trigger: "schedule",
          reportId: `${group}/${bench.now}`,
          probes: probes.map((each) => ({ ...each, recheck: false })),
          secrets: localSecrets({}),
          google: googleApi("http://127.0.0.1:1"),
          beats: heartbeatsIn(store),
          awaited: awaitedIn(store),
          clock: { now: () => bench.now },
        }),
      );
    }
  }
}

describe("a job that has never reported", () => {
  it("is missed one period plus grace after the first start, and not before", async () => {
    const days = new FirstDays(environmentOf([nightly()]));
    await days.hours(26);
    expect(days.story).toEqual([]);
    await days.hours(1);
    expect(days.story).toEqual(["26.4 opened export critical"]);
  });

  it("is missed after its own grace", async () => {
    const days = new FirstDays(environmentOf([nightly({ every: "1h", grace: "30m" })]));
    await days.hours(3);
    expect(days.story).toEqual(["1.6 opened export critical"]);
  });

  it("is missed at the instant that the configuration names", async () => {
    const days = new FirstDays(environmentOf([nightly({ every: "1h", first_by: "2025-09-16T17:00:00Z" })]));
    await days.hours(6);
    expect(days.story).toEqual(["5.0 opened export critical"]);
  });

  it("gets no extra time from restarts and new revisions", async () => {
    const days = new FirstDays(environmentOf([nightly({ every: "6h" })]));
    for (let revision = 1; revision <= 9; revision++) {
      await days.hours(1);
      days.bench.restart();
      const title = `Revision ${revision}`;
      days.bench.configure({ ...days.bench.configuration, title });
    }
    expect(days.story).toEqual(["6.7 opened export critical"]);
  });

  it("gets no extra time from the version that introduced the wait", async () => {
    const days = new FirstDays(environmentOf([nightly({ every: "6h" })]));
    const { store } = days.bench;
    await days.hours(3);
    const known = await store.get("state", "self");
    const { awaited: _, ...older } = JSON.parse(String(known?.["data"])) as Record<string, unknown>;
    await store.set("state", "self", { ...known, data: JSON.stringify(older) });
    await store.delete("state", "awaited");
    await days.hours(4);
    expect(days.story).toEqual(["6.7 opened export critical"]);
  });

  it("is timed from its addition to a running monitor", async () => {
    const days = new FirstDays(environmentOf([nightly({ beat: "other", every: "30d" }, "other")]));
    await days.hours(30);
    days.bench.configure(environmentOf([nightly({ beat: "other", every: "30d" }, "other"), nightly({ every: "6h" })]));
    await days.hours(8);
    expect(days.story).toEqual(["36.7 opened export critical"]);
  });

  it("counts as new under a new name, and when it is added again", async () => {
    const days = new FirstDays(environmentOf([nightly({ every: "6h" })]));
    await days.hours(5);
    days.bench.configure(environmentOf([nightly({ every: "6h" }, "renamed")]));
    await days.hours(5);
    days.bench.configure(environmentOf([nightly({ every: "6h" })]));
    await days.hours(5);
    expect(days.story).toEqual([]);
    await days.hours(3);
    expect(days.story).toEqual(["16.7 opened export critical"]);
  });

  it("is due by its new period after a change", async () => {
    const days = new FirstDays(environmentOf([nightly()]));
    await days.hours(1);
    days.bench.configure(environmentOf([nightly({ every: "3h" })]));
    await days.hours(4);
    expect(days.story).toEqual(["3.3 opened export critical"]);
    const longer = new FirstDays(environmentOf([nightly({ every: "3h" })]));
    await longer.hours(1);
    longer.bench.configure(environmentOf([nightly({ every: "5h" })]));
    await longer.hours(5);
    expect(longer.story).toEqual(["5.6 opened export critical"]);
  });

  it("is neither up nor down until it is due", async () => {
    const days = new FirstDays(environmentOf([nightly({ every: "3h" })]));
    await days.hours(3);
    expect(await days.today("export")).toMatchObject({ up: 0, down: 0 });
    await days.hours(2);
    const { up = -1, down = -1 } = (await days.today("export")) ?? {};
    expect([up, down > (1.5 * hour) / 1000 && down < (1.8 * hour) / 1000]).toEqual([0, true]);
  });
});

describe("a job that has reported", () => {
  it("is missed one period plus grace after its last report", async () => {
    const days = new FirstDays(environmentOf([nightly({ every: "6h" })]));
    await days.hours(2);
    await days.report();
    await days.hours(7);
    expect(days.story).toEqual(["8.7 opened export critical"]);
  });

  it("is not missed for its old report if it was removed from the configuration in between", async () => {
    const other = nightly({ beat: "other", every: "30d" }, "other");
    const days = new FirstDays(environmentOf([other, nightly({ every: "2h" })]));
    await days.report();
    await days.hours(1);
    days.bench.configure(environmentOf([other]));
    await days.hours(10);
    days.bench.configure(environmentOf([other, nightly({ every: "2h" })]));
    await days.hours(2);
    expect(days.story).toEqual([]);
    await days.hours(1);
    expect(days.story).toEqual(["13.3 opened export critical"]);
  });

  it("is notified immediately when it reports a failure", async () => {
    const days = new FirstDays(environmentOf([nightly()]));
    await days.hours(1);
    await days.report(false);
    await days.hours(1);
    expect(days.story).toEqual(["1.0 opened export critical"]);
  });
});

describe("a group that has never reported", () => {
  it.each<[string, string, string]>([
    ["hourly", "0 * * * *", "13:03"],
    ["daily", "0 2 * * *", "02:03"],
    ["on weekdays by day", "0 9-17 * * MON-FRI", "13:03"],
    ["weekly", "30 12 * * WED", "12:33"],
  ])("is missed after its first run is due: %s", async (_what, schedule, missedAt) => {
    const seldom = probe("database", "sql", "inside", "postgres", schedule);
    const bench = new Bench(environmentOf([seldom]), { watchesItself: true });
    while (bench.story.length === 0 && bench.now < Date.parse("2025-09-18T00:00:00Z")) {
      bench.now += minute;
      await bench.tick();
    }
    expect(bench.story).toEqual([`${missedAt} opened`]);
    expect(bench.events[0]?.summary).toContain("none has ever arrived");
    const first = nextTrigger(schedule, Date.parse("2025-09-16T12:00:00Z")) ?? 0;
    expect(bench.now - first).toBe(3 * minute);
  });
});

describe("a probe that cannot run", () => {
  const guarded: ConfiguredProbe = {
    ...probe("export-health", "export"),
    alert: { afterMs: 0, severity: "critical" },
    settings: { url: "http://127.0.0.1:1/", headers: { authorization: { secret: "export-key" } } },
  };

  it("is an incident of the monitor, and charges no downtime to its target", async () => {
    const days = new FirstDays(environmentOf([guarded]));
    await days.hours(1);
    expect(days.story).toEqual(["0.0 opened pathkeeper warning"]);
    const [incident] = await days.bench.incidents();
    expect(incident?.fields).toMatchObject({
      title: "Test: the monitor cannot run some probes of outside-1m",
      verdict: "monitor",
      components: ["pathkeeper"],
      alerts: ["Probes of outside-1m cannot run"],
      summary: expect.stringContaining('secret "export-key" not found'),
      impact: "Outages of the targets of these probes may go undetected.",
    });
    expect(await days.today("export")).toMatchObject({ up: 0, down: 0 });
  });
});

describe("a rule with missing: fire", () => {
  it("waits for the first run of each of its probes", async () => {
    const together = "http_response_time + database_connection_time > 9s";
    const probes = [probe("backend-health", "backend"), probe("database", "sql", "inside", "postgres", "every 2h")];
    const rules = [rule("Slow together", together, "0s", "warning", { component: "backend", missing: "fire" })];
    const bench = new Bench(environmentOf(probes, { rules }), { watchesItself: true });
    const minutes = async (count: number, groups: readonly string[]): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const shown = { "backend-health": { http_response_time: 0.1 } };
        for (const report of bench.reports(shown)) if (groups.includes(report.group)) await bench.deliver(report);
        bench.now += minute;
        await bench.tick();
      }
    };
    bench.now += minute;
    await minutes(119, ["outside-1m"]);
    expect(bench.story).toEqual([]);
    // The database is probed, but its time is not measured.
    await minutes(2, ["outside-1m", "inside-2h"]);
    expect(bench.story).toEqual(["14:01 opened"]);
  });
});

describe("a rule with absent()", () => {
  const rules = [rule("No sign of the shop", "absent(http_response_time, 10m)", "0s", "critical")];

  it("waits for its lookback from the first run of a probe that yields the metric", async () => {
    // The database does not respond, and the hourly probe of the shop runs first at 13:00.
    const hourly = probe("pages-health", "pages", "outside", "http", "0 * * * *");
    const days = new FirstDays(
      environmentOf(
        [{ ...hourly, alert: false, settings: { url: "http://127.0.0.1:1/" } }, nightly({ every: "30d" })],
        { rules },
      ),
    );
    days.bench.now += 5 * minute;
    await days.hours(0.9);
    expect(days.story).toEqual([]);
    await days.hours(0.4);
    expect(days.story).toEqual(["1.2 opened unknown critical"]);
  });
});
