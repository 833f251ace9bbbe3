/**
 * Cloud Monitoring's `timeSeries.list` over series that were recorded here: filter, interval, alignment and reduction, with the shapes and the
 * refusals of the real one, as far as probers ask for them.
 *
 * Source: https://docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list
 */
import { ownEntry } from "../../../shared/runtime/entries.ts";

/** Type of a series' points. A distribution is stored as its individual values. */
export type PointValue = number | boolean | readonly number[];

/** One recorded series. */
export interface RecordedSeries {
  readonly metricType: string;
  readonly resourceType: string;
  /** By their full names, such as `resource.labels.location`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly kind: "GAUGE" | "DELTA";
  readonly type: "INT64" | "DOUBLE" | "BOOL" | "DISTRIBUTION";
  /** Oldest first: the end of the period that each stands for, in milliseconds since the epoch. */
  readonly points: readonly { readonly at: number; readonly value: PointValue }[];
}

/** An answer of one of Google's APIs. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Answers one request. @param query its parameters */
export function listTimeSeries(all: readonly RecordedSeries[], query: URLSearchParams): ApiAnswer {
  const start = Date.parse(query.get("interval.startTime") ?? "");
  const end = Date.parse(query.get("interval.endTime") ?? "");
  const period = Number(/^(\d+)s$/.exec(query.get("aggregation.alignmentPeriod") ?? "")?.[1]) * 1000;
  const aligner = query.get("aggregation.perSeriesAligner") ?? "ALIGN_NONE";
  const reducer = query.get("aggregation.crossSeriesReducer") ?? "REDUCE_NONE";
  const filter = query.get("filter") ?? "";
  const metricType = /metric\.type\s*=\s*"([^"]+)"/.exec(filter)?.[1];
  if (query.get("view") === null)
    return refused(400, "INVALID_ARGUMENT", "Field view had an invalid value: it is required");
  if (!(start < end)) return refused(400, "INVALID_ARGUMENT", "The interval must have a start before its end");
  if (metricType === undefined) return refused(400, "INVALID_ARGUMENT", "The filter must name exactly one metric.type");
  if (!(period >= 60_000))
    return refused(400, "INVALID_ARGUMENT", "aggregation.alignmentPeriod must be at least 60 seconds");
  const ofMetric = all.filter((series) => series.metricType === metricType);
  if (ofMetric.length === 0)
    return refused(404, "NOT_FOUND", `Cannot find metric(s) that match type = "${metricType}".`);
  try {
    const aligned = ofMetric
      .filter((series) => matches(series, filter))
      .map((series) => align(series, aligner, { start, end, period }))
      .filter(({ points }) => points.length > 0);
    const timeSeries = reduce(aligned, reducer, query.getAll("aggregation.groupByFields"));
    return { status: 200, body: { timeSeries: timeSeries.map((series) => written(series, period)), unit: "1" } };
  } catch (error) {
    return refused(400, "INVALID_ARGUMENT", (error as Error).message);
  }
}

/** A refusal in Google's shape. @param reason of google.rpc.ErrorInfo */
export function refused(status: number, code: string, message: string, reason?: string): ApiAnswer {
  const details = [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason }];
  return {
    status,
    body: { error: { code: status, message, status: code, ...(reason === undefined ? {} : { details }) } },
  };
}

/** Comparisons joined by AND, with one value or several (`one_of`), which is all that probers write. */
function matches({ labels, resourceType }: RecordedSeries, filter: string): boolean {
  const known: Readonly<Record<string, string>> = { ...labels, "resource.type": resourceType };
  const text = '"(?:[^"\\\\]|\\\\.)*"';
  const comparisons = filter.matchAll(new RegExp(`([\\w.]+)\\s*=\\s*(?:one_of\\(([^)]*)\\)|(${text}))`, "g"));
  return [...comparisons]
    .filter(([, name]) => name !== "metric.type")
    .every(([, name = "", several, one]) =>
      (JSON.parse(`[${several ?? one}]`) as string[]).includes(ownEntry(known, name) ?? ""),
    );
}

interface Aligned extends Omit<RecordedSeries, "points"> {
  /** One for each period that has any, newest first. */
  readonly points: readonly { readonly at: number; readonly value: PointValue }[];
}

/** One point for each period, counted back from the end of the interval, of which the start is not a part. */
function align(
  series: RecordedSeries,
  aligner: string,
  { start, end, period }: { readonly start: number; readonly end: number; readonly period: number },
): Aligned {
  const aligned = alignerFor(series, aligner, period / 1000);
  const points = [];
  for (let at = end; at > start; at -= period) {
    const values = series.points.filter((point) => point.at > at - period && point.at <= at && point.at > start);
    if (values.length > 0) points.push({ at, value: aligned.of(values.map(({ value }) => value)) });
  }
  return { ...series, ...aligned.as, points };
}

interface Aligner {
  readonly of: (values: readonly PointValue[]) => PointValue;
  readonly as: Partial<Pick<RecordedSeries, "kind" | "type">>;
}

