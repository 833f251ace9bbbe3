/**
 * When a probe was good, as a fold over its results in the order of their event time: runs of up, down and unknown. Kept in the partition,
 * so that it costs no write of its own; only results that nothing later can precede are folded for good.
 */

import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { dayOf, periodStart, targetOf } from "../../../shared/documents/availability.ts";
import { isConclusive, type Report } from "../../../shared/messages/report.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { longestRun } from "../partition/publication.ts";
import { type Plan, paceOf, staleAfter } from "../plan.ts";
import { burnLookback, burnsSince, type RunCounts } from "../rules/burn.ts";

/** State of a moment: 0 down, 1 up, 2 unknown. For past moments also 4: a failure too short to count, unless it is one of too many. */
export type Code = 0 | 1 | 2 | 4;

/** Up, down and unknown one after the other: `[from, code, from, code, …]`, ascending; each lasts until the next. */
export type Runs = readonly number[];

/** From the first failed run that the rule over failures that come and go has counted to the last run at which it spoke. */
type Burning = readonly [from: number, until: number];

/** Results folded for good. */
export interface Track {
  readonly runs: Runs;
  /** The newest result; `undefined` before the first. */
  readonly lastAt?: number;
  /** The first and the newest bad result since the last good one. */
  readonly badSince?: number;
  readonly badUntil?: number;
  /** The failure is one of so many that it counts, however short it is. */
  readonly sure?: true;
}

/** Durations that decide what counts, by the configuration at the newest result. */
export interface UptimeSettings {
  /** Shortest failure that counts, in milliseconds: as long as the built-in rule waits. */
  readonly alertAfterMs: number;
  /** How long a result is valid for the time after it, in milliseconds. */
  readonly staleAfterMs: number;
}

/** The history of one probe, of yesterday and today. */
export interface Uptime extends UptimeSettings {
  readonly component: string;
  /** Of the probes of a component, those of the lowest rank that know something decide; null where its failing alarms nobody. */
  readonly rank: number | null;
  readonly track: Track;
  /** Results that something late may still precede: `[at, code, at, code, …]`, ascending. */
  readonly recent: readonly number[];
  /** By these results: failures in this time count, however short. */
  readonly burning?: Burning;
  /** Of a journey: attempts and successes by day. */
  readonly walks?: Readonly<Record<string, readonly [attempts: number, successes: number]>>;
}

/** The histories of the probes of one partition, by name. */
export type Uptimes = Readonly<Record<string, Uptime>>;

/** The most changes that are kept of one probe, and of all probes of a partition: of the oldest, the sums of each hour are kept. */
const maxRuns = 2_000;
const maxRunsOfAll = 4_000;
const hour = 3_600_000;
const day = 86_400_000;

/**
 * Takes a report that was new into the histories.
 * @param horizon results before it can not come any more
 * @param runs what is counted of the runs of each probe, this report included
 */
export function withReport(
  uptimes: Uptimes,
  report: Report,
  plan: Plan,
  horizon: number,
  runs: Readonly<Record<string, RunCounts>> = {},
): Uptimes {
  const next: Record<string, Uptime> = {};
  for (const [name, uptime] of Object.entries(uptimes)) {
    const gone = !plan.probes.has(name) && (uptime.track.lastAt ?? 0) < horizon - 3 * day;
    if (!gone) setEntry(next, name, uptime);
  }
  let kept = 0;
  for (const { track } of Object.values(next)) kept += track.runs.length / 2;
  const leastMost = Math.floor(maxRunsOfAll / Math.max(1, Object.keys(next).length));
  for (const result of report.results) {
    const { probe, at, success } = result;
    const configured = plan.probes.get(probe);
    const rank = configured && rankOf(configured);
    if (configured === undefined || rank === undefined || (rank === null && !configured.endToEnd)) continue;
    const instant = Date.parse(at);
    const code = report.prober_unhealthy !== undefined || !isConclusive(result) ? 2 : success ? 1 : 0;
    const { burning: _, ...before } = ownEntry(next, probe) ?? blank;
    const recent = inserted(before.recent.map(asReported), instant, code);
    const counted = ownEntry(runs, probe);
    const burning = (results: readonly number[]): Burning | undefined => burningIn(results, configured, counted, plan);
    const now = burning(recent);
    const others = kept - before.track.runs.length / 2;
    const most = Math.min(maxRuns, Math.max(leastMost, maxRunsOfAll - others));
    const updated: Uptime = {
      ...before,
      component: configured.component,
      rank,
      alertAfterMs: configured.alert === false ? 0 : configured.alert.afterMs,
      staleAfterMs: staleAfter(plan, probe),
      recent,
      ...(now === undefined ? {} : { burning: now }),
      ...(configured.endToEnd ? { walks: walked(before.walks ?? {}, instant, code) } : {}),
    };
    setEntry(next, probe, settled(updated, horizon - longestRun, most, burning, burnLookback(paceOf(plan, probe))));
  }
  return next;
}

