/** The incidents of a store, as commands list them. */
import { incidentCollection } from "../../shared/documents/incident.ts";
import type { Store, Stored } from "../../shared/ports.ts";

/** The incidents that are not resolved, newest first. */
export async function openIncidents(store: Store): Promise<Stored[]> {
  const open = await store.query({
    collection: incidentCollection,
    where: [["status", "in", ["open", "acknowledged", "recovering"]]],
    limit: 500,
  });
  return open.toReversed();
}

/** The newest incidents, resolved ones as well, newest first. */
export function newestIncidents(store: Store, limit: number): Promise<Stored[]> {
  return store.query({
    collection: incidentCollection,
    orderBy: { field: "opened_at", direction: "desc" },
    limit,
  });
}
