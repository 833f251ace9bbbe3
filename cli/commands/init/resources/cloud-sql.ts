/** Cloud SQL instances. */
import { listAt, nameIn, textAt } from "../../../../functions/probe/google/configuration/json.ts";
import { takeSqlInstance } from "../../../../functions/probe/google/resources/cloud-sql.ts";
import type { FoundDatabase } from "../found.ts";
import { type Reading, regionName, resourceName } from "../reading.ts";

/** Instances. Source: Cloud SQL Admin API v1, `instances`. */
export const sqlInstances: Reading<FoundDatabase> = {
  what: "Cloud SQL instances",
  api: "sqladmin.googleapis.com",
  permission: "cloudsql.instances.list",
  role: "roles/cloudsql.viewer",
  scope: "project",
  request: ({ project }) => ({
    url: `https://sqladmin.googleapis.com/v1/projects/${project}/instances?maxResults=500`,
  }),
  entries: (answer) => listAt(answer, "items"),
  take(entry, { project }) {
    const name = resourceName(textAt(entry, "name"));
    if (name === undefined || !/^[a-z][a-z0-9-]*$/.test(name) || textAt(entry, "state") === "PENDING_DELETE")
      return undefined;
    const sql = takeSqlInstance(entry);
    const region = regionName(sql.region);
    const network = textAt(entry, "settings", "ipConfiguration", "privateNetwork");
    return {
      name,
      region,
      connectionName: region === undefined ? undefined : `${project}:${region}:${name}`,
      sql,
      version: textAt(entry, "databaseVersion") ?? "",
      privateAddress: sql.privateAddresses.find((address) => /^\d+(\.\d+){3}$/.test(address)),
      network: network === undefined ? undefined : resourceName(nameIn(network)),
      networkProject: /projects\/([a-z][a-z0-9-]{4,28}[a-z0-9])\//.exec(network ?? "")?.[1],
    };
  },
};
