/** Memorystore for Redis instances as the API describes them, and how much of their memory is in use. */
import { nameIn, textAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings, RedisSettings } from "../configuration/settings.ts";

/** An instance, with the fields that are checked. Source: Memorystore for Redis API v1, `projects.locations.instances`. */
export interface RedisInstance {
  /** READY, CREATING, UPDATING, DELETING, REPAIRING, MAINTENANCE, IMPORTING, FAILING_OVER. */
  readonly state: string | undefined;
  /** BASIC or STANDARD_HA. */
  readonly tier: string | undefined;
  /** Its original zone, and the current zone of its primary. */
  readonly zone: string | undefined;
  readonly currentZone: string | undefined;
  /** Name of the network from which it is reachable. */
  readonly network: string | undefined;
}

/** Reads the instances, by name. */
export async function readRedis(
  reader: Reader,
  settings: ConfigurationSettings,
): Promise<ReadonlyMap<string, Read<RedisInstance>>> {
  return new Map(
    await Promise.all(
      settings.redis.map(async (wanted): Promise<[string, Read<RedisInstance>]> => {
        const url = `https://redis.googleapis.com/v1/${redisPath(wanted, settings)}`;
        const about = { resource: wanted.instance, component: wanted.component, project: settings.project, url };
        return [wanted.instance, await reader.one({ read: "redis", ...about }, takeRedis)];
      }),
    ),
  );
}

/** Extracts the relevant fields from the answer. */
export function takeRedis(json: unknown): RedisInstance {
  const network = textAt(json, "authorizedNetwork");
  return {
    state: textAt(json, "state"),
    tier: textAt(json, "tier"),
    zone: textAt(json, "locationId"),
    currentZone: textAt(json, "currentLocationId"),
    network: network === undefined ? undefined : nameIn(network),
  };
}

/** Reads the memory utilization of all instances, by the path of the instance, with one request. */
export async function readRedisMemory(
  reader: Reader,
  settings: ConfigurationSettings,
): Promise<Read<ReadonlyMap<string, number>> | undefined> {
  if (settings.redis.length === 0) return undefined;
  const paths = settings.redis.map((wanted) => JSON.stringify(redisPath(wanted, settings)));
  const { project } = settings;
  const read = await reader.figures(
    { what: "the memory of Redis instances in", resource: project, project },
    {
      metricType: "redis.googleapis.com/stats/memory/usage_ratio",
      resourceType: "redis_instance",
      filter: `resource.labels.instance_id = one_of(${paths.join(",")})`,
      aligner: "ALIGN_MAX",
      reducer: "REDUCE_MAX",
      groupBy: ["resource.labels.instance_id"],
      periodMs: 300_000,
      delayMs: 240_000,
    },
  );
  if ("refusal" in read) return read;
  return {
    value: new Map(read.value.map(({ labels, value }) => [labels["resource.labels.instance_id"] ?? "", value])),
  };
}

/** Returns the path of an instance, which is also its ID in the metrics. */
export function redisPath({ instance, region }: RedisSettings, settings: ConfigurationSettings): string {
  return `projects/${settings.project}/locations/${region ?? settings.region}/instances/${instance}`;
}
