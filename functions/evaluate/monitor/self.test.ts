import { describe, expect, it } from "vitest";
import { nextTrigger } from "../../../shared/config/schedule.ts";
import type { ProbeResult, Report } from "../../../shared/messages/report.ts";
import { monitorComponent, selfGroup } from "../../../shared/monitor.ts";
import { excusePause } from "../commit/tick.ts";
import { Bench, failing, noon, probe, rule, type Shown, smallEnvironment } from "../fixtures.ts";

/** A monitor that watches itself. */
function watched(configuration = smallEnvironment): Bench {
  return new Bench(configuration, { watchesItself: true });
}

/** Minutes in which only the groups named report; the reports of the others are lost. */
async function minutes(bench: Bench, count: number, groups: readonly string[] = all, shown: Shown = {}): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const report of bench.reports({ database: shown })) {
      if (groups.includes(report.group)) await bench.deliver(report);
    }
    bench.now += 60_000;
    await bench.tick();
    await bench.answerValidations();
  }
}

const all = ["outside-1m", "inside-1m", "outside-2h"];

/** Returns a report of a function about the monitor itself. */
function selfReportOf(bench: Bench, result: Partial<ProbeResult>): Report {
  const at = new Date(bench.now).toISOString();
  return {
    v: 1,
    report: `test/${selfGroup}/${at}`,
    environment: "test",
    vantage: "outside",
    group: selfGroup,
    trigger: "schedule",
    started_at: at,
    finished_at: at,
    results: [
      { probe: "dead-letters", component: monitorComponent.name, at, success: false, measurements: [], ...result },
    ],
  };
}

/** Minutes in which the reports of `outside-1m` leave out these probes. */
async function partly(bench: Bench, count: number, without: readonly string[]): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const report of bench.reports()) {
      await bench.deliver({ ...report, results: report.results.filter(({ probe: name }) => !without.includes(name)) });
    }
    bench.now += 60_000;
    await bench.tick();
    await bench.answerValidations();
  }
}

describe("a group that reports only some of its probes", () => {
  it("is an incident of the monitor, resolved when all of them report again", async () => {
    const bench = watched();
    await partly(bench, 3, []);
    await partly(bench, 7, ["pages-health"]);
    await partly(bench, 4, []);
    expect(bench.story).toEqual(["12:07 opened", "12:13 resolved"]);
    const [incident] = await bench.incidents();
    expect(incident?.fields).toMatchObject({
      title: "Test: no results from some probes of outside-1m",
      severity: "warning",
      verdict: "monitor",
      alerts: ["Results of outside-1m are missing"],
      summary:
        "The monitor itself has a problem. This says nothing about the state of its targets. Results of outside-1m are missing: no results of `pages-health` for 5 min, although outside-1m reports. It lasted 11 min.",
      impact: "Outages of the targets of these probes may have gone undetected.",
    });
    expect(bench.events[0]?.next_steps).toContainEqual(
      expect.stringContaining("the probe function that runs outside-1m"),
    );
  });

  it("is detected if they have never been measured", async () => {
    const bench = watched();
    await partly(bench, 8, ["pages-health"]);
    expect(bench.story).toEqual(["12:06 opened"]);
  });

  it("ignores a probe that was just added, or omitted once", async () => {
    const bench = watched({
      ...smallEnvironment,
      probes: smallEnvironment.probes.filter(({ name }) => name !== "pages-health"),
    });
    await minutes(bench, 5);
    bench.configure(smallEnvironment);
    await partly(bench, 2, ["pages-health"]);
    await partly(bench, 3, []);
    await partly(bench, 1, ["pages-health"]);
    await partly(bench, 3, []);
    expect(bench.story).toEqual([]);
  });

  it("is not reported for a group that is entirely silent, which is reported already", async () => {
    const bench = watched();
    await minutes(bench, 3);
    await minutes(bench, 8, ["outside-1m"]);
    const [incident] = await bench.incidents();
    expect(incident?.fields["alerts"]).toEqual(["No reports of inside-1m"]);
  });
});

