/**
 * From the histories of probes to the days and months of components. Pure. A day is worked out as a whole, from everything that is known
 * of it, so that working it out again, or late, or twice, changes nothing that was right.
 */

import type { MaintenanceWindow } from "../../../shared/config/model.ts";
import {
  type Availability,
  type Day,
  dayOf,
  type IncidentTimes,
  incidentFigures,
  type JourneyCount,
  monthOf,
  periodSeconds,
  periodStart,
  type Shares,
} from "../../../shared/documents/availability.ts";
import { type Period, periodsOf } from "../../../shared/maintenance.ts";
import type { Verdict } from "../../../shared/messages/incident-event.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { firstAcknowledged, lastedUntil, type Relapse } from "../incident/record/relapses.ts";
import { type Runs, runsOf, type Uptimes } from "./uptime.ts";

/** A month by its days, as the evaluator keeps it beside the sums. */
export interface Month {
  /** By date. */
  readonly days: Readonly<Record<string, Day>>;
  /** The incidents that were opened in it, by id. */
  readonly incidents: Readonly<Record<string, IncidentTimes>>;
}

/** An incident, as far as its times are concerned; all instants in milliseconds since the epoch. */
export interface Timed {
  readonly id: string;
  readonly severity: Severity;
  readonly verdict: Verdict;
  readonly openedAt: number;
  readonly firstFailureAt: number;
  readonly acknowledgedAt?: number;
  readonly resolvedAt?: number;
  /** The components that failed in it. @default none */
  readonly failed?: readonly string[];
  readonly relapses?: readonly Relapse[];
}

/** The times of an incident. */
export function timed(
  incident: Omit<Timed, "verdict"> & { readonly diagnosis: Pick<Timed, "verdict"> },
  failed: readonly string[] = [],
): Timed {
  const { id, severity, openedAt, firstFailureAt, acknowledgedAt, resolvedAt, relapses } = incident;
  const { verdict } = incident.diagnosis;
  return {
    id,
    severity,
    verdict,
    openedAt,
    firstFailureAt,
    ...(acknowledgedAt === undefined ? {} : { acknowledgedAt }),
    ...(resolvedAt === undefined ? {} : { resolvedAt }),
    ...(failed.length === 0 ? {} : { failed }),
    ...(relapses === undefined ? {} : { relapses }),
  };
}

/**
 * One day of the components, from the probes of all partitions.
 * @param now what is later has not happened yet
 * @param maintenance time in these windows is set apart
 * @param incidents those that may have taken something down on that day
 */
export function dayFrom(
  date: string,
  partitions: readonly Uptimes[],
  now: number,
  maintenance: readonly MaintenanceWindow[] = [],
  incidents: readonly Timed[] = [],
): Day {
  const from = periodStart(date);
  const until = Math.min(now, from + periodSeconds(date) * 1000);
  const uptimes = partitions.flatMap((uptimes) => Object.entries(uptimes));
  const histories = [...Map.groupBy(uptimes, ([probe]) => probe).values()].flatMap((same) =>
    successive(
      same.flatMap(([, uptime]) => {
        const { component, rank } = uptime;
        return rank === null ? [] : [{ component, rank, runs: runsOf(uptime, now) }];
      }),
    ),
  );
  const windows = maintenance.map((window) => ({ of: window.components, periods: periodsOf(window, from, until) }));
  const byComponent = Map.groupBy(histories, ({ component }) => component);
  const sharesOf = (component: string, begin: number, end: number): Shares => {
    const planned = windows.flatMap(({ of, periods }) => ((of?.includes(component) ?? true) ? periods : []));
    return shares(byComponent.get(component) ?? [], begin, end, planned);
  };
  const components = Array.from(
    byComponent.keys(),
    (component) => [component, sharesOf(component, from, until)] as const,
  );
  const downtime: Record<string, Record<string, number>> = {};
  for (const { id, verdict, firstFailureAt, resolvedAt = until, failed = [] } of incidents) {
    const [begin, end] = [Math.max(from, firstFailureAt), Math.min(until, resolvedAt)];
    if (verdict === "monitor" || begin >= end) continue;
    const own: Record<string, number> = {};
    for (const component of failed) setEntry(own, component, sharesOf(component, begin, end).down);
    setEntry(downtime, id, own);
  }
  const journeys: Record<string, JourneyCount> = {};
  for (const [probe, { walks }] of uptimes) {
    const [attempts, successes] = ownEntry(walks, date) ?? [0, 0];
    if (attempts === 0) continue;
    const sum = ownEntry(journeys, probe) ?? { attempts: 0, successes: 0 };
    setEntry(journeys, probe, { attempts: sum.attempts + attempts, successes: sum.successes + successes });
  }
  return { components: Object.fromEntries(components), journeys, downtime };
}

/** Returns a month with new days and incidents, which replace the entries of the same date or id. */
export function withDays(
  month: string,
  known: Month,
  days: Readonly<Record<string, Day>>,
  incidents: readonly Timed[],
): Month {
  const own = Object.entries(days)
    .filter(([date]) => date.startsWith(month))
    // Incidents that are no longer remembered keep their recorded values.
    .map(
      ([date, day]) =>
        [date, { ...day, downtime: { ...ownEntry(known.days, date)?.downtime, ...day.downtime } }] as const,
    );
  const opened = incidents.filter(({ verdict, openedAt }) => verdict !== "monitor" && monthOf(openedAt) === month);
  return {
    days: { ...known.days, ...Object.fromEntries(own) },
    incidents: { ...known.incidents, ...Object.fromEntries(opened.map((one) => [one.id, timesOf(one)])) },
  };
}

