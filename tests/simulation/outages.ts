/** The outages of the simulation, each with its run without faults. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadTests, type Scenario } from "../../cli/scenario/file/load.ts";
import { judge } from "../../cli/scenario/judge.ts";
import { play as playPlainly } from "../../cli/scenario/play.ts";
import type { Outcome, Profile } from "./outcome.ts";
import { play } from "./world.ts";

/** An outage. */
export interface Outage {
  readonly scenario: Scenario;
  readonly profile: Profile;
  /** Outcome of the outage without faults. */
  readonly quiet: Outcome;
  /** It takes long to play, and so is played rarely. */
  readonly isRare: boolean;
}

/** Files of outages, and whether those of each are played rarely. */
const files: readonly (readonly [name: string, isRare: boolean])[] = [
  ["outages.yaml", false],
  ["rare.yaml", true],
];

/** Loads every outage. @throws Error if one does not play as its file describes */
export async function loadOutages(): Promise<readonly Outage[]> {
  const outages: Outage[] = [];
  for (const [name, isRare] of files) {
    for (const scenario of await scenariosIn(join(import.meta.dirname, name))) {
      const failures = judge(await playPlainly(scenario));
      if (failures.length > 0)
        throw new Error(`"${scenario.name}" does not go as it should: ${JSON.stringify(failures)}`);
      const quiet = await playQuietly(scenario);
      outages.push({ scenario, quiet, profile: quiet.profile, isRare });
    }
  }
  return outages;
}

async function scenariosIn(path: string): Promise<readonly Scenario[]> {
  const loaded = await loadTests(readFileSync(path, "utf8"), path);
  if ("problems" in loaded)
    throw new Error(loaded.problems.map(({ line, message }) => `${path}:${line} ${message}`).join("\n"));
  return loaded.scenarios;
}

/** Plays an outage with one instance of each function, without faults. */
function playQuietly(scenario: Scenario): Promise<Outcome> {
  return play({ outage: scenario.name, seed: 0, instances: 1, latencyMs: 1, isPatient: true, faults: [] }, scenario);
}
