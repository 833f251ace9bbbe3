/** A small fixed sample of the simulation; `npm run simulate` plays new seeds. */
import { beforeAll, describe, expect, it } from "vitest";
import { newTally, outageOf, playCounted } from "./campaign.ts";
import { describeFault } from "./faults.ts";
import { violations } from "./invariants.ts";
import { loadOutages, type Outage } from "./outages.ts";
import { shrunk, storyOf, type Trial, trialOf } from "./shrink.ts";
import { scheduleOf } from "./weather.ts";
import { play } from "./world.ts";

const sample = 40;

let outages: readonly Outage[];

beforeAll(async () => {
  outages = await loadOutages();
});

describe("several instances of each function under faults", () => {
  it("keep every invariant in a sample of schedules", async () => {
    const tally = newTally();
    for (let seed = 1; seed <= sample; seed++) {
      const failure = await playCounted(scheduleOf(seed, outages), outages, tally);
      if (failure === undefined) continue;
      const outage = outageOf(failure.schedule.outage, outages);
      expect.fail(await storyOf(await shrunk(failure, trialOf(outage)), outage));
    }
    expect(tally.schedules).toBe(sample);
    expect(tally.struck.size).toBeGreaterThanOrEqual(12);
    expect(tally.contended).toBeGreaterThan(sample);
  });

  it("keep every invariant without faults", () => {
    for (const { quiet } of outages) expect(violations(quiet, quiet)).toEqual([]);
  });
});

describe("a schedule", () => {
  it("is deterministic", async () => {
    const schedule = scheduleOf(7, outages);
    const { scenario } = outageOf(schedule.outage, outages);
    const [one, other] = [
      await play(schedule, scenario, { tells: true }),
      await play(schedule, scenario, { tells: true }),
    ];
    expect(one.story.length).toBeGreaterThan(20);
    expect(one.story).toEqual(other.story);
  });

  it("describes each fault", () => {
    const faults = Array.from({ length: 300 }, (_, seed) => scheduleOf(seed, outages).faults).flat();
    expect(new Set(faults.map(({ fault }) => fault)).size).toBe(16);
    for (const fault of faults) expect(describeFault(fault)).not.toMatch(/undefined|NaN/);
  });

  it("that breaks an invariant shrinks to its fault, and is described as a story", async () => {
    const [outage] = outages;
    if (outage === undefined) throw new Error("there is no outage");
    const drawn = Array.from({ length: 20 }, (_, seed) => scheduleOf(seed, outages).faults).flat();
    const culprits = [drawn[17], drawn[40]];
    const trial: Trial = async ({ faults, instances }) =>
      instances > 1 && culprits.every((fault) => fault !== undefined && faults.includes(fault))
        ? ["it is broken: so"]
        : [];
    const schedule = { ...scheduleOf(0, outages), outage: outage.scenario.name, faults: drawn };
    const smallest = await shrunk({ schedule, broken: await trial(schedule) }, trial);
    expect(smallest.schedule).toMatchObject({ faults: culprits, instances: 2, latencyMs: 1 });
    const story = await storyOf(smallest, outage);
    expect(story).toContain(`${outage.scenario.name}, 2 instances of each function`);
    for (const fault of smallest.schedule.faults) expect(story).toContain(describeFault(fault));
    expect(story).toContain("what is broken:\n  it is broken: so");
  });
});
