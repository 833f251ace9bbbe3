import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { OutgoingRequest } from "../channel.ts";
import { incidentEvent, noticeOf, resolvedEvent } from "../fixtures.ts";
import { characters } from "../text/fit.ts";
import { slack } from "./slack.ts";
import { hostileNotices, leftOut } from "./support/hostile.fixtures.ts";
import { serviceContract, text } from "./support/service.contract.ts";

/** https://docs.slack.dev/reference/block-kit/blocks and /reference/methods/chat.postMessage */
const slackText = z.strictObject({ type: z.literal("mrkdwn"), text: text(3_000), verbatim: z.literal(true) });
const form = z.strictObject({
  text: text(40_000),
  blocks: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("section"), text: slackText }),
        z.strictObject({ type: z.literal("context"), elements: z.array(slackText).min(1).max(10) }),
      ]),
    )
    .min(1)
    .max(50)
    // Undocumented: larger messages are refused as msg_blocks_too_long.
    .refine((blocks) => JSON.stringify(blocks).length < 13_200, "must have fewer than 13,200 characters"),
  unfurl_links: z.boolean(),
  unfurl_media: z.boolean(),
  channel: z.string().optional(),
  reply_broadcast: z.boolean().optional(),
  metadata: z.strictObject({ event_type: z.string(), event_payload: z.strictObject({ key: text(500) }) }).optional(),
});

serviceContract(slack, form);
serviceContract(slack, form, { token: { secret: "slack-token" }, channel: "C0123456789" });

interface Block {
  readonly type: string;
  readonly text?: { readonly text: string };
  readonly elements?: readonly { readonly text: string }[];
}

function requestOf(notice = noticeOf(incidentEvent())): OutgoingRequest {
  return slack.render({ url: "${secret:slack-url}" }, notice) as OutgoingRequest;
}

/** Returns all text that people read, block after block. */
function read(notice = noticeOf(incidentEvent())): string {
  const { blocks } = JSON.parse(requestOf(notice).body) as { blocks: Block[] };
  return blocks
    .map(({ text, elements = [] }) => text?.text ?? elements.map((element) => element.text).join("\n"))
    .join("\n---\n");
}

describe("settings", () => {
  it("refuse a URL in the file", () => {
    const { error } = slack.settings.safeParse({ url: "https://hooks.slack.com/services/T0/B0/x" });
    expect(error?.issues[0]?.message).toBe(
      "a secret does not belong in this file: write { secret: NAME } and keep its value outside",
    );
  });
});

describe("settings with a token", () => {
  it.each<[object, string]>([
    [{}, "set either url, or token and channel"],
    [{ token: { secret: "t" } }, "token and channel require each other: set both"],
    [{ channel: "C0123456789" }, "token and channel require each other: set both"],
    [{ url: { secret: "u" }, token: { secret: "t" }, channel: "C0123456789" }, "set either url, or token and channel"],
    [
      { token: { secret: "t" }, channel: "#incidents" },
      "must be a channel ID, such as C0123456789: the end of the channel's link",
    ],
  ])("%j", (settings, message) => {
    expect(slack.settings.safeParse(settings).error?.issues[0]?.message).toBe(message);
  });
});

