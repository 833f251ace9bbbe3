import { describe, expect, it } from "vitest";
import type { Configuration } from "../../../shared/config/model.ts";
import { faultsOf } from "../cause/knowledge/indicators.ts";
import { Bench, failing, noon, probe, rule, smallEnvironment } from "../fixtures.ts";
import { planOf } from "../plan.ts";
import { evaluateReport, evaluateTick } from "./fold.ts";
import { emptyPartition, type PartitionState } from "./state.ts";

const minute = 60_000;

describe("a partition", () => {
  it("evaluates a report once, regardless of duplicates and order", () => {
    const bench = new Bench();
    const plan = planOf(bench.configuration);
    const [first] = bench.reports();
    bench.now += minute;
    const [second] = bench.reports({ "backend-health": failing("http_status/response") });
    if (!first || !second) throw new Error("the fixture has a group");
    const inOrder = evaluateReport(evaluateReport(emptyPartition, first, plan).state, second, plan).state;
    const reversed = evaluateReport(evaluateReport(emptyPartition, second, plan).state, first, plan).state;
    expect(reversed.reports).toEqual(inOrder.reports);
    const standing = ({ alerts }: PartitionState): string[] =>
      [...alerts.values()].map(({ rule, status }) => `${rule}: ${status}`);
    expect(standing(inOrder)).toEqual(["backend-health failing: pending"]);
    expect(standing(reversed)).toEqual(standing(inOrder));
    expect(reversed.series).toEqual(inOrder.series);
    const again = evaluateReport(inOrder, first, plan);
    expect(again).toMatchObject({ ignored: "repeated", changes: [] });
    expect(again.state).toBe(inOrder);
  });

  it("uses `success` if a report has no measurement of it", () => {
    const bench = new Bench();
    const plan = planOf(bench.configuration);
    let state: PartitionState = emptyPartition;
    for (let run = 0; run < 4; run++) {
      const [report] = bench.reports({ "backend-health": failing("http_status/response") });
      if (!report) throw new Error("the fixture has a group");
      const results = report.results.map((result) => ({
        ...result,
        measurements: [{ metric: "http_status", value: 503, labels: {} }],
      }));
      state = evaluateReport(state, { ...report, results }, plan).state;
      bench.now += minute;
    }
    expect([...state.alerts.values()].map(({ rule, status }) => `${rule}: ${status}`)).toEqual([
      "backend-health failing: firing",
    ]);
  });

  it.each([
    ["in order", [0, 1, 2, 3, 4]],
    ["one good run after the next failed one", [0, 1, 3, 2, 4]],
    ["the good run last of all", [0, 1, 3, 4, 2]],
    ["the first failed run last of all", [0, 2, 3, 4, 1]],
  ])("knows since when a probe fails when reports come %s", (_, order) => {
    const bench = new Bench();
    const plan = planOf(bench.configuration);
    const reports = [false, true, false, true, true].map((isBad) => {
      const [report] = bench.reports(isBad ? { "backend-health": failing("http_status/response") } : {});
      if (!report) throw new Error("the fixture has a group");
      bench.now += minute;
      return report;
    });
    let state: PartitionState = emptyPartition;
    let known: unknown;
    for (const index of order) {
      const report = reports[index];
      if (report === undefined) throw new Error("there are five");
      const next = evaluateReport(state, report, plan);
      state = next.state;
      for (const change of next.changes)
        if (change.what === "probe" && change.fact.probe === "backend-health") known = change.fact;
    }
    // What the incidents know of it, and what its partition knows.
    expect(known).toMatchObject({ status: "bad", since: noon + 3 * minute });
    expect(state.probes["backend-health"]).toMatchObject({ status: "bad", since: noon + 3 * minute });
  });

  it("does not evaluate reports later than its horizon", () => {
    const bench = new Bench();
    const plan = planOf(bench.configuration);
    const [old] = bench.reports({ "backend-health": failing("http_status/response") });
    bench.now += 11 * minute;
    const [fresh] = bench.reports();
    if (!old || !fresh) throw new Error("the fixture has a group");
    const { state } = evaluateReport(emptyPartition, fresh, plan);
    expect(evaluateReport(state, old, plan)).toEqual({ state, changes: [], ignored: "late" });
  });

  it("ignores results of an unhealthy prober", () => {
    const bench = new Bench();
    const plan = planOf(bench.configuration);
    const [report] = bench.reports({ "backend-health": failing("timeout/connect") });
    if (!report) throw new Error("the fixture has a group");
    const { state, changes, ignored } = evaluateReport(
      emptyPartition,
      { ...report, prober_unhealthy: "the control probe failed" },
      plan,
    );
    expect({ changes, ignored, probes: state.probes }).toEqual({
      changes: [],
      ignored: "prober unhealthy",
      probes: {},
    });
  });

  it("does not treat an unhealthy prober as absent data until it stops reporting", () => {
    const bench = new Bench({
      ...smallEnvironment,
      rules: [rule("Is measured", "http_response_time > 5s", "0s", "critical", { missing: "fire" })],
    });
    const plan = planOf(bench.configuration);
    const shown = { "backend-health": { http_response_time: 0.1 } };
    const [first] = bench.reports(shown);
    if (!first) throw new Error("the fixture has a group");
    let { state } = evaluateReport(emptyPartition, first, plan);
    const timeline: string[] = [];
    for (let passed = 1; passed <= 12; passed++) {
      bench.now += minute;
      const [report] = bench.reports(shown);
      if (report && passed <= 8)
        state = evaluateReport(state, { ...report, prober_unhealthy: "no network" }, plan).state;
      const ticked = evaluateTick(state, first.group, plan, bench.now + 30_000);
      state = ticked.state;
      for (const change of ticked.changes) {
        if (change.what === "alert") timeline.push(`${passed}m ${change.alert?.rule} ${change.alert?.status}`);
        else if (change.fact.probe === "backend-health") timeline.push(`${passed}m ${change.fact.status}`);
      }
    }
    expect(timeline).toEqual(["11m unknown", "11m Is measured firing"]);
  });

  it("treats a silent probe as unknown, neither good nor bad", () => {
    const bench = new Bench();
    const plan = planOf(bench.configuration);
    const [report] = bench.reports();
    if (!report) throw new Error("the fixture has a group");
    const { state } = evaluateReport(emptyPartition, report, plan);
    expect(evaluateTick(state, report.group, plan, noon + 2 * minute).state).toBe(state);
    const { changes } = evaluateTick(state, report.group, plan, noon + 3 * minute);
    expect(changes.map((change) => change.what === "probe" && change.fact.status)).toEqual(
      changes.map(() => "unknown"),
    );
    expect(changes).not.toEqual([]);
  });
});