/** All runs of a probe up to now, with the results that are not folded for good yet. Before the first and after the last, nothing is known. */
export function runsOf({ track, recent, burning, ...settings }: Uptime, now: number): Runs {
  const { runs, lastAt, badSince, badUntil, sure } = counting(folded(track, recent, settings), burning);
  if (lastAt === undefined) return [];
  // A failure that has not lasted long enough yet may pass.
  const isNoise = badSince !== undefined && !sure && !confirmed(badSince, badUntil, settings);
  const shown = forgiven(isNoise ? excused(runs, badSince) : runs, Number.POSITIVE_INFINITY);
  const end = lastAt + settings.staleAfterMs;
  return end < now ? appended(shown, end, 2) : shown;
}

/** Whose word counts most on what users feel: what does as they do, then what reaches the component itself, then what is read about it. */
function rankOf({ reach = "private", secondhand, alert }: ConfiguredProbe): Uptime["rank"] {
  if (alert === false) return null;
  if (reach === "users") return 0;
  return reach === "private" && !secondhand ? 1 : 2;
}

const blank: Uptime = { component: "", rank: 0, alertAfterMs: 0, staleAfterMs: 0, track: { runs: [] }, recent: [] };

function inserted(recent: readonly number[], at: number, code: Code): number[] {
  let place = recent.length;
  while (place > 0 && (recent[place - 2] ?? 0) > at) place -= 2;
  // Two results of one instant: the worse one counts, whichever came first.
  if (recent[place - 2] === at) return recent.toSpliced(place - 1, 1, Math.min(code, recent[place - 1] ?? code));
  return recent.toSpliced(place, 0, at, code);
}

/** The time in which failures count by these results: at some of them so many had failed lately that the built-in rule speaks of it. */
function burningIn(
  results: readonly number[],
  probe: ConfiguredProbe,
  runs: RunCounts | undefined,
  plan: Plan,
): Burning | undefined {
  if (runs === undefined || probe.alert === false) return undefined;
  const terms = {
    budget: 1 - targetOf(plan.configuration, probe.component),
    paceMs: paceOf(plan, probe.name),
    alertAfterMs: probe.alert.afterMs,
  };
  let burning: Burning | undefined;
  for (let i = 0; i + 1 < results.length; i += 2) {
    const [at = 0, code] = [results[i], results[i + 1]];
    const first = code === 2 ? undefined : burnsSince(runs, at, code === 0, terms);
    if (first !== undefined) burning = [Math.min(first, burning?.[0] ?? first), at];
  }
  return burning;
}

/** A result as recorded. An older version marked those that count. */
function asReported(value: number, place: number): number {
  return place % 2 === 1 && value === 3 ? 0 : value;
}

function walked(
  walks: NonNullable<Uptime["walks"]>,
  at: number,
  code: Code,
): Record<string, readonly [number, number]> {
  const today = dayOf(at);
  const kept = Object.entries(walks).filter(([date]) => periodStart(date) > at - 3 * day);
  const [attempts, successes] = ownEntry(walks, today) ?? [0, 0];
  const counted = code === 2 ? [] : [[today, [attempts + 1, successes + code]] as const];
  return Object.fromEntries([...kept, ...counted]);
}

/**
 * Folds what is older than the horizon for good, and forgets what is older than yesterday.
 * @param burning the time in which failures count by results
 * @param lookbackMs how long a short failure may still turn out to be one of too many
 */
function settled(
  uptime: Uptime,
  horizon: number,
  most: number,
  burning: (results: readonly number[]) => Burning | undefined,
  lookbackMs: number,
): Uptime {
  const { track, recent } = uptime;
  let end = 0;
  while (end < recent.length && (recent[end] ?? 0) < horizon) end += 2;
  if (end === 0) return uptime;
  const old = recent.slice(0, end);
  const next = counting(folded(track, old, uptime), burning(old));
  const last = next.lastAt ?? horizon;
  const runs = condensed(since(forgiven(next.runs, last - lookbackMs), periodStart(dayOf(last)) - day), most);
  return { ...uptime, track: { ...next, runs }, recent: recent.slice(end) };
}

