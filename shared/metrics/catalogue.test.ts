import { describe, expect, it } from "vitest";
import { metricNamed, metrics } from "./catalogue.ts";

describe("the catalogue entry of a metric", () => {
  it("names other metrics of the catalogue", () => {
    const named = Object.values(metrics).flatMap(({ limit = [], phases = [] }) => [limit, phases].flat());
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => metricNamed(name) === undefined)).toEqual([]);
  });

  it("has phases by label that add up to their total", () => {
    for (const { unit, phases } of Object.values(metrics).filter((one) => one.phases !== undefined)) {
      expect([unit, metricNamed(phases ?? "")?.unit]).toEqual(["seconds", "seconds"]);
      expect(metricNamed(phases ?? "")?.labels).toContain("phase");
    }
  });

  it("has an owner for usage metrics, and a scale or limit", () => {
    const used = Object.values(metrics).filter(({ resource }) => resource !== undefined);
    for (const { role, scale, limit } of used) expect([role, scale ?? limit]).not.toContain(undefined);
  });
});
