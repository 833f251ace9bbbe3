/**
 * Composes the message for a reader: the text of an event, rendered with the settings of its channel. Pure: everything it needs is an
 * argument.
 */
import type { Configuration, ConfiguredChannel } from "../../../shared/config/model.ts";
import type { Audience } from "../../../shared/config/notification.ts";
import { incidentLink } from "../../../shared/incident-link.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { drillComponent, monitorComponent } from "../../../shared/monitor.ts";
import type { Swimlane } from "../../../shared/picture/swimlane.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { actionsFor, actionTitles } from "../answer/act.ts";
import { unsignedUrl } from "../answer/link.ts";
import type { AnyChannelKind, Notice, Outgoing } from "../channel.ts";
import { type Delivery, deliveryId, type LedgerEntry, mayReachReader } from "../deliver/ledger.ts";
import { subjectOf } from "../text/notice-text.ts";
import { mayAct, recipientsOf } from "./readers.ts";
import { isRevokedAllClear, lastReceived } from "./relapse.ts";
import type { Silence } from "./silence.ts";
import { templateFor } from "./template.ts";

/** Inputs of planning besides the event. */
export interface PlanContext {
  readonly configuration: Configuration;
  readonly kinds: Readonly<Record<string, AnyChannelKind>>;
  readonly silences: readonly Silence[];
  /** URL of an incident, with `${incident}` for its id; absent if unknown. */
  readonly incidentLinks?: string | undefined;
  /** Base URL for answers, without a trailing slash. @default none */
  readonly answersUrl?: string | undefined;
  /** URL of the folder in which status pages are written, instead of buckets. @default buckets */
  readonly pagesUrl?: string | undefined;
  /** All ledger entries of this incident. */
  readonly ledger: readonly LedgerEntry[];
  /** Returns the timeline of failures at the event. @default notices have none */
  readonly picture?: () => Swimlane | undefined;
}

/**
 * Returns the payload of a late delivery, with the present state and the current settings of the channel.
 * @param entries all ledger entries of this incident for this reader
 */
export function recompose(
  event: IncidentEvent,
  { delivery, id }: LedgerEntry,
  entries: readonly LedgerEntry[],
  delay: "late" | "unannounced" | undefined,
  context: PlanContext,
): { readonly payload: Outgoing; readonly settings: string } | undefined {
  const configured = context.configuration.channels.find(({ name }) => name === delivery.channel);
  // Readers without an earlier notice use the current, possibly corrected settings. Others keep the settings of their earlier notices.
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

/** Returns the properties shared by all notices of an incident to one reader. */
export function threadOf(event: IncidentEvent, recipient: string | undefined, entries: readonly LedgerEntry[]): Thread {
  const history = entries.map(({ delivery }) => delivery);
  return {
    recipient,
    key: entries.find(({ delivery }) => delivery.event === "opened" && mayReachReader(delivery))?.id,
    title: earliest(history)?.title,
    resolvedBefore: lastArrival(history.filter((one) => isRevokedAllClear(one, event))),
    isBack: lastReceived(history, event)?.event === "resolved",
  };
}

/** Properties shared by all notices of an incident to one reader. */
export interface Thread {
  /** Recipient, for channels with recipients. @default all of them */
  readonly recipient?: string | undefined;
  /** Entry id of the opening. @default that of a new opening */
  readonly key?: string | undefined;
  /** Title of the incident. @default the present title */
  readonly title?: string | undefined;
  /** Time of the last all-clear; absent if there was none. */
  readonly resolvedBefore?: string | undefined;
  /** Whether the last notice was an all-clear. @default false */
  readonly isBack?: boolean;
  /** Id of the entry. @default that of the event */
  readonly id?: string;
  /** How the notice is late. @default it is on time */
  readonly delay?: Notice["delay"] | undefined;
}

/** Returns the message for a reader, or the reason there is none, so that one misconfigured channel does not affect the others. */
export function compose(
  event: IncidentEvent,
  channel: ConfiguredChannel,
  context: PlanContext,
  thread: Thread = {},
): Outgoing | string {
  const { kinds } = context;
  const kind = ownEntry(kinds, channel.kind);
  if (kind === undefined) return "the channel is no longer in the configuration";
  const omitted = kind.omitted?.[event.event];
  if (omitted !== undefined) return omitted;
  const settings = kind.settings.safeParse(channel.settings);
  if (!settings.success) return `invalid channel settings: ${settings.error.issues[0]?.message}`;
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

/** Returns the notice of an event for a channel. */
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
    ...pictureFor(audience, context),
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

/** Returns the timeline of failures, for engineers only. Other audiences read the impact, not which part broke. */
function pictureFor(audience: Audience, { picture: draw }: PlanContext): Pick<Notice, "picture"> {
  const picture = audience === "engineers" ? draw?.() : undefined;
  return picture === undefined || picture.lanes.length === 0 ? {} : { picture };
}

/** Returns the actions available to a reader on the incident as the notice shows it. */
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

/** Returns the link for more information: for engineers the incident; for others the status page or the configured URL, never a console. */
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

/** Returns the time of the last arrival, RFC 3339. */
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
