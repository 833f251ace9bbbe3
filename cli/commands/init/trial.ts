/** Tries a draft: what works from here, and what is normal. */
import type { Configuration, ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import type { Secrets } from "../../../shared/ports.ts";
import { runLocally } from "../../local-probes.ts";
import { failureSentence } from "../../terminal/results.ts";
import { counted } from "../../terminal/terminal.ts";
import type { Draft, Entry } from "./draft.ts";

/** Number of runs of each probe for a baseline. */
export const runs = 10;

/** Metrics of which a baseline says something, with the rule that goes with it. */
const measured: Readonly<Record<string, { readonly rule: string; readonly leastMs: number }>> = {
  http_response_time: { rule: "Responses Are Slow", leastMs: 5_000 },
  database_connection_time: { rule: "Database Connections Are Slow", leastMs: 1_000 },
  connection_time: { rule: "Connections Are Slow", leastMs: 1_000 },
  websocket_handshake_time: { rule: "WebSockets Open Slowly", leastMs: 5_000 },
};

/** Result of a trial. */
export interface Trial {
  /** The first result of every probe. */
  readonly results: readonly ProbeResult[];
  /** The slowest of all runs, in seconds, by metric. */
  readonly slowest: ReadonlyMap<string, number>;
}

/** Runs every probe once, and those again that measure for themselves and succeed. */
export async function tryOut(
  configuration: Configuration,
  secrets: Secrets,
  progress: (text: string) => void,
): Promise<Trial> {
  const run = async (probes: readonly ConfiguredProbe[]): Promise<ProbeResult[]> => {
    if (probes.length === 0) return [];
    const reports = await runLocally({
      configuration,
      probes,
      secrets,
      trigger: "diagnosis",
      group: (vantage) => `${vantage}-trial`,
    });
    return reports.flatMap(({ results }) => results);
  };
  progress(`running ${counted(configuration.probes.length, "probe")}`);
  const results = await run(configuration.probes);
  const good = new Set(results.flatMap(({ probe, success }) => (success ? [probe] : [])));
  const again = configuration.probes.filter(
    ({ name, reach, secondhand }) => good.has(name) && reach !== "control_plane" && !secondhand,
  );
  const all = results.filter(({ probe }) => again.some(({ name }) => name === probe));
  for (let count = 2; count <= runs && again.length > 0; count++) {
    progress(`measuring baselines: run ${count} of ${runs}`);
    all.push(...(await run(again)));
  }
  const slowest = new Map<string, number>();
  for (const { metric, value } of all.flatMap(({ measurements }) => measurements))
    if (Object.hasOwn(measured, metric)) slowest.set(metric, Math.max(slowest.get(metric) ?? 0, value));
  return { results, slowest };
}

/** A draft with what a trial has shown: baselines, rules for what is slow, and silence of what does not work from here. */
export function withTrial(draft: Draft, { results, slowest }: Trial): Draft {
  const failed = new Map(results.flatMap((result) => (result.success ? [] : [[result.probe, result] as const])));
  const baselines = new Map(draft.baselines);
  const rules = new Map(draft.rules);
  for (const [metric, { rule, leastMs }] of Object.entries(measured)) {
    const seconds = slowest.get(metric);
    if (seconds === undefined) continue;
    // Four times what took longest is good still, so that a busy moment keeps no recovery from being proved; ten times that is slow.
    baselines.set(metric, `<${spoken(rounded(Math.max(500, 4_000 * seconds)))}`);
    const limit = spoken(rounded(Math.max(leastMs, 10_000 * seconds)));
    const settings = { condition: `avg_${metric} > ${limit}`, alert_duration: "3m", severity: "warning" };
    rules.set(rule, { settings, comments: [] });
  }
  const probes = new Map([...draft.probes].map(([name, entry]) => [name, silenced(entry, failed.get(name))]));
  const stages = new Map(
    [...draft.stages].flatMap(([name, own]) => {
      const proving = own.filter((probe) => !failed.has(probe));
      return proving.length === 0 ? [] : [[name, proving] as const];
    }),
  );
  return { ...draft, probes, rules, baselines, stages };
}

function silenced({ settings, comments }: Entry, result: ProbeResult | undefined): Entry {
  if (result === undefined) return { settings, comments };
  const { alert: _, ...others } = settings;
  if (settings["alert"] === "off") return { settings, comments };
  const place =
    settings["vantage"] === "inside"
      ? "It will run inside the VPC, and failed from here"
      : "It failed when this file was written";
  const why = failureSentence(result).replaceAll(/\s+/g, " ").slice(0, 200);
  return {
    settings: { ...others, alert: "off" },
    comments: [...comments, `${place} (${why}). Delete alert: off once it works, and name it in a stage of recovery.`],
  };
}

function spoken(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds}ms` : `${milliseconds / 1_000}s`;
}

/** The next of 1, 1.5, 2, 2.5, 3, 5 and 7.5, times a power of ten. */
function rounded(milliseconds: number): number {
  const power = 10 ** Math.floor(Math.log10(milliseconds));
  const step = [1, 1.5, 2, 2.5, 3, 5, 7.5, 10].find((one) => one * power >= milliseconds) ?? 10;
  return Math.round(step * power);
}