describe("a group that stops reporting", () => {
  it("is an incident of the monitor, resolved when its reports resume", async () => {
    const bench = watched();
    await minutes(bench, 3);
    await minutes(bench, 6, ["outside-1m"]);
    await minutes(bench, 4);

    expect(bench.story).toEqual(["12:06 opened", "12:12 resolved"]);
    const [incident] = await bench.incidents();
    expect(incident?.id).toBe("20250916-120600-pathkeeper");
    expect(incident?.fields).toMatchObject({
      title: "Test: no reports from inside-1m",
      status: "resolved",
      severity: "warning",
      priority: "P2",
      root_cause: "pathkeeper",
      verdict: "monitor",
      components: ["pathkeeper"],
      alerts: ["No reports of inside-1m"],
      summary:
        "The monitor itself has a problem. This says nothing about the state of its targets. No reports of inside-1m: for 4 min, the last arrived at 12:02:00 UTC. It lasted 10 min.",
      impact: "Outages of Cloud SQL may have gone undetected from here: `database` does not report.",
    });
    expect(bench.events[0]).toMatchObject({
      summary: expect.stringContaining(
        "Everything from inside is silent, and outside-1m still reports: the likely cause is the probe function inside, its subscription or its path to Pub/Sub.",
      ),
      evidence: ["Seen: No reports of inside-1m: for 4 min, the last arrived at 12:02:00 UTC."],
      next_steps: ["Check the log of the probe function inside, and the subscription probe-inside."],
    });
  });

  it("is critical, and one incident, if all groups are silent", async () => {
    const bench = watched();
    await minutes(bench, 3);
    await minutes(bench, 5, []);
    expect(bench.events.map(({ event, severity }) => `${event} ${severity}`)).toEqual(["opened critical"]);
    expect(bench.events[0]).toMatchObject({
      title: "Test: no reports from outside-1m and inside-1m",
      summary: expect.stringContaining("No group reports at all: the likely cause is Cloud Scheduler"),
    });
  });

  it("does not resolve the separate incident of the targets", async () => {
    const bench = watched();
    await minutes(bench, 2);
    await minutes(bench, 4, all, failing("timeout/connect"));
    await minutes(bench, 6, []);
    const incidents = await bench.incidents();
    expect(incidents.map(({ fields }) => [fields["verdict"], fields["status"]])).toEqual([
      ["platform", "open"],
      ["monitor", "open"],
    ]);
    expect(incidents[0]?.fields["alerts"]).toEqual(["database failing"]);
  });

  it("excludes configuration findings about the targets", async () => {
    const bench = watched();
    const finding = { check: "state", ok: false, observed: "ERROR", expected: "READY", explanation: "" };
    for (let i = 0; i < 8; i++) {
      for (const report of bench.reports().filter(({ vantage }) => vantage === "outside")) {
        const results = report.results.map((result) => ({ ...result, findings: [finding] }));
        await bench.deliver({ ...report, results });
      }
      bench.now += 60_000;
      await bench.tick();
    }
    const [incident] = await bench.incidents();
    expect(incident?.fields).toMatchObject({ root_cause: "pathkeeper", findings: [] });
    expect(JSON.stringify(incident?.fields["timeline"])).not.toContain("ERROR");
  });

  it("is judged by its schedule", async () => {
    const slow = probe("pages-health", "pages", "outside", "http", "every 2h");
    const [first, second, , fourth] = smallEnvironment.probes;
    const probes = [first, second, slow, fourth].flatMap((each) => each ?? []);
    const bench = watched({ ...smallEnvironment, probes });
    await minutes(bench, 1);
    // Its next run is due at 14:00, and may take 10 s and a while to arrive.
    await minutes(bench, 121, ["outside-1m", "inside-1m"]);
    expect(bench.story).toEqual([]);
    await minutes(bench, 1, ["outside-1m", "inside-1m"]);
    expect(bench.story).toEqual(["14:03 opened"]);
    expect(bench.events[0]?.summary).toContain(
      "Only outside-2h is silent, and outside-1m and inside-1m still report: the likely cause is the Cloud Scheduler job of this schedule",
    );
  });

  it("may be silent outside its schedule, and is missed after three scheduled runs", async () => {
    const byDay = probe("pages-health", "pages", "outside", "http", "*/5 8-17 * * *");
    const slow = rule("Slow pages", "http_response_time > 5s", "1m", "warning", { missing: "fire" });
    const bench = watched({ ...smallEnvironment, probes: [byDay], rules: [slow], recovery: { stages: [] } });
    const day = async (until: string, silentFrom = "9"): Promise<void> => {
      while (new Date(bench.now).toISOString().slice(0, 16) < until) {
        const due = nextTrigger(byDay.schedule, bench.now - 1) === bench.now;
        const silent = new Date(bench.now).toISOString().slice(0, 16) >= silentFrom;
        if (due && !silent)
          for (const report of bench.reports({ "pages-health": { http_response_time: 0.2 } }))
            await bench.deliver(report);
        bench.now += 60_000;
        await bench.tick();
      }
    };
    await day("2025-09-17T10:00");
    expect(bench.story).toEqual([]);
    // At 10:00, 10:05 and 10:10 nothing comes.
    await day("2025-09-17T10:20", "2025-09-17T10:00");
    expect(bench.story).toEqual(["10:11 opened"]);
  });

  it("is detected even if it never reported, after its interval", async () => {
    const bench = watched();
    await minutes(bench, 5, ["outside-1m"]);
    expect(bench.story).toEqual(["12:05 opened"]);
    expect(bench.events[0]?.evidence[0]).toBe("Seen: No reports of inside-1m: for 4 min, none has ever arrived.");
  });

  it("has a grace period after the deployment that adds it", async () => {
    const [before] = [watched({ ...smallEnvironment, probes: smallEnvironment.probes.slice(0, 3) })];
    await minutes(before, 60);
    const after = watched();
    Object.assign(after, { store: before.store, now: before.now });
    after.restart();
    await minutes(after, 3, ["outside-1m"]);
    expect(after.story).toEqual([]);
    await minutes(after, 3, ["outside-1m"]);
    expect(after.story).toEqual(["13:05 opened"]);
  });

  it("may lose single reports", async () => {
    const bench = watched();
    for (let i = 0; i < 5; i++) {
      await minutes(bench, 1);
      await minutes(bench, 2, []);
    }
    expect(bench.story).toEqual([]);
  });
});

