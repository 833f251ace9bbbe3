/**
 * Maintenance windows: when, by the clock on the wall of a zone, work on components is planned. Pure.
 *
 * A window begins at the first instant at which the clock has reached its start, and ends at the last at which it has not reached its end.
 * So where clocks go back it is never in two pieces and never shorter than the clock says, and a time that clocks leap over is the
 * instant of the leap. A window with a duration lasts exactly so long, whatever clocks do.
 */
import type { MaintenanceWindow } from "./config/model.ts";
import { dateFormat } from "./text/formatters.ts";

/** From, inclusive, to, exclusive: milliseconds since the epoch. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Properties of an incident that decide whether maintenance covers it. */
export interface Involved {
  readonly root_cause: string;
  readonly components: readonly string[];
}

const hour = 3_600_000;
const day = 24 * hour;

/**
 * The maintenance that an incident falls into; `undefined` where it reaches beyond. As with silences, its root cause must be in maintenance,
 * or all its components.
 */
export function maintenanceOf(
  { root_cause, components }: Involved,
  windows: readonly MaintenanceWindow[],
  at: number,
): { readonly name: string; readonly until: number } | undefined {
  const active = windows.flatMap((window) => periodsOf(window, at, at + 1).map(({ to }) => ({ window, to })));
  const over = (component: string): (typeof active)[number] | undefined =>
    active
      .filter(({ window }) => window.components?.includes(component) ?? true)
      .reduce<(typeof active)[number] | undefined>((last, one) => (last && last.to >= one.to ? last : one), undefined);
  const named = components.map(over);
  const all = named.length > 0 && named.every((one) => one !== undefined) ? earliest(named) : undefined;
  const found = over(root_cause) ?? all;
  return found && { name: found.window.name, until: found.to };
}

/** The times of a window that overlap with a period, in order. */
export function periodsOf({ once, weekly, timezone }: MaintenanceWindow, from: number, to: number): Period[] {
  if (once !== undefined) return once.from < to && from < once.to ? [once] : [];
  if (weekly === undefined) return [];
  const { days, startMinute, endMinute, durationMs = 0 } = weekly;
  const periods: Period[] = [];
  // A clock is at most a day away from UTC, and a window reaches at most its own length beyond its day.
  const first = Math.floor(from / day) * day - 2 * day - durationMs;
  for (let date = Math.floor(first / day) * day; date <= to + day; date += day) {
    if (!days.includes(new Date(date).getUTCDay())) continue;
    const begin = clockReaches(date + startMinute * 60_000, timezone);
    const overnight = endMinute !== undefined && endMinute <= startMinute ? day : 0;
    const end =
      endMinute === undefined ? begin + durationMs : clockLeaves(date + endMinute * 60_000 + overnight, timezone);
    if (begin < end && begin < to && from < end) periods.push({ from: begin, to: end });
  }
  return periods;
}

/** The next times of a window that are not over, at most so many. */
export function nextPeriods(window: MaintenanceWindow, at: number, count: number): Period[] {
  // A single window may be a year away; a recurring one comes every week.
  const until = window.once === undefined ? at + (2 + count) * 7 * day : Number.POSITIVE_INFINITY;
  return periodsOf(window, at, until).slice(0, count);
}

/** The first instant at which the clock of a zone shows this time or a later one. @param wall the time on the clock, as if it were UTC */
export function clockReaches(wall: number, timezone: string): number {
  const { before, after, change } = around(wall, timezone);
  return wall - before < change ? wall - before : Math.max(change, wall - after);
}

/** The last instant until which the clock of a zone shows an earlier time. @param wall the time on the clock, as if it were UTC */
export function clockLeaves(wall: number, timezone: string): number {
  const { before, after, change } = around(wall, timezone);
  return wall - after > change ? wall - after : Math.min(change, wall - before);
}

/** The offsets of a zone before and after its one change around a time on its clock; without one, any instant serves as the change. */
function around(wall: number, timezone: string): { before: number; after: number; change: number } {
  let low = wall - 16 * hour;
  let high = wall + 16 * hour;
  const before = offsetAt(low, timezone);
  const after = offsetAt(high, timezone);
  if (before === after) return { before, after, change: high };
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, timezone) === before) low = middle;
    else high = middle;
  }
  return { before, after, change: high };
}

/** Offset of a time zone from UTC at an instant, in milliseconds. */
function offsetAt(at: number, timeZone: string): number {
  const digits = "2-digit";
  const parts = { month: digits, day: digits, hour: digits, minute: digits, second: digits } as const;
  const format = dateFormat("en-US", { timeZone, hourCycle: "h23", year: "numeric", ...parts });
  const shown = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day: date = 1, hour: hours = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, date, hours, minute, second) - Math.floor(at / 1000) * 1000;
}

function earliest<T extends { readonly to: number }>(found: readonly (T | undefined)[]): T | undefined {
  return found.reduce((first, one) => (first === undefined || (one !== undefined && one.to < first.to) ? one : first));
}
