/** Helpers for kinds of probe to declare the metrics that they yield. */
import type { MetricName } from "../../shared/metrics/catalogue.ts";
import type { DeclaredMetric } from "../../shared/metrics/yields.ts";

/** Metrics without labels of their own, or whose labels may have any value. */
export function always(...metrics: readonly MetricName[]): DeclaredMetric[] {
  return metrics.map((metric) => ({ metric }));
}

/**
 * Metrics that only some settings make the probe yield.
 * @param settings `undefined` requests all that the kind can yield
 * @param needs the required settings, to follow the name of the kind: `with pool`
 */
export function onlyWhere<Settings>(
  settings: Settings | undefined,
  holds: (settings: Settings) => boolean,
  needs: string,
  metrics: readonly (MetricName | DeclaredMetric)[],
): DeclaredMetric[] {
  if (settings !== undefined && !holds(settings)) return [];
  return metrics.map((metric) => (typeof metric === "string" ? { metric, needs } : { ...metric, needs }));
}

/** Labels with one value each, in the form of `labels:` in the settings. */
export function fixed(labels: Readonly<Record<string, string>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, [value]]));
}
