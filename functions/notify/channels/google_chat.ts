/** Cards in Google Chat through a space webhook, one thread per incident. https://developers.google.com/workspace/chat/quickstart/webhooks */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { ChannelKind, Notice, OutgoingRequest } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { fitted } from "../text/fit.ts";
import { atMost, keepsTo, type Limit } from "../text/limits.ts";
import type { NoticeText } from "../text/notice-text.ts";
import { withQuery } from "../text/secret-text.ts";
import { signs, toneOf } from "../text/tone.ts";
import { postJson } from "./support/post.ts";

const settings = lazily(() =>
  z.strictObject({
    url: secretText().describe(
      "A secret: the address of a webhook of the space, https://chat.googleapis.com/v1/spaces/… with its key and token.",
    ),
  }),
);

/** Settings of a Google Chat channel. */
export type GoogleChatSettings = z.output<ReturnType<typeof settings>>;

/** https://developers.google.com/workspace/chat/create-messages */
const limits: readonly Limit[] = [atMost(32_000, "bytes"), atMost(100, "characters", "cardsV2[].cardId")];

/** The Google Chat channel. */
export const googleChat: ChannelKind<GoogleChatSettings> = {
  kind: "google_chat",
  title: "Posts cards to a space in Google Chat, by a webhook, one thread an incident.",
  pace: { perMinute: 30, atOnce: 5 },
  limits,
  incidentForm: "one thread, by its key",
  get settings() {
    return settings();
  },
  example: `url: { secret: chat-url }
`,
  render: renderMessage,
  classify: (reply) => classifyHttp(reply, advice),
};

const advice: Readonly<Record<number, string>> = {
  401: "the key and token in the address are invalid: copy the webhook's address into the secret again",
  403: "the webhook or the space does not allow it: copy the webhook's address into the secret again",
  404: "the space or its webhook is gone: add a webhook and change the secret",
};

type Widget =
  | { readonly textParagraph: { readonly text: string } }
  | { readonly decoratedText: { readonly topLabel: string; readonly text: string; readonly wrapText: true } }
  | { readonly buttonList: { readonly buttons: readonly LinkButton[] } };

interface LinkButton {
  readonly text: string;
  readonly onClick: { readonly openLink: { readonly url: string } };
}

interface Section {
  readonly header?: string;
  readonly widgets: readonly Widget[];
}

interface Message {
  /** Text of the push notification. */
  readonly fallbackText: string;
  readonly thread: { readonly threadKey: string };
  readonly cardsV2: readonly { readonly cardId: string; readonly card: { readonly sections: readonly Section[] } }[];
}

function renderMessage({ url }: GoogleChatSettings, notice: Notice): OutgoingRequest {
  const message = fitted(
    notice,
    (words) => messageOf(words, notice),
    (written) => keepsTo(limits, written),
  );
  const query = {
    // Without it, Chat ignores the thread key.
    messageReplyOption: "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD",
    // A repeated id returns the existing message.
    requestId: notice.key,
  };
  return postJson(withQuery(url, query), message);
}

function messageOf(
  { state, what, paragraphs, facts, lists, nextSteps, actions, link, linkTitle }: NoticeText,
  notice: Notice,
): Message {
  const sign = signs[toneOf(notice)];
  return {
    fallbackText: withoutMentions(`${sign} ${state}: ${what}`),
    thread: { threadKey: bounded(notice.event.incident) },
    cardsV2: [
      {
        cardId: "incident",
        card: {
          sections: sections([
            {
              widgets: [
                paragraph([`${sign} <b>${escapeHtml(state)}</b>`, escapeHtml(what)]),
                ...paragraphs.map((text) => paragraph([escapeHtml(text)])),
                ...buttons([...(link === undefined ? [] : [{ url: link, title: linkTitle }]), ...actions]),
              ],
            },
            {
              widgets: facts.map(({ label, value }) => ({
                decoratedText: { topLabel: label, text: escapeHtml(value), wrapText: true },
              })),
            },
            ...lists.map(({ label, items }) => ({
              header: label,
              widgets: [paragraph(items.map((item) => `• ${escapeHtml(item)}`))],
            })),
            { widgets: nextSteps.length === 0 ? [] : [paragraph(nextSteps.map(escapeHtml))] },
          ]),
        },
      },
    ],
  };
}

function sections(all: readonly Section[]): Section[] {
  return all.filter(({ widgets }) => widgets.length > 0);
}

function paragraph(lines: readonly string[]): Widget {
  return { textParagraph: { text: lines.join("<br>") } };
}

function buttons(links: readonly { readonly url: string; readonly title: string }[]): Widget[] {
  if (links.length === 0) return [];
  return [{ buttonList: { buttons: links.map(({ url, title: text }) => ({ text, onClick: { openLink: { url } } })) } }];
}

/** Escapes the characters that begin tags and entities in the HTML of cards. */
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Prevents mentions: plain text in Chat has no escape syntax, and `<users/all>` would notify everybody. */
function withoutMentions(text: string): string {
  return text.replaceAll("<", "‹").replaceAll(">", "›");
}
