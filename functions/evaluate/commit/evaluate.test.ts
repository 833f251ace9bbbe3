import { describe, expect, it } from "vitest";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { Bench, failing, rule, smallEnvironment } from "../fixtures.ts";

/** The connector drops handshakes: nothing gets through from inside, and the services answer 503. */
const outage = {
  database: failing("timeout/connect"),
  "backend-health": failing("http_status/response"),
  "auth-health": failing("http_status/response"),
};

async function minutes(bench: Bench, count: number, shown: Parameters<Bench["minute"]>[0] = {}): Promise<void> {
  for (let i = 0; i < count; i++) await bench.minute(shown);
}

describe("one outage", () => {
  it("is one incident, from the first failure to the proof of its recovery", async () => {
    const bench = new Bench();
    await minutes(bench, 5);
    await minutes(bench, 6, outage);
    await minutes(bench, 4);

    expect(bench.story).toEqual(["12:07 opened", "12:07 joined", "12:13 recovering", "12:13 resolved"]);
    const incidents = await bench.incidents();
    expect(incidents.map(({ id }) => id)).toEqual(["20250916-120700-connector"]);
    expect(incidents[0]?.fields).toMatchObject({
      status: "resolved",
      severity: "critical",
      priority: "P0",
      root_cause: "connector",
      verdict: "platform",
      components: ["connector", "backend", "auth", "sql"],
      duration: "8 min",
      title: "Test: Backend, Auth and Cloud SQL failing",
      summary:
        "Backend, Auth and Cloud SQL failed from 12:05:00 UTC. The cause was VPC connector (platform, 75% sure). It lasted 8 min.",
      impact: "Users get no answers. 4 of 5 components are affected.",
      note: "",
      silenced_until: null,
    });
    expect(incidents[0]?.fields["timeline"]).toEqual(
      expect.arrayContaining([
        "2025-09-16 12:05:00 UTC  `database` fails in connect (timeout): failed with timeout.",
        expect.stringContaining("Stage 1, basic health, passed"),
        expect.stringContaining("Stage 2, pages, passed"),
      ]),
    );
  });

  it.each([
    [true, false],
    [undefined, true],
  ] as const)(
    "acquits a component by measurements, not by metrics that are minutes late (secondhand: %s)",
    async (secondhand, acquits) => {
      const load = {
        ...smallEnvironment.probes[0],
        name: "connector-load",
        component: "connector",
        kind: "vpc_connector",
      };
      const probes = [
        ...smallEnvironment.probes,
        { ...load, ...(secondhand ? { secondhand } : {}) } as ConfiguredProbe,
      ];
      const bench = new Bench({ ...smallEnvironment, probes });
      await minutes(bench, 3);
      await minutes(bench, 6, outage);
      const [incident] = await bench.incidents();
      const evidence = JSON.stringify(incident?.fields["evidence"]);
      expect(/`connector-load`[^.]* good throughout/.test(evidence)).toBe(acquits);
    },
  );

  it("costs one read and one write per report while nothing happens", async () => {
    const bench = new Bench();
    await minutes(bench, 2);
    const counted = { get: 0, set: 0 };
    const { store } = bench;
    const transaction = store.transaction.bind(store);
    store.transaction = (body) =>
      transaction((inner) =>
        body({
          ...inner,
          get: (collection, id) => {
            counted.get += 1;
            return inner.get(collection, id);
          },
          set: (collection, id, fields) => {
            counted.set += 1;
            inner.set(collection, id, fields);
          },
          create: inner.create.bind(inner),
          update: inner.update.bind(inner),
          delete: inner.delete.bind(inner),
        }),
      );
    for (const report of bench.reports()) await bench.deliver(report);
    expect(counted).toEqual({ get: 2, set: 2 });
  });
});

