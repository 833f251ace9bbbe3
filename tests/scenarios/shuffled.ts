/** Scenarios in which components and probes have swapped their names. The results must be the same except for the names. */
import { expect, it } from "vitest";
import type { Phase } from "../../cli/scenario/effect.ts";
import type { Scenario } from "../../cli/scenario/file/load.ts";
import { type Played, play } from "../../cli/scenario/play.ts";
import { type Random, randomFrom } from "../../functions/evaluate/cause/worlds.fixtures.ts";
import { planOf } from "../../functions/evaluate/plan.ts";
import type { Fields } from "../../shared/ports.ts";

/** A scenario under its own names and under others, and the new name of each component. */
export interface Shuffled {
  readonly plain: Scenario;
  readonly other: Scenario;
  readonly nameOf: (component: string) => string;
}

/** Swaps the names and titles of components, and the names of probes, among themselves. @param seed the same seed swaps them in the same way */
export function shuffled(noisy: Scenario, seed: number): Shuffled {
  const scenario = { ...noisy, phases: noisy.phases.map(steadied) };
  const random = randomFrom(seed);
  const { components, probes } = scenario.plan.configuration;
  const byComponent = swapped(
    components.map(({ name }) => name),
    random,
  );
  const byProbe = swapped(
    probes.map(({ name }) => name),
    random,
  );
  const titles = new Map(components.map(({ name, title }) => [name, title]));
  const component = (name: string): string => byComponent.get(name) ?? name;
  const probe = (name: string): string => byProbe.get(name) ?? name;

  const inText = (text: string): string =>
    text.replace(/\b(probe|component)(\s*[!=]=?~?\s*")([^"]+)"/g, (_, label: string, is: string, name: string) => {
      return `${label}${is}${label === "probe" ? probe(name) : component(name)}"`;
    });
  /** Returns a value with the new names. The kind of name in a string follows from its key. */
  const renamed = (value: unknown, key: string): unknown => {
    if (typeof value === "string") {
      if (componentKeys.has(key)) return component(value);
      if (probeKeys.has(key)) return probe(value);
      return textKeys.has(key) ? inText(value) : value;
    }
    if (Array.isArray(value)) return value.map((one) => renamed(one, key));
    if (value instanceof Set) return new Set([...value].map((one) => renamed(one, key)));
    if (value instanceof Map) return new Map([...value].map(([name, one]) => [probe(name), one]));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([name, one]) => [name, renamed(one, name)] as const);
    const record: Record<string, unknown> = Object.fromEntries(entries);
    const { name, scope } = value as { readonly name?: unknown; readonly scope?: unknown };
    if (typeof name !== "string") return record;
    if (scope === "component") return { ...record, name: component(name) };
    if (scope === "rule") return { ...record, name: name.replace(/^(.+) failing$/, (_, of) => `${probe(of)} failing`) };
    if (key === "components") return { ...record, name: component(name), title: titles.get(component(name)) };
    if (key === "services" && byComponent.has(name)) return { ...record, name: component(name) };
    return key === "probes" ? { ...record, name: probe(name) } : record;
  };
  const { plan, phases, actions, outcomes, values } = scenario;
  const configuration = renamed(plan.configuration, "") as typeof plan.configuration;
  const parts = renamed({ phases, actions, outcomes, values }, "") as Pick<
    Scenario,
    "phases" | "actions" | "outcomes" | "values"
  >;
  return { plain: scenario, other: { ...scenario, ...parts, plan: planOf(configuration) }, nameOf: component };
}

/** Returns the phase with the mean of its noise, which depends on the name of its probe. */
function steadied(phase: Phase): Phase {
  const { effect } = phase;
  if (effect.what !== "metric" || effect.sample.values?.shape !== "noise") return phase;
  const middle = (effect.sample.values.first + effect.sample.values.last) / 2;
  const values = { first: middle, last: middle, shape: "ramp" } as const;
  return { ...phase, effect: { ...effect, sample: { ...effect.sample, values } } };
}

const componentKeys: ReadonlySet<string> = new Set(["component", "components", "dependsOn"]);
const probeKeys: ReadonlySet<string> = new Set(["probe", "probes"]);
const textKeys: ReadonlySet<string> = new Set(["condition", "clearCondition"]);

/** Maps each name to the next in a random order: with two or more names, none stays the same. */
function swapped(names: readonly string[], random: Random): ReadonlyMap<string, string> {
  const places = names.map((name) => ({ name, place: random() })).sort((a, b) => a.place - b.place);
  return new Map(places.map(({ name }, index) => [name, places[(index + 1) % places.length]?.name ?? name]));
}

/** Declares a test for each scenario: under other names, it has the same results, in the order in which its incidents opened. */
export function declareShuffled(scenarios: readonly Scenario[]): void {
  it.each(scenarios.map((scenario, index) => [scenario.name, scenario, index + 1] as const))(
    "%s",
    async (_, scenario, seed) => {
      const { plain, other, nameOf } = shuffled(scenario, seed);
      expect(other.plan.configuration.components).not.toEqual(plain.plan.configuration.components);
      expect(answersIn(await play(other))).toEqual(answersIn(await play(plain), nameOf));
    },
  );
}

function answersIn({ incidents }: Played, nameOf: Shuffled["nameOf"] = (name) => name): unknown[] {
  const named = (value: unknown): unknown => (typeof value === "string" ? nameOf(value) : null);
  const listed = (value: Fields[string] | undefined): unknown[] =>
    Array.isArray(value) ? value.map((one) => named((one as Fields)["component"])) : [];
  return incidents.map(({ fields }) => ({
    root_cause: named(fields["root_cause"]),
    also_broken: named(fields["also_broken"]),
    causes: listed(fields["causes"]),
    // Equivalent sentences have no particular order.
    candidates: listed(fields["candidates"]).sort(),
    verdict: fields["verdict"],
    confidence: fields["confidence"],
  }));
}
