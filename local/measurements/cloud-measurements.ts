/** Measurements as Cloud Monitoring has them, where the evaluator exports them. https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list */
import { z } from "zod";
import { exportPrefix } from "../../shared/metrics/exported.ts";
import { type GoogleApi, GoogleApiError } from "../../shared/ports.ts";
import { lazily } from "../../shared/runtime/lazily.ts";
import { namedRecord } from "../../shared/runtime/named-record.ts";
import { type Measurements, type Points, partLength, type SeriesName, type Span } from "./measurements.ts";

/** Source of the measurements. */
export interface CloudMeasurementsOptions {
  readonly google: Pick<GoogleApi, "request">;
  readonly projectId: string;
  /** The environment that is watched: several may report to one project. */
  readonly environment: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Lookback for listing series, in milliseconds. A series needs a point within it. */
const listedMs = 7 * 86_400_000;
/** Cache lifetime of a list of series, in milliseconds. */
const freshMs = 300_000;
/** The shortest alignment period of Cloud Monitoring, in milliseconds. */
const minPartMs = 60_000;
const pageSize = 10_000;
/** The most pages of a list. */
const maxPages = 10;

const answerSchema = lazily(() =>
  z.object({
    nextPageToken: z.string().optional(),
    timeSeries: z
      .array(
        z.object({
          metric: z.object({ type: z.string(), labels: namedRecord(z.string(), z.string()).default({}) }),
          points: z
            .array(
              z.object({
                interval: z.object({ endTime: z.string() }),
                value: z.object({ doubleValue: z.number().optional(), int64Value: z.coerce.number().optional() }),
              }),
            )
            .default([]),
        }),
      )
      .default([]),
  }),
);

type TimeSeries = z.output<ReturnType<typeof answerSchema>>["timeSeries"][number];

/** Reads with the credentials of the user who runs the command. */
export function cloudMeasurements({ google, projectId, environment, now }: CloudMeasurementsOptions): Measurements {
  let known: { readonly at: number; readonly names: Promise<readonly SeriesName[]> } | undefined;
  const list = async (filter: string, parameters: Readonly<Record<string, string>>): Promise<TimeSeries[]> => {
    const found: TimeSeries[] = [];
    let token: string | undefined;
    for (let page = 0; page < maxPages; page++) {
      const query = new URLSearchParams({ ...parameters, filter, pageSize: String(pageSize) });
      if (token !== undefined) query.set("pageToken", token);
      const url = `https://monitoring.googleapis.com/v3/projects/${encodeURIComponent(projectId)}/timeSeries?${query}`;
      const answer = answerSchema().parse(await google.request({ url }));
      found.push(...answer.timeSeries);
      token = answer.nextPageToken;
      if (token === undefined || token === "") break;
    }
    return found;
  };
  const ours = `resource.type = "generic_node" AND resource.labels.node_id = ${quoted(environment)}`;
  const names = async (): Promise<readonly SeriesName[]> => {
    const at = now();
    if (known === undefined || at - known.at > freshMs) {
      const filter = `metric.type = starts_with(${quoted(exportPrefix)}) AND ${ours}`;
      const reading = list(filter, { ...intervalOf(at - listedMs, at), view: "HEADERS" }).then((all) =>
        all.flatMap(nameOf),
      );
      known = { at, names: reading };
      reading.catch(() => {
        known = undefined;
      });
    }
    return known.names;
  };
  const aligned = async (name: SeriesName, span: Span, aligner: string): Promise<Map<number, number>> => {
    const part = partLength(span, minPartMs);
    const labels = { ...name.labels, probe: name.probe, component: name.component };
    const filter = [
      `metric.type = ${quoted(`${exportPrefix}${name.metric}`)}`,
      ours,
      ...Object.entries(labels).map(([label, value]) => `metric.labels.${label} = ${quoted(value)}`),
    ].join(" AND ");
    const series = await list(filter, {
      ...intervalOf(span.from, span.until),
      "aggregation.alignmentPeriod": `${Math.round(part / 1_000)}s`,
      "aggregation.perSeriesAligner": aligner,
    });
    const points = series.flatMap((one) => one.points);
    return new Map(
      points.flatMap(({ interval, value: { doubleValue, int64Value } }) => {
        const value = doubleValue ?? int64Value;
        return value === undefined ? [] : [[Date.parse(interval.endTime) - part, value] as const];
      }),
    );
  };
  return {
    series: async (component) =>
      (await names()).filter((one) => component === undefined || one.component === component),
    read: async (name, span): Promise<Points> => {
      const [p50, p95] = await Promise.all([
        aligned(name, span, "ALIGN_PERCENTILE_50"),
        aligned(name, span, "ALIGN_PERCENTILE_95"),
      ]);
      const at = [...p50.keys()].sort((a, b) => a - b);
      const middle = at.map((instant) => p50.get(instant) ?? 0);
      return { at, p50: middle, p95: at.map((instant, index) => p95.get(instant) ?? middle[index] ?? 0) };
    },
  };
}

/** A sentence for an error of Cloud Monitoring, with what is missing. */
export function monitoringFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const isDenied = error instanceof GoogleApiError && error.status === 403;
  return `cannot read Cloud Monitoring, so there are no charts: ${message}${isDenied ? "; the role roles/monitoring.viewer allows it" : ""}`;
}

function nameOf({ metric: { type, labels } }: TimeSeries): SeriesName[] {
  const { probe = "", component = "", vantage: _, ...own } = labels;
  if (probe === "" || component === "") return [];
  return [{ component, probe, metric: type.slice(exportPrefix.length), labels: own }];
}

function intervalOf(from: number, until: number): Record<string, string> {
  return { "interval.startTime": new Date(from).toISOString(), "interval.endTime": new Date(until).toISOString() };
}

/** A text in a filter of Cloud Monitoring. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
