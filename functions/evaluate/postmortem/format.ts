/** Words that several sections of a postmortem use. */

import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { clockSpan, spokenDuration } from "../../../shared/text/units.ts";
import { clockTime, dateTime } from "../incident/record/instants.ts";

/** The title of a component, as the incident knows it. */
export function titleOf({ affected }: Pick<IncidentDocument, "affected">, component: string): string {
  return affected.find((one) => one.component === component)?.title ?? component;
}

/** `12:10:00`, with its date where that is not the day on which the incident began; a dash where it is not known. */
export function moment(
  at: Date | null,
  { first_failure_at: began }: Pick<IncidentDocument, "first_failure_at">,
): string {
  if (at === null) return "–";
  const shown = began !== null && dayOf(began) === dayOf(at) ? clockTime(at.getTime()) : dateTime(at.getTime());
  return shown.replace(" UTC", "");
}

/** The last sentence of the chain of whys: what has happened. */
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

/** The same without the time in which the incident was over, before it came back. */
export function failedBetween(
  from: Date | null,
  to: Date | null,
  { relapses }: Pick<IncidentDocument, "relapses">,
): string {
  return from === null || to === null ? "–" : shownSpan(failedMs(from, to, relapses));
}

/**
 * Returns the time between two instants without the time in which the incident was resolved, in milliseconds by clocks that show whole
 * seconds.
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

/** `1 check`, `3 checks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A text that is cut where it is too long; its full stop stays. @param most characters */
export function briefly(text: string, most: number): string {
  const cut = text
    .slice(0, most - 1)
    .toWellFormed()
    .replace(/\ufffd$/, "");
  return text.length <= most ? text : `${cut.replace(/[\s.,;:]+$/, "")}…`;
}

/** The first and the last of many, with a word on those in between. */
export function firstAndLast<T>(items: readonly T[], most: number, left: (count: number) => T): readonly T[] {
  if (items.length <= most) return items;
  const half = Math.floor(most / 2);
  return [...items.slice(0, half), left(items.length - 2 * half), ...items.slice(-half)];
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
