import { describe, expect, it } from "vitest";
import { vocabulary } from "../../../cli/vocabulary.ts";
import { loadConfiguration } from "../load.ts";

/** Returns the problems of a configuration with `count` probes on one schedule, and one rule. */
function problemsOf(count: number, schedule: string, condition: string): string[] {
  const probes = Array.from(
    { length: count },
    (_, n) =>
      `  p${n}: { kind: tcp, component: shop, host: shop.example, port: 443, schedule: ${schedule}, timeout: 100ms }`,
  );
  const text = `environment: shop
components: { shop: { layer: application } }
probes:
${probes.join("\n")}
monitoring_rules:
  - { name: Slow, component: shop, condition: "${condition}", severity: info }
`;
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  return "problems" in loaded ? loaded.problems.map(({ line, message }) => `${line}: ${message}`) : [];
}

describe("the samples of a group of probes", () => {
  it.each([
    [200, "every 1s", "probe_duration > 1s"],
    [50, "every 250ms", "probe_duration > 1s"],
    [200, "every 30s", "avg(probe_duration, 1h) > 1s"],
    [1, "every 250ms", "avg(probe_duration, 1h) > 1s"],
    [24, "every 1m", "avg(probe_duration, 1d) > 1s"],
    [350, "every 1m", "avg(probe_duration, 1h) > 1s"],
  ])("are accepted of %i probes %s with %s", (count, schedule, condition) => {
    expect(problemsOf(count, schedule, condition)).toEqual([]);
  });

  it("are rejected if their samples do not fit, with the reason", () => {
    expect(problemsOf(200, "every 250ms", "probe_duration > 1s")).toEqual([
      "4: 200 probes every 250ms are too much for one group: what rules and exports look back on takes about 770 KiB, and its state has room for 215 KiB; run them less often, give some another schedule, or shorten the windows of the rules",
    ]);
    expect(problemsOf(60, "every 1s", "avg(probe_duration, 1h) > 1s")).toHaveLength(1);
    expect(problemsOf(1, "every 250ms", "avg(probe_duration, 1d) > 1s")).toHaveLength(1);
    expect(problemsOf(100, "every 1m", "avg(probe_duration, 1d) > 1s")).toHaveLength(1);
  });
});
