import { describe, expect, it } from "vitest";
import { metrics } from "../../../shared/metrics/catalogue.ts";
import { fc } from "../../../tests/support/chance.ts";
import { compileCondition } from "./condition.ts";
import type { Series, SeriesSource } from "./series.ts";

const minute = 60_000;

/** A series with a sample each minute from 0; `undefined` where one is missing. */
function series(metric: string, labels: Record<string, string>, values: readonly (number | undefined)[]): Series {
  const known = values.flatMap((value, i) => (value === undefined ? [] : [{ at: i * minute, value }]));
  const [times, seen] = [known.map(({ at }) => at), known.map(({ value }) => value)];
  return { metric, labels, times, values: seen, staleAfterMs: 2 * minute };
}

function source(...all: readonly Series[]): SeriesSource {
  return { select: (metric) => all.filter((one) => one.metric === metric) };
}

/** Labels, truth and text of each instance, `at` minutes after 0. */
function evaluate(text: string, at: number, ...all: readonly Series[]): unknown[] {
  const condition = compileCondition(text, { windowMs: 3 * minute });
  return condition.evaluate(source(...all), at * minute).map(({ labels, truth, seen }) => [labels, truth, seen]);
}

/** The truth of the only instance of each condition. */
function truth(text: string, at: number, ...all: readonly Series[]): unknown {
  const instances = compileCondition(text, { windowMs: 3 * minute }).evaluate(source(...all), at * minute);
  expect(instances).toHaveLength(1);
  return instances[0]?.truth;
}

const connector = { probe: "connector", component: "vpc-connector", vantage: "outside" };
const database = { probe: "database", component: "cloud-sql", vantage: "inside" };

describe("the rules of the user, as written", () => {
  it.each([
    [
      "vpc_connector_utilization > 70%",
      "vpc_connector_utilization",
      [0.93],
      true,
      "vpc_connector_utilization (93%) > 70%",
    ],
    [
      "vpc_connector_utilization > 70%",
      "vpc_connector_utilization",
      [0.7],
      false,
      "vpc_connector_utilization (70%) > 70%",
    ],
    [
      "cloud_sql_pool_utilization > 85%",
      "cloud_sql_pool_utilization",
      [0.86],
      true,
      "cloud_sql_pool_utilization (86%) > 85%",
    ],
    [
      "cloud_sql_pool_utilization > 85%",
      "cloud_sql_pool_utilization",
      [0.84],
      false,
      "cloud_sql_pool_utilization (84%) > 85%",
    ],
    // The window is the alert duration of 3 minutes: the samples of minutes 1, 2 and 3, not that of minute 0.
    [
      "avg_database_connection_time > 25s",
      "database_connection_time",
      [900, 24, 26, 28],
      true,
      "avg_database_connection_time (26s) > 25s",
    ],
    [
      "avg_database_connection_time > 25s",
      "database_connection_time",
      [900, 24, 25, 26],
      false,
      "avg_database_connection_time (25s) > 25s",
    ],
  ])("%s of %s %j", (text, metric, values, expected, seen) => {
    expect(evaluate(text, values.length - 1, series(metric, database, values))).toEqual([[database, expected, seen]]);
  });

  it("returns the metrics that each condition reads", () => {
    const selectors = (text: string) => compileCondition(text, { windowMs: 3 * minute }).selectors;
    expect(selectors("avg_database_connection_time > 25s")).toEqual([
      { metric: "database_connection_time", matchers: {}, windowMs: 3 * minute },
    ]);
    expect(
      selectors('http_status{probe="a",component!="b"} > 1 or http_status{component!="b", probe="a"} == 0'),
    ).toEqual([{ metric: "http_status", matchers: { probe: "a" }, windowMs: 0 }]);
    expect(selectors("p95_smd_phase_3_duration > 45s and absent(http_status, 10m)")).toEqual([
      { metric: "smd_phase_duration", matchers: { phase: "3" }, windowMs: 3 * minute },
      { metric: "http_status", matchers: {}, windowMs: 10 * minute },
    ]);
    // Values may hold what stands between labels.
    expect(
      selectors(`http_status{probe='a",vantage="b'} > 1 or http_status{probe="a",vantage="b"} > 1`).map(
        ({ matchers }) => matchers,
      ),
    ).toEqual([{ probe: 'a",vantage="b' }, { probe: "a", vantage: "b" }]);
    expect(selectors("forecast(vpc_connector_utilization, 1h) > 90%")).toEqual([
      { metric: "vpc_connector_utilization", matchers: {}, windowMs: 60 * minute },
    ]);
  });

  it("looks back one minute without a duration", () => {
    const [selector] = compileCondition("max_http_response_time > 5s", { windowMs: 0 }).selectors;
    expect(selector?.windowMs).toBe(minute);
  });
});

