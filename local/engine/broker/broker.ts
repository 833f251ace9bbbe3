/**
 * The embedded broker: what Pub/Sub does for Pathkeeper in the cloud, done on one machine. Topics, push subscriptions with filters, retries
 * and dead letters, at-least-once delivery, and nothing lost by a crash. While its disk is full, it goes on from memory.
 */
import type { Server } from "node:http";
import { encodeMessages } from "../../../shared/adapters/publish-rules.ts";
import { type Logger, type OutgoingMessage, PublishError, type Publisher } from "../../../shared/ports.ts";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { silentLogger } from "../../../shared/runtime/logger.ts";
import { type PushSubscription, topics } from "../../../shared/topology.ts";
import { type RecurringFailure, silentFailure } from "../../failures.ts";
import { guardRequests, pathAt, withToken } from "../request-guard.ts";
import { type AttributeFilter, FilterError, parseFilter } from "./filter.ts";
import {
  type Delivery,
  Journal,
  type Message,
  type PendingDelivery,
  type Publication,
  type Salvage,
} from "./journal.ts";
import { PatientJournal } from "./patient-journal.ts";
import { createPublishServer } from "./publish-server.ts";
import { PushQueue, type QueuePorts, retentionMs, type SubscriptionStats } from "./push-queue.ts";
import { PushSender, type SendPush } from "./push-sender.ts";
import { arrival, type Disturbance } from "./retry.ts";
import { systemTime, type Time } from "./time.ts";

/** Options of a broker. */
export interface BrokerOptions {
  /** File to keep everything in. @default none: in memory, and gone with the process */
  readonly file?: string;
  /** Fraction of messages delivered twice, from 0 (none) to 1 (all). @default 0 */
  readonly duplicates?: number;
  /** Each delivery is delayed by up to so many milliseconds, so that messages overtake each other. @default 0 */
  readonly disorderMs?: number;
  /** Another seed disturbs other messages. @default "1" */
  readonly seed?: string | number;
  /** Maximum number of concurrent pushes per subscription. @default 20 */
  readonly maxInFlight?: number;
  /** Project in the full names of subscriptions. @default "local" */
  readonly project?: string;
  /** Publishers must send it in the query of their requests. @default everybody on this machine may publish */
  readonly token?: string;
  /** Content recovered from a damaged file. @default nothing */
  readonly salvage?: Salvage;
  /** Called when the file cannot be written. @default no callback */
  readonly failure?: RecurringFailure;
  /** @default says nothing */
  readonly logger?: Logger;
  /** @default the time of the machine */
  readonly time?: Time;
  /** @default over HTTP */
  readonly send?: SendPush;
}

/** Counts since the broker was opened. */
export interface BrokerStats {
  readonly published: number;
  readonly delivered: number;
  readonly retried: number;
  readonly deadLettered: number;
  /** Messages pending for any subscription; one pending for two counts twice. */
  readonly backlog: number;
  readonly subscriptions: Readonly<Record<string, SubscriptionStats>>;
}

/** A broker of one process, which publishers of other processes reach over HTTP. */
export class Broker implements Publisher {
  readonly #options: BrokerOptions;
  readonly #disturbance: Disturbance;
  readonly #time: Time;
  readonly #journal: Journal;
  readonly #patient: PatientJournal;
  readonly #sender = new PushSender();
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #resting: (() => void)[] = [];
  #server: Server | undefined;
  #lastId: number;
  #published = 0;
  #closed = false;

  private constructor(options: BrokerOptions) {
    this.#options = options;
    this.#disturbance = {
      duplicates: options.duplicates ?? 0,
      disorderMs: options.disorderMs ?? 0,
      seed: String(options.seed ?? 1),
    };
    this.#time = options.time ?? systemTime;
    this.#journal = new Journal(options.file);
    this.#journal.dropBefore(this.#time.now() - retentionMs);
    const { subscriptions = [], messages = [] } = options.salvage ?? {};
    for (const subscription of [...subscriptions, ...this.#journal.subscriptions()]) {
      this.#subscribers.set(subscription.name, { subscription, wants: filterOf(subscription) });
    }
    for (const subscription of subscriptions) this.#journal.saveSubscription(subscription);
    this.#journal.append(messages.map((message) => ({ message, pending: this.#pendingFor(message) })));
    this.#lastId = this.#journal.lastId();
    this.#patient = new PatientJournal(this.#journal, this.#time, options.failure ?? silentFailure);
  }

