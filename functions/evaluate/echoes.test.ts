import { expect, it } from "vitest";
import { Bench, failing, probe, rule, type Shown, smallEnvironment } from "./fixtures.ts";

/** Google's figures of the connector beside the probes, and a rule over them. */
const configuration = {
  ...smallEnvironment,
  probes: [
    ...smallEnvironment.probes,
    {
      ...probe("connector-load", "connector", "outside", "vpc_connector"),
      secondhand: true as const,
      alert: false as const,
    },
  ],
  rules: [rule("Connector Full", "vpc_connector_utilization > 70%", "4m", "warning", { component: "connector" })],
};
const busy: Shown = { vpc_connector_utilization: 0.95 };
const idle: Shown = { vpc_connector_utilization: 0.2 };
const down = {
  database: failing("timeout/connect"),
  "backend-health": failing("http_status/response"),
  "auth-health": failing("http_status/response"),
};

/** An outage of six minutes, whose figures arrive four minutes late and stay bad for `longer` minutes. */
async function outage(longer: number, after: Readonly<Record<string, Shown>> = {}): Promise<Bench> {
  const bench = new Bench(configuration);
  const play = async (minutes: number, shown: Readonly<Record<string, Shown>>): Promise<void> => {
    for (let i = 0; i < minutes; i++) await bench.minute(shown);
  };
  await play(3, { "connector-load": idle });
  await play(5, { ...down, "connector-load": idle });
  await play(1, { ...down, "connector-load": busy });
  await play(longer, { ...after, "connector-load": busy });
  await play(40 - longer, { ...after, "connector-load": idle });
  return bench;
}

it("is no second outage when figures that come late show the end of one that is over", async () => {
  const bench = await outage(5);
  const incidents = await bench.incidents();
  expect(incidents.map(({ fields }) => fields["status"])).toEqual(["resolved"]);
  expect(bench.story.map((line) => line.slice(6))).toEqual(["opened", "joined", "recovering", "resolved"]);
});

it("is one where they stay bad for longer than they come late", async () => {
  const bench = await outage(30);
  const incidents = await bench.incidents();
  expect(incidents.map(({ fields }) => fields["severity"])).toEqual(["critical", "warning"]);
  expect(incidents[1]?.fields["alerts"]).toEqual(["Connector Full"]);
});

it("is one at once where a probe itself fails again", async () => {
  const bench = await outage(3, { "pages-health": failing("http_status/response") });
  const incidents = await bench.incidents();
  expect(incidents).toHaveLength(2);
  expect(incidents[1]?.fields["alerts"]).toContain("pages-health failing");
});
