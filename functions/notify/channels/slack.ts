/**
 * Messages in Slack: by an incoming webhook, which posts only, or with the token of a bot, one thread an incident.
 * https://docs.slack.dev/messaging
 */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import type { IncidentEventKind } from "../../../shared/messages/incident-event.ts";
import type { ChannelKind, Notice, OutgoingRequest } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { fitted } from "../text/fit.ts";
import { atMost, characters, keepsTo, type Limit } from "../text/limits.ts";
import type { NoticeText } from "../text/notice-text.ts";
import { signs, toneOf } from "../text/tone.ts";
import { postJson } from "./support/post.ts";
import { isSlackPost, slackConversation, slackPost } from "./support/slack-api.ts";

/** Settings of a Slack channel. */
export type SlackSettings = { readonly url: string } | { readonly token: string; readonly channel: string };

const notes = `## One thread an incident

With the token of a bot, an incident is one message that always says how things stand, and a thread below it that says what happened when. What got worse, came
again, escalated or is over is shown in the channel as well.

1. Create an app in the workspace, with the scopes \`chat:write\` and \`channels:history\` (\`groups:history\` for a private channel) for its bot, and install it.
2. Invite it to the channel, and keep the token of its bot as a secret.

\`\`\`yaml
channels:
  example:
    kind: slack
    token: { secret: slack-token }
    channel: C0123456789
\`\`\`

Slack has no idempotency key. Where it is not known whether an attempt has arrived, the next one looks for its message first, for which it needs
\`channels:history\`; without that scope such a message may come twice, as it may with an incoming webhook.
`;

/** What is worth more than a line in a thread. */
const loud: readonly IncidentEventKind[] = ["severity_raised", "regressed", "escalated", "resolved"];

/** The longest text of a section, in characters. Slack refuses the whole message otherwise. */
const longestSection = 3_000;

/** https://docs.slack.dev/reference/block-kit/blocks; that of all blocks together is not documented: Slack refuses more than about 13,200. */
const limits: readonly Limit[] = [
  atMost(40_000, "characters", "text"),
  atMost(50, "items", "blocks"),
  atMost(longestSection, "characters", "blocks[].text.text"),
  {
    part: "blocks",
    most: 13_000,
    unit: "characters of JSON",
    measure: (message) => characters(JSON.stringify((message as Message).blocks)),
  },
];

/** The Slack channel. */
export const slack: ChannelKind<SlackSettings> = {
  kind: "slack",
  title: "Posts to a channel in Slack: by an incoming webhook, or with the token of a bot in one thread an incident.",
  pace: { perMinute: 60, atOnce: 5 },
  limits,
  incidentForm: "with the token of a bot one message and its thread, else a message each",
  get settings() {
    return z
      .strictObject({
        url: secretText()
          .optional()
          .describe("A secret: the address of an incoming webhook, https://hooks.slack.com/services/…."),
        token: secretText()
          .optional()
          .describe("In place of url, a secret: the token of a bot that may write to the channel, xoxb-…."),
        channel: z
          .string()
          .regex(
            /^[CGD][A-Z0-9]{6,}$/,
            "must be the id of a channel, such as C0123456789: it stands at the end of its link",
          )
          .optional()
          .describe("With token: the id of the channel, such as C0123456789."),
      })
      .transform((settings, context): SlackSettings => {
        const { url, token, channel } = settings;
        if (url !== undefined && token === undefined && channel === undefined) return { url };
        if (url === undefined && token !== undefined && channel !== undefined) return { token, channel };
        const message =
          url === undefined && (token ?? channel) !== undefined
            ? "token and channel go together: write both"
            : "write url, or token and channel in its place";
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      });
  },
  example: `url: { secret: slack-url }
`,
  notes,
  render: renderMessage,
  classify: (reply) => classifyHttp(reply, advice),
  converse: (outgoing, sending, replies) => {
    if (isSlackPost(outgoing)) return slackConversation(outgoing, sending, replies);
    return replies[0] === undefined ? outgoing : classifyHttp(replies[0], advice);
  },
};

/** What Slack's refusals mean. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors */
const advice: Readonly<Record<number, string>> = {
  403: "the workspace forbids it, or the address has expired: add the webhook again and change the secret",
  404: "the webhook or its channel is gone: add a webhook and change the secret",
};

interface Text {
  readonly type: "mrkdwn";
  readonly text: string;
  /** Leaves alone what looks like an address, a channel or a mention. */
  readonly verbatim: true;
}

type Block =
  | { readonly type: "section"; readonly text: Text }
  | { readonly type: "context"; readonly elements: Text[] };

interface Message {
  /** What a notification on the phone shows. */
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

function renderMessage(settings: SlackSettings, notice: Notice): OutgoingRequest {
  const sign = signs[toneOf(notice)];
  const message = fitted(
    notice,
    (words) => messageOf(words, sign),
    (written) => keepsTo(limits, written),
  );
  if ("url" in settings) return postJson(settings.url, message);
  return slackPost(settings.token, settings.channel, message, notice.key, loud.includes(notice.event.event));
}

function messageOf(
  { state, what, paragraphs, facts, lists, nextSteps, link, linkTitle }: NoticeText,
  sign: string,
): Message {
  const parts = [
    [`${sign} *${escapeMrkdwn(state)}*`, escapeMrkdwn(what), ...(link === undefined ? [] : [linked(link, linkTitle)])],
    paragraphs.map(escapeMrkdwn),
    facts.map(({ label, value }) => `*${label}:* ${escapeMrkdwn(value)}`),
    ...lists.map(({ label, items }) => [`*${label}*`, ...items.map((item) => `• ${escapeMrkdwn(item)}`)]),
  ];
  return {
    text: escapeMrkdwn(`${sign} ${state}: ${what}`),
    blocks: [
      ...parts.flatMap(sectionsOf),
      ...(nextSteps.length === 0
        ? []
        : [{ type: "context", elements: nextSteps.map((step) => mrkdwn(escapeMrkdwn(step))) } as const]),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** Lines in as few sections as hold them. */
function sectionsOf(lines: readonly string[]): Block[] {
  const texts: string[] = [];
  for (const line of lines) {
    const last = texts.at(-1);
    const joined = last === undefined ? line : `${last}\n${line}`;
    if (last === undefined || characters(joined) > longestSection) texts.push(line);
    else texts[texts.length - 1] = joined;
  }
  return texts.map((text) => ({ type: "section", text: mrkdwn(text) }));
}

function mrkdwn(text: string): Text {
  return { type: "mrkdwn", text, verbatim: true };
}

/** A link; what would end it is percent-encoded. */
function linked(url: string, title: string): string {
  return `<${escapeMrkdwn(url.replaceAll(/[|<>]/g, encodeURIComponent))}|${title}>`;
}

/** The three characters that make mentions, links and entities. */
function escapeMrkdwn(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
