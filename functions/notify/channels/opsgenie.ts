/**
 * Alerts in Opsgenie through its Alert API, one alert per incident. https://docs.opsgenie.com/docs/alert-api
 * The integration events of Jira Service Management use the same requests on another host, with the same kind of key.
 * https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/
 */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import type { IncidentEventKind, Priority } from "../../../shared/messages/incident-event.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { type AnswerRequest, type IncomingAct, jsonOf } from "../answer/incoming.ts";
import { digest, isSame } from "../answer/link.ts";
import type { ChannelKind, Notice, OutgoingRequest } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { cut, fitted } from "../text/fit.ts";
import { atMost, characters } from "../text/limits.ts";
import { localTime } from "../text/notice-fields.ts";
import { linkTitle, type NoticeText, wording } from "../text/notice-text.ts";
import { withQuery } from "../text/secret-text.ts";
import { postJson } from "./support/post.ts";

const settings = lazily(() =>
  z.strictObject({
    api_key: secretText().describe("A secret: the key of an integration of the kind API."),
    region: z
      .enum(["us", "eu"], { error: "must be us or eu" })
      .default("us")
      .describe("The service region of the account: us, or eu if its address is *.app.eu.opsgenie.com."),
    url: z
      .url({ protocol: /^https$/, error: "must be an address such as https://api.atlassian.com/jsm/ops/integration" })
      .transform((url) => url.replace(/\/+$/, ""))
      .optional()
      .describe(
        "The base URL of the Alert API, without /v2/alerts: for Jira Service Management, https://api.atlassian.com/jsm/ops/integration. Default: Opsgenie, in the region.",
      ),
    webhook_token: secretText()
      .optional()
      .describe(
        "A secret: the token that a webhook integration sends. It lets an acknowledgement in Opsgenie acknowledge the incident.",
      ),
  }),
);

/** Settings of an Opsgenie channel. */
export type OpsgenieSettings = z.output<ReturnType<typeof settings>>;

/** Maximum lengths of texts, in characters. https://docs.opsgenie.com/docs/alert-api */
const longest = { message: 130, alias: 512, entity: 512, source: 100, description: 15_000, note: 25_000 } as const;

/** The Opsgenie channel. */
export const opsgenie: ChannelKind<OpsgenieSettings> = {
  kind: "opsgenie",
  title:
    "Opens and closes one alert per incident in Opsgenie with its Alert API. A route that lists `acknowledged` also acknowledges it.",
  get settings() {
    return settings();
  },
  example: `api_key: { secret: opsgenie-key }
`,
  limits: Object.entries(longest).map(([part, most]) => atMost(most, "characters", part)),
  incidentForm: "one alert, by its alias",
  // The alert can only be found with a key of the same account and region.
  lasting: true,
  closesForGood: true,
  // If the first alert was closed by hand, a new one would page again.
  omitted: {
    recovering: "Opsgenie has no recovering state",
    status_update: "Opsgenie is for those who act, not for those who follow",
  },
  notes: `## Acknowledge there

With \`webhook_token\`, whoever acknowledges the alert has acknowledged the incident: the escalation of Pathkeeper ends, and the timeline says "Acknowledged by ana@example.com, in Opsgenie".

1. [Let readers act](../answers.md), so that Opsgenie can reach Pathkeeper.
2. Make a token: \`openssl rand -hex 32\`, and keep it as a secret.
3. In Opsgenie or Jira Service Management, add an integration of the kind **Webhook** (outgoing), with the URL \`ADDRESS/channels/NAME\`, where NAME is the name of the channel in \`monitor.yaml\`,
   the custom header \`Authorization: Bearer TOKEN\`, and the action *alert is acknowledged*.

\`\`\`yaml
channels:
  example:
    kind: opsgenie
    api_key: { secret: opsgenie-key }
    webhook_token: { secret: opsgenie-webhook }
\`\`\`

Neither service signs its webhooks, so the token is what proves who sends them. A closing there does not resolve the incident: Pathkeeper proves the recovery itself.

## Jira Service Management

Atlassian closes Opsgenie in favour of Jira Service Management, which takes the same requests as
[integration events](https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/). Create an API integration there, put its key into the secret, and set \`url: https://api.atlassian.com/jsm/ops/integration\`.
An incident that is open meanwhile is closed where it was opened.

## One alert from beginning to end

The alias is the id of the incident. What follows an opening goes where the opening went, with its key, also when the configuration has another by now, or no
such channel any more. Keep the secret until its incidents are over; Terraform removes it with the channel.

Opsgenie cannot open an alert again: an alias finds the alert that is open, and opens a new one where none is. So a closing is held for \`reopen_within\`, at most
ten minutes. Where the same fails again by then, the alert is still open. A later relapse is a new alert, which says when the one before was closed and has its
alias.
`,
  render: renderAlert,
  incoming: {
    setting: "webhook_token",
    via: ({ url }) => (url === undefined ? "in Opsgenie" : "in Jira Service Management"),
    read: readWebhook,
  },
  classify: (reply) => classifyHttp(reply, advice),
};

