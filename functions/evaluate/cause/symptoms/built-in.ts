/** Symptoms from the alerts of rules that are built into probes. Pure. */
import type { KnownAlert } from "../../incident/state.ts";
import { failingName, intermittentName } from "../../rules/built-in.ts";

type Alerts = Readonly<Record<string, KnownAlert>>;

/** Returns whether an alert belongs to a rule that is built into its probe. */
export function isBuiltIn({ rule, labels }: KnownAlert): boolean {
  const { probe } = labels;
  return probe !== undefined && (rule === failingName(probe) || rule === intermittentName(probe));
}

/** The firing alerts over failures that come and go, by their probes. */
export function intermittentIn(alerts: Alerts): ReadonlyMap<string, KnownAlert> {
  return firingIn(alerts, intermittentName);
}

/** The firing alerts over continuous failures, by their probes. */
export function failingIn(alerts: Alerts): ReadonlyMap<string, KnownAlert> {
  return firingIn(alerts, failingName);
}

function firingIn(alerts: Alerts, nameOf: (probe: string) => string): ReadonlyMap<string, KnownAlert> {
  return new Map(
    Object.values(alerts).flatMap((alert) => {
      const { probe } = alert.labels;
      const isOne = probe !== undefined && alert.status === "firing" && alert.rule === nameOf(probe);
      return isOne ? [[probe, alert] as const] : [];
    }),
  );
}
