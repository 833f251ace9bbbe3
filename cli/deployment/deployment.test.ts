import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadConfiguration } from "../../shared/config/load.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { groupName, groupsWithRounds } from "../../shared/config/schedule.ts";
import { placeholderSecrets } from "../../shared/config/secret-reference.ts";
import type { Deployment } from "../../shared/deployment/deployment.ts";
import { subscriptionsWith } from "../../shared/topology.ts";
import { readConfigurationFile } from "../configuration.ts";
import { vocabulary } from "../vocabulary.ts";
import { deploymentOf, secretsIn } from "./deployment.ts";

const examples = new URL("../../examples/", import.meta.url).pathname;

async function example(name: string): Promise<{ configuration: Configuration; deployment: Deployment }> {
  const { loaded } = await readConfigurationFile(`${examples}${name}/monitor.yaml`);
  if (!("configuration" in loaded)) throw new Error(`the example ${name} is not right`);
  return { configuration: loaded.configuration, deployment: deploymentOf(loaded.configuration, "0".repeat(64)) };
}

describe.each(readdirSync(examples))("the deployment of %s", (name) => {
  it("has one schedule for each vantage point and interval, and the tick", async () => {
    const { configuration, deployment } = await example(name);
    const names = deployment.schedules.map((schedule) => schedule.name);
    expect(new Set(names).size).toBe(names.length);
    const groups = new Set(configuration.probes.map(({ group }) => group));
    expect(names.toSorted()).toEqual([...groups, "tick"].sort());
    for (const { cron } of deployment.schedules) expect(cron.split(" ")).toHaveLength(5);
  });

  it("pushes to each existing function, and to no other", async () => {
    const { configuration, deployment } = await example(name);
    const functions = [...deployment.vantages.map((vantage) => `probe-${vantage}`), "evaluate", "notify"].sort();
    expect([...new Set(deployment.subscriptions.map((subscription) => subscription.function))].sort()).toEqual(
      functions,
    );
    const expected = subscriptionsWith(groupsWithRounds(configuration.probes)).filter(
      ({ vantage }) => vantage === undefined || deployment.vantages.includes(vantage),
    );
    expect(deployment.subscriptions).toHaveLength(expected.length);
  });

  it("grants access to every secret of the configuration", async () => {
    const { configuration, deployment } = await example(name);
    expect([...new Set(Object.values(deployment.secrets).flat())].sort()).toEqual(secretsIn(configuration));
  });

  it("grants each identity access to its own secrets only", async () => {
    const { configuration, deployment } = await example(name);
    const ofChannels = secretsIn(configuration.channels);
    expect(deployment.secrets.notify).toEqual(ofChannels);
    expect(deployment.secrets["probe-outside"].filter((secret) => ofChannels.includes(secret))).toEqual([]);
    expect(deployment.secrets.evaluate.filter((secret) => ofChannels.includes(secret))).toEqual([]);
  });
});

it("gives probes that hold a connection their own schedule and a subscription with a long deadline", () => {
  const text = `environment: shop
components: { chat: { layer: application } }
probes:
  chat: { kind: websocket, component: chat, url: wss://a.example, schedule: every 15m }
  lifetime: { kind: websocket, component: chat, url: wss://a.example, schedule: every 15m, hold: 6m, timeout: 20s }
`;
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
  const { configuration } = loaded;
  expect(configuration.probes).toMatchObject([
    { name: "chat", group: "outside-15m", timeoutMs: 10_000 },
    { name: "lifetime", group: "outside-15m-hold", timeoutMs: 380_000, holdMs: 360_000 },
  ]);
  const { schedules, subscriptions, alarms } = deploymentOf(configuration, "0".repeat(64));
  expect(schedules.map(({ name, message }) => [name, message.attributes?.["rounds"]])).toEqual([
    ["outside-15m", undefined],
    ["outside-15m-hold", "outside-15m-hold"],
    ["tick", undefined],
  ]);
  const own = subscriptions.filter(({ name }) => name === "probe-outside-15m-hold");
  expect(own).toMatchObject([{ ackDeadlineSeconds: 600, path: "/rounds/outside-15m-hold", function: "probe-outside" }]);
  const others = subscriptions.filter(({ function: name }) => name === "probe-outside").length - own.length;
  expect(others).toBe(2);
  // A request that is being answered is none that waits.
  expect(alarms.waiting.find((one) => one.subscriptions.includes("probe-outside-15m-hold"))?.age_seconds).toBe(1200);
});

