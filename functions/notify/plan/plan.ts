/** The decision who is told of an event, and why the others are not. Pure: everything it needs is an argument. */
import type { ConfiguredChannel } from "../../../shared/config/model.ts";
import type { Reader } from "../../../shared/documents/delivery-summary.ts";
import { maintenanceOf } from "../../../shared/maintenance.ts";
import type { IncidentEvent, IncidentEventKind } from "../../../shared/messages/incident-event.ts";
import { routesTo } from "../../../shared/routes.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Outgoing } from "../channel.ts";
import { type Delivery, deliveryId, isFinal, isKnowing, isSameReader, isTelling, momentOf } from "../deliver/ledger.ts";
import { isAbout } from "../deliver/trouble.ts";
import { subjectOf } from "../text/notice-text.ts";
import { compose, noticeOf, type PlanContext, threadOf } from "./compose.ts";
import { type Hold, holdFor } from "./hold.ts";
import { asOpened, candidates, recipientsOf } from "./readers.ts";
import { isAllClearBefore, isTakenBack, lastKnown, tooSoon } from "./relapse.ts";
import { notDue } from "./route.ts";
import { silenced } from "./silence.ts";

/** Who is told what, and who is not because of what. Together they name every reader once. */
export interface NotificationPlan {
  readonly deliveries: readonly PlannedDelivery[];
  readonly suppressed: readonly SuppressedDelivery[];
}

/** One reader that is not told, and why. */
export interface SuppressedDelivery extends Reader {
  readonly kind: string;
  /** Id of its document in the ledger, and idempotency key. */
  readonly key: string;
  /** What the incident is called for this reader. */
  readonly title: string;
  readonly reason: string;
}

/** One reader that is told, why and what. */
export interface PlannedDelivery extends SuppressedDelivery {
  readonly payload: Outgoing;
  /** The settings that lead there, as JSON. */
  readonly settings: string;
  /** @default it is told at once */
  readonly hold?: Hold;
  /** Of an opening that is told late: the id of the entry of the event that occasioned it, which is not told besides. */
  readonly insteadOf?: string;
}

/** News that are good, and alarm nobody who was not alarmed. */
const relief: readonly IncidentEventKind[] = ["acknowledged", "recovering", "resolved"];

/** The steps by which news reach a reader; the first that refuses says why the reader is not told. */
const announcement: readonly Step[] = [
  overtaken,
  unreachable,
  saidAlready,
  forEngineers,
  unrouted,
  muted,
  inMaintenance,
  tooMany,
  early,
  outdated,
];

/** A fire drill is told to every channel, once, whatever routes, silences and windows say: that is what it is for. */
const drillSteps: readonly Step[] = [overtaken, noDrill];

/** What is over is told to everybody who knows that it was not, whatever routes, silences and windows say by now. */
const allClear: readonly Step[] = [relapsed, unannounced, ended];

/** Who was told that it is over is told that it is not, whatever events the routes name. */
const relapse: readonly Step[] = [overtaken, unreachable, muted, inMaintenance];

/** Plans an event: which readers are told, with the payload rendered, and which are not. */
export function plan(event: IncidentEvent, context: PlanContext, now: number): NotificationPlan {
  const { kinds } = context;
  const steps = isAllClear(event) ? allClear : event.drill ? drillSteps : announcement;
  const deliveries: PlannedDelivery[] = [];
  const suppressed: SuppressedDelivery[] = [];
  for (const { channel: configured, recipient } of candidates(context, isAllClear(event))) {
    const reader = { channel: configured.name, ...(recipient === undefined ? {} : { recipient }) };
    const entries = context.ledger.filter(({ delivery }) => isSameReader(delivery, reader));
    const history = entries.map(({ delivery }) => delivery);
    const channel = asOpened(
      { channel: configured, ...(recipient === undefined ? {} : { recipient }) },
      history,
      kinds,
      isAllClear(event),
    );
    const told = asHeard({ event, reader, history, context });
    const isRelapse = event.event === "regressed" && history.some((one) => isAllClearBefore(one, event));
    const thread = threadOf(event, recipient, entries);
    const title = thread.title ?? subjectOf(noticeOf(told, channel, thread, context));
    const common = { ...reader, kind: channel.kind, key: deliveryId(told, channel.name, recipient), title };
    const refusal = firstRefusal(isRelapse ? relapse : steps, { event: told, reader, history, context, now });
    const written = refusal === undefined ? compose(told, channel, context, { ...thread, title }) : refusal;
    const own = deliveryId(event, channel.name, recipient);
    if (typeof written === "string") suppressed.push({ ...common, key: own, reason: written });
    else {
      const late = common.key === own ? {} : { insteadOf: own };
      const hold = holdFor(told, ownEntry(kinds, channel.kind) ?? {}, history, context.configuration, now);
      deliveries.push({
        ...common,
        ...late,
        ...(hold === undefined ? {} : { hold }),
        payload: written,
        settings: JSON.stringify(channel.settings),
        reason: isRelapse ? "it was told here that it is over" : occasion(told, event, channel.name, context),
      });
    }
  }
  return { deliveries, suppressed };
}

