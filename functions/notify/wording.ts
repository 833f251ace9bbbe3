/** What every notice for people says, in plain words and in one order, whatever the channel makes of it. */
import type { Audience } from "../../shared/config/notification.ts";
import type {
  IncidentEvent,
  IncidentEventKind,
  IncidentStatus,
  Verdict,
} from "../../shared/messages/incident-event.ts";
import { bounded, longestText } from "../../shared/redact.ts";
import { spokenDuration } from "../../shared/units.ts";
import type { Notice } from "./channel.ts";

/** A notice as text: every part bounded, in one line each, and not yet escaped for any format. */
export interface Wording {
  /** The state in which the incident is: the first thing to read. */
  readonly state: string;
  readonly what: string;
  /** What changed with this event; absent where that is all of it. */
  readonly change?: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly lists: readonly { readonly label: string; readonly items: readonly string[] }[];
  readonly nextSteps: readonly string[];
  /** Where people find the incident; absent where that is not known. Never shortened. */
  readonly link?: string;
}

/** What the link of a notice is called. */
export const linkTitle = "Open the incident";

/** How much a notice may say; the incident has everything. */
export interface Room {
  /** The most sentences of one list. */
  readonly sentences: number;
  /** The most characters of one text; a single sentence or name is never longer than `longestText`. */
  readonly characters: number;
}

/** The room of a notice where nothing asks for less. */
export const ampleRoom: Room = { sentences: 12, characters: 600 };

/** Words of a notice. Pure. */
export function wording(notice: Notice, room: Room = ampleRoom): Wording {
  if (notice.audience !== undefined && notice.audience !== "engineers")
    return plainWording(notice, notice.audience, room);
  const { event, environment } = notice;
  const what = bounded(event.summary, [], room.characters);
  const change = bounded(event.change, [], room.characters);
  return {
    state: `${stateOf[event.event]} · ${event.severity} ${event.priority} · ${bounded(environment)}`,
    what,
    ...(change === "" || change === what || event.event === "opened" ? {} : { change }),
    facts: factsOf(notice, room),
    lists: [
      { label: "Evidence", items: shorten(event.evidence, room) },
      { label: "Why", items: shorten(event.whys, room) },
      { label: "Next steps", items: shorten(event.next_steps ?? [], room) },
    ].filter(({ items }) => items.length > 0),
    nextSteps: nextStepsOf(notice),
    ...linkOf(notice),
  };
}

