import { describe, expect, it } from "vitest";
import { rehearse } from "../../../cli/replay/replay.ts";
import type { Report } from "../../../shared/messages/report.ts";
import { selfGroup } from "../../../shared/monitor.ts";
import { Bench, failing, noon, type Shown, smallEnvironment } from "../fixtures.ts";
import { planOf } from "../plan.ts";
import { boundedReport, publicationOf } from "./publication.ts";

const second = 1_000;
const minute = 60_000;
const hour = 60 * minute;

const down = { "pages-health": failing("timeout/connect") };

/** The report as a clock dates it that is ahead by so much; behind where that is negative. */
function dated(report: Report, aheadMs: number): Report {
  const moved = (instant: string): string => new Date(Date.parse(instant) + aheadMs).toISOString();
  return {
    ...report,
    report: `${report.report}/${aheadMs}`,
    started_at: moved(report.started_at),
    finished_at: moved(report.finished_at),
    results: report.results.map(({ at, attempts, ...result }) => ({
      ...result,
      at: moved(at),
      ...(attempts && { attempts: attempts.map((attempt) => ({ ...attempt, at: moved(attempt.at) })) }),
    })),
  };
}

/** Minutes in which the clock of one group is ahead. */
async function minutes(
  bench: Bench,
  count: number,
  {
    aheadMs = 0,
    group = "outside-1m",
    shown = {},
  }: { aheadMs?: number; group?: string; shown?: Record<string, Shown> } = {},
): Promise<void> {
  // Asks for the first canary.
  if (bench.now === noon && bench.configuration.watchdog !== undefined) await bench.tick();
  for (let i = 0; i < count; i++) {
    for (const report of bench.reports(shown)) {
      await bench.deliver(aheadMs !== 0 && report.group === group ? dated(report, aheadMs) : report);
    }
    bench.now += minute;
    await bench.tick();
    await bench.answerValidations(shown);
  }
}

/** Returns the events with their verdicts: `12:04 opened monitor`. */
function announcedBy(bench: Bench): string[] {
  return bench.events
    .filter(({ event }) => event === "opened" || event === "resolved")
    .map(({ at, event, verdict }) => `${at.slice(11, 16)} ${event} ${verdict}`);
}

describe("event time", () => {
  const report = new Bench().reports()[0] as Report;
  const attempted = {
    ...report,
    results: report.results.map((result) => ({ ...result, attempts: [{ at: result.at, duration: 1 }] })),
  };

  it.each([
    ["an hour", hour, 0],
    ["a day", 24 * hour, 0],
    ["61 s", 61 * second, 0],
    ["60 s", 60 * second, 60 * second],
    ["nothing", 0, 0],
    ["less than nothing", -hour, -hour],
  ])("of a report that is ahead of its publication by %s", (_, aheadMs, left) => {
    const ahead = dated(attempted, aheadMs);
    const bounded = boundedReport(ahead, publicationOf(ahead, noon));
    const instants = [bounded.started_at, bounded.finished_at, ...bounded.results.map(({ at }) => at)];
    instants.push(...bounded.results.flatMap(({ attempts = [] }) => attempts.map(({ at }) => at)));
    for (const instant of instants) expect(Date.parse(instant) - noon).toBe(left);
  });

  it("is that of each result, for a long run", () => {
    const [first, ...others] = report.results;
    const late = { ...(first as (typeof report.results)[number]), at: new Date(noon + 90 * second).toISOString() };
    const ahead = { ...report, results: [late, ...others] };
    const bounded = boundedReport(ahead, publicationOf(ahead, noon + 20 * second));
    expect(bounded.results.map(({ at }) => Date.parse(at) - noon)).toEqual([20 * second, ...others.map(() => 0)]);
  });

  it("is kept if the publication time is unknown", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: false, knowsPublication: false });
    const [outside] = bench.reports(down);
    const reports = Array.from({ length: 5 }, (_, i) => dated(outside as Report, i * minute));
    const ahead = reports.map(({ results, ...rest }) => ({
      ...rest,
      results: results.map((result) => ({ ...result, at: new Date(Date.parse(result.at) + hour).toISOString() })),
    }));
    for (const one of ahead) await bench.deliver(one);
    expect(bench.story).toEqual(["13:02 opened"]);
    const record = {
      reports: () => ahead,
      count: 5,
      foreign: 0,
      holdsValidations: false,
      lastAt: noon + 10 * minute,
    };
    const events: string[] = [];
    await rehearse({ plan: planOf(smallEnvironment), record, onEvent: ({ at }) => events.push(at.slice(11, 16)) });
    expect(events).toEqual(["13:02"]);
  });
});

