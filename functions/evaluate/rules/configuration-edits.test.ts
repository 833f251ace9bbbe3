import { describe, expect, it } from "vitest";
import type { Configuration, Rule } from "../../../shared/config/model.ts";
import { Bench, failing, probe, rule, smallEnvironment } from "../fixtures.ts";

const slow = rule("Slow", "database_connection_time > 25s", "3m", "warning");

function configured(rules: readonly Rule[], more: Partial<Configuration> = {}): Configuration {
  return { ...smallEnvironment, rules, recovery: { stages: [] }, ...more };
}

/** An evaluator that has seen so many minutes of a slow database. */
async function slowFor(minutes: number, rules: readonly Rule[] = [slow]): Promise<Bench> {
  const bench = new Bench(configured(rules));
  for (let i = 0; i < minutes; i++) await bench.minute({ database: { database_connection_time: 30 } });
  return bench;
}

async function minutes(bench: Bench, count: number, seconds: number): Promise<void> {
  for (let i = 0; i < count; i++) await bench.minute({ database: { database_connection_time: seconds } });
}

async function timeline(bench: Bench): Promise<string> {
  const [incident] = await bench.incidents();
  return ((incident?.fields["timeline"] ?? []) as string[]).join("\n");
}

describe("a rule that is edited while it is pending", () => {
  it("fires later when its duration is raised", async () => {
    const bench = await slowFor(3);
    bench.configure(configured([{ ...slow, alertDurationMs: 360_000 }]));
    await minutes(bench, 3, 30);
    expect(bench.story).toEqual([]);
    await minutes(bench, 1, 30);
    expect(bench.story).toEqual(["12:06 opened"]);
  });

  it("fires with the next measurement when its duration is lowered to what has passed", async () => {
    const bench = await slowFor(3);
    bench.configure(configured([{ ...slow, alertDurationMs: 60_000 }]));
    expect(bench.story).toEqual([]);
    await minutes(bench, 1, 30);
    // As of the measurement with which it had held for so long.
    expect(bench.story).toEqual(["12:01 opened"]);
  });

  it("restarts when its condition is changed", async () => {
    const bench = await slowFor(3);
    bench.configure(configured([{ ...slow, condition: "database_connection_time > 28s" }]));
    await minutes(bench, 3, 30);
    expect(bench.story).toEqual([]);
    await minutes(bench, 1, 30);
    expect(bench.story).toEqual(["12:06 opened"]);
  });
});

