/** Calibrated confidence of a diagnosis: right about as often as the number says. */
import { perComponent } from "./strength.ts";
import type { Candidate } from "./weigh.ts";

/**
 * The share of the best candidate among all, each weighed by what it explains, from 0 to 1 in steps of 0.05. It falls where much of what was
 * seen remains unexplained, where probes speak against the candidate, and where nothing is measured of it.
 */
export function confidenceOf(best: Candidate, ranked: readonly Candidate[]): number {
  return rounded(shareOf(best, ranked) * beliefIn(best));
}

/**
 * The share of a candidate among all, from 0 to 1. Of those that it explains only the best counts: that each broke by itself is one other
 * explanation, however many they are.
 */
export function shareOf(one: Candidate, ranked: readonly Candidate[]): number {
  const most = Math.max(one.score, ...ranked.map(({ score }) => score));
  const weight = ({ score }: Candidate): number => Math.exp(perComponent * (score - most));
  const others = ranked.filter((other) => other !== one);
  const [explained = [], rivals = []] = [true, false].map((is) =>
    others.filter((other) => isExplained(other, one) === is),
  );
  const all = rivals.reduce((sum, other) => sum + weight(other), weight(one) + Math.max(0, ...explained.map(weight)));
  return weight(one) / all;
}

/** Returns whether another candidate explains the own symptoms of this one. */
function isExplained({ component, own }: Candidate, by: Candidate): boolean {
  return own > 0 && by.passed.has(component);
}

function beliefIn({ own, fit, doubt }: Candidate): number {
  const seen = own > 0 ? 0.7 + 0.28 * Math.min(1, own * 1.2) : 0.75;
  return seen * (0.75 + 0.25 * Math.min(1, fit)) * (1 - 0.3 * doubt * (own > 0.5 ? 0.3 : 1));
}

function rounded(share: number): number {
  return Math.round(Math.min(0.95, Math.max(0.1, share)) * 20) / 20;
}
