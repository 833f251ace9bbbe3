/**
 * One partition: folds a report, or a tick, into its state and says what changed. Pure: the time is that of the measurements, and the
 * same reports in any order, repeated at will, end in the same state as long as they are not later than the horizon.
 */

import { horizonFor } from "../../../shared/config/schedule.ts";
import { isConclusive, type ProbeResult, type Report } from "../../../shared/messages/report.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { faultsOf, indicatorsOf, sameIndicators } from "../cause/knowledge/indicators.ts";
import type { SeriesSource } from "../condition/index.ts";
import { intervalOf, type Plan, paceOf, staleAfter } from "../plan.ts";
import { type Absence, absenceOf } from "../rules/absence.ts";
import { bad, good } from "../rules/alert.ts";
import { type AlertsByKey, applied, type Change, keyOf, Verdicts, yieldingTo } from "../rules/alerts.ts";
import { intermittentName } from "../rules/built-in.ts";
import { burnLookback, withRun } from "../rules/burn.ts";
import { type CompiledRule, type Finding, findings, verdictOf } from "../rules/rule.ts";
import { isNewFailure, withFailure } from "./failure-ledger.ts";
import { longestRun, reportInstant } from "./publication.ts";
import { type SeriesByKey, seriesKey, sourceOf, withoutOld, withSamples } from "./samples.ts";
import type { AlertState, PartitionState, ProbeFact } from "./state.ts";

/** The next state of a partition, and what changed with it. */
export interface Evaluated {
  readonly state: PartitionState;
  readonly changes: readonly Change[];
  /** Why the report was not judged: it is known already, it came too late, or the prober itself failed. */
  readonly ignored?: "repeated" | "late" | "prober unhealthy";
}

/** Folds a report of a schedule into its partition. */
export function evaluateReport(state: PartitionState, report: Report, plan: Plan): Evaluated {
  const at = reportInstant(report);
  if (isKnown(state.reports, report.report)) return { state, changes: [], ignored: "repeated" };
  if (at < horizonOf(state, plan)) return { state, changes: [], ignored: "late" };

  const watermark = Math.max(state.watermark, at);
  const horizon = horizonOf({ ...state, watermark }, plan);
  const reports = withId(state.reports, report.report, at, horizon);
  // A failure of the prober itself says nothing about the targets: the report counts as no measurement.
  if (report.prober_unhealthy !== undefined) {
    const blindAt = Math.max(state.blindAt ?? at, at);
    return { state: { ...state, reports, watermark, blindAt }, changes: [], ignored: "prober unhealthy" };
  }

  const conclusive = report.results.filter(isConclusive);
  const series = withSamples(state.series, { ...report, results: conclusive }, plan, horizon);
  const runs = withRuns(state.runs ?? {}, conclusive, plan, watermark - horizon);
  const probes = { ...state.probes };
  const changes: Change[] = [];
  for (const result of report.results) {
    const before = ownEntry(probes, result.probe);
    const fact = withResult(before, result, report.vantage, plan, (instant) => runAfter(series, result.probe, instant));
    setEntry(probes, result.probe, fact);
    if (isNews(before, fact)) changes.push({ what: "probe", at: fact.at, fact });
  }

  // A report that came late changes what later instants looked like, so they are judged again.
  const instants = new Set(reports.map(([, instant]) => instant).filter((instant) => instant >= at));
  const touched = new Set(conclusive.flatMap(({ measurements }) => measurements.map(({ metric }) => metric)));
  touched.add("probe_success").add("probe_duration");
  const rules = rulesIn(report.group, plan).filter((rule) => rule.metrics.some((metric) => touched.has(metric)));
  const source = sourceOf([{ series, probes, runs }], plan);
  const verdicts = judge(rules, source, [...instants], { alerts: state.alerts, probes }, plan);
  const alerts = applied(state.alerts, verdicts, { partition: report.group, plan, source, watermark, changes });
  changes.push(...factsOfCounting(changes, probes));
  const kept = withoutOld(series, watermark, horizon, plan);
  return { state: { ...state, reports, watermark, series: kept, probes, alerts, runs }, changes };
}

/** The probes whose failed runs an alert counts, with how they failed: the incident begins with the first of these runs. */
function factsOfCounting(changes: readonly Change[], probes: PartitionState["probes"]): readonly Change[] {
  const reported = new Set(changes.flatMap((change) => (change.what === "probe" ? [change.fact.probe] : [])));
  return changes.flatMap((change): readonly Change[] => {
    if (change.what === "probe" || change.alert?.failedAt === undefined) return [];
    const fact = ownEntry(probes, change.alert.labels["probe"] ?? "");
    return fact === undefined || reported.has(fact.probe) ? [] : [{ what: "probe", at: fact.at, fact }];
  });
}

