/** The publisher of one machine: HTTP to the embedded broker. */
import { setTimeout as pause } from "node:timers/promises";
import { type OutgoingMessage, PublishError, type Publisher } from "../ports.ts";
import { type EncodedMessage, encodeMessages } from "./publish-rules.ts";

/**
 * Publishes to the embedded broker over connections that are kept. A broker that does not answer may just be starting again, so a call tries
 * for two seconds before it fails; a call whose answer was lost is made again, which may publish twice.
 */
export class BrokerPublisher implements Publisher {
  readonly #base: URL;
  readonly #closing = new AbortController();

  /** @param baseUrl what `Broker.listen` returned, as in `http://127.0.0.1:8085`; its query goes along with every request */
  constructor(baseUrl: string) {
    const base = URL.parse(baseUrl);
    if (base === null) throw new Error(`invalid broker URL "${baseUrl}": use one such as http://127.0.0.1:8085`);
    this.#base = base;
  }

  async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<string[]> {
    const encoded = encodeMessages(topic, messages);
    const ids: string[] = [];
    for (const batch of batches(encoded)) ids.push(...(await this.#publish(topic, batch)));
    return ids;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the publisher is closed"));
  }

  async #publish(topic: string, batch: readonly EncodedMessage[]): Promise<string[]> {
    const url = new URL(`/v1/projects/local/topics/${encodeURIComponent(topic)}:publish`, this.#base);
    url.search = this.#base.search;
    const body = JSON.stringify({ messages: batch.map(wire) });
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(answerWithinMs)]);
    for (let tried = 0; ; tried += 1) {
      try {
        return await post(url, body, signal);
      } catch (cause) {
        const delayMs = retryDelaysMs[tried];
        if (cause instanceof Refused || signal.aborted || delayMs === undefined) throw failure(topic, url, cause);
        await pause(delayMs);
      }
    }
  }
}

const retryDelaysMs: readonly number[] = [20, 50, 100, 200, 400, 500, 700];
const answerWithinMs = 10_000;

/** One request may carry so much: the limits of Pub/Sub, and of the broker. */
const maxBatchMessages = 1000;
const maxBatchBytes = 10_000_000;

async function post(url: URL, body: string, signal: AbortSignal): Promise<string[]> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body, signal });
  const answer = (await response.json()) as { messageIds?: string[]; error?: { message?: string } };
  if (response.ok && answer.messageIds !== undefined) return answer.messageIds;
  const reason = answer.error?.message ?? `HTTP status ${response.status}`;
  throw response.status < 500 ? new Refused(reason) : new Error(reason);
}

/** An answer that another try would not change. */
class Refused extends Error {}

function batches(messages: readonly EncodedMessage[]): EncodedMessage[][] {
  const all: EncodedMessage[][] = [];
  let size = 0;
  for (const message of messages) {
    const bytes = Buffer.byteLength(message.json);
    const last = all.at(-1);
    if (last === undefined || last.length >= maxBatchMessages || size + bytes > maxBatchBytes) {
      all.push([message]);
      size = bytes;
    } else {
      last.push(message);
      size += bytes;
    }
  }
  return all;
}

function wire({ json, attributes }: EncodedMessage): unknown {
  return { data: Buffer.from(json).toString("base64"), attributes };
}

function failure(topic: string, url: URL, cause: unknown): PublishError {
  const reason =
    cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : String(cause);
  if (cause instanceof Refused) return new PublishError(reason, false, { cause });
  return new PublishError(`cannot publish to "${topic}" at ${url.origin}: ${reason}`, true, { cause });
}
