/**
 * When a probe was good, as a fold over its results in the order of their event time: runs of up, down and unknown. Kept in the partition,
 * so that it costs no write of its own; only results that nothing later can precede are folded for good.
 */

import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { dayOf, periodStart, targetOf } from "../../../shared/documents/availability.ts";
import { isTelling, type Report } from "../../../shared/messages/report.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { type Plan, paceOf, staleAfter } from "../plan.ts";
import { burnAt, type RunCounts } from "../rules/burn.ts";

/** What a moment was: 0 down, 1 up, 2 unknown; of a result also 3, down and one of too many failures to be noise. */
export type Code = 0 | 1 | 2 | 3;

/** Up, down and unknown one after the other: `[from, code, from, code, …]`, ascending; each lasts until the next. */
export type Runs = readonly number[];

/** Results folded for good. */
export interface Track {
  readonly runs: Runs;
  /** The newest result; `undefined` before the first. */
  readonly lastAt?: number;
  /** The first and the newest bad result since the last good one. */
  readonly badSince?: number;
  readonly badUntil?: number;
  /** That failure is one of so many that it is no noise, however short. */
  readonly sure?: true;
}

/** What counts how long, by the configuration at the newest result. */
export interface Reckoning {
  /** How long a failure lasts at least, in milliseconds, to count as one: as long as the built-in rule waits. */
  readonly alertAfterMs: number;
  /** How long a result speaks for the time after it, in milliseconds. */
  readonly staleAfterMs: number;
}

/** The history of one probe, of yesterday and today. */
export interface Uptime extends Reckoning {
  readonly component: string;
  /** Of the probes of a component, those of the lowest rank that know something decide; null where its failing alarms nobody. */
  readonly rank: number | null;
  readonly track: Track;
  /** Results that something late may still precede: `[at, code, at, code, …]`, ascending. */
  readonly recent: readonly number[];
  /** Of a journey: attempts and successes by day. */
  readonly walks?: Readonly<Record<string, readonly [attempts: number, successes: number]>>;
}

/** The histories of the probes of one partition, by name. */
export type Uptimes = Readonly<Record<string, Uptime>>;

/** The most changes that are kept of one probe, and of all probes of a partition: what is older than they are becomes unknown. */
const mostRuns = 720;
const mostRunsOfAll = 4_000;
const day = 86_400_000;
/** How long before its report a result may have been measured, in milliseconds. */
const longestRun = 120_000;

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
  const most = Math.min(mostRuns, Math.floor(mostRunsOfAll / Math.max(1, Object.keys(next).length)));
  for (const result of report.results) {
    const { probe, at, success } = result;
    const configured = plan.probes.get(probe);
    const rank = configured && rankOf(configured);
    if (configured === undefined || rank === undefined || (rank === null && !configured.endToEnd)) continue;
    const instant = Date.parse(at);
    const code = report.prober_unhealthy !== undefined || !isTelling(result) ? 2 : success ? 1 : 0;
    const before = ownEntry(next, probe) ?? blank;
    const reckoned: Uptime = {
      ...before,
      component: configured.component,
      rank,
      alertAfterMs: configured.alert === false ? 0 : configured.alert.afterMs,
      staleAfterMs: staleAfter(plan, probe),
      recent: judged(inserted(before.recent.map(unjudged), instant, code), configured, ownEntry(runs, probe), plan),
      ...(configured.endToEnd ? { walks: walked(before.walks ?? {}, instant, code) } : {}),
    };
    setEntry(next, probe, settled(reckoned, horizon - longestRun, most));
  }
  return next;
}

/** All runs of a probe up to now, with the results that are not folded for good yet. Before the first and after the last, nothing is known. */
export function runsOf({ track, recent, ...reckoning }: Uptime, now: number): Runs {
  const { runs, lastAt, badSince, badUntil, sure } = folded(track, recent, reckoning);
  if (lastAt === undefined) return [];
  // A failure that has not lasted long enough yet may pass.
  const isNoise = badSince !== undefined && !sure && !confirmed(badSince, badUntil, reckoning);
  const shown = isNoise ? excused(runs, badSince) : runs;
  const end = lastAt + reckoning.staleAfterMs;
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

/** Results with every failure marked at which so many had failed lately that the built-in rule speaks of it: they are not excused. */
function judged(
  recent: readonly number[],
  probe: ConfiguredProbe,
  runs: RunCounts | undefined,
  plan: Plan,
): readonly number[] {
  if (runs === undefined || probe.alert === false) return recent;
  const terms = {
    budget: 1 - targetOf(plan.configuration, probe.component),
    paceMs: paceOf(plan, probe.name),
    alertAfterMs: probe.alert.afterMs,
  };
  return recent.map((code, place) => {
    const at = recent[place - 1] ?? 0;
    return place % 2 === 1 && code === 0 && burnAt(runs, at, true, terms) !== undefined ? 3 : code;
  });
}

function unjudged(value: number, place: number): number {
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

/** Folds what is older than the horizon for good, and forgets what is older than yesterday. */
function settled(uptime: Uptime, horizon: number, most: number): Uptime {
  const { track, recent } = uptime;
  let end = 0;
  while (end < recent.length && (recent[end] ?? 0) < horizon) end += 2;
  if (end === 0) return uptime;
  const next = folded(track, recent.slice(0, end), uptime);
  const keepFrom = periodStart(dayOf(next.lastAt ?? horizon)) - day;
  const runs = since(next.runs, keepFrom).slice(-2 * most);
  return { ...uptime, track: { ...next, runs }, recent: recent.slice(end) };
}

function folded(track: Track, samples: readonly number[], reckoning: Reckoning): Track {
  let { runs, lastAt, badSince, badUntil, sure } = track;
  for (let i = 0; i + 1 < samples.length; i += 2) {
    const at = samples[i] ?? 0;
    const code = samples[i + 1] ?? 2;
    // The horizon went back, with a probe of a slower schedule: the past stays as it was told.
    if (lastAt !== undefined && at <= lastAt) continue;
    const end = lastAt === undefined ? at : lastAt + reckoning.staleAfterMs;
    if (end < at) runs = appended(runs, end, 2);
    if (code === 1 && badSince !== undefined) {
      if (!sure && !confirmed(badSince, badUntil, reckoning)) runs = excused(runs, badSince);
      badSince = undefined;
      badUntil = undefined;
      sure = undefined;
    }
    if (code === 0 || code === 3) {
      badSince ??= at;
      badUntil = at;
      if (code === 3) sure = true;
    }
    runs = appended(runs, at, code === 3 ? 0 : code);
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

function confirmed(badSince: number, badUntil: number | undefined, { alertAfterMs }: Reckoning): boolean {
  return (badUntil ?? badSince) - badSince >= alertAfterMs;
}

function appended(runs: Runs, at: number, code: number): Runs {
  return runs.at(-1) === code ? runs : [...runs, at, code];
}

/** Turns down into up from an instant on: it did not last. */
function excused(runs: Runs, from: number): Runs {
  let next: Runs = [];
  for (let i = 0; i + 1 < runs.length; i += 2) {
    const at = runs[i] ?? 0;
    next = appended(next, at, at >= from && runs[i + 1] === 0 ? 1 : (runs[i + 1] ?? 2));
  }
  return next;
}

/** What lasts beyond an instant. */
function since(runs: Runs, from: number): Runs {
  let first = 0;
  while (first + 2 < runs.length && (runs[first + 2] ?? 0) <= from) first += 2;
  return first === 0 ? runs : runs.slice(first);
}