describe("one report of a clock that is ahead", () => {
  it.each([
    ["61 s", 61 * second],
    ["an hour", hour],
    ["a day", 24 * hour],
    ["a year", 365 * 24 * hour],
  ])("by %s delays no notification about the targets", async (_, aheadMs) => {
    const stories = [0, aheadMs].map(async (error) => {
      const bench = new Bench();
      await minutes(bench, 3);
      await minutes(bench, 1, { aheadMs: error });
      await minutes(bench, 5);
      await minutes(bench, 6, { shown: down });
      await minutes(bench, 6);
      return bench.story;
    });
    const [usual, other] = await Promise.all(stories);
    expect(usual).toEqual(["12:11 opened", "12:17 recovering", "12:18 resolved"]);
    expect(other).toEqual(usual);
  });

  it.each(["a result that is good", "a result that is bad"])("leaves no date in the future: %s", async (what) => {
    const shown = what.endsWith("bad") ? { ...down, "backend-health": failing("refused/connect") } : {};
    const bench = new Bench();
    await minutes(bench, 3, { shown: down });
    await minutes(bench, 1, { aheadMs: hour, shown });
    await minutes(bench, 1, { shown });
    for (const { id, fields } of await bench.store.query({ collection: "state" })) {
      const instants = String(fields["data"]).match(/\b17\d{11}\b/g) ?? [];
      for (const instant of instants) expect(Number(instant), id).toBeLessThanOrEqual(bench.now + minute);
    }
    for (const { fields } of await bench.incidents()) {
      for (const value of Object.values(fields)) {
        if (value instanceof Date) expect(value.getTime()).toBeLessThanOrEqual(bench.now);
      }
    }
  });

  it("does not hide silent probes", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await minutes(bench, 3);
    await minutes(bench, 1, { aheadMs: hour, group: "inside-1m" });
    for (let i = 0; i < 8; i++) {
      for (const report of bench.reports()) if (report.group !== "inside-1m") await bench.deliver(report);
      bench.now += minute;
      await bench.tick();
    }
    expect((await bench.incidents()).flatMap(({ fields }) => fields["alerts"])).toContain("No reports of inside-1m");
  });
});

