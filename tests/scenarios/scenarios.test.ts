/** Every scenario of this folder is played through the real evaluator and notifier. `npx pathkeeper test tests/scenarios/*.yaml` does the same. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { judge } from "../../cli/scenario/judge.ts";
import { loadTests } from "../../cli/scenario/load.ts";
import { play } from "../../cli/scenario/play.ts";

const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
const loaded = await Promise.all(
  files.map(async (name) => ({
    name,
    tests: await loadTests(readFileSync(join(folder, name), "utf8"), join(folder, name)),
  })),
);

describe.each(loaded)("$name", ({ tests }) => {
  it("is without mistakes", () => {
    expect("problems" in tests ? tests.problems : []).toEqual([]);
  });

  const scenarios = "scenarios" in tests ? tests.scenarios : [];
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", async (_, scenario) => {
    const played = await play(scenario);
    expect([...played.mishaps, ...judge(played)]).toEqual([]);
  });
});

it("holds at least 24 outages and 10 healthy days", () => {
  const all = loaded.flatMap(({ tests }) => ("scenarios" in tests ? tests.scenarios : []));
  const healthy = all.filter(({ expect: expected }) => expected === "silence").length;
  expect(all.length - healthy).toBeGreaterThanOrEqual(24);
  expect(healthy).toBeGreaterThanOrEqual(10);
});