describe("aliases", () => {
  it.each(Object.entries(metrics).map(([name, { unit }]) => [name, unit] as const))(
    "avg_, min_, max_, p50_ and p95_ of %s",
    (name, unit) => {
      const limit = { seconds: "1s", ratio: "1%", bytes: "1B", count: "1" }[unit];
      for (const prefix of ["avg", "min", "max", "p50", "p95"]) {
        const { selectors } = compileCondition(`${prefix}_${name} > ${limit}`, { windowMs: 7 });
        expect(selectors).toEqual([{ metric: name, matchers: {}, windowMs: 7 }]);
      }
    },
  );

  it("smd_phase_3_duration is the third phase and no other", () => {
    const phases = ["2", "3"].map((phase) => series("smd_phase_duration", { probe: "infra", phase }, [50]));
    expect(evaluate("smd_phase_3_duration > 45s", 0, ...phases)).toEqual([
      [{ probe: "infra", phase: "3" }, true, "smd_phase_3_duration (50s) > 45s"],
    ]);
  });
});

describe("the last value", () => {
  const status = series("http_status", database, [200, 503]);
  it.each([
    ["before the first sample", -1, undefined, "http_status (no data) > 499"],
    ["at the first", 0, false, "http_status (200) > 499"],
    ["between the two", 0.9, false, "http_status (200) > 499"],
    ["at the second", 1, true, "http_status (503) > 499"],
    ["as long as it stands for the present", 3, true, "http_status (503) > 499"],
    ["when it has become stale", 3.1, undefined, "http_status (no data) > 499"],
  ])("%s", (_, at, expected, seen) => {
    expect(evaluate("http_status > 499", at, status)).toEqual([[database, expected, seen]]);
  });

  it("is unknown without series", () => {
    expect(evaluate("http_status > 499", 0)).toEqual([]);
  });
});

describe("windows", () => {
  // Minutes 0 to 5, that of minute 3 missing.
  const times = series("http_response_time", database, [1, 2, 3, undefined, 5, 6]);
  it.each([
    ["avg(http_response_time, 2m) == 5.5s", 5, true],
    ["sum(http_response_time, 3m) == 11s", 5, true],
    ["count(http_response_time, 5m) == 4", 5, true],
    ["last(http_response_time, 2m) == 3s", 3, true],
    ["delta(http_response_time, 10m) == 5s", 5, true],
    ["rate(http_response_time, 2m) * 60 == 1s", 5, true],
    ["max(http_response_time, 2m) == 2s", 1, true],
    // The window is open at its far end: one minute before minute 4 there is nothing but the sample of minute 4.
    ["count(http_response_time, 1m) == 1", 4, true],
    ["count(http_response_time, 1m) == 0", 3, undefined],
    ["avg(http_response_time, 2m) > 0s", 60, undefined],
    ["forecast(http_response_time, 6m) == 12s", 5, true],
    ["forecast(http_response_time, 11m) == 17s", 5, undefined],
  ])("%s at minute %d is %s", (text, at, expected) => {
    expect(truth(text, at, times)).toBe(expected);
  });
});

