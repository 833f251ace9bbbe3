/** What the evaluator knows from the configuration alone, worked out once per instance. */
import type { Component, Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import { longestGap } from "../../shared/config/schedule.ts";
import type { Severity } from "../../shared/messages/incident-event.ts";
import { metricNamed } from "../../shared/metrics.ts";
import {
  type BaselineCheck,
  type Condition,
  compileBaseline,
  compileCondition,
  type Selector,
} from "./condition/index.ts";
import { ComponentGraph } from "./graph.ts";

/** A rule, ready to be evaluated. */
export interface CompiledRule {
  readonly name: string;
  readonly component?: string;
  readonly severity: Severity;
  readonly missing: "keep" | "fire" | "clear";
  readonly alertDurationMs: number;
  readonly clearDurationMs: number;
  readonly condition: Condition;
  /** Metrics that the condition looks at. */
  readonly metrics: readonly string[];
  /** Whether the passing of time alone can change the outcome. */
  readonly timed: boolean;
}

/** Rules and graph of one configuration. */
export interface Plan {
  readonly configuration: Configuration;
  readonly graph: ComponentGraph;
  /** Rules whose metrics come from one partition, all of them. */
  readonly rules: readonly CompiledRule[];
  /** The same by partition: a rule is evaluated where its metrics come from, for elsewhere they are always absent. */
  readonly rulesOf: ReadonlyMap<string, readonly CompiledRule[]>;
  /** Rules that join metrics of several partitions; they are evaluated over all of them, with each tick. */
  readonly crossRules: readonly CompiledRule[];
  /** How far back each metric is looked at by some rule, in milliseconds; metrics not named here are not kept. */
  readonly lookback: ReadonlyMap<string, number>;
  /** Every rule, by name. */
  readonly rulesByName: ReadonlyMap<string, CompiledRule>;
  /** How far apart the runs of each probe are, in milliseconds: asked for with every series, and slow to work out from a cron expression. */
  readonly intervals: ReadonlyMap<string, number>;
  /** The probes of the configuration, by name. */
  readonly probes: ReadonlyMap<string, ConfiguredProbe>;
  /** What is normal, by which a recovery is judged. */
  readonly baselines: readonly BaselineCheck[];
  /** Names of the partitions. */
  readonly groups: readonly string[];
}

/** Works out the plan of a checked configuration. */
export function planOf(configuration: Configuration): Plan {
  const all = [...configuration.probes.flatMap(builtInRule), ...configuration.rules.map(compileRule)];
  const lookback = new Map<string, number>();
  for (const { condition } of all) {
    for (const { metric, windowMs } of condition.selectors) {
      lookback.set(metric, Math.max(lookback.get(metric) ?? 0, windowMs));
    }
  }
  const groups = [...new Set(configuration.probes.map(({ group }) => group))];
  const homes = (rule: CompiledRule): string[] => groups.filter((group) => yieldsAll(configuration, group, rule));
  const isCross = (rule: CompiledRule): boolean => rule.metrics.length > 1 && homes(rule).length === 0;
  return {
    configuration,
    graph: new ComponentGraph(configuration.components),
    rules: all.filter((rule) => !isCross(rule)),
    rulesOf: new Map(groups.map((group) => [group, all.filter((rule) => homes(rule).includes(group))])),
    crossRules: all.filter(isCross),
    lookback,
    rulesByName: new Map(all.map((rule) => [rule.name, rule])),
    intervals: new Map(configuration.probes.map(({ name, schedule }) => [name, longestGap(schedule)])),
    probes: new Map(configuration.probes.map((probe) => [probe.name, probe])),
    baselines: configuration.baselines.map(({ metric, expectation }) => compileBaseline(metric, expectation)),
    groups,
  };
}

/** How far apart the runs of a probe are, in milliseconds; a minute for one that the configuration does not know. */
export function intervalOf(plan: Plan, probe: string | undefined): number {
  return (probe === undefined ? undefined : plan.intervals.get(probe)) ?? 60_000;
}

/** After how long without a measurement a probe counts as unheard, in milliseconds: two runs missed, and time to deliver. */
export function staleAfter(plan: Plan, probe: string | undefined): number {
  const interval = intervalOf(plan, probe);
  return Math.max(2.5 * interval, interval + 30_000);
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

function builtInRule(probe: ConfiguredProbe): CompiledRule[] {
  if (probe.alert === false) return [];
  return [
    {
      name: `${probe.name} failing`,
      component: probe.component,
      severity: probe.alert.severity,
      missing: "keep",
      alertDurationMs: probe.alert.afterMs,
      clearDurationMs: probe.alert.afterMs,
      condition: compileCondition(`probe_success{probe="${probe.name}"} == 0`, { windowMs: probe.alert.afterMs }),
      metrics: ["probe_success"],
      timed: false,
    },
  ];
}

function compileRule(rule: Configuration["rules"][number]): CompiledRule {
  const condition = compileCondition(rule.condition, { windowMs: rule.alertDurationMs });
  return {
    name: rule.name,
    ...(rule.component === undefined ? {} : { component: rule.component }),
    severity: rule.severity,
    missing: rule.missing,
    alertDurationMs: rule.alertDurationMs,
    clearDurationMs: rule.clearDurationMs,
    condition,
    metrics: [...new Set(condition.selectors.map(({ metric }) => metric))],
    timed: rule.missing !== "keep" || condition.selectors.some(({ windowMs }) => windowMs > 0),
  };
}

/** Whether the probes of a group can yield everything that the condition of a rule looks at. */
function yieldsAll({ probes }: Configuration, group: string, { condition }: CompiledRule): boolean {
  const here = probes.filter((probe) => probe.group === group);
  return condition.selectors.every((selector) => here.some((probe) => yields(probe, selector)));
}

/** Whether a probe can yield what a selector selects: by its kind, or because its settings name the metric. */
function yields(probe: ConfiguredProbe, { metric, matchers }: Selector): boolean {
  const kinds = metricNamed(metric)?.probers ?? [];
  const able =
    kinds.length === 0 || kinds.includes(probe.kind) || JSON.stringify(probe.settings).includes(`"${metric}"`);
  const { name, component, vantage } = probe;
  const labels: Readonly<Record<string, string>> = { probe: name, component, vantage };
  return able && Object.entries(matchers).every(([label, wanted]) => (labels[label] ?? wanted) === wanted);
}
