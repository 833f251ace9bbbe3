/**
 * Availability as it is kept and read: a document per UTC day and per UTC month in the collection `availability`, and the arithmetic of
 * targets and error budgets. Pure. What counts as down is written in docs/availability.md.
 */
import { z } from "zod";
import type { Configuration } from "../config/model.ts";
import { type Severity, severities } from "../messages/severity.ts";
import type { Fields } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";
import { lazily } from "../runtime/lazily.ts";
import { namedRecord } from "../runtime/named-record.ts";

/** Name of the collection. Ids are periods: `2025-09-16` or `2025-09`. */
export const availabilityCollection = "availability";

/** How long a component was what, in whole seconds. Time before it was first measured is unknown. */
export interface Shares {
  readonly up: number;
  readonly down: number;
  /** Nothing was measured, or by a prober in trouble of its own. */
  readonly unknown: number;
  /** Planned work, which is neither up nor down nor unknown; absent without any. */
  readonly maintenance?: number | undefined;
}

/** How often a journey was walked, and how often to its end. */
export interface JourneyCount {
  readonly attempts: number;
  readonly successes: number;
}

/** How fast one incident was seen, taken up and over, in whole seconds. */
export interface IncidentTimes {
  readonly severity: Severity;
  /** RFC 3339. */
  readonly opened_at: string;
  /** From the first failure to the opening of the incident. */
  readonly detect: number;
  /** From the opening to the acknowledgement; absent when nobody acknowledged. */
  readonly acknowledge?: number | undefined;
  /** From the first failure to the proof of the recovery; absent while it lasts. */
  readonly recover?: number | undefined;
}

/** The incidents that were opened in a period, those of the monitor itself left out. Means in whole seconds, null without any. */
export interface IncidentFigures {
  readonly count: number;
  readonly resolved: number;
  readonly mean_detect: number | null;
  readonly mean_acknowledge: number | null;
  readonly mean_recover: number | null;
  /** By the id of the incident. */
  readonly each: Readonly<Record<string, IncidentTimes>>;
}

/** How long an incident took a component down within a period: whole seconds by the name of the component, by the id of the incident. */
export type Downtime = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What the probes say of one day. */
export interface Day {
  /** By name; only those that are measured. */
  readonly components: Readonly<Record<string, Shares>>;
  /** By the name of the probe. */
  readonly journeys: Readonly<Record<string, JourneyCount>>;
  /** Absent where an older version wrote it. */
  readonly downtime?: Downtime | undefined;
}

/** One day or month. */
export interface Availability {
  /** `2025-09-16` or `2025-09`, in UTC. */
  readonly period: string;
  /** By name; only those that are measured. */
  readonly components: Readonly<Record<string, Shares>>;
  /** By the name of the probe. */
  readonly journeys: Readonly<Record<string, JourneyCount>>;
  readonly incidents: IncidentFigures;
  /** Of the incidents that reached into it, also where they were opened before. Absent where an older version wrote it. */
  readonly downtime?: Downtime | undefined;
}

/** What is promised where the configuration says nothing: 99 % of a month. */
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

/** What may still fail. */
export interface ErrorBudget {
  /** Seconds that may be down in the whole period. */
  readonly allowed: number;
  /** Seconds that were. */
  readonly used: number;
  /** The share that is left: 1 of an untouched budget, 0 of one that is used up, negative of one that is overdrawn. */
  readonly left: number;
  /** How fast it is used: at 1 the budget lasts exactly as long as what it is for; `undefined` when nothing is known. */
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

/** How many seconds a day or month has. */
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

const schemas = lazily(() => {
  const seconds = z.number().min(0);
  const shares = z.object({ up: seconds, down: seconds, unknown: seconds, maintenance: seconds.optional() });
  const day = {
    components: namedRecord(z.string(), shares),
    journeys: namedRecord(z.string(), z.object({ attempts: seconds, successes: seconds })),
    downtime: namedRecord(z.string(), namedRecord(z.string(), seconds)).optional(),
  };
  const period: z.ZodType<Availability> = z.object({
    ...day,
    period: z.string(),
    incidents: z.object({
      count: seconds,
      resolved: seconds,
      mean_detect: seconds.nullable(),
      mean_acknowledge: seconds.nullable(),
      mean_recover: seconds.nullable(),
      each: namedRecord(
        z.string(),
        z.object({
          severity: z.enum(severities),
          opened_at: z.string(),
          detect: seconds,
          acknowledge: seconds.optional(),
          recover: seconds.optional(),
        }),
      ),
    }),
  });
  const days: z.ZodType<Readonly<Record<string, Day>>> = namedRecord(z.string(), z.object(day));
  return { period, days };
});

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