/** The sums of a month. */
export function monthTotals(month: string, { days, incidents }: Month): Availability {
  const components: Record<string, Shares> = {};
  const journeys: Record<string, JourneyCount> = {};
  const downtime: Record<string, Record<string, number>> = {};
  for (const [, day] of Object.entries(days).sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [name, { up, down, unknown, maintenance = 0 }] of Object.entries(day.components)) {
      const sum = ownEntry(components, name) ?? { up: 0, down: 0, unknown: 0 };
      const planned = maintenance + (sum.maintenance ?? 0);
      setEntry(components, name, {
        up: sum.up + up,
        down: sum.down + down,
        unknown: sum.unknown + unknown,
        ...(planned === 0 ? {} : { maintenance: planned }),
      });
    }
    for (const [name, { attempts, successes }] of Object.entries(day.journeys)) {
      const sum = ownEntry(journeys, name) ?? { attempts: 0, successes: 0 };
      setEntry(journeys, name, { attempts: sum.attempts + attempts, successes: sum.successes + successes });
    }
    for (const [id, taken] of Object.entries(day.downtime ?? {})) {
      const sum: Record<string, number> = { ...ownEntry(downtime, id) };
      for (const [name, seconds] of Object.entries(taken)) setEntry(sum, name, (ownEntry(sum, name) ?? 0) + seconds);
      setEntry(downtime, id, sum);
    }
  }
  return { period: month, components, journeys, incidents: incidentFigures(incidents), downtime };
}

/** One day of a month. */
export function dayTotals(date: string, { days, incidents }: Month): Availability {
  const own = Object.entries(incidents).filter(([, { opened_at }]) => dayOf(Date.parse(opened_at)) === date);
  return {
    period: date,
    components: ownEntry(days, date)?.components ?? {},
    journeys: ownEntry(days, date)?.journeys ?? {},
    incidents: incidentFigures(Object.fromEntries(own)),
    downtime: ownEntry(days, date)?.downtime ?? {},
  };
}

/** The results of one probe. */
interface History {
  readonly component: string;
  readonly rank: number;
  readonly runs: Runs;
}

/** Histories of one probe that was in several groups, one after the other: each ends where the next begins. */
function successive(histories: readonly History[]): History[] {
  const inOrder = histories.filter(({ runs }) => runs.length > 0).sort((a, b) => (a.runs[0] ?? 0) - (b.runs[0] ?? 0));
  return inOrder.map((history, index) => {
    const next = inOrder[index + 1]?.runs[0];
    if (next === undefined) return history;
    const end = history.runs.findIndex((at, place) => place % 2 === 0 && at >= next);
    const own = end < 0 ? history.runs : history.runs.slice(0, end);
    return { ...history, runs: [...own, next, 2] };
  });
}

/**
 * Returns how long a component was up, down or unknown. At each moment the probes of the lowest rank that know its state decide; one that is
 * down is enough.
 */
function shares(
  histories: readonly Pick<History, "rank" | "runs">[],
  from: number,
  until: number,
  planned: readonly Period[],
): Shares {
  const inside = planned.flatMap((period) => [period.from, period.to]).filter((at) => at > from && at < until);
  const borders = new Set([from, until, ...inside]);
  for (const { runs } of histories) {
    for (let i = 0; i < runs.length; i += 2) {
      const at = runs[i] ?? 0;
      if (at > from && at < until) borders.add(at);
    }
  }
  const sums = [0, 0, 0, 0];
  const sorted = [...borders].sort((a, b) => a - b);
  const cursors = histories.map(() => -2);
  for (let border = 0; border + 1 < sorted.length; border++) {
    const at = sorted[border] ?? 0;
    let code = 2;
    let best = Number.POSITIVE_INFINITY;
    for (const [index, { rank, runs }] of histories.entries()) {
      let cursor = cursors[index] ?? -2;
      while ((runs[cursor + 2] ?? Number.POSITIVE_INFINITY) <= at) cursor += 2;
      cursors[index] = cursor;
      const own = cursor < 0 ? 2 : (runs[cursor + 1] ?? 2);
      if (own === 2 || rank > best) continue;
      code = rank < best ? own : Math.min(code, own);
      best = rank;
    }
    const counted = planned.some((period) => period.from <= at && at < period.to) ? 3 : code;
    sums[counted] = (sums[counted] ?? 0) + (sorted[border + 1] ?? at) - at;
  }
  const [down = 0, up = 0, , maintenance = 0] = sums.map((sum) => Math.round(sum / 1000));
  return {
    up,
    down,
    unknown: Math.max(0, Math.round((until - from) / 1000) - up - down - maintenance),
    ...(maintenance === 0 ? {} : { maintenance }),
  };
}

function timesOf(incident: Timed): IncidentTimes {
  const { severity, openedAt, firstFailureAt, resolvedAt } = incident;
  const acknowledgedAt = firstAcknowledged(incident);
  const seconds = (ms: number): number => Math.max(0, Math.round(ms / 1000));
  return {
    severity,
    opened_at: new Date(openedAt).toISOString(),
    detect: seconds(openedAt - firstFailureAt),
    ...(acknowledgedAt === undefined ? {} : { acknowledge: seconds(acknowledgedAt - openedAt) }),
    ...(resolvedAt === undefined ? {} : { recover: seconds(lastedUntil(incident, resolvedAt)) }),
  };
}
