/** The prober `cloud_sql`: the state and the resource usage of a Cloud SQL instance for PostgreSQL, from Cloud Monitoring. */
import { z } from "zod";
import { googleProject } from "../../../shared/config/fields.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { cloudSqlInstance, cloudSqlReading, connectionsReading } from "../google/cloud-sql.ts";
import { monitoringProber } from "../google/monitoring-prober.ts";
import {
  agoOf,
  type Measured,
  monitoringNotes,
  nothingRead,
  numberIn,
  type Observed,
  period,
  sampled,
  type WantedReading,
} from "../google/readings.ts";
import type { Found } from "../google/series.ts";
import { sqlInstance } from "../google/watched.ts";
import type { SeenFailure } from "../net/faults.ts";
import { always, onlyWhere } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    project: googleProject(),
    instance: cloudSqlInstance(),
    max_connections: z
      .int()
      .min(1)
      .optional()
      .describe("The connection limit of the server, for cloud_sql_connection_utilization. No metric provides it."),
    period: period(),
  }),
);

/** Settings of a `cloud_sql` probe; durations in milliseconds. */
export type CloudSqlSettings = z.output<ReturnType<typeof settings>>;

type Reading = Always | "state";
type Always = "up" | "running" | "cpu" | "memory" | "disk" | "reads" | "writes" | "connections" | "newConnections";

/** The prober `cloud_sql`. */
export const cloudSql = monitoringProber<CloudSqlSettings, Reading, Readonly<Record<Always, WantedReading>>>({
  kind: "cloud_sql",
  title:
    "Reads the state, CPU, memory, disk and connections of a Cloud SQL for PostgreSQL instance from Cloud Monitoring.",
  role: "database",
  settings,
  example: `project: shop-staging
instance: shop-postgres
max_connections: 100
`,
  notes: `## When it fails

The probe fails if the server is down (\`database/up\`), or the instance is in a state other than RUNNING (\`database/instance_state\`): stopped by
its owner, suspended, in maintenance, failed. Both are read, because the state remains RUNNING during an unplanned outage. Connections are summed
over all databases of the server (\`postgresql/num_backends\`).

${monitoringNotes("9 series per run, and 7 more while it is not running", "3 minutes")}`,
  seriesRead: 9,
  looksAt: ({ instance, project }) => [sqlInstance(instance, project)],
  yields: (settings) => [
    ...always(
      "cloud_sql_up",
      "cloud_sql_cpu_utilization",
      "cloud_sql_memory_utilization",
      "cloud_sql_disk_utilization",
      "cloud_sql_connections",
      "cloud_sql_new_connections",
    ),
    { metric: "cloud_sql_disk_operations", labels: { operation: ["read", "write"] } },
    ...onlyWhere(settings, ({ max_connections }) => max_connections !== undefined, "with max_connections", [
      "cloud_sql_connection_utilization",
    ]),
  ],

  readings: readingsOf,

  async observeMore({ project, instance, period: periodMs }, observed, read) {
    if (isRunning(observed.found.running)) return observed;
    // Each of the other states takes one series to read, so they are only read now.
    const state = cloudSqlReading("instance_state", instance, project, {
      aligner: "ALIGN_FRACTION_TRUE",
      reducer: "REDUCE_MAX",
      groupBy: ["metric.labels.state"],
      periodMs,
    });
    const { found, failure = observed.failure } = await read({ state });
    return { ...observed, found: { ...observed.found, ...found }, ...(failure ? { failure } : {}) };
  },

  assess(settings, observed, readings) {
    const { failure, found, now } = observed;
    if (!found.up && !failure) {
      const why = `there is no instance ${settings.instance}, it was just created, or it reports nothing`;
      return { failure: nothingRead(readings.up, now, why), measurements: [] };
    }
    const connections = numberIn(found.connections);
    const measurements: Measured[] = [
      ...(found.up ? sampled("cloud_sql_up", isUp(found.up) ? 1 : 0) : []),
      ...sampled("cloud_sql_cpu_utilization", numberIn(found.cpu)),
      ...sampled("cloud_sql_connections", connections),
      ...sampled("cloud_sql_memory_utilization", numberIn(found.memory)),
      ...sampled("cloud_sql_disk_utilization", numberIn(found.disk)),
      ...(connections !== undefined && settings.max_connections !== undefined
        ? sampled("cloud_sql_connection_utilization", connections / settings.max_connections)
        : []),
      ...sampled("cloud_sql_new_connections", numberIn(found.newConnections)),
      ...operation("read", numberIn(found.reads)),
      ...operation("write", numberIn(found.writes)),
    ];
    // The server is known to be down, whatever else could not be read.
    const reason = (found.up && stateFailure(settings, observed, found.up)) ?? failure;
    return { ...(reason ? { failure: reason } : {}), measurements };
  },
});

