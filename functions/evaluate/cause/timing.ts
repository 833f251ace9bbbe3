/** When something began, how long it lasted, and whether two things agree in time. Instants are milliseconds since the epoch. */
import type { Signal } from "../../../shared/messages/report.ts";
import type { Symptom } from "./diagnosis.ts";
import type { Fact } from "./fact.ts";

const minute = 60_000;
/** How long a symptom must have lasted to count in full, where nothing else confirms it, in milliseconds. */
export const confirmedAfter = 1.5 * minute;
/** How late figures are that somebody else has measured, at most, in milliseconds. */
const lag = 5 * minute;
/** How late the provider tells of an event, in milliseconds. */
const eventLag = 30 * minute;
/** What began so much before what it should have caused has stood for long before; milliseconds. After as long again it counts half. */
export const standing: number = 10 * minute;
/** How long what depends on a part may take to recover after it, in milliseconds. */
const linger = 5 * minute;
/** How long something must have been good to be over while others fail, in milliseconds. */
const settled = 3 * minute;

/**
 * How well a cause and an effect agree in time, from 0 to 1: the cause began with the effect or shortly before, and lasted as long.
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
 * How much a symptom still counts while others go on, from 0 to 1.
 * @param goingSince when the first of what goes on began, or took the way in which it goes on
 * @param now the newest time known
 */
export function presence({ until }: Symptom, goingSince: number, now: number): number {
  if (until === undefined) return 1;
  // Nothing that goes on was there when it ended: that was another trouble.
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

/** Whether an effect shows with the next measurement: who calls what fails or is slow fails or is slow with the next call. */
function isPrompt(cause: Signal, effect: Signal): boolean {
  return (cause === "slow" && effect === "slow") || (prompt.has(cause) && prompt.has(effect));
}

const prompt: ReadonlySet<Signal> = new Set(["failing", "errors"]);

/** How well an effect so much later, or earlier, than a cause agrees with it. @param lead how much later is as good as at once */
function onset(later: number, lead: number, slack: number): number {
  if (later < -slack) return Math.max(0, 1 - (-later - slack) / (slack + 2 * minute));
  return later <= lead ? 1 : Math.max(0.1, 2 ** (-(later - lead) / standing));
}

/** How much a symptom counts, from 0 to 1: its strength, how sure it is, and which share of the time it was bad. @param at the newest event time */
export function weightOf(symptom: Symptom, at: number): number {
  const { since, until, goodMs = 0, strength = 1 } = symptom;
  const lasted = Math.max(1, (until ?? at) - since);
  return strength * certainty(symptom, at) * Math.max(0.05, 1 - goodMs / Math.max(lasted, goodMs + 1));
}

/** A single failed run may be chance; what lasts, comes back or has fired an alert is not. */
export function certainty({ since, until, times = 1, confirmed, source, everyMs = 0 }: Symptom, at: number): number {
  if (confirmed === true || source === "rule") return 1;
  // The run that was good again does not belong to what was bad, and of a probe that runs seldom, one run says no more for being old.
  const between = until !== undefined || everyMs > confirmedAfter ? everyMs : 0;
  const lasted = Math.max(0, (until ?? at) - since - between);
  return Math.min(1, 0.3 + 0.7 * (lasted / confirmedAfter) + 0.25 * (times - 1));
}

/** Whether a symptom is more than chance by now. @param at the newest event time, in milliseconds since the epoch */
export function isCertain(symptom: Symptom, at: number): boolean {
  return certainty(symptom, at) >= 0.99;
}
