/**
 * One partition: folds a report, or a tick, into its state and says what changed. Pure: the time is that of the measurements, and the
 * same reports in any order, repeated at will, end in the same state as long as they are not later than the horizon.
 */
import type { ProbeResult, Report } from "../../shared/messages/report.ts";
import {
  type AlertHistory,
  type AlertTiming,
  compacted,
  isQuiet,
  type Judgement,
  phaseOf,
  quiet,
  withJudgements,
} from "./alert.ts";
import type { Instance, Series, SeriesSource } from "./condition/index.ts";
import { type CompiledRule, intervalOf, type Plan, staleAfter } from "./plan.ts";
import type { AlertState, KnownAlert, PartitionState, ProbeFact, SeriesState } from "./state.ts";

/** Something that a report or a tick changed. */
export type Change =
  | { readonly what: "alert"; readonly at: number; readonly key: string; readonly alert: KnownAlert | undefined }
  | { readonly what: "probe"; readonly at: number; readonly fact: ProbeFact };

/** The next state of a partition, and what changed with it. */
export interface Evaluated {
  readonly state: PartitionState;
  readonly changes: readonly Change[];
  /** Why the report was not judged: it is known already, it came too late, or the prober itself was in trouble. */
  readonly ignored?: "repeated" | "late" | "prober unhealthy";
}

/** The least and the most that something may be late and still be judged, in milliseconds. */
const leastHorizon = 120_000;
const mostHorizon = 900_000;

/** Folds a report of a schedule into its partition. */
export function evaluateReport(state: PartitionState, report: Report, plan: Plan): Evaluated {
  const at = reportInstant(report);
  if (state.reports.some(([id]) => id === report.report)) return { state, changes: [], ignored: "repeated" };
  if (at < horizonOf(state, plan)) return { state, changes: [], ignored: "late" };

  const reports = [...state.reports, [report.report, at] as const].sort(([, a], [, b]) => a - b);
  const watermark = Math.max(state.watermark, at);
  const heard: PartitionState = { ...state, reports, watermark };
  // The prober's own trouble says nothing about the targets: as if nothing had been measured.
  if (report.prober_unhealthy !== undefined) {
    const blind = { ...heard, blindAt: Math.max(state.blindAt ?? at, at) };
    return { state: forgetOld(blind, plan), changes: [], ignored: "prober unhealthy" };
  }

  const series = withSamples(state.series, report, plan);
  const probes = { ...state.probes };
  const changes: Change[] = [];
  for (const result of report.results) {
    const before = probes[result.probe];
    const fact = withResult(before, result, report.vantage);
    probes[result.probe] = fact;
    if (before?.status !== fact.status) changes.push({ what: "probe", at: fact.since, fact });
  }

  // A report that came late changes what later instants looked like, so they are judged again.
  const instants = reports.map(([, instant]) => instant).filter((instant) => instant >= at);
  const touched = new Set(report.results.flatMap(({ measurements }) => measurements.map(({ metric }) => metric)));
  touched.add("probe_success").add("probe_duration");
  const rules = rulesIn(report.group, plan).filter((rule) => rule.metrics.some((metric) => touched.has(metric)));
  const judged = judge(rules, sourceOf(series, plan), [...new Set(instants)], plan);
  const alerts = applied(state.alerts, judged, watermark, plan, changes);
  return { state: forgetOld({ ...heard, series, probes, alerts }, plan), changes };
}

/** Looks at what only the passing of time changes: probes that fell silent, absent measurements, windows that moved on. */
export function evaluateTick(state: PartitionState, group: string, plan: Plan, now: number): Evaluated {
  if (state.reports.length === 0 || now <= state.watermark) return { state, changes: [] };
  // While the prober says of itself that it sees nothing, that nothing is seen of a target means nothing.
  if (isBlind(state, plan, now)) return { state, changes: [] };
  const probes = { ...state.probes };
  const changes: Change[] = [];
  for (const fact of Object.values(state.probes)) {
    if (fact.status === "unknown" || now - fact.at <= staleAfter(plan, fact.probe)) continue;
    const silent: ProbeFact = { ...fact, status: "unknown", since: fact.at, otherAt: fact.at };
    probes[fact.probe] = silent;
    changes.push({ what: "probe", at: now, fact: silent });
  }
  const timed = rulesIn(group, plan).filter(({ timed }) => timed);
  const judged = judgeNow(timed, sourceOf(state.series, plan), now, plan);
  const alerts = applied(state.alerts, judged, now, plan, changes);
  const changed = changes.length > 0 || alerts !== state.alerts;
  return { state: changed ? { ...state, watermark: now, probes, alerts } : state, changes };
}

/** Whether the newest report was one that judged nobody, and another may still come. */
function isBlind({ reports, blindAt, probes }: PartitionState, plan: Plan, now: number): boolean {
  if (blindAt === undefined || blindAt < (reports.at(-1)?.[1] ?? 0)) return false;
  const patience = Math.max(...Object.keys(probes).map((probe) => staleAfter(plan, probe)), 0);
  return now - blindAt <= patience;
}