describe("a clock that is ahead", () => {
  it("is an incident of the monitor, resolved when the clock is correct again", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await minutes(bench, 3);
    await minutes(bench, 5, { aheadMs: hour });
    await minutes(bench, 5);
    expect(announcedBy(bench)).toEqual(["12:04 opened monitor", "12:11 resolved monitor"]);
    const [incident] = await bench.incidents();
    expect(incident?.fields).toMatchObject({
      title: "Test: the clock of outside-1m is wrong",
      severity: "warning",
      alerts: ["Clock of outside-1m ahead"],
    });
    expect(bench.events[0]?.evidence).toEqual([
      "Seen: Clock of outside-1m ahead: its reports are dated 1 h ahead of their publication; they are evaluated at their publication time.",
    ]);
    expect(bench.events[0]?.next_steps).toEqual([
      "Check the clock of the machine that runs the probe function of outside-1m, its synchronization, and the log of the function.",
    ]);
  });

  it("is one for a single report, for any order of the tick and the next report", async () => {
    for (const tickFirst of [true, false]) {
      const bench = new Bench(smallEnvironment, { watchesItself: true });
      await minutes(bench, 3);
      for (const report of bench.reports()) await bench.deliver(dated(report, hour));
      bench.now += minute;
      if (tickFirst) await bench.tick();
      await minutes(bench, 8);
      const [opened, resolved] = tickFirst ? ["12:04", "12:07"] : ["12:05", "12:08"];
      expect(announcedBy(bench)).toEqual([`${opened} opened monitor`, `${resolved} resolved monitor`]);
    }
  });

  it("is not an incident within a minute", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await minutes(bench, 10, { aheadMs: 59 * second });
    expect(bench.story).toEqual([]);
  });

  it("does not suppress an outage, and is a separate incident", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await minutes(bench, 3);
    await minutes(bench, 6, { aheadMs: 24 * hour, shown: down });
    await minutes(bench, 8, { aheadMs: 24 * hour });
    expect(announcedBy(bench)).toEqual([
      "12:04 opened monitor",
      "12:05 opened application",
      "12:12 resolved application",
    ]);
  });

  it("does not date reports of other functions about the monitor", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await minutes(bench, 2);
    const [outside] = bench.reports();
    const own = (success: boolean): Report => ({
      ...(outside as Report),
      report: `test/${selfGroup}/${bench.now}`,
      group: selfGroup,
      results: [
        {
          probe: "mail",
          component: "pathkeeper",
          at: new Date(bench.now).toISOString(),
          success,
          measurements: [],
        },
      ],
    });
    await bench.deliver(dated(own(false), 24 * hour));
    await minutes(bench, 1);
    await bench.deliver(own(true));
    expect(announcedBy(bench)).toEqual(["12:02 opened monitor", "12:03 resolved monitor"]);
  });
});

describe("a clock that is behind", () => {
  it.each([
    ["90 s", 90 * second],
    ["5 min", 5 * minute],
    ["12 min", 12 * minute],
    ["an hour", hour],
    ["a day", 24 * hour],
  ])("by %s is an incident of the monitor, resolved when the clock is correct again", async (_, behindMs) => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await minutes(bench, 3);
    await minutes(bench, 10, { aheadMs: -behindMs, group: "inside-1m" });
    await minutes(bench, 6);
    const [opened, ...others] = announcedBy(bench);
    expect(opened).toMatch(/^12:0[4-7] opened monitor$/);
    expect(others).toEqual([expect.stringMatching(/^12:1[4-7] resolved monitor$/)]);
    const [incident] = await bench.incidents();
    expect(incident?.fields).toMatchObject({
      title: "Test: the clock of inside-1m is wrong",
      alerts: ["Reports of inside-1m come late"],
    });
  });

  it("is not an incident if one report waited before publication", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await minutes(bench, 3);
    await minutes(bench, 1, { aheadMs: -2 * minute });
    await minutes(bench, 5);
    expect(bench.story).toEqual([]);
  });

  it("is critical if no group is evaluated any more", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await minutes(bench, 3);
    for (let i = 0; i < 8; i++) {
      for (const report of bench.reports()) await bench.deliver(dated(report, -hour));
      bench.now += minute;
      await bench.tick();
    }
    expect((await bench.incidents()).map(({ fields }) => fields["severity"])).toEqual(["critical"]);
  });
});

