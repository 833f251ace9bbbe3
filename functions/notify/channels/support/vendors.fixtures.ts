/** What the services take, as their documentation has it: forms and limits, strict, so that a field that they do not know is a mistake. */
import { createRequire } from "node:module";
import { z } from "zod";
import type { Outgoing } from "../../channel.ts";
import { bytes, characters } from "../../text/fit.ts";

const text = (most: number, least = 1): z.ZodString =>
  z
    .string()
    .refine(
      (value) => characters(value) >= least && characters(value) <= most,
      `must have ${least} to ${most} characters`,
    )
    .refine((value) => value.isWellFormed(), "must not hold half a character");

const address = z.url({ protocol: /^https?$/ });

/** https://docs.slack.dev/reference/block-kit/blocks and /reference/methods/chat.postMessage */
const slackText = z.strictObject({ type: z.literal("mrkdwn"), text: text(3_000), verbatim: z.literal(true) });
const slack = z.strictObject({
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
    // Not documented: larger messages are refused as msg_blocks_too_long.
    .refine((blocks) => JSON.stringify(blocks).length < 13_200, "must have fewer than 13,200 characters"),
  unfurl_links: z.boolean(),
  unfurl_media: z.boolean(),
  channel: z.string().optional(),
  reply_broadcast: z.boolean().optional(),
  metadata: z.strictObject({ event_type: z.string(), event_payload: z.strictObject({ key: text(500) }) }).optional(),
});

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
const googleChat = z
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

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const discord = z.strictObject({
  content: text(2_000),
  embeds: z
    .array(
      z
        .strictObject({
          title: text(256).optional(),
          url: address.optional(),
          description: text(4_096),
          color: z.int().min(0).max(0xffffff),
          footer: z.strictObject({ text: text(2_048) }),
        })
        .refine(
          ({ title = "", description, footer }) => characters(title + description + footer.text) <= 6_000,
          "must have at most 6,000 characters altogether",
        ),
    )
    .min(1)
    .max(10),
  allowed_mentions: z.strictObject({ parse: z.array(z.string()).length(0) }),
});

/** https://adaptivecards.io/explorer and the limit of Workflows; the card itself is read by Microsoft's own library. */
const teams = z
  .strictObject({
    type: z.literal("message"),
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

/** What of Microsoft's library is called here. */
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

// The package is made for browsers: only its bundle can be read as it is.
const cards = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.min.js") as AdaptiveCards;

/** What Microsoft's library complains of in a card of version 1.2. */
export function cardMistakes(card: unknown): string[] {
  const context = new cards.SerializationContext(cards.Versions.v1_2);
  const read = new cards.AdaptiveCard();
  read.parse(card, context);
  const found = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
  return [...found, ...read.validateProperties().validationEvents.map(({ message }) => message)];
}

/** https://developer.pagerduty.com/docs/send-alert-event */
const pagerdutyKey = text(255);
const pagerduty = z
  .union([
    z.strictObject({ event_action: z.enum(["acknowledge", "resolve"]), dedup_key: pagerdutyKey }),
    z.strictObject({
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

/** https://docs.opsgenie.com/docs/alert-api */
const opsgenie = z.union([
  z.strictObject({ source: text(100), note: text(25_000) }),
  z.strictObject({
    message: text(130),
    alias: text(512),
    description: text(15_000),
    entity: text(512, 0),
    source: text(100),
    priority: z.enum(["P1", "P2", "P3", "P4", "P5"]),
    details: z
      .record(z.string(), z.string())
      .refine((details) => characters(JSON.stringify(details)) <= 8_000, "must have at most 8,000 characters")
      .optional(),
  }),
]);

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const webhook = z
  .strictObject({ type: z.string().regex(/^incident\.[a-z_]+$/), timestamp: z.iso.datetime(), data: z.looseObject({}) })
  .refine((body) => bytes(JSON.stringify(body)) < 20_000, "must have fewer than 20,000 bytes");

const schemas: Readonly<Record<string, z.ZodType>> = {
  slack,
  google_chat: googleChat,
  discord,
  teams,
  pagerduty,
  opsgenie,
  webhook,
};

/** The kinds of channel whose services are known here. */
export const vendors: readonly string[] = Object.keys(schemas);

/** What a service would not take of a message; empty where it takes all of it. */
export function vendorMistakes(kind: string, outgoing: Outgoing): string[] {
  const schema = schemas[kind];
  if (outgoing.transport !== "http" || schema === undefined) return [];
  const { error } = schema.safeParse(JSON.parse(outgoing.body));
  return error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
}
