/**
 * Monitors the monitor. Pure: facts about it from reports, ticks and other functions become alerts of the built-in component `pathkeeper`.
 * They judge no target.
 */
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { nextTrigger } from "../../../shared/config/schedule.ts";
import { canaryVantage } from "../../../shared/messages/canary.ts";
import type { ProbeResult, Report } from "../../../shared/messages/report.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import {
  channelOf,
  channelRule,
  drillComponent,
  drillProbe,
  monitorComponent,
  selfGroup,
  selfRules,
} from "../../../shared/monitor.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { clockTime, dateTime } from "../incident/record/instants.ts";
import type { KnownAlert } from "../incident/state.ts";
import { type GroupActivity, lateAfter } from "../partition/activity.ts";
import { intervalOf, type Plan, staleAfter } from "../plan.ts";
import type { Change } from "../rules/alerts.ts";
import { driftSeen } from "./drift.ts";
import { lastResults, missingSince } from "./missing-results.ts";
import type { GroupResults, SelfCheck, SelfState } from "./state.ts";

/** The next state of the monitor, and what changed with it. */
export interface SelfWatched {
  readonly state: SelfState;
  readonly changes: readonly Change[];
}

/** Activity of each group, by name; groups that have never reported are absent. */
export type ResultsByGroup = Readonly<Record<string, GroupResults | undefined>>;

/** Time after the last tick when the next counts as missing, in milliseconds. */
const tickGap = 300_000;
/** How long a lasting condition must be good before it is resolved, in milliseconds. */
const clearAfter = 120_000;
/** How long after its last report an event, such as a dead letter, is kept, in milliseconds. */
const eventLasts = 3_600_000;
/** Minimum interval between reported events of one kind, in milliseconds: dead letters come in bursts. */
const repeatAfter = 60_000;
/** Duration of a fire drill, in milliseconds; it ends with the following tick. */
const drillLasts = 120_000;
/** How long an ended interruption is kept after it was noticed, in milliseconds. */
const interruptionLasts = 600_000;
/** How long measurements of a group count after it has left the configuration, in milliseconds. */
const keepRetired = 2 * 86_400_000;
/** Runs in a row, and the time that they span in milliseconds, after which a failure of a prober counts as lasting. */
const unhealthyRuns = 3;
const unhealthyFor = 120_000;
/** How long reports must be late to count, in milliseconds. */
const lateFor = 120_000;
/** The most things that other functions may report at once: their names come from outside. */
const maxReported = 20;
/** The longest of those names, in characters: that of a recipient of a channel, and what stands before it. */
const longestName = 400;

/**
 * Looks at the monitor at the instant of a tick.
 * @param now when the tick is handled, which is later than its instant when something is stuck
 */
export function watchTick(state: SelfState, results: ResultsByGroup, plan: Plan, at: number, now: number): SelfWatched {
  // Delivered twice, or overtaken: a later one has looked already.
  if (at <= state.tickAt) return { state, changes: [] };
  const expected = Object.fromEntries(plan.groups.map((group) => [group, ownEntry(state.expected, group) ?? at]));
  const seen = new Map<string, Seen>();
  const interruption = interruptionOf(state, results, at, now);
  if (interruption !== undefined) seen.set(...interruption);
  const drift = driftSeen(state);
  if (drift !== undefined) seen.set(...drift);
  // Queued messages arrive in any order, so silence is measured from here on.
  const resumedAt = interruption === undefined ? state.resumedAt : Math.max(state.resumedAt, at, now);
  const retired = retiredFrom(state, plan, at);
  const missing = missingSince(state.missing, results, plan, at);
  const awaited = awaitedSince(state, plan, at);
  const looking: SelfState = { ...state, tickAt: at, resumedAt, expected, retired, missing, awaited };
  if (interruption === undefined) {
    for (const [name, one] of [
      ...silences(looking, results, plan, at),
      ...partialSilences(looking, results, plan, at),
      ...proberProblems(results, plan, at, state.tickAt),
    ])
      seen.set(name, one);
  }
  return folded(looking, seen, at);
}