describe("the watchdog signal", () => {
  /** A monitor that beats every minute, and when. */
  function beating(): { bench: Bench; beats: string[] } {
    const beats: string[] = [];
    const watchdog = { url: "", everyMs: minute, method: "GET", allowPrivate: true } as const;
    const bench: Bench = new Bench(
      { ...smallEnvironment, watchdog },
      { watchesItself: true },
      { signal: async () => void beats.push(new Date(bench.now).toISOString().slice(11, 16)) },
    );
    return { bench, beats };
  }

  it("stops for a group that was ahead and has stopped reporting", async () => {
    const { bench, beats } = beating();
    await minutes(bench, 2);
    await minutes(bench, 1, { aheadMs: 24 * hour, group: "inside-1m" });
    for (let i = 0; i < 10; i++) {
      for (const report of bench.reports()) if (report.group !== "inside-1m") await bench.deliver(report);
      bench.now += minute;
      await bench.tick();
    }
    expect(beats).toEqual(["12:01", "12:02", "12:03"]);
  });

  it("stops while reports of a group are too late to be evaluated, even if others are on time", async () => {
    const [first, ...rest] = smallEnvironment.probes;
    if (first === undefined) throw new Error("there is no probe");
    const { bench, beats } = beating();
    const other = { ...first, name: "slow", schedule: "every 2m", group: "outside-2m" };
    bench.configure({ ...bench.configuration, probes: [first, ...rest, other] });
    await minutes(bench, 3);
    await minutes(bench, 5, { aheadMs: -24 * hour, group: "outside-2m" });
    await minutes(bench, 2);
    expect(beats).toEqual(["12:01", "12:02", "12:03", "12:09", "12:10"]);
  });
});

describe("a state written by a clock ahead before event time was bounded", () => {
  /** A system over whose store one report of the future went unbounded. */
  async function spoilt(aheadMs: number, shown: Record<string, Shown> = {}): Promise<Bench> {
    const before = new Bench(smallEnvironment, { watchesItself: true, knowsPublication: false });
    await minutes(before, 4, { shown });
    await minutes(before, 1, { aheadMs, shown });
    await minutes(before, 2, { shown });
    const bench = new Bench(
      smallEnvironment,
      { watchesItself: true },
      { store: before.store, publisher: before.publisher },
    );
    bench.now = before.now;
    return bench;
  }

  it.each([
    ["an hour", hour],
    ["a day", 24 * hour],
  ])("by %s heals with the first message", async (_, aheadMs) => {
    const bench = await spoilt(aheadMs);
    await minutes(bench, 3);
    await minutes(bench, 6, { shown: down });
    await minutes(bench, 8);
    expect(bench.story).toEqual(["12:12 opened", "12:18 recovering", "12:19 resolved"]);
  });

  it("does not hide silent probes", async () => {
    const bench = await spoilt(24 * hour);
    for (let i = 0; i < 6; i++) {
      for (const report of bench.reports()) if (report.group !== "outside-1m") await bench.deliver(report);
      bench.now += minute;
      await bench.tick();
    }
    const alerts = (await bench.incidents()).flatMap(({ fields }) => fields["alerts"]);
    expect(alerts).toEqual(["No reports of outside-1m"]);
    const environment = String((await bench.store.get("state", "environment"))?.["data"]);
    expect(JSON.parse(environment).probes["pages-health"].status).toBe("unknown");
  });

  it("heals if the clock of the ticks themselves was ahead", async () => {
    const beats: string[] = [];
    const watchdog = { url: "", everyMs: minute, method: "GET", allowPrivate: true } as const;
    const bench: Bench = new Bench(
      { ...smallEnvironment, watchdog },
      { watchesItself: true },
      { signal: async () => void beats.push(new Date(bench.now).toISOString().slice(11, 16)) },
    );
    await minutes(bench, 3);
    await bench.tick(bench.now + 24 * hour);
    await minutes(bench, 5);
    await minutes(bench, 6, { shown: down });
    expect(announcedBy(bench).filter((line) => line.endsWith("application"))).toEqual(["12:10 opened application"]);
    expect(beats).toContain("12:05");
    for (let i = 0; i < 6; i++) {
      bench.now += minute;
      await bench.tick();
    }
    const alerts = (await bench.incidents()).flatMap(({ fields }) => fields["alerts"]);
    expect(alerts).toContain("No reports of outside-1m");
  });

  it("heals an incident that was opened in it", async () => {
    const bench = await spoilt(24 * hour, down);
    await minutes(bench, 4, { shown: down });
    await minutes(bench, 8);
    const [incident] = await bench.incidents();
    expect(incident?.fields["status"]).toBe("resolved");
    expect(Number(incident?.fields["resolved_at"])).toBeLessThanOrEqual(bench.now);
    expect(bench.story.at(-1)).toBe("12:14 resolved");
  });
});