/** The rules of a partition; all of them for one that the configuration does not know. */
function rulesIn(group: string, plan: Plan): readonly CompiledRule[] {
  return plan.rulesOf.get(group) ?? plan.rules;
}

/** Judges rules at `now` where no report does: over series of any number of partitions. */
export function judgeNow(rules: readonly CompiledRule[], source: SeriesSource, now: number, plan: Plan): Judged[] {
  return rules.flatMap((rule) =>
    rule.condition.evaluate(source, now).flatMap((instance) => {
      const newest = newestOf(instance, now);
      const silent = newest === undefined || now - newest > 1.6 * intervalOf(plan, instance.labels["probe"]);
      // While reports arrive, they do the judging.
      if (!silent && rule.condition.selectors.length > 0 && !plan.crossRules.includes(rule)) return [];
      const bad =
        instance.truth ?? (rule.missing === "keep" ? undefined : rule.missing === "fire" && newest !== undefined);
      return bad === undefined ? [] : [{ rule, instance, judgement: [now, bad ? 1 : 0] as const }];
    }),
  );
}

/** One instance of one rule at one instant. */
export interface Judged {
  readonly rule: CompiledRule;
  readonly instance: Instance;
  readonly judgement: Judgement;
}

/** Folds judgements into alerts, compacts them, and appends what changed to `changes`. The same object when nothing did. */
export function applied(
  alerts: Readonly<Record<string, AlertState>>,
  judged: readonly Judged[],
  watermark: number,
  plan: Plan,
  changes: Change[],
): Readonly<Record<string, AlertState>> {
  const next: Record<string, AlertState> = { ...alerts };
  let changed = false;
  for (const [key, group] of byKey(judged)) {
    const [{ rule, instance }] = group;
    const known = next[key];
    const lastBad = group.findLast(({ judgement: [, bad] }) => bad === 1);
    const history = withJudgements(
      known?.history ?? quiet,
      group.map(({ judgement }) => judgement),
    );
    next[key] = {
      rule: rule.name,
      labels: instance.labels,
      component: known?.component ?? componentOf(rule, instance),
      history,
      status: known?.status ?? "inactive",
      seen: lastBad?.instance.seen ?? known?.seen ?? "",
    };
    changed = true;
  }
  for (const [key, alert] of Object.entries(next)) {
    const rule = plan.rulesByName.get(alert.rule);
    // A rule that is no longer configured cannot be judged any more: its alert ends.
    const timing = rule && timingOf(rule, alert.labels, plan);
    const phase = timing ? phaseOf(alert.history, timing, watermark) : ({ status: "inactive" } as const);
    if (phase.status !== alert.status) {
      changed = true;
      changes.push({ what: "alert", at: phase.lastAt ?? watermark, key, alert: knownAlert(key, alert, rule, phase) });
    }
    if (!timing) {
      delete next[key];
      continue;
    }
    const history: AlertHistory = compacted(
      alert.history,
      timing,
      watermark - horizonFor(timing.intervalMs),
      watermark,
    );
    if (isQuiet(history) && phase.status === "inactive") delete next[key];
    else next[key] = { ...alert, history, status: phase.status };
  }
  return changed ? next : alerts;
}

/** The series of partitions, in the form that conditions read. */
export function sourceOf(series: Readonly<Record<string, SeriesState>>, plan: Plan): SeriesSource {
  const byMetric = new Map<string, Series[]>();
  for (const { metric, labels, samples } of Object.values(series)) {
    const points: { at: number; value: number }[] = [];
    for (let i = 0; i + 1 < samples.length; i += 2) points.push({ at: samples[i] ?? 0, value: samples[i + 1] ?? 0 });
    const list = byMetric.get(metric) ?? [];
    if (list.length === 0) byMetric.set(metric, list);
    list.push({ metric, labels, samples: points, staleAfterMs: staleAfter(plan, labels["probe"]) });
  }
  return { select: (metric) => byMetric.get(metric) ?? [] };
}

/** The instant of a report: that of its newest result. */
export function reportInstant(report: Report): number {
  return Math.max(...report.results.map(({ at }) => Date.parse(at)), Date.parse(report.started_at));
}

function judge(
  rules: readonly CompiledRule[],
  source: SeriesSource,
  instants: readonly number[],
  plan: Plan,
): Judged[] {
  return rules.flatMap((rule) =>
    instants.flatMap((instant) =>
      rule.condition.evaluate(source, instant).flatMap((instance): Judged[] => {
        if (instance.truth === undefined && rule.missing === "keep") return [];
        const newest = newestOf(instance, instant);
        // Judged once per measurement of its own, not once per report of its neighbours.
        if (newest === undefined || instant - newest > intervalOf(plan, instance.labels["probe"]) / 2) return [];
        const bad = instance.truth ?? rule.missing === "fire";
        return [{ rule, instance, judgement: [newest, bad ? 1 : 0] }];
      }),
    ),
  );
}