describe("a rule that is edited while it is firing", () => {
  it("keeps firing when its duration is raised", async () => {
    const bench = await slowFor(5);
    bench.configure(configured([{ ...slow, alertDurationMs: 3_600_000 }]));
    await minutes(bench, 5, 30);
    expect(bench.story).toEqual(["12:03 opened"]);
    await minutes(bench, 4, 1);
    expect(bench.story).toEqual(["12:03 opened", "12:13 recovering", "12:13 resolved"]);
  });

  it("is evaluated by its new condition from the next measurement", async () => {
    const bench = await slowFor(5);
    bench.configure(configured([{ ...slow, condition: "database_connection_time > 40s" }]));
    await minutes(bench, 4, 30);
    expect(bench.story).toEqual(["12:03 opened", "12:08 recovering", "12:08 resolved"]);
    expect(await timeline(bench)).toContain('"Slow" has cleared.');
  });

  it("ends with a sentence when its condition no longer selects the series", async () => {
    const bench = await slowFor(5);
    bench.configure(configured([{ ...slow, condition: 'database_connection_time{probe="database-direct"} > 25s' }]));
    await minutes(bench, 1, 30);
    expect(await timeline(bench)).toContain('"Slow" has ended: its condition was changed');
    expect(bench.story.at(-1)).toMatch(/resolved/);
  });

  it("ends with a sentence when it is removed", async () => {
    const bench = await slowFor(5);
    bench.configure(configured([]));
    await minutes(bench, 1, 30);
    expect(await timeline(bench)).toContain('"Slow" has ended: its rule was removed from the configuration.');
    expect(bench.story).toEqual(["12:03 opened", "12:05 recovering", "12:05 resolved"]);
  });

  it("keeps firing under its new name when it is renamed, without a notification", async () => {
    const bench = await slowFor(5);
    bench.configure(configured([{ ...slow, name: "Database is slow" }]));
    await minutes(bench, 5, 30);
    expect(bench.story).toEqual(["12:03 opened"]);
    const [incident] = await bench.incidents();
    expect(incident?.fields["alerts"]).toEqual(["Database is slow"]);
    expect(await timeline(bench)).toContain('The rule "Slow" was renamed to "Database is slow".');
    await minutes(bench, 4, 1);
    expect(bench.story.at(-1)).toMatch(/resolved/);
  });

  it("is renamed once in the record, though instances of both versions evaluate it during the deployment", async () => {
    const bench = await slowFor(5);
    const versions = ["Database is slow", "Slow", "Database is slow", "Slow", "Database is slow"];
    for (const name of versions) {
      bench.configure(configured([{ ...slow, name }]));
      await minutes(bench, 1, 30);
    }
    expect((await timeline(bench)).match(/ was renamed to /g)).toHaveLength(1);
    expect(await timeline(bench)).toContain('The rule "Slow" was renamed to "Database is slow".');
    expect(bench.story).toEqual(["12:03 opened"]);
  });

  it("records when it is assigned to another component", async () => {
    const bench = await slowFor(5);
    bench.configure(configured([{ ...slow, component: "connector" }]));
    await minutes(bench, 2, 30);
    expect(await timeline(bench)).toContain(
      '"Slow" is now about VPC connector, and no longer about Cloud SQL: the configuration was changed.',
    );
    expect(bench.story).toEqual(["12:03 opened"]);
  });

  it("raises the incident when it is made critical", async () => {
    const bench = await slowFor(5);
    bench.configure(configured([{ ...slow, severity: "critical" }]));
    await minutes(bench, 1, 30);
    expect(bench.story).toEqual(["12:03 opened", "12:05 severity_raised"]);
  });
});

describe("a probe that is edited while its alert fires", () => {
  const down = { "pages-health": failing("refused/connect") };

  async function pagesDown(): Promise<Bench> {
    const bench = new Bench(configured([]));
    for (let i = 0; i < 4; i++) await bench.minute(down);
    expect(bench.story).toEqual(["12:02 opened"]);
    return bench;
  }

  it("ends it with a sentence when it is removed, even with its whole group", async () => {
    for (const rest of [
      smallEnvironment.probes.filter(({ name }) => name !== "pages-health"),
      [probe("x", "sql", "inside")],
    ]) {
      const bench = await pagesDown();
      bench.configure(configured([], { probes: rest }));
      for (let i = 0; i < 2; i++) await bench.minute();
      expect(await timeline(bench)).toContain("the probe pages-health was removed from the configuration");
      expect(bench.story.at(-1)).toMatch(/resolved/);
    }
  });

  it("ends it and restarts when it is moved to another schedule", async () => {
    const bench = await pagesDown();
    const moved = probe("pages-health", "pages", "inside");
    const others = smallEnvironment.probes.filter(({ name }) => name !== moved.name);
    bench.configure(configured([], { probes: [...others, moved] }));
    for (let i = 0; i < 2; i++) await bench.minute(down);
    expect(await timeline(bench)).toContain("the probe pages-health was moved to the group inside-1m");
    for (let i = 0; i < 4; i++) await bench.minute(down);
    // Recovery validation finds that it is still failing, so no all-clear is sent. A later alert belongs the same outage.
    expect(bench.events.map(({ event }) => event)).toEqual(["opened", "recovering", "joined", "regressed"]);
  });

  it("keeps firing when it is assigned to another component", async () => {
    const bench = await pagesDown();
    const probes = smallEnvironment.probes.map((each) =>
      each.name === "pages-health" ? { ...each, component: "auth" } : each,
    );
    bench.configure(configured([], { probes }));
    for (let i = 0; i < 3; i++) await bench.minute(down);
    expect(bench.story.filter((line) => line.includes("resolved"))).toEqual([]);
    for (let i = 0; i < 3; i++) await bench.minute();
    expect(bench.story.at(-1)).toMatch(/resolved/);
  });
});
