/** What a postmortem is written from: the document of an incident, its deliveries, and the availability of its months. */
import { z } from "zod";
import {
  type Availability,
  availabilityCollection,
  monthOf,
  readAvailability,
} from "../../../shared/documents/availability.ts";
import { ledgerCollection, type Reader } from "../../../shared/documents/delivery-summary.ts";
import type { Fields, Store } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { incidentCollection } from "../incident/record/document.ts";

/** Everything that is known of one incident. */
export interface Account {
  readonly id: string;
  readonly incident: IncidentRecord;
  /** What was sent and what was not, in the order of the events. */
  readonly deliveries: readonly DeliveryRecord[];
  /** The months in which it was, oldest first. */
  readonly months: readonly Availability[];
}

/** The document of an incident as it is read here: what is missing, or was broken by hand, is empty. */
export interface IncidentRecord {
  readonly title: string;
  readonly status: string;
  readonly severity: string;
  readonly priority: string;
  readonly impact: string;
  readonly root_cause: string;
  readonly root_cause_since: Date | null;
  readonly also_broken: string | null;
  readonly pattern: string | null;
  readonly verdict: string;
  readonly confidence: number;
  readonly team: string | null;
  readonly evidence: readonly string[];
  readonly whys: readonly string[];
  readonly next_steps: readonly string[];
  readonly affected: readonly Affected[];
  readonly symptoms: readonly SymptomRecord[];
  readonly findings: readonly Finding[];
  readonly first_failure_at: Date | null;
  readonly opened_at: Date | null;
  readonly opened_by: string | null;
  readonly acknowledged_at: Date | null;
  readonly recovering_at: Date | null;
  readonly resolved_at: Date | null;
  /** How it came back after it was resolved, oldest first. */
  readonly relapses: readonly RelapseRecord[];
  readonly recovery: RecoveryRecord | null;
  readonly timeline: readonly string[];
  readonly note: string | null;
  readonly problem: string | null;
  readonly postmortem: string | null;
}

/** One affected component. */
export interface Affected {
  readonly component: string;
  readonly title: string;
  readonly layer: string | null;
  readonly impact: string | null;
  readonly trouble: string;
  readonly from: Date | null;
  readonly until: Date | null;
  readonly availability_target: number;
}

/** One check that failed. */
export interface SymptomRecord {
  readonly check: string;
  readonly kind: string;
  readonly component: string;
  readonly vantage: string | null;
  readonly since: Date;
  readonly until: Date | null;
  readonly times: number;
  readonly showed: string;
}

/** Something that a configuration check found wrong. */
export interface Finding {
  readonly check: string;
  readonly component: string;
  readonly severity: string;
  readonly says: string;
  readonly came_with_it: boolean;
}

/** A time in which the incident was over, before it came back. */
export interface RelapseRecord {
  readonly resolved_at: Date;
  readonly failed_at: Date;
}

/** How the recovery was proved. */
export interface RecoveryRecord {
  readonly status: string;
  readonly stages: readonly {
    readonly name: string;
    readonly status: string;
    readonly seconds: number | null;
    readonly attempts: number;
    readonly unanswered: number;
    readonly failures: readonly string[];
  }[];
  readonly earlier: readonly string[];
}

/** One event for one reader. */
export interface DeliveryRecord extends Reader {
  readonly event: string;
  readonly sequence: number;
  readonly status: string;
  readonly reason: string;
  readonly at: Date;
  readonly delivered_at: Date | null;
  /** Until when it was held back on purpose. */
  readonly held_until?: Date | undefined;
  readonly attempt_count: number;
}

/** More than one incident ever has. */
const mostDeliveries = 10_000;

