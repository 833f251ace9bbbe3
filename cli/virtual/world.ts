/**
 * Everything behind the probes on virtual time: the real evaluator and the real notifier, a store and a broker in memory, and a clock that
 * only what happens moves. Nothing waits, so that a day passes in the time that its work takes.
 */
import { evaluateHandler } from "../../functions/evaluate/handler.ts";
import { type Plan, planOf } from "../../functions/evaluate/plan.ts";
import { channels } from "../../functions/notify/channels/index.ts";
import type { Send } from "../../functions/notify/deliver/send.ts";
import { notifyHandler } from "../../functions/notify/handler.ts";
import { MemoryPublisher, MemoryStore } from "../../shared/adapters/memory.ts";
import type { Configuration } from "../../shared/config/model.ts";
import type { ChangeReport } from "../../shared/messages/change.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import { MalformedMessage } from "../../shared/messages/parse.ts";
import { type ProbeRequest, parseProbeRequest } from "../../shared/messages/probe-request.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import type { Report } from "../../shared/messages/report.ts";
import type { Tick } from "../../shared/messages/tick.ts";
import type { Clock, Fields, Logger, OutgoingMessage, Publisher, Store } from "../../shared/ports.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { TryAgain } from "../../shared/runtime/shell.ts";
import { type PushSubscription, subscriptions, type Topic, topics } from "../../shared/topology.ts";
import { Agenda } from "./agenda.ts";

/** A function died in the middle of its work: what it had in memory is gone, and its message is delivered again. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** Ports that a function of the virtual world uses. */
export interface WorldPorts {
  readonly store: Store;
  readonly publisher: Publisher;
}

/** Options of a world, with its callbacks. */
export interface WorldOptions {
  readonly configuration: Configuration;
  /** @default worked out from the configuration */
  readonly plan?: Plan;
  /** Milliseconds since the epoch. */
  readonly start: number;
  /** True if the evaluator monitors the monitor itself: missing reports, late ticks. @default true */
  readonly watchesItself?: boolean;
  /** True if event time is bounded by the arrival of reports. False for replays and scenarios, which define their own times. @default true */
  readonly knowsPublication?: boolean;
  /** Answers a request to run probes; without it requests stay unanswered. */
  readonly onRequest?: (request: ProbeRequest, at: number) => void;
  readonly onPublished?: (topic: Topic, data: unknown, at: number) => void;
  readonly onWritten?: (collection: string, id: string, fields: Fields, at: number) => void;
  /** @default everything is accepted */
  readonly send?: Send;
  /** Address where recipients act on incidents. @default none */
  readonly answersUrl?: string;
  /** Gets what both functions log. @default nobody */
  readonly logger?: Logger;
  /** Puts something between the functions and their ports, such as faults. */
  readonly between?: (ports: WorldPorts) => WorldPorts;
  /** Called before each delivery of a message to a function. @param attempt from 1 on */
  readonly onDelivery?: (attempt: number) => void;
  /** When copies of a published message arrive, in milliseconds after its publication. @default once, at once */
  readonly arrivals?: (topic: Topic, data: unknown) => readonly number[];
}