/** The newest instant at or before `at` of the series of an instance. */
function newestOf(instance: Instance, at: number): number | undefined {
  let newest: number | undefined;
  for (const { samples } of instance.series) {
    const last = samples.findLast((sample) => sample.at <= at);
    if (last && (newest === undefined || last.at > newest)) newest = last.at;
  }
  return newest;
}

function byKey(judged: readonly Judged[]): Map<string, [Judged, ...Judged[]]> {
  const groups = new Map<string, [Judged, ...Judged[]]>();
  for (const one of judged) {
    const key = `${one.rule.name}|${labelKey(one.instance.labels)}`;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function knownAlert(
  key: string,
  alert: AlertState,
  rule: CompiledRule | undefined,
  phase: ReturnType<typeof phaseOf>,
): KnownAlert | undefined {
  if (phase.status === "inactive" || rule === undefined) return undefined;
  return {
    key,
    rule: alert.rule,
    component: alert.component,
    labels: alert.labels,
    severity: rule.severity,
    status: phase.status,
    since: phase.since,
    ...(phase.status === "firing" ? { firedAt: phase.firedAt } : {}),
    seen: alert.seen,
  };
}

function componentOf(rule: CompiledRule, instance: Instance): string {
  return rule.component ?? instance.labels["component"] ?? instance.series[0]?.labels["component"] ?? "unknown";
}

function timingOf(rule: CompiledRule, labels: Readonly<Record<string, string>>, plan: Plan): AlertTiming {
  const { alertDurationMs, clearDurationMs } = rule;
  return { alertDurationMs, clearDurationMs, intervalMs: intervalOf(plan, labels["probe"]) };
}

function withSamples(
  known: Readonly<Record<string, SeriesState>>,
  report: Report,
  plan: Plan,
): Readonly<Record<string, SeriesState>> {
  const series = { ...known };
  for (const result of report.results) {
    const at = Date.parse(result.at);
    const own = { probe: result.probe, component: result.component, vantage: report.vantage };
    for (const { metric, value, labels } of result.measurements) {
      if (!plan.lookback.has(metric)) continue;
      const all = { ...labels, ...own };
      const key = `${metric}|${labelKey(all)}`;
      series[key] = { metric, labels: all, samples: inserted(series[key]?.samples ?? [], at, value) };
    }
  }
  return series;
}

function inserted(samples: readonly number[], at: number, value: number): number[] {
  let place = samples.length;
  while (place > 0 && (samples[place - 2] ?? 0) > at) place -= 2;
  const replaces = samples[place - 2] === at ? 2 : 0;
  return samples.toSpliced(place - replaces, replaces, at, value);
}

function withResult(known: ProbeFact | undefined, result: ProbeResult, vantage: Report["vantage"]): ProbeFact {
  const at = Date.parse(result.at);
  const status = result.success ? "good" : "bad";
  const { probe, component } = result;
  const failure = result.failure === undefined ? {} : { failure: result.failure };
  if (known === undefined) return { probe, component, vantage, status, since: at, at, ...failure };
  if (at < known.at) {
    // It came late: it can only move the beginning of the present status, or the end of the one before.
    if (status !== known.status) return { ...known, otherAt: Math.max(known.otherAt ?? 0, at) };
    return at < known.since && at > (known.otherAt ?? 0) ? { ...known, since: at } : known;
  }
  if (status === known.status) {
    return { probe, component, vantage, status, since: known.since, at, ...other(known), ...failure };
  }
  return { probe, component, vantage, status, since: at, at, otherAt: known.at, ...failure };
}

function other({ otherAt }: ProbeFact): { otherAt?: number } {
  return otherAt === undefined ? {} : { otherAt };
}

/** Drops reports and samples that nothing needs any more. */
function forgetOld(state: PartitionState, plan: Plan): PartitionState {
  const horizon = horizonOf(state, plan);
  const series: Record<string, SeriesState> = {};
  for (const [key, one] of Object.entries(state.series)) {
    const { samples } = one;
    const keepFrom = horizon - (plan.lookback.get(one.metric) ?? 0);
    const first = samples.findIndex((at, index) => index % 2 === 0 && at >= keepFrom);
    // The last sample stays: it is the present value until a newer one comes, and its age says how stale that is.
    const start = first < 0 ? samples.length - 2 : first;
    if ((samples[samples.length - 2] ?? 0) < state.watermark - 2 * mostHorizon - (plan.lookback.get(one.metric) ?? 0))
      continue;
    series[key] = start > 0 ? { ...one, samples: samples.slice(start) } : one;
  }
  return { ...state, reports: state.reports.filter(([, at]) => at >= horizon), series };
}

/** The instant before which nothing is judged any more. */
function horizonOf(state: PartitionState, plan: Plan): number {
  const intervals = Object.keys(state.probes).map((probe) => intervalOf(plan, probe));
  return state.watermark - horizonFor(Math.max(0, ...intervals));
}

function horizonFor(intervalMs: number): number {
  return Math.min(Math.max(10 * intervalMs, leastHorizon), Math.max(mostHorizon, 2 * intervalMs));
}

function labelKey(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}=${labels[name]}`)
    .join(",");
}
