/** Questions about the outcome of a run that several invariants ask. */

import type { Delivery } from "../../functions/notify/deliver/ledger.ts";
import type { Reader } from "../../shared/documents/delivery-summary.ts";
import { incidentCollection } from "../../shared/documents/incident.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { Fields } from "../../shared/ports.ts";
import type { FaultKind } from "./faults.ts";
import type { Outcome } from "./outcome.ts";

/** Returns whether the run does not wait for an incident of the monitor to end. */
export function isUnfinished({ schedule, environment }: Outcome, id: string): boolean {
  return !schedule.isPatient && environment.incidents[id]?.diagnosis.verdict === "monitor";
}

/** Returns whether the outcome of a run must equal that of the outage without faults. */
export function isComparable(outcome: Outcome): boolean {
  const isEnded = outcome.schedule.faults.some((fault) => fault.fault === "edit" && fault.edit.ends === true);
  return !isEnded && !hasFault(outcome, "configuration change");
}

/** Returns whether a live instance may lose a claim: because of a clock, or because the claim cannot be renewed. */
export function isLeaseAtRisk(outcome: Outcome): boolean {
  return (["clock jump", "store outage", "refusal", "lost answer", "contention", "stall"] as const).some((fault) =>
    hasFault(outcome, fault),
  );
}

/** Returns whether a fault of this kind has struck. */
export function hasFault({ struck }: Outcome, fault: FaultKind): boolean {
  return (struck.get(fault) ?? 0) > 0;
}

/** Returns the incidents of targets, by when they began. */
export function targets({ documents }: Outcome): { readonly id: string; readonly fields: Fields }[] {
  return [...documents.of(incidentCollection)]
    .filter(({ fields }) => fields["verdict"] !== "monitor")
    .sort((a, b) => instantOf(a.fields, "first_failure_at") - instantOf(b.fields, "first_failure_at"));
}

/** Returns the events of each incident, in order. */
export function eventsByIncident({ events }: Outcome): Map<string, IncidentEvent[]> {
  const sorted = [...events.values()].sort((a, b) => a.sequence - b.sequence);
  return Map.groupBy(sorted, ({ incident }) => incident);
}

/** Returns the ledger entries of an incident. */
export function ledgerOf({ ledger }: Outcome, incident: string): Delivery[] {
  return [...ledger.values()].filter((delivery) => delivery.incident === incident);
}

/** What one reader received, and its ledger entries. */
export interface ReaderRecord {
  readonly name: string;
  readonly reader: Reader;
  readonly entries: readonly Delivery[];
  readonly received: readonly { readonly delivery: Delivery; readonly notice: string }[];
}

/** Returns the notifications that each reader received, in order, and its ledger entries. */
export function byReader(outcome: Outcome): ReaderRecord[] {
  const deliveryOf = new Map(outcome.sent.map(({ reader, notice, delivery }) => [`${reader} ${notice}`, delivery]));
  return [...outcome.readers].map(([name, reader]) => {
    const arrivals = outcome.receivers.get(name)?.arrivals ?? [];
    return {
      ...{ name, reader },
      entries: [...outcome.ledger.values()].filter((one) => isOf(one, reader)).sort((a, b) => a.sequence - b.sequence),
      received: arrivals.flatMap(({ notice }) => {
        const delivery = outcome.ledger.get(deliveryOf.get(`${name} ${notice}`) ?? "");
        return delivery === undefined ? [] : [{ delivery, notice }];
      }),
    };
  });
}

/** Returns whether a delivery is for a reader. */
export function isOf(delivery: Reader, reader: Reader): boolean {
  return delivery.channel === reader.channel && delivery.recipient === reader.recipient;
}

/** Returns an instant in a document, in milliseconds since the epoch; NaN if there is none. */
export function instantOf(fields: Fields, name: string): number {
  const value = fields[name];
  return value instanceof Date ? value.getTime() : Number.NaN;
}