/** Reads everything; `undefined` where there is no such incident. @throws StoreError */
export async function readAccount(store: Store, id: string): Promise<Account | undefined> {
  const fields = await store.get(incidentCollection, id);
  if (fields === undefined) return undefined;
  const stored = await store.query({
    collection: ledgerCollection,
    where: [["incident", "==", id]],
    limit: mostDeliveries,
  });
  const incident = readIncident(fields);
  const months = await Promise.all(
    monthsOf(incident).map(async (month) => readAvailability(await store.get(availabilityCollection, month))),
  );
  return {
    id,
    incident,
    deliveries: stored
      .flatMap(({ fields: delivery }) => schemas().delivery.safeParse(delivery).data ?? [])
      .sort((a, b) => a.sequence - b.sequence || (a.channel < b.channel ? -1 : 1)),
    months: months.filter((month) => month !== undefined),
  };
}

/** Reads the document of an incident. */
export function readIncident(fields: Fields): IncidentRecord {
  return schemas().incident.parse(fields);
}

/** The UTC months from the first failure to the end, at most three. */
function monthsOf({ first_failure_at: from, resolved_at: to }: IncidentRecord): string[] {
  if (from === null) return [];
  const months = [monthOf(from.getTime())];
  const end = monthOf((to ?? from).getTime());
  while (months.length < 3 && months.at(-1) !== end) {
    const [year = 0, month = 0] = (months.at(-1) ?? "").split("-").map(Number);
    months.push(monthOf(Date.UTC(year, month, 1)));
  }
  return months;
}

const schemas = lazily(() => {
  const text = z.string().catch("");
  const maybe = z.string().nullable().catch(null);
  const count = z.number().catch(0);
  const instant = z.date().nullable().catch(null);
  const texts = listOf(z.string());
  const affected: z.ZodType<Affected> = z.object({
    component: text,
    title: text,
    layer: maybe,
    impact: maybe,
    trouble: text,
    from: instant,
    until: instant,
    availability_target: count,
  });
  const symptom: z.ZodType<SymptomRecord> = z.object({
    check: text,
    kind: text,
    component: text,
    vantage: maybe,
    since: z.date(),
    until: instant,
    times: count,
    showed: text,
  });
  const finding: z.ZodType<Finding> = z.object({
    check: text,
    component: text,
    severity: text,
    says: text,
    came_with_it: z.boolean().catch(false),
  });
  const recovery: z.ZodType<RecoveryRecord | null> = z
    .object({
      status: text,
      stages: listOf(
        z.object({
          name: text,
          status: text,
          seconds: z.number().nullable().catch(null),
          attempts: count,
          unanswered: count,
          failures: texts,
        }),
      ),
      earlier: texts,
    })
    .nullable()
    .catch(null);
  const relapse: z.ZodType<RelapseRecord> = z.object({ resolved_at: z.date(), failed_at: z.date() });
  const incident: z.ZodType<IncidentRecord> = z.object({
    title: text,
    status: text,
    severity: text,
    priority: text,
    impact: text,
    root_cause: z.string().catch("unknown"),
    root_cause_since: instant,
    also_broken: maybe,
    pattern: maybe,
    verdict: text,
    confidence: count,
    team: maybe,
    evidence: texts,
    whys: texts,
    next_steps: texts,
    affected: listOf(affected),
    symptoms: listOf(symptom),
    findings: listOf(finding),
    first_failure_at: instant,
    opened_at: instant,
    opened_by: maybe,
    acknowledged_at: instant,
    recovering_at: instant,
    resolved_at: instant,
    relapses: listOf(relapse),
    recovery,
    timeline: texts,
    note: maybe,
    problem: maybe,
    postmortem: maybe,
  });
  const delivery: z.ZodType<DeliveryRecord> = z.object({
    event: z.string(),
    channel: z.string(),
    recipient: z.string().optional(),
    sequence: count,
    status: text,
    reason: text,
    at: z.date(),
    delivered_at: instant,
    held_until: z.date().optional().catch(undefined),
    attempt_count: count,
  });
  return { incident, delivery };
});

/** A list, without the entries that cannot be read; empty where it is none. */
function listOf<T>(entry: z.ZodType<T>): z.ZodType<T[]> {
  return z
    .array(z.unknown())
    .catch([])
    .transform((items) =>
      items.flatMap((item) => {
        const parsed = entry.safeParse(item);
        return parsed.success ? [parsed.data] : [];
      }),
    );
}
