import { describe, expect, it } from "vitest";
import type { Series } from "../condition/index.ts";
import { rule } from "../fixtures.ts";
import { bad, good, neither } from "./alert.ts";
import { compileRule, findings, verdictOf } from "./rule.ts";

/** Series of one metric, by the names of their probes; `undefined` for one without a sample. */
function seriesOf(metric: string, values: Readonly<Record<string, number | undefined>>): Series[] {
  return Object.entries(values).map(([probe, value]) => {
    const vantage = probe.startsWith("in") ? "inside" : "outside";
    const samples = value === undefined ? { times: [], values: [] } : { times: [0], values: [value] };
    return { metric, labels: { probe, component: "backend", vantage }, ...samples, staleAfterMs: 60_000 };
  });
}

function verdicts(of: Parameters<typeof rule>[4], condition: string, series: readonly Series[]): unknown[] {
  const compiled = compileRule(rule("R", condition, "1m", "warning", of));
  const source = { select: (metric: string) => series.filter((one) => one.metric === metric) };
  return findings(compiled, source, 0).map((finding) => verdictOf(finding, compiled));
}

it("recognizes a condition with other spacing, but not with another value", () => {
  const criterion = (condition: string): string => compileRule(rule("R", condition, "1m", "warning")).criterion;
  const one = criterion('http_status{probe="sign  in"}>1 and  absent(http_status, 5m)');
  expect(criterion(' http_status{probe="sign  in"}>1  and absent(http_status, 5m) ')).toBe(one);
  expect(criterion('http_status{probe="sign in"}>1 and absent(http_status, 5m)')).not.toBe(one);
});

describe("a rule with a clear condition", () => {
  const clear = { clearCondition: "vpc_connector_utilization < 60%" };
  it.each([
    [0.9, bad],
    [0.7, neither],
    [0.65, neither],
    [0.6, neither],
    [0.5, good],
    [undefined, undefined],
  ])("at %d says %s", (value, expected) => {
    const series = seriesOf("vpc_connector_utilization", { connector: value });
    expect(verdicts(clear, "vpc_connector_utilization > 70%", series)).toEqual([expected]);
  });

  it("evaluates the same series, not another", () => {
    const series = seriesOf("vpc_connector_utilization", { a: 0.65, b: 0.5 });
    expect(verdicts(clear, "vpc_connector_utilization > 70%", series)).toEqual([neither, good]);
  });

  it("may use another metric of the same probe; if that is missing the alert does not clear, unless the rule says so", () => {
    const other = { clearCondition: "http_status == 200" };
    const times = seriesOf("http_response_time", { web: 1 });
    const condition = "http_response_time > 2s";
    expect(verdicts(other, condition, [...times, ...seriesOf("http_status", { web: 200 })])).toEqual([good]);
    expect(verdicts(other, condition, [...times, ...seriesOf("http_status", { web: 503 })])).toEqual([neither]);
    expect(verdicts(other, condition, times)).toEqual([neither]);
    expect(verdicts({ ...other, missing: "clear" }, condition, times)).toEqual([good]);
  });
});

describe("several vantage points", () => {
  const slow = 3;
  const fast = 0.1;
  const condition = "http_response_time > 2s";
  it.each([
    ["all", { inside: slow, outside: slow }, bad],
    ["all", { inside: slow, outside: fast }, good],
    ["all", { inside: slow, outside: undefined }, undefined],
    ["all", { inside: fast, outside: undefined }, good],
    ["majority", { inside: slow, outside: fast, other: slow }, bad],
    ["majority", { inside: slow, outside: fast, other: fast }, good],
    ["majority", { inside: slow, outside: fast, other: undefined }, undefined],
    ["majority", { inside: slow, outside: slow, other: undefined }, bad],
    ["majority", { inside: slow, outside: fast }, good],
    ["all", { inside: slow }, bad],
  ] as const)("%s of %j", (vantages, values, expected) => {
    expect(verdicts({ vantages }, condition, seriesOf("http_response_time", values))).toEqual([expected]);
  });

  it("are independent by default", () => {
    const series = seriesOf("http_response_time", { inside: slow, outside: fast });
    expect(verdicts({}, condition, series)).toEqual([bad, good]);
  });

  it("are of one component and the same labels of the metric", () => {
    const times = (probe: string, component: string, phase: string, value: number): Series => ({
      metric: "http_phase_time",
      labels: { probe, component, vantage: probe, phase },
      times: [0],
      values: [value],
      staleAfterMs: 60_000,
    });
    const compiled = compileRule(rule("R", "http_phase_time > 2s", "1m", "warning", { vantages: "all" }));
    const series = [
      times("inside", "backend", "dns", 3),
      times("outside", "backend", "dns", 4),
      times("inside", "backend", "tls", 3),
      times("outside", "backend", "tls", 0.1),
      times("inside", "auth", "dns", 3),
    ];
    const found = findings(compiled, { select: () => series }, 0);
    expect(found.map(({ labels, truth, seen }) => [labels, truth, seen])).toEqual([
      [
        { component: "backend", phase: "dns" },
        true,
        "2 of 2 probes; inside: http_phase_time (3s) > 2s; outside: http_phase_time (4s) > 2s",
      ],
      [{ component: "backend", phase: "tls" }, false, "1 of 2 probes; inside: http_phase_time (3s) > 2s"],
      [{ component: "auth", phase: "dns" }, true, "1 of 1 probes; inside: http_phase_time (3s) > 2s"],
    ]);
  });

  it("clear when enough of them clear", () => {
    const of = { vantages: "all", clearCondition: "http_response_time < 1s" } as const;
    expect(verdicts(of, condition, seriesOf("http_response_time", { inside: 3, outside: 1.5 }))).toEqual([neither]);
    expect(verdicts(of, condition, seriesOf("http_response_time", { inside: 3, outside: 0.5 }))).toEqual([good]);
  });
});
