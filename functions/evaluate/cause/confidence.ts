/** How sure a diagnosis is, in a number that is right about as often as it says. */
import type { Hypothesis } from "./weigh.ts";

/**
 * From 0 to 1, in steps of 0.05: finer would be a precision that the weights do not have. It grows with the share of what was seen that the
 * cause explains and with its lead over the next component, and falls with what contradicts it.
 */
export function confidenceOf(best: Hypothesis, ranked: readonly Hypothesis[]): number {
  const rival = ranked.find(({ component }) => component !== best.component);
  const lead = rival === undefined ? 1.5 : Math.min(1.5, Math.max(0, best.score - rival.score));
  const odds = -1.2 + 1.6 * best.fit + 2 * lead - 0.8 * Math.min(2, best.doubt) + (best.hasOwnEvidence ? 0.5 : 0);
  return Math.round(Math.min(0.95, Math.max(0.1, 1 / (1 + Math.exp(-odds)))) * 20) / 20;
}
