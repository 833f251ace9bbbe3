/** The dashboards: charts of metrics that exist, of this monitor, in their units. */

import type { Names } from "../../../shared/deployment/names.ts";
import { type Need, such } from "../../../shared/deployment/need.ts";
import { metrics } from "../../../shared/metrics/catalogue.ts";
import { defaultExports, exportPrefix, ownMetrics } from "../../../shared/metrics/exported.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { aligners, googleMetrics, readFilter } from "../metric-filter.ts";
import { same } from "../need.ts";
import { type Chart, chartsOfEnvironment, chartsOfMonitor } from "./charts.ts";

/** Returns the needs of dashboards. */
export function dashboardNeeds(names: Names): Need[] {
  const { project, prefix, deployment } = names;
  const source = "https://cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.dashboards";
  const board = (title: string, metricsOf: readonly string[], charts: readonly Chart[]): Need => ({
    type: "google_monitoring_dashboard",
    key: { project, title_in_json: title },
    why: `to see ${title}`,
    values: {
      dashboard_json: {
        is: such(
          "charts of metrics that exist, aligned as their kind allows, of this monitor's resources, with limits in their units",
          (value) => problems(value, metricsOf, charts, names).length === 0,
        ),
        why: "any other chart stays empty, or shows another monitor",
        source,
      },
    },
  });
  return [
    board(`${prefix}: ${deployment.title}`, defaultExports, chartsOfEnvironment),
    board(`${prefix}: the monitor itself`, ["reports", "report_age", "checks_failing"], chartsOfMonitor),
  ];
}

interface Board {
  readonly displayName: string;
  readonly mosaicLayout: { readonly columns: number; readonly tiles: readonly Tile[] };
}

interface Tile {
  readonly xPos?: number;
  readonly yPos?: number;
  readonly width: number;
  readonly height: number;
  readonly widget: {
    readonly title: string;
    readonly xyChart: {
      readonly dataSets: readonly DataSet[];
      readonly thresholds?: readonly { readonly value: number }[];
    };
  };
}

interface DataSet {
  readonly timeSeriesQuery: {
    readonly timeSeriesFilter: {
      readonly filter: string;
      readonly aggregation: {
        readonly alignmentPeriod: string;
        readonly perSeriesAligner: string;
        readonly crossSeriesReducer: string;
        readonly groupByFields?: readonly string[];
      };
    };
  };
}

/** Reads the title of a dashboard; `undefined` if it is not a dashboard. */
export function titleOf(value: unknown): string | undefined {
  try {
    return (JSON.parse(String(value)) as Board).displayName;
  } catch {
    return undefined;
  }
}

/** Returns the problems of a dashboard, as sentences. @param expected metrics that it must show @param charts that it must have */
export function problems(
  value: unknown,
  expected: readonly string[],
  charts: readonly Chart[],
  names: Names,
): string[] {
  let board: Board;
  try {
    board = JSON.parse(String(value)) as Board;
  } catch {
    return ["it is invalid JSON"];
  }
  const { columns, tiles } = board.mosaicLayout;
  const found: string[] = [];
  if (tiles.length > 50) found.push("it has more than 50 charts, which is the limit");
  const corners = new Set(tiles.map(({ xPos = 0, yPos = 0 }) => `${xPos}/${yPos}`));
  if (corners.size !== tiles.length) found.push("charts overlap");
  if (tiles.some(({ xPos = 0, width }) => xPos + width > columns || width < 4))
    found.push("charts extend beyond the grid");
  const shown = new Set<string>();
  for (const { widget } of tiles) {
    for (const { timeSeriesQuery } of widget.xyChart.dataSets) {
      const { filter, aggregation } = timeSeriesQuery.timeSeriesFilter;
      found.push(
        ...chartProblems(filter, aggregation, widget.xyChart.thresholds ?? [], names, shown).map(
          (problem) => `${widget.title}: ${problem}`,
        ),
      );
    }
  }
  for (const chart of charts) {
    const tile = tiles.find(({ widget }) => widget.title === chart.title);
    if (tile === undefined) found.push(`the chart "${chart.title}" is missing`);
    else if (!shows(tile, chart)) found.push(`the chart "${chart.title}" does not show what its title says`);
  }
  for (const metric of expected) if (!shown.has(metric)) found.push(`it does not show ${metric}`);
  return found;
}

