/** The severities of alerts and incidents, and their order. */

/** Severity of the impact on users of the environment. */
export type Severity = "info" | "warning" | "critical";

/** Severities from least to worst. */
export const severities: readonly Severity[] = ["info", "warning", "critical"];

/** The worse of two severities. */
export function worse(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}
