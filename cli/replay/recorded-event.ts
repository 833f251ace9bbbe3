/** An event of an incident that was: made of its document, for previews of what people would read of it. */

import {
  type IncidentEvent,
  type IncidentEventKind,
  parseIncidentEvent,
} from "../../shared/messages/incident-event.ts";
import { MalformedMessage } from "../../shared/messages/parse.ts";
import type { Fields, Store, Value } from "../../shared/ports.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { WrongUsage } from "../command.ts";
import { sampleChanges, sampleStatuses } from "../sample-event.ts";

/** Among how many incidents a mistyped id is looked for, the newest. */
const known = 200;

/**
 * The document of an incident.
 * @throws WrongUsage where there is none, with the nearest id
 */
export async function incidentDocument(store: Store, id: string): Promise<Fields> {
  const document = await store.get("incidents", id);
  if (document !== undefined) return document;
  const orderBy = { field: "opened_at", direction: "desc" } as const;
  const ids = (await store.query({ collection: "incidents", orderBy, limit: known })).map((one) => one.id);
  const near = nearest(id, ids);
  const newest = ids.length === 0 ? "there are none" : `the newest are ${ids.slice(0, 3).join(", ")}`;
  throw new WrongUsage(`there is no incident ${id}: ${near === undefined ? newest : `did you mean ${near}?`}`);
}

/** Returns the event that would be published for an incident in its current state. @throws WrongUsage if the document is not an incident */
export function recordedEvent(id: string, document: Fields, event: IncidentEventKind): IncidentEvent {
  const { resolved_at, recovering_at, acknowledged_at, opened_at } = document;
  const moments: Readonly<Record<string, Value | undefined>> = {
    resolved: resolved_at,
    recovering: recovering_at,
    acknowledged: acknowledged_at,
    opened: opened_at,
  };
  const at = ownEntry(moments, event) ?? resolved_at ?? opened_at;
  const fields = Object.entries(document).map(([name, value]) => [
    name,
    isInstant(value) ? value.toISOString() : value,
  ]);
  try {
    return parseIncidentEvent({
      ...Object.fromEntries(fields.filter(([, value]) => value !== null)),
      v: 1,
      incident: id,
      event,
      at: isInstant(at) ? at.toISOString() : at,
      sequence: event === "opened" ? 1 : 2,
      occurrence: 1,
      status: sampleStatuses[event] ?? "open",
      change: sampleChanges[event] ?? "Something changed.",
      resolved_at: event === "resolved" && isInstant(resolved_at) ? resolved_at.toISOString() : undefined,
    });
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    throw new WrongUsage(`the document of ${id} cannot be read: ${error.message}`);
  }
}

function isInstant(value: Value | undefined): value is Date {
  return value instanceof Date;
}