  /**
   * Opens the broker with what its file holds. The subscriptions of an earlier time collect messages at once, and push as soon as
   * `subscribe` has said where to.
   * @throws Error when the file cannot be used, or another broker uses it
   */
  static async open(options: BrokerOptions = {}): Promise<Broker> {
    return new Broker(options);
  }

  /**
   * Answers publishers on `port` of `host`, any free port for 0.
   * @returns the URL for `BrokerPublisher`, with the token
   */
  async listen(port = 0, host = "127.0.0.1"): Promise<string> {
    const { token } = this.#options;
    const server = guardRequests(createPublishServer(this), token);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    this.#server = server;
    const address = server.address();
    const url = `http://${host}:${typeof address === "object" && address !== null ? address.port : port}`;
    return token === undefined ? url : withToken(url, token);
  }

  /**
   * Pushes the messages of the subscription to `endpoint` from now on, first those still pending from an earlier time. Called again
   * for the same name, it replaces settings and endpoint.
   * @param endpoint `http://HOST:PORT`, to which the path of the subscription is added, with a token in its query where it requires one
   * @throws Error when the endpoint is no such URL, or the filter cannot be read
   */
  subscribe(subscription: PushSubscription, endpoint: string): void {
    const url = endpointOf(subscription, endpoint);
    const wants = filterOf(subscription);
    this.#journal.saveSubscription(subscription);
    const known = this.#subscribers.get(subscription.name)?.queue;
    known?.redirect(subscription, url);
    const queue = known ?? new PushQueue(subscription, url, this.#portsOf(subscription));
    this.#subscribers.set(subscription.name, { subscription, wants, queue });
    if (known === undefined) for (const delivery of this.#journal.pendingOf(subscription.name)) queue.add(delivery);
  }

  async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<string[]> {
    const encoded = encodeMessages(topic, messages);
    if (this.#closed) throw new PublishError(`cannot publish to "${topic}": the broker is closed`, true);
    if (!topicNames.includes(topic)) {
      throw new PublishError(`cannot publish to "${topic}": the topics are ${topicNames.join(", ")}`, false);
    }
    const publications = encoded.map((message) => this.#publication({ topic, ...message }));
    try {
      this.#patient.append(publications);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new PublishError(`cannot publish to "${topic}": the broker cannot write: ${reason}`, true, { cause });
    }
    this.#published += publications.length;
    for (const publication of publications) this.#enqueue(publication);
    return publications.map(({ message }) => String(message.id));
  }

  stats(): BrokerStats {
    const subscriptions: Record<string, SubscriptionStats> = {};
    for (const [name, { queue }] of this.#subscribers)
      if (queue !== undefined) setEntry(subscriptions, name, queue.stats());
    const sum = (field: keyof SubscriptionStats): number =>
      Object.values(subscriptions).reduce((total, one) => total + one[field], 0);
    return {
      published: this.#published,
      delivered: sum("delivered"),
      retried: sum("retried"),
      deadLettered: sum("deadLettered"),
      backlog: sum("backlog"),
      subscriptions,
    };
  }

  /** Returns when nothing waits, not even for a retry, and nothing is under way; or when the broker is closed. */
  async idle(): Promise<void> {
    if (!this.#idle()) await new Promise<void>((resolve) => this.#resting.push(resolve));
  }

  /** Stops at once. What is not acknowledged is pushed again when the same file is opened again. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { queue } of this.#subscribers.values()) queue?.close();
    this.#sender.close();
    const server = this.#server;
    if (server !== undefined) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    }
    this.#patient.close();
    this.#rested();
  }

  #publication(content: Omit<Message, "id" | "publishedAt">): Publication {
    const publishedAt = this.#time.now();
    // Ids grow with time, so that those of a broker in memory are not used again by its successor.
    this.#lastId = Math.max(this.#lastId + 1, publishedAt * 1000);
    const message = { id: this.#lastId, publishedAt, ...content };
    return { message, pending: this.#pendingFor(message) };
  }

  #pendingFor(message: Message): PendingDelivery[] {
    return [...this.#subscribers.values()]
      .filter(({ subscription, wants }) => subscription.topic === message.topic && wants(message.attributes))
      .map(({ subscription: { name } }) => {
        const { delayMs, copiesMs } = arrival(this.#disturbance, name, String(message.id));
        return { subscription: name, due: message.publishedAt + delayMs, copiesMs };
      });
  }

  #enqueue({ message, pending }: Publication): void {
    for (const { subscription, due, copiesMs } of pending) {
      this.#subscribers.get(subscription)?.queue?.add({ message, failures: 0, due }, copiesMs);
    }
  }

  #portsOf({ name, topic }: PushSubscription): QueuePorts {
    return {
      time: this.#time,
      send: this.#options.send ?? this.#sender.send,
      logger: this.#options.logger ?? silentLogger,
      maxInFlight: this.#options.maxInFlight ?? 20,
      fullName: `projects/${this.#project}/subscriptions/${name}`,
      hasDeadLetters: topic !== topics.deadLetters,
      settle: ({ message }) => this.#patient.settle(name, message.id),
      postpone: (delivery) => this.#patient.postpone(name, delivery),
      giveUp: (delivery) => this.#giveUp(name, delivery),
      rested: () => this.#rested(),
    };
  }

  #giveUp(subscription: string, delivery: Delivery): void {
    const { message } = delivery;
    const letter =
      message.topic === topics.deadLetters ? [] : [this.#publication(this.#deadLetter(subscription, delivery))];
    this.#patient.append(letter, { subscription, id: message.id });
    for (const publication of letter) this.#enqueue(publication);
  }

  /** @see https://cloud.google.com/pubsub/docs/dead-letter-topics#how_dead_letter_topics_work */
  #deadLetter(subscription: string, { message, failures }: Delivery): Omit<Message, "id" | "publishedAt"> {
    return {
      topic: topics.deadLetters,
      json: message.json,
      attributes: {
        ...message.attributes,
        CloudPubSubDeadLetterSourceDeliveryCount: String(failures),
        CloudPubSubDeadLetterSourceSubscription: subscription,
        CloudPubSubDeadLetterSourceSubscriptionProject: this.#project,
        CloudPubSubDeadLetterSourceTopicPublishTime: new Date(message.publishedAt).toISOString().replace("Z", "+00:00"),
      },
    };
  }

  get #project(): string {
    return this.#options.project ?? "local";
  }

  #idle(): boolean {
    return this.#closed || [...this.#subscribers.values()].every(({ queue }) => queue?.idle ?? true);
  }

  #rested(): void {
    if (this.#idle()) for (const resolve of this.#resting.splice(0)) resolve();
  }
}

const topicNames: readonly string[] = Object.values(topics);

/** A subscription that is known; without a queue until it is known where to push. */
interface Subscriber {
  readonly subscription: PushSubscription;
  readonly wants: AttributeFilter;
  readonly queue?: PushQueue;
}

function filterOf({ name, filter }: PushSubscription): AttributeFilter {
  try {
    return filter === undefined ? () => true : parseFilter(filter);
  } catch (cause) {
    if (cause instanceof FilterError) throw new FilterError(`subscription ${name}: ${cause.message}`, { cause });
    throw cause;
  }
}

function endpointOf({ name, path }: PushSubscription, endpoint: string): URL {
  const url = URL.canParse(endpoint) ? pathAt(endpoint, path) : undefined;
  if (url?.protocol !== "http:") {
    throw new Error(`subscription ${name}: cannot push to "${endpoint}": write a URL like http://127.0.0.1:8080`);
  }
  return url;
}
