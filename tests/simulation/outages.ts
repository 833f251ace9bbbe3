/** The outages of the simulation, each with its run without faults. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadTests, type Scenario } from "../../cli/scenario/file/load.ts";
import { judge } from "../../cli/scenario/judge.ts";
import { play as playPlainly } from "../../cli/scenario/play.ts";
import type { Outcome, Profile } from "./outcome.ts";
import type { Change } from "./rollout.ts";
import { play } from "./world.ts";

/** An outage. */
export interface Outage {
  readonly scenario: Scenario;
  readonly profile: Profile;
  /** What comes of it without faults. */
  readonly quiet: Outcome;
}

/** Every outage. */
export async function loadOutages(): Promise<readonly Outage[]> {
  const path = join(import.meta.dirname, "outages.yaml");
  const loaded = await loadTests(readFileSync(path, "utf8"), path);
  if ("problems" in loaded)
    throw new Error(loaded.problems.map(({ line, message }) => `${line}: ${message}`).join("\n"));
  const outages: Outage[] = [];
  for (const scenario of loaded.scenarios) {
    const failures = judge(await playPlainly(scenario));
    if (failures.length > 0)
      throw new Error(`"${scenario.name}" does not go as it should: ${JSON.stringify(failures)}`);
    const quiet = await playQuietly(scenario);
    outages.push({ scenario, quiet, profile: quiet.profile });
  }
  return outages;
}

/** Plays an outage with one instance of each function, and nothing goes wrong. @param change of the configuration, everywhere at once */
export function playQuietly(scenario: Scenario, change?: Change): Promise<Outcome> {
  const faults = change === undefined ? [] : [{ fault: "configuration change", change, over: 0 } as const];
  return play({ outage: scenario.name, seed: 0, instances: 1, latencyMs: 1, isPatient: true, faults }, scenario);
}