function readingsOf({
  project,
  instance,
  period: periodMs,
}: CloudSqlSettings): Readonly<Record<Always, WantedReading>> {
  const reading = (metric: string, how: Pick<WantedReading, "aligner" | "reducer" | "where">): WantedReading =>
    cloudSqlReading(metric, instance, project, { ...how, periodMs });
  return {
    up: reading("up", { aligner: "ALIGN_NEXT_OLDER", reducer: "REDUCE_MIN" }),
    running: reading("instance_state", {
      aligner: "ALIGN_FRACTION_TRUE",
      reducer: "REDUCE_MAX",
      where: { "metric.labels.state": running },
    }),
    cpu: reading("cpu/utilization", { aligner: "ALIGN_MEAN", reducer: "REDUCE_MAX" }),
    memory: reading("memory/utilization", { aligner: "ALIGN_MEAN", reducer: "REDUCE_MAX" }),
    disk: reading("disk/utilization", { aligner: "ALIGN_MEAN", reducer: "REDUCE_MAX" }),
    reads: reading("disk/read_ops_count", { aligner: "ALIGN_RATE", reducer: "REDUCE_SUM" }),
    writes: reading("disk/write_ops_count", { aligner: "ALIGN_RATE", reducer: "REDUCE_SUM" }),
    connections: connectionsReading(instance, project, periodMs),
    newConnections: reading("postgresql/new_connection_count", { aligner: "ALIGN_RATE", reducer: "REDUCE_SUM" }),
  };
}

const running = "RUNNING";

/** Meanings of states whose names do not explain them. */
const meanings: Readonly<Record<string, string>> = {
  RUNNABLE: "it was stopped by its owner",
  SUSPENDED: "it is suspended, for example because of a billing problem",
  MAINTENANCE: "it is down for maintenance",
  PENDING_CREATE: "it is being created",
  FAILED: "its creation failed, or an operation left it broken",
  UNKNOWN_STATE: "its state is unknown",
};

function isUp(up: Found): boolean {
  return (numberIn(up) ?? 0) >= 1;
}

/** Without points of the state there is no evidence of a failure. */
function isRunning(found: Found | undefined): boolean {
  return found === undefined || (numberIn(found) ?? 0) > 0;
}

function stateFailure(
  { instance }: CloudSqlSettings,
  { found, now }: Observed<Reading>,
  up: Found,
): SeenFailure | undefined {
  if (isUp(up) && isRunning(found.running)) return undefined;
  const state = found.state?.samples.toSorted((a, b) => b.value - a.value)[0]?.labels["metric.labels.state"];
  const name = isRunning(found.running) ? running : (state ?? "UNKNOWN_STATE");
  const meaning =
    name === running
      ? "its state is still RUNNING, so it was not stopped"
      : (ownEntry(meanings, name) ?? `its state is ${name}`);
  const what = isUp(up) ? "is not running normally" : "is down";
  return {
    kind: "database",
    phase: "state",
    message: `the server of ${instance} ${what}: ${meaning} (measured ${agoOf(up, now)})`,
  };
}

function operation(name: string, value: number | undefined): Measured[] {
  return value === undefined ? [] : [{ metric: "cloud_sql_disk_operations", value, labels: { operation: name } }];
}
