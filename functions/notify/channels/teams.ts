/** Adaptive Cards in Microsoft Teams through a Workflows flow. https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors */
import { z } from "zod";
import { secretText } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import type { Attempt, ChannelKind, Notice, OutgoingRequest, Reply } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { cut, fitted } from "../text/fit.ts";
import { atMost, keepsTo, type Limit } from "../text/limits.ts";
import type { NoticeText } from "../text/notice-text.ts";
import { signs, type Tone, toneOf } from "../text/tone.ts";
import { postJson } from "./support/post.ts";

const settings = lazily(() =>
  z.strictObject({
    url: secretText().describe(
      "A secret: the address that Workflows shows for a flow that starts when a Teams webhook request is received.",
    ),
  }),
);

/** Settings of a Teams channel. */
export type TeamsSettings = z.output<ReturnType<typeof settings>>;

/** https://learn.microsoft.com/microsoftteams/limits-specifications-teams: about 28 KB */
const limits: readonly Limit[] = [atMost(28_000, "bytes")];

/** The Teams channel. */
export const teams: ChannelKind<TeamsSettings> = {
  kind: "teams",
  title: "Posts Adaptive Cards to a channel or chat in Microsoft Teams, by a flow of Workflows.",
  pace: { perMinute: 120, atOnce: 4 },
  limits,
  incidentForm: "a card each",
  get settings() {
    return settings();
  },
  example: `url: { secret: teams-url }
`,
  render: renderMessage,
  classify: classifyFlow,
};

const advice: Readonly<Record<number, string>> = {
  400: "the flow is turned off or does not start with a Teams webhook request: check it in Workflows",
  401: "the signature of the address is wrong, or the flow does not let anyone start it: copy its address into the secret again",
  403: "the flow does not let anyone start it: change who can trigger it in Workflows",
  404: "the flow is gone: add one and change the secret",
};

/** Text runs instead of TextBlock or FactSet, which interpret Markdown and would require escaping texts from targets. */
interface RichTextBlock {
  readonly type: "RichTextBlock";
  readonly inlines: readonly TextRun[];
  readonly spacing?: "None" | "Small" | "Medium";
}

interface TextRun {
  readonly type: "TextRun";
  readonly text: string;
  readonly weight?: "Bolder";
  readonly color?: "Attention" | "Warning" | "Accent" | "Good";
  readonly isSubtle?: true;
}

interface Message {
  readonly type: "message";
  readonly summary: string;
  readonly attachments: readonly {
    readonly contentType: "application/vnd.microsoft.card.adaptive";
    readonly contentUrl: null;
    readonly content: {
      readonly $schema: string;
      readonly type: "AdaptiveCard";
      /** The first version with text runs. */
      readonly version: "1.2";
      readonly msteams: { readonly width: "Full" };
      readonly fallbackText: string;
      readonly speak: string;
      readonly body: readonly RichTextBlock[];
      readonly actions?: readonly { readonly type: "Action.OpenUrl"; readonly title: string; readonly url: string }[];
    };
  }[];
}

const colors: Readonly<Record<Tone, "Attention" | "Warning" | "Accent" | "Good">> = {
  critical: "Attention",
  warning: "Warning",
  info: "Accent",
  resolved: "Good",
};

function renderMessage({ url }: TeamsSettings, notice: Notice): OutgoingRequest {
  const message = fitted(
    notice,
    (words) => messageOf(words, toneOf(notice)),
    (written) => keepsTo(limits, written),
  );
  return postJson(url, message);
}

/**
 * Maximum length of the summary, in characters. It has the state and the affected parts, and appears in push notifications, in clients that
 * show no cards, and in screen readers.
 */
const longestSummary = 200;

function messageOf(
  { state, what, paragraphs, facts, lists, nextSteps, actions, link, linkTitle }: NoticeText,
  tone: Tone,
): Message {
  const body: RichTextBlock[] = [
    block([{ ...bold(`${signs[tone]} ${state}`), color: colors[tone] }]),
    block([run(what)], "Small"),
    ...paragraphs.map((text) => block([run(text)], "Small")),
    ...facts.map(({ label, value }, at) => block([bold(`${label}: `), run(value)], at === 0 ? "Medium" : "None")),
    ...lists.flatMap(({ label, items }) => [
      block([bold(label)], "Medium"),
      ...items.map((item) => block([run(`• ${item}`)], "None")),
    ]),
    ...nextSteps.map((step, at) => block([{ ...run(step), isSubtle: true }], at === 0 ? "Medium" : "None")),
  ];
  const links = [...(link === undefined ? [] : [{ url: link, title: linkTitle }]), ...actions];
  const summary = cut(`${state}: ${what}`, longestSummary);
  // Some clients interpret Markdown or SSML here.
  const plain = summary.replaceAll(/[[\]()*_`~#<>&\\]+/g, " ").trim() || "Incident";
  return {
    type: "message",
    summary,
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.2",
          msteams: { width: "Full" },
          fallbackText: plain,
          speak: plain,
          body,
          ...(links.length === 0
            ? {}
            : { actions: links.map(({ title, url }) => ({ type: "Action.OpenUrl" as const, title, url })) }),
        },
      },
    ],
  };
}

/** A 2xx response from Workflows means that the flow has started, not that the card has arrived. */
function classifyFlow(reply: Reply): Attempt {
  const attempt = classifyHttp(reply, advice);
  if (attempt.outcome !== "delivered") return attempt;
  return {
    ...attempt,
    answer: `${attempt.answer}: the flow accepted it; only its run history shows whether it posted`,
  };
}

function block(inlines: readonly TextRun[], spacing?: "None" | "Small" | "Medium"): RichTextBlock {
  return { type: "RichTextBlock", inlines, ...(spacing === undefined ? {} : { spacing }) };
}

function run(text: string): TextRun {
  return { type: "TextRun", text };
}

function bold(text: string): TextRun {
  return { ...run(text), weight: "Bolder" };
}
