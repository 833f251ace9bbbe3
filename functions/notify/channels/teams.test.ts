import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { OutgoingRequest } from "../channel.ts";
import { incidentEvent, noticeOf, resolvedEvent } from "../fixtures.ts";
import { bytes } from "../text/fit.ts";
import { hostileNotices, leftOut } from "./support/hostile.fixtures.ts";
import { serviceContract } from "./support/service.contract.ts";
import { teams } from "./teams.ts";

/** https://adaptivecards.io/explorer and the limit of Workflows; Microsoft's own library parses the card itself. */
const form = z
  .strictObject({
    type: z.literal("message"),
    summary: z.string().min(1).max(200),
    attachments: z
      .array(
        z.strictObject({
          contentType: z.literal("application/vnd.microsoft.card.adaptive"),
          contentUrl: z.null(),
          content: z.unknown().superRefine((card, context) => {
            for (const message of cardMistakes(card)) context.addIssue({ code: "custom", message });
          }),
        }),
      )
      .length(1),
  })
  .refine((message) => bytes(JSON.stringify(message)) <= 28_000, "must have at most 28,000 bytes");

/** The parts of Microsoft's library that are used here. */
interface AdaptiveCards {
  readonly Versions: { readonly v1_2: unknown };
  readonly SerializationContext: new (
    version: unknown,
  ) => { readonly eventCount: number; getEventAt(at: number): { readonly message: string } };
  readonly AdaptiveCard: new () => {
    parse(card: unknown, context: unknown): void;
    validateProperties(): { readonly validationEvents: readonly { readonly message: string }[] };
  };
}

// The package is built for browsers: only its bundle loads here.
const cards = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.min.js") as AdaptiveCards;

/** Returns the errors that Microsoft's library reports for a card of version 1.2. */
function cardMistakes(card: unknown): string[] {
  const context = new cards.SerializationContext(cards.Versions.v1_2);
  const read = new cards.AdaptiveCard();
  read.parse(card, context);
  const found = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
  return [...found, ...read.validateProperties().validationEvents.map(({ message }) => message)];
}

serviceContract(teams, form);

interface Block {
  readonly type: string;
  readonly inlines: readonly { readonly type: string; readonly text: string; readonly color?: string }[];
}

function requestOf(notice = noticeOf(incidentEvent())): OutgoingRequest {
  return teams.render({ url: "${secret:teams-url}" }, notice) as OutgoingRequest;
}

function blocksOf(notice = noticeOf(incidentEvent())): Block[] {
  return JSON.parse(requestOf(notice).body).attachments[0].content.body;
}

function read(notice = noticeOf(incidentEvent())): string {
  return blocksOf(notice)
    .map(({ inlines }) => inlines.map(({ text }) => text).join(""))
    .join("\n");
}

