/**
 * Strength of a symptom. A rule knows its value and its limit, so no history is needed: the margin is the ratio of the badness to what is
 * allowed, and the strength is the share of the excess, 1 - 1/margin: 0 at the limit, a half at twice the limit, 0.95 at twenty times.
 */

import type { Signal } from "../../../shared/messages/report.ts";
import { metricNamed } from "../../../shared/metrics/catalogue.ts";
import type { Excess } from "../condition/series.ts";

/** Smallest ratio distinguished from none: an objective of a thousandth is the strictest that probes each minute can verify. */
const minShare = 0.001;

/**
 * Returns the ratio of a value to what is allowed, at least 1. For a ratio with an upper limit the remaining room counts; for one with a
 * lower limit, the missing part.
 */
export function marginOf({ value, limit, unit, above }: Excess, signal?: Signal): number {
  const room = (share: number): number => Math.max(minShare, 1 - Math.min(1, share));
  const least = Math.max(Math.abs(limit) * minShare, minShare);
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

/** Signal of a rule whose configuration does not state it: that of its metric; where low values are bad, a shortage. */
export function signalOf(metrics: readonly string[], excess: Pick<Excess, "unit" | "above"> | undefined): Signal {
  const declared = metrics.map((name) => metricNamed(name)?.signal).find((signal) => signal !== undefined);
  if (excess === undefined) return declared ?? "failing";
  const { unit, above } = excess;
  if (declared !== undefined && (above || (declared !== "slow" && declared !== "saturated"))) return declared;
  if (unit === "seconds") return above ? "slow" : "missing";
  if (unit === "ratio") return above ? "saturated" : "errors";
  return unit === "bytes" ? "saturated" : "errors";
}

/**
 * Exponent of e by which the failure of each component raises the likelihood of a cause that explains it. Parts seldom break together by
 * chance.
 */
export const perComponent = 3.2;

/**
 * Weight of an alert, from 0 to 1: a value that was often as bad before is likely to be so by chance again.
 * @param badBefore number of bad values among the last 20 measurements before it started
 */
export function alertWeight({ badBefore = 0 }: { readonly badBefore?: number }): number {
  const byChance = (badBefore + 0.5) / 21;
  return Math.min(1, -Math.log(byChance) / perComponent);
}
