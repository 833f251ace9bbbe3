import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type IncidentEventKind, incidentEventKinds } from "../../../shared/messages/incident-event.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import type { OutgoingRequest } from "../channel.ts";
import { sender } from "../deliver/send.ts";
import {
  configurationOf,
  heldLedger,
  incidentEvent,
  noon,
  noticeOf,
  resolvedEvent,
  secretsOf,
  webInbox,
} from "../fixtures.ts";
import { plan } from "../plan/plan.ts";
import { bytes, characters } from "../text/fit.ts";
import { pagerduty } from "./pagerduty.ts";
import { hostileNotices, leftOut } from "./support/hostile.fixtures.ts";
import { address, serviceContract, text } from "./support/service.contract.ts";

/** https://developer.pagerduty.com/docs/send-alert-event */
const pagerdutyKey = text(255);
const pagerdutySecret = z.literal("${secret:pagerduty-key}");
const form = z
  .union([
    z.strictObject({
      routing_key: pagerdutySecret,
      event_action: z.enum(["acknowledge", "resolve"]),
      dedup_key: pagerdutyKey,
    }),
    z.strictObject({
      routing_key: pagerdutySecret,
      event_action: z.literal("trigger"),
      dedup_key: pagerdutyKey,
      client: z.string(),
      client_url: address.optional(),
      links: z.array(z.strictObject({ href: address, text: z.string() })).optional(),
      payload: z.strictObject({
        summary: text(1_024),
        source: text(1_024),
        severity: z.enum(["critical", "error", "warning", "info"]),
        component: z.string(),
        custom_details: z.record(z.string(), z.string()),
      }),
    }),
  ])
  .refine((event) => bytes(JSON.stringify(event)) <= 512 * 1024, "must have at most 512 KB");

serviceContract(pagerduty, form);

function requestOf(notice = noticeOf(incidentEvent()), settings: object = {}): OutgoingRequest {
  const parsed = pagerduty.settings.parse({ routing_key: { secret: "pagerduty-key" }, ...settings });
  return pagerduty.render(parsed, notice) as OutgoingRequest;
}

/** Returns what a routed event becomes: the action requested from PagerDuty, or the reason for omitting it. */
function resultOf(event: IncidentEventKind): string | undefined {
  const channel = { name: "ops", kind: "pagerduty", settings: { routing_key: { secret: "pagerduty-key" } } };
  const configuration = configurationOf([channel], [{ channels: ["ops"], events: incidentEventKinds }]);
  const ledger = event === "opened" ? [] : heldLedger("ops", [[{ sequence: 0 }, "delivered"]]);
  const context = { configuration, kinds: { pagerduty }, silences: [], ledger };
  const { deliveries, suppressed } = plan(incidentEvent({ event }), context, noon);
  const [payload] = deliveries.map((delivery) => delivery.payload as OutgoingRequest);
  return payload === undefined ? suppressed[0]?.reason : JSON.parse(payload.body).event_action;
}

describe("settings", () => {
  it("support two regions", () => {
    expect(requestOf().url).toBe("https://events.pagerduty.com/v2/enqueue");
    expect(requestOf(undefined, { region: "eu" }).url).toBe("https://events.eu.pagerduty.com/v2/enqueue");
    const { error } = pagerduty.settings.safeParse({ routing_key: { secret: "pagerduty-key" }, region: "de" });
    expect(error?.issues[0]?.message).toBe("must be us or eu");
  });
});

