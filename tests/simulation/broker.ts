/** The broker: delivers at least once, in any order, retries with a pause after failures, and finally dead-letters messages. */
import { parseFilter } from "../../local/engine/broker/filter.ts";
import { MalformedMessage } from "../../shared/messages/parse.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import type { OutgoingMessage } from "../../shared/ports.ts";
import { TryAgain } from "../../shared/runtime/shell.ts";
import { type Subscription, subscriptions, type Topic, topics } from "../../shared/topology.ts";
import type { Faults, FunctionName } from "./faults.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** Delivers a message to an instance. @throws Error of the function, or `Died` */
export type Push = (target: FunctionName, message: PushedMessage, path: string) => Promise<void>;

/** The instance crashed while handling the message. */
export class Died extends Error {
  override readonly name = "Died";
}

/** Options of the broker. */
export interface BrokerOptions {
  readonly scheduler: Scheduler;
  readonly chance: Random;
  readonly faults: Faults;
  readonly push: Push;
  readonly onPublished: (topic: Topic, data: unknown, copies: number) => void;
  /** Receives errors that should never happen, as sentences. */
  readonly onMishap: (sentence: string) => void;
  readonly log: (sentence: () => string) => void;
  /** Delay of a message, in milliseconds. @default immediate */
  readonly travels?: (topic: Topic, data: unknown) => readonly number[];
}

const filtered = subscriptions.map((subscription) => ({
  ...subscription,
  accepts: subscription.filter === undefined ? () => true : parseFilter(subscription.filter),
}));
const byTopic = Map.groupBy(filtered, ({ topic }) => topic);

/** Time after which the shell of a function answers that it is not done, in milliseconds. */
const limits = new Map(
  [...Map.groupBy(subscriptions, ({ target }) => target)].map(([target, own]) => [
    target,
    1_000 * Math.min(120, ...own.map(({ ackDeadlineSeconds }) => ackDeadlineSeconds)) - 5_000,
  ]),
);

/** The broker. */
export class Broker {
  /** Unacknowledged messages of each topic. */
  readonly pending: Map<Topic, number> = new Map();
  readonly #options: BrokerOptions;
  readonly #published = new Map<Topic, number>();
  #ids = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  publish(topic: Topic, { data, attributes = {} }: OutgoingMessage): string {
    const { scheduler, faults, onPublished, travels } = this.#options;
    const id = String(++this.#ids);
    const place = (this.#published.get(topic) ?? 0) + 1;
    this.#published.set(topic, place);
    const written: unknown = JSON.parse(JSON.stringify(data));
    const own = faults.ofMessage(topic, place);
    // The maximum, not the sum: the limits apply to a message, however many of its faults strike it.
    const late = Math.max(0, ...own.flatMap((fault) => (fault.fault === "delay" ? [fault.by] : [])));
    const ways = travels?.(topic, written) ?? [0];
    const copies = [
      ...ways.map((way) => way + late),
      ...own.flatMap((one) => (one.fault === "duplicate" ? [one.by] : [])),
    ];
    const ackLost = own.some(({ fault }) => fault === "lost acknowledgement");
    for (const fault of own) faults.struck.add(fault);
    onPublished(topic, written, copies.length);
    for (const subscription of byTopic.get(topic) ?? []) {
      if (!subscription.accepts(attributes)) continue;
      const message = {
        messageId: id,
        publishedAt: scheduler.now,
        attributes,
        data: written,
        subscription: subscription.name,
      };
      for (const by of copies) {
        this.#count(topic, 1);
        this.#deliverAfter(by + this.#travelTime(), subscription, { ...message, deliveryAttempt: 1 }, ackLost);
      }
    }
    return id;
  }

  #count(topic: Topic, by: number): void {
    this.pending.set(topic, (this.pending.get(topic) ?? 0) + by);
  }

  #travelTime(): number {
    return 5 + this.#options.chance.below(80);
  }

  #deliverAfter(milliseconds: number, subscription: Subscription, message: Delivered, ackLost: boolean): void {
    this.#options.scheduler.after(milliseconds, () => this.#deliver(subscription, message, ackLost));
  }

  #deliver(subscription: Subscription, message: Delivered, ackLost: boolean): void {
    const { scheduler, push } = this.#options;
    let isAnswered = false;
    const answered = (error?: unknown): void => {
      if (isAnswered) return;
      isAnswered = true;
      if (error !== undefined) this.#again(subscription, message, error, ackLost);
      else if (ackLost) this.#deliverAfter(subscription.ackDeadlineSeconds * 1_000, subscription, next(message), false);
      else this.#count(subscription.topic, -1);
    };
    push(subscription.target, message, subscription.path).then(
      () => answered(),
      (error: unknown) => answered(error ?? new Error("failed")),
    );
    const limit = limits.get(subscription.target) ?? 55_000;
    scheduler.after(limit, () => {
      if (!isAnswered) answered(new TryAgain(`not done within ${limit / 1000} s`));
    });
  }

  #again(subscription: Subscription, message: Delivered, error: unknown, ackLost: boolean): void {
    const { onMishap, log } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    const isExpected = error instanceof TryAgain || error instanceof Died;
    if (!isExpected && !(error instanceof MalformedMessage) && !isRetryable(error))
      onMishap(`${subscription.target} failed over a message to ${subscription.name}: ${reason}`);
    log(
      () =>
        `delivery ${message.deliveryAttempt} of message ${message.messageId} to ${subscription.name} failed: ${reason}`,
    );
    const attempt = message.deliveryAttempt;
    if (!(error instanceof MalformedMessage) && attempt < subscription.maxDeliveryAttempts) {
      const { minimumBackoffSeconds: least, maximumBackoffSeconds: most } = subscription;
      const wait = Math.min(least * 2 ** (attempt - 1), most) * 1_000;
      this.#deliverAfter(wait + this.#travelTime(), subscription, next(message), ackLost);
      return;
    }
    this.#count(subscription.topic, -1);
    onMishap(`a message to ${subscription.name} became a dead letter: ${reason}`);
    if (subscription.topic === topics.deadLetters) return;
    this.publish(topics.deadLetters, {
      data: message.data,
      attributes: {
        ...message.attributes,
        CloudPubSubDeadLetterSourceSubscription: subscription.name,
        CloudPubSubDeadLetterSourceDeliveryCount: String(attempt),
      },
    });
  }
}

type Delivered = PushedMessage & { readonly deliveryAttempt: number };

function next(message: Delivered): Delivered {
  return { ...message, deliveryAttempt: message.deliveryAttempt + 1 };
}

/** Ports fail on purpose here; any other error of a function is a defect. */
function isRetryable(error: unknown): boolean {
  return typeof error === "object" && error !== null && "retryable" in error && error.retryable === true;
}