describe("the evaluator", () => {
  it("reports once that everything stopped, and restarts all grace periods", async () => {
    const bench = watched();
    await minutes(bench, 3);
    bench.now += 8 * 3_600_000;
    await bench.tick();
    await minutes(bench, 12);
    expect(bench.story).toEqual(["20:03 opened", "20:13 resolved"]);
    expect((await bench.incidents())[0]?.fields).toMatchObject({
      alerts: ["Pathkeeper did not run"],
      title: "Test: the monitor itself has a problem",
      impact: "Outages in that time went undetected.",
      summary: expect.stringContaining("nothing arrived from 2025-09-16 12:03:00 UTC to 2025-09-16 20:03:00 UTC."),
    });
  });

  it("ignores an intended stop", async () => {
    const bench = watched();
    await minutes(bench, 3);
    bench.now += 8 * 3_600_000;
    await excusePause(bench.store, bench.now);
    await minutes(bench, 12);
    expect(bench.story).toEqual([]);
  });

  it("detects missing ticks from the reports", async () => {
    const bench = watched();
    await minutes(bench, 2);
    for (let i = 0; i < 8; i++) {
      for (const report of bench.reports()) await bench.deliver(report);
      bench.now += 60_000;
    }
    expect(bench.story).toEqual(["12:08 opened"]);
    expect(bench.events[0]?.evidence[0]).toBe(
      "Seen: Ticks are missing: the last tick came 6 min ago, at 12:02:00 UTC, while reports still arrive.",
    );
    await bench.tick();
    await minutes(bench, 12);
    expect(bench.story).toEqual(["12:08 opened", "12:20 resolved"]);
  });

  it("detects its own stop from a late tick, and does not report the groups as silent", async () => {
    const bench = watched();
    await minutes(bench, 3);
    const missed = [];
    for (let i = 0; i < 10; i++) {
      missed.push({ at: bench.now + 60_000, reports: bench.reports() });
      bench.now += 60_000;
    }
    for (const { at } of missed) await bench.tick(at);
    for (const { reports } of missed) for (const report of reports) await bench.deliver(report);
    await minutes(bench, 3);
    expect(bench.events.map(({ event, alerts }) => `${event}: ${alerts}`)).toEqual(["opened: Ticks come late"]);
    await minutes(bench, 9);
    expect((await bench.incidents())[0]?.fields).toMatchObject({ status: "resolved" });
  });

  it("detects queued reports", async () => {
    const bench = watched();
    await minutes(bench, 3);
    const waiting: Report[][] = [];
    for (let i = 0; i < 10; i++) {
      waiting.push(bench.reports());
      for (const report of waiting.length > 4 ? (waiting.shift() ?? []) : []) await bench.deliver(report);
      bench.now += 60_000;
      await bench.tick();
    }
    expect(bench.events.map(({ event, alerts }) => `${event}: ${alerts}`)).toEqual([
      "opened: No reports of outside-1m,No reports of inside-1m",
      "joined: No reports of outside-1m,No reports of inside-1m,Reports of outside-1m come late,Reports of inside-1m come late",
    ]);
  });

  it("tolerates duplicate and out-of-order ticks", async () => {
    const bench = watched();
    await minutes(bench, 3);
    await bench.tick(noon);
    await bench.tick();
    await minutes(bench, 6, ["outside-1m"]);
    for (let i = 0; i < 3; i++) await bench.tick();
    expect(bench.story).toEqual(["12:06 opened"]);
  });
});

