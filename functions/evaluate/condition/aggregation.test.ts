import { describe, expect, it } from "vitest";
import { fc } from "../../../tests/support/chance.ts";
import { compileCondition } from "./condition.ts";
import type { Series, SeriesSource } from "./series.ts";

const minute = 60_000;

/** A series with a sample each minute from 0; `undefined` where one is missing. */
function series(metric: string, labels: Record<string, string>, values: readonly (number | undefined)[]): Series {
  const known = values.flatMap((value, i) => (value === undefined ? [] : [{ at: i * minute, value }]));
  const [times, seen] = [known.map(({ at }) => at), known.map(({ value }) => value)];
  return { metric, labels, times, values: seen, staleAfterMs: 1.5 * minute };
}

function source(all: readonly Series[]): SeriesSource {
  return { select: (metric) => all.filter((one) => one.metric === metric) };
}

/** Labels, truth and text of each instance, `at` minutes after 0. */
function evaluate(text: string, at: number, ...all: readonly Series[]): unknown[] {
  const found = compileCondition(text, { windowMs: 0 }).evaluate(source(all), at * minute);
  return found.map(({ labels, truth, seen }) => [labels, truth, seen]);
}

const probe = (name: string, component: string, ...values: (number | undefined)[]): Series =>
  series("probe_success", { probe: name, component, vantage: "outside" }, values);
const connections = (name: string, component: string, ...values: (number | undefined)[]): Series =>
  series("database_connections", { probe: name, component, vantage: "inside" }, values);

describe("values of several series", () => {
  const pools = [connections("a", "red", 40), connections("b", "red", 40), connections("c", "blue", 5)];

  it.each([
    ["sum(database_connections) > 50", [[{}, true, "sum(database_connections) (85) > 50"]]],
    [
      "sum(database_connections) by (component) > 50",
      [
        [{ component: "red" }, true, "sum(database_connections) by (component) (80) > 50"],
        [{ component: "blue" }, false, "sum(database_connections) by (component) (5) > 50"],
      ],
    ],
    [
      'sum(database_connections{component="blue"}) > 4',
      [[{}, true, 'sum(database_connections{component="blue"}) (5) > 4']],
    ],
    ["avg(database_connections) by () < 28.4", [[{}, true, "avg(database_connections) by () (28.33) < 28.4"]]],
    [
      "max by (vantage) (database_connections) == 40",
      [[{ vantage: "inside" }, true, "max by (vantage) (database_connections) (40) == 40"]],
    ],
    ["min(database_connections) by () == 5", [[{}, true, "min(database_connections) by () (5) == 5"]]],
    ["p50(database_connections) by () == 40", [[{}, true, "p50(database_connections) by () (40) == 40"]]],
    ["count(database_connections) == 3", [[{}, true, "count(database_connections) (3) == 3"]]],
    ["sum(2 * database_connections) > 169", [[{}, true, "sum(2 * database_connections) (170) > 169"]]],
    ["sum(max(database_connections, 5m)) > 84", [[{}, true, "sum(max(database_connections, 5m)) (85) > 84"]]],
  ])("%s", (text, expected) => {
    expect(evaluate(text, 0, ...pools)).toEqual(expected);
  });

  it("are undefined without series", () => {
    expect(evaluate("sum(database_connections) > 50", 0)).toEqual([]);
  });

  it("are compared with the series of the group", () => {
    const all = [connections("a", "red", 90), connections("b", "red", 10), connections("c", "blue", 20)];
    const found = evaluate("database_connections > 1.5 * avg(database_connections) by (component)", 0, ...all);
    expect(found.map((one) => (one as unknown[]).slice(0, 2))).toEqual([
      [{ probe: "a", component: "red", vantage: "inside" }, true],
      [{ probe: "b", component: "red", vantage: "inside" }, false],
      [{ probe: "c", component: "blue", vantage: "inside" }, false],
    ]);
  });

  it("are compared per group", () => {
    const limit = (component: string, value: number): Series =>
      series("database_connection_limit", { probe: `limit-${component}`, component, vantage: "outside" }, [value]);
    const all = [...pools, limit("red", 100), limit("blue", 10)];
    const text = "sum(database_connections) by (component) / sum(database_connection_limit) by (component) > 60%";
    expect(evaluate(text, 0, ...all).map((one) => (one as unknown[]).slice(0, 2))).toEqual([
      [{ component: "red" }, true],
      [{ component: "blue" }, false],
    ]);
  });
});

