/** Receivers of notifications that misbehave in every way, and log what they accepted. */
import type { Outgoing, Reply } from "../../functions/notify/channel.ts";

/** Faults of one attempt: before it is accepted, or after it, when the response is lost or late. */
export const receiverFailures = [
  "refused",
  "reset",
  "slow",
  "too many",
  "broken",
  "unwanted",
  "answer lost",
  "answer late",
] as const;

/** Outcome of one attempt; usually `undefined`. */
export type ReceiverFailure = (typeof receiverFailures)[number] | undefined;

/** One entry in the log of a receiver. */
export interface Arrival {
  /** The notification, as it was sent. */
  readonly notice: string;
  /** Its idempotency key; absent if the kind of channel has none. */
  readonly key: string | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The receiver of one reader. It acknowledges a duplicate idempotency key without further effect. */
export class Receiver {
  /** Everything that it accepted, oldest first. */
  readonly arrivals: Arrival[] = [];
  /** Notifications that it always rejects, with its response. */
  readonly refusals: Map<string, number> = new Map();
  attempts = 0;
  readonly #known = new Set<string>();
  readonly #notices = new Set<string>();
  readonly #speaksSmtp: boolean;

  /** @param kind of its channel */
  constructor(kind: string) {
    this.#speaksSmtp = kind === "email";
  }

  /** Responds in place of the network and the service. */
  answer(notice: string, key: string | undefined, failure: ReceiverFailure, at: number): Reply {
    this.attempts += 1;
    switch (failure) {
      case "refused":
        return { error: "connect ECONNREFUSED", code: "ECONNREFUSED" };
      case "reset":
        return { error: "read ECONNRESET", code: "ECONNRESET" };
      case "slow":
        return { error: "no answer within 15 s", code: "ETIMEDOUT" };
      case "too many":
        if (this.#speaksSmtp) return { status: 452, headers: {}, body: "452 slow down" };
        return { status: 429, headers: { "retry-after": "20" }, body: "slow down" };
      case "broken":
        if (this.#speaksSmtp) return { status: 451, headers: {}, body: "451 broken" };
        return { status: 503, headers: {}, body: "" };
      case "unwanted": {
        // A receiver does not reject a duplicate.
        if (this.#notices.has(notice)) return accepted;
        const status = this.#speaksSmtp ? 550 : 410;
        this.refusals.set(notice, status);
        return { status, headers: {}, body: this.#speaksSmtp ? "550 no" : "no" };
      }
      case "answer lost":
        this.#take(notice, key, at);
        return { error: "socket hang up", code: "ECONNRESET" };
      case "answer late":
        this.#take(notice, key, at);
        return { error: "no answer within 15 s", code: "ETIMEDOUT" };
      case undefined:
        this.#take(notice, key, at);
        return accepted;
    }
  }

  #take(notice: string, key: string | undefined, at: number): void {
    if (key !== undefined && this.#known.has(key)) return;
    if (key !== undefined) this.#known.add(key);
    this.#notices.add(notice);
    this.arrivals.push({ notice, key, at });
  }
}

const accepted: Reply = { status: 200, headers: {}, body: "ok" };

/** Returns the idempotency key of a notice; absent if the kind of channel has none. */
export function keyOf(outgoing: Outgoing): string | undefined {
  if (outgoing.transport === "smtp") return outgoing.messageId;
  return outgoing.transport === "http" ? outgoing.signature?.id : undefined;
}
