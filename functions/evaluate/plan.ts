/** Facts that follow from the configuration alone, computed once per instance. */
import type { Component, Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import { longestGap, shortestGap } from "../../shared/config/schedule.ts";
import { targetOf } from "../../shared/documents/availability.ts";
import { exportsOf } from "../../shared/metrics/exported.ts";
import { canYield } from "../../shared/metrics/yields.ts";
import { type Roles, rolesOf } from "./cause/roles.ts";
import { type BaselineCheck, compileBaseline, type Selector } from "./condition/index.ts";
import { ComponentGraph } from "./graph.ts";
import { builtInRules } from "./rules/built-in.ts";
import { type CompiledRule, compileRule } from "./rules/rule.ts";

/** Rules and graph of one configuration. */
export interface Plan {
  readonly configuration: Configuration;
  readonly graph: ComponentGraph;
  /** The part that each component plays. */
  readonly roles: Roles;
  /** Rules whose metrics come from one partition, all of them. */
  readonly rules: readonly CompiledRule[];
  /** The same by partition: a rule is evaluated where its metrics come from, for elsewhere they are always absent. */
  readonly rulesOf: ReadonlyMap<string, readonly CompiledRule[]>;
  /** Rules that join metrics of several partitions; they are evaluated over all of them, with each tick. */
  readonly crossRules: readonly CompiledRule[];
  /** Longest lookback of the rules on each metric, in milliseconds; other metrics are not kept. */
  readonly lookback: ReadonlyMap<string, number>;
  /** Every rule, by name. */
  readonly rulesByName: ReadonlyMap<string, CompiledRule>;
  /** The rules that no other rule is like, by what they judge by: how a rule that was renamed is known again. */
  readonly rulesByCriterion: ReadonlyMap<string, CompiledRule>;
  /** Largest interval between runs of each probe, in milliseconds: needed for every series, and slow to compute from a cron expression. */
  readonly intervals: ReadonlyMap<string, number>;
  /** The same at the least: their pace while they run. */
  readonly paces: ReadonlyMap<string, number>;
  /** Names of the probes that can yield series of a metric with these labels. */
  yielding(metric: string, matchers: Readonly<Record<string, string>>): readonly string[];
  /** The probes of the configuration, by name. */
  readonly probes: ReadonlyMap<string, ConfiguredProbe>;
  /** Baselines for the recovery validation. */
  readonly baselines: readonly BaselineCheck[];
  /** Names of the partitions. */
  readonly groups: readonly string[];
}

/** Works out the plan of a checked configuration. */
export function planOf(configuration: Configuration): Plan {
  const all = [...builtInOf(configuration), ...configuration.rules.map(compileRule)];
  const lookback = new Map<string, number>();
  for (const { metric, windowMs } of all.flatMap(selectorsOf)) {
    lookback.set(metric, Math.max(lookback.get(metric) ?? 0, windowMs));
  }
  // For dashboards, the newest value is enough.
  for (const metric of exportsOf(configuration) ?? []) lookback.set(metric, lookback.get(metric) ?? 0);
  const groups = [...new Set(configuration.probes.map(({ group }) => group))];
  const homesOf = new Map(all.map((rule) => [rule, groups.filter((group) => yieldsAll(configuration, group, rule))]));
  const homes = (rule: CompiledRule): readonly string[] => homesOf.get(rule) ?? [];
  // Rules over several probes can only be judged where all of them are known.
  const isCross = (rule: CompiledRule): boolean => {
    const able = configuration.probes.filter((probe) => yieldsAny(probe, rule));
    const isSpread = new Set(able.map(({ group }) => group)).size > 1;
    // If the configuration does not declare what probes yield, any of the partitions may have it.
    const isTogether = rule.vantages !== "any" || rule.condition.aggregates || rule.clear?.aggregates === true;
    if (isTogether || able.some(({ yields }) => yields === undefined)) return isSpread;
    return rule.metrics.length > 1 && homes(rule).length === 0;
  };
  const local = all.filter((rule) => !isCross(rule));
  return {
    configuration,
    graph: new ComponentGraph(configuration.components),
    roles: rolesOf(configuration.components),
    rules: local,
    rulesOf: new Map(groups.map((group) => [group, local.filter((rule) => homes(rule).includes(group))])),
    crossRules: all.filter(isCross),
    lookback,
    rulesByName: new Map(all.map((rule) => [rule.name, rule])),
    rulesByCriterion: new Map(
      [...Map.groupBy(all, ({ criterion }) => criterion)].flatMap(([criterion, [rule, ...others]]) =>
        rule === undefined || others.length > 0 ? [] : [[criterion, rule] as const],
      ),
    ),
    intervals: new Map(configuration.probes.map(({ name, schedule }) => [name, longestGap(schedule)])),
    paces: new Map(configuration.probes.map(({ name, schedule }) => [name, shortestGap(schedule)])),
    yielding: yieldingIn(configuration),
    probes: new Map(configuration.probes.map((probe) => [probe.name, probe])),
    baselines: configuration.baselines.map(({ metric, expectation }) => compileBaseline(metric, expectation)),
    groups,
  };
}

function builtInOf(configuration: Configuration): CompiledRule[] {
  return configuration.probes.flatMap((probe) => builtInRules(probe, targetOf(configuration, probe.component)));
}

/** Returns the largest interval between runs of a probe, in milliseconds; a minute for an unknown probe. */
export function intervalOf(plan: Plan, probe: string | undefined): number {
  return (probe === undefined ? undefined : plan.intervals.get(probe)) ?? 60_000;
}

/** Returns the smallest interval between runs of a probe, in milliseconds; a minute for an unknown probe. */
export function paceOf(plan: Plan, probe: string | undefined): number {
  return (probe === undefined ? undefined : plan.paces.get(probe)) ?? 60_000;
}

/** After how long without a measurement a probe counts as missing, in milliseconds: two runs missed, and time to deliver. */
export function staleAfter(plan: Plan, probe: string | undefined): number {
  const interval = intervalOf(plan, probe);
  return interval + Math.max(1.5 * paceOf(plan, probe), 30_000);
}

/** The title of a component. */
export function titleOf(plan: Plan, component: string): string {
  return component === "unknown" ? "unknown" : plan.graph.component(component).title;
}

/** The impact sentences of these components, most downstream first: what users feel stands before what makes them feel it. */
export function impactsOf({ graph }: Plan, components: readonly string[]): string[] {
  const depth = ({ name }: Component): number => graph.causesOf(name).length;
  return components
    .map((name) => graph.component(name))
    .sort((a, b) => depth(b) - depth(a))
    .flatMap(({ impact }) => (impact === undefined ? [] : [impact]));
}

/** Returns whether the probes of a group can yield every metric in the condition of a rule. */
function yieldsAll({ probes }: Configuration, group: string, rule: CompiledRule): boolean {
  const here = probes.filter((probe) => probe.group === group);
  return selectorsOf(rule).every((selector) => here.some((probe) => canYield(probe, selector)));
}

function selectorsOf({ condition, clear }: CompiledRule): readonly Selector[] {
  return [...condition.selectors, ...(clear?.selectors ?? [])];
}

function yieldsAny(probe: ConfiguredProbe, rule: CompiledRule): boolean {
  return selectorsOf(rule).some((selector) => canYield(probe, selector));
}

/** Worked out once for each selection: it is asked for with every report. */
function yieldingIn({ probes }: Configuration): Plan["yielding"] {
  const known = new Map<string, readonly string[]>();
  return (metric, matchers) => {
    const key = JSON.stringify([metric, matchers]);
    const found =
      known.get(key) ?? probes.filter((probe) => canYield(probe, { metric, matchers })).map(({ name }) => name);
    known.set(key, found);
    return found;
  };
}
