import { describe, expect, it } from "vitest";
import { z } from "zod";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import { type FailureKind, parseReport } from "../../../shared/messages/report.ts";
import { probeOf } from "../fixtures.ts";
import type { AnyProber, Prober } from "../prober.ts";
import { type ProbeRun, runProbes } from "./run.ts";

/** Consecutive attempts: `good`, a kind of failure, or `never` for no response at all. */
type Attempts = readonly ("good" | "never" | FailureKind)[];

/** A kind of probe with a scripted result for each attempt. */
function scripted(kind: string, attempts: Attempts): { prober: AnyProber; count: () => number; ended: () => boolean } {
  let count = 0;
  let ended = true;
  const prober: Prober<object, string> = {
    kind,
    title: "Made for a test.",
    reach: "private",
    usualSeconds: 1,
    yields: () => [],
    settings: z.strictObject({}),
    example: "{}",
    async observe(_settings, world) {
      const next = attempts[count++] ?? "good";
      if (next !== "never") return next;
      ended = false;
      await new Promise((resolve) => world.signal.addEventListener("abort", resolve));
      ended = true;
      return "timeout";
    },
    assess: (_settings, seen) => ({
      measurements: [],
      ...(seen === "good" ? {} : { failure: { kind: seen as FailureKind, phase: "connect", message: `no: ${seen}` } }),
    }),
  };
  return { prober, count: () => count, ended: () => ended };
}

const unhealthy = "the control probe, a target known to be good, failed twice as well";

async function batch(targets: Attempts, control: Attempts, more: Partial<ProbeRun> = {}, beats: Attempts = []) {
  const target = scripted("target", targets);
  const beat = scripted("beat", beats);
  const known = scripted("known", control);
  const probes = [
    ...beats.map((_, index) => ({ ...probeOf("beat", {}, 5_000), name: `beat-${index}` })),
    ...targets.map((_, index) => ({ ...probeOf("target", {}, 5_000), name: `target-${index}` })),
  ];
  const report = await runProbes({
    environment: "test",
    vantage: "outside",
    group: "outside-1m",
    trigger: "schedule",
    reportId: "test/outside-1m/2025-09-16T12:04:00Z",
    probes,
    control: probeOf("known", {}, 5_000),
    secrets: { read: async () => "" },
    google: googleApi("http://127.0.0.1:1"),
    clock: { now: () => Date.now() },
    probers: { target: target.prober, known: known.prober, beat: { ...beat.prober, targetless: true } },
    ...more,
  });
  return { report, control: known };
}

describe("the control probe", () => {
  it.each<[string, Attempts, Attempts, string | undefined]>([
    ["everything is healthy", ["good", "good"], ["good"], undefined],
    ["only the control target is reached", ["timeout", "dns"], ["good"], undefined],
    ["only the control target is reached, at the second attempt", ["timeout"], ["reset", "good"], undefined],
    ["neither is reached", ["timeout", "dns"], ["dns", "timeout"], `${unhealthy}: no: timeout`],
    [
      "the control target responds with an error",
      ["unavailable"],
      ["http_status", "http_status"],
      `${unhealthy}: no: http_status`,
    ],
    ["one target is healthy", ["timeout", "good"], ["dns", "dns"], undefined],
    ["one target responds, even with a refusal", ["timeout", "http_status"], ["dns", "dns"], undefined],
    ["one host refuses the connection", ["refused"], ["dns", "dns"], undefined],
    ["every certificate is wrong", ["tls"], ["tls", "tls"], `${unhealthy}: no: tls`],
  ])("decides when %s", async (_what, targets, control, expected) => {
    const { report } = await batch(targets, control);
    expect(report.prober_unhealthy).toBe(expected);
    expect(parseReport(report)).toEqual(report);
    expect(report.results).toHaveLength(targets.length);
  });

  it.each<[string, Attempts, Attempts, string | undefined]>([
    ["a heartbeat does not prove that the network works", ["good"], ["dns"], `${unhealthy}: no: dns`],
    ["nor does a failed one", ["body"], ["timeout"], `${unhealthy}: no: dns`],
    ["with heartbeats alone, the network is not judged", ["unavailable"], [], undefined],
  ])("counts only results that reached a target: %s", async (_what, beats, targets, expected) => {
    const { report } = await batch(targets, ["dns", "dns"], {}, beats);
    expect(report.prober_unhealthy).toBe(expected);
  });

  it("delays no result, and is ended when it is no longer needed", async () => {
    const started = performance.now();
    const { report, control } = await batch(["good"], ["never", "never"]);
    expect(report).not.toHaveProperty("prober_unhealthy");
    expect(performance.now() - started).toBeLessThan(2_500);
    expect(control.ended()).toBe(true);
    expect(control.count()).toBe(1);
  });

  it("completes both attempts before the next run is due", async () => {
    const started = Date.now();
    const { report } = await batch(["dns"], ["never", "never"], { nextAt: started + 400, until: started + 60_000 });
    expect(report.prober_unhealthy).toMatch(unhealthy);
    expect(Date.now() - started).toBeLessThan(2_500);
  });

  it("has no effect in a run without probes", async () => {
    const { report } = await batch([], ["dns", "dns"]);
    expect(report).not.toHaveProperty("prober_unhealthy");
  });
});
