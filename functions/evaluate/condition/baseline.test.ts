import { describe, expect, it } from "vitest";
import { compileBaseline } from "./baseline.ts";
import { ConditionError } from "./language/error.ts";

describe("compileBaseline", () => {
  it.each([
    ["database_connection_time", "<5.0s", "database_connection_time < 5s", 4.9, 5],
    ["vpc_connector_utilization", "<70%", "vpc_connector_utilization < 70%", 0.69, 0.7],
    ["cloud_sql_pool_utilization", "<80%", "cloud_sql_pool_utilization < 80%", 0.5, 0.93],
    ["smd_phase_3_duration", "<20.0s", "smd_phase_3_duration < 20s", 19, 45],
    ["golden_path_e2e_time", "<30.0s", "golden_path_e2e_time < 30s", 12, 31],
    ["websocket_connection_success", "100%", "websocket_connection_success == 100%", 1, 0.99],
    ["websocket_connection_success", " >= 99 % ", "websocket_connection_success >= 99%", 0.99, 0.98],
    ["http_status", "200", "http_status == 200", 200, 503],
    ["http_status", "!=503", "http_status != 503", 200, 503],
    ["tls_certificate_expiry", ">14d", "tls_certificate_expiry > 14d", 15 * 86_400, 86_400],
  ])("%s: %j is %j", (metric, expectation, text, good, bad) => {
    const check = compileBaseline(metric, expectation);
    expect(check.text).toBe(text);
    expect([check.holds(good), check.holds(bad)]).toEqual([true, false]);
  });

  it("explains an invalid value", () => {
    expect(compileBaseline("database_connection_time", "<5.0s").describe(27.4)).toBe(
      "database_connection_time (27.4s) is not < 5s",
    );
  });

  it("resolves an alias to its series", () => {
    const { metric, matchers } = compileBaseline("smd_phase_3_duration", "<20.0s");
    expect({ metric, matchers }).toEqual({ metric: "smd_phase_duration", matchers: { phase: "3" } });
  });

  it.each([
    [
      "database_connection_time",
      "<5",
      1,
      1,
      "database_connection_time is a duration and 5 is a bare number: write 5s",
      "<5s",
    ],
    [
      "vpc_connector_utilization",
      "< 0.7",
      2,
      3,
      "vpc_connector_utilization is a ratio and 0.7 is a bare number: write 70%",
      "< 70%",
    ],
    ["http_status", "70%", 0, 3, "http_status is a count and 70% is a ratio: write for example <10", undefined],
    ["http_status", "=200", 0, 1, 'invalid operator "=": write ==', "==200"],
    ["http_status", "<", 0, 1, 'invalid expectation "<": write one such as <5s, >=99% or 100%', undefined],
    ["http_status", "", 0, 0, 'invalid expectation "": write one such as <5s, >=99% or 100%', undefined],
    ["http_status", "<5 or 6", 0, 7, 'invalid expectation "<5 or 6": write one such as <5s, >=99% or 100%', undefined],
    ["database_connection_time", "<5sec", 1, 4, 'invalid unit "sec": write 5s', "<5s"],
    [
      "databse_connection_time",
      "<5s",
      0,
      23,
      "there is no metric databse_connection_time: write database_connection_time",
      "database_connection_time",
    ],
    [
      "avg_http_response_time",
      "<5s",
      0,
      22,
      "a baseline applies to every value, not to avg_http_response_time: write http_response_time",
      "http_response_time",
    ],
  ])("refuses %s: %j", (metric, expectation, position, length, message, suggestion) => {
    const error = refusal(metric, expectation);
    expect({ ...error, message: error?.message }).toMatchObject({ position, length, message });
    expect(error?.suggestion).toBe(suggestion);
  });
});

function refusal(metric: string, expectation: string): ConditionError | undefined {
  try {
    compileBaseline(metric, expectation);
    return undefined;
  } catch (error) {
    if (error instanceof ConditionError) return error;
    throw error;
  }
}
