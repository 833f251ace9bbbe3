/** Decides which readers are notified of an event, and why the others are not. Pure: everything it needs is an argument. */
import type { ConfiguredChannel } from "../../../shared/config/model.ts";
import type { Reader } from "../../../shared/documents/delivery-summary.ts";
import { maintenanceOf } from "../../../shared/maintenance.ts";
import type { IncidentEvent, IncidentEventKind } from "../../../shared/messages/incident-event.ts";
import { routesTo } from "../../../shared/routes.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Outgoing } from "../channel.ts";
import {
  type Delivery,
  deliveryId,
  isDeliveredOrPending,
  isFinal,
  isSameReader,
  mayReachReader,
  momentOf,
} from "../deliver/ledger.ts";
import { isAbout } from "../deliver/self-report.ts";
import { subjectOf } from "../text/notice-text.ts";
import { compose, noticeOf, type PlanContext, threadOf } from "./compose.ts";
import { type Hold, holdFor } from "./hold.ts";
import { asNotified, candidates, recipientsOf } from "./readers.ts";
import { isRevoked, isRevokedAllClear, lastReceived, revokedByRelapse } from "./relapse.ts";
import { notDue } from "./route.ts";
import { silenced } from "./silence.ts";

/** Readers that are notified, with their messages, and readers that are not, with the reasons. Together they contain every reader once. */
export interface NotificationPlan {
  readonly deliveries: readonly PlannedDelivery[];
  readonly suppressed: readonly SuppressedDelivery[];
}

/** A reader that is not notified, with the reason. */
export interface SuppressedDelivery extends Reader {
  readonly kind: string;
  /** Id of its ledger document, and idempotency key. */
  readonly key: string;
  /** Title of the incident for this reader. */
  readonly title: string;
  /** Sequence numbers of earlier events that are not final for this reader. */
  readonly follows: readonly number[];
  readonly reason: string;
}

/** A reader that is notified, with the reason and the message. */
export interface PlannedDelivery extends SuppressedDelivery {
  readonly payload: Outgoing;
  /** Settings used for the delivery, as JSON. */
  readonly settings: string;
  /** @default sent immediately */
  readonly hold?: Hold;
  /** For a late opening: the entry id of the event that triggered it, which is not sent separately. */
  readonly insteadOf?: string;
}

/** Good news, which is irrelevant to readers who were not alerted. */
const goodNews: readonly IncidentEventKind[] = ["acknowledged", "recovering", "resolved"];

/** Checks before an event is sent to a reader. The first that refuses gives the reason. */
const announcementChecks: readonly Check[] = [
  afterResolution,
  unreachable,
  alreadyIncluded,
  forEngineers,
  unrouted,
  muted,
  inMaintenance,
  tooMany,
  notDueYet,
  outdated,
];

/** A fire drill is sent to every channel once, regardless of routes, silences and maintenance windows, which is its purpose. */
const drillChecks: readonly Check[] = [afterResolution, noDrill];

/** An all-clear is sent to every reader who was notified of the incident, regardless of the present routes, silences and maintenance windows. */
const allClearChecks: readonly Check[] = [relapsed, unannounced, ended];

/** A relapse is sent to readers who received the all-clear, regardless of the events in their routes. */
const relapseChecks: readonly Check[] = [afterResolution, unreachable, muted, inMaintenance];

