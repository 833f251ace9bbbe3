import { describe, expect, it } from "vitest";
import type { MaintenanceWindow } from "../../../shared/config/model.ts";
import { availabilityCollection, readAvailability, type Shares } from "../../../shared/documents/availability.ts";
import type { Report } from "../../../shared/messages/report.ts";
import { fc } from "../../../tests/support/chance.ts";
import { Bench, failing, noon, probe, type Shown, smallEnvironment } from "../fixtures.ts";
import { planOf } from "../plan.ts";
import { type RunCounts, withRun } from "../rules/burn.ts";
import { dayFrom, type Month, monthTotals, type Timed, withDays } from "./period.ts";
import { type Uptimes, withReport } from "./uptime.ts";

const minute = 60_000;
const date = "2025-09-16";

describe("availability of one component over a day", () => {
  // A minute each: . good, x bad, ? the prober in trouble, a space for no report.
  it.each<[story: string, minutes: Partial<Record<keyof Shares, number>>, why: string]>([
    ["..........", { up: 10 }, "good all the time"],
    ["...xxx....", { up: 7, down: 3 }, "down from the first bad result to the first good one"],
    ["...xx.....", { up: 10 }, "a failure shorter than its rule waits is none"],
    ["...xx", { up: 5 }, "one that has not lasted long enough yet may pass"],
    ["...xxx", { up: 3, down: 3 }, "and counts from its beginning once it has"],
    ["...   ....", { up: 8.5, unknown: 1.5 }, "a result speaks for two and a half intervals, and no longer"],
    ["...       ", { up: 4.5, unknown: 5.5 }, "silence is unknown"],
    ["...xx    xxx..", { up: 5, down: 6.5, unknown: 2.5 }, "silence neither ends a failure nor is part of it"],
    ["..???..", { up: 4, unknown: 3 }, "a prober in trouble of its own knows nothing"],
    ["..x??x..", { up: 4, down: 2, unknown: 2 }, "nor does its trouble end a failure"],
    ["xxx", { down: 3 }, "bad from the start"],
  ])("%s", (story, minutes) => {
    expect(sharesOf([{ story }])).toEqual({ up: 0, down: 0, unknown: 0, ...seconds(minutes) });
  });

  it.each<[stories: { story: string; kind?: string }[], minutes: Partial<Record<keyof Shares, number>>, why: string]>([
    [[{ story: "..xxx.." }, { story: "......." }], { up: 4, down: 3 }, "one probe of several that fails is enough"],
    [[{ story: "..xxx.." }, { story: "....xxx" }], { up: 2, down: 5 }, "a moment is not down twice"],
    [
      [{ story: "......." }, { story: "xxxxxxx", kind: "gcp_configuration" }],
      { up: 7 },
      "what users touch is asked before what is read about it",
    ],
    [
      [{ story: "..     " }, { story: "xxxxxxx", kind: "postgres" }],
      { up: 3.5, down: 3.5 },
      "the next is asked when the first knows nothing",
    ],
  ])("%j", (stories, minutes) => {
    expect(sharesOf(stories)).toEqual({ up: 0, down: 0, unknown: 0, ...seconds(minutes) });
  });

  // Planned from the third minute to the fifth.
  const planned = { from: noon + 2 * minute, to: noon + 5 * minute };
  it.each<[string, Partial<MaintenanceWindow>, string, Partial<Record<keyof Shares, number>>]>([
    ["what is down in it is no downtime", {}, "..xxx..", { up: 4, maintenance: 3 }],
    ["what is up in it is not counted, either", {}, ".......", { up: 4, maintenance: 3 }],
    ["what lasts beyond it is", {}, "..xxxxx", { up: 2, down: 2, maintenance: 3 }],
    ["what began before it is", {}, "xxxxx..", { up: 2, down: 2, maintenance: 3 }],
    ["what nobody knows in it is not unknown", {}, "..???..", { up: 4, maintenance: 3 }],
    ["of another component it changes nothing", { components: ["pages"] }, "..xxx..", { up: 4, down: 3 }],
    [
      "of this component among others it counts",
      { components: ["pages", "backend"] },
      "..xxx..",
      { up: 4, maintenance: 3 },
    ],
  ])("in maintenance: %s", (_, changes, story, minutes) => {
    const window = { name: "patching", timezone: "Etc/UTC", once: planned, ...changes };
    expect(sharesOf([{ story }], [window])).toEqual({ up: 0, down: 0, unknown: 0, ...seconds(minutes) });
  });

  it("counts overlapping maintenance windows once", () => {
    const windows = [planned, { from: noon + 4 * minute, to: noon + 6 * minute }].map((once, index) => ({
      name: `w${index}`,
      timezone: "Etc/UTC",
      once,
    }));
    expect(sharesOf([{ story: "xxxxxxx" }], windows)).toEqual({
      up: 0,
      unknown: 0,
      ...seconds({ down: 3, maintenance: 4 }),
    });
  });

  it.each<[story: string, down: number, why: string]>([
    [
      `${".".repeat(30)}${"xx.".repeat(20)}..`,
      40,
      "each of too many short failures counts, those before the alert as well",
    ],
    [`${"x.........".repeat(12)}`, 0, "few enough do not"],
    [`${"x.........".repeat(12)}${"xx.".repeat(20)}`, 45, "nor do those of before the window that was too full"],
  ])("%s: %d min", (story, down) => {
    const inOrder = [...story].map((letter, index) => ({ index, failed: letter === "x" }));
    const swapped = inOrder.map((one, place) => inOrder[place % 2 === 0 ? place + 1 : place - 1] ?? one);
    for (const arriving of [inOrder, swapped]) {
      expect(counted([arriving])[0]?.["backend"]).toMatchObject({ down: down * 60, up: (story.length - down) * 60 });
    }
  });

  it("adds up the downtime of any number of failures of any number of probes", () => {
    const story = Array.from({ length: 2 * 1440 }, (_, index) => ({ index, failed: index % 3 !== 2 }));
    const [, today, tomorrow] = counted([story, story, story]);
    for (const component of ["backend", "auth", "pages"]) {
      expect(today?.[component]).toMatchObject({ down: 16 * 3600, up: 8 * 3600, unknown: 0 });
      expect(tomorrow?.[component]).toMatchObject({ down: 8 * 3600, up: 4 * 3600 });
    }
  });

  it("does not depend on the order or repetition of reports, and equals a naive calculation", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            code: fc.constantFrom("good", "good", "good", "bad", "bad", "unhealthy", "lost"),
            late: fc.integer({ min: 0, max: 2 }),
            twice: fc.boolean(),
          }),
          { minLength: 1, maxLength: 60 },
        ),
        fc.constantFrom("postgres", "http"),
        (steps, kind) => {
          const plan = planOf(oneComponent([kind]));
          const sent = steps
            .map(({ code, late, twice }, index) => ({ code, at: noon + index * minute, key: index + late, twice }))
            .filter(({ code }) => code !== "lost");
          const arriving = sent.toSorted((a, b) => a.key - b.key).flatMap((one) => (one.twice ? [one, one] : [one]));
          let uptimes: Uptimes = {};
          const seen = new Set<number>();
          let newest = 0;
          for (const { code, at } of arriving) {
            // As the partition does: what is known already does not come this far.
            if (seen.has(at)) continue;
            seen.add(at);
            newest = Math.max(newest, at);
            uptimes = withReport(uptimes, report("p0", at, code), plan, newest - 4 * minute);
          }
          const end = noon + steps.length * minute;
          const { components } = dayFrom(date, [uptimes], end);
          expect(components["backend"] ?? { up: 0, down: 0, unknown: (end - midnight) / 1000 }).toEqual(
            naive(sent, end, { alertAfterMs: 2 * minute, staleAfterMs: 2.5 * minute }),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it("stays within bounds when a probe fails and recovers for two days", () => {
    const plan = planOf(oneComponent(["http"]));
    let uptimes: Uptimes = {};
    for (let i = 0; i < 2 * 1440; i++) {
      const at = noon + i * minute;
      uptimes = withReport(uptimes, report("p0", at, i % 6 < 3 ? "bad" : "good"), plan, at - 15 * minute);
    }
    expect(JSON.stringify(uptimes).length).toBeLessThan(16_000);
    const yesterday = dayFrom("2025-09-17", [uptimes], noon + 2 * 1440 * minute).components["backend"];
    expect(yesterday).toEqual({ up: 43_200, down: 43_200, unknown: 0 });
  });
});