/** The ids of the reports of a state, made when one is asked for. */
const knownIds = new WeakMap<PartitionState["reports"], Set<string>>();

function isKnown(reports: PartitionState["reports"], id: string): boolean {
  let ids = knownIds.get(reports);
  if (ids === undefined) {
    ids = new Set(reports.map(([known]) => known));
    knownIds.set(reports, ids);
  }
  return ids.has(id);
}

/** The reports with one more, ascending in time, without those before the horizon. */
function withId(
  reports: PartitionState["reports"],
  id: string,
  at: number,
  horizon: number,
): PartitionState["reports"] {
  let place = reports.length;
  while (place > 0 && (reports[place - 1]?.[1] ?? 0) > at) place -= 1;
  let old = 0;
  while (old < reports.length && (reports[old]?.[1] ?? horizon) < horizon) old += 1;
  const next = reports.slice(old);
  next.splice(Math.max(0, place - old), 0, [id, at]);
  return next;
}

/** The counts of runs with those of a report, of the probes of the configuration that have built-in rules. */
function withRuns(
  known: NonNullable<PartitionState["runs"]>,
  results: readonly ProbeResult[],
  plan: Plan,
  lateMs: number,
): NonNullable<PartitionState["runs"]> {
  const next = Object.fromEntries(Object.entries(known).filter(([probe]) => plan.probes.has(probe)));
  for (const { probe, at, success } of results) {
    if (!plan.rulesByName.has(intermittentName(probe))) continue;
    const known = ownEntry(next, probe);
    setEntry(next, probe, withRun(known, Date.parse(at), !success, paceOf(plan, probe), lateMs + longestRun));
  }
  return next;
}

/** Looks at what only the passing of time changes: probes that fell silent, absent measurements, windows that moved on, edited rules. */
export function evaluateTick(state: PartitionState, group: string, plan: Plan, now: number): Evaluated {
  if (state.reports.length === 0 || now <= state.watermark) return { state, changes: [] };
  // While the prober says of itself that it sees nothing, that nothing is seen of a target means nothing.
  if (isBlind(state, plan, now)) return { state, changes: [] };
  const probes = { ...state.probes };
  const changes: Change[] = [];
  for (const fact of Object.values(state.probes)) {
    if (fact.status === "unknown" || now - fact.at <= staleAfter(plan, fact.probe)) continue;
    const silent: ProbeFact = { ...fact, status: "unknown", since: fact.at, otherAt: fact.at };
    setEntry(probes, fact.probe, silent);
    changes.push({ what: "probe", at: now, fact: silent });
  }
  const alerting = new Set(Array.from(state.alerts.values(), ({ rule }) => rule));
  const timed = rulesIn(group, plan).filter((rule) => rule.timed || alerting.has(rule.name));
  const source = sourceOf([state], plan);
  const verdicts = judgeNow(timed, source, now, { alerts: state.alerts, probes }, plan);
  const alerts = applied(state.alerts, verdicts, { partition: group, plan, source, watermark: now, changes });
  const changed = changes.length > 0 || alerts !== state.alerts;
  return { state: changed ? { ...state, watermark: now, probes, alerts } : state, changes };
}

/** Returns whether the newest report judged nobody, so that another may still arrive. */
function isBlind({ reports, blindAt, probes }: PartitionState, plan: Plan, now: number): boolean {
  if (blindAt === undefined || blindAt < (reports.at(-1)?.[1] ?? 0)) return false;
  const patience = Math.max(...Object.keys(probes).map((probe) => staleAfter(plan, probe)), 0);
  return now - blindAt <= patience;
}

/** Rules that span several partitions: metrics of a prober that reports a failure of its own do not count as missing. */
export function judgeable(
  rules: readonly CompiledRule[],
  states: ReadonlyMap<string, PartitionState>,
  plan: Plan,
  now: number,
): readonly CompiledRule[] {
  const unseen = new Set(
    [...states.values()]
      .filter((state) => isBlind(state, plan, now))
      .flatMap(({ series }) => Array.from(series.values(), ({ metric }) => metric)),
  );
  return rules.filter(({ metrics }) => !metrics.some((metric) => unseen.has(metric)));
}

/** The rules of a partition; all of them for one that the configuration does not know. */
function rulesIn(group: string, plan: Plan): readonly CompiledRule[] {
  return plan.rulesOf.get(group) ?? plan.rules;
}

/** State other than the series. */
export interface Known {
  readonly alerts: AlertsByKey;
  readonly probes: PartitionState["probes"];
}

