import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { vocabulary } from "../../cli/vocabulary.ts";
import { loadConfiguration } from "../../shared/config/load.ts";
import { demoConfiguration } from "./configuration.ts";
import { places } from "./places.fixtures.ts";

describe("demoConfiguration", () => {
  it("fills in the ports", () => {
    expect(demoConfiguration(places)).not.toMatch(/\$\{\d|\$\$/);
    expect(parse(demoConfiguration(places))).toMatchObject({
      probes: {
        "backend-health": { url: "http://127.0.0.1:8001/health", schedule: "every 2s" },
        database: { connection: { port: 8003 }, vantage: "inside" },
        cache: { port: 8009, vantage: "inside" },
        "database-direct": { connection: { port: 8004, database: "netra" } },
      },
      channels: {
        "team-email": { server: "smtp://127.0.0.1:8005" },
        "ops-hook": { url: "http://127.0.0.1:8006/ops-hook" },
      },
    });
  });

  it("keeps the placeholders that the journey fills in", () => {
    const { variables, steps } = parse(demoConfiguration(places)).probes["golden-path"];
    expect(variables).toEqual({ email: "someone@demo.localhost", password: { secret: "demo-user-password" } });
    expect(steps[0].http.json).toEqual({ email: "${email}", password: "${password}" });
  });

  it.each([
    [1, "every 2s", "1s800ms", "avg_database_connection_time > 600ms", "6s"],
    [2, "every 1s", "900ms", "avg_database_connection_time > 300ms", "3s"],
    [4, "every 1s", "900ms", "avg_database_connection_time > 300ms", "3s"],
  ])("divides the durations by the speed of pace %i", (pace, schedule, timeout, condition, clear) => {
    const configuration = parse(demoConfiguration(places, pace));
    expect(configuration.probes["backend-health"]).toMatchObject({ schedule, timeout });
    expect(configuration.monitoring_rules[1]).toMatchObject({ condition, clear_duration: clear });
  });

  it.each([1, 2, 4])("is valid without warnings at pace %i", (pace) => {
    const loaded = loadConfiguration(demoConfiguration(places, pace), "monitor.yaml", vocabulary);
    expect({ problems: [], ...loaded }).toMatchObject({ problems: [], warnings: [] });
  });
});
