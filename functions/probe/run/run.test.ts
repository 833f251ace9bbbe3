import { describe, expect, it } from "vitest";
import { z } from "zod";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import { parseReport, type Report } from "../../../shared/messages/report.ts";
import { probeOf } from "../fixtures.ts";
import type { AnyProber, Prober, ProbeWorld } from "../prober.ts";
import { type ProbeRun, runProbes } from "./run.ts";

const prober = (observe: (world: ProbeWorld) => Promise<string | undefined>): AnyProber => {
  const made: Prober<object, string | undefined> = {
    kind: "made",
    title: "Made for a test.",
    reach: "private",
    usualSeconds: 1,
    yields: () => [],
    settings: z.strictObject({}),
    example: "{}",
    observe: (_settings, world) => observe(world),
    assess: (_settings, message) => ({
      measurements: [
        { metric: "http_status", value: 200, labels: { text: message ?? "" } },
        { metric: "http_body_size", value: Number.NaN },
      ],
      ...(message === undefined ? {} : { failure: { kind: "body", phase: "body", message } }),
    }),
  };
  return made;
};

const run = (made: AnyProber, more: Partial<ProbeRun> = {}) =>
  runProbes({
    environment: "test",
    vantage: "inside",
    group: "inside-1m",
    trigger: "schedule",
    reportId: "test/inside-1m/2025-09-16T12:04:00Z",
    probes: [probeOf("made", {}, 100)],
    secrets: { read: async () => "very-secret" },
    google: googleApi("http://127.0.0.1:1"),
    clock: { now: () => Date.parse("2025-09-16T12:04:00.300Z") },
    probers: { made },
    ...more,
  });