describe("an event", () => {
  it("maps to one of three actions, or to none without a counterpart", () => {
    expect(Object.fromEntries(incidentEventKinds.map((event) => [event, resultOf(event)]))).toEqual({
      opened: "trigger",
      joined: "trigger",
      severity_raised: "trigger",
      root_cause_changed: "trigger",
      acknowledged: "acknowledge",
      recovering: "PagerDuty has no recovering state",
      regressed: "trigger",
      resolved: "resolve",
      reminder: "trigger",
      escalated: "trigger",
      status_update: "PagerDuty is for those who act, not for those who follow",
    });
  });

  it("contains all details of the incident when it triggers", () => {
    expect(JSON.parse(requestOf().body)).toMatchInlineSnapshot(`
      {
        "client": "Pathkeeper",
        "client_url": "https://console.example.com/incidents/20250916-120000-vpc-connector?project=netra&view=panel",
        "dedup_key": "20250916-120000-vpc-connector",
        "event_action": "trigger",
        "links": [
          {
            "href": "https://console.example.com/incidents/20250916-120000-vpc-connector?project=netra&view=panel",
            "text": "Open the incident",
          },
        ],
        "payload": {
          "component": "vpc-connector",
          "custom_details": {
            "Affected": "VPC connector, Backend",
            "Alerts": "connector full, backend-health failing",
            "Evidence": "The connector is at 98 % of its capacity.
      The same target answers through the other path.",
            "Impact": "$500K+ ARR pipeline blocked",
            "Incident": "20250916-120000-vpc-connector",
            "Owner": "infrastructure",
            "Responsible layer": "the platform",
            "Root cause": "VPC connector (90% sure)",
            "Since": "Tue, 16 Sept 2025, 13:58 CEST",
            "State": "NEW INCIDENT · critical P0 · Netra staging",
            "Where to look": "Full record: the document 20250916-120000-vpc-connector in the Firestore collection incidents.
      To acknowledge it, set status to acknowledged there. To mute it, set silenced_until.",
            "Why": "The backend answers 503.
      Because it gets no database connection.",
          },
          "severity": "critical",
          "source": "netra-staging",
          "summary": "Netra staging: The VPC connector is saturated; the backend answers 503.",
        },
        "routing_key": "\${secret:pagerduty-key}",
      }
    `);
  });

  it.each<[Severity]>([["info"], ["warning"], ["critical"]])("keeps the severity %s", (severity) => {
    expect(JSON.parse(requestOf(noticeOf(incidentEvent({ severity }))).body).payload.severity).toBe(severity);
  });

  it("acknowledges and resolves the same alert, with the key only in the sent request", async () => {
    await using inbox = await webInbox((response) => response.writeHead(202).end('{"status":"success"}'));
    const send = sender(secretsOf({ "pagerduty-key": "0123456789abcdef0123456789abcdef" }));
    const events = [
      incidentEvent(),
      incidentEvent({ event: "acknowledged", status: "acknowledged", sequence: 2 }),
      resolvedEvent({ sequence: 3 }),
    ];
    for (const event of events) {
      const outgoing = requestOf(noticeOf(event));
      expect(JSON.stringify(outgoing)).not.toContain("0123456789abcdef");
      expect(await send({ ...outgoing, url: inbox.url, allowPrivate: true }, 0)).toMatchObject({ status: 202 });
    }
    const alert = { routing_key: "0123456789abcdef0123456789abcdef", dedup_key: "20250916-120000-vpc-connector" };
    expect(inbox.received.map(({ body }) => JSON.parse(body))).toEqual([
      {
        event_action: "trigger",
        ...alert,
        client: "Pathkeeper",
        client_url: noticeOf(incidentEvent()).url,
        links: [{ href: noticeOf(incidentEvent()).url, text: "Open the incident" }],
        payload: expect.any(Object),
      },
      { event_action: "acknowledge", ...alert },
      { event_action: "resolve", ...alert },
    ]);
  });

  it.each(hostileNotices)("stays within PagerDuty's limits with %s", (_, notice) => {
    const { body } = requestOf(notice);
    const { dedup_key, payload } = JSON.parse(body);
    expect(characters(dedup_key)).toBeLessThanOrEqual(255);
    expect(characters(payload.summary)).toBeLessThanOrEqual(1_024);
    expect(bytes(body)).toBeLessThan(64_000);
    expect(body).not.toMatch(/\\ud[89a-f]/);
    expect(leftOut(body)).toEqual([]);
  });
});

describe("classifying a response", () => {
  it.each<[number, string, Record<string, string>, object]>([
    [202, "", {}, { outcome: "delivered", answer: "202" }],
    [
      400,
      "invalid event",
      {},
      {
        outcome: "retry",
        correctable: true,
        answer:
          "400 invalid event: check that the secret of routing_key is the 32 characters of an Events API v2 integration, and nothing else",
      },
    ],
    [429, "", {}, { outcome: "retry", answer: "429", afterMs: 60_000 }],
    [429, "", { "retry-after": "5" }, { outcome: "retry", answer: "429", afterMs: 5_000 }],
    [500, "", {}, { outcome: "retry", answer: "500" }],
  ])("%i %s", (status, body, headers, expected) => {
    expect(pagerduty.classify({ status, headers, body })).toEqual(expected);
  });
});