/** Judges rules at `now` where no report does: over series of any number of partitions. */
export function judgeNow(
  rules: readonly CompiledRule[],
  source: SeriesSource,
  now: number,
  known: Known,
  plan: Plan,
): Verdicts {
  const verdicts = new Verdicts();
  const alertsOf = Map.groupBy(known.alerts, ([, { rule }]) => rule);
  for (const rule of rules) {
    const isCross = plan.crossRules.includes(rule);
    const found = findings(rule, source, now);
    for (const finding of [...found, ...goneOf(rule, found, alertsOf.get(rule.name) ?? [])]) {
      const newest = newestOf(finding, now);
      const silent = newest === undefined || now - newest > 1.6 * intervalOf(plan, finding.labels["probe"]);
      // While reports arrive, they do the judging.
      if (!silent && !isCross && rule.condition.selectors.length > 0) continue;
      // A value that nothing but its age changes says nothing new: a failed run does not go on because the next one is late.
      if (!isCross && !rule.timed && finding.truth !== undefined) continue;
      const absence = noteAbsence(finding, rule, now, known, plan, verdicts);
      const verdict = verdictOf(finding, rule, absence);
      // Nothing can be missing of what never was, or was not looked at yet.
      if (finding.truth === undefined && verdict === bad && (newest === undefined || !isWatched(rule, source)))
        continue;
      if (verdict !== undefined) verdicts.add(rule, finding, now, verdict);
    }
  }
  return verdicts;
}

