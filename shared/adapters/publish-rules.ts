/** Limits of Pub/Sub in production. Every adapter enforces them, because Google's emulator accepts nearly anything. */
import { type OutgoingMessage, PublishError } from "../ports.ts";

/** A message that production accepts, with its data as JSON text. */
export interface EncodedMessage {
  readonly json: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Encodes messages as they go over the wire, after checking them against the limits of Pub/Sub.
 * @throws PublishError, not retryable, that names the topic, the message, the limit and what to change
 * @see https://cloud.google.com/pubsub/quotas#resource_limits
 */
export function encodeMessages(topic: string, messages: readonly OutgoingMessage[]): EncodedMessage[] {
  if (!topicName.test(topic)) {
    throw new PublishError(
      `cannot publish to "${topic}": a topic is named by 3 to 255 letters, digits and -._~+%, starts with a letter and not with "goog"`,
      false,
    );
  }
  return messages.map((message, index) => {
    try {
      return encode(message);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new PublishError(
        `cannot publish message ${index + 1} of ${messages.length} to "${topic}": ${reason}`,
        false,
        { cause },
      );
    }
  });
}

const topicName = /^(?!goog)[A-Za-z][A-Za-z0-9\-._~+%]{2,254}$/;
const maxDataBytes = 10_000_000;
const maxAttributes = 100;
const maxKeyBytes = 256;
const maxValueBytes = 1024;

function encode({ data, attributes = {} }: OutgoingMessage): EncodedMessage {
  const json: string | undefined = JSON.stringify(data);
  if (json === undefined) throw new Error("it has no data, and a push of it would mean nothing; send null for nothing");
  const size = Buffer.byteLength(json);
  if (size > maxDataBytes) throw new Error(`its data has ${size} bytes, at most ${maxDataBytes} are allowed; split it`);
  const entries = Object.entries(attributes);
  if (entries.length > maxAttributes) {
    throw new Error(
      `it has ${entries.length} attributes, at most ${maxAttributes} are allowed; move some into its data`,
    );
  }
  for (const [key, value] of entries) checkAttribute(key, value);
  return { json, attributes };
}

function checkAttribute(key: string, value: string): void {
  const shown = JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes === 0) throw new Error("the key of an attribute is empty; name it");
  if (keyBytes > maxKeyBytes) {
    throw new Error(`the attribute key ${shown} has ${keyBytes} bytes, at most ${maxKeyBytes} are allowed; shorten it`);
  }
  if (key.startsWith("goog")) throw new Error(`the attribute key ${shown} starts with the reserved "goog"; rename it`);
  const valueBytes = Buffer.byteLength(value);
  if (valueBytes > maxValueBytes) {
    throw new Error(
      `the attribute ${shown} has ${valueBytes} bytes, at most ${maxValueBytes} are allowed; move it into the data`,
    );
  }
}
