/**
 * `vpc_connector_utilization`: how near a Serverless VPC Access connector is to its ceiling. This is the one place that says what that means.
 *
 * Google has no such metric. A connector is at its ceiling when any one of its resources is, so it is the worst of
 *
 * - CPU: the 99th percentile of the CPU of its instances. A sick connector shows here first, and many small packets show only here;
 * - throughput: bytes sent and received a second, against what its machine type carries at its largest number of instances;
 * - connections, where `connections` names the database behind it: client connections of that database, against the number at which the
 *   connector was seen to fail. Google counts no connections of a connector; those of a database behind it are the next best.
 *
 * The number of instances is no part of it: connectors never scale in, so that one at its maximum may have been idle for weeks.
 *
 * Throughput by machine type: https://docs.cloud.google.com/vpc/docs/serverless-vpc-access
 */

/** Megabits a second that one instance carries. Google states 200 to 1000 for 2 to 10 instances of e2-micro, and the others alike. */
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
  /** The number of connections at which it was seen to fail. */
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

/** Bits a second that the connector carries when it has scaled out. */
function throughputCeiling({ machineType, maxInstances }: ConnectorCeiling): number {
  return megabitsPerInstance[machineType] * 1e6 * maxInstances;
}
