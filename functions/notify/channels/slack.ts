/**
 * Messages in Slack: through an incoming webhook, which only posts, or with a bot token, one thread per incident.
 * https://docs.slack.dev/messaging
 */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import type { IncidentEventKind } from "../../../shared/messages/incident-event.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import type { ChannelKind, Notice, OutgoingRequest } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { fitted } from "../text/fit.ts";
import { atMost, characters, keepsTo, type Limit } from "../text/limits.ts";
import type { NoticeText } from "../text/notice-text.ts";
import { signs, toneOf } from "../text/tone.ts";
import { postJson } from "./support/post.ts";
import { isSlackPost, slackConversation, slackPost } from "./support/slack-api.ts";
import { type Button, buttonsOf, readInteraction } from "./support/slack-buttons.ts";

/** Settings of a Slack channel. */
export type SlackSettings =
  | { readonly url: string }
  | { readonly token: string; readonly channel: string; readonly signing_secret?: string };

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

## Buttons

With \`signing_secret\`, the signing secret of the app (**Basic Information**), messages have buttons: acknowledge, silence for an hour, resolve. Whoever may read the channel may press them, and the
timeline says who it was: "Acknowledged by ana, in Slack".

1. [Let readers act](../answers.md), so that Slack can reach Pathkeeper.
2. In the app, switch on **Interactivity**, with the request URL \`ADDRESS/channels/NAME\`, where NAME is the name of the channel in \`monitor.yaml\`.

\`\`\`yaml
channels:
  example:
    kind: slack
    token: { secret: slack-token }
    channel: C0123456789
    signing_secret: { secret: slack-signing }
\`\`\`
`;

/** Events that are important enough to also appear outside the thread. */
const loud: readonly IncidentEventKind[] = ["severity_raised", "regressed", "escalated", "resolved"];

/** Maximum length of a section, in characters. Slack refuses the whole message if one is longer. */
const longestSection = 3_000;

/** https://docs.slack.dev/reference/block-kit/blocks; the limit for all blocks together is undocumented: Slack refuses more than about 13,200. */
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

const settings = lazily(() =>
  z
    .strictObject({
      url: secretText()
        .optional()
        .describe("A secret: the address of an incoming webhook, https://hooks.slack.com/services/…."),
      token: secretText()
        .optional()
        .describe("Instead of url, a secret: the token of a bot that may write to the channel, xoxb-…."),
      channel: z
        .string()
        .regex(/^[CGD][A-Z0-9]{6,}$/, "must be a channel ID, such as C0123456789: the end of the channel's link")
        .optional()
        .describe("With token: the channel ID, such as C0123456789."),
      signing_secret: secretText()
        .optional()
        .describe("With token, a secret: the signing secret of the app. Messages then have buttons."),
    })
    .transform((settings, context): SlackSettings => {
      const { url, token, channel, signing_secret } = settings;
      const isBot = (token ?? channel ?? signing_secret) !== undefined;
      if (url !== undefined && !isBot) return { url };
      if (url === undefined && token !== undefined && channel !== undefined)
        return { token, channel, ...(signing_secret === undefined ? {} : { signing_secret }) };
      const message =
        url === undefined && isBot
          ? "token and channel require each other: set both"
          : "set either url, or token and channel";
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }),
);

/** The Slack channel. */
export const slack: ChannelKind<SlackSettings> = {
  kind: "slack",
  title: "Posts to a channel in Slack: with an incoming webhook, or with a bot token in one thread per incident.",
  pace: { perMinute: 60, atOnce: 5 },
  limits,
  incidentForm: "with the token of a bot one message and its thread, else a message each",
  get settings() {
    return settings();
  },
  example: `url: { secret: slack-url }
`,
  notes,
  render: renderMessage,
  incoming: {
    setting: "signing_secret",
    via: () => "in Slack",
    read: (request, secret, now, settings) =>
      readInteraction(request, secret, now, "channel" in settings ? settings.channel : ""),
  },
  classify: (reply) => classifyHttp(reply, advice),
  converse: (outgoing, sending, replies) => {
    if (isSlackPost(outgoing)) return slackConversation(outgoing, sending, replies);
    return replies[0] === undefined ? outgoing : classifyHttp(replies[0], advice);
  },
};

/** Explanations of Slack's refusals, by status. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors */
const advice: Readonly<Record<number, string>> = {
  403: "the workspace does not allow it, or the address has expired: add a new webhook and change the secret",
  404: "the webhook or its channel is gone: add a webhook and change the secret",
};

interface Text {
  readonly type: "mrkdwn";
  readonly text: string;
  /** Turns off the automatic formatting of addresses, channels and mentions. */
  readonly verbatim: true;
}

type Block =
  | { readonly type: "section"; readonly text: Text }
  | { readonly type: "actions"; readonly elements: Button[] }
  | { readonly type: "context"; readonly elements: Text[] };

interface Message {
  /** Text of the push notification. */
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

function renderMessage(settings: SlackSettings, notice: Notice): OutgoingRequest {
  const sign = signs[toneOf(notice)];
  const message = fitted(
    notice,
    (words) => messageOf(words, sign, "signing_secret" in settings ? notice.event.incident : undefined),
    (written) => keepsTo(limits, written),
  );
  if ("url" in settings) return postJson(settings.url, message);
  return slackPost(settings.token, settings.channel, message, notice.key, loud.includes(notice.event.event));
}

/** @param incident id of the incident for the buttons; `undefined` if the message has links instead */
function messageOf(
  { state, what, paragraphs, facts, lists, nextSteps, actions, link, linkTitle }: NoticeText,
  sign: string,
  incident: string | undefined,
): Message {
  const links = [
    ...(link === undefined ? [] : [linked(link, linkTitle)]),
    ...(incident === undefined ? actions.map(({ url, title }) => linked(url, title)) : []),
  ];
  const parts = [
    [`${sign} *${escapeMrkdwn(state)}*`, escapeMrkdwn(what), ...(links.length === 0 ? [] : [links.join(" · ")])],
    paragraphs.map(escapeMrkdwn),
    facts.map(({ label, value }) => `*${label}:* ${escapeMrkdwn(value)}`),
    ...lists.map(({ label, items }) => [`*${label}*`, ...items.map((item) => `• ${escapeMrkdwn(item)}`)]),
  ];
  return {
    text: escapeMrkdwn(`${sign} ${state}: ${what}`),
    blocks: [
      ...parts.flatMap(sectionsOf),
      ...(incident === undefined || actions.length === 0 ? [] : [buttonsOf(actions, incident)]),
      ...(nextSteps.length === 0
        ? []
        : [{ type: "context", elements: nextSteps.map((step) => mrkdwn(escapeMrkdwn(step))) } as const]),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** Packs lines into as few sections as possible. */
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

/** Returns a link. Characters that would end it are percent-encoded. */
function linked(url: string, title: string): string {
  return `<${escapeMrkdwn(url.replaceAll(/[|<>]/g, encodeURIComponent))}|${title}>`;
}

/** Escapes the three characters that make mentions, links and entities. */
function escapeMrkdwn(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