/**
 * The event as the reader hears it: as an opening where it can know nothing of the incident and a route brings openings of what the incident
 * is by now. So whoever was left out at first, because a component was not known yet, because it was not bad enough, or because of a
 * silence, is told once when that has changed.
 */
function asHeard({ event, reader, history, context }: Omit<Question, "now">): IncidentEvent {
  if (event.event === "opened" || relief.includes(event.event) || history.some(isKnowing)) return event;
  const late = opening(event);
  return isBroughtTo(reader.channel, late, context) ? late : event;
}

function opening(event: IncidentEvent): IncidentEvent {
  return { ...event, event: "opened", occurrence: 1 };
}

/** Whether the event tells that it is over, or comes after that. It goes to whom the incident was announced, silenced or not. */
export function isAllClear(event: IncidentEvent): boolean {
  return event.status === "resolved";
}

function relapsed({ event, history }: Question): string | undefined {
  return event.event === "resolved" && isTakenBack(history, event.sequence) ? tooSoon : undefined;
}

/** Whether a reader may know, or is about to know, of the incident from an event before this one. */
export function wasTold(history: readonly Delivery[], sequence: number): boolean {
  return history.some((delivery) => delivery.sequence < sequence && isKnowing(delivery));
}

/** Whether the all-clear has overtaken an event for a reader, so that telling it now would only confuse. */
export function isSuperseded(history: readonly Delivery[], sequence: number): boolean {
  return history.some((delivery) => delivery.event === "resolved" && delivery.sequence > sequence);
}

/** Why an event that the all-clear has overtaken is not told. */
export const superseded = "superseded: the incident is resolved";

/** Why a change is not told whose message comes after that of a later one. */
export const standsInLater = "superseded: later news, in which it stands, are told already";

/** Why a reader does not hear the end of what it never heard of. */
export const neverAnnounced = "never announced here";

/** One question about one reader. */
interface Question {
  readonly event: IncidentEvent;
  readonly reader: Reader;
  /** What the ledger holds on this incident for this reader. */
  readonly history: readonly Delivery[];
  readonly context: PlanContext;
  readonly now: number;
}

/** A step says why the reader is not told, or nothing. */
type Step = (question: Question) => string | undefined;

/** The most notices of one incident that a reader hears within an hour; what opens, worsens or escalates is always told. */
export const mostInAnHour = 12;
const neverTooMany: readonly IncidentEventKind[] = ["opened", "severity_raised", "escalated"];

/** Events that say what has changed, and how far apart in milliseconds two of them are of one moment where the incident is the same. */
const changes: readonly IncidentEventKind[] = ["joined", "severity_raised", "root_cause_changed", "status_update"];
const sameMomentMs = 120_000;

