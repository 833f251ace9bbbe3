/** Common parts of the probes of Cloud Monitoring: their readings are made concurrently, and every value keeps its age. */
import type { z } from "zod";
import { duration, googleProject, googleRegion } from "../../../shared/config/fields.ts";
import { readingPhase } from "../../../shared/messages/report.ts";
import { GoogleApiError } from "../../../shared/ports.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { formatDuration, spokenDuration } from "../../../shared/text/units.ts";
import type { SeenFailure } from "../net/faults.ts";
import type { Assessment, ProbeWorld } from "../prober.ts";
import { googleReads } from "./permissions.ts";
import { type Access, refusalOf } from "./refusal.ts";
import { type Found, type Reading, read, type Sample, windowOf } from "./series.ts";

/** A reading of a kind. */
export interface WantedReading extends Reading {
  /** Not everywhere to be had: then the probe goes without it. @default false */
  readonly optional?: boolean;
}

/** Results by the names of the readings. A name is absent if there were no points in the window. */
export interface Observed<Name extends string> {
  /** Why some of it could not be read, or all of it. */
  readonly failure?: SeenFailure;
  /** Names of the readings that failed: their absence from the results means nothing. @default nothing */
  readonly unread?: ReadonlySet<Name>;
  /** When it was read, in milliseconds since the epoch. */
  readonly now: number;
  readonly found: Readonly<Partial<Record<Name, Found>>>;
}

/** One sample of the report. */
export type Measured = Assessment["measurements"][number];

/** The longest a reading may reach back for one point. */
const longestPeriodMs = 86_400_000;

/** The schema of `period`. Cloud Monitoring aligns to no less than a minute. */
export const period: () => z.ZodType<number, unknown> = lazily(() =>
  duration()
    .refine((value) => value >= 60_000 && value <= longestPeriodMs && value % 60_000 === 0, {
      error: () => `must be whole minutes, from 1m to ${formatDuration(longestPeriodMs)}`,
    })
    .prefault("1m")
    .describe("The time that one measurement covers. With little traffic, a longer period gives steadier rates."),
);

/** Settings that every kind has which reads a resource in a region. */
export const regional: () => {
  readonly project: z.ZodType<string, string>;
  readonly region: z.ZodType<string, string>;
} = () => ({
  project: googleProject(),
  region: googleRegion(),
});

/** The notes on Cloud Monitoring on the page of every kind. @param series that one run of the probe returns */
export function monitoringNotes(series: string, delay: string): string {
  return `## How old it is

Google shows a point only some time after it was measured: here after up to ${delay}. So the probe looks back over that time and two periods more, and
measures what was, not what is. \`data_age\` says how old the stalest point was; a condition that needs fresh data can ask for it, as in
\`data_age < 10m and …\`. That nothing was to be read of a level is never taken for a zero. A success of this probe says that it could read, not that
the component works: it acquits nobody when a cause is looked for, and a failure to read accuses nobody.

## What it needs, and what it costs

The API \`monitoring.googleapis.com\` enabled in the project, and for the probe's identity \`roles/monitoring.viewer\` there (permission
\`monitoring.timeSeries.list\`). Google bills the series that are returned, $0.50 a million beyond the first million of a month, so each metric is
read in one request and aggregated by Google: ${series}. Every minute for a month, each series is 43,200 of them.
`;
}

/** Leaves WebSockets out of latencies: each is a request that lasts as long as it is open. */
export const withoutSockets = 'metric.labels.response_code != "101"';

/** Returns the access that reading Cloud Monitoring requires. */
export function monitoringAccess(project: string): Access {
  const { api: service, permission, role } = googleReads.time_series;
  return { api: "Cloud Monitoring", service, project, permission, role };
}

/** Makes all readings at the same time. What one of them finds is kept where another one fails. */
export async function observeReadings<Name extends string>(
  readings: { readonly [One in Name]?: WantedReading },
  project: string,
  world: ProbeWorld,
): Promise<Observed<Name>> {
  const now = world.now();
  const found: Partial<Record<Name, Found>> = {};
  const unread = new Set<Name>();
  let failure: SeenFailure | undefined;
  await Promise.all(
    (Object.entries(readings) as [Name, WantedReading][]).map(async ([name, reading]) => {
      try {
        const one = await readWanted(reading, project, world);
        if (one !== undefined) setEntry<Found | undefined>(found, name, one);
      } catch (error) {
        unread.add(name);
        failure ??= readingFailure(error, project, world);
      }
    }),
  );
  return { now, found, ...(failure === undefined ? {} : { failure, unread }) };
}