describe("an incident across the end of a month", () => {
  const before = Date.UTC(2025, 8, 30, 23, 30);
  const plan = planOf(oneComponent(["http"]));
  const now = before + 100 * minute;
  /** Down from 23:40 to 00:40. */
  const uptimes = Array.from({ length: 100 }, (_, run) => run).reduce<Uptimes>((known, run) => {
    const at = before + run * minute;
    return withReport(known, report("p0", at, run >= 10 && run < 70 ? "bad" : "good"), plan, at - 4 * minute);
  }, {});
  const incident: Timed = {
    id: "20250930-234200-backend",
    severity: "critical",
    verdict: "application",
    openedAt: before + 12 * minute,
    firstFailureAt: before + 10 * minute,
    resolvedAt: before + 75 * minute,
    failed: ["backend", "pages"],
  };
  const months = (incidents: readonly Timed[], known: Readonly<Record<string, Month>> = {}): Record<string, Month> => {
    const days = Object.fromEntries(
      ["2025-09-30", "2025-10-01"].map((day) => [day, dayFrom(day, [uptimes], now, [], incidents)]),
    );
    return Object.fromEntries(
      ["2025-09", "2025-10"].map((month) => [
        month,
        withDays(month, known[month] ?? { days: {}, incidents: {} }, days, incidents),
      ]),
    );
  };

  it("charges each month with the downtime in it, at most the whole month", () => {
    const [september, october] = Object.entries(months([incident])).map(([month, own]) => monthTotals(month, own));
    expect(september?.downtime).toEqual({ [incident.id]: { backend: 20 * 60, pages: 0 } });
    expect(october?.downtime).toEqual({ [incident.id]: { backend: 40 * 60, pages: 0 } });
    expect([september, october].map((one) => one?.components["backend"]?.down)).toEqual([20 * 60, 40 * 60]);
    expect(october?.incidents.count).toBe(0);
  });

  it("excludes downtime outside the incident, and keeps it after the incident is forgotten", () => {
    const short = { ...incident, resolvedAt: before + 40 * minute };
    const known = months([short]);
    expect(known["2025-10"]?.days["2025-10-01"]?.downtime?.[incident.id]?.["backend"]).toBe(10 * 60);
    expect(months([], known)["2025-10"]?.days["2025-10-01"]?.downtime?.[incident.id]?.["backend"]).toBe(10 * 60);
  });
});

