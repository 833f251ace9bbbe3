/** Memorystore for Redis instances. */
import { flagAt, listAt, numberAt, textAt } from "../../../../functions/probe/google/configuration/json.ts";
import { takeRedis } from "../../../../functions/probe/google/resources/redis.ts";
import type { FoundCache } from "../found.ts";
import { type Reading, regionName, resourceName } from "../reading.ts";

/** Instances, of all regions at once. Source: Memorystore for Redis API v1, `projects.locations.instances`. */
export const redisInstances: Reading<FoundCache> = {
  what: "Memorystore for Redis instances",
  api: "redis.googleapis.com",
  permission: "redis.instances.list",
  role: "roles/redis.viewer",
  scope: "project",
  request: ({ project }) => ({
    url: `https://redis.googleapis.com/v1/projects/${project}/locations/-/instances?pageSize=100`,
  }),
  entries: (answer) => listAt(answer, "instances"),
  take(entry) {
    const path = textAt(entry, "name");
    const name = resourceName(path);
    const region = regionName(/\/locations\/([^/]+)\//.exec(path ?? "")?.[1]);
    if (name === undefined || region === undefined) return undefined;
    const { tier, network } = takeRedis(entry);
    const host = textAt(entry, "host");
    const port = numberAt(entry, "port") ?? 6379;
    return {
      name,
      region,
      host: host !== undefined && /^\d+(\.\d+){3}$/.test(host) ? host : undefined,
      port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : 6379,
      tier: tier === "BASIC" ? "basic" : tier === "STANDARD_HA" ? "standard" : undefined,
      needsPassword: flagAt(entry, "authEnabled") === true,
      needsTls: textAt(entry, "transitEncryptionMode") === "SERVER_AUTHENTICATION",
      network: resourceName(network),
    };
  },
};
