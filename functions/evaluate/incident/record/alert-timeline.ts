/** Timeline entries for the alerts of an incident. */

import { type Plan, titleOf } from "../../plan.ts";
import { type Absence, absenceText } from "../../rules/absence.ts";
import { type Change, yieldingTo } from "../../rules/alerts.ts";
import type { Incident, KnownAlert, TimelineEntry } from "../state.ts";
import { clockTime } from "./instants.ts";

/**
 * Returns the entries for changes of an alert.
 * @param before its state known to the incident
 * @param now its current state; `undefined` if nothing is wrong any more
 * @param change its latest change
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
    const text = `${name} is flapping since ${clockTime(since)}, ${changes} changes: it is held until it stabilizes.`;
    notes.push({ at: since, text });
  }
  if (before.flapping !== undefined && now?.flapping === undefined) {
    const { since, changes } = change?.calmed ?? before.flapping;
    notes.push({
      at: watermark,
      text: `${name} has stabilized: flapping since ${clockTime(since)}, ${changes} changes.`,
    });
  }
  const { absence } = now ?? {};
  if (absence !== undefined && absence.what !== before.absence?.what && isKept(before.rule, absence.what, plan)) {
    notes.push({
      at: watermark,
      text: `${name} continues: ${absenceText(absence, sourcesOf(now, before.rule, plan))}.`,
    });
  }
  if (now?.status === "firing" && absence === undefined && before.absence !== undefined) {
    notes.push({ at: watermark, text: `${name} is measured again.` });
  }
  if (now !== undefined && now.component !== before.component) {
    const text = `${name} is now about ${titleOf(plan, now.component)}, and no longer about ${titleOf(plan, before.component)}: the configuration was changed.`;
    notes.push({ at: watermark, text });
  }
  if (before.firing && now?.status !== "firing") {
    const end = change?.reason === undefined ? "has cleared" : `has ended: ${change.reason}`;
    notes.push({ at: watermark, text: `${name} ${end}.` });
  }
  return notes;
}

function isKept(rule: string, what: Absence, plan: Plan): boolean {
  return plan.rulesByName.get(rule)?.missing[what] === "keep";
}

/** The probes whose measurements are missed. */
function sourcesOf(alert: KnownAlert | undefined, name: string, plan: Plan): readonly string[] {
  const { probe } = alert?.labels ?? {};
  const rule = plan.rulesByName.get(name);
  return probe !== undefined ? [probe] : rule === undefined ? [] : yieldingTo(rule, plan);
}