it("gives the signing keys of responses to the function that receives them, and to no other", () => {
  const text = `environment: shop
components: { shop: { layer: application } }
channels:
  chat: { kind: slack, token: { secret: slack-token }, channel: C0123456789, signing_secret: { secret: slack-signing } }
  pager: { kind: pagerduty, routing_key: { secret: pager-key }, webhook_secret: { secret: pager-webhook } }
  genie: { kind: opsgenie, api_key: { secret: genie-key }, webhook_token: "\${secret:genie-token}" }
  quiet: { kind: pagerduty, routing_key: { secret: pager-key } }
`;
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
  const { secrets, answers } = deploymentOf(loaded.configuration, "0".repeat(64));
  expect(secrets.notify).toEqual(["genie-key", "pager-key", "slack-token"]);
  expect(answers).toEqual({
    key: "answers-key",
    secrets: ["genie-token", "pager-webhook", "slack-signing"],
    channels: ["chat", "pager", "genie"],
  });
});

it("lists the secrets of placeholders in channel texts, and no others", () => {
  const channels = [
    { url: "https://a.example/bot${secret:token}/x", headers: { a: "Bearer ${secret:bearer}", b: "$${secret:no}" } },
  ];
  expect(secretsIn([channels, { key: { secret: "key" } }], placeholderSecrets)).toEqual(["bearer", "key", "token"]);
  expect(secretsIn(channels)).toEqual([]);
});

it.each([
  ["a private address", { host: "10.0.0.5", user: "watch" }, []],
  [
    "a private address, by IAM",
    { host: "10.0.0.5", user: "watch", iam: true },
    [[null, "roles/cloudsql.instanceUser"]],
  ],
  ["an instance", { instance: "shop:europe-west1:db", user: "watch" }, [["shop", "roles/cloudsql.client"]]],
  [
    "an instance, by IAM",
    { instance: "shop:europe-west1:db", user: "watch", iam: true },
    [
      ["shop", "roles/cloudsql.client"],
      ["shop", "roles/cloudsql.instanceUser"],
    ],
  ],
])("requires the roles for the connection to Cloud SQL: %s", async (_way, connection, expected) => {
  const { configuration } = await example("netra-staging");
  const database = configuration.probes.find(({ kind }) => kind === "postgres");
  if (database === undefined) throw new Error("the example has a database");
  const twice = [database, { ...database, name: "again" }].map((probe) => ({
    ...probe,
    settings: { ...probe.settings, connection },
  }));
  const { cloud_sql, apis } = deploymentOf({ ...configuration, probes: twice }, "0".repeat(64));
  expect(cloud_sql).toEqual(
    expected.map(([project, role]) => ({ function: `probe-${database.vantage}`, project, role })),
  );
  expect(apis.includes("sqladmin.googleapis.com")).toBe(expected.length > 0);
});

it("has separate jobs for two schedules that differ only in the position of a range", async () => {
  const { configuration } = await example("netra-staging");
  const [probe] = configuration.probes;
  if (probe === undefined) throw new Error("the example has probes");
  const probes = ["0 1-2 * * *", "0-1 2 * * *"].map((schedule, index) => ({
    ...probe,
    name: `nightly-${index}`,
    schedule,
    group: groupName(probe.vantage, schedule),
  }));
  const { schedules } = deploymentOf({ ...configuration, probes }, "0".repeat(64));
  expect(schedules.map(({ cron }) => cron)).toEqual(["0 1-2 * * *", "0-1 2 * * *", "* * * * *"]);
  expect(new Set(schedules.map(({ message }) => JSON.stringify(message.data))).size).toBe(3);
});

it("gives the secrets of a control probe only to the prober of its vantage point", async () => {
  const { configuration } = await example("netra-staging");
  const [probe] = configuration.probes;
  if (probe === undefined) throw new Error("the example has probes");
  const inside = { ...probe, settings: { url: { secret: "control-url" } } };
  const { secrets } = deploymentOf({ ...configuration, control: { inside } }, "0".repeat(64));
  const holders = Object.entries(secrets).filter(([, names]) => names.includes("control-url"));
  expect(holders.map(([name]) => name)).toEqual(["probe-inside"]);
});
