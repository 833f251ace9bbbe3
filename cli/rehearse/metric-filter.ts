/** Filters of Cloud Monitoring, as far as alarms and charts use them, and the metrics of Google that they name. */

/** Reads a filter of comparisons joined by AND: the values that each key may have. `undefined` for anything else. */
export function readFilter(filter: unknown): ReadonlyMap<string, readonly string[]> | undefined {
  const found = new Map<string, readonly string[]>();
  for (const part of String(filter).split(/ AND /)) {
    const [, key = "", single, list] = /^\s*([\w.]+)\s*=\s*(?:("(?:[^"\\]|\\.)*")|one_of\((.*)\))\s*$/.exec(part) ?? [];
    if (key === "" || found.has(key)) return undefined;
    const texts = single ?? list ?? "";
    found.set(
      key,
      [...texts.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text),
    );
  }
  return found;
}

/** A metric that Google writes. */
export interface GoogleMetric {
  readonly resource: string;
  readonly kind: "GAUGE" | "DELTA";
  readonly type: "INT64" | "DOUBLE" | "BOOL" | "DISTRIBUTION";
}

/** Metrics of Google that alarms and charts use. https://cloud.google.com/monitoring/api/metrics_gcp */
export const googleMetrics: ReadonlyMap<string, GoogleMetric> = new Map([
  [
    "pubsub.googleapis.com/topic/send_message_operation_count",
    { resource: "pubsub_topic", kind: "DELTA", type: "INT64" },
  ],
  [
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
    { resource: "pubsub_subscription", kind: "GAUGE", type: "INT64" },
  ],
  [
    "pubsub.googleapis.com/subscription/num_undelivered_messages",
    { resource: "pubsub_subscription", kind: "GAUGE", type: "INT64" },
  ],
  [
    "pubsub.googleapis.com/subscription/dead_letter_message_count",
    { resource: "pubsub_subscription", kind: "DELTA", type: "INT64" },
  ],
  ["run.googleapis.com/request_count", { resource: "cloud_run_revision", kind: "DELTA", type: "INT64" }],
  ["run.googleapis.com/request_latencies", { resource: "cloud_run_revision", kind: "DELTA", type: "DISTRIBUTION" }],
  ["run.googleapis.com/container/instance_count", { resource: "cloud_run_revision", kind: "GAUGE", type: "INT64" }],
  ["vpcaccess.googleapis.com/connector/instances", { resource: "vpc_access_connector", kind: "GAUGE", type: "INT64" }],
]);

/** Aligners that fit a metric. https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#Aligner */
export function aligners({ kind, type }: GoogleMetric): readonly string[] {
  if (type === "DISTRIBUTION")
    return ["ALIGN_PERCENTILE_99", "ALIGN_PERCENTILE_95", "ALIGN_PERCENTILE_50", "ALIGN_DELTA"];
  if (kind === "DELTA") return ["ALIGN_DELTA", "ALIGN_RATE"];
  return ["ALIGN_MAX", "ALIGN_MEAN", "ALIGN_MIN", "ALIGN_NEXT_OLDER", "ALIGN_SUM"];
}