describe("absent", () => {
  const status = series("http_status", database, [200]);
  it.each([
    [9.9, false, "(no)"],
    [10, true, "(yes)"],
    [-1, true, "(yes)"],
  ])("at minute %d is %s", (at, expected, shown) => {
    expect(evaluate("absent(http_status, 10m)", at, status)).toEqual([
      [database, expected, `absent(http_status, 10m) ${shown}`],
    ]);
  });

  it("is true without any series, and is identified by its labels", () => {
    expect(evaluate('absent(http_status{probe="x", vantage!="inside"}, 10m)', 0, status)).toEqual([
      [{ probe: "x" }, true, 'absent(http_status{probe="x", vantage!="inside"}, 10m) (yes)'],
    ]);
    expect(evaluate("not absent(http_status, 10m)", 0)).toEqual([[{}, false, "not absent(http_status, 10m) (yes)"]]);
  });

  it("has no value", () => {
    const [instance] = compileCondition("absent(http_status, 10m)", { windowMs: 0 }).evaluate(source(), 0);
    expect([instance?.value, instance?.series]).toEqual([undefined, []]);
  });
});

describe("calculations", () => {
  const used = series("database_connections", database, [45]);
  const limit = series("database_connection_limit", database, [50]);
  const none = series("database_connection_limit", database, [0]);
  it.each([
    [
      "database_connections / database_connection_limit > 80%",
      limit,
      true,
      "database_connections (45) / database_connection_limit (50) = 90% > 80%",
    ],
    [
      "database_connections > database_connection_limit * 95%",
      limit,
      false,
      "database_connections (45) > database_connection_limit (50) * 95% = 47.5",
    ],
    [
      "(database_connection_limit - database_connections) < 10",
      limit,
      true,
      "(database_connection_limit (50) - database_connections (45)) = 5 < 10",
    ],
    [
      "100% - database_connections / database_connection_limit <= 10%",
      limit,
      true,
      "100% - database_connections (45) / database_connection_limit (50) = 10% <= 10%",
    ],
    ["-database_connections\n  < -(2 + 3) * 8", limit, true, "-database_connections (45) = -45 < -(2 + 3) * 8"],
    [
      "database_connections / database_connection_limit > 80%",
      none,
      undefined,
      "database_connections (45) / database_connection_limit (0) = no data > 80%",
    ],
  ])("%s", (text, other, expected, seen) => {
    const [instance] = evaluate(text, 0, used, other) as [unknown[]];
    expect(instance.slice(1)).toEqual([expected, seen]);
  });

  it("gives the left side of the first comparison as the value", () => {
    const value = (text: string) => compileCondition(text, { windowMs: 0 }).evaluate(source(used, limit), 0)[0]?.value;
    expect(value("database_connections / database_connection_limit > 80%")).toBe(0.9);
    expect(value("not (database_connections > 3 and database_connection_limit > 1)")).toBe(45);
  });
});

describe("capacity arithmetic over the metrics of several probes", () => {
  const instances = (probe: string, value: number) =>
    series("cloud_run_instances", { probe, component: probe }, [value]);
  const limit = series("database_connection_limit", database, [100]);
  const text = `cloud_run_instances{probe="backend-run"} * 25 + cloud_run_instances{probe="auth-run"} * 10 > database_connection_limit{probe="database"} * 80%`;

  it.each([
    [2, 3, false, '= 80 > database_connection_limit{probe="database"} (100) * 80% = 80'],
    [2, 4, true, "= 90 > "],
  ])("%d and %d instances", (backend, auth, expected, shown) => {
    const [instance] = evaluate(text, 0, instances("backend-run", backend), instances("auth-run", auth), limit) as [
      unknown[],
    ];
    expect(instance[1]).toBe(expected);
    expect(instance[2]).toContain(shown);
  });
});