/** Returns true if a chart shows its metric with the required aggregation and lines. */
function shows(
  { widget }: Tile,
  { metric, align = "ALIGN_MEAN", reduce = "REDUCE_MEAN", by = [], limits = [] }: Chart,
): boolean {
  const { dataSets, thresholds = [] } = widget.xyChart;
  const [set] = dataSets;
  if (set === undefined || dataSets.length > 1) return false;
  const { filter, aggregation } = set.timeSeriesQuery.timeSeriesFilter;
  return (
    readFilter(filter)?.get("metric.type")?.join() === metric &&
    aggregation.perSeriesAligner === align &&
    aggregation.crossSeriesReducer === reduce &&
    same(aggregation.groupByFields ?? [], by) &&
    same(
      thresholds.map(({ value }) => value),
      limits,
    )
  );
}

type Aggregation = DataSet["timeSeriesQuery"]["timeSeriesFilter"]["aggregation"];

function chartProblems(
  filter: string,
  aggregation: Aggregation,
  limits: readonly { readonly value: number }[],
  names: Names,
  shown: Set<string>,
): string[] {
  const { deployment, project, functions, name } = names;
  const read = readFilter(filter);
  const [metric = ""] = read?.get("metric.type") ?? [];
  const [resource] = read?.get("resource.type") ?? [];
  if (read === undefined || metric === "" || resource === undefined)
    return ["its filter does not name a metric and a resource"];
  const found: string[] = [];
  if (aggregation.alignmentPeriod !== "60s")
    found.push("the metric has one point per minute, so the alignment period must be 60s");
  const google = googleMetrics.get(metric);
  if (google !== undefined) {
    if (google.resource !== resource) found.push(`${metric} is not written for ${resource}`);
    if (!aligners(google).includes(aggregation.perSeriesAligner))
      found.push(`${aggregation.perSeriesAligner} does not fit ${metric}`);
    const own = [
      ["resource.labels.service_name", functions.map(name)],
      [
        "resource.labels.subscription_id",
        [...deployment.subscriptions.map((each) => name(each.name)), name("dead-letters-kept")],
      ],
    ] as const;
    for (const [key, all] of own) {
      const listed = read.get(key);
      if (listed !== undefined && [...listed].sort().join() !== [...all].sort().join())
        found.push(`${key} is not the value of this monitor`);
    }
    if (
      google.resource !== "vpc_access_connector" &&
      (read.get("resource.labels.project_id")?.join() !== project || read.size < 4)
    )
      found.push("it shows other projects as well");
    return found;
  }
  const exported = metric.startsWith(exportPrefix) ? metric.slice(exportPrefix.length) : "";
  const unit = ownEntry(ownMetrics, exported)?.unit ?? ownEntry(metrics, exported)?.unit;
  if (unit === undefined) return [`there is no metric ${metric}`];
  shown.add(exported);
  if (resource !== "generic_node" || read.get("resource.labels.node_id")?.join() !== deployment.environment)
    found.push("the filter must select generic_node and this environment, where the monitor writes its metrics");
  if (!["ALIGN_MEAN", "ALIGN_MAX", "ALIGN_MIN", "ALIGN_NEXT_OLDER"].includes(aggregation.perSeriesAligner))
    found.push(`${aggregation.perSeriesAligner} does not fit a gauge`);
  const most = unit === "ratio" ? 1 : unit === "seconds" ? 600 : Number.POSITIVE_INFINITY;
  if (limits.some(({ value }) => value <= 0 || value > most)) found.push(`a limit is not in ${unit}`);
  return found;
}
