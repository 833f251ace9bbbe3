/** What a reader is sent: an event, in the words and by the settings of its channel. Pure: everything it needs is an argument. */
import type { Configuration, ConfiguredChannel } from "../../../shared/config/model.ts";
import type { Audience } from "../../../shared/config/notification.ts";
import { readIncident } from "../../../shared/documents/incident.ts";
import { incidentLink } from "../../../shared/incident-link.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { drillComponent, monitorComponent } from "../../../shared/monitor.ts";
import { swimlaneOf } from "../../../shared/picture/swimlane.ts";
import type { Fields } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { actionsFor, actionTitles } from "../answer/act.ts";
import { unsignedUrl } from "../answer/link.ts";
import type { AnyChannelKind, Notice, Outgoing } from "../channel.ts";
import { type Delivery, deliveryId, isKnowing, type LedgerEntry } from "../deliver/ledger.ts";
import { subjectOf } from "../text/notice-text.ts";
import { mayAct, recipientsOf } from "./readers.ts";
import { isAllClearBefore, lastKnown } from "./relapse.ts";
import type { Silence } from "./silence.ts";
import { templateFor } from "./template.ts";

/** What the decision rests on besides the event. */
export interface PlanContext {
  readonly configuration: Configuration;
  readonly kinds: Readonly<Record<string, AnyChannelKind>>;
  readonly silences: readonly Silence[];
  /** Where people find incidents, with `${incident}` for the id of one; absent where that is not known. */
  readonly incidentLinks?: string | undefined;
  /** Where readers act on incidents, without a slash at the end. @default nowhere */
  readonly answersUrl?: string | undefined;
  /** The address of the folder below which status pages are written, in place of buckets. @default buckets */
  readonly pagesUrl?: string | undefined;
  /** Everything that the ledger holds on this incident. */
  readonly ledger: readonly LedgerEntry[];
  /** The document of the incident. @default notices have no picture */
  readonly document?: Fields | undefined;
}

/**
 * What a delivery sends that is told late, in the words of how things stand and by the settings of the channel by now.
 * @param entries everything that the ledger holds on this incident for this reader
 */
export function recompose(
  event: IncidentEvent,
  { delivery, id }: LedgerEntry,
  entries: readonly LedgerEntry[],
  delay: "late" | "unheard" | undefined,
  context: PlanContext,
): { readonly payload: Outgoing; readonly settings: string } | undefined {
  const configured = context.configuration.channels.find(({ name }) => name === delivery.channel);
  // Who has heard nothing yet is told by what has been corrected since; who has, goes on being told as before.
  const isCurrent =
    configured?.kind === delivery.kind &&
    (delivery.recipient === undefined
      ? event.event === "opened"
      : recipientsOf(configured, context.kinds).includes(delivery.recipient));
  const planned = { name: delivery.channel, kind: delivery.kind, settings: JSON.parse(delivery.settings ?? "null") };
  const channel: ConfiguredChannel = isCurrent ? configured : { ...configured, ...planned };
  const thread = { ...threadOf(event, delivery.recipient, entries), title: delivery.title, id, delay };
  const payload = compose(event, channel, context, thread);
  return typeof payload === "string" ? undefined : { payload, settings: JSON.stringify(channel.settings) };
}

/** Returns what everything that is told of an incident to one reader has in common. */
export function threadOf(event: IncidentEvent, recipient: string | undefined, entries: readonly LedgerEntry[]): Thread {
  const history = entries.map(({ delivery }) => delivery);
  return {
    recipient,
    key: entries.find(({ delivery }) => delivery.event === "opened" && isKnowing(delivery))?.id,
    title: earliest(history)?.title,
    resolvedBefore: lastArrival(history.filter((one) => isAllClearBefore(one, event))),
    isBack: lastKnown(history, event)?.event === "resolved",
  };
}

/** What everything that is told of an incident to one reader has in common. */
export interface Thread {
  /** Of a channel with recipients: the one that is told. @default all of them */
  readonly recipient?: string | undefined;
  /** Id of the entry of the opening. @default that of an opening told from now on */
  readonly key?: string | undefined;
  /** What the incident is called. @default what it is called from now on */
  readonly title?: string | undefined;
  /** When its end was told last; absent where it was not. */
  readonly resolvedBefore?: string | undefined;
  /** Whether the last that was told is that it is over. @default false */
  readonly isBack?: boolean;
  /** Id of the entry that is told. @default that of the event */
  readonly id?: string;
  /** How it is late. @default it is not */
  readonly delay?: Notice["delay"] | undefined;
}