describe("a run of probes", () => {
  it("reports each result with its success and duration, in finite numbers", async () => {
    const report = await run(prober(async () => undefined));
    expect(parseReport(report)).toEqual(report);
    expect(report).toMatchObject({
      v: 1,
      report: "test/inside-1m/2025-09-16T12:04:00Z",
      started_at: "2025-09-16T12:04:00.300Z",
      results: [{ probe: "made-probe", component: "backend", at: "2025-09-16T12:04:00.300Z", success: true }],
    });
    expect(report.results[0]?.measurements.map(({ metric }) => metric)).toEqual([
      "probe_success",
      "probe_duration",
      "probe_attempts",
      "http_status",
    ]);
    expect(report).not.toHaveProperty("request");
  });

  it.each<[string, (world: ProbeWorld) => Promise<string | undefined>, object]>([
    [
      "throws",
      () => Promise.reject(new Error("broken")),
      { kind: "internal", phase: "probe", message: "internal error of the probe: broken" },
    ],
    [
      "never answers",
      () => new Promise(() => {}),
      { kind: "timeout", phase: "unknown", message: "the probe timed out" },
    ],
    [
      "answers when it is told that the time is over",
      (world) => new Promise((resolve) => world.signal.addEventListener("abort", () => resolve("told"))),
      { kind: "body", message: "told" },
    ],
    [
      "fails to close what it opened",
      async (world) => {
        world.onClose(() => {
          throw new Error("cannot");
        });
        return "opened";
      },
      { kind: "body", message: "opened" },
    ],
  ])("holds a prober to its deadline that %s", async (_what, observe, failure) => {
    const started = performance.now();
    const { results } = await run(prober(observe));
    expect(results[0]?.failure).toMatchObject(failure);
    expect(performance.now() - started).toBeLessThan(100 + 250);
  });

  it("closes the resources of a prober and aborts its work, however it ends", async () => {
    const closed: string[] = [];
    const worlds: ProbeWorld[] = [];
    await run(
      prober(async (world) => {
        worlds.push(world);
        world.onClose(() => closed.push("closed"));
        throw new Error("broken");
      }),
    );
    worlds[0]?.onClose(() => closed.push("opened late"));
    expect(closed).toEqual(["closed", "opened late"]);
    expect(worlds[0]?.signal.aborted).toBe(true);
  });

  it("keeps secrets and values derived from them out of every text", async () => {
    const report = await run(
      prober(async (world) => {
        const secret = await world.resolve({ secret: "token" });
        world.conceal("derived");
        return `${secret} and derived and ${await world.resolve("plain")} and ${encodeURIComponent(secret)} ${"x".repeat(1_000)}`;
      }),
    );
    expect(report.results[0]?.failure?.message).toMatch(/^\*\*\* and \*\*\* and plain and \*\*\* x+…$/);
    expect(JSON.stringify(report)).not.toMatch(/very-secret|derived/);
  });

  it("limits concurrency, and keeps the order of the results", async () => {
    let running = 0;
    let most = 0;
    const made = prober(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      return undefined;
    });
    const probes = Array.from({ length: 20 }, (_, position) => ({
      ...probeOf("made", {}, 5_000),
      name: `p${position}`,
    }));
    const report = await run(made, { probes, concurrency: 4, paceMs: 0 });
    expect(most).toBe(4);
    expect(report.results.map(({ probe }) => probe)).toEqual(probes.map(({ name }) => name));
  });

  it("reports the available results while a target hangs, and the rest when it has ended", async () => {
    const hanging = Promise.withResolvers<undefined>();
    const parts: Report[] = [];
    const made = prober(async (world) => (world.remaining() > 10_000 ? await hanging.promise : undefined));
    const named = (name: string, timeoutMs: number) => ({ ...probeOf("made", {}, timeoutMs), name });
    const report = await run(made, {
      probes: [named("hangs", 60_000), named("well", 5_000), named("well too", 5_000)],
      partAfterMs: 20,
      onPart: (part) => {
        parts.push(part);
        hanging.resolve(undefined);
      },
    });
    const shown = ({ report: id, results }: Report) => [id, results.map(({ probe }) => probe)];
    const id = "test/inside-1m/2025-09-16T12:04:00Z";
    expect(parts.map(shown)).toEqual([[expect.stringMatching(`^${id}/part-[0-9a-f]{12}$`), ["well", "well too"]]]);
    expect(shown(report)).toEqual([id, ["hangs"]]);
    for (const one of [...parts, report]) expect(parseReport(one)).toEqual(one);
  });

  it("loses no result of a repeated round, whatever hung and was published the first time", async () => {
    const names = ["a", "b", "c"];
    /** Returns the reports of a run in which these probes hang until the partial report is published. */
    const reportsOf = async (hang: readonly string[]): Promise<Report[]> => {
      const reports: Report[] = [];
      const released = Promise.withResolvers<undefined>();
      const made = prober(async (world) => (world.remaining() > 10_000 ? await released.promise : undefined));
      const last = await run(made, {
        probes: names.map((name) => ({ ...probeOf("made", {}, hang.includes(name) ? 60_000 : 5_000), name })),
        partAfterMs: 5,
        onPart: (part) => {
          reports.push(part);
          released.resolve(undefined);
        },
      });
      return [...reports, last];
    };
    const subsets = [[], ["a"], ["b"], ["c"], ["a", "b"], ["b", "c"], ["a", "c"]];
    const runs = await Promise.all(subsets.map(reportsOf));
    for (const first of runs)
      for (const second of runs)
        for (let published = 0; published <= first.length; published++) {
          const taken = new Map<string, Report>();
          for (const report of [...first.slice(0, published), ...second])
            if (!taken.has(report.report)) taken.set(report.report, report);
          const told = [...taken.values()].flatMap(({ results }) => results.map(({ probe }) => probe));
          expect(new Set(told)).toEqual(new Set(names));
        }
  });

  it("publishes a single report if all probes end in time, or none does", async () => {
    const parts: Report[] = [];
    const onPart = (part: Report): void => void parts.push(part);
    const quick = await run(
      prober(async () => undefined),
      { onPart },
    );
    const slow = prober(() => new Promise((resolve) => setTimeout(() => resolve(undefined), 40)));
    const alone = await run(slow, { onPart, partAfterMs: 1, probes: [probeOf("made", {}, 5_000)] });
    expect(parts).toEqual([]);
    for (const report of [quick, alone]) expect(report.report).toBe("test/inside-1m/2025-09-16T12:04:00Z");
  });

  it("starts no probe after the time of the run is over, and reports it", async () => {
    const report = await run(
      prober(async () => undefined),
      { until: Date.parse("2025-09-16T12:04:00Z") },
    );
    expect(report.results[0]?.failure).toMatchObject({ kind: "internal", phase: "start" });
  });

  it("reports an unknown kind, and invalid settings", async () => {
    const made = prober(async () => undefined);
    const { results } = await run(made, { probes: [probeOf("other", {}), probeOf("made", { wrong: 1 })] });
    expect(results.map(({ failure }) => failure?.message)).toEqual([
      "unknown probe kind other",
      expect.stringContaining("wrong"),
    ]);
  });
});
