/**
 * States without the future: what a clock that was ahead wrote into them before event time was bounded would make all that comes late, until
 * that time has come. So what is dated later than any clock can say is brought back to the present when a state is read. Pure.
 */
import type { Uptime } from "../availability/uptime.ts";
import type { EnvironmentState } from "../incident/state.ts";
import type { SelfState } from "../monitor/state.ts";
import { maxAhead } from "../partition/publication.ts";
import type { AlertState, PartitionState, SeriesState } from "../partition/state.ts";
import type { RunCounts } from "../rules/burn.ts";

/**
 * The state of a partition; the same object where nothing of it is in the future.
 * @param latest the newest instant that can have passed, in milliseconds since the epoch
 */
export function healedPartition(state: PartitionState, latest: number): PartitionState {
  if (state.watermark <= latest + maxAhead) return state;
  const { series, alerts, uptime, reports, runs, ...rest } = state;
  return {
    ...capped(rest, latest),
    reports: reports.map(([id, at]) => [id, Math.min(at, latest)] as const),
    series: new Map([...series].flatMap(([key, one]) => passed(one, latest).map((kept) => [key, kept] as const))),
    alerts: new Map(Array.from(alerts, ([key, alert]) => [key, passedAlert(alert, latest)])),
    ...(runs === undefined ? {} : { runs: mapped(runs, (one) => passedRuns(one, latest)) }),
    ...(uptime === undefined ? {} : { uptime: mapped(uptime, (one) => passedUptime(one, latest)) }),
  };
}

/** The state of the environment, likewise. */
export function healedEnvironment(state: EnvironmentState, latest: number): EnvironmentState {
  if (state.watermark <= latest + maxAhead) return state;
  // Messages say what was true when they were made.
  const { outbox, ...rest } = state;
  return { ...capped(rest, latest), outbox };
}

/** The state of the monitor itself, likewise. */
export function healedSelf(state: SelfState, latest: number): SelfState {
  const {
    tickAt,
    resumedAt,
    flushedAt,
    signalledAt: beatAt,
    canaryAskedAt = 0,
    canaries = {},
    expected,
    retired,
    exported,
    missing,
    told,
    checks,
    drift,
  } = state;
  const single = [
    tickAt,
    resumedAt,
    flushedAt,
    beatAt,
    canaryAskedAt,
    ...Object.values(checks).map(({ at }) => at),
    drift?.askedAt ?? 0,
    drift?.checkedAt ?? 0,
  ];
  const named = [canaries, expected, retired, exported, missing, told].flatMap((record) => Object.values(record));
  const isAhead = (instant: number): boolean => instant > latest + maxAhead;
  if (![...single, ...named].some(isAhead)) return state;
  const cap = (instant: number): number => (isAhead(instant) ? latest : instant);
  return {
    ...state,
    tickAt: cap(tickAt),
    resumedAt: cap(resumedAt),
    flushedAt: cap(flushedAt),
    signalledAt: cap(beatAt),
    ...(state.canaryAskedAt === undefined ? {} : { canaryAskedAt: cap(canaryAskedAt) }),
    ...(state.canaries === undefined ? {} : { canaries: mapped(canaries, cap) }),
    expected: mapped(expected, cap),
    retired: mapped(retired, cap),
    exported: mapped(exported, cap),
    missing: mapped(missing, cap),
    told: mapped(told, cap),
    ...(drift === undefined
      ? {}
      : { drift: { ...capped(drift, latest), askedAt: cap(drift.askedAt), checkedAt: cap(drift.checkedAt) } }),
    checks: mapped(checks, (check) => {
      const { until, at, ...rest } = check;
      if (!isAhead(at)) return check;
      return { ...capped(rest, latest), at: latest, ...(until === undefined ? {} : { until: until - at + latest }) };
    }),
  };
}

/** Fields that hold the instant of something that has happened, wherever they stand. */
const instants: ReadonlySet<string> = new Set([
  ...["at", "since", "firedAt", "failedAt", "lastAt", "goodSince", "holeAt", "otherAt", "blindAt", "watermark"],
  ...["openedAt", "firstFailureAt", "causeSince", "acknowledgedAt", "recoveringAt", "resolvedAt"],
  ...[
    "remindedAt",
    "updatedAt",
    "audibleSince",
    "healthyAt",
    "arrivedAt",
    "badSince",
    "badUntil",
    "otherwiseSince",
    "recoveredAt",
    "reopenedAt",
    "notBefore",
  ],
]);

/** Plain data with each of these that is in the future moved to the present. */
function capped<T>(value: T, latest: number, field = ""): T {
  if (typeof value === "number") return (instants.has(field) ? Math.min(value, latest) : value) as T;
  if (Array.isArray(value)) return value.map((one) => capped(one, latest, field)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [name, capped(one, latest, name)] as const);
  return Object.fromEntries(entries) as T;
}

function mapped<T>(record: Readonly<Record<string, T>>, map: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

/** The series as it had been measured by then; none where nothing had. */
function passed(series: SeriesState, latest: number): SeriesState[] {
  const count = series.times.filter((time) => time <= latest).length;
  return count === 0 ? [] : [{ ...series, times: series.times.slice(0, count), values: series.values.slice(0, count) }];
}

function passedAlert({ history, ...alert }: AlertState, latest: number): AlertState {
  const { base, announced, recent } = history;
  const passed = { base, recent: recent.filter(([at]) => at <= latest), ...(announced && { announced }) };
  return { ...capped(alert, latest), history: capped(passed, latest) };
}

function passedRuns({ bucketMs, first, counts, failures }: RunCounts, latest: number): RunCounts {
  const last = Math.floor(latest / bucketMs);
  return {
    bucketMs,
    first: Math.min(first, last),
    counts: counts.slice(0, Math.max(0, last - first + 1)),
    failures: failures.filter((at) => at <= latest),
  };
}

function passedUptime({ track, recent, ...uptime }: Uptime, latest: number): Uptime {
  return {
    ...uptime,
    recent: until(recent, latest),
    track: { ...capped(track, latest), runs: until(track.runs, latest) },
  };
}

/** Of instants and codes by turns, those that had passed. */
function until(pairs: readonly number[], latest: number): readonly number[] {
  let end = 0;
  while (end < pairs.length && (pairs[end] ?? latest) <= latest) end += 2;
  return pairs.slice(0, end);
}
