/** Serverless VPC Access connectors. */
import { listAt, textAt } from "../../../../functions/probe/google/configuration/json.ts";
import { takeVpcConnector } from "../../../../functions/probe/google/resources/vpc-connector.ts";
import type { FoundConnector } from "../found.ts";
import { type Reading, resourceName } from "../reading.ts";

/** Connectors. Source: Serverless VPC Access API v1, `projects.locations.connectors`. */
export const vpcConnectors: Reading<FoundConnector> = {
  what: "VPC connectors",
  api: "vpcaccess.googleapis.com",
  permission: "vpcaccess.connectors.list",
  role: "roles/vpcaccess.viewer",
  scope: "region",
  request: ({ project, region }) => ({
    url: `https://vpcaccess.googleapis.com/v1/projects/${project}/locations/${region}/connectors?pageSize=100`,
  }),
  entries: (answer) => listAt(answer, "connectors"),
  take(entry, { region }) {
    const name = resourceName(textAt(entry, "name"));
    if (name === undefined) return undefined;
    const { machineType, maxInstances, network } = takeVpcConnector(entry);
    return { name, region, machineType, maxInstances, network: resourceName(network) };
  },
};