describe("a message", () => {
  it("is posted to the secret URL", () => {
    expect(requestOf()).toMatchObject({ method: "POST", url: "${secret:slack-url}", allowPrivate: false });
  });

  it("has a line for push notifications, and blocks without automatic formatting", () => {
    const { text, blocks, ...others } = JSON.parse(requestOf().body);
    expect(text).toBe(
      "🔴 NEW INCIDENT · critical P0 · Netra staging: The VPC connector is saturated; the backend answers 503.",
    );
    expect(blocks[0]).toEqual({ type: "section", text: { type: "mrkdwn", text: expect.any(String), verbatim: true } });
    expect(others).toEqual({ unfurl_links: false, unfurl_media: false });
  });

  it("renders the opening of an incident", () => {
    expect(read()).toMatchInlineSnapshot(`
      "🔴 *NEW INCIDENT · critical P0 · Netra staging*
      The VPC connector is saturated; the backend answers 503.
      <https://console.example.com/incidents/20250916-120000-vpc-connector?project=netra&amp;view=panel|Open the incident>
      ---
      *Impact:* $500K+ ARR pipeline blocked
      *Root cause:* VPC connector (90% sure)
      *Responsible layer:* the platform
      *Owner:* infrastructure
      *Affected:* VPC connector, Backend
      *Alerts:* connector full, backend-health failing
      *Since:* Tue, 16 Sept 2025, 13:58 CEST
      *Incident:* 20250916-120000-vpc-connector
      ---
      *Evidence*
      • The connector is at 98 % of its capacity.
      • The same target answers through the other path.
      ---
      *Why*
      • The backend answers 503.
      • Because it gets no database connection.
      ---
      Full record: the document 20250916-120000-vpc-connector in the Firestore collection incidents.
      To acknowledge it, set status to acknowledged there. To mute it, set silenced_until."
    `);
  });

  it("renders the resolution", () => {
    expect(read(noticeOf(resolvedEvent()))).toMatchInlineSnapshot(`
      "🟢 *RESOLVED · critical P0 · Netra staging*
      The VPC connector is saturated; the backend answers 503.
      <https://console.example.com/incidents/20250916-120000-vpc-connector?project=netra&amp;view=panel|Open the incident>
      ---
      Everything was validated.
      ---
      *Root cause:* VPC connector
      *Owner:* infrastructure
      *Was affected:* VPC connector, Backend
      *Since:* Tue, 16 Sept 2025, 13:58 CEST
      *Resolved:* Tue, 16 Sept 2025, 14:30 CEST
      *Lasted:* 32 min
      *Incident:* 20250916-120000-vpc-connector
      ---
      Full record: the document 20250916-120000-vpc-connector in the Firestore collection incidents."
    `);
  });

  it("escapes mentions, links and entities in texts from targets", () => {
    const said = read(
      noticeOf(incidentEvent({ summary: "<!channel> <https://evil.example|log in> &lt;", whys: ["<@U1>"] })),
    );
    expect(said).toContain("&lt;!channel&gt; &lt;https://evil.example|log in&gt; &amp;lt;");
    expect(said).toContain("• &lt;@U1&gt;");
  });

  it("spreads long lists over sections before folding", () => {
    const whys = Array.from({ length: 12 }, (_, n) => `${n + 1} ${"y".repeat(290)}`);
    const said = read(noticeOf(incidentEvent({ whys })));
    expect(said).toContain("12 yyy");
    expect(said).not.toContain("in the incident");
  });

  it.each(hostileNotices)("stays within Slack's limits with %s", (_, notice) => {
    const { text, blocks } = JSON.parse(requestOf(notice).body) as { text: string; blocks: Block[] };
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const block of blocks) expect(characters(block.text?.text ?? "")).toBeLessThanOrEqual(3_000);
    expect(characters(JSON.stringify(blocks))).toBeLessThan(13_000);
    expect(characters(text)).toBeLessThan(40_000);
    expect(requestOf(notice).body).not.toMatch(/\\ud[89a-f]/);
    expect(leftOut(read(notice))).toEqual([]);
  });
});

describe("classifying a response", () => {
  it.each<[number, string, Record<string, string>, object]>([
    [200, "ok", {}, { outcome: "delivered", answer: "200 ok" }],
    [400, "invalid_payload", {}, { outcome: "rejected", answer: "400 invalid_payload" }],
    [
      404,
      "no_service",
      {},
      {
        outcome: "retry",
        correctable: true,
        answer: "404 no_service: the webhook or its channel is gone: add a webhook and change the secret",
      },
    ],
    [
      410,
      "channel_is_archived",
      {},
      { outcome: "rejected", answer: "410: the receiver is gone for good, remove the channel" },
    ],
    [429, "rate_limited", { "retry-after": "30" }, { outcome: "retry", answer: "429 rate_limited", afterMs: 30_000 }],
    [500, "rollup_error", {}, { outcome: "retry", answer: "500 rollup_error" }],
  ])("%i %s", (status, body, headers, expected) => {
    expect(slack.classify({ status, headers, body })).toEqual(expected);
  });
});
