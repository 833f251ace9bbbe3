/** Speed of replaying an outage in which every component fails. */
import { rehearse } from "../../cli/replay/replay.ts";
import { vocabulary } from "../../cli/vocabulary.ts";
import { planOf } from "../../functions/evaluate/plan.ts";
import { loadConfiguration } from "../../shared/config/load.ts";
import type { Report } from "../../shared/messages/report.ts";
import { recordOf } from "../support.ts";

const minutes = 40;
const began = Date.UTC(2025, 8, 16, 12);

/** Replays so many minutes in which a base component and all its dependents fail, and prints the duration and the named causes. */
export async function stormSpeed(count: number): Promise<void> {
  const plan = planOf(tiers(count));
  const reports = Array.from({ length: minutes }, (_, minute) => reportOf(minute, count, minute >= 2));
  const record = recordOf(reports);
  const causes = new Map<string, string>();
  const [started, used] = [performance.now(), process.cpuUsage()];
  await rehearse({ plan, record, onEvent: ({ incident, root_cause }) => void causes.set(incident, root_cause) });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(used);
  const named = [...causes.values()].join(", ");
  console.log(
    `\nreplay of ${minutes} minutes in which ${count} components fail: ${seconds.toFixed(1)} s, of the processor ${((user + system) / 1e6).toFixed(1)} s, named ${named}`,
  );
}

/** Components that each depend on two earlier ones. */
function tiers(count: number) {
  const lines = ["environment: storm", "components:", "  part-0: { layer: platform }"];
  for (let index = 1; index < count; index++) {
    const needs = [...new Set([Math.floor(index / 2), Math.floor(index / 3)])].map((at) => `part-${at}`).join(", ");
    lines.push(`  part-${index}: { layer: application, depends_on: [${needs}] }`);
  }
  lines.push("probes:");
  for (let index = 0; index < count; index++) {
    lines.push(
      `  up-${index}: { kind: http, component: part-${index}, url: "https://part-${index}.example.com/", schedule: every 1m }`,
    );
  }
  const loaded = loadConfiguration(lines.join("\n"), "storm.yaml", vocabulary);
  if (!("configuration" in loaded)) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  return loaded.configuration;
}

function reportOf(minute: number, count: number, fails: boolean): Report {
  const at = new Date(began + 60_000 * minute).toISOString();
  const outcome = fails
    ? { success: false, failure: { kind: "http_status" as const, phase: "response", message: "503", status: 503 } }
    : { success: true };
  return {
    v: 1,
    report: `storm/${at}`,
    environment: "storm",
    vantage: "outside",
    group: "outside-1m",
    trigger: "schedule",
    started_at: at,
    finished_at: new Date(began + 60_000 * minute + 2000).toISOString(),
    results: Array.from({ length: count }, (_, index) => {
      return { probe: `up-${index}`, component: `part-${index}`, at, ...outcome, measurements: [] };
    }),
  };
}