describe("the documents", () => {
  async function minutes(bench: Bench, count: number, shown: Readonly<Record<string, Shown>> = {}): Promise<void> {
    for (let i = 0; i < count; i++) await bench.minute(shown);
  }

  async function read(bench: Bench, period: string): Promise<ReturnType<typeof readAvailability>> {
    return readAvailability(await bench.store.get(availabilityCollection, period));
  }

  const journey = { ...probe("chat", "backend", "outside", "journey"), alert: false as const };
  const environment = { ...smallEnvironment, probes: [...smallEnvironment.probes, journey] };
  const outage = { "backend-health": failing("timeout/connect"), chat: failing("sequence/reply") };

  it("contain the day and the month, with incidents and their detection and recovery times", async () => {
    const bench = new Bench(environment, { watchesItself: true });
    await minutes(bench, 10);
    await minutes(bench, 4, outage);
    const [incident] = await bench.incidents();
    await bench.store.update("incidents", incident?.id ?? "", { status: "acknowledged" });
    await minutes(bench, 6, outage);
    await minutes(bench, 11);
    const day = await read(bench, date);
    expect(day).toMatchObject({
      period: date,
      components: {
        backend: { up: 21 * 60, down: 10 * 60, unknown: 12 * 3600 },
        sql: { up: 31 * 60, down: 0, unknown: 12 * 3600 },
      },
      journeys: { chat: { attempts: 31, successes: 21 } },
      incidents: {
        count: 1,
        resolved: 1,
        // Bad since 12:10, opened at 12:12, acknowledged at 12:15, good since 12:20 and cleared at 12:22.
        mean_detect: 120,
        mean_acknowledge: 180,
        mean_recover: 720,
      },
    });
    expect(await read(bench, "2025-09")).toEqual({ ...day, period: "2025-09" });
  });

  it("add up over midnight and over months", async () => {
    const bench = new Bench(environment, { watchesItself: true });
    bench.now = Date.UTC(2025, 8, 30, 23, 30);
    await minutes(bench, 27);
    await minutes(bench, 6, outage);
    await minutes(bench, 28);
    expect((await read(bench, "2025-09-30"))?.components["backend"]).toEqual({ up: 1620, down: 180, unknown: 84_600 });
    expect((await read(bench, "2025-10-01"))?.components["backend"]).toEqual({ up: 1680, down: 180, unknown: 0 });
    expect((await read(bench, "2025-09"))?.components["backend"]?.down).toBe(180);
    expect((await read(bench, "2025-10"))?.components["backend"]?.down).toBe(180);
    expect((await read(bench, "2025-09"))?.journeys["chat"]).toEqual({ attempts: 30, successes: 27 });
    // Opened in September, or in October: where it was opened, there it counts, though it is over a month later.
    expect((await read(bench, "2025-09"))?.incidents).toMatchObject({ count: 1, resolved: 1, mean_recover: 480 });
    expect((await read(bench, "2025-10"))?.incidents.count).toBe(0);
  });

  it("keep the availability of a group removed from the configuration", async () => {
    const before = new Bench(environment, { watchesItself: true });
    await minutes(before, 5, outage);
    const probes = environment.probes.map((each) =>
      each.vantage === "inside" ? each : { ...each, schedule: "every 30s", group: "outside-30s" },
    );
    const after = new Bench({ ...environment, probes }, { watchesItself: true });
    Object.assign(after, { store: before.store, now: before.now });
    after.restart();
    await minutes(after, 11);
    const day = await read(after, date);
    expect(day?.components["backend"]).toEqual({ up: 660, down: 300, unknown: 12 * 3600 });
    expect(day?.journeys["chat"]).toEqual({ attempts: 16, successes: 11 });
  });

  it("exclude incidents of the monitor", async () => {
    const bench = new Bench(environment, { watchesItself: true });
    await minutes(bench, 3);
    for (let i = 0; i < 10; i++) {
      bench.now += minute;
      await bench.tick();
    }
    expect((await bench.incidents()).map(({ fields }) => fields["verdict"])).toEqual(["monitor"]);
    expect((await read(bench, date))?.incidents.count).toBe(0);
  });

  it("cost nothing on most ticks, and one read and two writes on the others", async () => {
    const bench = new Bench(environment, { watchesItself: true });
    await minutes(bench, 30);
    const written: string[] = [];
    const { store } = bench;
    const transaction = store.transaction.bind(store);
    store.transaction = (body) =>
      transaction((inner) =>
        body({
          get: inner.get.bind(inner),
          set: (collection, id, fields) => {
            written.push(`${collection}/${id}`);
            inner.set(collection, id, fields);
          },
          create: inner.create.bind(inner),
          update: inner.update.bind(inner),
          delete: inner.delete.bind(inner),
        }),
      );
    await minutes(bench, 20);
    const counted = Map.groupBy(written, (name) => name);
    expect(Object.fromEntries([...counted].map(([name, { length }]) => [name, length]))).toEqual({
      "state/outside-1m": 20,
      "state/inside-1m": 20,
      "state/self": 20,
      "availability/2025-09": 4,
      "availability/2025-09-16": 4,
    });
  });
});

