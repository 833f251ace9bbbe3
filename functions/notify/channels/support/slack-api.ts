/**
 * Slack's Web API with a bot token: a notice opens a thread or replies in it, and updates the message that opened it.
 * https://docs.slack.dev/reference/methods/chat.postMessage
 */
import { longestAnswer } from "../../../../shared/net/outbound.ts";
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import { bounded } from "../../../../shared/text/redact.ts";
import type { Attempt, Outgoing, OutgoingRequest, Reference, Reply, Sending } from "../../channel.ts";
import { classifyHttp } from "../../deliver/classify.ts";
import { withQuery } from "../../text/secret-text.ts";
import { postJson } from "./post.ts";

const api = "https://slack.com/api";
const postMessage = `${api}/chat.postMessage`;

/** Maximum length of a response that is read, in characters. It repeats the message, and a lookup returns the messages around it. */
const readAnswer = 500_000;

/** Delay after Slack reports too many requests without a duration, in milliseconds. Its limits count per minute. */
const waitAfterTooMuch = 60_000;

/** Number of attempts after which a notice is posted even if Slack neither shows whether it exists nor updates the opening. */
const maxPatience = 5;

/** Tolerance for clock differences, in milliseconds: a message may seem to have been posted this long before it was planned. */
const clockSkewMs = 60_000;

/** Metadata that marks a message as ours and identifies its notice. */
interface Metadata {
  readonly event_type: "pathkeeper_notice";
  readonly event_payload: { readonly key: string };
}

/** The fields of Slack's response that are used. */
interface SlackAnswer {
  readonly ok?: unknown;
  readonly error?: unknown;
  readonly channel?: unknown;
  readonly ts?: unknown;
  readonly messages?: unknown;
}

/**
 * Returns the request that posts a message to a channel.
 * @param key the same for every attempt of this notice, and unique otherwise
 * @param broadcast whether a reply in a thread also appears in the channel
 */
export function slackPost(
  token: string,
  channel: string,
  message: object,
  key: string,
  broadcast: boolean,
): OutgoingRequest {
  const metadata: Metadata = { event_type: "pathkeeper_notice", event_payload: { key } };
  const body = { channel, ...message, metadata, ...(broadcast ? { reply_broadcast: true } : {}) };
  return { ...postJson(postMessage, body, { authorization: `Bearer ${token}` }), readAnswer };
}

/** Returns whether a message is sent through the Web API. */
export function isSlackPost(outgoing: Outgoing): outgoing is OutgoingRequest {
  return outgoing.transport === "http" && outgoing.url === postMessage;
}

/**
 * Returns the next Slack request for a notice, or its result. The requests, one after another: look up the notice, if an earlier attempt may
 * have arrived; update the opening to the present state; and post the notice, in the thread of the opening if there is one.
 */
export function slackConversation(
  outgoing: OutgoingRequest,
  { opening, attempts, plannedAt }: Sending,
  replies: readonly Reply[],
): Outgoing | Attempt {
  const [...said] = replies;
  const { thread, alone, update, look } = requestsOf(outgoing, opening, plannedAt);
  if (attempts > 0) {
    const reply = said.shift();
    if (reply === undefined) return look;
    const found = foundIn(reply, keyOf(outgoing), opening?.["channel"] ?? String(bodyOf(outgoing)["channel"]));
    if (found !== undefined)
      return { outcome: "delivered", answer: "an earlier attempt had arrived", reference: found };
    // Without permission to look it up, the notice is posted anyway. If the lookup is only rate limited, it waits, but not forever: a
    // duplicate is better than a lost notice.
    const looked = attemptOf(reply);
    if (looked.outcome === "retry" && !looked.correctable && attempts < maxPatience) return looked;
  }
  if (update !== undefined) {
    const reply = said.shift();
    if (reply === undefined) return update;
    // The opening may be deleted, or not ours; the notice matters more. Until that is certain, waiting cannot post a duplicate.
    const updated = attemptOf(reply);
    if (updated.outcome === "retry" && !updated.correctable && attempts < maxPatience) return updated;
  }
  const reply = said.shift();
  if (reply === undefined) return thread;
  if (thread === alone || !threadIsGone.includes(errorOf(reply) ?? "")) return attemptOf(reply);
  const last = said.shift();
  return last === undefined ? alone : attemptOf(last);
}