const advice: Readonly<Record<number, string>> = {
  401: "the key is wrong: copy the key of the API integration into the secret again",
  403: "the key lacks permission: allow the API integration to create and update alerts, and turn it on",
  422: "check that the key is that of an API integration, in the region of the account",
};

const addresses: Readonly<Record<OpsgenieSettings["region"], string>> = {
  us: "https://api.opsgenie.com/v2/alerts",
  eu: "https://api.eu.opsgenie.com/v2/alerts",
};

/** Action on the existing alert for each event. All other events create an alert, or increase its count while it is open. */
const actions: Readonly<Partial<Record<IncidentEventKind, "acknowledge" | "close">>> = {
  acknowledged: "acknowledge",
  resolved: "close",
};

const priorities: Readonly<Record<Priority, string>> = { P0: "P1", P1: "P2", P2: "P3", P3: "P4" };

function renderAlert({ api_key, region, url }: OpsgenieSettings, notice: Notice): OutgoingRequest {
  const alerts = url === undefined ? addresses[region] : `${url}/v2/alerts`;
  const { event, environment, rootCause } = notice;
  const alias = cut(bounded(event.incident), longest.alias);
  const source = cut(bounded(environment), longest.source);
  const text = fitted(notice, textOf, (written) => characters(written) <= longest.description);
  const headers = { authorization: `GenieKey ${api_key}` };
  const action = actions[event.event];
  if (action !== undefined) {
    return postJson(
      withQuery(`${alerts}/${encodeURIComponent(alias)}/${action}`, { identifierType: "alias" }),
      { source, note: cut(text, longest.note) },
      headers,
    );
  }
  const message =
    notice.template?.title === undefined
      ? `${event.severity} · ${bounded(environment)} · ${bounded(event.title)}`
      : wording(notice).state;
  const alert = {
    message: cut(message, longest.message),
    alias,
    description: text,
    entity: cut(bounded(rootCause.title), longest.entity),
    source,
    priority: priorities[event.priority],
    ...detailsOf(notice),
  };
  return postJson(alerts, alert, headers);
}

function detailsOf({ url, event, resolvedBefore, timezone }: Notice): { readonly details?: Record<string, string> } {
  const details = {
    ...(url === undefined ? {} : { [linkTitle]: url }),
    ...(resolvedBefore === undefined
      ? {}
      : {
          "Earlier alert": `closed ${localTime(resolvedBefore, timezone)}, with the alias ${bounded(event.incident)}`,
        }),
  };
  return Object.keys(details).length === 0 ? {} : { details };
}

const webhook = lazily(() =>
  z.object({
    action: z.string(),
    alert: z.object({
      alias: z.string().min(1),
      username: z.string().catch(""),
      /** Nanoseconds since the epoch. */
      updatedAt: z.number().optional().catch(undefined),
    }),
  }),
);

/**
 * Reads a message from a webhook integration: the action, the alert with its alias, and who acted. The token is in a header of our choice,
 * because Opsgenie does not sign webhooks.
 * https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/ and, for Jira Service Management, which sends the same,
 * https://support.atlassian.com/jira-service-management-cloud/docs/alert-action-data-for-jira-edge-connector
 */
function readWebhook({ headers, body }: AnswerRequest, secret: string): IncomingAct | "refused" | "ignored" {
  if (!isSame(headers["authorization"] ?? "", `Bearer ${secret}`)) return "refused";
  const read = webhook().safeParse(jsonOf(body));
  if (!read.success || read.data.action !== "Acknowledge") return "ignored";
  const { alias: incident, username: by, updatedAt } = read.data.alert;
  const done = { action: "acknowledge", incident, by, id: digest(body) } as const;
  return updatedAt === undefined ? done : { ...done, doneAt: updatedAt / 1e6 };
}

/** Renders plain text, which Opsgenie shows as it is. */
function textOf({ state, what, paragraphs, facts, lists, nextSteps, link, linkTitle }: NoticeText): string {
  const parts = [
    [state, what, ...paragraphs],
    facts.map(({ label, value }) => `${label}: ${value}`),
    ...lists.map(({ label, items }) => [`${label}:`, ...items.map((item) => `- ${item}`)]),
    [...nextSteps, ...(link === undefined ? [] : [`${linkTitle}: ${link}`])],
  ];
  // Some views render it as HTML, so text that looks like a tag must not be one.
  return parts
    .map((lines) => lines.join("\n"))
    .join("\n\n")
    .replaceAll("<", "‹")
    .replaceAll(">", "›");
}