const midnight = Date.parse(`${date}T00:00:00Z`);

/** Minutes of a story as whole seconds; before it, nothing is known. */
function seconds(minutes: Partial<Record<keyof Shares, number>>): Partial<Shares> {
  return Object.fromEntries(Object.entries(minutes).map(([what, count]) => [what, count * 60]));
}

/** Returns the shares of one component from the histories of several probes, from noon on. */
function sharesOf(
  stories: readonly { story: string; kind?: string }[],
  maintenance: readonly MaintenanceWindow[] = [],
): Shares | undefined {
  const plan = planOf(oneComponent(stories.map(({ kind = "http" }) => kind)));
  let uptimes: Uptimes = {};
  for (const [index, { story }] of stories.entries()) {
    for (const [at, letter] of [...story].entries()) {
      const code = ({ ".": "good", x: "bad", "?": "unhealthy" } as Record<string, string>)[letter];
      if (code === undefined) continue;
      uptimes = withReport(uptimes, report(`p${index}`, noon + at * minute, code), plan, noon + (at - 4) * minute);
    }
  }
  const length = Math.max(...stories.map(({ story }) => story.length));
  const shares = dayFrom(date, [uptimes], noon + length * minute, maintenance).components["backend"];
  return shares && { ...shares, unknown: shares.unknown - 12 * 3600 };
}

