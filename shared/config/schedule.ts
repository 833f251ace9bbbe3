/** Schedules: `every 15s`, or a cron expression of five fields, and the groups in which probes run. */
import { hash } from "node:crypto";
import { Cron, type CronOptions } from "croner";
import type { Vantage } from "../messages/report.ts";
import { formatDuration, parseDuration } from "../text/units.ts";
import type { ConfiguredProbe } from "./model.ts";

const minute = 60_000;

/** As an offset, because the name of a time zone makes the library ask for the calendar of the system at every step. */
const inUtc: CronOptions = { paused: true, utcOffset: 0 };

/**
 * The interval of a schedule whose runs are evenly spaced, in milliseconds: of `every X`, and of a step of minutes that
 * divides the hour. `undefined` for other cron expressions: a step of 9 minutes begins again with each hour.
 */
export function scheduleInterval(schedule: string): number | undefined {
  const every = /^every (\S+)$/.exec(schedule.trim());
  if (every) return parseDuration(every[1] ?? "");
  const minutes = /^\*(?:\/(\d+))? \* \* \* \*$/.exec(cronOf(schedule));
  const step = minutes ? Number(minutes[1] ?? 1) : Number.NaN;
  return 60 % step === 0 ? step * minute : undefined;
}

/** A cron expression with one space between its fields. */
function cronOf(schedule: string): string {
  return schedule.trim().replaceAll(/\s+/g, " ");
}

const cronNames = /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)\b/gi;