/** @throws Error as Google words it, for an aligner that does not fit the series */
function alignerFor({ kind, type, metricType }: RecordedSeries, name: string, seconds: number): Aligner {
  const numeric = type === "INT64" || type === "DOUBLE";
  const percentile = /^ALIGN_PERCENTILE_(\d\d)$/.exec(name)?.[1];
  const gauge = { kind: "GAUGE", type: "DOUBLE" } as const;
  if (percentile !== undefined && type === "DISTRIBUTION")
    return { of: (values) => percentileOf(values.flat() as number[], Number(percentile)), as: gauge };
  if (name === "ALIGN_DELTA" && kind === "DELTA")
    return type === "DISTRIBUTION"
      ? { of: (values) => values.flat() as number[], as: {} }
      : { of: (values) => sum(values as number[]), as: {} };
  if (name === "ALIGN_RATE" && kind === "DELTA" && numeric)
    return { of: (values) => sum(values as number[]) / seconds, as: gauge };
  if (name === "ALIGN_NEXT_OLDER" && kind === "GAUGE") return { of: (values) => values.at(-1) ?? 0, as: {} };
  if (name === "ALIGN_FRACTION_TRUE" && type === "BOOL" && kind === "GAUGE")
    return { of: (values) => values.filter(Boolean).length / values.length, as: gauge };
  const plain = numeric ? ownEntry(numericAligners, name) : undefined;
  if (plain) return { of: (values) => plain(values as number[]), as: name === "ALIGN_MEAN" ? { type: "DOUBLE" } : {} };
  throw new Error(`The aligner ${name} cannot be applied to ${metricType}, a ${kind} of ${type}`);
}

const numericAligners: Readonly<Record<string, (values: readonly number[]) => number>> = {
  ALIGN_MIN: (values) => Math.min(...values),
  ALIGN_MAX: (values) => Math.max(...values),
  ALIGN_MEAN: (values) => sum(values) / values.length,
  ALIGN_SUM: (values) => sum(values),
  ALIGN_COUNT: (values) => values.length,
};

/** One series for each group, with the labels that tell the groups apart and no others. */
function reduce(all: readonly Aligned[], reducer: string, groupBy: readonly string[]): readonly Aligned[] {
  if (reducer === "REDUCE_NONE") return all;
  const keyOf = ({ labels }: Aligned): string => JSON.stringify(groupBy.map((field) => ownEntry(labels, field) ?? ""));
  return [...Map.groupBy(all, keyOf).values()].map((group) => {
    const [first] = group as [Aligned, ...Aligned[]];
    const combine = reducerFor(first, reducer);
    const instants = [...new Set(group.flatMap(({ points }) => points.map(({ at }) => at)))].sort((a, b) => b - a);
    return {
      ...first,
      ...(/PERCENTILE|MEAN/.test(reducer) ? { kind: "GAUGE" as const, type: "DOUBLE" as const } : {}),
      labels: Object.fromEntries(Object.entries(first.labels).filter(([label]) => groupBy.includes(label))),
      points: instants.map((at) => ({
        at,
        value: combine(
          group.flatMap(({ points }) => points.filter((point) => point.at === at).map(({ value }) => value)),
        ),
      })),
    };
  });
}

/** @throws Error as Google words it, for a reducer that does not fit the series */
function reducerFor({ type, metricType }: Aligned, name: string): (values: readonly PointValue[]) => PointValue {
  const percentile = /^REDUCE_PERCENTILE_(\d\d)$/.exec(name)?.[1];
  if (percentile !== undefined && type !== "BOOL")
    return (values) => percentileOf(values.flat() as number[], Number(percentile));
  const plain =
    type === "INT64" || type === "DOUBLE" ? ownEntry(numericAligners, name.replace("REDUCE", "ALIGN")) : undefined;
  if (plain) return (values) => plain(values as number[]);
  throw new Error(`The reducer ${name} cannot be applied to ${metricType}, aligned to ${type}`);
}

/** By linear interpolation between the values, as between the edges of buckets. */
function percentileOf(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function written({ metricType, resourceType, labels, kind, type, points }: Aligned, period: number): object {
  return {
    metric: { type: metricType, labels: own(labels, "metric") },
    resource: { type: resourceType, labels: own(labels, "resource") },
    metricKind: kind,
    valueType: type,
    points: points.map(({ at, value }) => ({
      interval: {
        startTime: new Date(kind === "GAUGE" ? at : at - period).toISOString(),
        endTime: new Date(at).toISOString(),
      },
      value: writtenValue(value, type),
    })),
  };
}

function own(labels: Readonly<Record<string, string>>, of: string): object {
  const prefix = `${of}.labels.`;
  const entries = Object.entries(labels).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

function writtenValue(value: PointValue, type: RecordedSeries["type"]): object {
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return type === "INT64" ? { int64Value: String(Math.round(value)) } : { doubleValue: value };
  const mean = value.length === 0 ? 0 : sum(value) / value.length;
  return { distributionValue: { count: String(value.length), mean } };
}