function folded(track: Track, samples: readonly number[], settings: UptimeSettings): Track {
  let { runs, lastAt, badSince, badUntil, sure } = track;
  for (let i = 0; i + 1 < samples.length; i += 2) {
    const at = samples[i] ?? 0;
    const code = samples[i + 1] ?? 2;
    // The horizon moved back with a probe on a slower schedule: the recorded past does not change.
    if (lastAt !== undefined && at <= lastAt) continue;
    const end = lastAt === undefined ? at : lastAt + settings.staleAfterMs;
    if (end < at) runs = appended(runs, end, 2);
    if (code === 1 && badSince !== undefined) {
      if (!sure && !confirmed(badSince, badUntil, settings)) runs = excused(runs, badSince);
      badSince = undefined;
      badUntil = undefined;
      sure = undefined;
    }
    if (code === 0) {
      badSince ??= at;
      badUntil = at;
    }
    runs = appended(runs, at, code);
    lastAt = at;
  }
  return {
    runs,
    ...(lastAt === undefined ? {} : { lastAt }),
    ...(badSince === undefined ? {} : { badSince }),
    ...(badUntil === undefined ? {} : { badUntil }),
    ...(sure === undefined ? {} : { sure }),
  };
}

function confirmed(badSince: number, badUntil: number | undefined, { alertAfterMs }: UptimeSettings): boolean {
  return (badUntil ?? badSince) - badSince >= alertAfterMs;
}

function appended(runs: Runs, at: number, code: number): Runs {
  return runs.at(-1) === code ? runs : [...runs, at, code];
}

/** Turns down into a short failure from an instant on: it did not last. */
function excused(runs: Runs, from: number): Runs {
  return recoded(runs, (code, at) => (at >= from && code === 0 ? 4 : code));
}

/** Turns short failures into up that were over by an instant. */
function forgiven(runs: Runs, until: number): Runs {
  return recoded(runs, (code, _, end) => (code === 4 && end <= until ? 1 : code));
}

/** The track with each short failure counted as down that lies in this time. */
function counting(track: Track, burning: Burning | undefined): Track {
  if (burning === undefined) return track;
  const [from, until] = burning;
  const runs = recoded(track.runs, (code, at, end) => (code === 4 && at <= until && end > from ? 0 : code));
  const { badSince, badUntil = badSince } = track;
  const isSure = badSince !== undefined && badUntil !== undefined && badSince <= until && badUntil >= from;
  return { ...track, runs, ...(isSure ? { sure: true } : {}) };
}

/** Returns the runs with other codes, merging neighbours of one code. Returns the same list if nothing changes. */
function recoded(runs: Runs, recode: (code: number, from: number, until: number) => number): Runs {
  const next: number[] = [];
  let changed = false;
  for (let i = 0; i + 1 < runs.length; i += 2) {
    const [at = 0, code = 2] = [runs[i], runs[i + 1]];
    const now = recode(code, at, runs[i + 2] ?? Number.POSITIVE_INFINITY);
    changed ||= now !== code;
    if (next.at(-1) !== now || next.length === 0) next.push(at, now);
  }
  return changed ? next : runs;
}

/** No more than so many changes: the oldest that alternate within an hour are put together, each code with the sum of its time. */
function condensed(runs: Runs, most: number): Runs {
  const next: number[] = [];
  let excess = runs.length / 2 - most;
  if (excess <= 0) return runs;
  for (let i = 0; i + 1 < runs.length; i += 2) {
    next.push(runs[i] ?? 0, runs[i + 1] ?? 2);
    const [first = 0, code, second = 0, other, third = 0, again, fourth = 0, last] = next.slice(-8);
    const end = runs[i + 2] ?? Number.POSITIVE_INFINITY;
    const isOneHour = Math.floor(first / hour) === Math.floor((end - 1) / hour);
    if (excess <= 0 || last === undefined || code !== again || other !== last || !isOneHour) continue;
    next.splice(-8, 8, first, code ?? 2, second + (fourth - third), other ?? 2);
    excess -= 2;
  }
  return next.slice(-2 * most);
}

/** Returns the part after an instant. */
function since(runs: Runs, from: number): Runs {
  let first = 0;
  while (first + 2 < runs.length && (runs[first + 2] ?? 0) <= from) first += 2;
  return first === 0 ? runs : runs.slice(first);
}
