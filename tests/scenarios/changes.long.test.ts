/** With changes and logs as evidence, no diagnosis is worse than without them. */
import { describe, expect, it } from "vitest";
import type { Scenario } from "../../cli/scenario/file/load.ts";
import { judge } from "../../cli/scenario/judge.ts";
import { play } from "../../cli/scenario/play.ts";
import { readIncident } from "../../shared/documents/incident.ts";
import { corpus, isFirst, scenariosOf } from "./corpus.ts";

const own = corpus.filter(({ name }) => name === "changes.yaml").flatMap(scenariosOf);

/** Returns a scenario without its changes, and with empty logs. */
function bare(scenario: Scenario): Scenario {
  const actions = scenario.actions.filter(({ action }) => action.action !== "change");
  return { ...scenario, actions, phases: scenario.phases.filter(({ effect }) => effect.what !== "log") };
}

/** Returns a scenario in which every component was changed some time before the first failure, so that no change stands out. */
function busy(scenario: Scenario): Scenario {
  const from = Math.min(...scenario.phases.map((phase) => phase.from), scenario.until);
  const changes = scenario.plan.configuration.components.map(({ name }) => ({
    at: Math.max(0, from - 60_000),
    action: { action: "change", component: name, what: `changed ${name}`, agoMs: 0 } as const,
    text: `change ${name}`,
  }));
  return { ...scenario, actions: [...changes, ...scenario.actions] };
}

async function causesOf(scenario: Scenario): Promise<string[]> {
  const { incidents } = await play(scenario);
  return incidents.map(({ fields }) => readIncident(fields).root_cause);
}

describe("outages with changes and logs", () => {
  it("are at least ten", () => {
    expect(own.length).toBeGreaterThanOrEqual(10);
  });

  it.each(own.map((scenario) => [scenario.name, scenario] as const))("%s", async (_, scenario) => {
    const played = await play(scenario);
    expect(judge(played)).toEqual([]);
    expect(await causesOf(bare(scenario))).toEqual(
      played.incidents.map(({ fields }) => readIncident(fields).root_cause),
    );
  });
});

describe("outages just after a change of everything", () => {
  const files = corpus.flatMap((file) => scenariosOf(file).filter((scenario) => isFirst(scenario, file)));
  it.each(files.map((scenario) => [scenario.name, scenario] as const))(
    "have the same causes: %s",
    async (_, scenario) => {
      expect(await causesOf(busy(scenario))).toEqual(await causesOf(scenario));
    },
  );
});
