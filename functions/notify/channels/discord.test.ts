import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { OutgoingRequest } from "../channel.ts";
import { sender } from "../deliver/send.ts";
import { incidentEvent, noticeOf, resolvedEvent, secretsOf, webInbox } from "../fixtures.ts";
import { characters } from "../text/fit.ts";
import { discord } from "./discord.ts";
import { hostileNotices, leftOut } from "./support/hostile.fixtures.ts";
import { address, serviceContract, text } from "./support/service.contract.ts";

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const form = z.strictObject({
  content: text(2_000),
  embeds: z
    .array(
      z
        .strictObject({
          title: text(256).optional(),
          url: address.optional(),
          description: text(4_096),
          color: z.int().min(0).max(0xffffff),
          footer: z.strictObject({ text: text(2_048) }).optional(),
        })
        .refine(
          ({ title = "", description, footer }) => characters(title + description + (footer?.text ?? "")) <= 6_000,
          "must have at most 6,000 characters in total",
        ),
    )
    .min(1)
    .max(10),
  allowed_mentions: z.strictObject({ parse: z.array(z.string()).length(0) }),
});

serviceContract(discord, form);

function requestOf(notice = noticeOf(incidentEvent()), settings: object = {}): OutgoingRequest {
  const parsed = discord.settings.parse({ url: { secret: "discord-url" }, ...settings });
  return discord.render(parsed, notice) as OutgoingRequest;
}

describe("settings", () => {
  it.each<[unknown]>([[12345], ["general"], ["12"]])("refuse the invalid thread %j", (thread_id) => {
    const { error } = discord.settings.safeParse({ url: { secret: "discord-url" }, thread_id });
    expect(error?.issues[0]?.message).toBe('must be the ID of a thread, in quotes: "1234567890123456789"');
  });
});

describe("a message", () => {
  it("renders the opening of an incident", () => {
    expect(JSON.parse(requestOf().body)).toMatchInlineSnapshot(`
      {
        "allowed_mentions": {
          "parse": [],
        },
        "content": "🔴 **NEW INCIDENT · critical P0 · Netra staging**
      The VPC connector is saturated; the backend answers 503.",
        "embeds": [
          {
            "color": 14233637,
            "description": "**Impact:** $500K+ ARR pipeline blocked
      **Root cause:** VPC connector (90% sure)
      **Responsible layer:** the platform
      **Owner:** infrastructure
      **Affected:** VPC connector, Backend
      **Alerts:** connector full, backend-health failing
      **Since:** Tue, 16 Sept 2025, 13:58 CEST
      **Incident:** 20250916-120000-vpc-connector

      **Evidence**
      • The connector is at 98 % of its capacity.
      • The same target answers through the other path.

      **Why**
      • The backend answers 503.
      • Because it gets no database connection.",
            "footer": {
              "text": "Full record: the document 20250916-120000-vpc-connector in the Firestore collection incidents.
      To acknowledge it, set status to acknowledged there. To mute it, set silenced_until.",
            },
            "title": "Open the incident",
            "url": "https://console.example.com/incidents/20250916-120000-vpc-connector?project=netra&view=panel",
          },
        ],
      }
    `);
  });

  it("turns green when the incident is resolved", () => {
    const { content, embeds } = JSON.parse(requestOf(noticeOf(resolvedEvent())).body);
    expect(content).toMatch(/^🟢 \*\*RESOLVED · /);
    expect(embeds[0].color).toBe(0x188038);
  });

  it("requests the final status, and posts to the configured thread", async () => {
    await using inbox = await webInbox();
    const send = sender(secretsOf({ "discord-url": `${inbox.url}/api/webhooks/1/token` }));
    await send({ ...requestOf(), allowPrivate: true }, 0);
    await send({ ...requestOf(undefined, { thread_id: "1234567890123456789" }), allowPrivate: true }, 0);
    expect(inbox.received.map(({ url }) => url)).toEqual([
      "/api/webhooks/1/token?wait=true",
      "/api/webhooks/1/token?wait=true&thread_id=1234567890123456789",
    ]);
  });

  it.each<[string, string]>([
    ["@everyone <@&1>", "\\@everyone \\<\\@&1\\>"],
    [
      "**bold** __under__ ~~gone~~ ||hidden|| `code`",
      "\\*\\*bold\\*\\* \\_\\_under\\_\\_ \\~\\~gone\\~\\~ \\|\\|hidden\\|\\| \\`code\\`",
    ],
    ["[log in](https://evil.example)", "\\[log in\\](https\\://evil.example)"],
    ["# heading", "\\# heading"],
    ["- item - more", "\\- item - more"],
    ["C:\\dir\\", "C:\\\\dir\\\\"],
  ])("shows %s literally, and mentions nobody", (summary, escaped) => {
    const { content, allowed_mentions } = JSON.parse(requestOf(noticeOf(incidentEvent({ summary }))).body);
    expect(content.split("\n")[1]).toBe(escaped);
    expect(allowed_mentions).toEqual({ parse: [] });
  });

  it.each(hostileNotices)("stays within Discord's limits with %s", (_, notice) => {
    const { body } = requestOf(notice);
    const { content, embeds } = JSON.parse(body);
    const [{ description, footer }] = embeds;
    expect(embeds).toHaveLength(1);
    expect(characters(content)).toBeLessThanOrEqual(2_000);
    expect(characters(description)).toBeLessThanOrEqual(4_096);
    expect(characters(footer.text)).toBeLessThanOrEqual(2_048);
    expect(characters(description) + characters(footer.text)).toBeLessThanOrEqual(6_000);
    expect(body).not.toMatch(/\\ud[89a-f]/);
    expect(leftOut(body)).toEqual([]);
  });
});

describe("classifying a response", () => {
  it.each<[number, string, Record<string, string>, object]>([
    [200, "", {}, { outcome: "delivered", answer: "200" }],
    [400, '{"code":50035}', {}, { outcome: "rejected", answer: '400 {"code":50035}' }],
    [
      404,
      "",
      {},
      {
        outcome: "retry",
        correctable: true,
        answer: "404: the webhook or the thread is gone: add a webhook and change the secret, or change thread_id",
      },
    ],
    [429, "", { "retry-after": "2" }, { outcome: "retry", answer: "429", afterMs: 2_000 }],
    [502, "", {}, { outcome: "retry", answer: "502" }],
  ])("%i %s", (status, body, headers, expected) => {
    expect(discord.classify({ status, headers, body })).toEqual(expected);
  });
});
