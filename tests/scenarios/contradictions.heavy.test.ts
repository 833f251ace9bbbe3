/**
 * Tests that an outage that grows produces few notifications, none of which contradicts another, in the example and the demo; and tests the
 * check itself.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { loadTests } from "../../cli/scenario/file/load.ts";
import { type Played, play } from "../../cli/scenario/play.ts";
import { demoConfiguration } from "../../local/demo/configuration.ts";
import { places } from "../../local/demo/places.fixtures.ts";
import { contradictions, noticesBeforeTheEnd } from "./contradictions.ts";

const example = join(import.meta.dirname, "../../examples/netra-staging/outage.test.yaml");

async function playedFrom(text: string, path: string): Promise<Played> {
  const loaded = await loadTests(text, path);
  if ("problems" in loaded || loaded.scenarios[0] === undefined) throw new Error(JSON.stringify(loaded));
  return play(loaded.scenarios[0]);
}

/** An outage that begins with a warning, becomes critical, and changes its likely cause twice, without an acknowledgement. */
const growing = `config: monitor.yaml
tests:
  - name: grows
    until: 80m
    expect: silence
    timeline:
      from 5m to 45m:
        - vpc_connector_utilization is 90%
      from 15m to 45m:
        - backend-health and api-health fail "503 Service Unavailable"
      from 20m to 45m:
        - database fails in connect (timeout)
        - database_connect_burst_success of database is 20%
        - auth-health, login and infrastructure fail "503 Service Unavailable"
        - websocket and websocket-events fail in upgrade (http_status) "503 Service Unavailable"
        - 'golden-path fails in "log in" (http_status) "503 Service Unavailable"'
`;

/** The same at the pace of the demo. */
const growingInTheDemo = `config: monitor.yaml
tests:
  - name: grows
    until: 5m
    expect: silence
    timeline:
      from 60s to 120s:
        - vpc_connector_utilization of infrastructure is 90%
        - database_connection_time of database is 900ms
      from 70s to 80s:
        - database_connect_burst_success of database is 40%
      from 80s to 120s:
        - database fails in connect (timeout)
        - backend-health, auth-health and infrastructure fail "503 Service Unavailable"
        - websocket and agent-events fail in upgrade (http_status) "503 Service Unavailable"
        - 'golden-path fails in "log in" (http_status) "503 Service Unavailable"'
`;

/** Maximum number of notices that a person receives in an outage before its all-clear. */
const atMost = 3;

function expectFewNotices(played: Played): void {
  expect(played.incidents.map(({ fields }) => [fields["severity"], fields["status"]])).toEqual([
    ["critical", "resolved"],
  ]);
  expect(contradictions(played)).toEqual([]);
  const counts = noticesBeforeTheEnd(played);
  expect(counts.length).toBeGreaterThan(1);
  expect(Math.max(...counts)).toBeGreaterThan(1);
  expect(Math.max(...counts)).toBeLessThanOrEqual(atMost);
}

describe("an outage that grows", () => {
  it("sends at most three notifications before the all-clear in the example, without an acknowledgement", async () => {
    expectFewNotices(await playedFrom(growing, example));
  });

  it("sends at most three notifications before the all-clear in the demo", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pathkeeper-growing-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "monitor.yaml"), demoConfiguration(places));
    expectFewNotices(await playedFrom(growingInTheDemo, join(folder, "growing.test.yaml")));
  });
});

describe("the outage of the example", () => {
  let played: Played;

  beforeAll(async () => {
    played = await playedFrom(await readFile(example, "utf8"), example);
  }, 120_000);

  it("sends nothing that contradicts the incident or an earlier notification", () => {
    expect(contradictions(played)).toEqual([]);
  });

  it("notifies each channel at most three times before the all-clear", () => {
    const counts = noticesBeforeTheEnd(played);
    expect(counts.length).toBeGreaterThan(3);
    expect(Math.max(...counts)).toBeLessThanOrEqual(atMost);
  });

  it.each<[string, RegExp, string]>([
    ["a state that is over", /^RESOLVED/, "NEW INCIDENT"],
    ["a subject that is over", /\[RESOLVED\]/, "[CRITICAL]"],
    ["seconds", /Lasted:/, "Lasted 12:04:10:"],
    ["steps in an all-clear", /Lasted:/, "First step: restart it\nLasted:"],
    ["work that nobody has begun", /Lasted:/, "We are working on it. Lasted:"],
  ])("detects a wrong mail that says %s", (_, pattern, replacement) => {
    const deliveries = played.deliveries.map((delivery) => {
      const payload: unknown = JSON.parse(delivery.payload ?? "null");
      const change = (text: unknown): unknown => (typeof text === "string" ? text.replace(pattern, replacement) : text);
      if (typeof payload !== "object" || payload === null) return delivery;
      const changed = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, change(value)]));
      return { ...delivery, payload: JSON.stringify(changed) };
    });
    expect(contradictions({ ...played, deliveries })).not.toEqual([]);
  });
});
