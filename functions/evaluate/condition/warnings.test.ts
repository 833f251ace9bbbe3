import { describe, expect, it } from "vitest";
import { fc } from "../../../tests/support/chance.ts";
import { compileCondition, conditionForm, conditionWarnings, neverClears } from "./condition.ts";
import type { Series } from "./series.ts";

const warnings = (text: string): string[] => conditionWarnings(text, { windowMs: 0 }).map(({ message }) => message);

describe("warns about a condition that can never, or must always, be true", () => {
  it.each([
    [
      "database_connection_time < 0s",
      "database_connection_time < 0s is never true: database_connection_time is at least 0s",
    ],
    [
      "websocket_connection_success > 150%",
      "websocket_connection_success > 150% is never true: websocket_connection_success is from 0% to 100%",
    ],
    ["probe_success <= 1", "probe_success <= 1 is always true: probe_success is from 0 to 1"],
    ["2 == probe_success", "2 == probe_success is never true: probe_success is from 0 to 1"],
    ["http_status != 0", "http_status != 0 is always true: http_status is from 100 to 999"],
    [
      "avg(probe_success, 1h) > 100%",
      "avg(probe_success, 1h) > 100% is never true: avg(probe_success, 1h) is from 0% to 100%",
    ],
    ["count(http_status, 5m) == 0", "count(http_status, 5m) == 0 is never true: count(http_status, 5m) is at least 1"],
    [
      "count(probe_success == 0) < 0",
      "count(probe_success == 0) < 0 is never true: count(probe_success == 0) is at least 0",
    ],
    ["-http_response_time > 0s", "-http_response_time > 0s is never true: -http_response_time is at most 0s"],
    [
      "delta(probe_success, 5m) > 1",
      "delta(probe_success, 5m) > 1 is never true: delta(probe_success, 5m) is from -1 to 1",
    ],
    [
      "probe_success offset 1h > 1",
      "probe_success offset 1h > 1 is never true: probe_success offset 1h is from 0 to 1",
    ],
    ["count(probe_success > 1) > 2", "probe_success > 1 is never true: probe_success is from 0 to 1"],
    [
      "http_response_time > 2s and (probe_success == 0 or probe_attempts > 2)",
      "probe_attempts > 2 is never true: probe_attempts is from 1 to 2",
    ],
    [
      "probe_success > probe_attempts",
      "probe_success > probe_attempts is never true: probe_success is from 0 to 1, and probe_attempts is from 1 to 2",
    ],
    [
      "http_response_time > 2s and http_response_time < 1s",
      "http_response_time > 2s and http_response_time < 1s are never true together",
    ],
    [
      "http_response_time > 2s and probe_success == 0 and 1000ms > (http_response_time)",
      "http_response_time > 2s and 1000ms > (http_response_time) are never true together",
    ],
    ["http_status == 500 and http_status == 503", "http_status == 500 and http_status == 503 are never true together"],
    ["http_status == 500 and http_status != 500", "http_status == 500 and http_status != 500 are never true together"],
    [
      "not (http_response_time <= 2s or http_response_time > 1s)",
      "not http_response_time <= 2s and not http_response_time > 1s are never true together",
    ],
    [
      "http_response_time > 1s or http_response_time < 2s",
      "http_response_time > 1s or http_response_time < 2s is always true: one of them holds for every value",
    ],
  ])("%s", (text, expected) => {
    expect(warnings(text)).toEqual([expected]);
  });

  it.each([
    "vpc_connector_utilization > 70%",
    "vpc_connector_utilization > 100%",
    "probe_success == 0",
    "http_response_time >= 1s and http_response_time <= 1s",
    "http_response_time > 1s and http_response_time < 2s",
    'http_response_time{probe="a"} > 2s and http_response_time{probe="b"} < 1s',
    "http_response_time > 2s and http_response_time offset 1h < 1s",
    "http_response_time > 2s or http_response_time < 1s",
    "tls_certificate_expiry < 0s",
    "delta(http_response_time, 5m) < 0s",
    "rate(database_connections, 5m) == 0",
    "database_connections - database_connection_limit > -5",
    "database_connections / database_connection_limit > 200%",
    "absent(http_status, 5m) and http_status > 500",
    "forecast(vpc_connector_utilization, 2h) > 95%",
  ])("does not warn about %s", (text) => {
    expect(warnings(text)).toEqual([]);
  });

  it("points at the part in question", () => {
    const text = "http_response_time > 2s and probe_success <= 1";
    const [warning] = conditionWarnings(text, { windowMs: 0 });
    expect(text.slice(warning?.start, warning?.end)).toBe("probe_success <= 1");
  });

  it("is never wrong", () => {
    const comparison = fc
      .tuple(
        fc.constantFrom(
          "http_status",
          "probe_success",
          "2 * probe_success",
          "http_status - 100",
          "max(http_status, 5m)",
        ),
        fc.constantFrom(">", ">=", "<", "<=", "==", "!="),
        fc.integer({ min: -1, max: 4 }),
      )
      .map((parts) => parts.join(" "));
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        comparison,
        fc.tuple(tie("tree"), fc.constantFrom("and", "or"), tie("tree")).map((parts) => `(${parts.join(" ")})`),
        tie("tree").map((inner) => `not (${inner})`),
      ),
    }));
    const labels = { probe: "a", component: "x", vantage: "outside" };
    const seriesOf = (metric: string, value: number): Series[] => [
      { metric, labels, times: [0], values: [value], staleAfterMs: 1 },
    ];
    fc.assert(
      fc.property(tree, fc.integer({ min: 100, max: 104 }), fc.integer({ min: 0, max: 1 }), (text, status, success) => {
        const source = {
          select: (metric: string) => seriesOf(metric, metric === "http_status" ? status : success),
        };
        const [found] = compileCondition(text, { windowMs: 0 }).evaluate(source, 0);
        for (const { message, start, end } of conditionWarnings(text, { windowMs: 0 })) {
          const isWhole = start === 0 && end === text.length;
          if (isWhole && / never true/.test(message)) expect(found?.truth).not.toBe(true);
          if (isWhole && / always true/.test(message)) expect(found?.truth).not.toBe(false);
        }
      }),
    );
  });
});

