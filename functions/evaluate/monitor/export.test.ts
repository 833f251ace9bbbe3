import { describe, expect, it } from "vitest";
import { MemoryMetrics } from "../../../shared/adapters/memory.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import type { MetricPoint, MetricSink } from "../../../shared/ports.ts";
import { Bench, failing, noon, probe, type Shown, smallEnvironment } from "../fixtures.ts";

function exporting(more: Partial<Configuration> = {}, metrics: MetricSink = new MemoryMetrics()) {
  return new Bench({ ...smallEnvironment, ...more }, { watchesItself: true }, { metrics });
}

async function minutes(bench: Bench, count: number, shown: Readonly<Record<string, Shown>> = {}): Promise<void> {
  for (let i = 0; i < count; i++) await bench.minute(shown);
}

function named(points: readonly MetricPoint[] | undefined, metric: string): MetricPoint[] {
  return (points ?? []).filter((point) => point.metric === metric);
}

describe("each tick exports", () => {
  it("the newest value of each series that dashboards show, with its own instant, once", async () => {
    const metrics = new MemoryMetrics();
    const bench = exporting({}, metrics);
    await minutes(bench, 2, { database: { database_connection_time: 0.4, tls_handshake_time: 1 } });
    bench.now += 60_000;
    await bench.tick();
    const [, second, third] = metrics.calls;
    expect(named(second, "database_connection_time")).toEqual([
      {
        metric: "database_connection_time",
        labels: { probe: "database", component: "sql", vantage: "inside" },
        value: 0.4,
        at: noon + 60_000,
      },
    ]);
    expect(named(second, "probe_success")).toHaveLength(5);
    expect(named(second, "tls_handshake_time")).toEqual([]);
    expect(named(third, "probe_success")).toEqual([]);
  });

  it("what the configuration names, and nothing at all when it is off", async () => {
    const chosen = new MemoryMetrics();
    await minutes(exporting({ export: ["tls_handshake_time"] }, chosen), 1, { database: { tls_handshake_time: 1 } });
    expect(named(chosen.calls[0], "tls_handshake_time")).toHaveLength(1);
    expect(named(chosen.calls[0], "probe_success")).toEqual([]);
    const off = new MemoryMetrics();
    await minutes(exporting({ export: false }, off), 1);
    expect(off.calls).toEqual([]);
  });

  it("what the monitor measures of itself", async () => {
    const metrics = new MemoryMetrics();
    const bench = exporting({}, metrics);
    await minutes(bench, 5, { "pages-health": failing("timeout/connect") });
    const values = Object.fromEntries(
      (metrics.calls.at(-1) ?? []).map(({ metric, labels, value }) => [
        [metric, ...Object.values(labels)].join(" "),
        value,
      ]),
    );
    expect(values).toMatchObject({
      reports: 2,
      "report_age outside-1m": 60,
      checks_failing: 0,
      tick_delay: 0,
      export_refused: 0,
      "incidents_open critical platform": 0,
      "incidents_open warning application": 1,
      "incidents_open warning monitor": 0,
    });
  });

  it("the availability of components, when it is calculated", async () => {
    const metrics = new MemoryMetrics();
    await minutes(exporting({ availability: { target: 0.999, components: {} } }, metrics), 6, {
      "pages-health": failing("timeout/connect"),
    });
    expect(
      named(metrics.calls.at(-1), "availability").map(({ labels, value }) => [labels["component"], value]),
    ).toEqual(
      expect.arrayContaining([
        ["pages", 0],
        ["backend", 1],
      ]),
    );
    // Down for 6 of the 43.2 minutes that the month may be.
    const [budget] = named(metrics.calls.at(-1), "error_budget_left").filter(
      ({ labels }) => labels["component"] === "pages",
    );
    expect(budget?.value).toBeCloseTo(1 - 6 / 43.2, 6);
  });

  it("once for a tick that is delivered twice", async () => {
    const metrics = new MemoryMetrics();
    const bench = exporting({}, metrics);
    await minutes(bench, 1);
    await bench.tick();
    await bench.tick();
    expect(metrics.calls).toHaveLength(1);
  });

  it("even after a failed export, which is logged and counted", async () => {
    const metrics = new MemoryMetrics();
    let broken = true;
    const sink: MetricSink = {
      write: (points) => (broken ? Promise.reject(new Error("no permission")) : metrics.write(points)),
      close: async () => {},
    };
    const bench = exporting({}, sink);
    await minutes(bench, 1);
    broken = false;
    await minutes(bench, 1);
    expect(bench.logged).toEqual([expect.stringMatching(/^\d+ of \d+ points were not exported: no permission$/)]);
    expect(named(metrics.calls[0], "export_refused")[0]?.value).toBeGreaterThan(5);
  });

  it("at most a thousand points, and logs how many were dropped", async () => {
    const metrics = new MemoryMetrics();
    const probes = Array.from({ length: 60 }, (_, i) => probe(`probe-${i}`, "backend"));
    const bench = new Bench(
      { ...smallEnvironment, probes, export: ["http_phase_time"] },
      { watchesItself: true },
      { metrics },
    );
    const [report] = bench.reports();
    if (report === undefined) throw new Error("the fixture has a group");
    const measurements = Array.from({ length: 20 }, (_, i) => ({
      metric: "http_phase_time",
      value: 0.1,
      labels: { phase: `phase-${i}` },
    }));
    await bench.deliver({ ...report, results: report.results.map((result) => ({ ...result, measurements })) });
    await bench.tick();
    expect(named(metrics.calls[0], "http_phase_time")).toHaveLength(1_000);
    expect(bench.logged).toEqual([
      "200 of 1200 points per minute are not exported, because the limit is 1000: list the metrics that your dashboards need under export",
    ]);
    await minutes(bench, 1);
    expect(named(metrics.calls[1], "export_refused")[0]?.value).toBe(200);
  });
});
