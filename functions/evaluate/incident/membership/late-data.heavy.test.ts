import { describe, expect, it } from "vitest";
import { Bench, failing, probe, rule, type Shown, smallEnvironment } from "../../fixtures.ts";

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

/** Plays an outage of six minutes. Its measurements arrive four minutes late and stay bad for `longer` minutes. */
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

it("does not open a second incident when late metrics show the end of a resolved one", async () => {
  const bench = await outage(5);
  const incidents = await bench.incidents();
  expect(incidents.map(({ fields }) => fields["status"])).toEqual(["resolved"]);
  expect(bench.story.map((line) => line.slice(6))).toEqual(["opened", "joined", "recovering", "resolved"]);
});

it("reopens the incident if the metrics stay bad for longer than their delay", async () => {
  const bench = await outage(30);
  const incidents = await bench.incidents();
  expect(incidents.map(({ fields }) => fields["relapses"])).toEqual([[expect.anything()]]);
  expect(bench.story.map((line) => line.slice(6))).toEqual([
    ...["opened", "joined", "recovering", "resolved"],
    ...["regressed", "recovering", "resolved"],
  ]);
  expect(bench.events[4]?.change).toContain('"Connector Full" fired.');
});

it("reopens immediately if a probe itself fails again", async () => {
  const bench = await outage(3, { "pages-health": failing("http_status/response") });
  const incidents = await bench.incidents();
  expect(incidents).toHaveLength(2);
  expect(incidents[1]?.fields["alerts"]).toContain("pages-health failing");
});

const figures = (name: string, of: string) => ({
  ...probe(name, of, "outside", "cloud_run"),
  secondhand: true as const,
  alert: false as const,
});
const read = (rate: number): Record<string, Shown> => ({
  "backend-requests": { cloud_run_error_rate: rate },
  "auth-requests": { cloud_run_error_rate: rate },
});
const services = [figures("backend-requests", "backend"), figures("auth-requests", "auth")];

/** A bench with Google's figures of two services, good unless said otherwise. */
class Services {
  readonly bench: Bench;
  /** Events with their minutes: `12:04 opened`. */
  readonly announced: string[] = [];

  constructor(duration: string) {
    this.bench = new Bench({
      ...smallEnvironment,
      probes: [...smallEnvironment.probes, ...services],
      rules: [rule("Requests Fail", "cloud_run_error_rate > 3%", duration, "warning")],
    });
  }

  async play(minutes: number, shown: Readonly<Record<string, Shown>> = {}): Promise<void> {
    for (let i = 0; i < minutes; i++) {
      const before = this.bench.events.length;
      await this.bench.minute({ ...read(0), ...shown });
      const at = new Date(this.bench.now).toISOString().slice(11, 16);
      this.announced.push(...this.bench.events.slice(before).map(({ event }) => `${at} ${event}`));
    }
  }

  /** Continues until the incident is resolved. */
  async end(shown: Readonly<Record<string, Shown>> = {}): Promise<void> {
    while (!this.announced.at(-1)?.endsWith("resolved")) await this.play(1, shown);
  }

  /** The lines of the timeline of the first incident. */
  async record(): Promise<string> {
    const [incident] = await this.bench.incidents();
    return [incident?.fields["timeline"] ?? []].flat().join("\n");
  }
}

const database = { database: failing("timeout/connect") };

