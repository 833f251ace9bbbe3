import { describe, expect, it } from "vitest";
import type { Gap } from "../../../shared/doctor/examination.ts";
import { Bench, smallEnvironment } from "../fixtures.ts";
import type { DriftFindings } from "./drift.ts";

const paused: Gap = { what: "job pathkeeper-tick", says: "is PAUSED", fix: "gcloud scheduler jobs resume" };
const open: Gap = { what: "function pathkeeper-notify", says: "can be reached from the internet", fix: "gcloud run" };
const nothing: DriftFindings = { project: "shop-watch", gaps: [], unknown: [] };

/** A monitor with drift checks. Returns it, the findings of its next checks, and the times of the checks. */
function checking() {
  const world = { finds: (): DriftFindings => nothing, checks: [] as string[] };
  const drift = async (): Promise<DriftFindings> => {
    world.checks.push(new Date(bench.now).toISOString().slice(8, 16));
    return world.finds();
  };
  const bench: Bench = new Bench(smallEnvironment, { watchesItself: true }, { drift });
  return { bench, world };
}

async function minutes(bench: Bench, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await bench.minute();
}

describe("a deployment that is checked for drift", () => {
  it("is checked once a day while nothing is missing", async () => {
    const { bench, world } = checking();
    await minutes(bench, 5);
    bench.now += 86_000_000;
    await minutes(bench, 10);
    expect(world.checks).toEqual(["16T12:01", "17T12:01"]);
  });

  it("is an incident of the monitor when something is missing twice, and over when a check finds it again", async () => {
    const { bench, world } = checking();
    world.finds = () => ({ ...nothing, gaps: [paused, open] });
    await minutes(bench, 20);
    const [incident] = await bench.incidents();
    expect(incident?.fields).toMatchObject({
      title: "Test: the deployment has drifted",
      severity: "warning",
      verdict: "monitor",
      alerts: ["The deployment has drifted"],
      summary: expect.stringContaining("The deployment has drifted: job pathkeeper-tick is PAUSED, and 1 more."),
    });
    expect(bench.events[0]?.next_steps).toContainEqual(
      expect.stringContaining("`npx --no pathkeeper doctor --project shop-watch`"),
    );
    world.finds = () => nothing;
    await minutes(bench, 60);
    expect(world.checks).toEqual(["16T12:01", "16T12:11", "16T13:11"]);
    expect(bench.story).toEqual(["12:12 opened", "13:14 resolved"]);
  });

  it("is no incident when something was missing once, as during an apply", async () => {
    const { bench, world } = checking();
    world.finds = () => (world.checks.length === 1 ? { ...nothing, gaps: [paused] } : nothing);
    await minutes(bench, 30);
    expect(world.checks).toEqual(["16T12:01", "16T12:11"]);
    expect(bench.story).toEqual([]);
  });

  it("is told in the log where it may not be read, which is no gap", async () => {
    const { bench, world } = checking();
    world.finds = () => ({ ...nothing, unknown: ["project shop could not be examined: refused"] });
    await minutes(bench, 20);
    expect(world.checks).toHaveLength(1);
    expect(bench.logged).toEqual([expect.stringContaining("project shop could not be examined: refused")]);
    expect(bench.story).toEqual([]);
  });

  it("stays drifted while a check sees less than the one that found it", async () => {
    const { bench, world } = checking();
    world.finds = () => ({ ...nothing, gaps: [paused] });
    await minutes(bench, 20);
    world.finds = () => ({ ...nothing, unknown: ["job pathkeeper-tick could not be examined: refused"] });
    await minutes(bench, 70);
    expect(bench.story).toEqual(["12:12 opened"]);
    world.finds = () => nothing;
    await minutes(bench, 60);
    expect(bench.story).toEqual(["12:12 opened", "14:14 resolved"]);
  });

  it("is checked again soon after a check that came to no end, and everything else goes on", async () => {
    const { bench, world } = checking();
    world.finds = () => {
      if (world.checks.length === 1) throw new Error("no way out");
      return nothing;
    };
    await minutes(bench, 20);
    expect(world.checks).toEqual(["16T12:01", "16T12:11"]);
    expect(bench.logged).toEqual(["the deployment was not checked for drift: no way out"]);
    expect(bench.story).toEqual([]);
  });

  it("is not drifted any more where nobody checks any more", async () => {
    const { bench, world } = checking();
    world.finds = () => ({ ...nothing, gaps: [paused] });
    await minutes(bench, 20);
    const { store, publisher } = bench;
    const later = new Bench(smallEnvironment, { watchesItself: true }, { store, publisher });
    later.now = bench.now;
    await minutes(later, 10);
    expect(later.story).toEqual(["12:12 opened", "12:24 resolved"]);
  });
});