/** Takes in what another function reports of the monitor: results of the group `self`. */
export function applySelfReport(state: SelfState, report: Report, now: number): SelfWatched {
  const changes: Change[] = [];
  const checks = { ...state.checks };
  const reported = { ...state.told };
  let { canaries } = state;
  for (const result of report.results) {
    const at = Date.parse(result.at);
    const vantage = canaryVantage(result.probe);
    if (vantage !== undefined) {
      if (result.success && at > (canaries?.[vantage] ?? 0)) canaries = { ...canaries, [vantage]: at };
      continue;
    }
    const name = `${reportedPrefix}${bounded(result.probe, [], longestName)}`;
    const before = ownEntry(reported, name);
    // Known already, or so old that it is left behind.
    if ((before !== undefined && at <= before) || now - at >= eventLasts) continue;
    if (before === undefined && Object.keys(reported).length >= maxReported) continue;
    setEntry(reported, name, at);
    const known = ownEntry(checks, name);
    if (result.success) {
      delete checks[name];
      if (known !== undefined) changes.push(cleared(name, at));
    } else if (known !== undefined && at - known.at < repeatAfter) {
      setEntry(checks, name, { ...known, until: at + eventLasts });
    } else {
      const check = checkOf(result, known, at);
      setEntry(checks, name, check);
      // Reported again, so that it reopens an incident that an operator has resolved.
      if (known !== undefined) changes.push(cleared(name, at));
      changes.push(raised(name, check, at));
    }
  }
  const news = Object.entries(reported).some(([name, at]) => ownEntry(state.told, name) !== at);
  const next = news ? { ...state, checks, told: reported } : state;
  return { state: canaries === undefined || canaries === state.canaries ? next : { ...next, canaries }, changes };
}

/** Looks for ticks when a report comes, since nothing else happens without them. */
export function missTicks(state: SelfState, now: number): SelfWatched {
  if (state.tickAt === 0 || now - state.tickAt <= tickGap || state.checks["ticks"] !== undefined) {
    return { state, changes: [] };
  }
  const seen = `the last tick came ${spokenDuration(now - state.tickAt)} ago, at ${clockTime(state.tickAt)}, while reports still arrive`;
  const check: SelfCheck = { rule: "Ticks are missing", severity: "warning", seen, since: state.tickAt, at: now };
  return { state: { ...state, checks: { ...state.checks, ticks: check } }, changes: [raised("ticks", check, now)] };
}

/** Returns whether the last tick is so old that `missTicks` should check. @param tickAt the newest known tick */
export function ticksAreDue(tickAt: number, now: number): boolean {
  return now - tickAt > tickGap;
}

/** Returns whether a group has been silent for longer than its schedule allows. The watchdog uses the same test. */
export function isSilent(
  group: string,
  state: SelfState,
  results: GroupActivity | undefined,
  plan: Plan,
  at: number,
): boolean {
  return isOverdue(lastSign(group, state, results), expectationOf(group, plan), at);
}

/** Returns whether enough runs were missed since an instant to rule out chance: fewer if they are further apart at that time of day. */
function isOverdue(from: number, { schedule, timeoutMs }: Expectation, at: number): boolean {
  // Nothing is triggered more often, and what comes next is slow to work out.
  if (at - from <= 60_000) return false;
  let due = nextTrigger(schedule, from);
  if (due === undefined || at < due) return false;
  const apart = (nextTrigger(schedule, due) ?? Number.POSITIVE_INFINITY) - due;
  const misses = apart <= 300_000 ? 3 : apart <= 1_800_000 ? 2 : 1;
  for (let run = 1; run < misses && due !== undefined; run++) due = nextTrigger(schedule, due);
  return due !== undefined && at >= due + timeoutMs + (misses > 1 ? 30_000 : 120_000);
}

