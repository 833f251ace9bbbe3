/** The prober `cloud_run`: requests, latency and instances of a Cloud Run service, from Cloud Monitoring. */
import { z } from "zod";
import { googleResource } from "../../../shared/config/fields.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { monitoringProber, readingsOfResource } from "../google/monitoring-prober.ts";
import {
  fromMilliseconds,
  type Measured,
  monitoringNotes,
  nothingRead,
  numberIn,
  period,
  regional,
  sampled,
  valuesBy,
  type WantedReading,
  wasRead,
  withoutSockets,
} from "../google/readings.ts";
import { classLabel, idleFinding, requestClasses, requestSamples } from "../google/requests.ts";
import { runService } from "../google/watched.ts";
import { always, onlyWhere } from "../yields.ts";

/** The name of a log-based metric of the project. */
function logMetric(example: string) {
  return z.string().regex(/^(?!logging\.googleapis\.com)[\w./-]+$/, {
    error: () => `must be the name of a log-based metric without logging.googleapis.com, for example ${example}`,
  });
}

const settings = lazily(() =>
  z.strictObject({
    ...regional(),
    service: googleResource().describe("The name of the service."),
    failed_startups: logMetric("failed-startups")
      .optional()
      .describe("The name of the log-based metric that counts failed starts. Default: failed starts are not measured."),
    refused_requests: logMetric("refused-requests")
      .optional()
      .describe(
        "The name of the log-based metric that counts requests refused because no instance was available (429). Default: they are not measured.",
      ),
    utilization: z
      .boolean()
      .default(false)
      .describe("Whether to read the memory and CPU utilization of the instances too: 2 more series per run."),
    max_instances: z
      .int()
      .min(1)
      .optional()
      .describe(
        "The maximum number of instances of the service, for cloud_run_instance_utilization. No metric provides it.",
      ),
    expect_traffic: z
      .boolean()
      .default(false)
      .describe("Whether the probe fails if the service had neither requests nor instances."),
    period: period(),
  }),
);

/** Settings of a `cloud_run` probe; durations in milliseconds. */
export type CloudRunSettings = z.output<ReturnType<typeof settings>>;

type Reading = Always | Optional;
type Always = "requests" | "latency" | "instances" | "startups";
type Optional = "failedStartups" | "refused" | "memory" | "cpu";
type Readings = Readonly<Record<Always, WantedReading> & Partial<Record<Optional, WantedReading>>>;

