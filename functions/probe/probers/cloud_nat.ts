/** The prober `cloud_nat`: ports and dropped packets of a Cloud NAT gateway, from Cloud Monitoring. */
import { z } from "zod";
import { googleResource } from "../../../shared/config/fields.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { monitoringProber, readingsOfResource } from "../google/monitoring-prober.ts";
import {
  agoOf,
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
} from "../google/readings.ts";
import { always, onlyWhere } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    ...regional(),
    gateway: googleResource().describe("The name of the NAT gateway, not of its router."),
    max_ports: z
      .int()
      .min(32)
      .max(65_536)
      .optional()
      .describe(
        "The number of ports that one machine or instance may use, for cloud_nat_port_utilization: the maximum with dynamic allocation, otherwise the minimum, which is 64 by default.",
      ),
    period: period(),
  }),
);

/** Settings of a `cloud_nat` probe; durations in milliseconds. */
export type CloudNatSettings = z.output<ReturnType<typeof settings>>;

type Reading = "failed" | "dropped" | "allocated" | "used" | "open";

/** The prober `cloud_nat`. */
export const cloudNat = monitoringProber<CloudNatSettings, Reading, Readonly<Record<Reading, WantedReading>>>({
  kind: "cloud_nat",
  title: "Reads the address allocation, port usage and dropped packets of a Cloud NAT gateway from Cloud Monitoring.",
  role: "nat",
  settings,
  example: `project: shop-staging
region: us-central1
gateway: shop-nat
max_ports: 1024
`,
  notes: `## When it fails

The probe fails if the gateway could not allocate addresses (\`nat_allocation_failed\`). Packets dropped for \`OUT_OF_RESOURCES\` mean that a
machine or instance had used up its ports. To alert on them, write a rule on \`cloud_nat_dropped_packets\`.

${monitoringNotes("up to 6 series per run", "4 minutes")}`,
  seriesRead: 6,
  yields: (settings) => [
    ...always("cloud_nat_allocated_ports", "cloud_nat_port_usage", "cloud_nat_open_connections"),
    { metric: "cloud_nat_dropped_packets", labels: { reason: reasons } },
    ...onlyWhere(settings, ({ max_ports }) => max_ports !== undefined, "with max_ports", [
      "cloud_nat_port_utilization",
    ]),
  ],

  readings: readingsOf,

  assess({ gateway, region, max_ports }, observed, readings) {
    const { failure, found, now } = observed;
    if (!failure && !found.failed && !found.allocated) {
      const why = `there is no gateway ${gateway} in ${region}, or it has no traffic`;
      return { failure: nothingRead(readings.failed, now, why), measurements: [] };
    }
    const dropped = valuesBy(found.dropped?.samples ?? [], reasonLabel);
    const used = numberIn(found.used);
    const measurements: Measured[] = [
      ...(wasRead(observed, "dropped") ? reasons : []).map((reason) => ({
        metric: "cloud_nat_dropped_packets" as const,
        value: ownEntry(dropped, reason) ?? 0,
        labels: { reason },
      })),
      ...sampled("cloud_nat_allocated_ports", numberIn(found.allocated)),
      ...sampled("cloud_nat_port_usage", used),
      ...(used === undefined || max_ports === undefined ? [] : sampled("cloud_nat_port_utilization", used / max_ports)),
      ...sampled("cloud_nat_open_connections", numberIn(found.open)),
    ];
    if (failure) return { failure, measurements };
    if (!found.failed || (numberIn(found.failed) ?? 0) === 0) return { measurements };
    const message = `the gateway ${gateway} could not allocate an address to every machine and instance (measured ${agoOf(found.failed, now)}): add addresses, or allow each fewer ports`;
    return {
      failure: { kind: "unavailable", phase: "state", message, signal: "saturated" },
      measurements,
      conclusive: true,
    };
  },
});

/** Reasons for dropped packets. */
const reasons: readonly string[] = ["OUT_OF_RESOURCES", "ENDPOINT_INDEPENDENCE_CONFLICT"];
const reasonLabel = "metric.labels.reason";

/** Delay from sampling to availability, in milliseconds. */
const delayMs = 225_000;

function readingsOf({ region, gateway, period: periodMs }: CloudNatSettings): Readonly<Record<Reading, WantedReading>> {
  const reading = readingsOfResource({
    prefix: "router.googleapis.com/nat/",
    resourceType: "nat_gateway",
    where: { "resource.labels.gateway_name": gateway, "resource.labels.region": region },
    periodMs,
    delayMs,
  });
  return {
    failed: reading("nat_allocation_failed", { aligner: "ALIGN_FRACTION_TRUE", reducer: "REDUCE_MAX" }),
    dropped: reading("dropped_sent_packets_count", {
      aligner: "ALIGN_DELTA",
      reducer: "REDUCE_SUM",
      groupBy: [reasonLabel],
    }),
    allocated: reading("allocated_ports", { aligner: "ALIGN_MAX", reducer: "REDUCE_SUM" }),
    used: reading("port_usage", { aligner: "ALIGN_MAX", reducer: "REDUCE_MAX" }),
    open: reading("open_connections", { aligner: "ALIGN_MAX", reducer: "REDUCE_SUM" }),
  };
}
