import { describe, expect, it } from "vitest";
import { loadConfiguration } from "../../shared/config/load.ts";
import type { Configuration } from "../../shared/config/model.ts";
import type { AlarmWindows } from "../../shared/deployment/deployment.ts";
import { exportsOf } from "../../shared/metrics/exported.ts";
import { subscriptions } from "../../shared/topology.ts";
import { vocabulary } from "../vocabulary.ts";
import { deploymentOf } from "./deployment.ts";

/** A configuration with a probe for each of these schedules. */
function configurationOf(schedules: readonly string[], more = ""): Configuration {
  const probes = schedules.map(
    (schedule, index) =>
      `  probe-${index}: { kind: http, component: shop, url: "https://shop.example.com/", schedule: "${schedule}" }`,
  );
  const text = `environment: shop\ncomponents: { shop: { layer: application } }\nprobes:\n${probes.join("\n") || "  {}"}\n${more}`;
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  if (!("configuration" in loaded)) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  return loaded.configuration;
}

function alarmsOf(configuration: Configuration): AlarmWindows {
  return deploymentOf(configuration, "0".repeat(64)).alarms;
}

const minute = 60;
const hour = 3600;

describe("the alarm for missing measurements waits for the longest pause of the schedules", () => {
  it.each<[string, string[], "pubsub" | "evaluator", number, string]>([
    ["every minute", ["every 1m"], "pubsub", 15 * minute, "15 min"],
    ["several times a minute", ["every 15s"], "pubsub", 15 * minute, "15 min"],
    ["every quarter of an hour", ["every 15m"], "pubsub", 25 * minute, "25 min"],
    ["hourly", ["every 1h"], "pubsub", hour + 10 * minute, "1 h 10 min"],
    ["hourly and nightly", ["0 2 * * *", "every 1h"], "pubsub", hour + 10 * minute, "1 h 10 min"],
    ["by day", ["*/5 8-17 * * *"], "pubsub", 14 * hour + 15 * minute, "14 h 15 min"],
    ["every 12 hours", ["0 6,18 * * *"], "pubsub", 12 * hour + 10 * minute, "12 h 10 min"],
    ["nightly", ["0 2 * * *"], "evaluator", 24 * hour + 15 * minute, "1 d"],
    ["weekly", ["0 2 * * MON"], "evaluator", 168 * hour + 15 * minute, "7 d"],
    ["on weekdays", ["0 9-17 * * MON-FRI"], "evaluator", 64 * hour + 15 * minute, "2 d 16 h"],
  ])("%s", (_what, schedules, by, silence, spoken) => {
    const { no_measurements: alarm } = alarmsOf(configurationOf(schedules));
    if (alarm === null) throw new Error("there is an alarm");
    const { watched_by, alignment_seconds, duration_seconds, age_seconds, gap_seconds } = alarm;
    expect([watched_by, alarm.silence]).toEqual([by, spoken]);
    expect(by === "pubsub" ? alignment_seconds + duration_seconds : age_seconds).toBe(silence);
    // Limits of Cloud Monitoring: whole minutes, at most 23 h 30 min.
    expect(duration_seconds % minute).toBe(0);
    expect(alignment_seconds + duration_seconds).toBeLessThanOrEqual(23.5 * hour);
    // The next report may be some minutes late, and its point four minutes more.
    if (by === "pubsub") expect(duration_seconds - gap_seconds).toBeGreaterThanOrEqual(5 * minute);
  });

  it("does not exist without probes, or without a source for the metric", () => {
    expect(alarmsOf(configurationOf([])).no_measurements).toBeNull();
    expect(alarmsOf(configurationOf(["0 2 * * MON"], "export: off")).no_measurements).toBeNull();
    expect(alarmsOf(configurationOf(["every 1h"], "export: off")).no_measurements).not.toBeNull();
    expect(exportsOf(configurationOf(["every 1h"], "export: [probe_success]"))).toEqual(["probe_success"]);
  });
});

describe("the other alarms", () => {
  it("fire when the evaluator has been silent for fifteen ticks", () => {
    const { evaluator_silent: alarm } = alarmsOf(configurationOf(["0 2 * * MON"]));
    expect(alarm).toEqual({ alignment_seconds: 300, duration_seconds: 600, silence: "15 min" });
  });

  it("tolerate message ages longer than the retry backoff", () => {
    const { waiting } = alarmsOf(configurationOf(["every 15s"]));
    expect(waiting.map(({ age_seconds }) => age_seconds)).toEqual([600, 1200]);
    expect(waiting.find(({ subscriptions: own }) => own.includes("notify-retries"))?.age_seconds).toBe(1200);
    const named = waiting.flatMap((each) => each.subscriptions);
    expect(named).toContain("probe-outside-15s");
    expect(new Set(named).size).toBe(named.length);
    for (const { name, vantage } of subscriptions) {
      expect(named.includes(name)).toBe(vantage !== "inside");
    }
  });
});
