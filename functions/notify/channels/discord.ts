/** Messages in Discord through a channel webhook. https://docs.discord.com/developers/resources/webhook */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import type { ChannelKind, Notice, OutgoingRequest } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { fitted } from "../text/fit.ts";
import { atMost, characters, keepsTo, type Limit } from "../text/limits.ts";
import type { NoticeText } from "../text/notice-text.ts";
import { withQuery } from "../text/secret-text.ts";
import { signs, type Tone, toneOf } from "../text/tone.ts";
import { postJson } from "./support/post.ts";

const settings = lazily(() =>
  z.strictObject({
    url: secretText().describe("A secret: the address of a webhook, https://discord.com/api/webhooks/…."),
    thread_id: z
      .string({ error: 'must be the ID of a thread, in quotes: "1234567890123456789"' })
      .regex(/^\d{17,20}$/, 'must be the ID of a thread, in quotes: "1234567890123456789"')
      .optional()
      .describe("The ID of a thread of the webhook's channel to post to. A forum channel requires it."),
  }),
);

/** Settings of a Discord channel. */
export type DiscordSettings = z.output<ReturnType<typeof settings>>;

/** https://docs.discord.com/developers/resources/message#embed-object-embed-limits */
const limits: readonly Limit[] = [
  atMost(2_000, "characters", "content"),
  atMost(10, "items", "embeds"),
  atMost(256, "characters", "embeds[].title"),
  atMost(4_096, "characters", "embeds[].description"),
  atMost(2_048, "characters", "embeds[].footer.text"),
  { part: "embeds", most: 6_000, unit: "characters in total", measure: (message) => ofEmbeds(message as Message) },
];

/** The Discord channel. */
export const discord: ChannelKind<DiscordSettings> = {
  kind: "discord",
  title: "Posts to a channel in Discord, by a webhook.",
  pace: { perMinute: 120, atOnce: 5 },
  limits,
  get settings() {
    return settings();
  },
  example: `url: { secret: discord-url }
thread_id: "1234567890123456789"
`,
  render: renderMessage,
  classify: (reply) => classifyHttp(reply, advice),
};

const advice: Readonly<Record<number, string>> = {
  401: "the token of the address is wrong: copy the webhook's address into the secret again",
  403: "the webhook is not permitted to post: copy the webhook's address into the secret again",
  404: "the webhook or the thread is gone: add a webhook and change the secret, or change thread_id",
};

const colors: Readonly<Record<Tone, number>> = {
  critical: 0xd93025,
  warning: 0xf29900,
  info: 0x1a73e8,
  resolved: 0x188038,
};

interface Embed {
  /** Title of the link; absent without one. */
  readonly title?: string;
  readonly url?: string;
  readonly description: string;
  readonly color: number;
  /** Plain text: footers do not support Markdown. */
  readonly footer?: { readonly text: string };
}

interface Message {
  /** Text of the push notification. */
  readonly content: string;
  readonly embeds: readonly [Embed];
  /** Texts from targets must not mention anybody. */
  readonly allowed_mentions: { readonly parse: readonly [] };
}

function renderMessage({ url, thread_id }: DiscordSettings, notice: Notice): OutgoingRequest {
  const message = fitted(
    notice,
    (words) => messageOf(words, toneOf(notice)),
    (written) => keepsTo(limits, written),
  );
  // Without `wait`, Discord answers 204 before it has validated the message.
  return postJson(withQuery(url, { wait: "true", ...(thread_id === undefined ? {} : { thread_id }) }), message);
}

function messageOf(
  { state, what, paragraphs, facts, lists, nextSteps, actions, link, linkTitle }: NoticeText,
  tone: Tone,
): Message {
  const parts = [
    actions.length === 0 ? [] : [actions.map(({ title, url }) => `[${title}](${url})`).join(" · ")],
    paragraphs.map(escapeMarkdown),
    facts.map(({ label, value }) => `**${label}:** ${escapeMarkdown(value)}`),
    ...lists.map(({ label, items }) => [`**${label}**`, ...items.map((item) => `• ${escapeMarkdown(item)}`)]),
  ];
  return {
    content: `${signs[tone]} **${escapeMarkdown(state)}**\n${escapeMarkdown(what)}`,
    embeds: [
      {
        ...(link === undefined ? {} : { title: linkTitle, url: link }),
        description: parts
          .filter((lines) => lines.length > 0)
          .map((lines) => lines.join("\n"))
          .join("\n\n"),
        color: colors[tone],
        ...(nextSteps.length === 0 ? {} : { footer: { text: nextSteps.join("\n") } }),
      },
    ],
    allowed_mentions: { parse: [] },
  };
}

function ofEmbeds({ embeds }: Message): number {
  const texts = embeds.map(({ title = "", description, footer }) => title + description + (footer?.text ?? ""));
  return characters(texts.join(""));
}

/** Escapes characters that format, mention or link. URLs are escaped too, so that Discord does not fetch them for previews. */
function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[\\*_~`|#<>[\]@]/g, "\\$&")
    .replaceAll("://", "\\://")
    .replace(/^[-+]/, "\\$&");
}
