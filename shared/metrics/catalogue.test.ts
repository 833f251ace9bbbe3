import { describe, expect, it } from "vitest";
import { metricNamed, metrics } from "./catalogue.ts";

describe("what the catalogue says of a metric", () => {
  it("names other metrics of the catalogue", () => {
    const named = Object.values(metrics).flatMap(({ limit = [], phases = [] }) => [limit, phases].flat());
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => metricNamed(name) === undefined)).toEqual([]);
  });

  it("has phases by their label, of a time that they add up to", () => {
    for (const { unit, phases } of Object.values(metrics).filter((one) => one.phases !== undefined)) {
      expect([unit, metricNamed(phases ?? "")?.unit]).toEqual(["seconds", "seconds"]);
      expect(metricNamed(phases ?? "")?.labels).toContain("phase");
    }
  });

  it("tells of what is used by whom, and has a scale or a limit for it", () => {
    const used = Object.values(metrics).filter(({ resource }) => resource !== undefined);
    for (const { role, scale, limit } of used) expect([role, scale ?? limit]).not.toContain(undefined);
  });
});
