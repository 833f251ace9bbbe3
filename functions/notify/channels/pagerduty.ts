/** Alerts in PagerDuty by its Events API v2, one alert an incident. https://developer.pagerduty.com/docs/events-api-v2-overview */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import type { IncidentEventKind } from "../../../shared/messages/incident-event.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { Attempt, ChannelKind, Notice, OutgoingRequest, Reply } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { cut, fitted } from "../text/fit.ts";
import { atMost, keepsTo, type Limit } from "../text/limits.ts";
import { localTime } from "../text/notice-fields.ts";
import { linkTitle, type NoticeText } from "../text/notice-text.ts";
import { SettingText } from "../text/secret-text.ts";
import { postJson } from "./support/post.ts";

const settings = lazily(() =>
  z.strictObject({
    routing_key: secretText().describe("A secret: the integration key of an Events API v2 integration, 32 characters."),
    region: z
      .enum(["us", "eu"], { error: "must be us or eu" })
      .default("us")
      .describe("The service region of the account: us, or eu where its address is *.eu.pagerduty.com."),
  }),
);

/** Settings of a PagerDuty channel. */
export type PagerDutySettings = z.output<ReturnType<typeof settings>>;

/** The longest texts, in characters. https://developer.pagerduty.com/docs/send-alert-event */
const longest = { summary: 1_024, dedupKey: 255 } as const;

/** PagerDuty takes 512 KB, which nobody reads. */
const alertLimits: readonly Limit[] = [atMost(24_000, "bytes")];

/** The PagerDuty channel. */
export const pagerduty: ChannelKind<PagerDutySettings> = {
  kind: "pagerduty",
  title:
    "Opens and resolves one alert an incident in PagerDuty, by its Events API v2; a route that names `acknowledged` acknowledges it, too.",
  get settings() {
    return settings();
  },
  example: `routing_key: { secret: pagerduty-key }
`,
  limits: [
    atMost(512 * 1_024, "bytes"),
    atMost(longest.summary, "characters", "payload.summary"),
    atMost(longest.dedupKey, "characters", "dedup_key"),
  ],
  incidentForm: "one alert, by its deduplication key",
  // Only the key that opened an alert can acknowledge or resolve it.
  lasting: true,
  closesForGood: true,
  // A trigger would page again wherever the alert has been resolved by hand.
  omitted: {
    recovering: "PagerDuty knows no recovering alert",
    status_update: "PagerDuty is for those who act, not for those who follow",
  },
  notes: `## One alert from beginning to end

The deduplication key is the id of the incident. What follows an opening goes to the key and region that the opening went to, also when the configuration has
another by now, or no such channel any more: so no alert stays open by itself. Keep the secret until its incidents are over; Terraform removes it with the
channel. A new integration key needs a secret of a new name: under the old name, it would be taken for the key of alerts that it has never opened.

PagerDuty cannot open an alert again: it drops what comes after a resolution, and a trigger opens a new one. So a resolution is held for \`reopen_within\`, at most
ten minutes. Where the same fails again by then, the alert is still open. A later relapse is a new alert, which says when the one before was resolved and has its
deduplication key, by which PagerDuty finds both. An alert that somebody resolved there by hand stays resolved when the all-clear comes; a reminder or an
escalation before that opens it anew.
`,
  render: renderEvent,
  classify: classifyEvent,
};

const advice: Readonly<Record<number, string>> = {
  400: "check that the secret of routing_key is the 32 characters of an Events API v2 integration, and nothing else",
};

/** How long to wait when PagerDuty says that there were too many events, in milliseconds: its limits count by the minute. */
const waitAfterTooMany = 60_000;

const addresses: Readonly<Record<PagerDutySettings["region"], string>> = {
  us: "https://events.pagerduty.com/v2/enqueue",
  eu: "https://events.eu.pagerduty.com/v2/enqueue",
};

/** What PagerDuty is asked to do; a trigger adds to the alert while it is open. */
const actions: Readonly<Partial<Record<IncidentEventKind, "acknowledge" | "resolve">>> = {
  acknowledged: "acknowledge",
  resolved: "resolve",
};

function renderEvent({ routing_key, region }: PagerDutySettings, notice: Notice): OutgoingRequest {
  const action = actions[notice.event.event];
  const event = {
    routing_key: new SettingText(routing_key),
    event_action: action ?? "trigger",
    dedup_key: cut(bounded(notice.event.incident), longest.dedupKey),
    ...(action === undefined ? { client: "Pathkeeper", payload: alertOf(notice), ...linksOf(notice) } : {}),
  };
  return postJson(addresses[region], event);
}

function linksOf({ url }: Notice): object {
  return url === undefined ? {} : { client_url: url, links: [{ href: url, text: linkTitle }] };
}

function alertOf(notice: Notice): object {
  const { event, environment } = notice;
  return fitted(
    notice,
    (words) => ({
      summary: cut(`${bounded(environment)}: ${words.what}`, longest.summary),
      source: bounded(event.environment),
      severity: event.severity,
      component: bounded(event.root_cause),
      custom_details: { ...detailsOf(words), ...earlierAlert(notice) },
    }),
    (alert) => keepsTo(alertLimits, alert),
  );
}

/** What a new alert says of the one that it continues. */
function earlierAlert({ event, resolvedBefore, timezone }: Notice): Record<string, string> {
  if (resolvedBefore === undefined) return {};
  const resolved = localTime(resolvedBefore, timezone);
  return { "Earlier alert": `resolved here ${resolved}, with the same deduplication key: ${bounded(event.incident)}` };
}

function detailsOf({ state, paragraphs, facts, lists, nextSteps }: NoticeText): Record<string, string> {
  // In words of one's own the state stands among the facts.
  const isOwn = facts.some(({ label }) => label === "State");
  return {
    [isOwn ? "Title" : "State"]: state,
    ...(paragraphs.length === 0 ? {} : { Change: paragraphs.join("\n") }),
    ...Object.fromEntries(facts.map(({ label, value }) => [label, value])),
    ...Object.fromEntries(lists.map(({ label, items }) => [label, items.join("\n")])),
    ...(nextSteps.length === 0 ? {} : { "Where to look": nextSteps.join("\n") }),
  };
}

function classifyEvent(reply: Reply): Attempt {
  const attempt = classifyHttp(reply, advice);
  const tooMany = "status" in reply && reply.status === 429 && attempt.outcome === "retry";
  return tooMany ? { afterMs: waitAfterTooMany, ...attempt } : attempt;
}