describe("an unhealthy prober", () => {
  it("is an incident of the monitor if it persists, and its results are ignored", async () => {
    const bench = watched();
    await minutes(bench, 3);
    const unhealthy = async (): Promise<void> => {
      for (const report of bench.reports({ database: failing("timeout/connect") })) {
        const trouble = { prober_unhealthy: "the control probe got no answer" };
        await bench.deliver(report.group === "inside-1m" ? { ...report, ...trouble } : report);
      }
      bench.now += 60_000;
      await bench.tick();
    };
    for (let i = 0; i < 4; i++) await unhealthy();
    expect(bench.events.map(({ event, verdict, alerts }) => `${event} ${verdict}: ${alerts}`)).toEqual([
      "opened monitor: Prober of inside-1m unhealthy",
    ]);
    expect(bench.events[0]?.evidence[0]).toBe(
      "Seen: Prober of inside-1m unhealthy: its control probe failed in 3 consecutive runs, so their results are ignored: the control probe got no answer.",
    );
    await minutes(bench, 4);
    expect((await bench.incidents()).map(({ fields }) => fields["status"])).toEqual(["resolved"]);
  });
});

describe("reports of other functions about the monitor", () => {
  const failure = {
    kind: "internal",
    phase: "delivery",
    message: "an event of 20250916-120600-x was given up",
  } as const;

  it("opens one incident for repeated reports, resolved after an hour", async () => {
    const bench = watched();
    await minutes(bench, 2);
    const report = selfReportOf(bench, { failure });
    for (let i = 0; i < 3; i++) await bench.deliver(report);
    for (let i = 0; i < 3; i++) {
      bench.now += 1_000;
      await bench.deliver(selfReportOf(bench, { failure }));
    }
    await minutes(bench, 62);
    await bench.deliver(report);
    expect(bench.story).toEqual(["12:02 opened", "13:02 resolved"]);
    expect(bench.events[0]).toMatchObject({
      alerts: ["Dead letters"],
      verdict: "monitor",
      evidence: ["Seen: Dead letters: an event of 20250916-120600-x was given up."],
      next_steps: ["Check the log of the function that the dead letter names, and the topic dead-letters."],
    });
  });

  it("clears when the function reports it, and ignores a late failure", async () => {
    const bench = watched();
    await minutes(bench, 2);
    const first = selfReportOf(bench, { probe: "mail", failure });
    await bench.deliver(first);
    bench.now += 30_000;
    await bench.deliver(selfReportOf(bench, { probe: "mail", success: true }));
    await bench.deliver(first);
    expect(bench.story).toEqual(["12:02 opened", "12:02 resolved"]);
  });

  it("opens another incident after an operator has resolved the first", async () => {
    const bench = watched();
    await minutes(bench, 2);
    await bench.deliver(selfReportOf(bench, { failure }));
    const [incident] = await bench.incidents();
    await bench.store.update("incidents", incident?.id ?? "", { status: "resolved" });
    await minutes(bench, 3);
    expect(bench.story).toEqual(["12:02 opened", "12:03 resolved"]);
    await bench.deliver(selfReportOf(bench, { failure }));
    expect(bench.story).toEqual(["12:02 opened", "12:03 resolved", "12:05 opened"]);
  });

  it("limits the number of names in the state", async () => {
    const bench = watched();
    await minutes(bench, 1);
    for (let i = 0; i < 50; i++) await bench.deliver(selfReportOf(bench, { probe: `x${i}`, failure }));
    const state = await bench.store.get("state", selfGroup);
    expect(Object.keys(JSON.parse(String(state?.["data"])).checks)).toHaveLength(20);
  });
});

describe("a replay", () => {
  it("does not report groups without records as silent", async () => {
    const bench = new Bench(smallEnvironment, { watchesItself: false });
    await minutes(bench, 3);
    await minutes(bench, 60, []);
    expect(bench.story).toEqual([]);
  });
});
