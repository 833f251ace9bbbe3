/** Checks of Memorystore for Redis. */
import { formatValue } from "../../../../shared/text/units.ts";
import type { Check } from "../configuration/check.ts";
import { both, type ExpectationCheck, judgementsOf, unknownOutcome } from "../configuration/judgement.ts";
import type { RedisSettings } from "../configuration/settings.ts";
import { type RedisInstance, redisPath } from "../resources/redis.ts";

/** The checks. */
export const redisChecks: readonly Check[] = [
  redisCheck({
    name: "redis_state",
    severity: "critical",
    title: "the instance is READY",
    why: "While an instance is created, repaired or fails over, its connections break and its data may be lost.",
    remedy:
      "Check its state: `gcloud redis instances describe RESOURCE --region=REGION`. A failover or a repair ends by itself.",
    judge: ({ state }) =>
      state === undefined
        ? unknownOutcome("what state it is in")
        : { ok: state === "READY", observed: state, expected: "READY" },
  }),
  redisCheck({
    name: "redis_network",
    severity: "critical",
    tells: ["no_path", "hits_some"],
    title: "the instance is reachable from the network of the services",
    why: "An instance can be reached from only one network, at a private address.",
    remedy: "Connect the services to the network of the instance, or create an instance in theirs.",
    judge: ({ network }, _, { network: own }) => {
      if (own === undefined) return undefined;
      if (network === undefined) return unknownOutcome("from which network it can be reached");
      return { ok: network === own.name, observed: `the network ${network}`, expected: `the network ${own.name}` };
    },
  }),
  redisCheck({
    name: "redis_availability",
    severity: "warning",
    title: "it has a failover replica or not, as set in `availability`",
    why: "A basic-tier instance is unavailable whenever it is repaired or updated, and loses its data.",
    remedy: "Create a standard-tier instance and move to it: the tier cannot be changed in place.",
    judge: ({ tier }, { availability }) => {
      if (availability === undefined) return undefined;
      if (tier === undefined) return unknownOutcome("which tier it has");
      const expected = availability === "standard" ? "STANDARD_HA" : "BASIC";
      return { ok: tier === expected, observed: tier, expected };
    },
  }),
  redisCheck({
    name: "redis_failover",
    severity: "info",
    title: "its primary is in its original zone",
    why: "The instance has failed over: connections were cut, and the last writes may be lost.",
    remedy:
      "Make sure that clients have reconnected and caches are warm. The instance works equally well in the other zone.",
    judge: ({ zone, currentZone }) => {
      if (zone === undefined || currentZone === undefined) return undefined;
      return { ok: zone === currentZone, observed: `primary in ${currentZone}`, expected: `primary in ${zone}` };
    },
  }),
  {
    name: "redis_memory",
    severity: "warning",
    title: "it uses no more than `max_memory` of its memory",
    why: "A full instance evicts keys or refuses writes with an OOM error, depending on its maxmemory-policy.",
    remedy:
      "Give it more memory (`gcloud redis instances update RESOURCE --region=REGION`, with --size), or set an expiry on its keys.",
    reads: ["redis", "time_series"],
    judge: (settings, { redis, redisMemory }) =>
      settings.redis.flatMap((wanted) => {
        const subject = { resource: wanted.instance, component: wanted.component };
        return judgementsOf(subject, both(redis.get(wanted.instance), redisMemory), ([, usage]) => {
          const used = usage.get(redisPath(wanted, settings));
          if (used === undefined) return { unknown: "Cloud Monitoring has no data point for its memory." };
          const ok = used <= wanted.max_memory;
          return {
            ok,
            observed: formatValue(used, "ratio"),
            expected: `at most ${formatValue(wanted.max_memory, "ratio")}`,
          };
        });
      }),
  },
];

function redisCheck({ judge, ...description }: ExpectationCheck<RedisInstance, RedisSettings>): Check {
  return {
    ...description,
    reads: ["redis"],
    judge: (settings, { redis }) =>
      settings.redis.flatMap((wanted) =>
        judgementsOf(
          { resource: wanted.instance, component: wanted.component },
          redis.get(wanted.instance),
          (instance) => judge(instance, wanted, settings),
        ),
      ),
  };
}
