/** When something began, how long it lasted, and whether two things agree in time. Instants are milliseconds since the epoch. */
import type { Signal } from "../../../shared/messages/report.ts";
import type { Symptom } from "./diagnosis.ts";
import type { Fact } from "./fact.ts";

const minute = 60_000;
/** Duration after which an unconfirmed symptom counts in full, in milliseconds. */
export const confirmedAfter = 1.5 * minute;
/** Maximum delay of values measured by somebody else, in milliseconds. */
const lag = 5 * minute;
/** Delay of event reports of the provider, in milliseconds. */
const eventLag = 30 * minute;
/** Lead over its supposed effect at which a fact counts as older than the outage, in milliseconds. After twice that it has half the weight. */
export const standing: number = 10 * minute;
/** Maximum delay of a dependent's recovery after that of its dependency, in milliseconds. */
const linger = 5 * minute;
/** Duration of the good period after which a symptom is over while others continue, in milliseconds. */
const settled = 3 * minute;

/**
 * Agreement of a cause and an effect in time, from 0 to 1: the cause started with the effect or shortly before, and lasted as long.
 * @param at the newest event time
 */
export function agreement(
  { of: { symptom: cause }, signal }: Fact,
  { of: { symptom: effect }, signal: follows }: Fact,
  at: number,
): number {
  const slack =
    minute +
    (cause.everyMs ?? 0) +
    (effect.everyMs ?? 0) +
    (cause.secondhand ? lag : 0) +
    (signal === "event" ? eventLag : 0);
  const lead = isPrompt(signal, follows) ? minute + (effect.everyMs ?? 0) : standing;
  let begun = 0;
  for (const from of onsets(cause)) {
    for (const to of onsets(effect)) begun = Math.max(begun, onset(to - from, lead, slack));
  }
  const end = (cause.until ?? at) + linger + slack;
  const until = effect.until ?? at;
  const length = until - effect.since;
  const shared = length <= 0 || end >= until ? 1 : Math.max(0, (end - effect.since) / length);
  return begun * Math.min(1, shared);
}

/** When something began to fail in the way in which it fails now, and keeps to. @param now the newest time known */
export function wayBegan({ since, otherwiseSince, everyMs = 0 }: Symptom, now: number): number {
  const isKept = otherwiseSince !== undefined && now - otherwiseSince >= Math.max(confirmedAfter, 2 * everyMs);
  return isKept ? otherwiseSince : since;
}

/**
 * Remaining weight of a symptom while others continue, from 0 to 1.
 * @param goingSince when the first ongoing symptom started, or took its present form
 * @param now the newest time known
 */
export function presence({ until }: Symptom, goingSince: number, now: number): number {
  if (until === undefined) return 1;
  // Nothing that continues existed when it ended: that was another problem.
  if (until <= goingSince && now - until >= settled) return 0;
  return 2 ** (-Math.max(0, now - until - linger) / linger);
}

/** The instants at which something began, came back or grew. */
function onsets({ since, againSince, worseSince }: Symptom): number[] {
  return [since, againSince, worseSince].filter((at) => at !== undefined);
}

/** When something last began, came back or grew. */
export function lastOnset(symptom: Symptom): number {
  return Math.max(...onsets(symptom));
}

/** Returns whether an effect shows with the next measurement: a client of something that fails or is slow fails or is slow with its next call. */
function isPrompt(cause: Signal, effect: Signal): boolean {
  return (cause === "slow" && effect === "slow") || (prompt.has(cause) && prompt.has(effect));
}

const prompt: ReadonlySet<Signal> = new Set(["failing", "errors"]);

/** Agreement of an effect with a cause, by its delay. @param lead delay that is as good as none */
function onset(later: number, lead: number, slack: number): number {
  if (later < -slack) return Math.max(0, 1 - (-later - slack) / (slack + 2 * minute));
  return later <= lead ? 1 : Math.max(0.1, 2 ** (-(later - lead) / standing));
}

/** Weight of a symptom, from 0 to 1: its strength, its certainty, and the share of time it was bad. @param at the newest event time */
export function weightOf(symptom: Symptom, at: number): number {
  const { since, until, goodMs = 0, strength = 1 } = symptom;
  const lasted = Math.max(1, (until ?? at) - since);
  return strength * certainty(symptom, at) * Math.max(0.05, 1 - goodMs / Math.max(lasted, goodMs + 1));
}

/** A single failed run may be chance; one that lasts, returns or has fired an alert is not. */
export function certainty({ since, until, times = 1, confirmed, source, everyMs = 0 }: Symptom, at: number): number {
  if (confirmed === true || source === "rule") return 1;
  // The run that was good again does not belong to what was bad, and of a probe that runs seldom, one run says no more for being old.
  const between = until !== undefined || everyMs > confirmedAfter ? everyMs : 0;
  const lasted = Math.max(0, (until ?? at) - since - between);
  return Math.min(1, 0.3 + 0.7 * (lasted / confirmedAfter) + 0.25 * (times - 1));
}

/** Returns whether a symptom is beyond chance by now. @param at the newest event time, in milliseconds since the epoch */
export function isCertain(symptom: Symptom, at: number): boolean {
  return certainty(symptom, at) >= 0.99;
}