describe("counting failures", () => {
  const probes = [
    probe("a", "red", 0),
    probe("b", "red", 0),
    probe("c", "green", 0),
    probe("d", "blue", 1),
    probe("e", "blue", 1),
  ];

  it.each([
    ["count(probe_success == 0) >= 3", [[{}, true, "count(probe_success == 0) (3 of 5) >= 3"]]],
    ["count(probe_success == 0) >= 4", [[{}, false, "count(probe_success == 0) (3 of 5) >= 4"]]],
    [
      "count(probe_success == 0) by (component) > 1",
      [
        [{ component: "red" }, true, "count(probe_success == 0) by (component) (2 of 2) > 1"],
        [{ component: "green" }, false, "count(probe_success == 0) by (component) (1 of 1) > 1"],
        [{ component: "blue" }, false, "count(probe_success == 0) by (component) (0 of 2) > 1"],
      ],
    ],
    // Components, however many probes of each fail.
    [
      "count(count(probe_success == 0) by (component) > 0) == 2",
      [[{}, true, "count(count(probe_success == 0) by (component) > 0) (2 of 3) == 2"]],
    ],
    ["avg(probe_success == 0) >= 60%", [[{}, true, "avg(probe_success == 0) (60%) >= 60%"]]],
    ["avg(probe_success) by () < 50%", [[{}, true, "avg(probe_success) by () (40%) < 50%"]]],
    [
      "count(probe_success == 0) / count(probe_success) > 50%",
      [[{}, true, "count(probe_success == 0) (3 of 5) / count(probe_success) (5) = 60% > 50%"]],
    ],
  ])("%s", (text, expected) => {
    expect(evaluate(text, 0, ...probes)).toEqual(expected);
  });

  it("lists counted series before the others", () => {
    const [found] = compileCondition("count(probe_success == 0) > 0", { windowMs: 0 }).evaluate(
      source([probe("well", "a", 1), probe("ill", "b", 0)]),
      0,
    );
    expect(found?.series.map(({ labels }) => labels["probe"])).toEqual(["ill", "well"]);
  });
});

describe("missing data", () => {
  /** Two probes of which the first has failed and the others are not heard of any more. */
  const silent = (name: string): Series => probe(name, "x", 0, undefined, undefined, undefined);
  const heard = (name: string, value: number): Series => probe(name, "x", value, value, value, value);

  it.each([
    // Three failed and the rest is unknown: an alert is kept.
    ["count(probe_success == 0) >= 3", [heard("a", 0), silent("b"), silent("c")], undefined],
    // Whatever the silent ones do, there are not three.
    ["count(probe_success == 0) >= 3", [heard("a", 1), silent("b"), silent("c")], false],
    ["count(probe_success == 0) >= 2", [heard("a", 0), heard("b", 0), silent("c")], true],
    ["avg(probe_success) by () < 50%", [heard("a", 0), silent("b")], undefined],
    ["avg(probe_success) by () < 60%", [heard("a", 0), silent("b")], true],
    ["count(probe_success == 0) >= 1", [silent("a")], undefined],
    // The number of reporting series is known.
    ["count(probe_success) < 2", [heard("a", 1), silent("b")], true],
    ["count(probe_success) < 1", [silent("a")], true],
  ] as const)("%s is undecided only where it could decide", (text, all, truth) => {
    const [found] = compileCondition(text, { windowMs: 0 }).evaluate(source(all), 3 * minute);
    expect(found?.truth).toBe(truth);
  });

  it("is never negative: a sum that is too large stays so", () => {
    const all = [connections("a", "x", 0, 60), connections("b", "x", 90, undefined, undefined)];
    expect(evaluate("sum(database_connections) > 50", 2, ...all)).toEqual([
      [{}, true, "sum(database_connections) (60) > 50"],
    ]);
    expect(evaluate("sum(database_connections) > 70", 2, ...all)).toEqual([
      [{}, undefined, "sum(database_connections) (60) > 70"],
    ]);
    expect(evaluate("100 - sum(database_connections) < 20", 2, ...all)[0]).toMatchObject({ 1: undefined });
  });

  it("is reported if it is counted", () => {
    expect(evaluate("count(probe_success == 0) >= 1", 3, heard("a", 0), silent("b"))).toEqual([
      [{}, true, "count(probe_success == 0) (1 of 2, 1 unknown) >= 1"],
    ]);
  });
});