/** Returns the shares of one component for each probe with an error budget: on the day of its first run, the next day, and the day after. */
function counted(
  stories: readonly (readonly { index: number; failed: boolean }[])[],
): Readonly<Record<string, Shares>>[] {
  const probes = stories.map((_, index) => probe(`p${index}`, ["backend", "auth", "pages"][index] ?? ""));
  const plan = planOf({ ...smallEnvironment, probes });
  const late = 15 * minute;
  let uptimes: Uptimes = {};
  let newest = noon;
  const counts = new Map<string, RunCounts>();
  for (const step of (stories[0] ?? []).keys()) {
    for (const [number, story] of stories.entries()) {
      const { index = 0, failed = false } = story[step] ?? {};
      const [name, at] = [`p${number}`, noon + index * minute];
      newest = Math.max(newest, at);
      counts.set(name, withRun(counts.get(name), at, failed, minute, late));
      const runs = Object.fromEntries(counts);
      uptimes = withReport(uptimes, report(name, at, failed ? "bad" : "good"), plan, newest - late, runs);
    }
  }
  return [0, 1, 2].map((days) => {
    const day = new Date(midnight + days * 86_400_000).toISOString().slice(0, 10);
    return dayFrom(day, [uptimes], newest + minute).components;
  });
}

function oneComponent(kinds: readonly string[]): typeof smallEnvironment {
  return { ...smallEnvironment, probes: kinds.map((kind, index) => probe(`p${index}`, "backend", "outside", kind)) };
}

function report(name: string, at: number, code: string): Report {
  const instant = new Date(at).toISOString();
  return {
    v: 1,
    report: `test/${name}/${instant}`,
    environment: "test",
    vantage: "outside",
    group: "outside-1m",
    trigger: "schedule",
    started_at: instant,
    finished_at: instant,
    results: [{ probe: name, component: "backend", at: instant, success: code === "good", measurements: [] }],
    ...(code === "unhealthy" ? { prober_unhealthy: "no answer" } : {}),
  };
}

/** The definition, moment by moment, without any folding. */
function naive(
  sent: readonly { code: string; at: number }[],
  end: number,
  { alertAfterMs, staleAfterMs }: { alertAfterMs: number; staleAfterMs: number },
): Shares {
  const sums = { up: 0, down: 0, unknown: 0 };
  const step = 30_000;
  for (let moment = midnight; moment < end; moment += step) {
    const index = sent.findLastIndex(({ at }) => at <= moment);
    const last = sent[index];
    let what: keyof Shares = "unknown";
    if (last !== undefined && moment < last.at + staleAfterMs && last.code !== "unhealthy") {
      what = "up";
      if (last.code === "bad") {
        const begins = sent.findLastIndex(({ code }, at) => at <= index && code === "good") + 1;
        const next = sent.findIndex(({ code }, at) => at > index && code === "good");
        const bad = sent.slice(begins, next < 0 ? undefined : next).filter(({ code }) => code === "bad");
        if ((bad.at(-1)?.at ?? 0) - (bad[0]?.at ?? 0) >= alertAfterMs) what = "down";
      }
    }
    sums[what] += step / 1000;
  }
  return sums;
}
