/** The view in a pipe: a line for everything that changed between two snapshots. */
import type { ViewIncident, ViewSnapshot } from "./snapshot.ts";
import { causeOf, clockTime, durationOf, plain } from "./text.ts";

/**
 * Lines that tell what is new in `next`; without `previous`, all of it is. They are in order, also with those of the snapshots before: what is
 * known late stands where it became known, with its own time behind it.
 */
export function renderChanges(previous: ViewSnapshot | undefined, next: ViewSnapshot): string[] {
  const changes: Change[] = [
    ...addresses(previous, next),
    ...headlineChange(previous, next),
    ...componentChanges(previous, next),
    ...incidentChanges(previous?.incident, next.incident, next.at),
    ...deliveryChanges(previous, next),
  ];
  const time = (at: number): string => clockTime(at, next.timezone);
  const least = previous?.at ?? Number.NEGATIVE_INFINITY;
  return changes
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => {
      const told = Math.min(next.at, Math.max(least, at));
      return `${time(told)}  ${plain(text)}${time(told) === time(at) ? "" : ` (at ${time(at)})`}`;
    });
}

/** Addresses of the pages. The live view shows them in its footer; here they are printed once. */
function addresses(previous: ViewSnapshot | undefined, { hints, at }: ViewSnapshot): Change[] {
  if (previous !== undefined) return [];
  return hints.filter((hint) => hint.includes("://")).map((text) => ({ at, text }));
}

interface Change {
  readonly at: number;
  readonly text: string;
}

function headlineChange(previous: ViewSnapshot | undefined, next: ViewSnapshot): Change[] {
  if (!next.headline || next.headline.text === previous?.headline?.text) return [];
  return [{ at: next.at, text: `demo: ${next.headline.text}` }];
}

function componentChanges(previous: ViewSnapshot | undefined, next: ViewSnapshot): Change[] {
  return next.components.flatMap(({ title, state, since, figure }) => {
    const before = previous?.components.find((component) => component.title === title)?.state ?? "unknown";
    if (state === before) return [];
    return [{ at: since, text: `${title}: ${before} -> ${state}${figure === "" ? "" : ` (${figure})`}` }];
  });
}

function incidentChanges(before: ViewIncident | undefined, incident: ViewIncident | undefined, now: number): Change[] {
  if (!incident) return [];
  const previous = before?.id === incident.id ? before : undefined;
  const changes: Change[] = incident.timeline
    .slice(previous?.timeline.length ?? 0)
    .map(({ at, text }) => ({ at, text: `incident: ${text}` }));
  if (!previous) changes.unshift({ at: incident.openedAt, text: `incident ${incident.id}: ${incident.title}` });
  if (causeOf(incident) !== (previous ? causeOf(previous) : undefined)) {
    changes.push({ at: now, text: `cause: ${causeOf(incident)}` });
  }
  if (incident.status !== (previous?.status ?? "open")) {
    changes.push({ at: now, text: `incident is ${incident.status} after ${durationOf(incident, now)}` });
  }
  return changes;
}

function deliveryChanges(previous: ViewSnapshot | undefined, next: ViewSnapshot): Change[] {
  const key = ({ incident, event, channel, state }: ViewSnapshot["deliveries"][number]): string =>
    JSON.stringify([incident, event, channel, state]);
  const known = new Set(previous?.deliveries.map(key));
  return next.deliveries
    .filter((delivery) => !known.has(key(delivery)))
    .map(({ at, channel, event, state }) => ({ at, text: `told ${channel}: ${event} (${state})` }));
}
