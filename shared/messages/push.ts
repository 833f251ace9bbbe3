/** A push request of Pub/Sub to a function: the body of the HTTP request, and the status codes that acknowledge it. */
import { MalformedMessage } from "./parse.ts";

/** One delivery of one message. */
export interface PushedMessage {
  /** The same for every delivery of the message. */
  readonly messageId: string;
  /** Milliseconds since the epoch at which the publisher's call was accepted; the same for every delivery. */
  readonly publishedAt: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** The data, decoded from JSON. */
  readonly data: unknown;
  /** Full name of the subscription. */
  readonly subscription: string;
  /** Number of delivery attempts, this one included; known only if the subscription has a dead-letter policy. */
  readonly deliveryAttempt?: number;
}

/**
 * Decodes the body of a push request.
 * @param body the parsed JSON body
 * @throws MalformedMessage when it is not what a push subscription sends, or its data is not JSON
 * @see https://cloud.google.com/pubsub/docs/push
 */
export function decodePush(body: unknown): PushedMessage {
  const envelope = body as
    | { message?: Record<string, unknown>; subscription?: unknown; deliveryAttempt?: unknown }
    | undefined
    | null;
  const message = envelope?.message;
  if (typeof message !== "object" || message === null) throw new MalformedMessage("not a Pub/Sub push: no message");
  const messageId = message["messageId"] ?? message["message_id"];
  const publishTime = message["publishTime"] ?? message["publish_time"];
  if (typeof messageId !== "string") throw new MalformedMessage("not a Pub/Sub push: no messageId");
  const publishedAt = Date.parse(String(publishTime));
  if (Number.isNaN(publishedAt)) throw new MalformedMessage("not a Pub/Sub push: no publishTime");
  return {
    messageId,
    publishedAt,
    attributes: (message["attributes"] ?? {}) as Record<string, string>,
    data: decodeData(message["data"]),
    subscription: String(envelope?.subscription ?? ""),
    ...(typeof envelope?.deliveryAttempt === "number" ? { deliveryAttempt: envelope.deliveryAttempt } : {}),
  };
}

/**
 * Returns whether a content type is JSON, the only one that Pub/Sub sends. A web page of another origin cannot send it without a preflight
 * request, which nothing here answers.
 */
export function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType ?? "");
}

/** The body of a push request, as Pub/Sub sends it. The inverse of `decodePush`. */
export function encodePush(message: PushedMessage): unknown {
  const publishTime = new Date(message.publishedAt).toISOString();
  return {
    message: {
      data: Buffer.from(JSON.stringify(message.data)).toString("base64"),
      attributes: message.attributes,
      messageId: message.messageId,
      message_id: message.messageId,
      publishTime,
      publish_time: publishTime,
    },
    subscription: message.subscription,
    ...(message.deliveryAttempt === undefined ? {} : { deliveryAttempt: message.deliveryAttempt }),
  };
}

function decodeData(data: unknown): unknown {
  const text = Buffer.from(typeof data === "string" ? data : "", "base64").toString("utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedMessage("the data of the message is not JSON", { cause });
  }
}