describe("and, or, not over missing data", () => {
  // T is true, F false, U unknown.
  const T = "http_status == 200";
  const F = "http_status == 500";
  const U = "http_response_time > 1s";
  it.each([
    [`${T} and ${T}`, true],
    [`${T} and ${F}`, false],
    [`${T} and ${U}`, undefined],
    [`${U} and ${F}`, false],
    [`${F} and ${U}`, false],
    [`${U} or ${T}`, true],
    [`${T} or ${U}`, true],
    [`${F} or ${U}`, undefined],
    [`${U} or ${U}`, undefined],
    [`not ${U}`, undefined],
    [`not ${F}`, true],
    [`not (${U} and ${F})`, true],
    [`${T} or ${T} and ${F}`, true],
  ])("%s is %s", (text, expected) => {
    const status = series("http_status", database, [200]);
    const stale = series("http_response_time", database, []);
    expect(truth(text, 0, status, stale)).toBe(expected);
  });
});

describe("several series", () => {
  it("are evaluated separately", () => {
    const a = series("probe_success", { probe: "a" }, [0]);
    const b = series("probe_success", { probe: "b" }, [1]);
    const c = series("probe_success", { probe: "c" }, []);
    expect(evaluate("probe_success == 0", 0, a, b, c).map((instance) => (instance as unknown[]).slice(0, 2))).toEqual([
      [{ probe: "a" }, true],
      [{ probe: "b" }, false],
      [{ probe: "c" }, undefined],
    ]);
  });

  it("are selected by their labels", () => {
    const all = ["a", "b", "c"].map((probe) => series("probe_success", { probe, vantage: "inside" }, [0]));
    const probes = (text: string) =>
      compileCondition(text, { windowMs: 0 })
        .evaluate(source(...all), 0)
        .map(({ labels }) => labels["probe"]);
    expect(probes('probe_success{probe="b"} == 0')).toEqual(["b"]);
    expect(probes('probe_success{probe!="b"} == 0')).toEqual(["a", "c"]);
    expect(probes('probe_success{probe!="b", probe!="c"} == 0')).toEqual(["a"]);
    expect(probes('probe_success{vantage="outside"} == 0')).toEqual([]);
  });

  it("with the same labels after a join are one instance, the worst of them", () => {
    const connectors = [0.2, 0.9].map((value, i) =>
      series("vpc_connector_utilization", { probe: `connector-${i}`, component: "vpc" }, [value]),
    );
    const slow = series("database_connection_time", { probe: "database", component: "sql" }, [30]);
    const text = "vpc_connector_utilization > 70% and database_connection_time > 25s";
    expect(evaluate(text, 0, ...connectors, slow)).toEqual([
      [{}, true, "vpc_connector_utilization (90%) > 70% and database_connection_time (30s) > 25s"],
    ]);
  });

  it("are all named in their joined instance", () => {
    const used = series("database_connections", database, [45]);
    const limit = series("database_connection_limit", database, [50]);
    const condition = compileCondition("database_connections / database_connection_limit > 80%", { windowMs: 0 });
    expect(condition.evaluate(source(used, limit), 0)[0]?.series).toEqual([used, limit]);
    expect(condition.evaluate(source(used), 0)[0]).toMatchObject({ truth: undefined, series: [used] });
  });
});

describe("a comparison and its negation", () => {
  it("are never both true, and are unknown together", () => {
    const value = fc.option(fc.double({ min: -10, max: 10, noNaN: true }), { nil: undefined });
    const pairs = [
      [">", "<="],
      ["<", ">="],
      ["==", "!="],
    ] as const;
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 9 }), fc.constantFrom(...pairs), (seen, limit, [one, other]) => {
        const status = series("http_status", connector, [seen]);
        const first = truth(`http_status ${one} ${limit}`, 0, status);
        const second = truth(`http_status ${other} ${limit}`, 0, status);
        expect(first).toBe(seen === undefined ? undefined : !second);
        expect(truth(`not http_status ${other} ${limit}`, 0, status)).toBe(first);
      }),
    );
  });
});
