/** Applies the result of an attempt to a delivery: delivered, retried later, or given up. Pure. */
import { createHash } from "node:crypto";
import { spokenDuration } from "../../../shared/text/units.ts";
import type { Attempt } from "../channel.ts";
import { type Delivery, instanceDied, type LedgerEntry, shownAttempts, unsure } from "./ledger.ts";

/** Time after which retries end, in milliseconds after the delivery was planned. */
export const giveUpAfterMs: number = 24 * 3_600_000;

/**
 * Retry limits for failures that a person can correct: time after the first refusal, and bounds of the pause between attempts, in
 * milliseconds.
 */
export const correctableForMs: number = 3_600_000;
const correctablePauseMs = { least: 60_000, most: 300_000 } as const;

/** Returns a delivery after an attempt. @param lastChance whether no further attempt is possible */
export function afterAttempt(
  { id, delivery }: LedgerEntry,
  attempt: Attempt,
  now: number,
  lastChance: boolean,
): Delivery {
  const count = delivery.attempt_count + 1;
  const isRefused = attempt.outcome === "retry" && attempt.correctable === true;
  const tried: Delivery = {
    ...delivery,
    attempts: [
      ...delivery.attempts,
      { at: new Date(now), outcome: shownOutcome(attempt), answer: attempt.answer },
    ].slice(-shownAttempts),
    attempt_count: count,
    lease_until: undefined,
    next_attempt_at: undefined,
    refused_since: isRefused ? (delivery.refused_since ?? new Date(now)) : undefined,
  };
  if (attempt.outcome === "delivered") {
    const { reference } = attempt;
    return { ...tried, status: "delivered", delivered_at: new Date(now), ...(reference ? { reference } : {}) };
  }
  if (attempt.outcome === "rejected") return { ...tried, status: "rejected", reason: attempt.answer };
  const isUnanswered = delivery.attempts.some(({ outcome, answer }) => outcome === unsure && answer !== instanceDied);
  if (attempt.unsure === "once" && isUnanswered) {
    return { ...tried, status: "rejected", reason: `may have arrived: ${attempt.answer}, twice` };
  }
  const next = now + pauseAfter(attempt, backoff(id, count));
  const age = now - delivery.planned_at.getTime();
  const begun = tried.refused_since?.getTime() ?? delivery.planned_at.getTime();
  if (lastChance || next - begun > (isRefused ? correctableForMs : giveUpAfterMs)) {
    const reason = `gave up after ${attempts(count)} in ${spokenDuration(age)}: ${attempt.answer}`;
    return { ...tried, status: "rejected", reason };
  }
  return { ...tried, status: "retrying", next_attempt_at: new Date(next) };
}

/** Returns the outcome of an attempt as recorded in the ledger. */
function shownOutcome(attempt: Attempt): string {
  if (attempt.outcome !== "retry") return attempt.outcome;
  if (attempt.correctable) return "rejected";
  return attempt.unsure ? unsure : "retry";
}

/** Returns the pause before the next attempt, in milliseconds. */
function pauseAfter({ correctable, afterMs = 0 }: Attempt & { readonly outcome: "retry" }, usual: number): number {
  const { least, most } = correctablePauseMs;
  return Math.max(correctable ? Math.min(Math.max(usual, least), most) : usual, afterMs);
}

/** Returns the backoff after the `count`th attempt, in milliseconds: 5 s doubled up to 10 min, plus up to a fifth, derived from a hash. */
export function backoff(id: string, count: number): number {
  const wait = Math.min(5_000 * 2 ** (count - 1), 600_000);
  const chance = createHash("sha256").update(`${id}:${count}`).digest().readUInt32BE() / 2 ** 32;
  return Math.round(wait * (1 + chance / 5));
}

/** Formats a number of attempts: `1 attempt`, `3 attempts`. */
export function attempts(count: number): string {
  return count === 1 ? "1 attempt" : `${count} attempts`;
}