describe("an alert that flaps", () => {
  const slow = rule("Slow", "database_connection_time > 25s", "0s", "warning");
  const configuration = { ...smallEnvironment, rules: [slow], recovery: { stages: [] } };

  it("is one incident that reports the flapping, open until it calms", async () => {
    const bench = new Bench(configuration);
    for (let i = 0; i < 14; i++)
      await minutes(bench, 1, { database: { database_connection_time: i % 2 === 0 ? 30 : 1 } });
    const openedBefore = bench.events.filter(({ event }) => event === "opened").length;
    await minutes(bench, 10, { database: { database_connection_time: 1 } });
    expect(bench.events.filter(({ event }) => event === "opened")).toHaveLength(openedBefore);
    const held = (await bench.incidents()).at(-1)?.fields;
    expect(held?.["status"]).toBe("open");
    expect(held?.["timeline"]).toContain(
      '2025-09-16 12:05:00 UTC  "Slow" is flapping since 12:05:00 UTC, 6 changes: it is held until it stabilizes.',
    );
    await minutes(bench, 12, { database: { database_connection_time: 1 } });
    const after = (await bench.incidents()).at(-1)?.fields;
    expect(after?.["status"]).toBe("resolved");
    expect(String(after?.["timeline"])).toMatch(/"Slow" has stabilized: flapping since 12:05:00 UTC, 14 changes/);
  });
});

describe("cost of a change", () => {
  it("is at most six documents more than that of a report that changes nothing", async () => {
    const bench = new Bench();
    await minutes(bench, 3);
    const counted = { get: 0, write: 0 };
    const { store } = bench;
    const transaction = store.transaction.bind(store);
    store.transaction = (body) => {
      const mine = { get: 0, write: 0 };
      return transaction((inner) => {
        mine.get = 0;
        mine.write = 0;
        return body({
          get: (collection, id) => {
            mine.get += 1;
            return inner.get(collection, id);
          },
          set: (...write) => {
            mine.write += 1;
            inner.set(...write);
          },
          create: (...write) => {
            mine.write += 1;
            inner.create(...write);
          },
          update: (...write) => {
            mine.write += 1;
            inner.update(...write);
          },
          delete: inner.delete.bind(inner),
        });
      }).finally(() => {
        counted.get += mine.get;
        counted.write += mine.write;
      });
    };
    const costs: number[] = [];
    for (let minute = 0; minute < 4; minute++) {
      for (const report of bench.reports({ "backend-health": failing("http_status/response") })) {
        counted.get = 0;
        counted.write = 0;
        await bench.deliver(report);
        costs.push(counted.get + counted.write);
      }
      bench.now += 60_000;
    }
    expect(Math.min(...costs)).toBe(2);
    expect(Math.max(...costs)).toBeLessThanOrEqual(2 + 6);
    expect(bench.story).toEqual(["12:05 opened"]);
  });
});

describe("at-least-once delivery", () => {
  it("ends in the same state with every report duplicated and shuffled within two minutes", async () => {
    const calm = new Bench();
    await minutes(calm, 3);
    await minutes(calm, 6, outage);
    await minutes(calm, 6);

    const stormy = new Bench();
    const reports = [];
    for (let minute = 0; minute < 15; minute++) {
      stormy.now = calm.now - (15 - minute) * 60_000;
      for (const report of stormy.reports(minute >= 3 && minute < 9 ? outage : {})) reports.push(report, report);
    }
    // Neighbours change places, so that a report comes up to two minutes late.
    for (let i = 0; i + 6 < reports.length; i += 7) reports.splice(i + 6, 0, ...reports.splice(i, 1));
    for (const report of reports) {
      stormy.now = Math.max(stormy.now, Date.parse(report.finished_at));
      await stormy.deliver(report);
      await stormy.answerValidations();
    }
    const [once] = await calm.incidents();
    const incidents = await stormy.incidents();
    expect(incidents).toHaveLength(1);
    expect(incidents[0]?.fields).toMatchObject({
      status: "resolved",
      root_cause: once?.fields["root_cause"],
      verdict: once?.fields["verdict"],
      severity: once?.fields["severity"],
      first_failure_at: once?.fields["first_failure_at"],
    });
  });

  it("publishes again after a crash before publication", async () => {
    const bench = new Bench();
    await minutes(bench, 3);
    await minutes(bench, 2, outage);
    const [inside, outside] = bench.reports(outage);
    const publish = bench.publisher.publish.bind(bench.publisher);
    bench.publisher.publish = () => Promise.reject(new Error("killed"));
    for (const report of [inside, outside]) {
      if (report) await expect(bench.deliver(report)).rejects.toThrow("killed");
    }
    expect(bench.events).toEqual([]);

    bench.publisher.publish = publish;
    bench.restart();
    if (outside) await bench.deliver(outside);
    expect(bench.events.map(({ event }) => event)).toContain("opened");
  });

  it("publishes on the next tick if the message is not redelivered", async () => {
    const bench = new Bench();
    await minutes(bench, 3);
    await minutes(bench, 2, outage);
    const publish = bench.publisher.publish.bind(bench.publisher);
    bench.publisher.publish = () => Promise.reject(new Error("killed"));
    for (const report of bench.reports(outage)) await bench.deliver(report).catch(() => {});
    bench.publisher.publish = publish;
    bench.restart();
    await bench.tick();
    await bench.tick();
    expect(bench.publisher.published.filter(({ topic }) => topic === "notifications").length).toBe(bench.events.length);
    expect(bench.events.map(({ event }) => event)).toContain("opened");
  });
});

