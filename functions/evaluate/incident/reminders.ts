/** Events caused by the passing of time: reminders, escalations and daily updates. The notifier decides when each route is due. */
import type { Route } from "../../../shared/config/model.ts";
import { reminderSlackMs } from "../../../shared/documents/delivery-summary.ts";
import type { IncidentEventKind } from "../../../shared/messages/incident-event.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import type { Incident } from "./state.ts";

/** Something to tell, and what the incident remembers of it. */
export interface Reminder {
  readonly kind: IncidentEventKind;
  readonly change: string;
  /** Notes by people since the last daily update, oldest first. Only daily updates have them. */
  readonly tried?: string[];
  readonly remember: Pick<Incident, "remindedAt" | "updatedAt" | "escalations">;
}

/** Interval between updates for people who follow an incident, in milliseconds. */
const updateEvery = 86_400_000;

/**
 * Returns the events that an unresolved incident owes at an instant. After a pause of the evaluator each is published once, not once for
 * each time missed.
 * @param notifiedAt when notifications last arrived in channels, by channel name, as milliseconds since the epoch
 */
export function dueReminders(
  incident: Incident,
  routes: readonly Route[],
  at: number,
  notifiedAt: Readonly<Record<string, number>> = {},
): Reminder[] {
  const { openedAt, status, relapses = [], audibleSince = openedAt } = incident;
  const open = spokenDuration(at - (relapses.at(-1)?.reopenedAt ?? openedAt));
  const reminders: Reminder[] = [];
  // Nobody acknowledged: each route's patience is an escalation of its own.
  const patience = [...new Set(routes.flatMap(({ escalateAfterMs }) => escalateAfterMs ?? []))];
  const lost = patience.filter((wait) => at - audibleSince >= wait).length;
  if (status === "open" && lost > (incident.escalations ?? 0)) {
    const change = `The incident has not been acknowledged for ${open}.`;
    reminders.push({ kind: "escalated", change, remember: { escalations: lost } });
  }
  if (isReminderDue(routes, notifiedAt, audibleSince, incident.remindedAt ?? 0, at)) {
    reminders.push({
      kind: "reminder",
      change: `The incident is still ${status} after ${open}.`,
      remember: { remindedAt: at },
    });
  }
  if (at - (incident.updatedAt ?? openedAt) >= updateEvery) {
    reminders.push({ kind: "status_update", ...dailyUpdate(incident, at), remember: { updatedAt: at } });
  }
  return reminders;
}

/** The most entries of the timeline that a daily update repeats of each sort, the newest. */
const maxNews = 3;

/** Describes how long the incident has lasted, and what was tried and happened since the last update. The event lists the next steps. */
function dailyUpdate(
  { openedAt, updatedAt = openedAt, status, timeline }: Incident,
  at: number,
): Required<Pick<Reminder, "change" | "tried">> {
  const since = timeline.filter((entry) => entry.at > updatedAt && entry.at <= at && !isRoutine(entry.text));
  const newest = (isNote: boolean): string[] =>
    since.flatMap(({ text }) => (isByPeople(text) === isNote ? [text] : [])).slice(-maxNews);
  const [tried, news] = [newest(true), newest(false)];
  const sentences = [
    ...(tried.length === 0 ? [] : [`What was tried: ${tried.join(" ")}`]),
    ...(news.length === 0 ? [] : [`New since the last update: ${news.join(" ")}`]),
  ];
  const change = [
    `The incident is ${status}, ${spokenDuration(at - openedAt)} after it was opened.`,
    ...(sentences.length === 0 ? ["Nothing has changed since the last update."] : sentences),
  ].join(" ");
  return { change, tried };
}

/** Returns whether a timeline entry is what somebody noted. */
function isByPeople(text: string): boolean {
  return /^(Note|Public note) by /.test(text);
}

/** Returns whether a timeline entry only records that time has passed. */
function isRoutine(text: string): boolean {
  return /^The incident (is (still )?(open|acknowledged|recovering)\b|has not been acknowledged for )/.test(text);
}

/**
 * Returns whether a channel has been quiet for as long as a route to it allows: since a notification last arrived there or, if none has
 * arrived anywhere, since the incident could be published. For a channel that does not want reminders, each due time is considered once.
 */
function isReminderDue(
  routes: readonly Route[],
  notifiedAt: Readonly<Record<string, number>>,
  audibleSince: number,
  remindedAt: number,
  at: number,
): boolean {
  const asked = routes.flatMap(({ channels, remindEveryMs: every }) =>
    every === undefined ? [] : channels.map((channel) => ({ every, lastAt: ownEntry(notifiedAt, channel) })),
  );
  const notified = asked.filter((one) => one.lastAt !== undefined);
  return (notified.length > 0 ? notified : asked).some(({ every, lastAt: last = audibleSince }) => {
    const since = Math.max(last, audibleSince);
    const times = Math.floor((at - since + reminderSlackMs) / every);
    return times >= 1 && since + times * every - reminderSlackMs > remindedAt;
  });
}
