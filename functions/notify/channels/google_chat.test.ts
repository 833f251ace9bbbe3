import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { OutgoingRequest } from "../channel.ts";
import { sender } from "../deliver/send.ts";
import { incidentEvent, noticeOf, resolvedEvent, secretsOf, webInbox } from "../fixtures.ts";
import { bytes } from "../text/fit.ts";
import { googleChat } from "./google_chat.ts";
import { hostileNotices, leftOut } from "./support/hostile.fixtures.ts";
import { address, serviceContract, text } from "./support/service.contract.ts";

/** https://developers.google.com/workspace/chat/api/reference/rest/v1/cards */
const chatButton = z.strictObject({
  text: text(100),
  onClick: z.strictObject({ openLink: z.strictObject({ url: address }) }),
});
const chatWidget = z.union([
  z.strictObject({ textParagraph: z.strictObject({ text: text(32_000) }) }),
  z.strictObject({ decoratedText: z.strictObject({ topLabel: text(100), text: text(32_000), wrapText: z.boolean() }) }),
  z.strictObject({ buttonList: z.strictObject({ buttons: z.array(chatButton).min(1) }) }),
]);
const form = z
  .strictObject({
    fallbackText: text(32_000),
    thread: z.strictObject({ threadKey: text(4_000) }),
    cardsV2: z
      .array(
        z.strictObject({
          cardId: text(100),
          card: z.strictObject({
            sections: z
              .array(z.strictObject({ header: text(100).optional(), widgets: z.array(chatWidget).min(1) }))
              .min(1)
              .refine((sections) => sections.flatMap(({ widgets }) => widgets).length <= 100, "must have 100 widgets"),
          }),
        }),
      )
      .length(1),
  })
  .refine((message) => bytes(JSON.stringify(message)) <= 32_000, "must have at most 32,000 bytes");

serviceContract(googleChat, form);

function requestOf(notice = noticeOf(incidentEvent())): OutgoingRequest {
  return googleChat.render({ url: "${secret:chat-url}" }, notice) as OutgoingRequest;
}