describe("a card", () => {
  it("is in the envelope that Workflows expects, without parameters that would break the signature of the URL", () => {
    const { body, url } = requestOf();
    const { attachments, ...message } = JSON.parse(body);
    expect(url).toBe("${secret:teams-url}");
    const said = "NEW INCIDENT · critical P0 · Netra staging: The VPC connector is saturated; the backend answers 503.";
    expect(message).toEqual({ type: "message", summary: said });
    expect(attachments).toEqual([
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.2",
          msteams: { width: "Full" },
          fallbackText: said,
          speak: said,
          body: expect.any(Array),
          actions: [{ type: "Action.OpenUrl", title: "Open the incident", url: noticeOf(incidentEvent()).url }],
        },
      },
    ]);
  });

  it("renders the opening of an incident", () => {
    expect(read()).toMatchInlineSnapshot(`
      "🔴 NEW INCIDENT · critical P0 · Netra staging
      The VPC connector is saturated; the backend answers 503.
      Impact: $500K+ ARR pipeline blocked
      Root cause: VPC connector (90% sure)
      Responsible layer: the platform
      Owner: infrastructure
      Affected: VPC connector, Backend
      Alerts: connector full, backend-health failing
      Since: Tue, 16 Sept 2025, 13:58 CEST
      Incident: 20250916-120000-vpc-connector
      Evidence
      • The connector is at 98 % of its capacity.
      • The same target answers through the other path.
      Why
      • The backend answers 503.
      • Because it gets no database connection.
      Full record: the document 20250916-120000-vpc-connector in the Firestore collection incidents.
      To acknowledge it, set status to acknowledged there. To mute it, set silenced_until."
    `);
  });

  it("shows states in bold and colour, and facts line by line", () => {
    expect(blocksOf().slice(0, 3)).toMatchInlineSnapshot(`
      [
        {
          "inlines": [
            {
              "color": "Attention",
              "text": "🔴 NEW INCIDENT · critical P0 · Netra staging",
              "type": "TextRun",
              "weight": "Bolder",
            },
          ],
          "type": "RichTextBlock",
        },
        {
          "inlines": [
            {
              "text": "The VPC connector is saturated; the backend answers 503.",
              "type": "TextRun",
            },
          ],
          "spacing": "Small",
          "type": "RichTextBlock",
        },
        {
          "inlines": [
            {
              "text": "Impact: ",
              "type": "TextRun",
              "weight": "Bolder",
            },
            {
              "text": "$500K+ ARR pipeline blocked",
              "type": "TextRun",
            },
          ],
          "spacing": "Medium",
          "type": "RichTextBlock",
        },
      ]
    `);
    expect(blocksOf(noticeOf(resolvedEvent()))[0]?.inlines[0]?.color).toBe("Good");
  });

  it("puts texts from targets only into text runs, which do not interpret Markdown", () => {
    const summary = "[log in](https://evil.example) **now** {{DATE(2017-02-14T06:00:00Z)}} <at>all</at>";
    const blocks = blocksOf(noticeOf(incidentEvent({ summary })));
    expect(blocks[1]?.inlines).toEqual([{ type: "TextRun", text: summary }]);
    for (const { type, inlines } of blocks) {
      expect(type).toBe("RichTextBlock");
      for (const run of inlines) expect(run.type).toBe("TextRun");
    }
  });

  it.each(hostileNotices)("stays within 28,000 bytes with %s", (_, notice) => {
    const { body } = requestOf(notice);
    expect(bytes(body)).toBeLessThanOrEqual(28_000);
    expect(body).not.toMatch(/\\ud[89a-f]/);
    const [action] = JSON.parse(body).attachments[0].content.actions;
    expect(leftOut(`${read(notice)} ${action.url}`)).toEqual([]);
  });
});

describe("classifying a response", () => {
  const accepted = "the flow accepted it; only its run history shows whether it posted";

  it.each<[number, Record<string, string>, object]>([
    [200, {}, { outcome: "delivered", answer: `200: ${accepted}` }],
    [202, {}, { outcome: "delivered", answer: `202: ${accepted}` }],
    [
      403,
      {},
      {
        outcome: "retry",
        correctable: true,
        answer: "403: the flow does not let anyone start it: change who can trigger it in Workflows",
      },
    ],
    [404, {}, { outcome: "retry", correctable: true, answer: "404: the flow is gone: add one and change the secret" }],
    [413, {}, { outcome: "rejected", answer: "413" }],
    [429, { "retry-after": "10" }, { outcome: "retry", answer: "429", afterMs: 10_000 }],
    [502, {}, { outcome: "retry", answer: "502" }],
  ])("%i with %j", (status, headers, expected) => {
    expect(teams.classify({ status, headers, body: "" })).toEqual(expected);
  });
});

it("Microsoft's own library parses cards", () => {
  const run = { type: "RichTextBlock", inlines: [{ type: "TextRun", text: "x", color: "Purple" }] };
  expect(cardMistakes({ type: "AdaptiveCard", version: "1.2", body: [run, { type: "Nope" }] })).toEqual([
    'Invalid value "Purple" for property "color".',
    'Unknown element type "Nope". Fallback will be used if present.',
  ]);
});
