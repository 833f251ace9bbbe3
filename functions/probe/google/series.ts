/**
 * Reads time series from Cloud Monitoring: one request for each metric, aggregated by Google, because every returned series is billed.
 *
 * A point can be read only after a delay, which Google documents for each metric (`metadata.ingestDelay` of its descriptor). Therefore the
 * window covers that delay and two more periods, and an empty window means that there are no points. Counts and sums must be complete, and are
 * read only up to the time for which every point has arrived; of any other metric, the newest point counts.
 *
 * Source: https://docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list
 */
import { z } from "zod";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { ProbeFault } from "../net/faults.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, TargetText } from "../text/target-text.ts";
import { ask } from "./refusal.ts";

/** How the points of one series are combined within one period. */
export const aligners = [
  "ALIGN_NEXT_OLDER",
  "ALIGN_MIN",
  "ALIGN_MAX",
  "ALIGN_MEAN",
  "ALIGN_SUM",
  "ALIGN_COUNT",
  "ALIGN_DELTA",
  "ALIGN_RATE",
  "ALIGN_COUNT_TRUE",
  "ALIGN_COUNT_FALSE",
  "ALIGN_FRACTION_TRUE",
  "ALIGN_PERCENTILE_99",
  "ALIGN_PERCENTILE_95",
  "ALIGN_PERCENTILE_50",
  "ALIGN_PERCENTILE_05",
] as const;

/** How series are combined into one, or into one per group. */
export const reducers = [
  "REDUCE_NONE",
  "REDUCE_SUM",
  "REDUCE_MEAN",
  "REDUCE_MIN",
  "REDUCE_MAX",
  "REDUCE_COUNT",
  "REDUCE_COUNT_TRUE",
  "REDUCE_FRACTION_TRUE",
  "REDUCE_PERCENTILE_99",
  "REDUCE_PERCENTILE_95",
  "REDUCE_PERCENTILE_50",
  "REDUCE_PERCENTILE_05",
] as const;

/** A reading: one metric, aggregated. */
export interface Reading {
  /** As in `run.googleapis.com/request_count`. */
  readonly metricType: string;
  /** As in `cloud_run_revision`. @default any */
  readonly resourceType?: string | undefined;
  /** Labels that the series must have, such as `resource.labels.service_name`. */
  readonly where?: Readonly<Record<string, string>> | undefined;
  /** Additional conditions in the Monitoring filter language, joined by AND. */
  readonly filter?: string | undefined;
  readonly aligner: (typeof aligners)[number];
  /** @default REDUCE_NONE */
  readonly reducer?: (typeof reducers)[number] | undefined;
  /** Labels that distinguish the resulting series, such as `metric.labels.state`. */
  readonly groupBy?: readonly string[] | undefined;
  /** The time that one point covers, in milliseconds; Cloud Monitoring accepts no less than a minute. */
  readonly periodMs: number;
  /** Time until a point can be read, in milliseconds. */
  readonly delayMs: number;
}