it("is decided only if no missing value can change it", () => {
  const condition = fc
    .tuple(
      fc.constantFrom(
        "sum(cloud_run_error_rate)",
        "avg(cloud_run_error_rate) by ()",
        "min(cloud_run_error_rate) by ()",
        "max(cloud_run_error_rate) by ()",
        "p50(cloud_run_error_rate) by ()",
        "p90(cloud_run_error_rate) by ()",
        "avg(cloud_run_error_rate > 50%)",
        "sum(100% - cloud_run_error_rate)",
        "sum(cloud_run_error_rate) / 2 + max(cloud_run_error_rate) by ()",
        "200% - sum(cloud_run_error_rate)",
        "max(sum(cloud_run_error_rate) by (vantage)) by ()",
      ),
      fc.constantFrom(">", ">=", "<", "<=", "==", "!="),
      fc.constantFrom("0%", "40%", "50%", "100%", "200%"),
    )
    .map((parts) => parts.join(" "));
  const rates = fc.array(
    fc.tuple(fc.constantFrom(0, 0.3, 0.5, 1), fc.boolean(), fc.constantFrom("inside", "outside")),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(condition, rates, (text, members) => {
      const all = (isMissing: boolean): Series[] =>
        members.map(([value, missing, vantage], index) => {
          const labels = { probe: `p${index}`, component: "x", vantage };
          return series(
            "cloud_run_error_rate",
            labels,
            missing && isMissing ? [value, undefined, undefined] : [value, value, value],
          );
        });
      const truthOf = (isMissing: boolean): unknown =>
        compileCondition(text, { windowMs: 0 }).evaluate(source(all(isMissing)), 2 * minute)[0]?.truth;
      const decided = truthOf(true);
      if (decided !== undefined) expect(truthOf(false)).toBe(decided);
      if (members.every(([, missing]) => !missing)) expect(decided).toBeDefined();
    }),
  );
});

