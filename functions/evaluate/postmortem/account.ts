/** Sources of a postmortem: the document of an incident, its deliveries, and the availability of its months. */
import { z } from "zod";
import {
  type Availability,
  availabilityCollection,
  monthOf,
  readAvailability,
} from "../../../shared/documents/availability.ts";
import { ledgerCollection, type Reader } from "../../../shared/documents/delivery-summary.ts";
import { type IncidentDocument, incidentCollection, readIncident } from "../../../shared/documents/incident.ts";
import type { Store } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";

/** An incident with its deliveries and the availability of its months. */
export interface Account {
  readonly id: string;
  readonly incident: IncidentDocument;
  /** Sent and suppressed notifications, in the order of the events. */
  readonly deliveries: readonly DeliveryRecord[];
  /** The months of the incident, oldest first. */
  readonly months: readonly Availability[];
}

/** Delivery of one event to one reader. */
export interface DeliveryRecord extends Reader {
  readonly event: string;
  readonly sequence: number;
  readonly status: string;
  readonly reason: string;
  readonly at: Date;
  readonly delivered_at: Date | null;
  /** End of a deliberate hold. */
  readonly held_until?: Date | undefined;
  readonly attempt_count: number;
}

/** Maximum number of deliveries read; incidents have fewer. */
const maxDeliveries = 10_000;

/** Reads an incident and its sources; `undefined` if it does not exist. @throws StoreError */
export async function readAccount(store: Store, id: string): Promise<Account | undefined> {
  const fields = await store.get(incidentCollection, id);
  if (fields === undefined) return undefined;
  const stored = await store.query({
    collection: ledgerCollection,
    where: [["incident", "==", id]],
    limit: maxDeliveries,
  });
  const incident = readIncident(fields);
  const months = await Promise.all(
    monthsOf(incident).map(async (month) => readAvailability(await store.get(availabilityCollection, month))),
  );
  return {
    id,
    incident,
    deliveries: stored
      .flatMap(({ fields: delivery }) => deliverySchema().safeParse(delivery).data ?? [])
      .sort((a, b) => a.sequence - b.sequence || (a.channel < b.channel ? -1 : 1)),
    months: months.filter((month) => month !== undefined),
  };
}

/** Returns the UTC months from the first failure to the end, at most three. */
function monthsOf({ first_failure_at: from, resolved_at: to }: IncidentDocument): string[] {
  if (from === null) return [];
  const months = [monthOf(from.getTime())];
  const end = monthOf((to ?? from).getTime());
  while (months.length < 3 && months.at(-1) !== end) {
    const [year = 0, month = 0] = (months.at(-1) ?? "").split("-").map(Number);
    months.push(monthOf(Date.UTC(year, month, 1)));
  }
  return months;
}

const deliverySchema = lazily((): z.ZodType<DeliveryRecord> => {
  const text = z.string().catch("");
  const count = z.number().catch(0);
  return z.object({
    event: z.string(),
    channel: z.string(),
    recipient: z.string().optional(),
    sequence: count,
    status: text,
    reason: text,
    at: z.date(),
    delivered_at: z.date().nullable().catch(null),
    held_until: z.date().optional().catch(undefined),
    attempt_count: count,
  });
});
