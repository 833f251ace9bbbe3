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
  /** Whether the metric may be unavailable: then the probe does without it. @default false */
  readonly optional?: boolean;
}

/** Results by the names of the readings. A name is absent if there were no points in the window. */
export interface Observed<Name extends string> {
  /** Why some or all readings failed. */
  readonly failure?: SeenFailure;
  /** Names of the readings that failed: their absence from the results means nothing. @default nothing */
  readonly unread?: ReadonlySet<Name>;
  /** When it was read, in milliseconds since the epoch. */
  readonly now: number;
  readonly found: Readonly<Partial<Record<Name, Found>>>;
}

/** One sample of the report. */
export type Measured = Assessment["measurements"][number];

/** Maximum lookback of a reading for one point. */
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

/** Settings of every kind that reads a resource in a region. */
export const regional: () => {
  readonly project: z.ZodType<string, string>;
  readonly region: z.ZodType<string, string>;
} = () => ({
  project: googleProject(),
  region: googleRegion(),
});

/** The notes on Cloud Monitoring on the page of every kind. @param series that one run of the probe returns */
export function monitoringNotes(series: string, delay: string): string {
  return `## Age of the data

Google makes a point available only some time after its measurement: here up to ${delay}. Therefore the probe looks back over that time and two more
periods, and its measurements describe the recent past. \`data_age\` is the age of the oldest point. A condition that needs fresh data can require
it, as in
\`data_age < 10m and …\`. A missing point of a gauge is never treated as zero. A success of this probe means that it could read the data, not that
the component works: it rules out no cause in a diagnosis, and a failure to read does not count against any component.

## Permissions and cost

The probe requires the API \`monitoring.googleapis.com\` to be enabled in the project, and \`roles/monitoring.viewer\` there for its identity
(permission \`monitoring.timeSeries.list\`). Google bills the returned series, $0.50 per million beyond the first million in a month, so each metric
is read in one request and aggregated by Google: ${series}. Read every minute, each series counts 43,200 times per month.
`;
}

/** Excludes WebSockets from latencies: each is a request that lasts as long as it is open. */
export const withoutSockets = 'metric.labels.response_code != "101"';

/** Returns the access that reading Cloud Monitoring requires. */
export function monitoringAccess(project: string): Access {
  const { api: service, permission, role } = googleReads.time_series;
  return { api: "Cloud Monitoring", service, project, permission, role };
}

/** Makes all readings concurrently. The results of some are kept if others fail. */
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

/** Returns the age of the data, for the end of a sentence: `3 min ago`. */
export function agoOf({ at }: Found, now: number): string {
  return `${spokenDuration(now - at)} ago`;
}

/** Returns the failure for missing points where there always are some. @param why the likely reason */
export function nothingRead(reading: Reading, now: number, why: string): SeenFailure {
  return {
    kind: "unavailable",
    phase: readingPhase,
    message: `Cloud Monitoring has no data points for ${reading.metricType} ${windowPhrase(reading, now)}: ${why}`,
  };
}

/** Returns the time range of a reading: `between 12:00 and 12:06 UTC`. */
export function windowPhrase(reading: Reading, now: number): string {
  const { start, end } = windowOf(reading, now);
  return `between ${clock(start)} and ${clock(end)} UTC`;
}

/** Returns the single value that was read; `undefined` if there was none. */
export function numberIn(found: Found | undefined): number | undefined {
  return found?.samples[0]?.value;
}

/** Returns one sample, or none if there is no value. */
export function sampled(metric: Measured["metric"], value: number | undefined): Measured[] {
  return value === undefined ? [] : [{ metric, value }];
}

/** Converts a number in milliseconds to seconds. */
export function fromMilliseconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

/** Returns the values by one of their labels, with the short names that `name` gives to its values. */
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

/** @throws UnknownMetric if Cloud Monitoring does not know the metric, and the probe requires it */
async function readWanted(reading: WantedReading, project: string, world: ProbeWorld): Promise<Found | undefined> {
  try {
    return await read(reading, project, world);
  } catch (error) {
    if (!isUnknownMetric(error)) throw error;
    if (reading.optional) return undefined;
    throw new UnknownMetric(unknownMetric(reading, project));
  }
}

/** Cloud Monitoring reports it with 404 or, for some filters, with 400, and without a reason of its own. */
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
    : `Cloud Monitoring has no metric ${metricType} in the project ${project}: correct its name, or wait for its first data point`;
}

function clock(instant: number): string {
  return new Date(instant).toISOString().slice(11, 16);
}
