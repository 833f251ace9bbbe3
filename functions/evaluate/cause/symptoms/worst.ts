/** Severity of a symptom: its excess beyond the limit, and the most that it alone gives an incident. Pure. */
import type { Signal } from "../../../../shared/messages/report.ts";
import { severities } from "../../../../shared/messages/severity.ts";
import type { KnownAlert } from "../../incident/state.ts";
import type { Plan } from "../../plan.ts";
import type { Symptom } from "../diagnosis.ts";
import { marginOf, signalOf, strengthOf } from "../strength.ts";
import { failingIn } from "./built-in.ts";

/** The strength of what is no further than at its limit. */
const minStrength = 0.01;

/** Observation of a rule: its signal, and the excess of the value beyond the limit. */
export function measureOf(
  { excess, excessAt, since }: KnownAlert,
  metrics: readonly string[],
  stated: Signal | undefined,
): Partial<Symptom> {
  const signal = stated ?? signalOf(metrics, excess);
  if (excess === undefined) return { signal };
  const worseSince = excessAt !== undefined && excessAt > since ? { worseSince: excessAt } : {};
  const seconds = excess.unit === "seconds" && excess.above ? { seconds: excess.value } : {};
  // Counts of which none is allowed, such as events, have full strength.
  const isAll = signal === "event" || signal === "configuration" || (excess.above && excess.limit === 0);
  return {
    signal,
    strength: isAll ? 1 : Math.max(minStrength, strengthOf(marginOf(excess, signal))),
    ...worseSince,
    ...seconds,
  };
}

/**
 * The highest severity that the failure of a probe alone gives: as configured and, while it fails only intermittently, as its burn rate
 * warrants.
 */
export function mostOf(
  plan: Plan,
  probe: string,
  intermittent: KnownAlert | undefined,
  alerts: Readonly<Record<string, KnownAlert>>,
): Pick<Symptom, "most"> {
  const { alert } = plan.probes.get(probe) ?? {};
  if (alert && alert.most !== undefined) return { most: alert.most };
  if (intermittent?.capped !== true || failingIn(alerts).has(probe)) return {};
  return { most: intermittent.severity };
}

/** A symptom with the worst that was seen of it: the strength, and the severity that it gives. The same object where nothing is worse. */
export function withWorst(known: Symptom, seen: Symptom): Symptom {
  const isWorse = (seen.strength ?? 1) > (known.strength ?? 1);
  const isFeltMore = severities.indexOf(seen.most ?? "critical") > severities.indexOf(known.most ?? "critical");
  if (!isWorse && !isFeltMore) return known;
  const { most, ...rest } = known;
  const cap = isFeltMore ? seen.most : most;
  return { ...rest, ...(cap === undefined ? {} : { most: cap }), ...(isWorse ? measured(seen) : {}) };
}

/** The worst that was seen of it, and since when. */
function measured({ strength = 1, worseSince, seconds, phrase, seenAt }: Symptom): Partial<Symptom> {
  return {
    strength,
    phrase,
    ...(seenAt === undefined ? {} : { seenAt }),
    ...(worseSince === undefined ? {} : { worseSince }),
    ...(seconds === undefined ? {} : { seconds }),
  };
}
