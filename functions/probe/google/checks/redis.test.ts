import { describe } from "vitest";
import { checkTable, figure, of, settingOf } from "./checks.fixtures.ts";
import { redisChecks } from "./redis.ts";

describe("configuration checks: Memorystore for Redis", () => {
  checkTable(redisChecks, [
    ["redis_state", "failing over", of("redis", "state", "FAILING_OVER"), /^FAILING_OVER$/],
    ["redis_state", "not said", of("redis", "state", undefined), "unchecked"],
    [
      "redis_network",
      "another one",
      of("redis", "authorizedNetwork", "projects/p/global/networks/old"),
      /^the network old$/,
    ],
    ["redis_network", "no network named", settingOf("network", undefined), "none"],
    ["redis_availability", "no replica", of("redis", "tier", "BASIC"), /^BASIC$/],
    ["redis_failover", "elsewhere", of("redis", "currentLocationId", "us-central1-c"), /^primary in us-central1-c$/],
    ["redis_memory", "nearly full", figure("redisMemory", { doubleValue: 0.97 }), /^97%$/],
    ["redis_memory", "no point", of("redisMemory", "timeSeries", undefined), "unchecked"],
  ]);
});