describe("the life of an incident", () => {
  it("opens separate incidents for unrelated outages", async () => {
    const bench = new Bench();
    await minutes(bench, 2);
    await minutes(bench, 4, { ...outage, "pages-health": failing("timeout/first_byte") });
    expect((await bench.incidents()).map(({ fields }) => fields["root_cause"]).sort()).toEqual(["connector", "pages"]);
  });

  it("reopens the incident if it regresses during the validation, and does not open another", async () => {
    const bench = new Bench();
    await minutes(bench, 2);
    await minutes(bench, 4, outage);
    // The scheduled probes are good again, but a validation is not answered: the recovery is not proved.
    for (let i = 0; i < 3; i++) {
      for (const report of bench.reports()) await bench.deliver(report);
      bench.now += 60_000;
    }
    expect((await bench.incidents())[0]?.fields).toMatchObject({ status: "recovering" });
    for (let i = 0; i < 3; i++) {
      for (const report of bench.reports(outage)) await bench.deliver(report);
      bench.now += 60_000;
    }
    const incidents = await bench.incidents();
    expect(incidents).toHaveLength(1);
    expect(incidents[0]?.fields).toMatchObject({ status: "open", recovering_at: null });
    expect(bench.events.map(({ event }) => event)).toEqual(["opened", "joined", "recovering", "regressed"]);
  });

  it("does not resolve while a stage fails, and records the reason", async () => {
    const bench = new Bench();
    await minutes(bench, 2);
    await minutes(bench, 4, outage);
    await minutes(bench, 2);
    await minutes(bench, 4, { database: { database_connection_time: 7 } });
    const [incident] = await bench.incidents();
    expect(incident?.fields).toMatchObject({ status: "recovering" });
    expect(incident?.fields["timeline"]).toContainEqual(
      expect.stringContaining(
        "Validation of stage 1, basic health, failed: `database` succeeds, but database_connection_time (7s) is not < 5s.",
      ),
    );
    await minutes(bench, 2);
    expect((await bench.incidents())[0]?.fields).toMatchObject({ status: "resolved" });
  });

  it("opens a new incident long after the last is resolved", async () => {
    const bench = new Bench();
    for (let i = 0; i < 2; i++) {
      await minutes(bench, 2);
      await minutes(bench, 4, outage);
      await minutes(bench, 35);
    }
    expect((await bench.incidents()).map(({ fields }) => fields["status"])).toEqual(["resolved", "resolved"]);
  });

  it("ignores short failures", async () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) {
      await minutes(bench, 1, outage);
      await minutes(bench, 2);
    }
    expect(bench.events).toEqual([]);
  });

  it("neither opens nor resolves incidents when probes stop reporting", async () => {
    const bench = new Bench();
    await minutes(bench, 2);
    for (let i = 0; i < 10; i++) {
      bench.now += 60_000;
      await bench.tick();
    }
    expect(bench.events).toEqual([]);
    await minutes(bench, 4, outage);
    for (let i = 0; i < 10; i++) {
      bench.now += 60_000;
      await bench.tick();
    }
    expect((await bench.incidents())[0]?.fields).toMatchObject({ status: "open" });
  });

  it("opens an incident for a rule whose metric is slow while every probe succeeds", async () => {
    const bench = new Bench();
    await minutes(bench, 3);
    await minutes(bench, 6, { database: { database_connection_time: 27.4 } });
    const [incident] = await bench.incidents();
    expect(incident?.fields).toMatchObject({
      severity: "warning",
      alerts: ["Database Connection Time Warning"],
      priority: "P2",
      title: "Test: Cloud SQL degraded",
      impact: "Nothing is blocked so far. At risk: Users get no answers. 1 of 5 components is affected.",
    });
    expect(incident?.fields["evidence"]).toContainEqual(
      expect.stringContaining("avg_database_connection_time (27.4s) > 25s"),
    );
  });
});

