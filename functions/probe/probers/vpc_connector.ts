/** The prober `vpc_connector`: the load of a Serverless VPC Access connector relative to its capacity, from Cloud Monitoring. */
import { z } from "zod";
import { googleResource } from "../../../shared/config/fields.ts";
import type { Finding } from "../../../shared/messages/report.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { cloudSqlInstance, connectionsReading } from "../google/cloud-sql.ts";
import { connectorUtilization, machineTypes } from "../google/connector-load.ts";
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
  wasRead,
} from "../google/readings.ts";
import { always, onlyWhere } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    ...regional(),
    connector: googleResource().describe("The name of the connector."),
    machine_type: z
      .enum(machineTypes)
      .default("e2-micro")
      .describe("The machine type of its instances, which determines its capacity."),
    max_instances: z.int().min(2).max(10).default(10).describe("The maximum number of its instances."),
    connections: z
      .strictObject({
        instance: cloudSqlInstance().describe("The Cloud SQL instance behind it, whose connections are counted."),
        ceiling: z.int().min(1).default(50).describe("The number of connections at which the connector fails."),
      })
      .optional()
      .describe(
        "How to count connections. Google provides no count for a connector, so the connections of the database behind it are used.",
      ),
    period: period(),
  }),
);

/** Settings of a `vpc_connector` probe; durations in milliseconds. */
export type VpcConnectorSettings = z.output<ReturnType<typeof settings>>;

type Reading = Always | "connections";
type Always = "cpu" | "sent" | "received" | "instances";
type Readings = Readonly<Record<Always, WantedReading> & { connections?: WantedReading }>;

/** The prober `vpc_connector`. */
export const vpcConnector = monitoringProber<VpcConnectorSettings, Reading, Readings>({
  kind: "vpc_connector",
  title:
    "Reads the load of a Serverless VPC Access connector from Cloud Monitoring: CPU, throughput, instances and, if available, connections.",
  role: "connector",
  settings,
  example: `project: shop-staging
region: us-central1
connector: shop-connector
max_instances: 3
connections: { instance: "shop-staging:us-central1:shop-postgres", ceiling: 50 }
`,
  notes: `## Definition of vpc_connector_utilization

Google has no such metric. A connector is at capacity when any one of its resources is, so the utilization is the highest of

- **CPU**: the 99th percentile of the CPU of its instances. An overloaded connector shows here first, and many small packets show only here.
- **throughput**: bytes sent and received per second, relative to the capacity of \`machine_type\` at \`max_instances\`: 50 Mbit/s per instance of
f1-micro, 100 of e2-micro, 1600 of e2-standard-4.
- **connections**, with \`connections\`: those of the database behind it, as counted by Cloud SQL, relative to \`ceiling\`.

The number of instances is not included: connectors scale out and never in, so one at its maximum may have been idle for weeks. A rule can still use
\`vpc_connector_instances >= vpc_connector_instance_limit\`, best together with the utilization.

${monitoringNotes("4 series per run, 5 with connections", "4 minutes")}`,
  seriesRead: 5,
  looksAt: ({ connector, project, region: location }) => [
    { api: "vpcaccess.googleapis.com", collection: "connectors", name: connector, project, location },
  ],
  yields: (settings) => [
    ...always(
      "vpc_connector_utilization",
      "vpc_connector_cpu_utilization",
      "vpc_connector_instances",
      "vpc_connector_instance_limit",
    ),
    { metric: "vpc_connector_throughput", labels: { direction: ["sent", "received"] } },
    ...onlyWhere(settings, ({ connections }) => connections !== undefined, "with connections", [
      "vpc_connector_connections",
    ]),
  ],

  readings: readingsOf,

  assess(settings, observed, readings) {
    const { failure, found, now } = observed;
    const { connector, region, max_instances: maxInstances, machine_type: machineType, connections } = settings;
    const cpu = numberIn(found.cpu);
    const instances = numberIn(found.instances);
    // A connector without traffic has instances and no bytes.
    const unused = (name: "sent" | "received"): number | undefined =>
      instances !== undefined && wasRead(observed, name) ? 0 : undefined;
    const sent = numberIn(found.sent) ?? unused("sent");
    const received = numberIn(found.received) ?? unused("received");
    const bytesPerSecond = sent === undefined && received === undefined ? undefined : (sent ?? 0) + (received ?? 0);
    const counted = numberIn(found.connections);
    const utilization = connectorUtilization(
      { cpu, bytesPerSecond, connections: counted },
      { machineType, maxInstances, connections: connections?.ceiling },
    );
    const measurements: Measured[] = [
      // The maximum of its parts is unknown if one of them is.
      ...(failure ? [] : sampled("vpc_connector_utilization", utilization)),
      ...sampled("vpc_connector_cpu_utilization", cpu),
      ...sampled("vpc_connector_instances", instances),
      { metric: "vpc_connector_instance_limit", value: maxInstances },
      ...sampled("vpc_connector_connections", counted),
      ...direction("sent", sent),
      ...direction("received", received),
    ];
    if (failure) return { failure, measurements };
    const known = cpu !== undefined || bytesPerSecond !== undefined;
    const why = `there is no connector ${connector} in ${region}, or it was just created`;
    return {
      ...(known ? {} : { failure: nothingRead(readings.sent, now, why) }),
      measurements: known ? measurements : [],
      findings: known ? [cpuFinding(cpu)] : [],
    };
  },
});

/** Delay from sampling to availability, in milliseconds. */
const delayMs = 240_000;

function readingsOf(settings: VpcConnectorSettings): Readings {
  const { project, region, connector, connections, period: periodMs } = settings;
  const reading = readingsOfResource({
    prefix: "vpcaccess.googleapis.com/connector/",
    resourceType: "vpc_access_connector",
    where: { "resource.labels.connector_name": connector, "resource.labels.location": region },
    periodMs,
    delayMs,
  });
  return {
    // A distribution over the instances. Google does not document its unit; in practice the values range from 0 to 1.
    cpu: reading("cpu/utilizations", { aligner: "ALIGN_PERCENTILE_99", reducer: "REDUCE_MAX", optional: true }),
    sent: reading("sent_bytes_count", { aligner: "ALIGN_RATE", reducer: "REDUCE_SUM" }),
    received: reading("received_bytes_count", { aligner: "ALIGN_RATE", reducer: "REDUCE_SUM" }),
    instances: reading("instances", { aligner: "ALIGN_MAX", reducer: "REDUCE_MAX", optional: true }),
    ...(connections ? { connections: connectionsReading(connections.instance, project, periodMs) } : {}),
  };
}

function direction(name: string, value: number | undefined): Measured[] {
  return value === undefined ? [] : [{ metric: "vpc_connector_throughput", value, labels: { direction: name } }];
}

function cpuFinding(cpu: number | undefined): Finding {
  return {
    check: "connector_cpu",
    ok: cpu !== undefined,
    observed: cpu === undefined ? "CPU is not measured" : "CPU is measured",
    expected: "data points for vpcaccess.googleapis.com/connector/cpu/utilizations",
    explanation:
      "Without CPU, vpc_connector_utilization is too low if the connector is overloaded by many small packets.",
  };
}