/** One thing that is seen not to be as it should. */
type Seen = Omit<SelfCheck, "at" | "goodSince">;

/** A pause of everything, a stall of the evaluator, or ticks that did not come: over now, or it could not be said. */
function interruptionOf(
  { tickAt, checks }: SelfState,
  results: ResultsByGroup,
  at: number,
  now: number,
): [string, Seen] | undefined {
  if (isLate(at, now)) {
    const seen = `a tick of ${clockTime(at)} was handled ${spokenDuration(now - at)} later`;
    return ["ticks", { rule: "Ticks come late", severity: "warning", seen, since: at, until: now + interruptionLasts }];
  }
  if (tickAt === 0 || at - tickAt <= tickGap) return undefined;
  const from = `from ${dateTime(tickAt)} to ${dateTime(at)}`;
  const until = at + interruptionLasts;
  const meanwhile =
    checks["ticks"] !== undefined ||
    Object.values(results).some(
      (one) => one !== undefined && one.arrivedAt > tickAt + 60_000 && one.arrivedAt < at - 60_000,
    );
  return meanwhile
    ? ["ticks", { rule: "Ticks are missing", severity: "warning", seen: `none arrived ${from}`, since: tickAt, until }]
    : [
        "pause",
        { rule: "Pathkeeper did not run", severity: "warning", seen: `nothing arrived ${from}`, since: tickAt, until },
      ];
}

function* silences(state: SelfState, results: ResultsByGroup, plan: Plan, at: number): Iterable<[string, Seen]> {
  const silent = plan.groups.filter((group) => isSilent(group, state, ownEntry(results, group), plan, at));
  // With every group silent, an outage of anything would go unseen.
  const severity: Severity = silent.length === plan.groups.length ? "critical" : "warning";
  for (const group of silent) {
    const last = ownEntry(results, group);
    const since = lastSign(group, state, last);
    const how = last === undefined ? "none has ever arrived" : `the last arrived at ${clockTime(last.arrivedAt)}`;
    const seen = `for ${spokenDuration(at - since)}, ${how}`;
    yield [`reports/${group}`, { rule: `No reports of ${group}`, severity, seen, since }];
  }
}

/** Groups that report, but not on all of their probes: a part of the run does not begin, or does not come to its end. */
function* partialSilences(state: SelfState, results: ResultsByGroup, plan: Plan, at: number): Iterable<[string, Seen]> {
  for (const group of plan.groups) {
    const last = ownEntry(results, group);
    // Measured against later activity of the group, so that a group that is completely silent or blind is not reported twice.
    const healthyAt = Math.min(last?.healthyAt ?? 0, at);
    const overdue = lastResults(group, last, state.missing, plan).filter(
      ({ from }) =>
        from < healthyAt && isOverdue(Math.max(from, state.resumedAt), expectationOf(group, plan), healthyAt),
    );
    if (overdue.length === 0) continue;
    const since = Math.min(...overdue.map(({ from }) => from));
    const seen = `no results of ${named(overdue)} for ${spokenDuration(at - since)}, although ${group} reports`;
    yield [`probes/${group}`, { rule: `Results of ${group} are missing`, severity: "warning", seen, since }];
  }
}

/** The most probes that are named. */
const maxNamed = 5;

function named(probes: readonly { readonly probe: string }[]): string {
  return list(
    probes.map(({ probe }) => `\`${probe}\``),
    maxNamed,
  );
}