/** An instant as people of that zone say it, and in UTC. Text that is no instant stays as it is. */
export function localTime(instant: string, timezone: string): string {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return bounded(instant);
  const utc = `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const local = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  }).format(time);
  return local.endsWith(" UTC") ? utc : `${local} (${utc})`;
}

const stateOf: Readonly<Record<IncidentEventKind, string>> = {
  opened: "NEW INCIDENT",
  joined: "OPEN, and wider than before",
  severity_raised: "OPEN, and worse than before",
  root_cause_changed: "OPEN, with another likely cause",
  acknowledged: "ACKNOWLEDGED",
  recovering: "RECOVERING, not yet validated",
  regressed: "OPEN AGAIN, the recovery did not last",
  resolved: "RESOLVED",
  reminder: "STILL OPEN",
  escalated: "ESCALATED, nobody has acknowledged",
  status_update: "STATUS UPDATE",
};

const verdictOf: Readonly<Record<Verdict, string>> = {
  platform: "the platform",
  application: "the application",
  monitor: "the monitor itself",
  unknown: "not known yet",
};

const outlookOf: Readonly<Record<IncidentStatus, string>> = {
  open: "Nobody has taken it yet. How long it will take is not known.",
  acknowledged: "Somebody is working on it. How long it will take is not known.",
  recovering: "It seems mended. The all-clear comes when every stage of the recovery has been proved.",
  resolved: "It is over.",
};

function factsOf({ event, timezone, rootCause }: Notice, room: Room): Wording["facts"] {
  const cause =
    event.root_cause === "unknown"
      ? "not known yet"
      : `${boundedName(rootCause.title, room)} (${Math.round(event.confidence * 100)} % sure)`;
  return [
    ["Impact", bounded(event.impact, [], room.characters)],
    ["Root cause", cause],
    ["Whose trouble", verdictOf[event.verdict]],
    ["Who acts", bounded(rootCause.team ?? "")],
    ["Affected", enumerate(event.components, room)],
    ["Alerts", enumerate(event.alerts, room)],
    ["Since", localTime(event.first_failure_at, timezone)],
    ["Opened", localTime(event.opened_at, timezone)],
    ["Resolved", event.resolved_at === undefined ? "" : localTime(event.resolved_at, timezone)],
    ["Lasted", lasted(event.first_failure_at, event.resolved_at)],
    ["This news", localTime(event.at, timezone)],
    ["Incident", bounded(event.incident)],
  ]
    .map(([label = "", value = ""]) => ({ label, value }))
    .filter(({ value }) => value !== "");
}

/** Impact and outlook, and what customers may be told: nothing that only those who mend it understand. */
function plainWording(notice: Notice, audience: Audience, room: Room): Wording {
  const { event, environment, timezone, rootCause } = notice;
  const since = localTime(event.first_failure_at, timezone);
  const known = event.root_cause !== "unknown";
  const facts = [
    ["Impact", bounded(event.impact, [], room.characters)],
    ["Outlook", outlookOf[event.status]],
    ["What we know", known ? `It comes from ${boundedName(rootCause.title, room)}.` : "The cause is not known yet."],
    ["Who acts", bounded(rootCause.team ?? "")],
    ["Tell customers", forCustomers(audience) ? customerWords(event, bounded(environment), since) : ""],
    ["Since", since],
    ["Resolved", event.resolved_at === undefined ? "" : localTime(event.resolved_at, timezone)],
    ["Lasted", lasted(event.first_failure_at, event.resolved_at)],
    ["Incident", bounded(event.incident)],
  ];
  return {
    state: `${stateOf[event.event]} · ${event.severity} ${event.priority} · ${bounded(environment)}`,
    what: plainState(event, bounded(environment)),
    facts: facts.map(([label = "", value = ""]) => ({ label, value })).filter(({ value }) => value !== ""),
    lists: [],
    nextSteps: [`The engineers find everything in incidents, document ${bounded(event.incident)}.`],
    ...linkOf(notice),
  };
}

function linkOf({ url }: Notice): Pick<Wording, "link"> {
  return url === undefined ? {} : { link: url };
}

function forCustomers(audience: Audience): boolean {
  return audience === "sales" || audience === "support";
}

function plainState({ status, severity }: IncidentEvent, environment: string): string {
  if (status === "resolved") return `${environment} works again.`;
  if (status === "recovering") return `${environment} seems to work again; this is being checked.`;
  return severity === "critical" ? `${environment} does not work as it should.` : `${environment} needs attention.`;
}

/** Words for people outside. Neither cause nor impact: both are written for colleagues. */
function customerWords({ status, severity }: IncidentEvent, environment: string, since: string): string {
  if (status === "resolved") return `The trouble that began ${since} is over, and ${environment} works again.`;
  if (severity !== "critical") return "Nothing yet. Should somebody ask: we are looking into it.";
  const doing = status === "recovering" ? "It seems mended, and we are checking that." : "We are working on it.";
  return `Since ${since} ${environment} does not work as it should. ${doing} We will tell you when it is over. (Promise no time: none is known.)`;
}

function nextStepsOf({ event }: Notice): string[] {
  const where = `incidents/${bounded(event.incident)}`;
  const find = `Everything known stands in the Firestore console: collection incidents, document ${bounded(event.incident)}.`;
  if (event.status === "resolved") return [find];
  if (event.status === "acknowledged") return [find, `To close it by hand, set status to resolved in ${where}.`];
  return [find, `To take it, set status to acknowledged in ${where}. To mute it, set silenced_until there.`];
}

function lasted(from: string, until: string | undefined): string {
  const duration = Date.parse(until ?? "") - Date.parse(from);
  return Number.isNaN(duration) ? "" : spokenDuration(duration);
}

function shorten(list: readonly string[], room: Room): string[] {
  const shown = list.slice(0, room.sentences).map((sentence) => boundedName(sentence, room));
  const folded = list.length - shown.length;
  if (folded === 0) return shown;
  return [
    ...shown,
    shown.length === 0 ? `all ${folded} stand in the incident` : `… and ${folded} more, in the incident`,
  ];
}

/** Names with commas, as many as there is room for. */
function enumerate(names: readonly string[], { characters }: Room): string {
  let text = "";
  let shown = 0;
  for (const name of names) {
    const next = `${text}${text === "" ? "" : ", "}${bounded(name, [], Math.min(longestText, Math.floor(characters / 2)))}`;
    if (next.length > characters - ", and 1000 more".length) break;
    text = next;
    shown += 1;
  }
  return shown === names.length ? text : `${text}, and ${names.length - shown} more`;
}

function boundedName(text: string, room: Room): string {
  return bounded(text, [], Math.min(longestText, room.characters));
}
