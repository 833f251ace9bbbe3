/** Shared fixtures for answer tests: requests as browsers and services send them. */
import { createHmac } from "node:crypto";
import type { AnswerRequest } from "./incoming.ts";

/** Base URL for answers in tests. */
export const answersUrl = "https://answers.example.com/shop";

/** Link signing key in tests. */
export const linkKey = "a key of at least thirty-two characters";

/** Builds the request that opens a link, as sent by a browser or a mail scanner. */
export function opened(url: string, method: "GET" | "HEAD" = "GET"): AnswerRequest {
  return { method, path: pathOf(url), headers: { host: "answers.example.com" }, body: Buffer.alloc(0) };
}

/** Builds the form submission of a link's page, as a browser sends it when the button is pressed. */
export function pressed(
  url: string,
  fields: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string | undefined>> = {},
): AnswerRequest {
  return {
    method: "POST",
    path: pathOf(url),
    headers: {
      origin: new URL(answersUrl).origin,
      "sec-fetch-site": "same-origin",
      "content-type": "application/x-www-form-urlencoded",
      ...headers,
    },
    body: Buffer.from(new URLSearchParams(fields).toString()),
  };
}

/** Builds the request for a button pressed in Slack. */
export function slackPress(
  channel: string,
  secret: string,
  at: number,
  payload: Readonly<Record<string, unknown>>,
): AnswerRequest {
  return slackRequest(channel, secret, at, new URLSearchParams({ payload: JSON.stringify(payload) }).toString());
}

/** Builds a request signed the way Slack signs it. @param at timestamp of the request, in milliseconds since the epoch */
export function slackRequest(channel: string, secret: string, at: number, body: string): AnswerRequest {
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex");
  return {
    method: "POST",
    path: `/channels/${channel}`,
    headers: { "x-slack-request-timestamp": timestamp, "x-slack-signature": `v0=${signature}` },
    body: Buffer.from(body),
  };
}

/** Payload of a Slack button. */
export function slackPayload(
  incident: string,
  action: string = "acknowledge",
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    type: "block_actions",
    user: { id: "U061F7AUR", username: "ana.smith", name: "ana" },
    channel: { id: "C0123456789", name: "ops" },
    response_url: "https://hooks.slack.com/actions/T0/1/abc",
    actions: [{ type: "button", action_id: action, value: incident, action_ts: "1758024300.123456" }],
    ...more,
  };
}

/** Builds a webhook signed the way PagerDuty signs it. */
export function pagerDutyRequest(
  channel: string,
  secret: string,
  event: Readonly<Record<string, unknown>>,
): AnswerRequest {
  const body = JSON.stringify({ event });
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  return {
    method: "POST",
    path: `/channels/${channel}`,
    headers: { "x-pagerduty-signature": `v1=${"0".repeat(64)},v1=${signature}` },
    body: Buffer.from(body),
  };
}

/** PagerDuty event for an acknowledgement. */
export function pagerDutyEvent(
  incident: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    id: "01BZ6ZP4M6T8ZG4X6BP63ZB9O0",
    event_type: "incident.acknowledged",
    resource_type: "incident",
    occurred_at: "2025-09-16T12:10:00.169Z",
    agent: { id: "PLH1HKV", summary: "Ana Smith", type: "user_reference" },
    client: { name: "PagerDuty" },
    data: { id: "PGR0VU2", type: "incident", status: "acknowledged", incident_key: incident },
    ...more,
  };
}

/** Builds a request from an Opsgenie webhook integration. */
export function opsgenieRequest(
  channel: string,
  token: string,
  incident: string,
  more: Readonly<Record<string, unknown>> = {},
): AnswerRequest {
  const body = {
    source: { name: "", type: "web" },
    alert: {
      alertId: "052652ac-5d1c-464a-812a-7dd18bbfba8c",
      alias: incident,
      username: "ana@example.com",
      updatedAt: 1_758_024_600_000_000_000,
    },
    action: "Acknowledge",
    integrationId: "37c8f316-17c6-49d7-899b-9c7e540c048d",
    integrationName: "Pathkeeper",
    ...more,
  };
  return {
    method: "POST",
    path: `/channels/${channel}`,
    headers: { authorization: `Bearer ${token}` },
    body: Buffer.from(JSON.stringify(body)),
  };
}

function pathOf(url: string): string {
  return url.slice(answersUrl.length);
}
