/** Metrics that probes yield: one source for the loader, which warns about rules that can never fire, for the evaluator, and for scenarios. */
import { ownEntry } from "../runtime/entries.ts";
import type { MetricName } from "./catalogue.ts";

/** Series of one metric that a probe yields. */
export interface YieldedMetric {
  readonly metric: string;
  /** The values that a label can have, where the settings say it; a label that is not named here may have any. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

/** The same as a kind of probe declares it. */
export interface DeclaredMetric extends YieldedMetric {
  readonly metric: MetricName;
  /** Required setting, shown after the name of the kind: `with pool`. Absent if it is always yielded. */
  readonly needs?: string | undefined;
}

/** Metrics of every probe, whatever its kind. */
export const commonMetrics: readonly MetricName[] = ["probe_success", "probe_duration", "probe_attempts"];

/** A probe as far as its series are concerned. */
export interface YieldingProbe {
  readonly name: string;
  readonly component: string;
  readonly vantage: string;
  /** Absent where it is not known: then it may yield anything. */
  readonly yields?: readonly YieldedMetric[];
}

/** Series that a condition or a baseline selects. */
export interface SelectedSeries {
  readonly metric: string;
  readonly matchers: Readonly<Record<string, string>>;
}

/** Returns whether a probe can yield series that match a selector. */
export function canYield(probe: YieldingProbe, { metric, matchers }: SelectedSeries): boolean {
  if (!isOf(probe, matchers)) return false;
  if (probe.yields === undefined || commonMetrics.some((common) => common === metric)) return true;
  return probe.yields.some((yielded) => yielded.metric === metric && carries(yielded, matchers));
}

/** Returns whether a probe can yield a metric with any labels. */
export function yieldsMetric(probe: YieldingProbe, metric: string): boolean {
  return canYield(probe, { metric, matchers: {} });
}

/** Returns whether the identifying labels of a selector match a probe. */
export function isOf({ name, component, vantage }: YieldingProbe, matchers: SelectedSeries["matchers"]): boolean {
  const own: Readonly<Record<string, string>> = { probe: name, component, vantage };
  return Object.entries(matchers).every(([label, wanted]) => (ownEntry(own, label) ?? wanted) === wanted);
}

function carries({ labels = {} }: YieldedMetric, matchers: SelectedSeries["matchers"]): boolean {
  return Object.entries(matchers).every(([label, wanted]) => ownEntry(labels, label)?.includes(wanted) ?? true);
}

/** The values that a label of a metric can have, in what probes yield; `undefined` where it may have any. */
export function valuesOf(probes: readonly YieldingProbe[], metric: string, label: string): string[] | undefined {
  const yielded = probes.flatMap(({ yields = [] }) => yields.filter((one) => one.metric === metric));
  const values = yielded.map(({ labels = {} }) => ownEntry(labels, label));
  return values.includes(undefined) ? undefined : [...new Set(values.flatMap((known) => known ?? []))];
}
