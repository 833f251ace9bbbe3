/** A configuration for the tests of beats. */
import type { Configuration } from "../../shared/config/model.ts";

/** A configuration that waits for the beats of these names. */
export function configurationOf(...names: string[]): Configuration {
  return {
    environment: "staging",
    title: "Staging",
    timezone: "Etc/UTC",
    components: [],
    probes: names.map((name) => ({
      name,
      kind: "heartbeat",
      component: "jobs",
      vantage: "outside",
      schedule: "every 5m",
      group: "outside-5m",
      timeoutMs: 10_000,
      alert: false,
      settings: { beat: name, every: "24h" },
    })),
    rules: [],
    baselines: [],
    recovery: { stages: [] },
    channels: [],
    routes: [],
  };
}
