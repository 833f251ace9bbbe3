/**
 * Availability as it is kept and read: a document per UTC day and per UTC month in the collection `availability`, and the arithmetic of
 * targets and error budgets. Pure. What counts as down is written in docs/availability.md.
 */
import { z } from "zod";
import type { Configuration } from "../config/model.ts";
import { severities } from "../messages/severity.ts";
import type { Fields } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";
import { lazily } from "../runtime/lazily.ts";
import { namedRecord } from "../runtime/named-record.ts";

/** Name of the collection. Ids are periods: `2025-09-16` or `2025-09`. */
export const availabilityCollection = "availability";

const schemas = lazily(() => {
  const seconds = z.number().min(0);
  const count = z.number().min(0);
  const shares = z.object({
    up: seconds,
    down: seconds,
    /** Nothing was measured, or by a prober in trouble of its own. */
    unknown: seconds,
    /** Planned work, which is neither up nor down nor unknown; absent without any. */
    maintenance: seconds.optional(),
  });
  const day = z.object({
    /** By name; only those that are measured. */
    components: namedRecord(z.string(), shares),
    /** By the name of the probe. */
    journeys: namedRecord(z.string(), z.object({ attempts: count, successes: count })),
    /** Absent where an older version wrote it. */
    downtime: namedRecord(z.string(), namedRecord(z.string(), seconds)).optional(),
  });
  const incident = z.object({
    severity: z.enum(severities),
    /** RFC 3339. */
    opened_at: z.string(),
    /** From the first failure to the opening of the incident. */
    detect: seconds,
    /** From the opening to the acknowledgement; absent when nobody acknowledged. */
    acknowledge: seconds.optional(),
    /** From the first failure to the proof of the recovery; absent while it lasts. */
    recover: seconds.optional(),
  });
  const period = day.extend({
    /** `2025-09-16` or `2025-09`, in UTC. */
    period: z.string(),
    incidents: z.object({
      count,
      resolved: count,
      mean_detect: seconds.nullable(),
      mean_acknowledge: seconds.nullable(),
      mean_recover: seconds.nullable(),
      /** By the id of the incident. */
      each: namedRecord(z.string(), incident),
    }),
  });
  return { period, days: namedRecord(z.string(), day) };
});

type Schemas = ReturnType<typeof schemas>;

/** One day or month. */
export type Availability = z.output<Schemas["period"]>;

/** Results of the probes for one day. */
export type Day = z.output<Schemas["days"]>[string];

/** Time up, down and unknown, in whole seconds. Time before the first measurement is unknown. */
export type Shares = Day["components"][string];

/** Number of runs of a journey, and of completed ones. */
export type JourneyCount = Day["journeys"][string];

/** Downtime caused by each incident within a period: whole seconds by component name, by incident id. */
export type Downtime = NonNullable<Day["downtime"]>;

/** The incidents that were opened in a period, those of the monitor itself left out. Means in whole seconds, null without any. */
export type IncidentFigures = Availability["incidents"];

/** Times to detect, acknowledge and resolve one incident, in whole seconds. */
export type IncidentTimes = IncidentFigures["each"][string];

/** Default target: 99 % of a month. */
export const defaultTarget = 0.99;

/** The share of time that a component is to be up, from 0 to 1. */
export function targetOf({ availability }: Configuration, component: string): number {
  return ownEntry(availability?.components, component) ?? availability?.target ?? defaultTarget;
}

/** The share of the known time that it was up, from 0 to 1; `undefined` when nothing is known. */
export function upRatio({ up, down }: Pick<Shares, "up" | "down">): number | undefined {
  return up + down === 0 ? undefined : up / (up + down);
}

/** The share of the attempts that succeeded, from 0 to 1; `undefined` without any. */
export function successRatio({ attempts, successes }: JourneyCount): number | undefined {
  return attempts === 0 ? undefined : successes / attempts;
}

/** Remaining error budget. */
export interface ErrorBudget {
  /** Seconds that may be down in the whole period. */
  readonly allowed: number;
  /** Seconds that were. */
  readonly used: number;
  /** The share that is left: 1 of an untouched budget, 0 of one that is used up, negative of one that is overdrawn. */
  readonly left: number;
  /** Burn rate: at 1 the budget lasts exactly as long as its period; `undefined` if nothing is known. */
  readonly burn: number | undefined;
}

/** The error budget of a component over a day or month. A target of 100 % has none: it is used up by the first second. */
export function errorBudget(period: string, shares: Shares, target: number): ErrorBudget {
  const allowed = (1 - target) * periodSeconds(period);
  const used = shares.down;
  const ratio = upRatio(shares);
  const left = allowed > 0 ? 1 - used / allowed : used === 0 ? 1 : Number.NEGATIVE_INFINITY;
  const burn = ratio === undefined ? undefined : target < 1 ? (1 - ratio) / (1 - target) : used === 0 ? 0 : Infinity;
  return { allowed, used, left, burn };
}

/** The first instant of a day or month, in milliseconds since the epoch. */
export function periodStart(period: string): number {
  return Date.parse(period.length === 7 ? `${period}-01T00:00:00Z` : `${period}T00:00:00Z`);
}

/** Length of a day or month in seconds. */
export function periodSeconds(period: string): number {
  if (period.length !== 7) return 86_400;
  const [year = 0, month = 0] = period.split("-").map(Number);
  return (Date.UTC(year, month, 1) - Date.UTC(year, month - 1, 1)) / 1000;
}

/** The UTC day of an instant: `2025-09-16`. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** The UTC month of an instant: `2025-09`. */
export function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}

/** The figures of incidents. */
export function incidentFigures(each: Readonly<Record<string, IncidentTimes>>): IncidentFigures {
  const times = Object.values(each);
  const mean = (pick: (one: IncidentTimes) => number | undefined): number | null => {
    const known = times.flatMap((one) => pick(one) ?? []);
    return known.length === 0 ? null : Math.round(known.reduce((sum, value) => sum + value, 0) / known.length);
  };
  return {
    count: times.length,
    resolved: times.filter(({ recover }) => recover !== undefined).length,
    mean_detect: mean(({ detect }) => detect),
    mean_acknowledge: mean(({ acknowledge }) => acknowledge),
    mean_recover: mean(({ recover }) => recover),
    each,
  };
}

/** A day or month from its document; `undefined` where there is none, or one that somebody has broken. */
export function readAvailability(fields: Fields | undefined): Availability | undefined {
  const parsed = schemas().period.safeParse(fields);
  return parsed.success ? parsed.data : undefined;
}

/** The days of a month from its document, by date: one read in place of thirty. Empty where there is none, or one that somebody has broken. */
export function readDays(month: Fields | undefined): Readonly<Record<string, Day>> {
  try {
    return schemas().days.parse((JSON.parse(String(month?.["data"] ?? "")) as { days?: unknown }).days);
  } catch {
    return {};
  }
}
