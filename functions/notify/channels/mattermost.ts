/** Messages in Mattermost through an incoming webhook. https://developers.mattermost.com/integrate/webhooks/incoming/ */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import type { ChannelKind, Notice, OutgoingRequest } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { fitted } from "../text/fit.ts";
import { atMost, keepsTo, type Limit } from "../text/limits.ts";
import type { NoticeText } from "../text/notice-text.ts";
import { SettingText } from "../text/secret-text.ts";
import { signs, toneOf } from "../text/tone.ts";
import { postJson } from "./support/post.ts";

const settings = lazily(() =>
  z.strictObject({
    url: secretText().describe("A secret: the address of an incoming webhook, https://mattermost.example.com/hooks/…."),
    channel: z
      .string()
      .regex(/^@?[a-z0-9][a-z0-9._-]*$/, "must be a channel name as in the channel's link, or @name of a person")
      .optional()
      .describe(
        "A channel other than the webhook's: its name as in its link, or `@name` of a person. The webhook must not be locked to its channel.",
      ),
    username: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("The sender's name. The server must allow integrations to override usernames."),
    allow_private: z
      .boolean()
      .default(false)
      .describe("Allows http:// and private addresses, for a server in your own network."),
  }),
);

/** Settings of a Mattermost channel. */
export type MattermostSettings = z.output<ReturnType<typeof settings>>;

/** Mattermost splits longer texts into several posts. */
const limits: readonly Limit[] = [atMost(16_383, "characters", "text")];

/** The Mattermost channel. */
export const mattermost: ChannelKind<MattermostSettings> = {
  kind: "mattermost",
  title: "Posts to a channel in Mattermost, by an incoming webhook.",
  limits,
  get settings() {
    return settings();
  },
  example: `url: { secret: mattermost-url }
channel: incidents
username: Pathkeeper
`,
  render: renderMessage,
  classify: (reply) => classifyHttp(reply, advice),
};

const advice: Readonly<Record<number, string>> = {
  400: "the webhook is gone or refuses the message: copy its address into the secret again",
  403: "the webhook may not post there: unlock it from its channel, or remove channel",
  404: "the webhook or its channel is gone: add a webhook and change the secret, or correct channel",
};

interface Message {
  readonly text: string;
  readonly channel?: string;
  readonly username?: SettingText;
}

function renderMessage({ url, channel, username, allow_private }: MattermostSettings, notice: Notice): OutgoingRequest {
  const sign = signs[toneOf(notice)];
  const message = fitted(
    notice,
    (words): Message => ({
      text: textOf(words, sign),
      ...(channel === undefined ? {} : { channel }),
      ...(username === undefined ? {} : { username: new SettingText(username) }),
    }),
    (written) => keepsTo(limits, written),
  );
  return { ...postJson(url, message), allowPrivate: allow_private };
}

function textOf(
  { state, what, paragraphs, facts, lists, nextSteps, actions, link, linkTitle }: NoticeText,
  sign: string,
): string {
  const links = [...(link === undefined ? [] : [{ url: link, title: linkTitle }]), ...actions];
  const parts = [
    [`${sign} **${escaped(state)}**`],
    [escaped(what)],
    links.length === 0 ? [] : [links.map(({ title, url }) => `[${title}](${encodeEnds(url)})`).join(" · ")],
    ...paragraphs.map((text) => [escaped(text)]),
    facts.map(({ label, value }) => `- **${escaped(label)}:** ${escaped(value)}`),
    ...lists.map(({ label, items }) => [`**${escaped(label)}**`, ...items.map((item) => `- ${escaped(item)}`)]),
    ...nextSteps.map((step) => [escaped(step)]),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/**
 * Escapes text for Markdown. Angle brackets become entities, because the server interprets `<!channel>` as Slack does, before it parses
 * Markdown. An invisible character after @ prevents mentions: with a backslash before it, the server would still find `@channel` and `@all`.
 * One after :// prevents link previews.
 */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]#|~]/g, "\\$&")
    .replace(/^[-+]/, "\\$&")
    .replace(/^(\d+)([.)])/, "$1\\$2")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("@", "@\u2060")
    .replaceAll("://", "://\u2060");
}

/** Percent-encodes the characters of a URL that would end a Markdown link, or start a link in Slack's format. */
function encodeEnds(url: string): string {
  return url.replaceAll(/[()<>|\\\s]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
