/**
 * Every scenario of this folder and of `reports`, played through the real evaluator and notifier, as `npx --no pathkeeper test
 * tests/scenarios/*.yaml` does.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LoadedTests, loadTests, type Scenario } from "../../cli/scenario/file/load.ts";
import { judge } from "../../cli/scenario/judge.ts";
import { type Played, play } from "../../cli/scenario/play.ts";
import type { Report } from "../../shared/messages/report.ts";
import { contradictions } from "./contradictions.ts";
import { Measured } from "./measured.ts";
import { untruths } from "./truth.ts";

/** A file of scenarios, or its errors. */
export interface ScenarioFile {
  readonly name: string;
  readonly tests: LoadedTests;
}

const folder = import.meta.dirname;

/** All files of this folder, and of the folder with publicly reported outages. */
export const corpus: readonly ScenarioFile[] = await Promise.all(
  [...readdirSync(folder), ...readdirSync(join(folder, "reports")).map((name) => join("reports", name))]
    .filter((name) => name.endsWith(".yaml"))
    .map(async (name) => {
      const path = join(folder, name);
      return { name, tests: await loadTests(readFileSync(path, "utf8"), path) };
    }),
);

/** Returns the scenarios of a file; none if it has errors. */
export function scenariosOf({ tests }: ScenarioFile): readonly Scenario[] {
  return "scenarios" in tests ? tests.scenarios : [];
}

/** Returns whether a scenario is too long to be played quickly. */
export function isLong({ until }: Scenario): boolean {
  return until > 110 * 60_000;
}

/** Plays a scenario, and compares the records of its incidents with the reports of its probes. */
export async function playedTruly(scenario: Scenario): Promise<{ played: Played; untrue: string[] }> {
  const reports: Report[] = [];
  const played = await play(scenario, {
    reportArrivals: (report) => {
      reports.push(report);
      return [0];
    },
  });
  const measured = new Measured(reports, scenario.plan);
  return { played, untrue: played.incidents.flatMap(({ fields }) => untruths(fields, measured)) };
}

/** Returns whether a scenario is the first in its file: the quick suite plays one of each kind of outage. */
export function isFirst(scenario: Scenario, file: ScenarioFile): boolean {
  return !isReported(file) && !isLong(scenario) && scenariosOf(file).find((one) => !isLong(one)) === scenario;
}

/** Returns whether a file of the corpus contains publicly reported outages. */
export function isReported({ name }: { readonly name: string }): boolean {
  return name.startsWith("reports/");
}

/** Declares a test for each selected scenario. */
export function declareScenarios(isChosen: (scenario: Scenario, file: ScenarioFile) => boolean): void {
  const chosen = corpus.flatMap((file) => {
    const scenarios = scenariosOf(file).filter((scenario) => isChosen(scenario, file));
    return scenarios.length === 0 ? [] : [{ name: file.name, scenarios }];
  });
  describe.each(chosen)("$name", ({ scenarios }) => {
    it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
      "%s",
      { timeout: 300_000 },
      async (_, scenario) => {
        const { played, untrue } = await playedTruly(scenario);
        expect([...played.mishaps, ...judge(played), ...untrue, ...contradictions(played)]).toEqual([]);
      },
    );
  });
}
