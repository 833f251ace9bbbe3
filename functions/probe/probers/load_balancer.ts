/** The prober `load_balancer`: requests and latency of an external HTTPS load balancer, from Cloud Monitoring. */
import { z } from "zod";
import { googleProject, googleRegion, googleResource } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { monitoringProber, readingsOfResource } from "../google/monitoring-prober.ts";
import {
  fromMilliseconds,
  type Measured,
  monitoringNotes,
  nothingRead,
  numberIn,
  period,
  sampled,
  type WantedReading,
  wasRead,
  withoutSockets,
} from "../google/readings.ts";
import { classLabel, idleFinding, requestClasses, requestSamples } from "../google/requests.ts";
import { computeResource } from "../google/watched.ts";
import { always } from "../yields.ts";

const settings = lazily(() =>
  z
    .strictObject({
      project: googleProject(),
      scope: z
        .enum(["global", "regional"])
        .default("global")
        .describe("The type of external Application Load Balancer: global, or regional, which has its own metrics."),
      region: googleRegion()
        .optional()
        .describe("Region of a regional load balancer. Default: the region in `google_cloud`."),
      url_map: googleResource().optional().describe("The name of the URL map, which is the load balancer's name."),
      forwarding_rule: googleResource()
        .optional()
        .describe("The name of a forwarding rule, to count only its requests."),
      backend: z
        .string()
        .min(1)
        .optional()
        .describe("The name of a backend service, to count only the requests routed to it."),
      expect_traffic: z.boolean().default(false).describe("Whether the probe fails if there were no requests."),
      period: period(),
    })
    .refine(({ url_map, forwarding_rule }) => url_map !== undefined || forwarding_rule !== undefined, {
      message: "set url_map or forwarding_rule: the name of the load balancer, or of its frontend",
    })
    .refine(({ scope, region }) => scope === "global" || region !== undefined, {
      message: "a regional load balancer requires region",
      path: ["scope"],
    }),
);

/** Settings of a `load_balancer` probe; durations in milliseconds. */
export type LoadBalancerSettings = z.output<ReturnType<typeof settings>>;

type Reading = "requests" | "latency" | "backendLatency";

/** The prober `load_balancer`. */
export const loadBalancer = monitoringProber<LoadBalancerSettings, Reading, Readonly<Record<Reading, WantedReading>>>({
  kind: "load_balancer",
  title:
    "Reads the requests by class and the latencies of a global or regional external HTTPS load balancer and its backends from Cloud Monitoring.",
  role: "edge",
  settings,
  example: `project: shop-staging
url_map: shop-lb
`,
  notes: `## What is counted

Google counts a sample of the requests: request rates are estimates, error rates are accurate. An unused load balancer has no points at all: then
there are no error rates or latencies, request rates are 0, and the finding \`traffic\` reports it. That is not a failure unless \`expect_traffic\`
is set.
Compare its error rate with that of the services behind it to locate an error: the load balancer itself answered the requests that Cloud Run never
received.

A WebSocket is one request that lasts as long as it is open. The latencies exclude requests that were answered with 101; the request rate counts
them in the class \`1xx\`.

${monitoringNotes("up to 7 series per run", "3.5 minutes")}`,
  seriesRead: 7,
  looksAt: ({ url_map, forwarding_rule, backend, project }) => [
    ...computeResource("urlMaps", url_map, project),
    ...computeResource("forwardingRules", forwarding_rule, project),
    ...computeResource("backendServices", backend, project),
  ],
  yields: () => [
    ...always("load_balancer_error_rate", "load_balancer_latency", "load_balancer_backend_latency"),
    { metric: "load_balancer_request_rate", labels: { class: requestClasses } },
  ],

  readings: readingsOf,

  assess(settings, observed, { requests }) {
    const { failure, found, now } = observed;
    const metrics = { rate: "load_balancer_request_rate", errorRate: "load_balancer_error_rate" } as const;
    const measurements: Measured[] = [
      ...(wasRead(observed, "requests") ? requestSamples(found.requests, settings.period, metrics) : []),
      ...sampled("load_balancer_latency", fromMilliseconds(numberIn(found.latency))),
      ...sampled("load_balancer_backend_latency", fromMilliseconds(numberIn(found.backendLatency))),
    ];
    if (failure) return { failure, measurements };
    const nowhere = `there is no load balancer ${settings.url_map ?? settings.forwarding_rule}, or it has no traffic`;
    const idle = !found.requests;
    return {
      ...(idle && settings.expect_traffic ? { failure: nothingRead(requests, now, nowhere) } : {}),
      measurements,
      findings: idle ? [idleFinding(requests, now, "no requests", nowhere)] : [],
    };
  },
});

/** Delay from sampling to availability, in milliseconds. */
const delayMs = 210_000;

function readingsOf(settings: LoadBalancerSettings): Readonly<Record<Reading, WantedReading>> {
  const { scope, region, url_map, forwarding_rule, backend, period: periodMs } = settings;
  const isRegional = scope === "regional";
  const labels = {
    region: isRegional ? region : undefined,
    url_map_name: url_map,
    forwarding_rule_name: forwarding_rule,
    backend_target_name: backend,
  };
  const where = Object.entries(labels).flatMap(([label, value]) =>
    value === undefined ? [] : [[`resource.labels.${label}`, value] as const],
  );
  const reading = readingsOfResource({
    prefix: `loadbalancing.googleapis.com/https/${isRegional ? "external/regional/" : ""}`,
    resourceType: isRegional ? "http_external_regional_lb_rule" : "https_lb_rule",
    where: Object.fromEntries(where),
    periodMs,
    delayMs,
  });
  // Over all countries, caches and response classes at once: a percentile of percentiles would be meaningless.
  const slowest = { aligner: "ALIGN_DELTA", reducer: "REDUCE_PERCENTILE_95" } as const;
  return {
    requests: reading("request_count", { aligner: "ALIGN_DELTA", reducer: "REDUCE_SUM", groupBy: [classLabel] }),
    latency: { ...reading("total_latencies", slowest), filter: withoutSockets },
    backendLatency: { ...reading("backend_latencies", slowest), filter: withoutSockets },
  };
}