describe("metrics that are bad minutes after an outage ended", () => {
  it.each([
    ["of services that were no part of it", "0s", 12, database, 0],
    ["of services that were no part of it", "2m", 12, database, 0],
    ["of services that were no part of it", "5m", 12, database, 0],
    ["of services that were no part of a short one", "0s", 4, database, 0],
    ["of services whose figures were good while it lasted", "0s", 12, down, 0],
    ["of services whose figures were good while it lasted", "5m", 12, down, 0],
    // They may speak of its last minutes still, and of nothing else before they have stayed bad for longer.
    ["of services that were part of a short one", "0s", 5, down, 4],
    ["of services that were part of a short one", "5m", 5, down, 4],
  ])("%s are an incident (%s, %i min)", async (_, duration, minutes, shown, patience) => {
    const world = new Services(duration);
    await world.play(2);
    await world.play(minutes, shown);
    await world.end();
    const before = world.announced.length;
    const began = world.bench.now + 3 * 60_000;
    await world.play(3);
    await world.play(10, read(0.99));
    const [opened = ""] = world.announced.slice(before);
    expect(opened).toMatch(/ opened$/);
    const after = (Date.parse(`2025-09-16T${opened.slice(0, 5)}Z`) - began) / 60_000;
    expect(after).toBeLessThanOrEqual(Number.parseInt(duration, 10) + 1 + patience);
    const [first, second, ...others] = await world.bench.incidents();
    expect(others).toEqual([]);
    expect(first?.fields["status"]).toBe("resolved");
    expect(second?.fields["alerts"]).toEqual(["Requests Fail"]);
    expect([second?.fields["components"]].flat().sort()).toEqual(["auth", "backend"]);
    await world.play(20);
    expect(world.announced.at(-1)).toMatch(/ resolved$/);
  });

  it("reopen it immediately if they had fired in it and recovered", async () => {
    const world = new Services("0s");
    await world.play(2);
    await world.play(4, { ...down, ...read(0.99) });
    await world.end();
    const before = world.announced.length;
    await world.play(1);
    await world.play(2, read(0.99));
    // The second service may leave the cause undecided, which is also notified.
    const events = world.announced.slice(before).map((line) => line.slice(6));
    expect([events[0], ...events.filter((event) => event !== "root_cause_changed").slice(1)]).toEqual(["regressed"]);
  });

  it("are an incident if they were bad before it began", async () => {
    const world = new Services("12m");
    await world.play(2);
    await world.play(2, read(0.99));
    await world.play(4, { ...down, ...read(0.99) });
    await world.end(read(0.99));
    await world.play(10, read(0.99));
    expect(await world.bench.incidents()).toHaveLength(2);
  });
});

describe("late metrics that recover", () => {
  it.each([
    ["were bad before its end", "6m", 3],
    ["are read after its end only", "0s", 0],
  ])("are in the record of the outage: they %s", async (_, duration, late) => {
    const world = new Services(duration);
    await world.play(2);
    await world.play(3, down);
    await world.play(late, { ...down, ...read(0.99) });
    await world.end(late === 0 ? {} : read(0.99));
    await world.play(3, read(0.99));
    await world.play(30);
    expect(await world.bench.incidents()).toHaveLength(1);
    expect(world.announced.filter((line) => line.endsWith("opened"))).toHaveLength(1);
    const record = await world.record();
    for (const service of ["Backend", "Auth"]) {
      const line = `"Requests Fail" fired for ${service} at 12:\\d\\d:00 UTC and has cleared, according to metrics that arrive minutes late: cloud_run_error_rate \\(99%\\) > 3%\\.`;
      expect(record).toMatch(new RegExp(line));
    }
  });

  it("are in the record after a restart, and after their rule is renamed", async () => {
    const world = new Services("0s");
    await world.play(2);
    await world.play(3, down);
    await world.end();
    await world.play(2, read(0.99));
    const { configuration } = world.bench;
    const [first] = configuration.rules;
    if (first === undefined) throw new Error("there is no rule");
    world.bench.configure({ ...configuration, rules: [{ ...first, name: "Requests Are Refused" }] });
    await world.play(1, read(0.99));
    await world.play(20);
    expect(await world.bench.incidents()).toHaveLength(1);
    expect(
      (await world.record()).match(/and has cleared, according to metrics that arrive minutes late/g),
    ).toHaveLength(2);
  });

  it("are reevaluated if an earlier version held them", async () => {
    const world = new Services("0s");
    await world.play(2);
    await world.play(3, down);
    await world.end();
    await world.play(2, read(0.99));
    const stored = await world.bench.store.get("state", "environment");
    const environment = JSON.parse(String(stored?.["data"]));
    const until = Object.keys(environment.lateData).map((key) => [key, world.bench.now + 900_000]);
    const closed = environment.recentlyResolved.map(
      ({ affected: _, alerts: __, endedAt: ___, ...one }: object & Record<string, unknown>) => one,
    );
    const data = JSON.stringify({
      ...environment,
      recentlyResolved: undefined,
      lateData: undefined,
      closed,
      echoes: Object.fromEntries(until),
    });
    await world.bench.store.set("state", "environment", { ...stored, data });
    await world.play(1, read(0.99));
    expect(await world.bench.incidents()).toHaveLength(2);
  });
});
