/** Words and columns that the two forms of the view share. */
import { dateFormat } from "../../shared/text/formatters.ts";
import { spokenDuration } from "../../shared/text/units.ts";
import type { ViewIncident } from "./snapshot.ts";

/** The time of day, `12:04:31`. */
export function clockTime(at: number, timezone: string): string {
  return dateFormat("en-GB", { timeZone: timezone, hour12: false, timeStyle: "medium" }).format(new Date(at));
}

/** Minutes and seconds, `1:07`. */
export function stopwatch(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The same value with every text in it on one line and without control characters, which could move the cursor or forge a line. */
export function plain<T>(value: T): T {
  if (typeof value === "string") return value.replaceAll(/[\p{C}\p{Z}\s]+/gu, " ").trim() as T;
  if (Array.isArray(value)) return value.map(plain) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)])) as T;
}

/** `text` in exactly `width` columns: padded, or cut with an ellipsis. */
export function pad(text: string, width: number): string {
  return cut(text, width).padEnd(width);
}

/** `text` in at most `width` columns. An address that does not fit as a whole is left out: half of it would lead elsewhere. */
export function cut(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  if (width < 1) return "";
  const kept = characters.slice(0, width - 1).join("");
  const [address] = /\bhttps?:\/\/\S*$/.exec(kept) ?? [];
  const isWhole = /\s/.test(characters[width - 1] ?? "");
  return `${address === undefined || isWhole ? kept : kept.slice(0, -address.length)}…`;
}

/** `text` in lines of at most `width` columns, broken at spaces where there are any. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines.splice(-1, 1, `${last} ${word}`);
    else for (let at = 0; at < Math.max(1, word.length); at += width) lines.push(word.slice(at, at + width));
  }
  return lines;
}

/** The root cause, the responsible layer, and the confidence. */
export function causeOf(incident: ViewIncident): string {
  if (incident.rootCause === "unknown") return "not known yet";
  return `${incident.rootCause} (${incident.verdict}, ${Math.round(incident.confidence * 100)}% sure)`;
}

/** Returns the duration of the incident so far, or in total: `40 s`. */
export function durationOf(incident: ViewIncident, now: number): string {
  return spokenDuration((incident.resolvedAt ?? now) - incident.openedAt);
}
