/**
 * Echoes: what figures that arrive minutes late still say of an outage that is over. Google's own measurements of a service are shown
 * four minutes after the fact, so a rule over them may fire when everything works again. That is no outage of its own; it becomes one only
 * where the figures stay bad for longer than an echo can.
 */
import { ownEntry } from "../../shared/entries.ts";
import { readLate } from "./cause/classes.ts";
import { componentsOf } from "./document.ts";
import type { Plan } from "./plan.ts";
import type { Closed, Incident, KnownAlert } from "./state.ts";

/** How much later than what they speak of the first bad figures may be read, in milliseconds: four minutes and one of their windows. */
const lag = 300_000;
/** How long after the end a late figure may stay bad, in milliseconds: the lag, and windows of minutes behind it. */
const fade = 900_000;

/** Until when an alert may be the echo of an outage that is over, or about to be; `undefined` for one that speaks of something new. */
export function echoUntil(
  alert: KnownAlert,
  closed: readonly Closed[],
  open: readonly Incident[],
  plan: Plan,
): number | undefined {
  const probe = plan.probes.get(alert.labels["probe"] ?? "");
  if (probe === undefined || !readLate.has(probe.kind)) return undefined;
  const ended = [
    ...closed.map(({ resolvedAt, components = [] }) => ({ at: resolvedAt, components })),
    ...open
      .filter(({ alerts }) => ownEntry(alerts, alert.key) === undefined)
      .map((incident) => ({ at: incident.recoveringAt, components: componentsOf(incident) })),
  ];
  const ends = ended.flatMap(({ at, components }) =>
    at !== undefined && alert.since <= at + lag && components.some((one) => plan.graph.connected(one, alert.component))
      ? [at + fade]
      : [],
  );
  return ends.length === 0 ? undefined : Math.max(...ends);
}
