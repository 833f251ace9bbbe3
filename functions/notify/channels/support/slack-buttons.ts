/**
 * Buttons in messages of a Slack app, and the requests that Slack sends when they are pressed.
 * https://docs.slack.dev/reference/interaction-payloads/block_actions-payload,
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
import { z } from "zod";
import { lazily } from "../../../../shared/runtime/lazily.ts";
import { type AnswerRequest, type IncomingAct, jsonOf } from "../../answer/incoming.ts";
import { answerActions, hmac, isSame } from "../../answer/link.ts";
import type { NoticeAction } from "../../channel.ts";

interface PlainText {
  readonly type: "plain_text";
  readonly text: string;
}

/** A Block Kit button. */
export interface Button {
  readonly type: "button";
  /** Action of the button. */
  readonly action_id: string;
  /** Id of the incident. */
  readonly value: string;
  readonly text: PlainText;
  readonly style?: "primary" | "danger";
  /** Confirmation dialog shown before Slack sends the request. */
  readonly confirm?: {
    readonly title: PlainText;
    readonly text: PlainText;
    readonly confirm: PlainText;
    readonly deny: PlainText;
  };
}

/** Returns a block of buttons. */
export function buttonsOf(
  actions: readonly NoticeAction[],
  incident: string,
): { readonly type: "actions"; readonly elements: Button[] } {
  return {
    type: "actions",
    elements: actions.map(({ action, title }) => ({
      type: "button",
      action_id: action,
      value: incident,
      text: plain(title),
      ...(action === "acknowledge" ? { style: "primary" as const } : {}),
      ...(action === "resolve" ? { style: "danger" as const, confirm: confirmation } : {}),
    })),
  };
}

/** Maximum age of a request, in seconds: an older one may be a replay. */
const longestAge = 300;

const interaction = lazily(() =>
  z.object({
    type: z.literal("block_actions"),
    user: z.object({ id: z.string(), username: z.string().optional(), name: z.string().optional() }),
    channel: z.object({ id: z.string() }),
    response_url: z.string().optional(),
    actions: z
      .array(z.object({ action_id: z.enum(answerActions), value: z.string().min(1), action_ts: z.string() }))
      .min(1),
  }),
);

/**
 * Reads the request that Slack sends when a button is pressed: a form with the field `payload`, signed as `v0=` and HMAC-SHA256 of
 * `v0:TIMESTAMP:BODY` in hexadecimal.
 * @param channel the only channel whose buttons are accepted
 */
export function readInteraction(
  { headers, body }: AnswerRequest,
  secret: string,
  now: number,
  channel: string,
): IncomingAct | "refused" | "ignored" {
  const timestamp = headers["x-slack-request-timestamp"] ?? "";
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > longestAge) return "refused";
  const signed = Buffer.concat([Buffer.from(`v0:${timestamp}:`), body]);
  if (!isSame(headers["x-slack-signature"] ?? "", `v0=${hmac(secret, signed).toString("hex")}`)) return "refused";
  const payload = new URLSearchParams(Buffer.from(body).toString()).get("payload") ?? "";
  const read = interaction().safeParse(jsonOf(payload));
  if (!read.success || read.data.channel.id !== channel) return "ignored";
  const { user, actions, response_url: url } = read.data;
  const [pressed] = actions;
  if (pressed === undefined) return "ignored";
  return {
    action: pressed.action_id,
    incident: pressed.value,
    by: user.name ?? user.username ?? user.id,
    id: `${user.id} ${pressed.action_ts}`,
    ...(url?.startsWith("https://hooks.slack.com/")
      ? { reply: { url, body: (text) => ({ response_type: "ephemeral", replace_original: false, text }) } }
      : {}),
  };
}

const confirmation = {
  title: plain("Resolve the incident?"),
  text: plain("It is over then, whatever the probes say."),
  confirm: plain("Resolve"),
  deny: plain("Cancel"),
} as const;

function plain(text: string): PlainText {
  return { type: "plain_text", text };
}
