/** What the evaluator knows from the configuration alone, worked out once per instance. */
import type { Component, Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import { longestGap } from "../../shared/config/schedule.ts";
import type { Severity } from "../../shared/messages/incident-event.ts";
import { metricNamed } from "../../shared/metrics.ts";
import { type BaselineCheck, type Condition, compileBaseline, compileCondition } from "./condition/index.ts";
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
  /** Rules whose metrics come from one partition; they are evaluated there, with each report. */
  readonly rules: readonly CompiledRule[];
  /** Rules that join metrics of several partitions; they are evaluated over all of them, with each tick. */
  readonly crossRules: readonly CompiledRule[];
  /** How far back each metric is looked at by some rule, in milliseconds; metrics not named here are not kept. */
  readonly lookback: ReadonlyMap<string, number>;
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
  const isCross = (rule: CompiledRule): boolean =>
    rule.metrics.length > 1 &&
    !groups.some((group) => rule.metrics.every((metric) => yields(configuration, group, metric)));
  return {
    configuration,
    graph: new ComponentGraph(configuration.components),
    rules: all.filter((rule) => !isCross(rule)),
    crossRules: all.filter(isCross),
    lookback,
    probes: new Map(configuration.probes.map((probe) => [probe.name, probe])),
    baselines: configuration.baselines.map(({ metric, expectation }) => compileBaseline(metric, expectation)),
    groups,
  };
}

/** How far apart the runs of a probe are, in milliseconds; a minute for one that the configuration does not know. */
export function intervalOf(plan: Plan, probe: string | undefined): number {
  const schedule = probe === undefined ? undefined : plan.probes.get(probe)?.schedule;
  return schedule === undefined ? 60_000 : longestGap(schedule);
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

/** Whether a probe of the group can yield the metric; a kind that the catalogue does not tie to the metric cannot. */
function yields(configuration: Configuration, group: string, metric: string): boolean {
  const kinds = metricNamed(metric)?.probers ?? [];
  return configuration.probes.some(
    (probe) => probe.group === group && (kinds.length === 0 || kinds.includes(probe.kind)),
  );
}
