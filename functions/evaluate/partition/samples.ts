/** The samples of one partition: taken in from reports, kept as long as some rule looks back, and shown to conditions. */

import { isMonitorFailure, type Report } from "../../../shared/messages/report.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Series, SeriesSource } from "../condition/index.ts";
import { type Plan, staleAfter } from "../plan.ts";
import { boundedLabels, type Labels, labelKey, labelPart } from "../rules/labels.ts";
import type { PartitionState, SeriesState } from "./state.ts";

/** Series by their keys: metric, probe and the labels of their own. */
export type SeriesByKey = ReadonlyMap<string, SeriesState>;

const succeeded = { metric: "probe_success", labels: {} } as const;

/** The series with the measurements of a report that some rule looks at. */
export function withSamples(known: SeriesByKey, report: Report, plan: Plan, horizon: number): Map<string, SeriesState> {
  const series = new Map(known);
  for (const { probe, component, at: instant, success, measurements } of report.results) {
    const at = Date.parse(instant);
    const isCounted = measurements.some(({ metric }) => metric === "probe_success");
    // Reporters may leave out a measurement that only repeats `success`.
    const all = isCounted ? measurements : [...measurements, { ...succeeded, value: success ? 1 : 0 }];
    for (const { metric, value: measured, labels: written } of all) {
      const lookback = plan.lookback.get(metric);
      if (lookback === undefined || !Number.isFinite(measured)) continue;
      const value = rounded(measured);
      const own = boundedLabels(written);
      const key = keyFor(metric, probe, own);
      const before = series.get(key);
      if (before === undefined) {
        const labels = { ...own, probe, component, vantage: report.vantage };
        series.set(key, { metric, labels, times: [at], values: [value] });
      } else {
        const labels = currentLabels(before.labels, own, component, report.vantage);
        series.set(key, withSample(before, labels, at, value, horizon - lookback));
      }
    }
  }
  return series;
}

/** The key of a series. */
export function seriesKey({ metric, labels }: Pick<SeriesState, "metric" | "labels">): string {
  const { probe = "", component: _, vantage: __, ...own } = labels;
  return keyFor(metric, probe, own);
}

/** The series without what no rule will look at again. The same objects where nothing was left out. */
export function withoutOld(
  series: Map<string, SeriesState>,
  watermark: number,
  horizon: number,
  plan: Plan,
): SeriesByKey {
  for (const [key, one] of series) {
    const lookback = plan.lookback.get(one.metric);
    const last = one.times.at(-1) ?? 0;
    if (lookback === undefined || last < Math.min(horizon, watermark - longestSilence) - lookback) series.delete(key);
    else if ((one.times[0] ?? 0) < horizon - lookback) series.set(key, from(one, horizon - lookback));
  }
  return series;
}

/** How long a silent series is kept beyond the lookback of the rules, in milliseconds. */
const longestSilence = 1_800_000;

/** The series of partitions, in the form that conditions read. */
export function sourceOf(
  partitions: readonly Pick<PartitionState, "series" | "probes" | "runs">[],
  plan: Plan,
): SeriesSource {
  const byMetric = new Map<string, Series[]>();
  for (const { series } of partitions) {
    for (const { metric, labels, times, values } of series.values()) {
      const one = { metric, labels, times, values, staleAfterMs: staleAfter(plan, labels["probe"]) };
      const list = byMetric.get(metric);
      if (list === undefined) byMetric.set(metric, [one]);
      else list.push(one);
    }
  }
  const byProbe = new Map<string, Map<string | undefined, Series[]>>();
  return {
    select(metric, probe) {
      const all = byMetric.get(metric) ?? [];
      if (probe === undefined || all.length < 2) return all;
      const probes = byProbe.get(metric) ?? Map.groupBy(all, ({ labels }) => labels["probe"]);
      byProbe.set(metric, probes);
      return probes.get(probe) ?? [];
    },
    runs(probe) {
      for (const { runs = {} } of partitions) {
        const own = ownEntry(runs, probe);
        if (own !== undefined) return own;
      }
      return undefined;
    },
    watchedSince(metric, matchers) {
      const yielding = plan.yielding(metric, matchers);
      // No probe is known to yield it: there is nothing to wait for.
      if (yielding.length === 0) return Number.NEGATIVE_INFINITY;
      return Math.min(...yielding.map((probe) => firstRunOf(probe, partitions)));
    },
  };
}

/** When a probe was first run, and infinitely late where it was not, or could not be when it was last tried. */
function firstRunOf(probe: string, partitions: readonly Pick<PartitionState, "probes">[]): number {
  const facts = partitions.flatMap(({ probes }) => ownEntry(probes, probe) ?? []);
  const runs = facts.filter(({ pending, status, failure }) => {
    return pending === undefined && !(status === "unknown" && isMonitorFailure(failure));
  });
  return Math.min(...runs.map(({ firstAt = Number.NEGATIVE_INFINITY }) => firstAt));
}

/** To a millionth of the base unit: more digits say nothing, and each is kept a thousand times. */
function rounded(value: number): number {
  return Math.abs(value) < 1e6 ? Math.round(value * 1e6) / 1e6 : value;
}

function keyFor(metric: string, probe: string, own: Labels): string {
  let key = `${metric}|${probe}`;
  let labels = 0;
  for (const [name, value] of Object.entries(own)) {
    key += `|${labelPart(name, value)}`;
    labels += 1;
  }
  return labels < 2 ? key : `${metric}|${probe}|${labelKey(own)}`;
}

function withSample(series: SeriesState, labels: Labels, at: number, value: number, keepFrom: number): SeriesState {
  const { metric } = series;
  const start = firstKept(series.times, keepFrom);
  const times = series.times.slice(start);
  const values = series.values.slice(start);
  if (at > (times.at(-1) ?? 0)) {
    times.push(at);
    values.push(value);
    return { metric, labels, times, values };
  }
  const place = times.findIndex((time) => time >= at);
  const replaced = times[place] === at ? 1 : 0;
  times.splice(place, replaced, at);
  values.splice(place, replaced, value);
  return { metric, labels, times, values };
}

function from(series: SeriesState, keepFrom: number): SeriesState {
  const start = firstKept(series.times, keepFrom);
  return start === 0 ? series : { ...series, times: series.times.slice(start), values: series.values.slice(start) };
}

/** The last sample stays: it is the present value until a newer one comes, and its age says how stale that is. */
function firstKept(times: readonly number[], keepFrom: number): number {
  let first = 0;
  while (first < times.length - 1 && (times[first] ?? 0) < keepFrom) first += 1;
  return first;
}

/** The labels as they were, unless the probe was given to another component: what is cached by them lives on. */
function currentLabels(before: Labels, own: Labels, component: string, vantage: string): Labels {
  if (before["component"] === component && before["vantage"] === vantage) return before;
  return { ...own, probe: before["probe"] ?? "", component, vantage };
}