describe("functions of expressions", () => {
  it("see the values that the expression had", () => {
    const labels = { probe: "a", component: "x", vantage: "inside" };
    const used = series("database_connections", labels, [10, 20, 90]);
    const limit = series("database_connection_limit", labels, [100, 100, 100]);
    expect(evaluate("avg(database_connections / database_connection_limit, 5m) > 39%", 2, used, limit)).toEqual([
      [labels, true, "avg(database_connections / database_connection_limit, 5m) (40%) > 39%"],
    ]);
    expect(
      evaluate("max(database_connections / database_connection_limit, 2m) == 90%", 2, used, limit)[0],
    ).toMatchObject({ 1: true });
    // The window begins behind the first minute.
    expect(
      evaluate("min(database_connections / database_connection_limit, 2m) == 20%", 2, used, limit)[0],
    ).toMatchObject({ 1: true });
  });

  it.each([
    ["count(probe_success == 0, 5m) == 2", "count(probe_success == 0, 5m) (2) == 2"],
    ["avg(probe_success == 0, 5m) == 50%", "avg(probe_success == 0, 5m) (50%) == 50%"],
    ["avg(probe_success, 1h) < 98.5%", "avg(probe_success, 1h) (50%) < 98.5%"],
    ["avg(probe_success, 1h) < 0.6", "avg(probe_success, 1h) (50%) < 0.6"],
    ["avg_probe_success < 98.5%", "avg_probe_success (0%) < 98.5%"],
    ["max(avg(probe_success, 2m), 10m) == 100%", "max(avg(probe_success, 2m), 10m) (100%) == 100%"],
    ["avg(count(probe_success == 0), 10m) == 0.5", "avg(count(probe_success == 0), 10m) (0.5) == 0.5"],
  ])("%s", (text, seen) => {
    const found = evaluate(text, 3, probe("a", "x", 1, 1, 0, 0));
    expect(found.map((one) => (one as unknown[]).slice(1))).toEqual([[true, seen]]);
  });

  it.each([
    ["max(avg(probe_success, 2m), 10m) > 1%", 12],
    ["avg(sum(database_connections), 10m) > 1", 10],
    ["avg(http_response_time, 5m) > 2 * avg(http_response_time, 5m) offset 1h", 65],
    ["http_response_time offset 30m > 1s", 30],
    ["sum(max(http_status, 5m) offset 10m) > 1", 15],
  ])("%s asks for samples of %d minutes", (text, minutes) => {
    const { selectors } = compileCondition(text, { windowMs: 0 });
    expect(Math.max(...selectors.map(({ windowMs }) => windowMs)) / minute).toBe(minutes);
  });
});

describe("offset", () => {
  const times = series("http_response_time", { probe: "a", component: "x", vantage: "outside" }, [1, 1, 1, 5, 5, 5]);

  it.each([
    [
      "http_response_time > 3 * http_response_time offset 3m",
      "http_response_time (5s) > 3 * http_response_time offset 3m (1s) = 3s",
    ],
    ["max(http_response_time, 3m) offset 3m == 1s", "max(http_response_time, 3m) offset 3m (1s) == 1s"],
    ["(http_response_time - 1s) offset 1m == 4s", "(http_response_time - 1s) offset 1m (4s) == 4s"],
    ["not (http_response_time > 2s) offset 3m", "not (http_response_time > 2s) offset 3m"],
    ["avg(http_response_time offset 3m, 2m) == 1s", "avg(http_response_time offset 3m, 2m) (1s) == 1s"],
  ])("%s", (text, seen) => {
    const found = evaluate(text, 5, times);
    expect(found.map((one) => (one as unknown[]).slice(1))).toEqual([[true, seen]]);
  });

  it("is unknown before the first measurement", () => {
    expect(evaluate("http_response_time offset 30m > 1s", 5, times)[0]).toMatchObject({ 1: undefined });
  });
});

describe("counters that begin again", () => {
  it("keep rising across the reset", () => {
    const served = series("cloud_monitoring_count", { probe: "a" }, [1000, 1060, 1120, 30, 90]);
    expect(evaluate("rate(cloud_monitoring_count, 10m) > 0.8", 4, served)).toEqual([
      [{ probe: "a" }, true, "rate(cloud_monitoring_count, 10m) (0.88) > 0.8"],
    ]);
  });

  it("are not durations or ratios, which may fall", () => {
    const falling = series("vpc_connector_utilization", { probe: "a" }, [0.9, 0.6, 0.3]);
    expect(evaluate("rate(vpc_connector_utilization, 10m) < 0%", 2, falling)[0]).toMatchObject({ 1: true });
    const failing = series("probe_success", { probe: "a" }, [1, 1, 0]);
    expect(evaluate("rate(probe_success, 10m) < 0", 2, failing)[0]).toMatchObject({ 1: true });
    const counted = series("database_connections", { probe: "a" }, [90, 60, 30]);
    expect(evaluate("delta(database_connections, 10m) == -60", 2, counted)[0]).toMatchObject({ 1: true });
  });
});