function readingFailure(error: unknown, project: string, world: ProbeWorld): SeenFailure {
  return error instanceof UnknownMetric
    ? { kind: "protocol", phase: readingPhase, message: error.message }
    : refusalOf(error, monitoringAccess(project), world.signal);
}

/** Returns whether a reading succeeded, so that an absent result means that there were no points. */
export function wasRead<Name extends string>({ unread }: Observed<Name>, name: Name): boolean {
  return unread?.has(name) !== true;
}

/** Returns the age of the oldest point read: every measurement may be this old. */
export function dataAge({ now, found }: Observed<string>): Measured[] {
  const instants = Object.values<Found | undefined>(found).flatMap((one) => one?.at ?? []);
  return instants.length === 0 ? [] : [{ metric: "data_age", value: Math.max(0, now - Math.min(...instants)) / 1000 }];
}

/** The age of what was read, for the end of a sentence: `3 min ago`. */
export function agoOf({ at }: Found, now: number): string {
  return `${spokenDuration(now - at)} ago`;
}

/** The failure that there was nothing to read where there always is something. @param why what that means */
export function nothingRead(reading: Reading, now: number, why: string): SeenFailure {
  return {
    kind: "unavailable",
    phase: readingPhase,
    message: `Cloud Monitoring has no point of ${reading.metricType} ${windowPhrase(reading, now)}: ${why}`,
  };
}

/** The stretch of time that a reading looked at: `between 12:00 and 12:06 UTC`. */
export function windowPhrase(reading: Reading, now: number): string {
  const { start, end } = windowOf(reading, now);
  return `between ${clock(start)} and ${clock(end)} UTC`;
}

/** The only number that was read; `undefined` where nothing was. */
export function numberIn(found: Found | undefined): number | undefined {
  return found?.samples[0]?.value;
}

/** One sample, where there is a number. */
export function sampled(metric: Measured["metric"], value: number | undefined): Measured[] {
  return value === undefined ? [] : [{ metric, value }];
}

/** Seconds, as everything is measured here, of a number in milliseconds. */
export function fromMilliseconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

/** Values by one of their labels, by the short names that `name` gives to what the label says. */
export function valuesBy(
  samples: readonly Sample[],
  label: string,
  name: (text: string) => string = (text) => text,
): Readonly<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const { labels, value } of samples) {
    const key = name(ownEntry(labels, label) ?? "unknown");
    setEntry(values, key, (ownEntry(values, key) ?? 0) + value);
  }
  return values;
}

class UnknownMetric extends Error {}

/** @throws UnknownMetric when Cloud Monitoring knows no such metric, and the probe cannot go without it */
async function readWanted(reading: WantedReading, project: string, world: ProbeWorld): Promise<Found | undefined> {
  try {
    return await read(reading, project, world);
  } catch (error) {
    if (!isUnknownMetric(error)) throw error;
    if (reading.optional) return undefined;
    throw new UnknownMetric(unknownMetric(reading, project));
  }
}

/** Cloud Monitoring says it with 404 or, for some filters, with 400; there is no reason of its own. */
function isUnknownMetric(error: unknown): boolean {
  if (!(error instanceof GoogleApiError)) return false;
  const { status, message } = error;
  return (
    (status === 404 && /metric/i.test(message)) || (status === 400 && /known metric|valid combination/i.test(message))
  );
}

const logBased = "logging.googleapis.com/user/";

function unknownMetric({ metricType }: Reading, project: string): string {
  return metricType.startsWith(logBased)
    ? `there is no log-based metric ${metricType.slice(logBased.length)} in the project ${project}: create it, or correct its name`
    : `Cloud Monitoring knows no metric ${metricType} in the project ${project}: correct its name, or wait for its first point`;
}

function clock(instant: number): string {
  return new Date(instant).toISOString().slice(11, 16);
}
