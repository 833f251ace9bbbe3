/**
 * Slack's Web API with the token of a bot: a notice opens a thread or answers in it, and brings the message that opened it up to date.
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

/** How much of an answer is read, in characters: it repeats the message, and a look for one brings those around it. */
const readAnswer = 500_000;

/** How long to wait where Slack says that there was too much and not for how long, in milliseconds: its limits count by the minute. */
const waitAfterTooMuch = 60_000;

/** After how many attempts a notice is posted although Slack neither shows whether it is there nor changes the opening. */
const mostPatience = 5;

/** How much earlier than planned a message may seem to have been posted, in milliseconds, because clocks differ. */
const clockSkewMs = 60_000;

/** What makes a message one of ours, and this one. */
interface Metadata {
  readonly event_type: "pathkeeper_notice";
  readonly event_payload: { readonly key: string };
}

/** What Slack answers, as far as it is read. */
interface SlackAnswer {
  readonly ok?: unknown;
  readonly error?: unknown;
  readonly channel?: unknown;
  readonly ts?: unknown;
  readonly messages?: unknown;
}

/**
 * Posts a message to a channel.
 * @param key the same for every attempt of this notice, and for no other
 * @param broadcast whether an answer in a thread is shown in the channel as well
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

/** Whether something is sent by the Web API. */
export function isSlackPost(outgoing: Outgoing): outgoing is OutgoingRequest {
  return outgoing.transport === "http" && outgoing.url === postMessage;
}

/**
 * What is asked of Slack for one notice, one request after the other: whether it is there already, where an earlier attempt may have arrived;
 * that the opening says how things stand now; and the notice itself, in the thread of the opening where that is there.
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
    // Who may not look posts all the same; who may look in a minute waits, but not for ever: rather twice than never.
    const looked = attemptOf(reply);
    if (looked.outcome === "retry" && !looked.correctable && attempts < mostPatience) return looked;
  }
  if (update !== undefined) {
    const reply = said.shift();
    if (reply === undefined) return update;
    // The opening may be gone, or not be ours: the news is worth more. As long as that is not sure, waiting posts nothing twice.
    const updated = attemptOf(reply);
    if (updated.outcome === "retry" && !updated.correctable && attempts < mostPatience) return updated;
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

/** How an attempt to post has ended. */
function attemptOf(reply: Reply): Attempt {
  if ("error" in reply) return classifyHttp(reply);
  // What is kept of an answer that is none of Slack's is its beginning, as of every answer.
  if (reply.status < 200 || reply.status >= 300)
    return patient(classifyHttp({ ...reply, body: bounded(reply.body, [], longestAnswer) }), reply);
  const said = answerOf(reply);
  if (said.ok === true) {
    const { channel, ts } = said;
    const isNamed = typeof channel === "string" && typeof ts === "string";
    return { outcome: "delivered", answer: `${reply.status} ok`, ...(isNamed ? { reference: { channel, ts } } : {}) };
  }
  const error = errorOf(reply);
  if (error === undefined) return { outcome: "retry", answer: `${reply.status}: the answer is not one of Slack's` };
  if (passing.includes(error)) return patient({ outcome: "retry", answer: error }, reply);
  const known = ownEntry(advice, error);
  return known === undefined
    ? { outcome: "rejected", answer: error }
    : { outcome: "retry", answer: `${error}: ${known}`, correctable: true };
}

/** Waits as long as Slack says, or as its limits count. */
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

/** Errors that pass. */
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
const invite = "invite the app to the channel, or correct the id";

/** What a person can do about errors that do not pass by themselves. */
const advice: Readonly<Record<string, string>> = {
  invalid_auth: token,
  not_authed: token,
  account_inactive: token,
  token_revoked: token,
  token_expired: token,
  channel_not_found: invite,
  not_in_channel: invite,
  is_archived: "the channel is archived: name another",
  missing_scope: "give the app the scope chat:write, and install it again",
  restricted_action: "the workspace lets only some post there: allow the app",
};

/** The message of a notice among those that were found. */
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