function* proberProblems(
  results: ResultsByGroup,
  plan: Plan,
  at: number,
  lastTickAt: number,
): Iterable<[string, Seen]> {
  for (const group of plan.groups) {
    const { unhealthy, arrivedAt = 0, delayMs = 0, ahead, late } = ownEntry(results, group) ?? {};
    if (unhealthy !== undefined && unhealthy.runs >= unhealthyRuns && at - unhealthy.since >= unhealthyFor) {
      const seen = `its control probe failed in ${unhealthy.runs} consecutive runs, so their results are ignored: ${unhealthy.why}`;
      yield [
        `prober/${group}`,
        { rule: `Prober of ${group} unhealthy`, severity: "warning", seen, since: unhealthy.since },
      ];
    }
    // One that is over is seen once, so that a single report is seen as well.
    if (ahead !== undefined && (!ahead.over || ahead.at >= lastTickAt)) {
      const seen = `its reports are dated ${spokenDuration(ahead.byMs)} ahead of their publication; they are evaluated at their publication time`;
      yield [`clock/${group}`, { rule: `Clock of ${group} ahead`, severity: "warning", seen, since: ahead.since }];
    }
    const unable = (ownEntry(results, group)?.unable ?? []).filter(
      ({ probe, since, at: last }) =>
        plan.probes.get(probe)?.group === group && at - since >= unhealthyFor && at - last <= staleAfter(plan, probe),
    );
    const [first] = unable;
    if (first !== undefined) {
      const seen = `${named(unable)}: ${first.why}`;
      const since = Math.min(...unable.map((one) => one.since));
      yield [`unable/${group}`, { rule: `Probes of ${group} cannot run`, severity: "warning", seen, since }];
    }
    const lasts = late !== undefined && isLasting(late, arrivedAt);
    if (late === undefined || (!lasts && delayMs <= lateAfter)) continue;
    if (at - arrivedAt >= tickGap + (lasts ? expectationOf(group, plan).intervalMs : 0)) continue;
    const { unpublished, unjudged, since } = late;
    const when = unpublished ? "published" : "received";
    const judged = unjudged ? ", too late to be evaluated" : "";
    const seen = `they are ${when} ${spokenDuration(late.delayMs)} after they were measured${judged}`;
    const severity: Severity =
      unjudged && plan.groups.every((one) => isUnjudged(ownEntry(results, one))) ? "critical" : "warning";
    yield [
      `${unpublished ? "clock" : "delay"}/${group}`,
      { rule: `Reports of ${group} come late`, severity, seen, since: unpublished ? since : since - late.delayMs },
    ];
  }
}

/** Returns whether reports have been late for long enough to rule out chance: the newest, and others minutes before it. */
function isLasting({ since, count }: NonNullable<GroupActivity["late"]>, arrivedAt: number): boolean {
  return count > 1 && arrivedAt - since >= lateFor;
}

/** Returns whether the newest report of a group was too late to be judged. The watchdog uses the same test. */
export function isUnjudged(results: GroupActivity | undefined): boolean {
  return results?.late?.unjudged === true;
}

/** Since when each probe that waits for reports has been in the configuration. One that leaves it begins anew when it comes back. */
function awaitedSince({ awaited, expected }: SelfState, { configuration }: Plan, at: number): Record<string, number> {
  const waiting = configuration.probes.filter(({ awaits }) => awaits !== undefined);
  // An older version knew since when groups were expected, and missed reports at once.
  const before = ({ name, group }: ConfiguredProbe): number | undefined =>
    awaited === undefined ? ownEntry(expected, group) : ownEntry(awaited, name);
  return Object.fromEntries(waiting.map((probe) => [probe.name, before(probe) ?? at]));
}

/** Groups that the configuration has not had for at most two days. */
function retiredFrom({ expected, retired }: SelfState, { groups }: Plan, at: number): Record<string, number> {
  const gone = { ...Object.fromEntries(Object.keys(expected).map((group) => [group, at])), ...retired };
  return Object.fromEntries(
    Object.entries(gone).filter(([group, since]) => !groups.includes(group) && at - since < keepRetired),
  );
}

