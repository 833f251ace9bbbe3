/** Every request of a schedule, a diagnosis or a validation takes exactly one route, with and without filters. */
import { describe, expect, it } from "vitest";
import { probeOf } from "../functions/probe/fixtures.ts";
import { probeHandler } from "../functions/probe/handler.ts";
import { maxAtOnce } from "../functions/probe/run/run.ts";
import { shardsOf } from "../functions/probe/run/shards.ts";
import { parseFilter } from "../local/engine/broker/filter.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import type { Configuration, ConfiguredProbe } from "../shared/config/model.ts";
import { groupName, groupsWithRounds } from "../shared/config/schedule.ts";
import { type ProbeRequest, scheduledRequest } from "../shared/messages/probe-request.ts";
import type { Vantage } from "../shared/messages/report.ts";
import type { OutgoingMessage } from "../shared/ports.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { type Subscription, subscriptionsWith, topics } from "../shared/topology.ts";
import { shopWith } from "./support/shop.ts";

const probe = (name: string, schedule: string, vantage: Vantage): ConfiguredProbe => ({
  ...probeOf("http", {}),
  name,
  component: "shop",
  schedule,
  vantage,
  group: groupName(vantage, schedule),
});
const configuration: Configuration = {
  ...shopWith(""),
  probes: [
    ...(["inside", "outside"] as const).flatMap((vantage) => [
      probe(`${vantage}-slow`, "every 1m", vantage),
      probe(`${vantage}-fast`, "every 15s", vantage),
      probe(`${vantage}-fast-too`, "every 15s", vantage),
      probe(`${vantage}-faster`, "every 500ms", vantage),
      { ...probe(`${vantage}-held`, "every 15m", vantage), group: `${vantage}-15m-holds`, holdMs: 360_000 },
    ]),
    ...Array.from({ length: maxAtOnce + 1 }, (_, index) => probe(`many-${index}`, "every 30s", "outside")),
  ],
};
const ways = subscriptionsWith(groupsWithRounds(configuration.probes)).filter(
  ({ topic }) => topic === topics.probeRequests,
);
const groups = [...new Map(configuration.probes.map((each) => [each.group, each])).values()];
const scheduled = groups.map((each) => scheduledRequest(configuration.environment, each));
const asked: OutgoingMessage[] = (["inside", "outside"] as const).flatMap((vantage) =>
  (["diagnosis", "validation"] as const).map((trigger) => {
    const data: ProbeRequest = {
      v: 1,
      environment: configuration.environment,
      vantage,
      trigger,
      group: `${trigger}-${vantage}`,
      request: "r",
      probes: [`${vantage}-fast`],
    };
    return { data, attributes: { environment: configuration.environment, vantage, trigger } };
  }),
);
const divided = scheduled.flatMap(({ data, attributes = {} }) =>
  shardsOf(data as ProbeRequest, maxAtOnce + 1, { publishedAt: 0, attributes }),
);
const requests = [...scheduled, ...asked, ...divided].map((message) => {
  const { group, shard } = message.data as ProbeRequest;
  return [`${group}${shard === undefined ? "" : `, part ${shard.index}`}`, message] as const;
});

/** Returns the name of the subscription that receives a request. */
function nameOf({ vantage, trigger, group }: ProbeRequest): string {
  if (trigger !== "schedule") return `probe-${vantage}-asked`;
  return /s$/.test(group) ? `probe-${group}` : `probe-${vantage}`;
}

describe.each(requests)("a request for %s", (_, { data, attributes = {} }) => {
  const request = data as ProbeRequest;

  it("passes the filter of one subscription", () => {
    const passed = ways.filter(({ filter }) => filter !== undefined && parseFilter(filter)(attributes));
    expect(passed.map(({ name }) => name)).toEqual([nameOf(request)]);
  });

  it("gets a response from one of them if filters are ignored", async () => {
    const answered: Subscription[] = [];
    for (const way of ways) {
      const handle = probeHandler({
        configuration,
        vantage: request.vantage,
        secrets: { read: async () => "" },
        google: googleApi("http://127.0.0.1:1"),
        clock: { now: () => 0 },
        logger: silentLogger,
        warm: async () => {},
        sleep: async () => {},
        // A large group is answered in parts.
        publisher: { publish: async () => [answered.push(way)].map(String), close: async () => {} },
        run: async () => {
          answered.push(way);
          throw new Error("not run here");
        },
      });
      const message = { messageId: "1", publishedAt: 0, attributes, subscription: way.name, data };
      await handle(message, way.path).catch(() => {});
    }
    expect(new Set(answered.map(({ path }) => path)).size).toBe(1);
    expect(answered.map(({ name }) => name)).toContain(nameOf(request));
  });
});
