import { describe, expect, it } from "vitest";
import { fc } from "../../tests/support/chance.ts";
import { metrics } from "../metrics/catalogue.ts";
import { editDistance, nearest } from "./nearest.ts";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["flaw", "lawn", 2],
    ["tsl", "tls", 1],
    ["ca", "abc", 3],
    ["severity", "severity", 0],
    ["severty", "severity", 1],
  ])("of %j and %j is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it("is symmetric, zero only for equals, and never more than the longer word", () => {
    const word = fc.string({ maxLength: 12, unit: fc.constantFrom("a", "b", "c") });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe("nearest", () => {
  const keys = ["condition", "component", "severity", "alert_duration", "clear_duration"];
  it.each([
    ["conditon", "condition"],
    ["Severity", "severity"],
    ["sevreity", "severity"],
    ["alert_duraton", "alert_duration"],
    ["clearduration", "clear_duration"],
    ["url", undefined],
    ["", undefined],
  ])("of %j is %j", (name, expected) => {
    expect(nearest(name, keys)).toBe(expected);
  });

  it.each([
    ["vpc_conector_utilization", "vpc_connector_utilization"],
    ["database_conection_time", "database_connection_time"],
    ["cloudsql_pool_utilization", "cloud_sql_pool_utilization"],
    ["http_reponse_time", "http_response_time"],
    ["weather", undefined],
  ])("of the metrics to %j is %j", (name, expected) => {
    expect(nearest(name, Object.keys(metrics))).toBe(expected);
  });

  it("returns the first of equally near names, and requires at least one", () => {
    expect(nearest("cat", ["cut", "cot"])).toBe("cut");
    expect(nearest("cat", [])).toBeUndefined();
  });
});