/** Folds what is seen at a tick into what is known. */
function folded(state: SelfState, seen: ReadonlyMap<string, Seen>, at: number): SelfWatched {
  const changes: Change[] = [];
  const checks: Record<string, SelfCheck> = {};
  for (const [name, known] of Object.entries(state.checks)) {
    if (seen.has(name)) continue;
    const goodSince = known.goodSince ?? at;
    const over = known.until === undefined ? at - goodSince >= clearAfter : at >= known.until;
    if (over) changes.push(cleared(name, at));
    else setEntry(checks, name, known.until === undefined ? { ...known, goodSince } : known);
  }
  for (const [name, one] of seen) {
    const known = ownEntry(state.checks, name);
    const check: SelfCheck =
      known === undefined ? { ...one, at } : { ...one, since: known.since, seen: known.seen, at };
    setEntry(checks, name, check);
    if (known?.severity !== check.severity) changes.push(raised(name, check, at));
  }
  const reported = Object.fromEntries(
    Object.entries(state.told).filter(([, instant]) => at - instant < 2 * eventLasts),
  );
  return { state: { ...state, checks, told: reported }, changes };
}

function checkOf({ probe, failure }: ProbeResult, known: SelfCheck | undefined, at: number): SelfCheck {
  if (probe === drillProbe) {
    const seen = bounded(failure?.message ?? "started by hand");
    return { rule: "Fire drill", severity: "info", seen, since: at, at, until: at + drillLasts };
  }
  const channel = channelOf(probe);
  const rule =
    selfRules.get(probe) ?? bounded(channel === undefined ? `${probe} failing` : channelRule(channel), [], longestName);
  const seen = bounded(failure?.message ?? "a Pathkeeper function reports a failure");
  return { rule, severity: "warning", seen, since: known?.since ?? at, at, until: at + eventLasts };
}

function lastSign(group: string, { expected, resumedAt }: SelfState, results: GroupActivity | undefined): number {
  return Math.max(results?.at ?? 0, results?.arrivedAt ?? 0, ownEntry(expected, group) ?? 0, resumedAt);
}

/** Returns whether a tick is handled so late that its view is outdated. */
export function isLate(at: number, now: number): boolean {
  return now - at > lateAfter;
}

/** Expected runs of a group: when, the largest interval, and the longest run; in milliseconds. */
export interface Expectation {
  readonly schedule: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Returns the expected runs of a group. */
export function expectationOf(group: string, plan: Plan): Expectation {
  const members = plan.configuration.probes.filter((probe) => probe.group === group);
  return {
    schedule: members[0]?.schedule ?? "every 1m",
    intervalMs: intervalOf(plan, members[0]?.name),
    timeoutMs: Math.max(0, ...members.map(({ timeoutMs }) => timeoutMs)),
  };
}

/** Prefix of the names of checks that other functions report. */
const reportedPrefix = "told/";
/** Prefix of the keys of alerts of checks. */
const keyPrefix = "self|";

/** Key of the alert of a check. */
function keyOf(name: string): string {
  return `${keyPrefix}${name}`;
}

/** The channel that notices do not reach, by the key of the alert that says so; `undefined` for every other alert. */
export function unreachedChannel(key: string): string | undefined {
  const prefix = `${keyPrefix}${reportedPrefix}`;
  return key.startsWith(prefix) ? channelOf(key.slice(prefix.length)) : undefined;
}

function cleared(name: string, at: number): Change {
  return { what: "alert", at, key: keyOf(name), alert: undefined };
}

function raised(name: string, { rule, severity, seen, since }: SelfCheck, at: number): Change {
  const alert: KnownAlert = {
    key: keyOf(name),
    rule,
    component: (name === `${reportedPrefix}${drillProbe}` ? drillComponent : monitorComponent).name,
    labels: { check: name },
    severity,
    status: "firing",
    since,
    firedAt: at,
    seen,
    partition: selfGroup,
  };
  return { what: "alert", at, key: alert.key, alert };
}
