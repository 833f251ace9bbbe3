/** The prober `cloud_monitoring`: any metric of Cloud Monitoring, as a metric of the catalogue. */
import { z } from "zod";
import { duration, googleProject } from "../../../shared/config/fields.ts";
import { metricNames, metrics } from "../../../shared/metrics/catalogue.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { formatDuration, type Unit } from "../../../shared/text/units.ts";
import { monitoringProber } from "../google/monitoring-prober.ts";
import { type Measured, monitoringNotes, nothingRead, period } from "../google/readings.ts";
import { aligners, type Reading, reducers, type Sample } from "../google/series.ts";
import { always, fixed } from "../yields.ts";

const settings = lazily(() =>
  z
    .strictObject({
      project: googleProject(),
      metric_type: z
        .string()
        .regex(/^[a-z0-9.-]+\.[a-z]+\/[\w./-]+$/, {
          error: ({ input }) => `invalid metric type "${input}": write one such as run.googleapis.com/request_count`,
        })
        .describe("The metric type, such as pubsub.googleapis.com/subscription/num_undelivered_messages."),
      resource_type: z.string().min(1).optional().describe("The monitored resource type, such as pubsub_subscription."),
      filter: z
        .string()
        .min(1)
        .optional()
        .describe(
          "Additional conditions in the Monitoring filter language, such as resource.labels.topic_id = orders.",
        ),
      aligner: z
        .enum(aligners)
        .describe(
          "How the points of one period are combined: ALIGN_DELTA or ALIGN_RATE for a counter, ALIGN_MEAN or ALIGN_MAX for a gauge, ALIGN_FRACTION_TRUE for a boolean, ALIGN_PERCENTILE_95 for a distribution.",
        ),
      reducer: z
        .enum(reducers)
        .default("REDUCE_NONE")
        .describe("How several series are combined into one, or into one per group."),
      group_by: z
        .array(labelPath())
        .default([])
        .describe("Labels to group by, such as metric.labels.response_code_class."),
      period: period(),
      delay: duration()
        .refine((value) => value <= longestDelayMs, {
          error: () => `must be at most ${formatDuration(longestDelayMs)}`,
        })
        .prefault("4m")
        .describe("The ingestion delay of the metric, as documented by Google: the time until a point can be read."),
      metric: z.enum(metricNames).describe("The metric of the catalogue to record it as."),
      unit: z
        .enum(writtenUnits)
        .optional()
        .describe("The unit of the value in Cloud Monitoring. Default: the base unit of the metric."),
      labels: namedRecord(z.string(), z.string()).default({}).describe("Labels of the samples, such as name."),
      label_from: namedRecord(z.string(), labelPath())
        .default({})
        .describe("Labels of the samples that are copied from labels of the series: { group: metric.labels.state }."),
      empty: z
        .enum(["fail", "zero", "ignore"])
        .default("fail")
        .describe(
          "How to treat a missing point: the probe fails, the value is 0 (for example, for a counter without events), or the sample is omitted.",
        ),
    })
    .check((context) => {
      for (const [field, message] of problems(context.value))
        context.issues.push({ code: "custom", message, path: [field], input: context.value });
    }),
);

/** Settings of a `cloud_monitoring` probe; durations in milliseconds. */
export type CloudMonitoringSettings = z.output<ReturnType<typeof settings>>;

/** Supported units of a metric in Cloud Monitoring. */
const writtenUnits = ["count", "ratio", "%", "s", "ms", "us", "ns", "B", "KiB", "MiB"] as const;
type WrittenUnit = (typeof writtenUnits)[number];

/** The corresponding unit of the catalogue, and the factor. */
const scales: Readonly<Record<WrittenUnit, readonly [Unit, number]>> = {
  count: ["count", 1],
  ratio: ["ratio", 1],
  "%": ["ratio", 0.01],
  s: ["seconds", 1],
  ms: ["seconds", 1e-3],
  us: ["seconds", 1e-6],
  ns: ["seconds", 1e-9],
  B: ["bytes", 1],
  KiB: ["bytes", 2 ** 10],
  MiB: ["bytes", 2 ** 20],
};

/** More series than this are not a measurement of a component. */
const maxSeries = 100;
const longestDelayMs = 3_600_000;
const labelPath = lazily(() =>
  z.string().regex(/^(metric|resource)\.labels\.\w+$/, {
    error: ({ input }) => `invalid series label "${input}": write metric.labels.NAME or resource.labels.NAME`,
  }),
);