function requestsOf(outgoing: OutgoingRequest, opening: Reference | undefined, plannedAt: number) {
  const { reply_broadcast, metadata, ...message } = bodyOf(outgoing);
  const { authorization = "" } = outgoing.headers;
  const asked = (body: object, url: string = postMessage): OutgoingRequest => ({
    ...outgoing,
    url,
    body: JSON.stringify(body),
  });
  const alone = asked({ ...message, metadata });
  const where = opening ?? { channel: String(message["channel"]) };
  const { channel, ts } = where as { channel?: string; ts?: string };
  const look: OutgoingRequest = {
    ...outgoing,
    method: "GET",
    url: withQuery(`${api}/${ts === undefined ? "conversations.history" : "conversations.replies"}`, {
      channel: channel ?? "",
      ...(ts === undefined ? {} : { ts }),
      oldest: String((plannedAt - clockSkewMs) / 1_000),
      include_all_metadata: "true",
      limit: "100",
    }),
    headers: { authorization },
    body: "",
  };
  if (channel === undefined || ts === undefined) return { thread: alone, alone, update: undefined, look };
  const broadcast = reply_broadcast === true ? { reply_broadcast } : {};
  return {
    thread: asked({ ...message, channel, metadata, thread_ts: ts, ...broadcast }),
    alone,
    update: asked({ ...message, channel, ts }, `${api}/chat.update`),
    look,
  };
}

/** Returns the result of an attempt to post. */
function attemptOf(reply: Reply): Attempt {
  if ("error" in reply) return classifyHttp(reply);
  // Of a response that did not come from Slack, only the beginning is kept, as for every response.
  if (reply.status < 200 || reply.status >= 300)
    return patient(classifyHttp({ ...reply, body: bounded(reply.body, [], longestAnswer) }), reply);
  const said = answerOf(reply);
  if (said.ok === true) {
    const { channel, ts } = said;
    const isNamed = typeof channel === "string" && typeof ts === "string";
    return { outcome: "delivered", answer: `${reply.status} ok`, ...(isNamed ? { reference: { channel, ts } } : {}) };
  }
  const error = errorOf(reply);
  if (error === undefined) return { outcome: "retry", answer: `${reply.status}: the response is not from Slack` };
  if (passing.includes(error)) return patient({ outcome: "retry", answer: error }, reply);
  const known = ownEntry(advice, error);
  return known === undefined
    ? { outcome: "rejected", answer: error }
    : { outcome: "retry", answer: `${error}: ${known}`, correctable: true };
}

/** Sets the delay that Slack asks for, or the default after rate limiting. */
function patient(attempt: Attempt, reply: Reply): Attempt {
  if (attempt.outcome !== "retry" || !isTooMuch(reply)) return attempt;
  const asked = "error" in reply ? undefined : classifyHttp({ ...reply, status: 429 });
  const afterMs = asked?.outcome === "retry" ? asked.afterMs : undefined;
  return { ...attempt, afterMs: afterMs ?? waitAfterTooMuch };
}

function isTooMuch(reply: Reply): boolean {
  return ("status" in reply && reply.status === 429) || tooMuch.includes(errorOf(reply) ?? "");
}

const tooMuch: readonly string[] = ["ratelimited", "rate_limited", "message_limit_exceeded"];

/** Transient errors. */
const passing: readonly string[] = [
  ...tooMuch,
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
];

const threadIsGone: readonly string[] = [
  "thread_not_found",
  "cannot_reply_to_message",
  "invalid_thread_ts",
  "message_not_found",
];

const token = "copy the token of the bot, xoxb-…, into the secret again";
const invite = "invite the app to the channel, or correct the ID";

/** Advice for errors that need a person. */
const advice: Readonly<Record<string, string>> = {
  invalid_auth: token,
  not_authed: token,
  account_inactive: token,
  token_revoked: token,
  token_expired: token,
  channel_not_found: invite,
  not_in_channel: invite,
  is_archived: "the channel is archived: choose another",
  missing_scope: "give the app the scope chat:write, and install it again",
  restricted_action: "posting in the channel is restricted: allow the app",
};

/** Finds the message of a notice in the lookup response. */
function foundIn(reply: Reply, key: string, channel: string): Reference | undefined {
  const { messages } = answerOf(reply);
  if (!Array.isArray(messages)) return undefined;
  const found = (messages as readonly { ts?: unknown; metadata?: Partial<Metadata> }[]).find(
    (message) => message?.metadata?.event_type === "pathkeeper_notice" && message.metadata.event_payload?.key === key,
  );
  return typeof found?.ts === "string" ? { channel, ts: found.ts } : undefined;
}

function keyOf(outgoing: OutgoingRequest): string {
  return (bodyOf(outgoing)["metadata"] as Metadata).event_payload.key;
}

function bodyOf({ body }: OutgoingRequest): Readonly<Record<string, unknown>> {
  return JSON.parse(body);
}

function errorOf(reply: Reply): string | undefined {
  const { error } = answerOf(reply);
  return typeof error === "string" ? error.slice(0, 100) : undefined;
}

function answerOf(reply: Reply): SlackAnswer {
  if ("error" in reply) return {};
  try {
    const parsed: unknown = JSON.parse(reply.body);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
