/** The prober `memorystore`: memory, clients and refusals of a Memorystore for Redis instance, from Cloud Monitoring. */
import { z } from "zod";
import { googleResource } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { monitoringProber, readingsOfResource } from "../google/monitoring-prober.ts";
import {
  type Measured,
  monitoringNotes,
  nothingRead,
  numberIn,
  period,
  regional,
  sampled,
  type WantedReading,
} from "../google/readings.ts";
import { always, onlyWhere } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    ...regional(),
    instance: googleResource().describe("The name of the instance."),
    max_clients: z
      .int()
      .min(1)
      .optional()
      .describe(
        "The client limit of the instance, for memorystore_client_utilization: 65000, unless the instance sets a lower limit.",
      ),
    period: period(),
  }),
);

/** Settings of a `memorystore` probe; durations in milliseconds. */
export type MemorystoreSettings = z.output<ReturnType<typeof settings>>;

type Reading = "memory" | "systemMemory" | "clients" | "rejected" | "evicted";

/** The prober `memorystore`. */
export const memorystore = monitoringProber<MemorystoreSettings, Reading, Readonly<Record<Reading, WantedReading>>>({
  kind: "memorystore",
  title:
    "Reads the memory usage, clients, refused connections and evicted keys of a Memorystore for Redis instance from Cloud Monitoring.",
  role: "cache",
  settings,
  example: `project: shop-staging
region: us-central1
instance: shop-redis
max_clients: 65000
`,
  notes: `Use a [\`redis\`](redis.md) probe to check that the instance responds; this probe measures its remaining capacity. It fails only if there
are no points to read. The figures are those of the fullest node.

${monitoringNotes("5 series per run", "4 minutes")}`,
  seriesRead: 5,
  looksAt: ({ instance, project, region: location }) => [
    { api: "redis.googleapis.com", collection: "instances", name: instance, project, location },
  ],
  yields: (settings) => [
    ...always(
      "memorystore_memory_utilization",
      "memorystore_system_memory_utilization",
      "memorystore_clients",
      "memorystore_rejected_connections",
      "memorystore_evicted_keys",
    ),
    ...onlyWhere(settings, ({ max_clients }) => max_clients !== undefined, "with max_clients", [
      "memorystore_client_utilization",
    ]),
  ],

  readings: readingsOf,

  assess({ instance, region, max_clients }, { failure, found, now }, readings) {
    if (!failure && !found.memory) {
      const why = `there is no instance ${instance} in ${region}, it was just created, or it reports nothing`;
      return { failure: nothingRead(readings.memory, now, why), measurements: [] };
    }
    const clients = numberIn(found.clients);
    const measurements: Measured[] = [
      ...sampled("memorystore_memory_utilization", numberIn(found.memory)),
      ...sampled("memorystore_system_memory_utilization", numberIn(found.systemMemory)),
      ...sampled("memorystore_clients", clients),
      ...(clients === undefined || max_clients === undefined
        ? []
        : sampled("memorystore_client_utilization", Math.min(1, clients / max_clients))),
      ...sampled("memorystore_rejected_connections", numberIn(found.rejected)),
      ...sampled("memorystore_evicted_keys", numberIn(found.evicted)),
    ];
    return { ...(failure ? { failure } : {}), measurements };
  },
});

/** Delay from sampling to availability, in milliseconds. */
const delayMs = 240_000;

function readingsOf({
  project,
  region,
  instance,
  period: periodMs,
}: MemorystoreSettings): Readonly<Record<Reading, WantedReading>> {
  const reading = readingsOfResource({
    prefix: "redis.googleapis.com/",
    resourceType: "redis_instance",
    where: { "resource.labels.instance_id": `projects/${project}/locations/${region}/instances/${instance}` },
    periodMs,
    delayMs,
  });
  const fullest = { aligner: "ALIGN_MEAN", reducer: "REDUCE_MAX" } as const;
  const counted = { aligner: "ALIGN_DELTA", reducer: "REDUCE_SUM" } as const;
  return {
    memory: reading("stats/memory/usage_ratio", fullest),
    systemMemory: reading("stats/memory/system_memory_usage_ratio", fullest),
    clients: reading("clients/connected", fullest),
    rejected: reading("stats/reject_connections_count", counted),
    evicted: reading("stats/evicted_keys", counted),
  };
}
