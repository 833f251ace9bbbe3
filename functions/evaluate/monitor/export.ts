/** Selects what a tick exports for dashboards: the newest values of series, and measurements of the monitor itself. Pure. */
import { type Availability, errorBudget, targetOf, upRatio } from "../../../shared/documents/availability.ts";
import { exportsOf, type OwnMetricName } from "../../../shared/metrics/exported.ts";
import type { MetricPoint } from "../../../shared/ports.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import type { EnvironmentState } from "../incident/state.ts";
import type { PartitionState } from "../partition/state.ts";
import type { Plan } from "../plan.ts";
import type { SelfState } from "./state.ts";

/** Points, and how far each group has been exported: the newest instant of what was. */
export interface Exported {
  readonly points: readonly MetricPoint[];
  readonly upTo: Readonly<Record<string, number>>;
  /** Number of points beyond the limit. */
  readonly leftOut: number;
}

/** The most points of one tick: what is more would be a bill rather than a dashboard. */
export const maxPoints = 1_000;

/** Lookback of the first export, in milliseconds. */
const firstLook = 600_000;

/** Describes the points that were left out, for the log. */
export function leftOutSentence(leftOut: number): string {
  return `${leftOut} of ${leftOut + maxPoints} points per minute are not exported, because the limit is ${maxPoints}: list the metrics that your dashboards need under export`;
}

/** The newest values that were not exported yet. @param upTo how far each group has been exported */
export function seriesPoints(
  states: ReadonlyMap<string, PartitionState>,
  upTo: Exported["upTo"],
  plan: Plan,
  at: number,
): Exported {
  const wanted = new Set(exportsOf(plan.configuration) ?? []);
  const points: MetricPoint[] = [];
  const next: Record<string, number> = {};
  for (const [group, { series }] of states) {
    const known = ownEntry(upTo, group) ?? at - firstLook;
    let newest = known;
    for (const { metric, labels, times, values } of series.values()) {
      const time = times.at(-1);
      const value = values.at(-1);
      if (!wanted.has(metric) || time === undefined || value === undefined || time <= known) continue;
      newest = Math.max(newest, time);
      points.push({ metric, labels, value, at: time });
    }
    setEntry(next, group, newest);
  }
  const leftOut = Math.max(0, points.length - maxPoints);
  return { points: points.slice(0, maxPoints), upTo: next, leftOut };
}

/** Measurements of the monitor itself at a tick. */
export function ownPoints(
  { before, after }: { readonly before: SelfState; readonly after: SelfState },
  states: ReadonlyMap<string, PartitionState>,
  { incidents }: EnvironmentState,
  month: Availability | undefined,
  plan: Plan,
  at: number,
  now: number,
): MetricPoint[] {
  const point = (metric: OwnMetricName, value: number, labels: Record<string, string> = {}): MetricPoint => ({
    metric,
    labels,
    value,
    at,
  });
  const open = Map.groupBy(Object.values(incidents), ({ severity, diagnosis }) => `${severity}/${diagnosis.verdict}`);
  // Those that are usual are always there, so that a chart shows when there are none.
  const kinds = new Set([...open.keys(), "critical/platform", "critical/application", "warning/monitor"]);
  return [
    point("reports", Math.max(0, after.reports - before.reports)),
    point("checks_failing", Object.keys(after.checks).length),
    point("tick_delay", Math.max(0, now - at) / 1000),
    ...(after.signalledAt === 0 ? [] : [point("heartbeat_age", (at - after.signalledAt) / 1000)]),
    ...Array.from(states, ([group, { heard }]) =>
      heard === undefined ? [] : [point("report_age", Math.max(0, at - heard.at) / 1000, { group })],
    ).flat(),
    ...[...kinds].map((kind) => {
      const [severity = "", verdict = ""] = kind.split("/");
      return point("incidents_open", open.get(kind)?.length ?? 0, { severity, verdict });
    }),
    ...Object.entries(month?.components ?? {}).flatMap(([component, shares]) => {
      const ratio = upRatio(shares);
      if (ratio === undefined || month === undefined) return [];
      const { left } = errorBudget(month.period, shares, targetOf(plan.configuration, component));
      return [
        point("availability", ratio, { component }),
        ...(Number.isFinite(left) ? [point("error_budget_left", left, { component })] : []),
      ];
    }),
  ];
}

/** Reports that were taken in by these partitions, since they began. */
export function reportsIn(states: ReadonlyMap<string, PartitionState>): number {
  let sum = 0;
  for (const { heard } of states.values()) sum += heard?.count ?? 0;
  return sum;
}
