/** Compares two replays of one record by two configurations. Pure. */

import type { Stored, Value } from "../../shared/ports.ts";
import { ownEntry, setEntry } from "../../shared/runtime/entries.ts";
import { spokenDuration } from "../../shared/text/units.ts";
import type { Rehearsed } from "./replay.ts";

/** One incident by both configurations, or by one of them alone. */
export interface Compared {
  readonly outcome: "same" | "changed" | "gone" | "new";
  /** By the first configuration. */
  readonly before?: IncidentOutcome;
  /** By the second. */
  readonly after?: IncidentOutcome;
  readonly differences: readonly Difference[];
}

/** Something that the second configuration does otherwise. */
export interface Difference {
  readonly what: string;
  readonly before: string;
  readonly after: string;
  /** By how much, where that can be said: `2 min later`. */
  readonly by?: string;
}

/** An incident as people hear of it; instants in RFC 3339. */
export interface IncidentOutcome {
  readonly incident: string;
  readonly title: string;
  readonly opened: string;
  readonly recovering: string;
  readonly resolved: string;
  readonly root_cause: string;
  readonly verdict: string;
  readonly severity: string;
  readonly priority: string;
  readonly alerts: readonly string[];
  /** Events that were delivered, by channel. */
  readonly notices: Readonly<Record<string, readonly string[]>>;
}

/** Compares two rehearsals, in the order of time. */
export function compare(before: Rehearsed, after: Rehearsed): Compared[] {
  const rest = after.incidents.map((incident) => describe(incident, after));
  const compared = before.incidents.map((incident): Compared => {
    const outcome = describe(incident, before);
    // The same outage may be named otherwise: what counts is that both were open at a time, and whom they speak of.
    const index = rest.findIndex((other) => isSameOutage(outcome, other));
    const [twin] = index < 0 ? [] : rest.splice(index, 1);
    if (twin === undefined) return { outcome: "gone", before: outcome, differences: [] };
    const differences = differencesOf(outcome, twin);
    return { outcome: differences.length === 0 ? "same" : "changed", before: outcome, after: twin, differences };
  });
  const added = rest.map((outcome): Compared => ({ outcome: "new", after: outcome, differences: [] }));
  return [...compared, ...added].sort((a, b) => (openingOf(a) < openingOf(b) ? -1 : 1));
}

function describe({ id, fields }: Stored, { deliveries }: Rehearsed): IncidentOutcome {
  const own = deliveries.filter(({ incident, status }) => incident === id && status === "delivered");
  const notices: Record<string, string[]> = {};
  for (const { channel, event } of own) setEntry(notices, channel, [...(ownEntry(notices, channel) ?? []), event]);
  return {
    incident: id,
    title: String(fields["title"]),
    opened: instant(fields["opened_at"]),
    recovering: instant(fields["recovering_at"]),
    resolved: instant(fields["resolved_at"]),
    root_cause: String(fields["root_cause"]),
    verdict: String(fields["verdict"]),
    severity: String(fields["severity"]),
    priority: String(fields["priority"]),
    alerts: Array.isArray(fields["alerts"]) ? fields["alerts"].map(String) : [],
    notices,
  };
}

/** Placeholder for an instant that did not occur. */
const never = "never";

function instant(value: Value | undefined): string {
  return value instanceof Date ? value.toISOString() : never;
}

function isSameOutage(one: IncidentOutcome, other: IncidentOutcome): boolean {
  if (one.incident === other.incident) return true;
  const overlap = one.opened <= endOf(other) && other.opened <= endOf(one);
  const sameAlert = one.alerts.some((alert) => other.alerts.includes(alert));
  return overlap && (sameAlert || one.root_cause === other.root_cause);
}

function endOf({ resolved }: IncidentOutcome): string {
  // Behind every date, as text.
  return resolved === never ? "~" : resolved;
}

function differencesOf(before: IncidentOutcome, after: IncidentOutcome): Difference[] {
  const differences: Difference[] = [];
  for (const what of ["opened", "resolved"] as const) {
    if (before[what] !== after[what]) differences.push({ what, ...inTime(before[what], after[what]) });
  }
  for (const what of ["root_cause", "verdict", "severity", "priority"] as const) {
    if (before[what] !== after[what]) differences.push({ what, before: before[what], after: after[what] });
  }
  const alerts = [before, after].map((outcome) => [...outcome.alerts].sort().join(", "));
  if (alerts[0] !== alerts[1]) differences.push({ what: "alerts", before: alerts[0] ?? "", after: alerts[1] ?? "" });
  for (const channel of [...new Set([...Object.keys(before.notices), ...Object.keys(after.notices)])].sort()) {
    const [was, is] = [before, after].map(({ notices }) => ownEntry(notices, channel)?.join(", ") ?? "nothing");
    if (was !== is) differences.push({ what: `told ${channel}`, before: was ?? "", after: is ?? "" });
  }
  return differences;
}

function inTime(before: string, after: string): Omit<Difference, "what"> {
  const by = Date.parse(after) - Date.parse(before);
  if (Number.isNaN(by)) return { before, after };
  return { before, after, by: `${spokenDuration(Math.abs(by))} ${by > 0 ? "later" : "earlier"}` };
}

function openingOf({ before, after }: Compared): string {
  return before?.opened ?? after?.opened ?? "";
}
