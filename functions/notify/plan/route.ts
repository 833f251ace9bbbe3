/** Decides when reminders and escalations are due. */
import type { Route } from "../../../shared/config/model.ts";
import { reminderSlackMs } from "../../../shared/documents/delivery-summary.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { spokenDuration } from "../../../shared/text/units.ts";

/**
 * Returns the reason no route wants the event yet, as a sentence; `undefined` if one does. Only reminders and escalations have a due time:
 * that of the route, or immediately for a route that names the event without a time. The time of an escalation starts with the opening, or
 * when the incident could be announced again after it was muted.
 * @param notifiedAt when a notice of the incident last arrived in this channel, in milliseconds since the epoch
 */
export function notDue(
  event: IncidentEvent,
  routes: readonly Route[],
  notifiedAt: number | undefined,
): string | undefined {
  const waits = waitsFor(event, routes);
  if (waits === undefined) return undefined;
  if (waits.length === 0)
    return `no route requests it (${event.event === "reminder" ? "remind_every" : "escalate_after"})`;
  const since = event.event === "reminder" ? notifiedAt : Date.parse(event.audible_since ?? event.opened_at);
  const waited = since === undefined ? Number.POSITIVE_INFINITY : Date.parse(event.at) - since;
  const shortest = Math.min(...waits);
  const slack = event.event === "reminder" ? reminderSlackMs : 0;
  return waited >= shortest - slack
    ? undefined
    : `not due: ${spokenDuration(waited)} of ${spokenDuration(shortest)} have passed`;
}

function waitsFor(event: IncidentEvent, routes: readonly Route[]): number[] | undefined {
  if (event.event !== "reminder" && event.event !== "escalated") return undefined;
  return routes.flatMap(({ remindEveryMs, escalateAfterMs, events }) => {
    const wait = event.event === "reminder" ? remindEveryMs : escalateAfterMs;
    return wait ?? (events?.includes(event.event) ? 0 : []);
  });
}
