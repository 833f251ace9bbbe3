/** Applies the present document of an incident to an event. Pure. */
import { type IncidentDocument, readIncident } from "../../../shared/documents/incident.ts";
import { type IncidentEvent, parseIncidentEvent } from "../../../shared/messages/incident-event.ts";
import { MalformedMessage } from "../../../shared/messages/parse.ts";
import type { Fields } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";

/** Returns an event with the present state of its incident; `undefined` if the document does not have it. */
export function withPresentState(event: IncidentEvent, document: Fields | undefined): IncidentEvent | undefined {
  if (document === undefined) return undefined;
  const {
    opened_at,
    first_failure_at,
    resolved_at,
    acknowledged_by,
    edits,
    also_broken,
    suspected_change,
    team,
    candidates,
    ...now
  } = readIncident(document);
  try {
    return parseIncidentEvent({
      ...event,
      ...now,
      environment: event.environment,
      drill: event.drill,
      opened_at: opened_at?.toISOString() ?? event.opened_at,
      first_failure_at: first_failure_at?.toISOString() ?? event.first_failure_at,
      resolved_at: resolved_at?.toISOString(),
      acknowledged_by: acknowledged_by ?? pendingAcknowledgement(now.status, edits),
      also_broken: also_broken ?? undefined,
      suspected_change: suspected_change ?? undefined,
      team: team ?? undefined,
      candidates: candidates.length === 0 ? undefined : candidates,
    });
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined;
    throw error;
  }
}

/** Returns who acknowledged it, if the evaluator has not processed that yet. */
function pendingAcknowledgement(status: string, edits: IncidentDocument["edits"]): string | undefined {
  const author = status === "acknowledged" ? ownEntry(edits, "status") : undefined;
  return author && `${author.by}, ${author.via}`;
}