describe("an all-clear that never comes", () => {
  it.each([
    ["http_response_time > 2s", "2000ms < http_response_time", true],
    ["http_response_time > 2s", "http_response_time > 3s", true],
    ["http_response_time > 2s", "http_response_time < 1s", false],
    ["http_response_time > 2s", "http_response_time <= 2s", false],
    ["http_response_time > 2s or http_status >= 500", "http_status >= 500", true],
    ["http_response_time > 2s", "probe_success == 1", false],
    ["absent(http_status, 5m)", "absent(http_status, 5m)", true],
  ])("of %s: %s (%s)", (condition, clear, never) => {
    expect(neverClears(condition, clear, { windowMs: 0 })).toBe(never);
  });
});

describe("the form of a condition", () => {
  it.each([
    ["http_response_time > 2s", "  (2000ms)<http_response_time "],
    ["avg_http_response_time >= 2s", "2s <= avg(http_response_time, 1m)"],
    ['smd_phase_3_duration{probe="a"} > 5s', "smd_phase_duration{probe='a', phase='3'} > 5s"],
    ["http_status > 1 and probe_success == 0", "0 == probe_success AND 1 < http_status"],
    ["sum(http_status) by (probe, vantage) > 1", "sum by (vantage, probe) (http_status) > 1"],
    ["vpc_connector_utilization > 70%", "vpc_connector_utilization > 70.0%"],
  ])("is the same for %s and %s", (a, b) => {
    expect(conditionForm(a, { windowMs: 0 })).toBe(conditionForm(b, { windowMs: 0 }));
  });

  it.each([
    ["http_response_time > 2s", "http_response_time >= 2s"],
    ["http_response_time > 2s", 'http_response_time{probe="a"} > 2s'],
    ["http_status - 1 > 2", "1 - http_status > 2"],
    ["http_status > 1", "http_status offset 5m > 1"],
    ["sum(http_status) > 1", "sum(http_status) by (probe) > 1"],
    ["http_status > 1", "not (http_status > 1)"],
  ])("differs for %s and %s", (a, b) => {
    expect(conditionForm(a, { windowMs: 0 })).not.toBe(conditionForm(b, { windowMs: 0 }));
  });
});
