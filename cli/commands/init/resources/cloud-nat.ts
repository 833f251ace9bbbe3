/** Cloud NAT gateways. */
import { listAt, textAt } from "../../../../functions/probe/google/configuration/json.ts";
import type { FoundGateway } from "../found.ts";
import { aggregated, type Reading, regionName, resourceName } from "../reading.ts";

/** Gateways of Cloud NAT, by their routers. Source: Compute API v1, `routers`. */
export const natGateways: Reading<FoundGateway[]> = {
  what: "Cloud NAT gateways",
  api: "compute.googleapis.com",
  permission: "compute.routers.list",
  role: "roles/compute.networkViewer",
  scope: "project",
  request: ({ project }) => ({
    url: `https://compute.googleapis.com/compute/v1/projects/${project}/aggregated/routers?maxResults=500`,
  }),
  entries: (answer) => aggregated(answer, "routers"),
  take(entry) {
    const [router, region] = [resourceName(textAt(entry, "name")), regionName(textAt(entry, "region"))];
    if (router === undefined || region === undefined) return undefined;
    return listAt(entry, "nats").flatMap((nat) => {
      const name = resourceName(textAt(nat, "name"));
      return name === undefined ? [] : [{ name, router, region }];
    });
  },
};
