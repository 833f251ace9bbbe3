/**
 * Definition of `vpc_connector_utilization`: the load of a Serverless VPC Access connector relative to its capacity.
 *
 * Google has no such metric. A connector is at capacity when any one of its resources is, so the utilization is the highest of
 *
 * - CPU: the 99th percentile of the CPU of its instances. An overloaded connector shows here first, and many small packets show only here;
 * - throughput: bytes sent and received per second, relative to the capacity of its machine type at its maximum number of instances;
 * - connections, if `connections` names the database behind it: client connections of that database, relative to the number at which the
 *   connector is known to fail. Google provides no connection count for a connector, so that of a database behind it is used.
 *
 * The number of instances is not included: connectors never scale in, so one at its maximum may have been idle for weeks.
 *
 * Throughput by machine type: https://docs.cloud.google.com/vpc/docs/serverless-vpc-access
 */

/** Megabits per second that one instance carries. Google documents 200 to 1000 for 2 to 10 instances of e2-micro, and the others accordingly. */
const megabitsPerInstance = { "f1-micro": 50, "e2-micro": 100, "e2-standard-4": 1_600 } as const;

/** Machine types of connectors. */
export const machineTypes: readonly MachineType[] = ["f1-micro", "e2-micro", "e2-standard-4"];

/** A machine type of connectors. */
export type MachineType = keyof typeof megabitsPerInstance;

/** Known figures of the load of a connector; unknown ones are absent. */
export interface ConnectorLoad {
  /** 99th percentile of the CPU of its instances, from 0 to 1. */
  readonly cpu?: number | undefined;
  /** Sent and received together. */
  readonly bytesPerSecond?: number | undefined;
  readonly connections?: number | undefined;
}

/** Capacity of a connector. */
export interface ConnectorCeiling {
  readonly machineType: MachineType;
  readonly maxInstances: number;
  /** The number of connections at which it is known to fail. */
  readonly connections?: number | undefined;
}

/** Returns the utilization of the connector, 1 being its capacity; `undefined` if nothing is known of its load. */
export function connectorUtilization(load: ConnectorLoad, ceiling: ConnectorCeiling): number | undefined {
  const { cpu, bytesPerSecond, connections } = load;
  const parts = [
    cpu,
    bytesPerSecond === undefined ? undefined : (bytesPerSecond * 8) / throughputCeiling(ceiling),
    connections === undefined || ceiling.connections === undefined ? undefined : connections / ceiling.connections,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : Math.max(...parts);
}

/** Returns the capacity of the connector at its maximum number of instances, in bits per second. */
function throughputCeiling({ machineType, maxInstances }: ConnectorCeiling): number {
  return megabitsPerInstance[machineType] * 1e6 * maxInstances;
}