/** Alerts whose series are not even remembered any more, as findings of which nothing is known. */
function goneOf(
  { name, condition }: CompiledRule,
  found: readonly Finding[],
  alerts: readonly (readonly [key: string, alert: AlertState])[],
): readonly Finding[] {
  // Conditions about absence have a result even without series.
  if (alerts.length === 0 || /\babsent\s*\(/.test(condition.text)) return [];
  const keys = new Set(found.map((finding) => keyOf(name, finding)));
  return alerts
    .filter(([key, { status }]) => status !== "inactive" && !keys.has(key))
    .map(([, { labels, seen }]) => ({ labels, truth: undefined, seen, series: [] }));
}

/** Takes note of why a finding has nothing to judge. */
function noteAbsence(
  finding: Finding,
  rule: CompiledRule,
  at: number,
  { probes }: Known,
  plan: Plan,
  verdicts: Verdicts,
): Absence | undefined {
  if (finding.truth !== undefined) return undefined;
  const { probe } = finding.labels;
  const names = probe === undefined ? yieldingTo(rule, plan) : [probe];
  const sources = names.flatMap((name): Pick<ProbeFact, "status">[] => {
    const fact = ownEntry(probes, name);
    if (fact === undefined) return [];
    return [at - fact.at > staleAfter(plan, name) ? { status: "unknown" } : fact];
  });
  const absence = absenceOf(rule.condition, finding.series, sources, at);
  const since = newestOf(finding, at);
  verdicts.absences.set(keyOf(rule.name, finding), { what: absence, ...(since === undefined ? {} : { since }) });
  return absence;
}

/** Returns whether every input of a rule was measured by a probe that was run. */
function isWatched({ condition }: CompiledRule, { watchedSince }: SeriesSource): boolean {
  return condition.selectors.every(
    ({ metric, matchers }) => watchedSince?.(metric, matchers) !== Number.POSITIVE_INFINITY,
  );
}

function judge(
  rules: readonly CompiledRule[],
  source: SeriesSource,
  instants: readonly number[],
  known: Known,
  plan: Plan,
): Verdicts {
  const verdicts = new Verdicts();
  const { alerts } = known;
  const alerting = new Set([...alerts.values()].map(({ rule }) => rule));
  for (const rule of rules) {
    // A series that is good now and was good before needs no memory. Where several instants are judged, one of them may differ.
    const onlyBad = instants.length === 1 && !alerting.has(rule.name);
    for (const instant of instants) {
      for (const finding of findings(rule, source, instant, onlyBad)) {
        if (onlyBad && finding.truth !== true && !rule.timed) continue;
        const newest = newestOf(finding, instant);
        // Judged once per measurement of its own, not once per report of its neighbours.
        if (newest === undefined || instant - newest > intervalOf(plan, finding.labels["probe"]) / 2) continue;
        const absence = noteAbsence(finding, rule, instant, known, plan, verdicts);
        const verdict = verdictOf(finding, rule, absence);
        if (verdict === undefined || (onlyBad && verdict !== bad)) continue;
        if (finding.truth === undefined && verdict === bad && !isWatched(rule, source)) continue;
        if (verdict === good && instants.length === 1 && !alerts.has(keyOf(rule.name, finding))) continue;
        verdicts.add(rule, finding, newest, verdict);
      }
    }
  }
  return verdicts;
}

/** The newest instant at or before `at` of the series of a finding. */
function newestOf({ series }: Finding, at: number): number | undefined {
  let newest: number | undefined;
  for (const { times } of series) {
    let last = times.length - 1;
    while (last >= 0 && (times[last] ?? at) > at) last -= 1;
    const time = times[last];
    if (time !== undefined && (newest === undefined || time > newest)) newest = time;
  }
  return newest;
}

/**
 * Returns the facts of a probe after one more result.
 * @param nextRun the first run known after an instant, where runs are known: a result that comes late may be another than those around it
 */
export function withResult(
  known: ProbeFact | undefined,
  result: ProbeResult,
  vantage: Report["vantage"],
  plan: Plan,
  nextRun: (instant: number) => number | undefined = () => undefined,
): ProbeFact {
  const at = Date.parse(result.at);
  const status = !isConclusive(result) ? "unknown" : result.success ? "good" : "bad";
  const { probe, component } = result;
  const timeoutMs = plan.probes.get(probe)?.timeoutMs ?? Number.POSITIVE_INFINITY;
  // Of a fact that an older version wrote it is not known, and stays so.
  const first = known === undefined ? { firstAt: at } : firstOf(known, at);
  const ledger = ledgerWith(known, result, at, plan);
  const seen = {
    ...first,
    ...(result.pending === undefined ? {} : { pending: result.pending }),
    ...(result.failure === undefined ? {} : { failure: result.failure }),
    ...ledger,
    ...indicatorsIn(indicatorsOf(result, known?.indicators ?? {}, plan.baselines, timeoutMs)),
    ...faultsIn(result, known),
  };
  if (known === undefined) return { probe, component, vantage, status, since: at, at, ...seen };
  if (at < known.at) {
    // It came late: it can only move the beginning of the present status, or the end of the one before.
    const earlier = { ...known, ...first, ...ledger };
    if (status !== known.status) {
      const since = at < known.since ? known.since : (nextRun(at) ?? known.at);
      return { ...earlier, since, otherAt: Math.max(known.otherAt ?? 0, at) };
    }
    return at < known.since && at > (known.otherAt ?? 0) ? { ...earlier, since: at } : earlier;
  }
  if (status === known.status) {
    return { probe, component, vantage, status, since: known.since, at, ...other(known), ...seen };
  }
  return { probe, component, vantage, status, since: at, at, otherAt: known.at, ...seen };
}

/** The first run of a probe after an instant, of those whose result is kept. */
function runAfter(series: SeriesByKey, probe: string, instant: number): number | undefined {
  const { times = [] } = series.get(seriesKey({ metric: "probe_success", labels: { probe } })) ?? {};
  return times.find((time) => time > instant);
}

function firstOf({ firstAt }: ProbeFact, at: number): Pick<ProbeFact, "firstAt"> {
  return firstAt === undefined ? {} : { firstAt: Math.min(firstAt, at) };
}

/** Returns whether the incidents must process the change: the probe has another status, fails in a new way, or shows another indicator. */
function isNews(before: ProbeFact | undefined, after: ProbeFact): boolean {
  if (before?.status !== after.status) return true;
  // It began earlier than was known, or later: a run between the failed ones succeeded.
  if (after.status === "bad" && after.since !== before.since) return true;
  // A failure that comes late is counted where it belongs.
  if (after.status !== "bad" && before.failures !== after.failures) return true;
  return isNewFailure(before.failures, after.failures) || !sameIndicators(before, after);
}

/** The ledger with this run in it, where it failed. What could not run says nothing of the target. */
function ledgerWith(
  known: ProbeFact | undefined,
  result: ProbeResult,
  at: number,
  plan: Plan,
): Pick<ProbeFact, "failures"> {
  const before = known?.failures;
  const { failure, probe, success } = result;
  if (success || failure === undefined || !isConclusive(result))
    return before === undefined ? {} : { failures: before };
  const lookback = burnLookback(paceOf(plan, probe));
  return { failures: withFailure(before, failure, at, staleAfter(plan, probe), lookback) };
}

/** A run without findings could not look: what was found before stands. */
function faultsIn(result: ProbeResult, known: ProbeFact | undefined): Pick<ProbeFact, "faults"> {
  if (result.findings !== undefined) return { faults: faultsOf(result, known && (known.faults ?? [])) };
  return known?.faults === undefined ? {} : { faults: known.faults };
}

function indicatorsIn(indicators: NonNullable<ProbeFact["indicators"]>): Pick<ProbeFact, "indicators"> {
  return Object.keys(indicators).length === 0 ? {} : { indicators };
}

function other({ otherAt }: ProbeFact): { otherAt?: number } {
  return otherAt === undefined ? {} : { otherAt };
}

/** The instant before which nothing is judged any more. */
export function horizonOf(state: PartitionState, plan: Plan): number {
  let longest = 0;
  for (const probe in state.probes) longest = Math.max(longest, paceOf(plan, probe));
  return state.watermark - horizonFor(longest);
}
