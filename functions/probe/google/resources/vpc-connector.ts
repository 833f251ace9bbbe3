/** The Serverless VPC Access connector as the API describes it. */
import { nameIn, numberAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";

/** A connector, with the fields that are checked. Source: Serverless VPC Access API v1, `projects.locations.connectors`. */
export interface VpcConnector {
  /** READY, CREATING, DELETING, ERROR, UPDATING. */
  readonly state: string | undefined;
  readonly machineType: string | undefined;
  readonly minInstances: number | undefined;
  readonly maxInstances: number | undefined;
  /** Name of its network. */
  readonly network: string | undefined;
  readonly connectedProjects: readonly string[];
}

/** Maximum number of instances of a connector. */
export const mostInstances = 10;

/** Reads the connector. */
export function readVpcConnector(
  reader: Reader,
  { project, region, vpc_connector: wanted }: ConfigurationSettings,
): Promise<Read<VpcConnector>> | undefined {
  if (!wanted) return undefined;
  const url = `https://vpcaccess.googleapis.com/v1/projects/${project}/locations/${region}/connectors/${wanted.name}`;
  const about = { resource: wanted.name, component: wanted.component, project, url };
  return reader.one({ read: "vpc_connector", ...about }, takeVpcConnector);
}

/** Extracts the relevant fields from the answer. */
export function takeVpcConnector(json: unknown): VpcConnector {
  return {
    state: textAt(json, "state"),
    machineType: textAt(json, "machineType"),
    minInstances: numberAt(json, "minInstances") ?? instancesOf(numberAt(json, "minThroughput")),
    maxInstances: numberAt(json, "maxInstances") ?? instancesOf(numberAt(json, "maxThroughput")),
    network: nameOf(textAt(json, "network")),
    connectedProjects: textsAt(json, "connectedProjects"),
  };
}

/** For connectors whose size was set in Mbit/s, as was once usual: 100 per instance. */
function instancesOf(throughput: number | undefined): number | undefined {
  return throughput === undefined ? undefined : Math.ceil(throughput / 100);
}

function nameOf(network: string | undefined): string | undefined {
  return network === undefined ? undefined : nameIn(network);
}
