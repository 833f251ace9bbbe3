/** The publisher of the cloud: Google's Pub/Sub client, unmodified. */
import type { PubSub, Topic } from "@google-cloud/pubsub";
import { type OutgoingMessage, PublishError, type Publisher } from "../ports.ts";
import { type EncodedMessage, encodeMessages } from "./publish-rules.ts";

/** Destination and options of publishing. */
export interface PubSubOptions {
  readonly projectId: string;
  /** Before the name of every topic, where several environments share a project. @default none */
  readonly topicPrefix?: string;
  /** Address of an emulator, `HOST:PORT`. @default `PUBSUB_EMULATOR_HOST`, else Google's service */
  readonly host?: string;
  /** Maximum duration of a call, including retries of the client. @default 30 seconds */
  readonly timeoutMs?: number;
}

/**
 * Publishes to Pub/Sub. The client is loaded and connected by the first message, so that a cold start does not wait for it. A call that
 * returns leaves nothing behind that needs the processor, which a function loses once it has answered.
 */
export class PubSubPublisher implements Publisher {
  readonly #options: PubSubOptions;
  #client: Promise<PubSub> | undefined;
  readonly #topics = new Map<string, Topic>();
  #closed = false;

  constructor(options: PubSubOptions) {
    this.#options = options;
  }

  async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<string[]> {
    const encoded = encodeMessages(topic, messages);
    if (this.#closed) throw new PublishError(`cannot publish to "${topic}": the publisher is closed`, false);
    if (encoded.length === 0) return [];
    const open = await this.#topic(topic);
    const outcomes = await Promise.allSettled(encoded.map((message) => open.publishMessage(wire(message))));
    return outcomes.map((outcome) => {
      if (outcome.status === "fulfilled") return outcome.value;
      throw refusal(topic, outcome.reason);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client;
    this.#client = undefined;
    await client?.close();
  }

  async #topic(name: string): Promise<Topic> {
    this.#client ??= connect(this.#options);
    const client = await this.#client;
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic = client.topic(`${this.#options.topicPrefix ?? ""}${name}`, {
      batching: { maxMilliseconds: batchWindowMs },
      gaxOpts: { timeout: this.#options.timeoutMs ?? 30_000 },
    });
    this.#topics.set(name, topic);
    return topic;
  }
}

/** Long enough for the messages of one call to travel together, too short to be felt. */
const batchWindowMs = 1;

/** Codes of gRPC after which the same call may succeed: cancelled, unknown, deadline exceeded, exhausted, aborted, internal, unavailable. */
const retryableCodes: readonly unknown[] = [1, 2, 4, 8, 10, 13, 14];

async function connect({ projectId, host }: PubSubOptions): Promise<PubSub> {
  const { PubSub: Client } = await import("@google-cloud/pubsub");
  return new Client({ projectId, ...(host === undefined ? {} : { apiEndpoint: host, emulatorMode: true }) });
}

function wire({ json, attributes }: EncodedMessage): { data: Buffer; attributes: Record<string, string> } {
  return { data: Buffer.from(json), attributes: { ...attributes } };
}

function refusal(topic: string, cause: unknown): PublishError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const reason = cause instanceof Error ? cause.message.slice(0, 300) : String(cause);
  return new PublishError(`cannot publish to "${topic}": ${reason}`, retryableCodes.includes(code), { cause });
}
