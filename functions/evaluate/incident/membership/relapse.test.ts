/** Timelines of outages that come back after they were resolved. */
import { describe, expect, it } from "vitest";
import { readIncident, type SymptomRecord } from "../../../../shared/documents/incident.ts";
import { Bench, failing, noon, type Shown, smallEnvironment } from "../../fixtures.ts";

const down: Readonly<Record<string, Shown>> = { "backend-health": failing("http_status/response") };
const elsewhere: Readonly<Record<string, Shown>> = { "pages-health": failing("http_status/response") };

async function minutes(bench: Bench, count: number, shown: Readonly<Record<string, Shown>> = {}): Promise<void> {
  for (let i = 0; i < count; i++) await bench.minute(shown);
}

/** An outage of five minutes, and its proved recovery. */
async function outage(bench: Bench, shown: Readonly<Record<string, Shown>> = down): Promise<void> {
  await minutes(bench, 5, shown);
  await minutes(bench, 4);
}

/** The ledger of a probe in the document of the first incident. */
async function failuresOf(bench: Bench, probe: string): Promise<SymptomRecord["failures"]> {
  const [{ fields = {} } = {}] = await bench.incidents();
  return readIncident(fields).symptoms.find(({ check }) => check === probe)?.failures ?? [];
}

function clock(at: unknown): string {
  return at instanceof Date ? at.toISOString().slice(11, 19) : String(at);
}