function firstRefusal(steps: readonly Step[], question: Question): string | undefined {
  for (const step of steps) {
    const refusal = step(question);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function overtaken({ event, history }: Question): string | undefined {
  return isSuperseded(history, event.sequence) ? superseded : undefined;
}

/** The last step: what it says of a change is that it would have been told, had its message come in time. */
function outdated({ event, history }: Question): string | undefined {
  return isOutdated(event, history) ? standsInLater : undefined;
}

/** Whether a change stands in what a reader is told of later events. */
export function isOutdated(
  { event, sequence }: Pick<IncidentEvent, "event" | "sequence">,
  history: readonly Delivery[],
): boolean {
  return changes.includes(event) && history.some((told) => isTelling(told) && told.sequence > sequence);
}

/** What changed in the moment of which the opening tells stands in the opening: with a late one, several events may come at once. */
function saidAlready({ event, history }: Question): string | undefined {
  if (!changes.includes(event.event) || bringsChange(event)) return undefined;
  const moment = momentOf(event);
  const opened = history.find((delivery) => delivery.event === "opened" && isTelling(delivery));
  const isSame = opened?.moment === moment && Math.abs(Date.parse(event.at) - opened.at.getTime()) <= sameMomentMs;
  return isSame ? "told with the opening, in which it stands" : undefined;
}

/** Whether all that is new is that a change was found which fits the cause. */
function bringsChange({ event, news }: IncidentEvent): boolean {
  return event === "status_update" && news === "change";
}

/** What was changed says something to those who mend it, and to nobody else. */
function forEngineers({ event, reader, context }: Question): string | undefined {
  if (!bringsChange(event)) return undefined;
  const channel = context.configuration.channels.find(({ name }) => name === reader.channel);
  const isPublic = ownEntry(context.kinds, channel?.kind ?? "")?.public === true;
  const isForEngineers = !isPublic && (channel?.audience ?? "engineers") === "engineers";
  return isForEngineers ? undefined : "what was changed is told to engineers alone";
}

function noDrill({ event, reader, context }: Question): string | undefined {
  if (event.event !== "opened") return "of a fire drill only its beginning and its end are told";
  const isPublic = context.configuration.channels.some(
    ({ name, kind }) => name === reader.channel && ownEntry(context.kinds, kind)?.public,
  );
  return isPublic ? "a fire drill is no news for everybody" : undefined;
}

/** That notices do not reach a reader cannot be told there. */
function unreachable({ event, reader: { channel, recipient } }: Question): string | undefined {
  if (isAbout(event, { channel })) return "it is about this channel: notices do not reach it";
  return recipient !== undefined && isAbout(event, { channel, recipient })
    ? "it is about this recipient: notices do not reach it"
    : undefined;
}

function unrouted({ event, reader, context }: Question): string | undefined {
  // That notices do not reach one more channel is news for whoever hears of it at all.
  const news = aboutChannels(event, context) && event.event === "joined" ? opening(event) : event;
  return isBroughtTo(reader.channel, news, context)
    ? undefined
    : `no route: ${event.event}, ${event.severity}, ${event.root_cause}`;
}

/** Whether a route brings an event to a channel, or the channel hears of it because no route leads to one that works. */
function isBroughtTo(channel: string, event: IncidentEvent, context: PlanContext): boolean {
  const { channels, routes } = context.configuration;
  if (routesTo(channel, event, routes).length > 0) return true;
  if (event.event !== "opened" || !aboutChannels(event, context)) return false;
  const working = channels.filter(
    (one) => !ownEntry(context.kinds, one.kind)?.public && unreachedIn(one, event, context) !== "everybody",
  );
  if (working.some(({ name }) => routesTo(name, event, routes).length > 0)) return false;
  // Better engineers than everybody.
  const engineers = working.filter(({ audience = "engineers" }) => audience === "engineers");
  return (engineers.length > 0 ? engineers : working).some(({ name }) => name === channel);
}

/** Whether an incident of the monitor is about channels, or recipients of them, that notices do not reach. */
function aboutChannels(event: IncidentEvent, context: PlanContext): boolean {
  return context.configuration.channels.some((one) => unreachedIn(one, event, context) !== "nobody");
}

/** Whom in a channel notices do not reach, by an incident of the monitor. */
function unreachedIn(
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

function muted({ event, context, now }: Question): string | undefined {
  return silenced(event, context.silences, now);
}

function inMaintenance({ event, context, now }: Question): string | undefined {
  const found = maintenanceOf(event, context.configuration.maintenance ?? [], now);
  return found && `maintenance "${found.name}" until ${new Date(found.until).toISOString()}`;
}

function tooMany({ event, history }: Question): string | undefined {
  if (neverTooMany.includes(event.event)) return undefined;
  const lately = history.filter((told) => isTelling(told) && Date.parse(event.at) - told.at.getTime() < 3_600_000);
  if (lately.length < mostInAnHour) return undefined;
  return `limit: ${mostInAnHour} notices of this incident within an hour, what follows stands in the incident`;
}

function early({ event, reader, history, context }: Question): string | undefined {
  const isUnderWay = history.some((delivery) => isTelling(delivery) && !isFinal(delivery));
  if (event.event === "reminder" && isUnderWay) return "not due: what came before it is still on its way";
  const arrived = history.flatMap(({ delivered_at }) => delivered_at?.getTime() ?? []);
  const last = arrived.length === 0 ? undefined : Math.max(...arrived);
  return notDue(event, routesTo(reader.channel, event, context.configuration.routes), last);
}

function unannounced({ event, history }: Question): string | undefined {
  return wasTold(history, event.sequence) ? undefined : neverAnnounced;
}

/** Who did not hear that it came back goes on knowing that it is over. A program gets every event. */
function ended({ event, history, context }: Question): string | undefined {
  const last = lastKnown(history, event);
  if (last?.event !== "resolved" || last.status !== "delivered") return undefined;
  return ownEntry(context.kinds, last.kind)?.everyEvent
    ? undefined
    : "it was told here that it is over, and not that it came back";
}

/** Why a reader is told. */
function occasion(
  told: IncidentEvent,
  event: IncidentEvent,
  channel: string,
  { configuration: { routes } }: PlanContext,
): string {
  if (isAllClear(event)) return "all-clear to whom the incident was announced";
  if (told.drill) return "a fire drill is told everywhere";
  const matching = routesTo(channel, told, routes).map((route) => routes.indexOf(route) + 1);
  if (matching.length === 0) return "no route leads to a channel that works";
  const late = told === event ? "" : `, since ${event.event.replaceAll("_", " ")}: it was not told before`;
  return `route ${matching.join(", ")}${late}`;
}
