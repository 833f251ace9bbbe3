/** What the timeline of an incident says of an alert of its own. */

import { type Plan, titleOf } from "../../plan.ts";
import type { Change } from "../../rules/alerts.ts";
import type { Incident, KnownAlert, TimelineEntry } from "../state.ts";
import { clockTime } from "./instants.ts";

/**
 * The lines for what has changed of an alert.
 * @param before as the incident knew it
 * @param now as it stands; `undefined` where nothing is wrong any more
 * @param change what told of it just now
 */
export function alertNotes(
  before: Incident["alerts"][string],
  now: KnownAlert | undefined,
  change: Extract<Change, { what: "alert" }> | undefined,
  watermark: number,
  plan: Plan,
): TimelineEntry[] {
  const name = `"${before.rule}"`;
  const notes: TimelineEntry[] = [];
  if (now?.flapping !== undefined && before.flapping === undefined) {
    const { since, changes } = now.flapping;
    const text = `${name} is flapping since ${clockTime(since)}, ${changes} changes: it is held until it calms.`;
    notes.push({ at: since, text });
  }
  if (before.flapping !== undefined && now?.flapping === undefined) {
    const { since, changes } = change?.calmed ?? before.flapping;
    notes.push({ at: watermark, text: `${name} has calmed: flapping since ${clockTime(since)}, ${changes} changes.` });
  }
  if (now !== undefined && now.component !== before.component) {
    const text = `${name} is about ${titleOf(plan, now.component)} now, and no longer about ${titleOf(plan, before.component)}: the configuration was changed.`;
    notes.push({ at: watermark, text });
  }
  if (before.firing && now?.status !== "firing") {
    const end = change?.reason === undefined ? "has cleared" : `has ended: ${change.reason}`;
    notes.push({ at: watermark, text: `${name} ${end}.` });
  }
  return notes;
}
