/** Formats shared by the sections of a postmortem. */

import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { clockSpan, spokenDuration } from "../../../shared/text/units.ts";
import { clockTime, dateTime } from "../incident/record/instants.ts";

/** Returns the title of a component in the incident; its name if the incident has none. */
export function titleOf({ affected }: Pick<IncidentDocument, "affected">, component: string): string {
  return affected.find((one) => one.component === component)?.title ?? component;
}

/** Formats an instant as `12:10:00`, with its date unless the incident began on that day; a dash if it is unknown. */
export function moment(
  at: Date | null,
  { first_failure_at: began }: Pick<IncidentDocument, "first_failure_at">,
): string {
  if (at === null) return "–";
  const shown = began !== null && dayOf(began) === dayOf(at) ? clockTime(at.getTime()) : dateTime(at.getTime());
  return shown.replace(" UTC", "");
}

/** Returns the last sentence of the chain of whys: the cause. */
export function causeIn({ whys }: Pick<IncidentDocument, "whys">): string {
  return whys.at(-1)?.replace(/^Why\? /, "") ?? "";
}

/** Formats the time between two instants; a dash if one of them is unknown. */
export function between(from: Date | null, to: Date | null): string {
  if (from === null || to === null) return "–";
  return shownSpan(clockSpan(from.getTime(), to.getTime()));
}

function shownSpan(ms: number): string {
  return ms < 1_000 ? "under 1 s" : spokenDuration(ms);
}

/** Formats the time between two instants, excluding the time in which the incident was resolved before a relapse. */
export function failedBetween(
  from: Date | null,
  to: Date | null,
  { relapses }: Pick<IncidentDocument, "relapses">,
): string {
  return from === null || to === null ? "–" : shownSpan(failedMs(from, to, relapses));
}

/**
 * Returns the time between two instants, excluding the time in which the incident was resolved, in milliseconds. Instants are rounded down
 * to whole seconds, as shown.
 */
export function failedMs(from: Date, to: Date, relapses: IncidentDocument["relapses"]): number {
  const good = relapses.map(({ resolved_at, failed_at }) => {
    const [over, again] = [
      Math.max(from.getTime(), resolved_at.getTime()),
      Math.min(to.getTime(), failed_at.getTime()),
    ];
    return Math.max(0, clockSpan(over, again));
  });
  return clockSpan(from.getTime(), to.getTime()) - good.reduce((sum, ms) => sum + ms, 0);
}

/** Formats a count: `1 check`, `3 checks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Truncates a text that is too long. @param most maximum length in characters */
export function briefly(text: string, most: number): string {
  const cut = text
    .slice(0, most - 1)
    .toWellFormed()
    .replace(/\ufffd$/, "");
  return text.length <= most ? text : `${cut.replace(/[\s.,;:]+$/, "")}…`;
}

/** Returns the first and last of many items, with one that stands for those omitted. */
export function firstAndLast<T>(items: readonly T[], most: number, left: (count: number) => T): readonly T[] {
  if (items.length <= most) return items;
  const half = Math.floor(most / 2);
  return [...items.slice(0, half), left(items.length - 2 * half), ...items.slice(-half)];
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