/** What is sent to a reader; a sentence where that cannot be said, so that one broken channel does not silence the others. */
export function compose(
  event: IncidentEvent,
  channel: ConfiguredChannel,
  context: PlanContext,
  thread: Thread = {},
): Outgoing | string {
  const { kinds } = context;
  const kind = ownEntry(kinds, channel.kind);
  if (kind === undefined) return "the channel is not in the configuration any more";
  const omitted = kind.omitted?.[event.event];
  if (omitted !== undefined) return omitted;
  const settings = kind.settings.safeParse(channel.settings);
  if (!settings.success) return `the settings of the channel are wrong: ${settings.error.issues[0]?.message}`;
  const left = kind.omits?.(settings.data, event.event);
  if (left !== undefined) return left;
  const notice = noticeOf(event, channel, thread, context);
  const outgoing = kind.render(
    settings.data,
    thread.title === undefined ? { ...notice, threadTitle: subjectOf(notice) } : notice,
  );
  const shown = JSON.stringify(outgoing);
  const links = (notice.actions ?? []).map(({ url }) => url).filter((url) => shown.includes(url));
  return links.length === 0 || outgoing.transport === "page" ? outgoing : { ...outgoing, links };
}

/** What is told of an event in a channel. */
export function noticeOf(
  event: IncidentEvent,
  channel: ConfiguredChannel,
  { recipient, key, title = event.title, resolvedBefore, isBack, id, delay }: Thread,
  context: PlanContext,
): Notice {
  const { configuration } = context;
  const all = [...configuration.components, monitorComponent, drillComponent];
  const cause = all.find(({ name }) => name === event.root_cause);
  const { audience = "engineers", name } = channel;
  const noticeKey = id ?? deliveryId(event, name, recipient);
  const template = templateFor(configuration.templates ?? [], { audience, event: event.event, channel: name });
  return {
    ...(Object.keys(template).length === 0 ? {} : { template }),
    ...(channel.audience === undefined ? {} : { audience: channel.audience }),
    event,
    environment: configuration.title,
    timezone: configuration.timezone,
    channel: channel.name,
    ...(recipient === undefined ? {} : { recipient }),
    components: configuration.components,
    rootCause: {
      title: cause?.title ?? event.root_cause,
      ...(cause?.team === undefined ? {} : { team: cause.team }),
    },
    ...pictureFor(audience, event, context),
    ...linkFor(audience, event.incident, context),
    ...actionsOf(event, channel, recipient, noticeKey, context),
    key: noticeKey,
    ...(delay === undefined ? {} : { delay }),
    thread: key ?? deliveryId({ incident: event.incident, event: "opened", occurrence: 1 }, channel.name, recipient),
    threadTitle: title,
    ...(resolvedBefore === undefined ? {} : { resolvedBefore }),
    ...(isBack ? { isBack } : {}),
  };
}

/** When what failed. Everybody else hears what it means for them, and not which part of it broke. */
function pictureFor(audience: Audience, event: IncidentEvent, { document }: PlanContext): Pick<Notice, "picture"> {
  if (audience !== "engineers" || document === undefined) return {};
  const picture = swimlaneOf({ incident: readIncident(document), now: Date.parse(event.at) });
  return picture === undefined || picture.lanes.length === 0 ? {} : { picture };
}

/** What a reader can do about the incident as the notice shows it. */
function actionsOf(
  { incident, status }: IncidentEvent,
  channel: ConfiguredChannel,
  recipient: string | undefined,
  notice: string,
  { kinds, answersUrl }: PlanContext,
): Pick<Notice, "actions"> {
  const possible = answersUrl === undefined || !mayAct(channel, kinds) ? [] : actionsFor(status);
  if (answersUrl === undefined || possible.length === 0) return {};
  const reader = { channel: channel.name, ...(recipient === undefined ? {} : { recipient }) };
  return {
    actions: possible.map((action) => ({
      action,
      title: actionTitles[action],
      url: unsignedUrl(answersUrl, { action, incident, ...reader, notice }),
    })),
  };
}

/** Where a reader finds more: engineers the incident; everybody else the status page, or what the configuration names, and no console. */
function linkFor(
  audience: Audience,
  incident: string,
  { configuration, kinds, incidentLinks, pagesUrl }: PlanContext,
): Pick<Notice, "url" | "isPublicUrl"> {
  if (audience === "engineers")
    return incidentLinks === undefined ? {} : { url: incidentLink(incidentLinks, incident) };
  for (const { kind, settings } of configuration.channels) {
    const known = ownEntry(kinds, kind);
    const parsed = known?.readerUrl && known.settings.safeParse(settings);
    if (parsed?.success) return { url: known?.readerUrl?.(parsed.data, pagesUrl) ?? "", isPublicUrl: true };
  }
  const { incidentUrl } = configuration;
  return incidentUrl === undefined ? {} : { url: incidentLink(incidentUrl, incident) };
}

/** When the last of these arrived, RFC 3339. */
function lastArrival(history: readonly Delivery[]): string | undefined {
  const arrived = history.flatMap(({ delivered_at }) => delivered_at?.getTime() ?? []);
  return arrived.length === 0 ? undefined : new Date(Math.max(...arrived)).toISOString();
}

function earliest(history: readonly Delivery[]): Delivery | undefined {
  return history.reduce<Delivery | undefined>(
    (first, delivery) => (first === undefined || delivery.sequence < first.sequence ? delivery : first),
    undefined,
  );
}