/** Plans an event: the readers that are notified, with rendered payloads, and those that are not. */
export function plan(event: IncidentEvent, context: PlanContext, now: number): NotificationPlan {
  const { kinds } = context;
  const checks = isAllClear(event) ? allClearChecks : event.drill ? drillChecks : announcementChecks;
  const deliveries: PlannedDelivery[] = [];
  const suppressed: SuppressedDelivery[] = [];
  for (const { channel: configured, recipient } of candidates(context, isAllClear(event))) {
    const reader = { channel: configured.name, ...(recipient === undefined ? {} : { recipient }) };
    const entries = context.ledger.filter(({ delivery }) => isSameReader(delivery, reader));
    const history = entries.map(({ delivery }) => delivery);
    const channel = asNotified(
      { channel: configured, ...(recipient === undefined ? {} : { recipient }) },
      history,
      kinds,
      isAllClear(event),
    );
    const announced = asAnnounced({ event, reader, history, context });
    const isRelapse = event.event === "regressed" && history.some((one) => isRevokedAllClear(one, event));
    const thread = threadOf(event, recipient, entries);
    const title = thread.title ?? subjectOf(noticeOf(announced, channel, thread, context));
    const key = deliveryId(announced, channel.name, recipient);
    const earlier = history.filter((one) => one.sequence < event.sequence && !isFinal(one));
    const common = { ...reader, kind: channel.kind, key, title, follows: earlier.map(({ sequence }) => sequence) };
    const refusal = firstRefusal(isRelapse ? relapseChecks : checks, {
      event: announced,
      reader,
      history,
      context,
      now,
    });
    const written = refusal === undefined ? compose(announced, channel, context, { ...thread, title }) : refusal;
    const own = deliveryId(event, channel.name, recipient);
    if (typeof written === "string") suppressed.push({ ...common, key: own, reason: written });
    else {
      const late = common.key === own ? {} : { insteadOf: own };
      const hold = holdFor(announced, ownEntry(kinds, channel.kind) ?? {}, history, context.configuration, now);
      deliveries.push({
        ...common,
        ...late,
        ...(hold === undefined ? {} : { hold }),
        payload: written,
        settings: JSON.stringify(channel.settings),
        reason: isRelapse
          ? "the resolution was already announced here"
          : notificationReason(announced, event, channel.name, context),
      });
    }
  }
  return { deliveries, suppressed };
}

/**
 * Returns the event as sent to the reader: as an opening if the reader has had no notice of the incident and a route now matches its
 * opening. So readers who were left out at first, because a component was not known yet, because of a low severity or because of a silence,
 * are notified once when that changes.
 */
function asAnnounced({ event, reader, history, context }: Omit<CheckInput, "now">): IncidentEvent {
  if (event.event === "opened" || goodNews.includes(event.event) || history.some(mayReachReader)) return event;
  const late = opening(event);
  return isRoutedTo(reader.channel, late, context) ? late : event;
}

function opening(event: IncidentEvent): IncidentEvent {
  return { ...event, event: "opened", occurrence: 1 };
}

/**
 * Returns whether the event ends the incident, or comes after its end. Such events go to the readers notified of the incident, silenced or
 * not.
 */
export function isAllClear(event: IncidentEvent): boolean {
  return event.status === "resolved";
}

function relapsed({ event, history }: CheckInput): string | undefined {
  return event.event === "resolved" && isRevoked(history, event.sequence) ? revokedByRelapse : undefined;
}

/** Returns whether a reader has, or is about to have, notice of the incident from an event before this one. */
export function wasNotified(history: readonly Delivery[], sequence: number): boolean {
  return history.some((delivery) => delivery.sequence < sequence && mayReachReader(delivery));
}

/** Returns whether the all-clear has overtaken an event for a reader, so that sending it now would only confuse. */
export function isSuperseded(history: readonly Delivery[], sequence: number): boolean {
  return history.some((delivery) => delivery.event === "resolved" && delivery.sequence > sequence);
}

/** Reason for suppressing an event that the all-clear has overtaken. */
export const superseded = "superseded: the incident is resolved";

/** Reason for suppressing a change whose message arrives after that of a later one. */
export const includedInLater = "superseded: included in a later notification";

/** Reason for suppressing the all-clear for readers who were not notified of the incident. */
export const neverAnnounced = "never announced here";

/** Inputs of a check: one event and one reader. */
interface CheckInput {
  readonly event: IncidentEvent;
  readonly reader: Reader;
  /** Ledger entries of this incident for this reader. */
  readonly history: readonly Delivery[];
  readonly context: PlanContext;
  readonly now: number;
}

/** Returns the reason a reader is not notified; `undefined` if the check passes. */
type Check = (input: CheckInput) => string | undefined;