/** The prober `cloud_monitoring`. */
export const cloudMonitoring = monitoringProber<CloudMonitoringSettings, "value", { readonly value: Reading }>({
  kind: "cloud_monitoring",
  title:
    "Reads any metric from Cloud Monitoring, custom metrics included, and records it as a metric of the catalogue.",
  settings,
  example: `project: shop-staging
metric_type: pubsub.googleapis.com/subscription/oldest_unacked_message_age
resource_type: pubsub_subscription
filter: resource.labels.subscription_id = "orders"
aligner: ALIGN_MAX
reducer: REDUCE_MAX
metric: cloud_monitoring_seconds
labels: { name: order_age }
`,
  notes: `## Which aligner

| type of the metric | aligner |
|---|---|
| a gauge (a level) | \`ALIGN_MEAN\`, \`ALIGN_MAX\`, \`ALIGN_MIN\`; \`ALIGN_NEXT_OLDER\` for the last value |
| a counter (DELTA, CUMULATIVE) | \`ALIGN_DELTA\` for the increase in a period, \`ALIGN_RATE\` for the increase per second; never \`ALIGN_MEAN\` |
| true or false | \`ALIGN_FRACTION_TRUE\` |
| a distribution | \`ALIGN_PERCENTILE_95\` of one series; \`ALIGN_DELTA\` with \`REDUCE_PERCENTILE_95\` over several |

Counts and sums are read only up to the time for which every point has arrived (\`delay\`); of a gauge, the newest point counts.

Metrics without a place in the [catalogue](../metrics.md) become \`cloud_monitoring_count\`, \`cloud_monitoring_ratio\`,
\`cloud_monitoring_seconds\` or \`cloud_monitoring_bytes\`, distinguished by the label \`name\`: \`cloud_monitoring_seconds{name="order_age"} > 5m\`.

${monitoringNotes("as many series per run as the reducer and group_by leave", "the time set in delay")}`,
  seriesRead: 1,
  yields: (settings) => [
    ...(settings === undefined
      ? always("cloud_monitoring_count", "cloud_monitoring_ratio", "cloud_monitoring_seconds", "cloud_monitoring_bytes")
      : [{ metric: settings.metric, labels: fixed(settings.labels) }]),
  ],

  readings: (settings) => ({ value: readingOf(settings) }),

  assess(settings, { failure, found, now }, { value: reading }) {
    if (failure) return { failure, measurements: [] };
    const { metric, labels, empty } = settings;
    if (!found.value)
      return {
        ...(empty === "fail"
          ? { failure: nothingRead(reading, now, "no series matches the filter, or no data is reported") }
          : {}),
        measurements: empty === "zero" ? [{ metric, value: 0, labels }] : [],
      };
    const { samples } = found.value;
    const tooMany = `${samples.length} series match, more than ${maxSeries}: narrow the filter, or set a reducer`;
    return {
      ...(samples.length > maxSeries ? { failure: { kind: "protocol", phase: "series", message: tooMany } } : {}),
      measurements: samples.slice(0, maxSeries).map((sample) => measured(sample, settings)),
    };
  },
});

function readingOf(settings: CloudMonitoringSettings): Reading {
  const { metric_type, resource_type, filter, aligner, reducer, group_by, period: periodMs, delay } = settings;
  return {
    metricType: metric_type,
    resourceType: resource_type,
    filter,
    aligner,
    reducer,
    groupBy: group_by,
    periodMs,
    delayMs: delay,
  };
}

function measured({ labels: seen, value }: Sample, settings: CloudMonitoringSettings): Measured {
  const { metric, unit, labels, label_from } = settings;
  const taken = Object.entries(label_from).map(([label, path]) => [label, ownEntry(seen, path) ?? ""]);
  const scale = unit === undefined ? 1 : scales[unit][1];
  return { metric, value: value * scale, labels: { ...labels, ...Object.fromEntries(taken) } };
}

function problems(settings: CloudMonitoringSettings): [string, string][] {
  const { metric, unit, labels, label_from, reducer, group_by } = settings;
  const wrong: [string, string][] = [];
  const known = metrics[metric];
  if (unit !== undefined && scales[unit][0] !== known.unit) {
    const fitting = Object.entries(scales).filter(([, [of]]) => of === known.unit);
    wrong.push(["unit", `${metric} is in ${known.unit}: write one of ${fitting.map(([name]) => name).join(", ")}`]);
  }
  if (/^(probe|http|tls)_|^data_age$/.test(metric))
    wrong.push(["metric", `the probe itself measures ${metric}: choose another metric`]);
  const carried = known.labels ?? [];
  for (const [field, names] of [
    ["labels", labels],
    ["label_from", label_from],
  ] as const) {
    for (const label of Object.keys(names)) {
      if (carried.includes(label)) continue;
      const advice = carried.length === 0 ? "it has none" : `it has ${carried.join(", ")}`;
      wrong.push([field, `${metric} has no label "${label}": ${advice}`]);
    }
  }
  if (group_by.length > 0 && reducer === "REDUCE_NONE")
    wrong.push(["group_by", "group_by requires a reducer, which combines each group into one series"]);
  return wrong;
}