describe("rules", () => {
  it("with missing: fire alert when a measurement is missing, and with missing: clear end", async () => {
    const silent = new Bench({
      ...smallEnvironment,
      rules: [
        rule("Connection time is measured", "database_connection_time > 25s", "2m", "critical", { missing: "fire" }),
      ],
      recovery: { stages: [] },
    });
    await silent.minute({ database: { database_connection_time: 1 } });
    for (let i = 0; i < 10; i++) {
      silent.now += minute;
      await silent.tick();
    }
    expect(silent.events.map(({ event, alerts }) => [event, ...alerts])).toEqual([
      ["opened", "Connection time is measured"],
    ]);

    const cleared = new Bench({
      ...smallEnvironment,
      rules: [rule("Slow", "database_connection_time > 25s", "1m", "warning", { missing: "clear" })],
      recovery: { stages: [] },
    });
    for (let i = 0; i < 3; i++) await cleared.minute({ database: { database_connection_time: 30 } });
    for (let i = 0; i < 10; i++) {
      cleared.now += minute;
      await cleared.tick();
    }
    expect(cleared.events.map(({ event }) => event)).toEqual(["opened", "recovering", "resolved"]);
  });

  it("are evaluated only in partitions that yield their metrics: elsewhere nothing is absent", async () => {
    const bench = new Bench({
      ...smallEnvironment,
      rules: [
        rule("Pages fell silent", 'absent(probe_success{probe="pages-health"}, 5m)', "0s", "critical", {
          component: "pages",
        }),
      ],
    });
    for (let i = 0; i < 8; i++) await bench.minute();
    expect(bench.events).toEqual([]);
    for (let i = 0; i < 8; i++) {
      bench.now += minute;
      await bench.tick();
    }
    expect(bench.events.map(({ event, alerts }) => [event, ...alerts])).toEqual([["opened", "Pages fell silent"]]);
  });

  it("are evaluated over all partitions for a configuration compiled without the yields of probes", () => {
    const configuration: Configuration = {
      ...smallEnvironment,
      probes: [probe("web", "backend", "outside", "http"), probe("database", "sql", "inside", "postgres")].map(
        ({ yields: _, ...before }) => before,
      ),
      rules: [
        rule("Slow", "http_response_time > 2s", "2m", "critical"),
        rule("Down", 'probe_success{probe="web"} == 0', "2m"),
      ],
      recovery: { stages: [] },
    };
    const { crossRules, rulesOf } = planOf(configuration);
    expect(crossRules.map(({ name }) => name)).toEqual(["Slow"]);
    expect(rulesOf.get("outside-1m")?.map(({ name }) => name)).toEqual(["web failing", "web intermittent", "Down"]);
  });

  it("that join metrics of two partitions are evaluated on ticks", async () => {
    const bench = new Bench({
      ...smallEnvironment,
      probes: [probe("web", "backend", "outside", "http"), probe("database", "sql", "inside", "postgres")],
      rules: [
        rule("Slow for users", "http_response_time > 2s and database_connection_time > 5s", "2m", "critical", {
          component: "sql",
        }),
      ],
      recovery: { stages: [] },
    });
    expect(planOf(bench.configuration).crossRules.map(({ name }) => name)).toEqual(["Slow for users"]);
    const slow = { web: { http_response_time: 3 }, database: { database_connection_time: 9 } };
    for (let i = 0; i < 5; i++) await bench.minute(slow);
    expect(bench.events.map(({ event, alerts }) => [event, ...alerts])).toEqual([["opened", "Slow for users"]]);
    const fast = { web: { http_response_time: 0.1 }, database: { database_connection_time: 0.1 } };
    for (let i = 0; i < 5; i++) await bench.minute(fast);
    expect(bench.events.map(({ event }) => event)).toContain("resolved");
  });

  it("that join metrics of two partitions are not evaluated while the prober of one is unhealthy", async () => {
    const bench = new Bench({
      ...smallEnvironment,
      probes: [probe("web", "backend", "outside", "http"), probe("database", "sql", "inside", "postgres")],
      rules: [
        rule("Both are measured", "http_response_time > 50ms and database_connection_time > 5s", "1m", "critical", {
          component: "sql",
          missing: "fire",
        }),
      ],
      recovery: { stages: [] },
    });
    const shown = { web: { http_response_time: 0.1 }, database: { database_connection_time: 0.1 } };
    await bench.minute(shown);
    const blind = async (minutes: number, but: (vantage: string) => boolean): Promise<void> => {
      for (let i = 0; i < minutes; i++) {
        bench.now += minute;
        for (const report of bench.reports(shown)) {
          await bench.deliver(but(report.vantage) ? report : { ...report, prober_unhealthy: "no network" });
        }
        await bench.tick();
      }
    };
    await blind(6, (vantage) => vantage === "outside");
    expect(bench.events).toEqual([]);
  });
});

describe("findings of configuration checks", () => {
  it("are distinguished by resource", () => {
    const finding = (resource: string, observed: string) => ({
      check: "state",
      ok: false,
      observed,
      expected: "READY",
      explanation: "",
      resource,
      component: "backend",
    });
    const result = {
      probe: "web",
      component: "backend",
      at: new Date(noon).toISOString(),
      success: false,
      measurements: [],
      findings: [finding("connector-a", "ERROR"), finding("connector-b", "CREATING")],
    };
    const first = faultsOf(result, []);
    const later = faultsOf({ ...result, at: new Date(noon + minute).toISOString() }, first);
    expect(later.map(({ resource, says, since }) => [resource, says, since])).toEqual([
      ["connector-a", "state is ERROR, expected READY", noon],
      ["connector-b", "state is CREATING, expected READY", noon],
    ]);
  });
});