/** One series at one instant. */
export interface Sample {
  /** By their full names, such as `metric.labels.state`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The result of a reading: all series at the newest instant that has any point. */
export interface Found {
  /** The end of the period that the samples cover, in milliseconds since the epoch. */
  readonly at: number;
  readonly samples: readonly Sample[];
}

/** A time range, its start excluded and its end included, in milliseconds since the epoch. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

const minuteMs = 60_000;
/** Number of periods to read in addition to the delay: one may have ended just after the last run, and one may be late. */
const periods = 2;
const pageSize = 1_000;
/** More pages than this indicate a reading without aggregation. */
const maxPages = 5;

/** Returns the time range of a reading. It ends on a whole minute, as periods do, so that a repeated reading returns the same. */
export function windowOf({ aligner, reducer, periodMs, delayMs }: Reading, now: number): Window {
  const complete = /_(DELTA|RATE|SUM|COUNT)$/.test(aligner) || /_(SUM|COUNT)$/.test(reducer ?? "");
  const end = Math.floor((now - (complete ? delayMs : 0)) / minuteMs) * minuteMs;
  return { start: end - (complete ? 0 : delayMs) - periods * periodMs, end };
}

/** Returns the URL of a reading, without a page token. */
export function urlOf(reading: Reading, project: string, { start, end }: Window): URL {
  const { aligner, reducer = "REDUCE_NONE", groupBy = [], periodMs } = reading;
  const url = new URL(`https://monitoring.googleapis.com/v3/projects/${encodeURIComponent(project)}/timeSeries`);
  const parameters: readonly (readonly [string, string])[] = [
    ["filter", filterOf(reading)],
    ["interval.startTime", new Date(start).toISOString()],
    ["interval.endTime", new Date(end).toISOString()],
    ["aggregation.alignmentPeriod", `${periodMs / 1000}s`],
    ["aggregation.perSeriesAligner", aligner],
    ["aggregation.crossSeriesReducer", reducer],
    ...groupBy.map((field) => ["aggregation.groupByFields", field] as const),
    ["view", "FULL"],
    ["pageSize", String(pageSize)],
  ];
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return url;
}

/** Returns the filter of a reading, in the Monitoring filter language. */
export function filterOf({ metricType, resourceType, where = {}, filter }: Reading): string {
  const labels = Object.entries(where).map(([label, value]) => `${label} = ${JSON.stringify(value)}`);
  return [
    `metric.type = ${JSON.stringify(metricType)}`,
    ...(resourceType === undefined ? [] : [`resource.type = ${JSON.stringify(resourceType)}`]),
    ...labels,
    ...(filter === undefined ? [] : [`(${filter})`]),
  ].join(" AND ");
}

/**
 * Reads one metric.
 * @returns `undefined` when there is no point in the window
 * @throws GoogleApiError when Cloud Monitoring refuses; ProbeFault when its answer cannot be understood or is not complete
 */
export async function read(
  reading: Reading,
  project: string,
  world: Pick<ProbeWorld, "google" | "signal" | "conceal" | "now">,
): Promise<Found | undefined> {
  const url = urlOf(reading, project, windowOf(reading, world.now()));
  const series: Series[] = [];
  for (let page = 0; page < maxPages; page++) {
    const answer = parsePage(await ask({ url: url.href }, world));
    series.push(...answer.series);
    if (answer.next === "") return newest(series);
    url.searchParams.set("pageToken", answer.next);
  }
  throw new ProbeFault(
    "protocol",
    `${reading.metricType} has more than ${maxPages * pageSize} series here: narrow the filter, or set a reducer`,
  );
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** Returns all series at the newest instant. A series without a point there had nothing to count. */
function newest(series: readonly Series[]): Found | undefined {
  const at = series.flatMap(({ points }) => points).reduce((latest, point) => Math.max(latest, point.at), 0);
  if (at === 0) return undefined;
  const samples = series.flatMap(({ labels, points }) =>
    points.filter((point) => point.at === at).map(({ value }) => ({ labels, value })),
  );
  return { at, samples };
}

const described = lazily(() => z.object({ labels: namedRecord(z.string(), z.string()).optional() }).optional());

/** The answer of `timeSeries.list`, with the fields that are read. 64-bit integers are texts in it. */
const pageSchema = lazily(() =>
  z.object({
    timeSeries: z
      .array(
        z.object({
          metric: described(),
          resource: described(),
          points: z
            .array(
              z.object({
                interval: z.object({ endTime: z.iso.datetime({ offset: true }) }),
                value: z.object({
                  boolValue: z.boolean().optional(),
                  int64Value: z.union([z.string(), z.number()]).optional(),
                  doubleValue: z.union([z.number(), z.string()]).optional(),
                  stringValue: z.string().optional(),
                  distributionValue: z.object({ mean: z.number().optional(), count: z.string().optional() }).optional(),
                }),
              }),
            )
            .default([]),
        }),
      )
      .default([]),
    nextPageToken: z.string().default(""),
    executionErrors: z.array(z.object({ message: z.string().optional() })).default([]),
  }),
);

/** Reads one page of an answer. @throws ProbeFault */
export function parsePage(answer: unknown): { readonly series: readonly Series[]; readonly next: string } {
  const page = pageSchema().safeParse(answer);
  if (!page.success) {
    const { path, message } = page.error.issues[0] ?? { path: [], message: "" };
    throw new ProbeFault(
      "protocol",
      `Cloud Monitoring did not return a list of time series: ${path.join(".") || "it"}: ${message}`,
    );
  }
  const { timeSeries, nextPageToken: next, executionErrors } = page.data;
  if (executionErrors.length > 0)
    throw new ProbeFault(
      "unavailable",
      cite`Cloud Monitoring could not read all the requested data: ${TargetText.of(executionErrors[0]?.message ?? "no reason given")}`,
    );
  const series = timeSeries.map(({ metric, resource, points }) => ({
    labels: { ...prefixed("metric", metric?.labels), ...prefixed("resource", resource?.labels) },
    points: points.map(({ interval, value }) => ({ at: Date.parse(interval.endTime), value: numberOf(value) })),
  }));
  return { series, next };
}

function numberOf(
  value: z.infer<ReturnType<typeof pageSchema>>["timeSeries"][number]["points"][number]["value"],
): number {
  const { boolValue, int64Value, doubleValue, stringValue, distributionValue } = value;
  if (boolValue !== undefined) return boolValue ? 1 : 0;
  if (stringValue !== undefined)
    throw new ProbeFault("protocol", "the metric has text values: read a numeric metric instead");
  // A distribution without values has neither a mean nor a count.
  const number = distributionValue ? (distributionValue.mean ?? 0) : Number(doubleValue ?? int64Value);
  if (!Number.isFinite(number))
    throw new ProbeFault("protocol", "Cloud Monitoring returned a data point without a number");
  return number;
}

function prefixed(of: string, own: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(own).map(([name, value]) => [`${of}.labels.${name}`, value]));
}
