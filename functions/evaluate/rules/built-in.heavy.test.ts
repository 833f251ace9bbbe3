/** Timelines of probes that fail again and again, and never for as long as the rule over continuous failures waits. */
import { describe, expect, it } from "vitest";
import { Bench, failing, noon, probe, smallEnvironment } from "../fixtures.ts";
import { type BurnTerms, burnAt, type RunCounts, withRun } from "./burn.ts";

const bad = { "pages-health": failing("http_status/response") };

/** Minutes of the probe: `x` for a failed run, `.` for a good one. */
async function play(bench: Bench, runs: string): Promise<void> {
  for (const run of runs) await bench.minute(run === "x" ? bad : {});
}

describe("a probe that fails in two of three runs", () => {
  it("is an incident within minutes, notified once, without a line for each run", async () => {
    const bench = new Bench();
    await play(bench, "...".repeat(10));
    await play(bench, "xx.".repeat(60));
    const [one, ...others] = await bench.incidents();
    expect(others).toEqual([]);
    expect(one?.fields).toMatchObject({ status: "open", root_cause: "pages", severity: "warning" });
    expect(one?.fields["alerts"]).toEqual(["pages-health intermittent"]);
    expect(Number(one?.fields["opened_at"]) - noon).toBeLessThanOrEqual((30 + 15) * 60_000);
    expect(bench.events.map(({ event }) => event)).toEqual(["opened"]);
    const timeline = [one?.fields["timeline"] ?? []].flat();
    expect(timeline.join("\n")).toMatch(/`pages-health` fails (in response|intermittently)/);
    expect(timeline.length).toBeLessThan(6);
  });

  it("is resolved minutes after the failures end", async () => {
    const bench = new Bench();
    await play(bench, "xx.".repeat(20));
    const ended = bench.now;
    await play(bench, ".".repeat(20));
    const [one] = await bench.incidents();
    expect(one?.fields["status"]).toBe("resolved");
    expect(Number(one?.fields["resolved_at"]) - ended).toBeLessThanOrEqual(14 * 60_000);
  });
});

describe("the availability of a component", () => {
  it.each([
    ["that fails in two of three runs is down while it does", "xx.".repeat(80), 7_000, 11_000],
    ["that fails in one of forty is up", `x${".".repeat(39)}`.repeat(6), 0, 0],
  ])("%s", async (_, runs, least, most) => {
    const bench = new Bench(smallEnvironment, { watchesItself: true });
    await play(bench, `${runs}${".".repeat(30)}`);
    const day = await bench.store.get("availability", "2025-09-16");
    const { pages } = (day?.["components"] ?? {}) as Record<string, { down: number }>;
    expect(pages?.down).toBeGreaterThanOrEqual(least);
    expect(pages?.down).toBeLessThanOrEqual(most);
  });
});

describe("the slow window", () => {
  it("warns of failures that the fast window misses, for every severity of the probe", async () => {
    const severe = smallEnvironment.probes.map((one) =>
      one.name === "pages-health" ? { ...one, alert: { afterMs: 120_000, severity: "critical" as const } } : one,
    );
    const bench = new Bench({ ...smallEnvironment, probes: severe });
    await play(bench, `x${".".repeat(10)}`.repeat(36));
    const [one, ...others] = await bench.incidents();
    expect(others).toEqual([]);
    expect(one?.fields).toMatchObject({ severity: "warning", alerts: ["pages-health intermittent"] });
  });
});

describe("a stated severity", () => {
  const stated = (most?: "info" | "warning") =>
    smallEnvironment.probes.map((one) =>
      one.name === "backend-health"
        ? { ...one, alert: { afterMs: 120_000, severity: most ?? ("warning" as const), ...(most && { most }) } }
        : one,
    );
  const down = { "backend-health": failing("http_status/response") };

  it.each([
    ["info", "info"],
    ["warning", "warning"],
    [undefined, "critical"],
  ] as const)("of %s makes the failure of a component with an impact %s", async (most, severity) => {
    const bench = new Bench({ ...smallEnvironment, probes: stated(most) });
    for (let i = 0; i < 5; i++) await bench.minute(down);
    expect((await bench.incidents()).map(({ fields }) => fields["severity"])).toEqual([severity]);
  });

  it("does not cap what another probe of the component shows", async () => {
    const other = { ...probe("backend-pages", "backend"), alert: { afterMs: 120_000, severity: "warning" as const } };
    const bench = new Bench({ ...smallEnvironment, probes: [...stated("info"), other] });
    for (let i = 0; i < 5; i++) await bench.minute(down);
    for (let i = 0; i < 5; i++) await bench.minute({ ...down, "backend-pages": failing("http_status/response") });
    expect((await bench.incidents()).map(({ fields }) => fields["severity"])).toEqual(["critical"]);
    expect(bench.events.map(({ event, severity }) => `${event} ${severity}`)).toContain("severity_raised critical");
  });
});

describe("the rule over continuous failures", () => {
  it("opens its own incident", async () => {
    const bench = new Bench();
    await play(bench, `..${"x".repeat(30)}${".".repeat(20)}`);
    const incidents = await bench.incidents();
    expect(incidents.map(({ fields }) => fields["alerts"])).toEqual([["pages-health failing"]]);
  });

  it("shares its incident with the other if both fire", async () => {
    const bench = new Bench();
    await play(bench, `${"xx.".repeat(20)}${"x".repeat(10)}`);
    const incidents = await bench.incidents();
    expect(incidents).toHaveLength(1);
    expect([incidents[0]?.fields["alerts"]].flat().sort()).toEqual([
      "pages-health failing",
      "pages-health intermittent",
    ]);
  });

  it("is turned off with the other by alert: off", async () => {
    const probes = smallEnvironment.probes.map((one) =>
      one.name === "pages-health" ? { ...one, alert: false as const } : one,
    );
    const bench = new Bench({ ...smallEnvironment, probes });
    await play(bench, "xx.".repeat(40));
    expect(await bench.incidents()).toEqual([]);
  });
});

