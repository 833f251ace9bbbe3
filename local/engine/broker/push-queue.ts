/** The pending deliveries of one subscription: which to attempt now, which later, and which are in progress. */
import { encodePush } from "../../../shared/messages/push.ts";
import type { Logger } from "../../../shared/ports.ts";
import type { PushSubscription } from "../../../shared/topology.ts";
import type { Delivery } from "./journal.ts";
import type { PushOutcome, SendPush } from "./push-sender.ts";
import { chance, retryDelayMs } from "./retry.ts";
import type { Time } from "./time.ts";

/** Counts of one subscription since the broker was opened. */
export interface SubscriptionStats {
  /** Messages not acknowledged yet. */
  readonly backlog: number;
  /** Messages acknowledged. */
  readonly delivered: number;
  /** Attempts that failed and were followed by another. */
  readonly retried: number;
  /** Messages given up: sent to the dead-letter topic, or dropped for their age where there is none. */
  readonly deadLettered: number;
}

/** Operations of the broker that a queue uses. */
export interface QueuePorts {
  readonly time: Time;
  readonly send: SendPush;
  readonly logger: Logger;
  /** Maximum number of concurrent pushes. */
  readonly maxInFlight: number;
  /** Full name of the subscription, as the cloud writes it. */
  readonly fullName: string;
  /** True if it has a dead-letter topic. Subscriptions to the dead-letter topic itself have none. */
  readonly hasDeadLetters: boolean;
  /** These record the result of a delivery; if they throw, it stays pending. */
  settle(delivery: Delivery): void;
  postpone(delivery: Delivery): void;
  giveUp(delivery: Delivery): void;
  /** Called whenever the queue may have become idle. */
  rested(): void;
}

/** Pushes what it is given until each is acknowledged or given up. */
export class PushQueue {
  readonly #ports: QueuePorts;
  #subscription: PushSubscription;
  #endpoint: URL;
  readonly #pending = new Set<number>();
  readonly #waiting = new Set<() => void>();
  readonly #ready = new Set<Push>();
  readonly #inFlight = new Set<AbortController>();
  readonly #counts = { delivered: 0, retried: 0, deadLettered: 0 };
  #closed = false;

  constructor(subscription: PushSubscription, endpoint: URL, ports: QueuePorts) {
    this.#subscription = subscription;
    this.#endpoint = endpoint;
    this.#ports = ports;
  }

  get idle(): boolean {
    return this.#waiting.size + this.#ready.size + this.#inFlight.size === 0;
  }

  stats(): SubscriptionStats {
    return { backlog: this.#pending.size, ...this.#counts };
  }

  /** From the next attempt on, follows these settings and pushes there. */
  redirect(subscription: PushSubscription, endpoint: URL): void {
    this.#subscription = subscription;
    this.#endpoint = endpoint;
  }

  /** Takes a delivery to push when it is due, and copies of it to push, once, after so many milliseconds each. */
  add(delivery: Delivery, copiesMs: readonly number[] = []): void {
    this.#pending.add(delivery.message.id);
    this.#wait({ delivery, copy: false }, delivery.due - this.#ports.time.now());
    for (const delayMs of copiesMs) this.#wait({ delivery, copy: true }, delayMs);
  }

  /** Stops at once. Pushes in progress are aborted and remain pending. */
  close(): void {
    this.#closed = true;
    for (const callOff of this.#waiting) callOff();
    this.#waiting.clear();
    this.#ready.clear();
    for (const push of this.#inFlight) push.abort("the broker is closing");
  }

  #wait(push: Push, delayMs: number): void {
    if (delayMs > 0) {
      const callOff = this.#ports.time.after(delayMs, () => {
        this.#waiting.delete(callOff);
        this.#ready.add(push);
        this.#pump();
      });
      this.#waiting.add(callOff);
    } else {
      this.#ready.add(push);
      this.#pump();
    }
  }

  #pump(): void {
    for (const push of this.#ready) {
      if (this.#inFlight.size >= this.#ports.maxInFlight) return;
      this.#ready.delete(push);
      void this.#push(push);
    }
  }

  async #push({ delivery, copy }: Push): Promise<void> {
    const { ackDeadlineSeconds } = this.#subscription;
    const controller = new AbortController();
    this.#inFlight.add(controller);
    const callOff = this.#ports.time.after(ackDeadlineSeconds * 1000, () =>
      controller.abort(`no answer within ${ackDeadlineSeconds} s`),
    );
    const outcome = await this.#ports.send(this.#endpoint, this.#body(delivery), controller.signal);
    callOff();
    this.#inFlight.delete(controller);
    if (this.#closed) return;
    if (!copy) this.#conclude(delivery, outcome);
    this.#pump();
    this.#ports.rested();
  }

  #body({ message, failures }: Delivery): string {
    return JSON.stringify(
      encodePush({
        messageId: String(message.id),
        publishedAt: message.publishedAt,
        attributes: message.attributes,
        data: JSON.parse(message.json),
        subscription: this.#ports.fullName,
        ...(this.#ports.hasDeadLetters ? { deliveryAttempt: failures + 1 } : {}),
      }),
    );
  }

  #conclude(delivery: Delivery, outcome: PushOutcome): void {
    if (outcome.acknowledged) {
      this.#record("settle", delivery);
      this.#pending.delete(delivery.message.id);
      this.#counts.delivered += 1;
      return;
    }
    const failures = delivery.failures + 1;
    const what = `${this.#subscription.name}: message ${delivery.message.id}`;
    if (this.#exhausted(delivery, failures) && this.#record("giveUp", { ...delivery, failures })) {
      this.#pending.delete(delivery.message.id);
      this.#counts.deadLettered += 1;
      this.#ports.logger.error(`${what} is abandoned after ${failures} attempts: ${outcome.because}`);
      return;
    }
    const delayMs = this.#retryDelayMs(delivery, failures);
    const next = { ...delivery, failures, due: this.#ports.time.now() + delayMs };
    this.#ports.logger.info(`${what} is redelivered in ${delayMs} ms, attempt ${failures} failed: ${outcome.because}`);
    this.#record("postpone", next);
    this.#counts.retried += 1;
    this.#wait({ delivery: next, copy: false }, delayMs);
  }

  #exhausted({ message }: Delivery, failures: number): boolean {
    return this.#ports.hasDeadLetters
      ? failures >= this.#subscription.maxDeliveryAttempts
      : this.#ports.time.now() - message.publishedAt > retentionMs;
  }

  #retryDelayMs({ message }: Delivery, failures: number): number {
    const luck = chance("retry", this.#subscription.name, String(message.id), String(failures));
    return retryDelayMs(this.#subscription, failures, luck);
  }

  /** Records the result of a delivery. If that fails, as on a full disk, it stays pending, which causes at most one more delivery. */
  #record(what: "settle" | "postpone" | "giveUp", delivery: Delivery): boolean {
    try {
      this.#ports[what](delivery);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#ports.logger.error(`${this.#subscription.name}: cannot record message ${delivery.message.id}: ${reason}`);
      return false;
    }
  }
}

/** Retention of unacknowledged messages: 7 days, as in Pub/Sub's default. */
export const retentionMs: number = 7 * 86_400_000;

/** One push to be made. What becomes of a copy is of no account. */
interface Push {
  readonly delivery: Delivery;
  readonly copy: boolean;
}
