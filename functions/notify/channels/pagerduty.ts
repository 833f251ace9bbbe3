/** Alerts in PagerDuty through its Events API v2, one alert per incident. https://developer.pagerduty.com/docs/events-api-v2-overview */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import type { IncidentEventKind } from "../../../shared/messages/incident-event.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { type AnswerRequest, type IncomingAct, jsonOf } from "../answer/incoming.ts";
import { hmac, isSame } from "../answer/link.ts";
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
      .describe("The service region of the account: us, or eu if its address is *.eu.pagerduty.com."),
    webhook_secret: secretText()
      .optional()
      .describe(
        "A secret: that of a webhook subscription. It lets an acknowledgement in PagerDuty acknowledge the incident.",
      ),
  }),
);

/** Settings of a PagerDuty channel. */
export type PagerDutySettings = z.output<ReturnType<typeof settings>>;

/** Maximum lengths of texts, in characters. https://developer.pagerduty.com/docs/send-alert-event */
const longest = { summary: 1_024, dedupKey: 255 } as const;

/** PagerDuty accepts 512 KB, more than anybody reads. */
const alertLimits: readonly Limit[] = [atMost(24_000, "bytes")];

/** The PagerDuty channel. */
export const pagerduty: ChannelKind<PagerDutySettings> = {
  kind: "pagerduty",
  title:
    "Opens and resolves one alert per incident in PagerDuty with its Events API v2. A route that lists `acknowledged` also acknowledges it.",
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
  // An alert can only be acknowledged or resolved with the key that opened it.
  lasting: true,
  closesForGood: true,
  // If the alert was resolved by hand, a trigger would page again.
  omitted: {
    recovering: "PagerDuty has no recovering state",
    status_update: "PagerDuty is for those who act, not for those who follow",
  },
  notes: `## Acknowledge there

With \`webhook_secret\`, whoever acknowledges in PagerDuty has acknowledged the incident: the escalation of Pathkeeper ends, and the timeline says "Acknowledged by Ana Smith, in PagerDuty".

1. [Let readers act](../answers.md), so that PagerDuty can reach Pathkeeper.
2. In PagerDuty, open **Integrations → Generic Webhooks (v3)**, and add a webhook with the URL \`ADDRESS/channels/NAME\`, where NAME is the name of the channel in \`monitor.yaml\`, the scope of the
   service, and the event \`incident.acknowledged\`. Keep the secret that it shows once.

\`\`\`yaml
channels:
  example:
    kind: pagerduty
    routing_key: { secret: pagerduty-key }
    webhook_secret: { secret: pagerduty-webhook }
\`\`\`

A resolution there does not resolve the incident: Pathkeeper proves the recovery itself.

## One alert from beginning to end

The deduplication key is the id of the incident. What follows an opening goes to the key and region that the opening went to, also when the configuration has
another by now, or no such channel any more: so no alert stays open by itself. Keep the secret until its incidents are over; Terraform removes it with the
channel. A new integration key needs a secret of a new name: under the old name, it would be taken for the key of alerts that it has never opened.

PagerDuty cannot open an alert again: it drops what comes after a resolution, and a trigger opens a new one. So a resolution is held for \`reopen_within\`, at most
ten minutes. Where the same fails again by then, the alert is still open. A later relapse is a new alert, which says when the one before was resolved and has its
deduplication key, by which PagerDuty finds both. An alert that somebody resolved there by hand stays resolved when the all-clear comes; a reminder or an
escalation before that opens it anew.
`,
  render: renderEvent,
  incoming: { setting: "webhook_secret", via: () => "in PagerDuty", read: readWebhook },
  classify: classifyEvent,
};

const advice: Readonly<Record<number, string>> = {
  400: "check that the secret of routing_key is the 32 characters of an Events API v2 integration, and nothing else",
};

/** Delay after PagerDuty reports too many events, in milliseconds. Its limits count per minute. */
const waitAfterTooMany = 60_000;

const addresses: Readonly<Record<PagerDutySettings["region"], string>> = {
  us: "https://events.pagerduty.com/v2/enqueue",
  eu: "https://events.eu.pagerduty.com/v2/enqueue",
};

/** PagerDuty action for each event. A trigger adds to the alert while it is open. */
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

/** Returns the details by which a new alert refers to the one it continues. */
function earlierAlert({ event, resolvedBefore, timezone }: Notice): Record<string, string> {
  if (resolvedBefore === undefined) return {};
  const resolved = localTime(resolvedBefore, timezone);
  return { "Earlier alert": `resolved here ${resolved}, with the same deduplication key: ${bounded(event.incident)}` };
}

function detailsOf({ state, paragraphs, facts, lists, nextSteps }: NoticeText): Record<string, string> {
  // With a template, the state is one of the facts.
  const isOwn = facts.some(({ label }) => label === "State");
  return {
    [isOwn ? "Title" : "State"]: state,
    ...(paragraphs.length === 0 ? {} : { Change: paragraphs.join("\n") }),
    ...Object.fromEntries(facts.map(({ label, value }) => [label, value])),
    ...Object.fromEntries(lists.map(({ label, items }) => [label, items.join("\n")])),
    ...(nextSteps.length === 0 ? {} : { "Where to look": nextSteps.join("\n") }),
  };
}

const webhook = lazily(() =>
  z.object({
    event: z.object({
      id: z.string().min(1),
      event_type: z.string(),
      occurred_at: z.iso.datetime({ offset: true }).optional().catch(undefined),
      agent: z
        .object({ summary: z.string().catch(""), type: z.string().catch("") })
        .nullish()
        .catch(null),
      data: z.object({ incident_key: z.string().min(1) }),
    }),
  }),
);

/**
 * Reads a webhook: HMAC-SHA256 of the body in hexadecimal, one `v1=…` for each secret during rotation. The incident key is the deduplication
 * key of its alert. https://developer.pagerduty.com/docs/webhooks/webhooks-overview,
 * https://developer.pagerduty.com/docs/verifying-webhook-signatures
 */
function readWebhook({ headers, body }: AnswerRequest, secret: string): IncomingAct | "refused" | "ignored" {
  const expected = `v1=${hmac(secret, body).toString("hex")}`;
  const signatures = (headers["x-pagerduty-signature"] ?? "").split(",").map((signature) => signature.trim());
  if (!signatures.some((signature) => isSame(signature, expected))) return "refused";
  const read = webhook().safeParse(jsonOf(body));
  if (!read.success || read.data.event.event_type !== "incident.acknowledged") return "ignored";
  const { id, agent, data, occurred_at: at } = read.data.event;
  // Acknowledgements from our own notices come back in the name of the integration.
  if (agent?.type.includes("integration")) return "ignored";
  const done = { action: "acknowledge", incident: data.incident_key, by: agent?.summary ?? "", id } as const;
  return at === undefined ? done : { ...done, doneAt: Date.parse(at) };
}

function classifyEvent(reply: Reply): Attempt {
  const attempt = classifyHttp(reply, advice);
  const tooMany = "status" in reply && reply.status === 429 && attempt.outcome === "retry";
  return tooMany ? { afterMs: waitAfterTooMany, ...attempt } : attempt;
}
