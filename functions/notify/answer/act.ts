/** Applies an answer to an incident: returns the edit it makes, or the reason it makes none. Pure. */
import { readIncident } from "../../../shared/documents/incident.ts";
import { EditRefused, type OperatorEdit, operatorEdits, statusIn } from "../../../shared/operator-edits.ts";
import type { Fields } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { AnswerAction } from "./link.ts";

/** Duration of a silence started from a notice, in milliseconds. */
export const silenceMs = 3_600_000;

/** An action that somebody took on an incident. */
export interface Act {
  readonly action: AnswerAction;
  /** Id of the link or message. An id that has already changed the incident has no further effect. */
  readonly id: string;
  /** Time of the action, in milliseconds since the epoch, if earlier than now. */
  readonly doneAt?: number;
}

/** Retention of used ids, in milliseconds: longer than links are valid, and longer than services redeliver their messages. */
const rememberedMs = 7 * 86_400_000;

/** Maximum number of used ids kept per incident. Each one has changed something, so more than this is abuse. */
const maxRemembered = 200;

/** Maximum lag of a service's clock, in milliseconds. */
const clockSkewMs = 120_000;

/**
 * Returns the fields that an action writes into the document of its incident.
 * @throws EditRefused if the action was already taken, concerns an earlier outage of the incident, or would have no effect
 */
export function editOf(document: Fields, { action, id, doneAt }: Act, now: number): OperatorEdit {
  const { used_links: used = {}, opened_at: openedAt, relapses } = readIncident(document);
  if (ownEntry(used, id) !== undefined) throw new EditRefused(usedBefore);
  const since = relapses.at(-1)?.reopened_at ?? openedAt;
  if (doneAt !== undefined && since !== null && doneAt < since.getTime() - clockSkewMs)
    throw new EditRefused("that was before the incident came back");
  const { fields, done } = edits[action](statusIn(document), now);
  const kept = Object.entries(used)
    .filter(([, at]) => now - at.getTime() < rememberedMs)
    .toSorted(([, a], [, b]) => a.getTime() - b.getTime())
    .slice(1 - maxRemembered);
  return { fields, done, besides: { used_links: { ...Object.fromEntries(kept), [id]: new Date(now) } } };
}

/** Reason for refusing a link that has already changed something. */
export const usedBefore = "this link has been used before";

const edits: Readonly<Record<AnswerAction, (status: string, now: number) => OperatorEdit>> = {
  acknowledge: (status) => operatorEdits.acknowledge(status),
  silence: (status, now) => operatorEdits.silence(status, silenceMs, now),
  resolve: (status) => operatorEdits.resolve(status),
};

/** Returns the actions available for an incident status, the most likely first. */
export function actionsFor(status: string): readonly AnswerAction[] {
  if (status === "open") return ["acknowledge", "silence"];
  return status === "acknowledged" ? ["resolve", "silence"] : [];
}

/** Labels of buttons and links. */
export const actionTitles: Readonly<Record<AnswerAction, string>> = {
  acknowledge: "Acknowledge",
  silence: "Silence for 1 h",
  resolve: "Resolve",
};
