/** Requests an update of everything that shows availability when it was written. */
import { hasPages, type PagesDue } from "../../../shared/messages/pages-due.ts";
import { topics } from "../../../shared/topology.ts";
import type { OutboxEntry } from "../incident/state.ts";
import type { Plan } from "../plan.ts";

/** Status pages are due when availability was written. A message that is lost is followed by the next, so that it is kept nowhere. */
export function pagesDue({ configuration }: Plan, at: number): OutboxEntry[] {
  if (!hasPages(configuration)) return [];
  const data: PagesDue = { v: 1, environment: configuration.environment };
  return [{ id: `${topics.pages}/${at}`, topic: topics.pages, message: { data } }];
}