/** Describes an invalid schedule in one sentence; `undefined` if it is valid. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule.startsWith("every ")) {
    const interval = scheduleInterval(schedule);
    if (interval === undefined) return `invalid interval "${schedule}": write every 1m, every 15s or a cron expression`;
    if (interval < 250) return `"${schedule}" is too short: the shortest is every 250ms`;
    const hour = 3_600_000;
    const fits =
      interval <= minute
        ? minute % interval === 0
        : interval <= hour
          ? hour % interval === 0 && interval % minute === 0
          : (24 * hour) % interval === 0 && interval % hour === 0;
    if (fits) return undefined;
    return interval < minute
      ? `"${schedule}" does not divide a minute evenly: write every 10s, every 15s, every 20s or every 30s`
      : `"${schedule}" does not divide an hour or a day evenly: write every 5m, every 15m, every 2h, or a cron expression`;
  }
  if (schedule.trim().split(/\s+/).length !== 5)
    return `invalid schedule "${schedule}": write every 1m, or a cron expression of five fields such as */15 * * * *`;
  // Syntax of Cloud Scheduler; the library that computes the next runs accepts more.
  const strange = /[^\s\d*/,-]/.exec(schedule.replaceAll(cronNames, "1"))?.[0];
  if (strange !== undefined)
    return `invalid cron expression "${schedule}": "${strange}" has no meaning, only numbers, names, * / - and commas do`;
  try {
    const next = new Cron(schedule, inUtc).nextRun(new Date(0));
    return next === null ? `"${schedule}" never occurs: there is no such date` : undefined;
  } catch (error) {
    return `invalid cron expression "${schedule}": ${(error as Error).message.replace(/^CronPattern: /, "")}`;
  }
}

/**
 * Returns the cron expression in UTC that triggers a schedule. Intervals under a minute are triggered each minute and run as rounds within
 * it, because cron has no finer unit.
 */
export function triggerCron(schedule: string): string {
  const interval = scheduleInterval(schedule);
  if (interval === undefined) return cronOf(schedule);
  const minutes = Math.max(1, Math.round(interval / minute));
  if (minutes < 60) return minutes === 1 ? "* * * * *" : `*/${minutes} * * * *`;
  const hours = minutes / 60;
  return hours >= 24 ? "0 0 * * *" : hours === 1 ? "0 * * * *" : `0 */${hours} * * *`;
}

/** Returns whether a schedule has several runs a minute, which one request asks for. */
export function hasRounds(schedule: string): boolean {
  return (scheduleInterval(schedule) ?? minute) < minute;
}

/**
 * Returns whether requests for a probe need a subscription of their own because the answers come late: after a whole minute of rounds, or
 * after a hold.
 */
export function answersLate({ schedule, holdMs }: Pick<ConfiguredProbe, "schedule" | "holdMs">): boolean {
  return hasRounds(schedule) || holdMs !== undefined;
}

/** The groups that run in rounds of a minute, or hold a connection for minutes: their requests go their own way. Each once. */
export function groupsWithRounds(probes: readonly ConfiguredProbe[]): ConfiguredProbe[] {
  return [...new Map(probes.filter(answersLate).map((probe) => [probe.group, probe])).values()];
}

/**
 * Name of the group that probes of one vantage point and schedule form: `outside-1m`, `inside-2h`, `outside-cron-0-6-x-x-montofri`. It names jobs,
 * subscriptions, documents and reports, so two schedules share a name only if they run at the same instants.
 */
export function groupName(vantage: Vantage, schedule: string): string {
  const interval = scheduleInterval(schedule);
  return `${vantage}-${interval === undefined ? cronName(schedule) : formatDuration(interval)}`;
}

/** The longest name of a cron expression, in characters: names of jobs have room for 500, with what stands before it. */
const longestCronName = 180;

/** A cron expression in letters, digits, - and _. A field holds no - of its own, so that those between fields separate them. */
function cronName(schedule: string): string {
  const name = `cron-${cronOf(schedule)
    .toLowerCase()
    .replaceAll("-", "to")
    .replaceAll(" ", "-")
    .replaceAll("*", "x")
    .replaceAll("/", "_")
    .replaceAll(",", "__")}`;
  if (name.length <= longestCronName) return name;
  const mark = `-sha-${hash("sha256", name).slice(0, 16)}`;
  return `${name.slice(0, longestCronName - mark.length)}${mark}`;
}

/** The longest time between two runs of a schedule, in milliseconds: how long silence may last, quiet nights and weekends included. */
export function longestGap(schedule: string): number {
  return gapsOf(schedule).longest;
}

/** The shortest time between two runs of a schedule, in milliseconds: its pace while it runs. */
export function shortestGap(schedule: string): number {
  return gapsOf(schedule).shortest;
}

interface Gaps {
  readonly longest: number;
  readonly shortest: number;
}

function gapsOf(schedule: string): Gaps {
  const interval = scheduleInterval(schedule);
  if (interval !== undefined) return { longest: interval, shortest: interval };
  const known = knownGaps.get(schedule);
  if (known !== undefined) return known;
  const gaps = cronGaps(cronOf(schedule));
  knownGaps.set(schedule, gaps);
  return gaps;
}

/** The least and the most that something may be late and still be judged, in milliseconds. */
const minHorizon = 120_000;
const maxHorizon = 900_000;

/** Returns the maximum delay at which a result is still judged, by the interval of its probe; both in milliseconds. */
export function horizonFor(intervalMs: number): number {
  return Math.min(Math.max(10 * intervalMs, minHorizon), Math.max(maxHorizon, 2 * intervalMs));
}

/** Cache of results, by cron expression. */
const knownGaps = new Map<string, Gaps>();

/**
 * The gaps of a cron expression. Each day that has runs has them at the same times, so the times and the days are looked at apart: the runs
 * themselves would be thousands before the first quiet weekend.
 */
function cronGaps(cron: string): Gaps {
  const [minutes = "*", hours = "*", ...days] = cron.split(" ");
  const starts = runsOf(`0 ${hours} * * *`, day);
  const within = runsOf(`${minutes} 0 * * *`, day);
  const times = starts.flatMap((start) => within.map((time) => start + time));
  const between = apart(times);
  const quiet = day - ((times.at(-1) ?? 0) - (times[0] ?? 0));
  // Days of the week alone repeat each week; with others it takes years until each distance has come.
  const [, , onlyWeekdays] = /^(\* \*) (.*)$/.exec(days.join(" ")) ?? [];
  const dates =
    onlyWeekdays === "*" ? [0, day] : runsOf(`0 0 ${days.join(" ")}`, onlyWeekdays ? 15 * day : 9 * 366 * day);
  for (const distance of apart(dates)) between.push(distance - day + quiet);
  return { longest: Math.max(...between), shortest: Math.min(...between) };
}

const day = 86_400_000;

/** A day that is the first of its week, month and year, and of a leap year. */
const reference = Date.UTC(2000, 0, 1);

/** The most runs that are looked at: so many days have shown every distance but by a day or two. */
const maxRuns = 800;

/** The runs of a cron expression within a time from the reference, in milliseconds after it. */
function runsOf(cron: string, within: number): number[] {
  const pattern = new Cron(cron, inUtc);
  const runs: number[] = [];
  let next = pattern.nextRun(new Date(reference - 1));
  while (next !== null && next.getTime() < reference + within && runs.length < maxRuns) {
    runs.push(next.getTime() - reference);
    next = pattern.nextRun(next);
  }
  return runs;
}

/** The distances between neighbours. */
function apart(instants: readonly number[]): number[] {
  return instants.slice(1).map((instant, i) => instant - (instants[i] ?? 0));
}

/** The first instant after `after` (exclusive) at which the schedule is triggered; milliseconds since the epoch. */
export function nextTrigger(schedule: string, after: number): number | undefined {
  const interval = scheduleInterval(schedule);
  if (interval !== undefined) {
    const apart = Math.max(interval, minute);
    return (Math.floor(after / apart) + 1) * apart;
  }
  return new Cron(triggerCron(schedule), inUtc).nextRun(new Date(after))?.getTime();
}