describe("a card", () => {
  it("renders the opening of an incident", () => {
    expect(JSON.parse(requestOf().body)).toMatchInlineSnapshot(`
      {
        "cardsV2": [
          {
            "card": {
              "sections": [
                {
                  "widgets": [
                    {
                      "textParagraph": {
                        "text": "🔴 <b>NEW INCIDENT · critical P0 · Netra staging</b><br>The VPC connector is saturated; the backend answers 503.",
                      },
                    },
                    {
                      "buttonList": {
                        "buttons": [
                          {
                            "onClick": {
                              "openLink": {
                                "url": "https://console.example.com/incidents/20250916-120000-vpc-connector?project=netra&view=panel",
                              },
                            },
                            "text": "Open the incident",
                          },
                        ],
                      },
                    },
                  ],
                },
                {
                  "widgets": [
                    {
                      "decoratedText": {
                        "text": "$500K+ ARR pipeline blocked",
                        "topLabel": "Impact",
                        "wrapText": true,
                      },
                    },
                    {
                      "decoratedText": {
                        "text": "VPC connector (90% sure)",
                        "topLabel": "Root cause",
                        "wrapText": true,
                      },
                    },
                    {
                      "decoratedText": {
                        "text": "the platform",
                        "topLabel": "Responsible layer",
                        "wrapText": true,
                      },
                    },
                    {
                      "decoratedText": {
                        "text": "infrastructure",
                        "topLabel": "Owner",
                        "wrapText": true,
                      },
                    },
                    {
                      "decoratedText": {
                        "text": "VPC connector, Backend",
                        "topLabel": "Affected",
                        "wrapText": true,
                      },
                    },
                    {
                      "decoratedText": {
                        "text": "connector full, backend-health failing",
                        "topLabel": "Alerts",
                        "wrapText": true,
                      },
                    },
                    {
                      "decoratedText": {
                        "text": "Tue, 16 Sept 2025, 13:58 CEST",
                        "topLabel": "Since",
                        "wrapText": true,
                      },
                    },
                    {
                      "decoratedText": {
                        "text": "20250916-120000-vpc-connector",
                        "topLabel": "Incident",
                        "wrapText": true,
                      },
                    },
                  ],
                },
                {
                  "header": "Evidence",
                  "widgets": [
                    {
                      "textParagraph": {
                        "text": "• The connector is at 98 % of its capacity.<br>• The same target answers through the other path.",
                      },
                    },
                  ],
                },
                {
                  "header": "Why",
                  "widgets": [
                    {
                      "textParagraph": {
                        "text": "• The backend answers 503.<br>• Because it gets no database connection.",
                      },
                    },
                  ],
                },
                {
                  "widgets": [
                    {
                      "textParagraph": {
                        "text": "Full record: the document 20250916-120000-vpc-connector in the Firestore collection incidents.<br>To acknowledge it, set status to acknowledged there. To mute it, set silenced_until.",
                      },
                    },
                  ],
                },
              ],
            },
            "cardId": "incident",
          },
        ],
        "fallbackText": "🔴 NEW INCIDENT · critical P0 · Netra staging: The VPC connector is saturated; the backend answers 503.",
        "thread": {
          "threadKey": "20250916-120000-vpc-connector",
        },
      }
    `);
  });

  it("stays in the thread of its incident, and is posted once despite retries", () => {
    const opened = requestOf();
    const resolved = requestOf(noticeOf(resolvedEvent()));
    const queryOf = ({ url }: OutgoingRequest): object =>
      Object.fromEntries(new URLSearchParams(url.replace("${secret:chat-url}?", "")));
    expect(queryOf(opened)).toEqual({
      messageReplyOption: "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD",
      requestId: "20250916-120000-vpc-connector:opened:ops",
    });
    expect(queryOf(resolved)).toMatchObject({ requestId: "20250916-120000-vpc-connector:resolved:ops" });
    for (const { body } of [opened, resolved]) {
      expect(JSON.parse(body).thread).toEqual({ threadKey: "20250916-120000-vpc-connector" });
    }
  });

  it("is sent with the key and token of its secret URL and with its own parameters", async () => {
    await using inbox = await webInbox();
    const url = `${inbox.url}/v1/spaces/AAA/messages?key=AIza-1&token=a%2Fb%3D`;
    await sender(secretsOf({ "chat-url": url }))({ ...requestOf(), allowPrivate: true }, 0);
    const received = new URL(inbox.received[0]?.url ?? "", inbox.url);
    expect(received.pathname).toBe("/v1/spaces/AAA/messages");
    expect([...received.searchParams]).toEqual([
      ["key", "AIza-1"],
      ["token", "a/b="],
      ["messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"],
      ["requestId", "20250916-120000-vpc-connector:opened:ops"],
    ]);
  });

  it("escapes tags, links and mentions in texts from targets", () => {
    const { body } = requestOf(
      noticeOf(incidentEvent({ summary: "<users/all> <a href='https://evil.example'>&</a>" })),
    );
    const { fallbackText, cardsV2 } = JSON.parse(body);
    expect(fallbackText).toContain("‹users/all› ‹a href='https://evil.example'›&‹/a›");
    expect(cardsV2[0].card.sections[0].widgets[0].textParagraph.text).toContain(
      "<br>&lt;users/all&gt; &lt;a href='https://evil.example'&gt;&amp;&lt;/a&gt;",
    );
  });

  it.each(hostileNotices)("stays within 32,000 bytes with %s", (_, notice) => {
    const { body } = requestOf(notice);
    expect(bytes(body)).toBeLessThanOrEqual(32_000);
    expect(body).not.toMatch(/\\ud[89a-f]/);
    expect(leftOut(body)).toEqual([]);
  });
});

describe("classifying a response", () => {
  it.each<[number, Record<string, string>, object]>([
    [200, {}, { outcome: "delivered", answer: "200" }],
    [400, {}, { outcome: "rejected", answer: "400" }],
    [
      404,
      {},
      {
        outcome: "retry",
        correctable: true,
        answer: "404: the space or its webhook is gone: add a webhook and change the secret",
      },
    ],
    [429, {}, { outcome: "retry", answer: "429" }],
    [429, { "retry-after": "7" }, { outcome: "retry", answer: "429", afterMs: 7_000 }],
    [503, {}, { outcome: "retry", answer: "503" }],
  ])("%i with %j", (status, headers, expected) => {
    expect(googleChat.classify({ status, headers, body: "" })).toEqual(expected);
  });
});
