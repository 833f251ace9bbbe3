/** Reads outcomes of runs, for the invariants. */
import type { Delivery } from "../../../functions/notify/deliver/ledger.ts";
import type { Reader } from "../../../shared/documents/delivery-summary.ts";
import { incidentCollection } from "../../../shared/documents/incident.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { Fields, Value } from "../../../shared/ports.ts";
import type { FaultKind } from "../faults.ts";
import type { Outcome } from "../outcome.ts";

/** Returns whether the run does not wait for an incident of the monitor to end. */
export function isUnfinished({ schedule, environment }: Outcome, id: string): boolean {
  return !schedule.isPatient && environment.incidents[id]?.diagnosis.verdict === "monitor";
}

/** Returns whether the outcome of a run must equal that of the outage without faults. */
export function isComparable(outcome: Outcome): boolean {
  const isEnded = outcome.schedule.faults.some((fault) => fault.fault === "edit" && fault.edit.ends === true);
  return !isEnded && !hasFault(outcome, "configuration change");
}

export function hasFault({ struck }: Outcome, fault: FaultKind): boolean {
  return (struck.get(fault) ?? 0) > 0;
}

/** Returns the incidents of targets, by when they began. */
export function targets({ documents }: Outcome): { readonly id: string; readonly fields: Fields }[] {
  return [...documents.of(incidentCollection)]
    .filter(({ fields }) => fields["verdict"] !== "monitor")
    .sort((a, b) => instantOf(a.fields, "first_failure_at") - instantOf(b.fields, "first_failure_at"));
}

export function eventsByIncident({ events }: Outcome): Map<string, IncidentEvent[]> {
  const sorted = [...events.values()].sort((a, b) => a.sequence - b.sequence);
  return Map.groupBy(sorted, ({ incident }) => incident);
}

export function ledgerOf({ ledger }: Outcome, incident: string): Delivery[] {
  return [...ledger.values()].filter((delivery) => delivery.incident === incident);
}

export function isOf(delivery: Reader, reader: Reader): boolean {
  return delivery.channel === reader.channel && delivery.recipient === reader.recipient;
}

export function instantOf(fields: Fields, name: string): number {
  const value = fields[name];
  return value instanceof Date ? value.getTime() : Number.NaN;
}

export function shown(value: Value | undefined): string {
  return JSON.stringify(Array.isArray(value) ? [...value].sort() : (value ?? null));
}

export function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
