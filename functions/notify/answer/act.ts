/** What an answer does to an incident: the edit that it makes, or why it makes none. Pure. */
import { readIncident } from "../../../shared/documents/incident.ts";
import { EditRefused, type OperatorEdit, operatorEdits, statusIn } from "../../../shared/operator-edits.ts";
import type { Fields } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { AnswerAction } from "./link.ts";

/** How long a silence lasts that one tap begins, in milliseconds. */
export const silenceMs = 3_600_000;

/** Something that somebody did. */
export interface Act {
  readonly action: AnswerAction;
  /** Of the link, or of the message: what has it changes nothing a second time. */
  readonly id: string;
  /** When it was done, in milliseconds since the epoch, where that is earlier than now. */
  readonly doneAt?: number;
}

/** How long what was used is remembered, in milliseconds: longer than a link is valid and than services repeat their messages. */
const rememberedMs = 7 * 86_400_000;

/** The most that one incident remembers: each has changed something, so more are no honest use. */
const mostRemembered = 200;

/** How far the clock of a service may be behind, in milliseconds. */
const clockSkewMs = 120_000;

/**
 * Returns what an act writes into the document of its incident.
 * @throws EditRefused where it was done before, speaks of an earlier outage of the incident, or would have no effect
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
    .slice(1 - mostRemembered);
  return { fields, done, besides: { used_links: { ...Object.fromEntries(kept), [id]: new Date(now) } } };
}

/** Why a link that has changed something does not do so again. */
export const usedBefore = "this link has been used before";

const edits: Readonly<Record<AnswerAction, (status: string, now: number) => OperatorEdit>> = {
  acknowledge: (status) => operatorEdits.acknowledge(status),
  silence: (status, now) => operatorEdits.silence(status, silenceMs, now),
  resolve: (status) => operatorEdits.resolve(status),
};

/** What can be done about an incident by its status, the most likely first. */
export function actionsFor(status: string): readonly AnswerAction[] {
  if (status === "open") return ["acknowledge", "silence"];
  return status === "acknowledged" ? ["resolve", "silence"] : [];
}

/** What buttons and links are called. */
export const actionTitles: Readonly<Record<AnswerAction, string>> = {
  acknowledge: "Acknowledge",
  silence: "Silence for 1 h",
  resolve: "Resolve",
};