/** The prober `cloud_run`. */
export const cloudRun = monitoringProber<CloudRunSettings, Reading, Readings>({
  kind: "cloud_run",
  title:
    "Reads a Cloud Run service's requests by class, latency, startup time, instances and failed starts from Cloud Monitoring.",
  role: "service",
  settings,
  example: `project: shop-staging
region: us-central1
service: backend
failed_startups: failed-startups
`,
  notes: `## Latency

To Cloud Run, a WebSocket is one request that lasts as long as it is open. The latency excludes requests that were answered with 101; the request
rate counts them in the class \`1xx\`.

## Failed starts

Google provides no count of failed starts. Create a log-based counter metric once, and set \`failed_startups\` to its name:

\`\`\`
gcloud logging metrics create failed-startups --description "Instances that failed to start" --log-filter '
  resource.type="cloud_run_revision" AND textPayload:"STARTUP" AND textPayload:"The instance was not started"'
\`\`\`

Cloud Run writes this line once for each instance that does not start, in addition to other lines about the exit of its container or a revision that
is not ready. Counting those as well would count one start several times, and count a container that ends with \`exit(0)\` as a failure. The metric
counts for all services; the probe reads only the count of its service.

## Requests that find no instance

A service at its maximum number of instances answers \`429\` with the text \`Rate exceeded.\`, and Cloud Run excludes these from its request count.
Create a log-based metric for them, as above, and set \`refused_requests\` to its name:

\`\`\`
gcloud logging metrics create refused-requests --description "Requests that found no instance" --log-filter '
  resource.type="cloud_run_revision" AND textPayload:"The request was aborted because there was no available instance"'
\`\`\`

## Without traffic

An unused service has no points at all. Then there are no error rates or latencies, request rates are 0, and the finding \`traffic\` reports it.
That is not a failure unless \`expect_traffic\` is set. Cloud Run does not count requests that never reach a revision, because calls to the service
are not permitted or the load balancer cannot reach it.

${monitoringNotes("up to 9 series a run, 2 more with `utilization`, and 1 more with `refused_requests`", "3 minutes")}`,
  requires: ({ failed_startups, refused_requests }) => {
    const logMetrics = [failed_startups, refused_requests].filter((name) => name !== undefined);
    return logMetrics.length === 0 ? {} : { logMetrics };
  },
  seriesRead: (settings) => 9 + (settings?.utilization ? 2 : 0) + (settings?.refused_requests === undefined ? 0 : 1),
  looksAt: ({ service, project, region }) => [runService(service, project, region)],
  yields: (settings) => [
    ...always("cloud_run_error_rate", "cloud_run_request_latency", "cloud_run_startup_latency"),
    { metric: "cloud_run_request_rate", labels: { class: requestClasses } },
    { metric: "cloud_run_instances", labels: { state: ["active", "idle"] } },
    ...onlyWhere(settings, ({ utilization }) => utilization, "with utilization", [
      "cloud_run_memory_utilization",
      "cloud_run_cpu_utilization",
    ]),
    ...onlyWhere(settings, ({ max_instances }) => max_instances !== undefined, "with max_instances", [
      "cloud_run_instance_utilization",
    ]),
    ...onlyWhere(settings, ({ refused_requests }) => refused_requests !== undefined, "with refused_requests", [
      "cloud_run_refused_requests",
    ]),
    ...onlyWhere(settings, ({ failed_startups }) => failed_startups !== undefined, "with failed_startups", [
      "failed_startups",
    ]),
  ],

  readings: readingsOf,

  assess(settings, observed, readings) {
    const { failure, found, now } = observed;
    const { service, region, expect_traffic, failed_startups, refused_requests, max_instances } = settings;
    const { period: periodMs } = settings;
    const instances = valuesBy(found.instances?.samples ?? [], stateLabel);
    const metrics = { rate: "cloud_run_request_rate", errorRate: "cloud_run_error_rate" } as const;
    const measurements: Measured[] = [
      ...(wasRead(observed, "requests") ? requestSamples(found.requests, periodMs, metrics) : []),
      ...sampled("cloud_run_request_latency", fromMilliseconds(numberIn(found.latency))),
      ...sampled("cloud_run_startup_latency", fromMilliseconds(numberIn(found.startups))),
      ...(wasRead(observed, "instances") ? ["active", "idle"] : []).map((state) => ({
        metric: "cloud_run_instances" as const,
        value: ownEntry(instances, state) ?? 0,
        labels: { state },
      })),
      // A log-based counter has no points while there are no matching logs.
      ...(failed_startups !== undefined && wasRead(observed, "failedStartups")
        ? sampled("failed_startups", numberIn(found.failedStartups) ?? 0)
        : []),
      ...(refused_requests !== undefined && wasRead(observed, "refused")
        ? sampled("cloud_run_refused_requests", numberIn(found.refused) ?? 0)
        : []),
      ...sampled("cloud_run_memory_utilization", numberIn(found.memory)),
      ...sampled("cloud_run_cpu_utilization", numberIn(found.cpu)),
      // Idle instances are available for the next requests: only active ones count towards the maximum.
      ...(max_instances === undefined || !wasRead(observed, "instances")
        ? []
        : sampled("cloud_run_instance_utilization", (ownEntry(instances, "active") ?? 0) / max_instances)),
    ];
    if (failure) return { failure, measurements };
    const idle = !found.requests && !found.instances;
    const nowhere = `there is no service ${service} in ${region}, or it has no traffic`;
    return {
      ...(idle && expect_traffic ? { failure: nothingRead(readings.requests, now, nowhere) } : {}),
      measurements,
      findings: idle ? [idleFinding(readings.requests, now, "neither requests nor instances", nowhere)] : [],
    };
  },
});

/** Delay from sampling to availability, in milliseconds; for metrics that Google has accelerated since, it only extends the lookback. */
const delayMs = 180_000;
const stateLabel = "metric.labels.state";

function readingsOf(settings: CloudRunSettings): Readings {
  const { region, service, failed_startups, refused_requests, utilization, period: periodMs } = settings;
  const reading = readingsOfResource({
    prefix: "",
    resourceType: "cloud_run_revision",
    where: { "resource.labels.service_name": service, "resource.labels.location": region },
    periodMs,
    delayMs,
  });
  const sumBy = (label: string) => ({ reducer: "REDUCE_SUM", groupBy: [label] }) as const;
  const counted = (logMetric: string): WantedReading =>
    reading(`logging.googleapis.com/user/${logMetric}`, { aligner: "ALIGN_DELTA", reducer: "REDUCE_SUM" });
  // Over all revisions and response classes at once: a percentile of percentiles would be meaningless.
  const slowest = { aligner: "ALIGN_DELTA", reducer: "REDUCE_PERCENTILE_95" } as const;
  return {
    requests: reading("run.googleapis.com/request_count", { aligner: "ALIGN_DELTA", ...sumBy(classLabel) }),
    latency: { ...reading("run.googleapis.com/request_latencies", slowest), filter: withoutSockets },
    instances: reading("run.googleapis.com/container/instance_count", { aligner: "ALIGN_MAX", ...sumBy(stateLabel) }),
    startups: reading("run.googleapis.com/container/startup_latencies", slowest),
    ...(failed_startups === undefined ? {} : { failedStartups: counted(failed_startups) }),
    ...(refused_requests === undefined ? {} : { refused: counted(refused_requests) }),
    ...(utilization
      ? {
          memory: reading("run.googleapis.com/container/memory/utilizations", slowest),
          cpu: reading("run.googleapis.com/container/cpu/utilizations", slowest),
        }
      : {}),
  };
}
