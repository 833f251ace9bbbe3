/**
 * How bad something is. A rule knows its value and its limit, so that how far it is beyond needs no history: the margin is how many times as bad
 * as allowed, and the strength its share of what is too much, 1 - 1/margin: 0 at the limit, a half at twice the limit, 0.95 at twenty times.
 */

import type { Signal } from "../../../shared/messages/report.ts";
import { metricNamed } from "../../../shared/metrics/catalogue.ts";
import type { Excess } from "../condition/series.ts";

/** The least share that is told apart from none: an objective of a thousandth is the strictest that probes each minute can show. */
const leastShare = 0.001;

/**
 * How many times as bad as allowed a value is, at least 1. Of a ratio that may be at most so much, what counts is how much room is left; of
 * one that must be at least so much, how much is missing.
 */
export function marginOf({ value, limit, unit, above }: Excess, signal?: Signal): number {
  const room = (share: number): number => Math.max(leastShare, 1 - Math.min(1, share));
  const least = Math.max(Math.abs(limit) * leastShare, leastShare);
  let margin: number;
  if (unit === "ratio" && !above) margin = room(value) / room(limit);
  else if (unit === "ratio" && limit < 1 && signal !== "errors") margin = room(limit) / room(value);
  else margin = above ? value / Math.max(limit, least) : limit / Math.max(value, least);
  return Number.isFinite(margin) ? Math.max(1, margin) : 1;
}

/** The strength of a margin, from 0 to 1. */
export function strengthOf(margin: number): number {
  return 1 - 1 / Math.max(1, margin);
}

/** What a rule is about, where its configuration does not say it: what its metric says; where little of it is bad, something is lacking. */
export function signalOf(metrics: readonly string[], excess: Pick<Excess, "unit" | "above"> | undefined): Signal {
  const told = metrics.map((name) => metricNamed(name)?.signal).find((signal) => signal !== undefined);
  if (excess === undefined) return told ?? "failing";
  const { unit, above } = excess;
  if (told !== undefined && (above || (told !== "slow" && told !== "saturated"))) return told;
  if (unit === "seconds") return above ? "slow" : "missing";
  if (unit === "ratio") return above ? "saturated" : "errors";
  return unit === "bytes" ? "saturated" : "errors";
}

/** How much likelier each component's trouble makes a cause that explains it: e to this power. Parts that break together by chance are rare. */
export const perComponent = 3.2;

/**
 * How much an alarm tells, from 0 to 1: what was often as bad before is likely to be so by chance again.
 * @param badBefore of the last 20 measurements before it began
 */
export function tellingOf({ badBefore = 0 }: { readonly badBefore?: number }): number {
  const byChance = (badBefore + 0.5) / 21;
  return Math.min(1, -Math.log(byChance) / perComponent);
}