describe("silence", () => {
  it.each([
    ["two failed runs of a fresh probe", "x.x..............."],
    ["one blip of a minute and a half", `....xx${".".repeat(60)}`],
    ["a single failure in forty runs, all day", `x${".".repeat(39)}`.repeat(24)],
    ["three blips hours apart", `xx${".".repeat(200)}`.repeat(3)],
  ])("%s", async (_, runs) => {
    const bench = new Bench();
    await play(bench, runs);
    expect(await bench.incidents()).toEqual([]);
  });
});

describe("the target", () => {
  it.each([
    [0.999, 1],
    [0.99, 0],
  ])("of %d makes three failures in an hour %i incidents", async (target, count) => {
    const bench = new Bench({ ...smallEnvironment, availability: { target, components: {} } });
    await play(bench, `${".".repeat(30)}x.......x.......x........`);
    expect(await bench.incidents()).toHaveLength(count);
  });
});

describe("every schedule", () => {
  /** The number of the run after which something burns; `x` for a failed run. */
  function burnsAfter(paceMs: number, runs: string, terms: Partial<BurnTerms> = {}): number | undefined {
    let counts: RunCounts | undefined;
    for (const [index, run] of [...runs].entries()) {
      const at = noon + index * paceMs;
      counts = withRun(counts, at, run === "x", paceMs);
      const all = { budget: 0.01, paceMs, alertAfterMs: Math.max(120_000, paceMs + 1), ...terms };
      if (burnAt(counts, at, run === "x", all) !== undefined) return index + 1;
    }
    return undefined;
  }

  it.each([
    ["every 10 seconds", 10_000, 90],
    ["every minute", 60_000, 15],
    ["every 5 minutes", 300_000, 15],
    ["every hour", 3_600_000, 15],
    ["every day", 86_400_000, 15],
  ])("%s detects that two of three runs fail", (_, paceMs, most) => {
    const after = burnsAfter(paceMs, "xx.".repeat(40));
    expect(after).toBeGreaterThan(3);
    expect(after).toBeLessThanOrEqual(most);
  });

  it.each([
    ["every 10 seconds", 10_000],
    ["every minute", 60_000],
    ["every 5 minutes", 300_000],
    ["every hour", 3_600_000],
    ["every day", 86_400_000],
  ])("%s is silent about one failure in forty runs", (_, paceMs) => {
    expect(burnsAfter(paceMs, `x${".".repeat(39)}`.repeat(20))).toBeUndefined();
  });

  it.each([
    ["goes on as it began", "xx.".repeat(60), "first"],
    ["had failed seldom before", `${`x${".".repeat(39)}`.repeat(3)}${"xx.".repeat(60)}`, "window"],
    ["had an outage before, which another rule is for", `${"x".repeat(20)}..${"xx.".repeat(60)}`, "outage"],
  ])("records the failed run that it began with if it %s", (_, runs, how) => {
    let counts: RunCounts | undefined;
    for (const [index, run] of [...runs].entries()) {
      const at = noon + index * 60_000;
      counts = withRun(counts, at, run === "x", 60_000);
      const burn = burnAt(counts, at, run === "x", { budget: 0.01, paceMs: 60_000, alertAfterMs: 120_000 });
      if (burn === undefined) continue;
      const failed = burn.failures.map((instant) => runs[(instant - noon) / 60_000]);
      expect(new Set(failed)).toEqual(new Set(["x"]));
      const first = ((burn.failures[0] ?? 0) - noon) / 60_000;
      const windowFrom = Math.floor((at - 3_600_000) / 300_000) * 300_000 + 300_000;
      const expected = { first: 0, window: runs.indexOf("x", (windowFrom - noon) / 60_000), outage: 22 }[how];
      expect([first, burn.aside]).toEqual([expected, how === "outage" ? "longer" : undefined]);
      return;
    }
    expect.unreachable("nothing burns");
  });

  it("begins only with a failed run", () => {
    let counts: RunCounts | undefined;
    const burning: boolean[] = [];
    for (const [index, run] of [..."xx.".repeat(10), ..."x..".repeat(11), ...".".repeat(400)].entries()) {
      const at = noon + index * 60_000;
      counts = withRun(counts, at, run === "x", 60_000);
      const terms = { budget: 0.01, paceMs: 60_000, alertAfterMs: 120_000 };
      burning.push(burnAt(counts, at, run === "x", terms) !== undefined);
    }
    const begins = burning.flatMap((now, index) => (now && burning[index - 1] !== true ? [index] : []));
    expect(begins).toHaveLength(1);
  });

  it("is bounded, and does not depend on the order of runs", () => {
    const runs = Array.from({ length: 5_000 }, (_, i) => [noon + i * 10_000, i % 3 !== 0] as const);
    const fold = (order: typeof runs): RunCounts | undefined =>
      order.reduce<RunCounts | undefined>((known, [at, failed]) => withRun(known, at, failed, 10_000), undefined);
    const inOrder = fold(runs);
    // A fifth of the runs of six hours: more let the slow window burn whatever the budget.
    expect(inOrder?.failures).toHaveLength(432);
    expect(JSON.stringify(inOrder).length).toBeLessThan(7_000);
    const swapped = runs.map((_, i) => runs[i % 2 === 0 ? Math.min(i + 1, runs.length - 1) : i - 1] ?? runs[0]);
    expect(fold(swapped as typeof runs)).toEqual(inOrder);
  });
});