describe("edits in the console", () => {
  async function openIncident(): Promise<{ bench: Bench; id: string }> {
    const bench = new Bench();
    await minutes(bench, 2);
    await minutes(bench, 4, outage);
    return { bench, id: (await bench.incidents())[0]?.id ?? "" };
  }

  it("acknowledges at the next tick and keeps the note", async () => {
    const { bench, id } = await openIncident();
    await bench.store.update("incidents", id, { status: "acknowledged", note: "Ann is on it" });
    await bench.minute(outage);
    const [incident] = await bench.incidents();
    expect(incident?.fields).toMatchObject({ status: "acknowledged", note: "Ann is on it" });
    expect(incident?.fields["problem"] ?? null).toBeNull();
    expect(incident?.fields["timeline"]).toEqual(
      expect.arrayContaining([
        expect.stringContaining("Note by an operator: Ann is on it"),
        expect.stringContaining("Acknowledged by an operator"),
      ]),
    );
    expect(bench.events.map(({ event }) => event)).toEqual(["opened", "joined", "acknowledged"]);
  });

  it("resolves manually, and does not reopen while the same alerts keep firing", async () => {
    const { bench, id } = await openIncident();
    await bench.store.update("incidents", id, { status: "resolved" });
    await minutes(bench, 5, outage);
    expect((await bench.incidents()).map(({ fields }) => fields["status"])).toEqual(["resolved"]);
    expect(bench.events.map(({ event }) => event)).toEqual(["opened", "joined", "resolved"]);
  });

  it("explains an invalid status, and corrects it", async () => {
    const { bench, id } = await openIncident();
    await bench.store.update("incidents", id, { status: "done!", silenced_until: "tomorrow" });
    await bench.minute(outage);
    expect((await bench.incidents())[0]?.fields).toMatchObject({
      status: "open",
      problem:
        '`silenced_until` must be of type timestamp; `status` cannot be set to "done!": enter acknowledged or resolved.',
    });
    // The explanation of a corrected status stays for an hour, or until a valid one is written.
    await bench.store.update("incidents", id, { silenced_until: null });
    await bench.minute(outage);
    expect((await bench.incidents())[0]?.fields).toMatchObject({
      problem: '`status` cannot be set to "done!": enter acknowledged or resolved.',
    });
    await bench.store.update("incidents", id, { status: "acknowledged" });
    await bench.minute(outage);
    expect((await bench.incidents())[0]?.fields).toMatchObject({ status: "acknowledged", problem: null });
  });

  it("rewrites the document if an operator deletes it", async () => {
    const { bench, id } = await openIncident();
    await bench.store.delete("incidents", id);
    await minutes(bench, 5);
    expect((await bench.incidents())[0]?.fields).toMatchObject({ status: "resolved" });
  });
});

describe("the environment", () => {
  it("ignores messages of another environment", async () => {
    const bench = new Bench({ ...smallEnvironment, environment: "other" });
    const [report] = new Bench().reports(outage);
    if (report) await bench.deliver(report);
    expect(await bench.store.query({ collection: "state" })).toEqual([]);
  });
});
