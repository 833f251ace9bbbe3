/** Messages in Telegram through the Bot API. https://core.telegram.org/bots/api#sendmessage */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { escapeHtml } from "../../../shared/text/escape-html.ts";
import type { Attempt, ChannelKind, Notice, OutgoingRequest, Reply } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { fitted } from "../text/fit.ts";
import { keepsTo, type Limit } from "../text/limits.ts";
import type { NoticeText } from "../text/notice-text.ts";
import { signs, toneOf } from "../text/tone.ts";
import { postJson } from "./support/post.ts";

const settings = lazily(() =>
  z.strictObject({
    token: secretText().describe("A secret: the token of the bot, as BotFather shows it."),
    chat_id: z
      .union([z.int(), z.string().regex(/^(-?\d+|@[A-Za-z]\w{3,})$/, chatForm)], { error: chatForm })
      .describe('The chat to post to: its ID, such as "-1001234567890", or `@name` of a public channel.'),
    message_thread_id: z
      .int("must be the number of a topic")
      .positive("must be the number of a topic")
      .optional()
      .describe("The number of a topic, to post there; for groups with topics only."),
  }),
);

/** Settings of a Telegram channel. */
export type TelegramSettings = z.output<ReturnType<typeof settings>>;

/** Telegram counts UTF-16 code units after parsing HTML tags and entities. */
const limits: readonly Limit[] = [
  {
    part: "text",
    most: 4_096,
    unit: "characters after entities parsing",
    measure: (message) => withoutEntities((message as Message).text).length,
  },
];

const chatForm = 'must be a chat ID, such as "-1001234567890", or @name of a public channel';

/** The Telegram channel. */
export const telegram: ChannelKind<TelegramSettings> = {
  kind: "telegram",
  title: "Posts to a chat, group or channel in Telegram, by a bot.",
  // A bot may send 20 messages a minute to a group. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
  pace: { perMinute: 20, atOnce: 5 },
  limits,
  get settings() {
    return settings();
  },
  example: `token: { secret: telegram-token }
chat_id: "-1001234567890"
message_thread_id: 42
`,
  notes: `## Setting it up

1. Create a bot with [BotFather](https://t.me/BotFather), and keep its token as a secret.
2. Add the bot to the group or channel. In a channel, it must be an administrator that may post.
3. Find \`chat_id\` in the answer to \`https://api.telegram.org/bot<token>/getUpdates\` after somebody has written there.

Telegram has no idempotency key: a message whose answer was lost may come twice.
`,
  render: renderMessage,
  classify: classifyMessage,
};

const advice: Readonly<Record<number, string>> = {
  400: "check chat_id and message_thread_id: a group that becomes a supergroup gets a new ID",
  401: "the token is wrong: copy the token of the bot into the secret again",
  403: "the bot may not post there: add it to the chat again, or let it post",
  404: "the token is wrong: copy the token of the bot into the secret again",
};

interface Message {
  readonly chat_id: number | string;
  readonly message_thread_id?: number;
  readonly text: string;
  /** HTML needs three characters escaped; MarkdownV2 needs eighteen. */
  readonly parse_mode: "HTML";
  readonly link_preview_options: { readonly is_disabled: true };
}

function renderMessage({ token, chat_id, message_thread_id }: TelegramSettings, notice: Notice): OutgoingRequest {
  const sign = signs[toneOf(notice)];
  const message = fitted(
    notice,
    (words): Message => ({
      chat_id,
      ...(message_thread_id === undefined ? {} : { message_thread_id }),
      text: textOf(words, sign),
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
    }),
    (written) => keepsTo(limits, written),
  );
  return postJson(`https://api.telegram.org/bot${token}/sendMessage`, message);
}

function textOf(
  { state, what, paragraphs, facts, lists, nextSteps, actions, link, linkTitle }: NoticeText,
  sign: string,
): string {
  const links = [...(link === undefined ? [] : [{ url: link, title: linkTitle }]), ...actions];
  const parts = [
    [
      `${sign} <b>${escaped(state)}</b>`,
      escaped(what),
      ...(links.length === 0
        ? []
        : [links.map(({ title, url }) => `<a href="${escapeHtml(url)}">${title}</a>`).join(" · ")]),
    ],
    paragraphs.map(escaped),
    facts.map(({ label, value }) => `<b>${escaped(label)}:</b> ${escaped(value)}`),
    ...lists.map(({ label, items }) => [`<b>${escaped(label)}</b>`, ...items.map((item) => `• ${escaped(item)}`)]),
    nextSteps.map((step) => `<i>${escaped(step)}</i>`),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/** Escapes text for Telegram's HTML, which supports four named entities. An invisible character after @ prevents mentions. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("@", "@\u2060");
}

/** Returns the text as Telegram counts it. */
function withoutEntities(html: string): string {
  return html.replaceAll(/<[^>]*>/g, "").replaceAll(/&(?:\w+|#\d+);/g, "&");
}

/** The fields of Telegram's response that are used. https://core.telegram.org/bots/api#making-requests */
const answerSchema = lazily(() => z.object({ parameters: z.object({ retry_after: z.number().nonnegative() }) }));

/** Maximum delay that Telegram may request, in milliseconds: after that, incident news is worthless. */
const longestWaitMs = 3_600_000;

function classifyMessage(reply: Reply): Attempt {
  const attempt = classifyHttp(reply, advice);
  if ("error" in reply || attempt.outcome !== "retry") return attempt;
  const seconds = waitOf(reply.body);
  return seconds === undefined ? attempt : { ...attempt, afterMs: Math.min(seconds * 1_000, longestWaitMs) };
}

/** Returns the delay that Telegram requests, in seconds. */
function waitOf(body: string): number | undefined {
  try {
    return answerSchema().safeParse(JSON.parse(body)).data?.parameters.retry_after;
  } catch {
    return undefined;
  }
}