/** The world. */
export class VirtualWorld {
  readonly store: MemoryStore;
  readonly clock: Clock;
  /** Violated invariants, as sentences. */
  readonly mishaps: string[] = [];
  /** Log messages of the evaluator, with their counts. */
  readonly logged: Map<string, number> = new Map();
  readonly #options: WorldOptions;
  readonly #plan: Plan;
  readonly #agenda = new Agenda();
  readonly #ports: WorldPorts;
  readonly #logger: Logger;
  #now: number;
  #messages = 0;
  #evaluate: Handler;
  #notify: Handler;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#plan = options.plan ?? planOf(options.configuration);
    this.#now = options.start;
    this.clock = { now: () => this.#now };
    const { logger = silentLogger } = options;
    const counting =
      (level: keyof Logger): Logger[keyof Logger] =>
      (message, fields) => {
        this.logged.set(message, (this.logged.get(message) ?? 0) + 1);
        logger[level](message, fields);
      };
    this.#logger = { info: counting("info"), warning: counting("warning"), error: counting("error") };
    this.store = new ObservedStore((collection, id, fields) => options.onWritten?.(collection, id, fields, this.#now));
    const own: WorldPorts = {
      store: this.store,
      publisher: new ForwardingPublisher((topic, message) => this.#published(topic as Topic, message)),
    };
    this.#ports = options.between?.(own) ?? own;
    this.#evaluate = this.#newEvaluator();
    this.#notify = this.#newNotifier();
  }

  /** Has something done at an instant, in milliseconds since the epoch. */
  at(instant: number, work: () => unknown): void {
    this.#agenda.add(Math.max(instant, this.#now), work);
  }

  /** A report arrives. */
  report(report: Report, at: number): void {
    this.at(at, () => this.#accept(topics.measurements, { data: report }));
  }

  /** A reported change arrives. */
  change(data: Pick<ChangeReport, "component" | "what" | "at">, at: number): void {
    this.at(at, () => this.#accept(topics.changes, { data }));
  }

  /** A tick arrives. */
  tick(at: number): void {
    const data: Tick = { v: 1, environment: this.#options.configuration.environment };
    this.at(at, () => this.#accept(topics.ticks, { data }));
  }

  /** News of an incident arrive. */
  notification(event: IncidentEvent, at: number): void {
    this.at(at, () => this.#published(topics.notifications, { data: event }));
  }

  /** New instances of both functions: what they had in memory is gone. */
  restart(): void {
    this.#evaluate = this.#newEvaluator();
    this.#notify = this.#newNotifier();
  }

  /** Lets time pass until then, inclusive. */
  async run(until: number): Promise<void> {
    for (let next = this.#agenda.take(until); next !== undefined; next = this.#agenda.take(until)) {
      this.#now = Math.max(this.#now, next.at);
      await next.work();
    }
    this.#now = Math.max(this.#now, until);
  }

  /** A message was published: it goes to those who subscribe to the topic. */
  #published(topic: Topic, { data, attributes }: OutgoingMessage): void {
    this.#options.onPublished?.(topic, data, this.#now);
    for (const delay of this.#options.arrivals?.(topic, data) ?? [0]) {
      this.at(this.#now + delay, () => this.#accept(topic, { data, ...(attributes ? { attributes } : {}) }));
    }
  }

  async #accept(topic: Topic, { data, attributes = {} }: OutgoingMessage): Promise<void> {
    if (topic === topics.probeRequests) {
      this.#options.onRequest?.(parseProbeRequest(data), this.#now);
      return;
    }
    this.#messages += 1;
    const messageId = String(this.#messages);
    for (const subscription of subscriptions.filter((candidate) => candidate.topic === topic)) {
      const message = { messageId, publishedAt: this.#now, attributes, data, subscription: subscription.name };
      await this.#push(subscription, { ...message, deliveryAttempt: 1 });
    }
  }

  async #push(subscription: (typeof subscriptions)[number], message: Delivered): Promise<void> {
    this.#options.onDelivery?.(message.deliveryAttempt);
    try {
      await (subscription.target === "evaluate" ? this.#evaluate : this.#notify)(message, subscription.path);
    } catch (error) {
      if (error instanceof Crash) this.restart();
      else if (!(error instanceof TryAgain) && !(error instanceof MalformedMessage)) {
        this.mishaps.push(`${subscription.target} failed: ${error instanceof Error ? error.message : String(error)}`);
      }
      const attempt = message.deliveryAttempt;
      if (error instanceof MalformedMessage || attempt >= subscription.maxDeliveryAttempts) {
        const reason = error instanceof Error ? error.message : String(error);
        this.mishaps.push(`a message to ${subscription.name} became a dead letter: ${reason}`);
        if (subscription.topic === topics.deadLetters) return;
        const from = {
          CloudPubSubDeadLetterSourceSubscription: subscription.name,
          CloudPubSubDeadLetterSourceDeliveryCount: String(attempt),
        };
        await this.#accept(topics.deadLetters, { data: message.data, attributes: { ...message.attributes, ...from } });
        return;
      }
      const again = { ...message, deliveryAttempt: attempt + 1 };
      this.at(this.#now + backoff(subscription, attempt), () => this.#push(subscription, again));
    }
  }

  #newEvaluator(): Handler {
    return evaluateHandler({ ...this.#ports, clock: this.clock, logger: this.#logger }, this.#plan, {
      watchesItself: this.#options.watchesItself ?? true,
      knowsPublication: this.#options.knowsPublication ?? true,
    });
  }

  #newNotifier(): Handler {
    const { configuration, send = accepted, answersUrl, logger = silentLogger } = this.#options;
    const { store } = this.#ports;
    return notifyHandler({
      ...this.#ports,
      store,
      clock: this.clock,
      logger,
      send,
      kinds: channels,
      configuration,
      answersUrl,
    });
  }
}

type Handler = (message: PushedMessage, path: string) => Promise<void>;
type Delivered = PushedMessage & { readonly deliveryAttempt: number };

const accepted: Send = async (outgoing) => ({
  status: outgoing.transport === "smtp" ? 250 : 200,
  headers: {},
  body: "accepted",
});

function backoff({ minimumBackoffSeconds, maximumBackoffSeconds }: PushSubscription, attempt: number): number {
  return Math.min(minimumBackoffSeconds * 2 ** (attempt - 1), maximumBackoffSeconds) * 1000;
}

class ObservedStore extends MemoryStore {
  readonly #onWritten: (collection: string, id: string, fields: Fields) => void;

  constructor(onWritten: (collection: string, id: string, fields: Fields) => void) {
    super();
    this.#onWritten = onWritten;
  }

  protected override put(collection: string, id: string, fields: Fields): void {
    super.put(collection, id, fields);
    this.#onWritten(collection, id, fields);
  }
}

/** As strict as the broker in memory, but hands every message on. */
class ForwardingPublisher implements Publisher {
  readonly #memory = new MemoryPublisher();
  readonly #forward: (topic: string, message: OutgoingMessage) => void;

  constructor(forward: (topic: string, message: OutgoingMessage) => void) {
    this.#forward = forward;
  }

  async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<string[]> {
    const ids = await this.#memory.publish(topic, messages);
    for (const message of this.#memory.published.splice(0)) this.#forward(topic, message);
    return ids;
  }

  async close(): Promise<void> {}
}
