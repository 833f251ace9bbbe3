/** What healthy probes measure: values that miss no baseline and make no rule true, of every series that some rule or baseline looks at. */

import type { SeriesSource } from "../../functions/evaluate/condition/index.ts";
import type { Plan } from "../../functions/evaluate/plan.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type { Measurement } from "../../shared/messages/report.ts";
import { metricNamed } from "../../shared/metrics.ts";
import type { Unit } from "../../shared/units.ts";

/** Settings without which a kind does not yield what it could. */
const needed: Readonly<Record<string, string>> = {
  cloud_sql_pool_utilization: "pool",
  database_connect_burst_success: "burst",
  database_connect_burst_time: "burst",
};

/** Whether a probe yields a metric: by its kind and settings, or because its settings name the metric. */
export function yields({ kind, settings }: ConfiguredProbe, metric: string): boolean {
  if (JSON.stringify(settings).includes(`"${metric}"`)) return true;
  const kinds = metricNamed(metric)?.probers ?? [];
  if (kinds.length === 0) return true;
  if (!kinds.includes(kind)) return false;
  // Anything may be extracted from a body, and then the settings say so.
  if (kind === "http") return /^(http|tls)_/.test(metric);
  const setting = needed[metric];
  return setting === undefined || kind !== "postgres" || settings[setting] !== undefined;
}

/** The series of every probe in health, besides success and duration. */
export function healthySamples(
  plan: Plan,
  chosen: Readonly<Record<string, number>>,
): ReadonlyMap<string, readonly Measurement[]> {
  return new Map(plan.configuration.probes.map((probe) => [probe.name, samplesOf(probe, plan, chosen)]));
}

const common: ReadonlySet<string> = new Set(["probe_success", "probe_duration"]);

function samplesOf(probe: ConfiguredProbe, plan: Plan, chosen: Readonly<Record<string, number>>): Measurement[] {
  const rules = [...plan.rulesByName.values()];
  const wanted = [
    ...rules.flatMap(({ condition }) => condition.selectors),
    ...plan.baselines.map(({ metric, matchers }) => ({ metric, matchers })),
  ];
  const samples = new Map<string, Measurement>();
  for (const { metric, matchers } of wanted) {
    if (common.has(metric) || !yields(probe, metric) || !concerns(matchers, probe)) continue;
    const own = Object.entries(matchers).filter(([label]) => !identity.has(label));
    const labels = Object.fromEntries(own);
    const key = `${metric}${JSON.stringify(own.sort())}`;
    if (!samples.has(key))
      samples.set(key, { metric, labels, value: chosen[metric] ?? healthyValue(metric, labels, probe, plan) });
  }
  return [...samples.values()];
}

const identity: ReadonlySet<string> = new Set(["probe", "component", "vantage"]);

function concerns(matchers: Readonly<Record<string, string>>, { name, component, vantage }: ConfiguredProbe): boolean {
  const own: Readonly<Record<string, string>> = { probe: name, component, vantage };
  return Object.entries(matchers).every(([label, wanted]) => (own[label] ?? wanted) === wanted);
}

/** The first usual value that is normal by the baselines and makes no rule of this metric alone true. */
function healthyValue(
  metric: string,
  labels: Readonly<Record<string, string>>,
  probe: ConfiguredProbe,
  plan: Plan,
): number {
  const candidates = candidatesFor(metric);
  const at = 0;
  const { name, component, vantage } = probe;
  const all = { ...labels, probe: name, component, vantage };
  const fits = (value: number): boolean => {
    const missed = plan.baselines.some(
      (check) => check.metric === metric && concerns(check.matchers, probe) && !check.holds(value),
    );
    if (missed) return false;
    const series = { metric, labels: all, times: [at], values: [value], staleAfterMs: 60_000 };
    const source: SeriesSource = { select: (wanted) => (wanted === metric ? [series] : []) };
    return [...plan.rulesByName.values()]
      .filter(({ metrics }) => metrics.length === 1 && metrics[0] === metric)
      .every(({ condition }) => condition.evaluate(source, at).every(({ truth }) => truth !== true));
  };
  return candidates.find(fits) ?? candidates[0] ?? 0;
}

function candidatesFor(metric: string): number[] {
  const unit = metricNamed(metric)?.unit ?? "count";
  if (/^http_status$/.test(metric)) return [200, 101];
  if (/_expiry$/.test(metric)) return [60, 365, 3650].map((days) => days * 86_400);
  if (/_(success|ok|up|health|ready)$/.test(metric)) return [1, 0];
  if (/(_error_rate|_errors|failed_\w+|_incidents|_failures)$/.test(metric)) return [0, 1];
  // What is allowed is more than what is usually in use.
  if (/_limit$/.test(metric)) return [100, 1000];
  return usual[unit];
}

const usual: Readonly<Record<Unit, number[]>> = {
  seconds: [0.2, 0.02, 1, 5, 30, 0],
  ratio: [0.3, 0.05, 0, 0.6, 1],
  bytes: [2 ** 20, 2 ** 10, 0, 2 ** 30],
  count: [2, 0, 1, 10, 100],
};