describe("a relapse", () => {
  it("reopens the resolved incident each time the same service fails", async () => {
    const bench = new Bench();
    for (let round = 0; round < 5; round++) {
      await outage(bench);
      await minutes(bench, 6);
    }
    const incidents = await bench.incidents();
    expect(incidents).toHaveLength(1);
    const again = ["regressed", "recovering", "resolved"];
    expect(bench.events.map(({ event }) => event)).toEqual([
      ...["opened", "recovering", "resolved"],
      ...[...again, ...again, ...again, ...again],
    ]);
    expect(incidents[0]?.fields).toMatchObject({ status: "resolved", root_cause: "backend" });
    expect(bench.events.at(3)?.change).toMatch(
      /^It failed again, .+ after it was resolved: "backend-health failing" fired\.$/,
    );
  });

  it("does not count the resolved time as failure", async () => {
    const bench = new Bench();
    await outage(bench);
    await minutes(bench, 11);
    await outage(bench);
    const [one] = await bench.incidents();
    expect(clock(one?.fields["first_failure_at"])).toBe("12:00:00");
    expect(clock(one?.fields["resolved_at"])).toBe("12:27:00");
    expect(one?.fields["relapses"]).toEqual([
      {
        resolved_at: new Date(noon + 7 * 60_000),
        failed_at: new Date(noon + 20 * 60_000),
        reopened_at: new Date(noon + 22 * 60_000),
        acknowledged_at: null,
      },
    ]);
    // Twice seven minutes.
    expect(one?.fields["duration"]).toBe("14 min");
    expect(bench.events.at(-1)).toMatchObject({ event: "resolved", good_seconds: 780 });
    expect(bench.events.at(-1)?.change).toContain("It lasted 14 min, 2 times in total");
    expect(one?.fields["recovery"]).toMatchObject({
      status: "passed",
      earlier: [expect.stringContaining("resolved after")],
    });
  });

  it("counts every failed run of each period once, including requested runs", async () => {
    const bench = new Bench();
    await outage(bench);
    await minutes(bench, 11);
    await outage(bench);
    const failures = await failuresOf(bench, "backend-health");
    // Of a time, five by the schedule and one of the diagnosis.
    expect(failures.map(({ from, until, count }) => [clock(from), clock(until), count])).toEqual([
      ["12:00:00", "12:04:00", 6],
      ["12:20:00", "12:24:00", 6],
    ]);
  });

  it("loses no failed run with more periods than entries", async () => {
    const bench = new Bench();
    for (let round = 0; round < 12; round++) {
      await outage(bench);
      await minutes(bench, 6);
    }
    const failures = await failuresOf(bench, "backend-health");
    expect(failures.reduce((sum, { count }) => sum + count, 0)).toBe(12 * 6);
    for (const { from, until, count } of failures) {
      const times = Math.round((until.getTime() - from.getTime() + 11 * 60_000) / (15 * 60_000));
      expect(count).toBe(6 * times);
    }
  });

  it("begins with the first failure of any alert that joins", async () => {
    const probes = smallEnvironment.probes.map((probe) =>
      probe.name === "auth-health" && probe.alert !== false
        ? { ...probe, alert: { ...probe.alert, afterMs: 240_000 } }
        : probe,
    );
    const bench = new Bench({ ...smallEnvironment, probes });
    const database = { database: failing("timeout/connect"), "database-direct": failing("timeout/connect") };
    const auth = { "auth-health": failing("http_status/response") };
    await minutes(bench, 6, { ...database, ...auth });
    await minutes(bench, 10);
    // It fails first, and its alert waits longer.
    await minutes(bench, 1, auth);
    await minutes(bench, 6, { ...database, ...auth });
    await minutes(bench, 5);
    const [{ fields = {} } = {}, ...others] = await bench.incidents();
    expect(others).toEqual([]);
    expect(fields["relapses"]).toEqual([expect.objectContaining({ failed_at: new Date(noon + 16 * 60_000) })]);
  });

  it("is unacknowledged when it reopens", async () => {
    const bench = new Bench({ ...smallEnvironment, routes: [{ channels: ["pager"], escalateAfterMs: 180_000 }] });
    await outage(bench);
    await minutes(bench, 11);
    await minutes(bench, 7, down);
    const escalations = bench.events.filter(({ event }) => event === "escalated").map(({ change }) => change);
    expect(escalations.at(-1)).toBe("The incident has not been acknowledged for 3 min.");
  });

  it("is a new incident after reopen_within, which names the previous one", async () => {
    const recovery = { ...smallEnvironment.recovery, reopenWithinMs: 600_000 };
    const bench = new Bench({ ...smallEnvironment, recovery });
    await outage(bench);
    await minutes(bench, 20);
    await outage(bench);
    const [first, second, ...others] = await bench.incidents();
    expect(others).toEqual([]);
    expect(first?.fields["relapses"]).toEqual([]);
    expect(second?.fields["previous"]).toBe(first?.id);
    expect(String(second?.fields["timeline"])).toContain(`Previous similar incident: ${first?.id}, resolved`);
  });

  it("never reopens with reopen_within: 0s", async () => {
    const bench = new Bench({ ...smallEnvironment, recovery: { ...smallEnvironment.recovery, reopenWithinMs: 0 } });
    await outage(bench);
    await outage(bench);
    expect(await bench.incidents()).toHaveLength(2);
  });

  it("is not an unrelated failure", async () => {
    const bench = new Bench();
    await outage(bench);
    await outage(bench, elsewhere);
    const incidents = await bench.incidents();
    expect(incidents.map(({ fields }) => fields["root_cause"])).toEqual(["backend", "pages"]);
    expect(incidents[1]?.fields["previous"]).toBeUndefined();
  });

  it("is not an outage with another cause in a component that had failed with the first", async () => {
    const bench = new Bench();
    const database = failing("timeout/connect");
    await outage(bench, {
      ...{ database, "database-direct": database },
      ...{ "backend-health": failing("http_status/response"), "auth-health": failing("http_status/response") },
    });
    await outage(bench);
    const incidents = await bench.incidents();
    expect(incidents).toHaveLength(2);
    expect(incidents[0]?.fields["root_cause"]).not.toBe("backend");
    expect(incidents[1]?.fields["root_cause"]).toBe("backend");
  });

  it("survives a restart of the evaluator, and clears the acknowledgement", async () => {
    const bench = new Bench();
    await minutes(bench, 4, down);
    const [{ id = "" } = {}] = await bench.incidents();
    await bench.store.transaction(async (transaction) =>
      transaction.update("incidents", id, { status: "acknowledged" }),
    );
    await minutes(bench, 1, down);
    await minutes(bench, 4);
    bench.restart();
    await minutes(bench, 4, down);
    const [open] = await bench.incidents();
    expect(open?.fields).toMatchObject({ status: "open", resolved_at: null, duration: null, postmortem: null });
    expect(clock(open?.fields["acknowledged_at"])).toBe("12:05:00");
    await bench.store.transaction(async (transaction) =>
      transaction.update("incidents", id, { status: "acknowledged" }),
    );
    await minutes(bench, 1, down);
    expect(bench.events.filter(({ event }) => event === "acknowledged")).toHaveLength(2);
  });

  it("has one postmortem in all, unless people edited the first", async () => {
    for (const edited of [false, true]) {
      const bench = new Bench();
      await outage(bench);
      const [{ id = "", fields = {} } = {}] = await bench.incidents();
      expect(fields["postmortem"]).toMatch(/^# Postmortem/);
      if (edited) {
        const postmortem = `${fields["postmortem"]}\nIt was the new pool.`;
        await bench.store.transaction(async (transaction) => transaction.update("incidents", id, { postmortem }));
      }
      await minutes(bench, 4, down);
      expect((await bench.incidents())[0]?.fields["postmortem"] === null).toBe(!edited);
      await minutes(bench, 5);
      const text = String((await bench.incidents())[0]?.fields["postmortem"]);
      if (edited) expect(text).toContain("It was the new pool.");
      else expect(text).toContain("It relapsed once");
    }
  });

  it("counts as one incident of the month, with the times of both", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await outage(bench);
    await minutes(bench, 11);
    await outage(bench);
    await minutes(bench, 6);
    const month = await bench.store.get("availability", "2025-09");
    expect(month?.["incidents"]).toMatchObject({ count: 1, resolved: 1, mean_detect: 120, mean_recover: 840 });
  });
});
