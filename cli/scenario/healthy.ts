/** Measurements of healthy probes: values that meet every baseline and fire no rule, for every series that a rule or baseline uses. */

import type { Series, SeriesSource } from "../../functions/evaluate/condition/index.ts";
import type { Plan } from "../../functions/evaluate/plan.ts";
import type { CompiledRule } from "../../functions/evaluate/rules/rule.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type { Measurement } from "../../shared/messages/report.ts";
import { metricNamed } from "../../shared/metrics/catalogue.ts";
import { canYield, isOf } from "../../shared/metrics/yields.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import type { Unit } from "../../shared/text/units.ts";

/** The series of every probe in health, besides success and duration, by the name of the probe. */
export function healthySamples(
  plan: Plan,
  chosen: Readonly<Record<string, number>>,
): ReadonlyMap<string, readonly Measurement[]> {
  const samples = new Map(plan.configuration.probes.map((probe) => [probe.name, samplesOf(probe, plan, chosen)]));
  for (const rule of plan.rulesByName.values()) {
    if (rule.metrics.length > 1 || rule.condition.aggregates) calm(rule, samples, plan, chosen);
  }
  return samples;
}

/** Changes a metric of a rule over several metrics or series, where together they make it true: connections against their limit, or their sum. */
function calm(
  rule: CompiledRule,
  samples: ReadonlyMap<string, readonly Measurement[]>,
  plan: Plan,
  chosen: Readonly<Record<string, number>>,
): void {
  const disturbed = (): boolean => isTrue(rule, seriesOf(samples, plan));
  for (const metric of rule.metrics) {
    const movable = [...samples.values()].flat().filter((sample) => sample.metric === metric);
    if (!disturbed()) return;
    if (ownEntry(chosen, metric) !== undefined || movable.length === 0) continue;
    const before = movable.map(({ value }) => value);
    const alone = [...plan.rulesByName.values()].filter(({ metrics }) => metrics.length === 1 && metrics[0] === metric);
    const settles = candidatesFor(metric).some((value) => {
      for (const sample of movable) sample.value = value;
      const series = seriesOf(samples, plan);
      return !isTrue(rule, series) && !alone.some((other) => isTrue(other, series));
    });
    if (settles) return;
    for (const [index, sample] of movable.entries()) sample.value = before[index] ?? sample.value;
  }
}

function isTrue({ condition }: CompiledRule, source: SeriesSource): boolean {
  return condition.evaluate(source, 0).some(({ truth }) => truth === true);
}

function seriesOf(samples: ReadonlyMap<string, readonly Measurement[]>, plan: Plan): SeriesSource {
  const all = [...samples].flatMap(([name, own]) => {
    const probe = plan.probes.get(name);
    return own.map(({ metric, labels, value }) => seriesAt(metric, { ...labels, ...identityOf(probe) }, value));
  });
  return { select: (metric) => all.filter((series) => series.metric === metric) };
}

function seriesAt(metric: string, labels: Readonly<Record<string, string>>, value: number): Series {
  return { metric, labels, times: [0], values: [value], staleAfterMs: 60_000 };
}

function identityOf(probe: ConfiguredProbe | undefined): Readonly<Record<string, string>> {
  if (probe === undefined) return {};
  const { name, component, vantage } = probe;
  return { probe: name, component, vantage };
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
    if (common.has(metric) || !canYield(probe, { metric, matchers })) continue;
    const own = Object.entries(matchers).filter(([label]) => !identity.has(label));
    const labels = Object.fromEntries(own);
    const key = `${metric}${JSON.stringify(own.sort())}`;
    if (!samples.has(key))
      samples.set(key, {
        metric,
        labels,
        value: ownEntry(chosen, metric) ?? healthyValue(metric, labels, probe, plan),
      });
  }
  return [...samples.values()];
}

const identity: ReadonlySet<string> = new Set(["probe", "component", "vantage"]);

/** The first usual value that is normal by the baselines and makes no rule of this metric alone true. */
function healthyValue(
  metric: string,
  labels: Readonly<Record<string, string>>,
  probe: ConfiguredProbe,
  plan: Plan,
): number {
  const candidates = candidatesFor(metric);
  const fits = (value: number): boolean => {
    const missed = plan.baselines.some(
      (check) => check.metric === metric && isOf(probe, check.matchers) && !check.holds(value),
    );
    if (missed) return false;
    const series = seriesAt(metric, { ...labels, ...identityOf(probe) }, value);
    const source: SeriesSource = { select: (wanted) => (wanted === metric ? [series] : []) };
    return ![...plan.rulesByName.values()]
      .filter(({ metrics }) => metrics.length === 1 && metrics[0] === metric)
      .some((rule) => isTrue(rule, source));
  };
  return candidates.find(fits) ?? candidates[0] ?? 0;
}

function candidatesFor(metric: string): number[] {
  const unit = metricNamed(metric)?.unit ?? "count";
  if (/^http_status$/.test(metric)) return [200, 101];
  if (/_expiry$/.test(metric)) return [60, 365, 3650].map((days) => days * 86_400);
  if (/_(success|ok|up|health|ready)$/.test(metric)) return [1, 0];
  if (/(_error_rate|_errors|failed_\w+|_incidents|_failures)$/.test(metric)) return [0, 1];
  // The limit is higher than the usual usage.
  if (/_(limit|maximum|max|capacity|size|quota)$/.test(metric)) return [100, 1000, ...usual[unit]];
  return usual[unit];
}

const usual: Readonly<Record<Unit, number[]>> = {
  seconds: [0.2, 0.02, 1, 5, 30, 0],
  ratio: [0.3, 0.05, 0, 0.6, 1],
  bytes: [2 ** 20, 2 ** 10, 0, 2 ** 30],
  count: [2, 0, 1, 10, 100],
};
