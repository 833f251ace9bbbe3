/** When a message comes, and comes again: the delays of retries, and the disturbances that a test may ask for. All of it follows from ids. */
import { hash } from "node:crypto";

/** Delays between attempts. */
export interface Backoff {
  readonly minimumBackoffSeconds: number;
  readonly maximumBackoffSeconds: number;
}

/**
 * Milliseconds from a failed attempt to the next: the minimum, doubled by every further failure, plus up to a quarter of that by `chance` so
 * that messages which failed together do not return together; never more than the maximum.
 * @param failures attempts that failed so far, from 1
 * @param chance from 0 to 1, the same for the same message and attempt
 */
export function retryDelayMs(backoff: Backoff, failures: number, chance: number): number {
  const seconds = backoff.minimumBackoffSeconds * 2 ** (failures - 1) * (1 + chance / 4);
  return Math.round(Math.min(seconds, backoff.maximumBackoffSeconds) * 1000);
}

/** Disturbances that occur in production: duplicate and out-of-order deliveries. Tests can force them. */
export interface Disturbance {
  /** Fraction of messages delivered twice, from 0 (none) to 1 (all). */
  readonly duplicates: number;
  /** Each delivery is delayed by up to so many milliseconds, so that messages overtake each other. */
  readonly disorderMs: number;
  /** Another seed disturbs other messages. */
  readonly seed: string;
}

/** When a message arrives at a subscription, and the copies of it, in milliseconds from its publication. */
export interface Arrival {
  readonly delayMs: number;
  readonly copiesMs: readonly number[];
}

/** Returns the deliveries of a message under the disturbance. */
export function arrival({ duplicates, disorderMs, seed }: Disturbance, subscription: string, id: string): Arrival {
  const draw = (what: string): number => chance(seed, subscription, id, what);
  return {
    delayMs: Math.floor(draw("delay") * disorderMs),
    copiesMs: draw("twice") < duplicates ? [Math.floor(draw("delay of the copy") * disorderMs)] : [],
  };
}

/** A number from 0 to 1 (excluded) that is the same for the same words and evenly spread over different ones. */
export function chance(...words: readonly string[]): number {
  return hash("sha1", words.join("\0"), "buffer").readUInt32BE(0) / 2 ** 32;
}