/** Maximum number of notices of one incident to a reader within an hour. Events that open, worsen or escalate the incident are exempt. */
export const maxPerHour = 12;
const exemptFromLimit: readonly IncidentEventKind[] = ["opened", "severity_raised", "escalated"];

/** Events that describe changes, and the maximum time between two that count as one moment if the incident is the same, in milliseconds. */
const changes: readonly IncidentEventKind[] = ["joined", "severity_raised", "root_cause_changed", "status_update"];
const sameMomentMs = 120_000;

function firstRefusal(checks: readonly Check[], input: CheckInput): string | undefined {
  for (const check of checks) {
    const refusal = check(input);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** The all-clear of any reader counts: a reader added or renamed after it was planned would be notified of the incident, and never of its end. */
function afterResolution({ event, context: { ledger } }: CheckInput): string | undefined {
  const all = ledger.map(({ delivery }) => delivery);
  return isSuperseded(all, event.sequence) ? superseded : undefined;
}

/** The last check: its reason means that the change would have been sent if its message had arrived in time. */
function outdated({ event, history }: CheckInput): string | undefined {
  return isInLaterNotice(event, history) ? includedInLater : undefined;
}

/** Returns whether a notice of a later event already includes a change. */
function isInLaterNotice(
  { event, sequence }: Pick<IncidentEvent, "event" | "sequence">,
  history: readonly Delivery[],
): boolean {
  return changes.includes(event) && history.some((one) => isDeliveredOrPending(one) && one.sequence > sequence);
}

/** The opening includes the changes of the same moment. A late opening may be accompanied by several events. */
function alreadyIncluded({ event, history }: CheckInput): string | undefined {
  if (!changes.includes(event.event) || isSuspectedChange(event)) return undefined;
  const moment = momentOf(event);
  const opened = history.find((delivery) => delivery.event === "opened" && isDeliveredOrPending(delivery));
  const isSame = opened?.moment === moment && Math.abs(Date.parse(event.at) - opened.at.getTime()) <= sameMomentMs;
  return isSame ? "included in the opening" : undefined;
}

/** Returns whether the only news is a change that may have caused the incident. */
function isSuspectedChange({ event, news }: IncidentEvent): boolean {
  return event === "status_update" && news === "change";
}

/** Details of a change are useful to engineers only. */
function forEngineers({ event, reader, context }: CheckInput): string | undefined {
  if (!isSuspectedChange(event)) return undefined;
  const channel = context.configuration.channels.find(({ name }) => name === reader.channel);
  const isPublic = ownEntry(context.kinds, channel?.kind ?? "")?.public === true;
  const isForEngineers = !isPublic && (channel?.audience ?? "engineers") === "engineers";
  return isForEngineers ? undefined : "changes are announced to engineers only";
}

function noDrill({ event, reader, context }: CheckInput): string | undefined {
  if (event.event !== "opened") return "only the start and the end of a fire drill are announced";
  const isPublic = context.configuration.channels.some(
    ({ name, kind }) => name === reader.channel && ownEntry(context.kinds, kind)?.public,
  );
  return isPublic ? "fire drills are not announced publicly" : undefined;
}

/** A channel that is unreachable cannot be notified of that. */
function unreachable({ event, reader: { channel, recipient } }: CheckInput): string | undefined {
  if (isAbout(event, { channel })) return "it is about this channel: notifications do not reach it";
  return recipient !== undefined && isAbout(event, { channel, recipient })
    ? "it is about this recipient: notifications do not reach it"
    : undefined;
}

function unrouted({ event, reader, context }: CheckInput): string | undefined {
  // An additional unreachable channel concerns every reader of such incidents.
  const news = aboutChannels(event, context) && event.event === "joined" ? opening(event) : event;
  return isRoutedTo(reader.channel, news, context)
    ? undefined
    : `no route: ${event.event}, ${event.severity}, ${event.root_cause}`;
}

/** Returns whether a route sends an event to a channel, or the channel is the fallback because no route leads to a working one. */
function isRoutedTo(channel: string, event: IncidentEvent, context: PlanContext): boolean {
  const { channels, routes } = context.configuration;
  if (routesTo(channel, event, routes).length > 0) return true;
  if (event.event !== "opened" || !aboutChannels(event, context)) return false;
  const working = channels.filter(
    (one) => !ownEntry(context.kinds, one.kind)?.public && unreachablePart(one, event, context) !== "everybody",
  );
  if (working.some(({ name }) => routesTo(name, event, routes).length > 0)) return false;
  // Prefer engineers to other audiences.
  const engineers = working.filter(({ audience = "engineers" }) => audience === "engineers");
  return (engineers.length > 0 ? engineers : working).some(({ name }) => name === channel);
}

/** Returns whether an incident of the monitor is about channels or recipients that notices do not reach. */
function aboutChannels(event: IncidentEvent, context: PlanContext): boolean {
  return context.configuration.channels.some((one) => unreachablePart(one, event, context) !== "nobody");
}

/** Returns which part of a channel is unreachable according to an incident of the monitor. */
function unreachablePart(
  channel: ConfiguredChannel,
  event: IncidentEvent,
  { kinds }: PlanContext,
): "nobody" | "somebody" | "everybody" {
  if (isAbout(event, { channel: channel.name })) return "everybody";
  const recipients = recipientsOf(channel, kinds);
  const unreached = recipients.filter((recipient) => isAbout(event, { channel: channel.name, recipient }));
  if (unreached.length === 0) return "nobody";
  return unreached.length < recipients.length ? "somebody" : "everybody";
}

function muted({ event, context, now }: CheckInput): string | undefined {
  return silenced(event, context.silences, now);
}

function inMaintenance({ event, context, now }: CheckInput): string | undefined {
  const found = maintenanceOf(event, context.configuration.maintenance ?? [], now);
  return found && `maintenance "${found.name}" until ${new Date(found.until).toISOString()}`;
}

function tooMany({ event, history }: CheckInput): string | undefined {
  if (exemptFromLimit.includes(event.event)) return undefined;
  const lately = history.filter(
    (one) => isDeliveredOrPending(one) && Date.parse(event.at) - one.at.getTime() < 3_600_000,
  );
  if (lately.length < maxPerHour) return undefined;
  return `limit: ${maxPerHour} notifications of this incident within an hour; see the incident for the rest`;
}

function notDueYet({ event, reader, history, context }: CheckInput): string | undefined {
  const isUnderWay = history.some((delivery) => isDeliveredOrPending(delivery) && !isFinal(delivery));
  if (event.event === "reminder" && isUnderWay) return "not due: an earlier notification is still being delivered";
  const arrived = history.flatMap(({ delivered_at }) => delivered_at?.getTime() ?? []);
  const last = arrived.length === 0 ? undefined : Math.max(...arrived);
  return notDue(event, routesTo(reader.channel, event, context.configuration.routes), last);
}

function unannounced({ event, history }: CheckInput): string | undefined {
  return wasNotified(history, event.sequence) ? undefined : neverAnnounced;
}

/** Readers who were not notified of the relapse already have the all-clear. A program gets every event. */
function ended({ event, history, context }: CheckInput): string | undefined {
  const last = lastReceived(history, event);
  if (last?.event !== "resolved" || last.status !== "delivered") return undefined;
  return ownEntry(context.kinds, last.kind)?.everyEvent
    ? undefined
    : "the resolution was already announced here, and not that it came back";
}

/** Returns the reason a reader is notified. */
function notificationReason(
  announced: IncidentEvent,
  event: IncidentEvent,
  channel: string,
  { configuration: { routes } }: PlanContext,
): string {
  if (isAllClear(event)) return "all-clear to the recipients of the announcement";
  if (announced.drill) return "a fire drill is announced everywhere";
  const matching = routesTo(channel, announced, routes).map((route) => routes.indexOf(route) + 1);
  if (matching.length === 0) return "no route leads to a working channel";
  const late = announced === event ? "" : `, since ${event.event.replaceAll("_", " ")}: it was not announced before`;
  return `route ${matching.join(", ")}${late}`;
}
