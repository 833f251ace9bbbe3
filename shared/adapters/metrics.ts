/**
 * Decides where measurements go for dashboards, for the function that exports them.
 *
 * | variable | meaning |
 * |---|---|
 * | `PATHKEEPER_METRICS` | file of the newest value of each series, in place of Cloud Monitoring |
 * | `PATHKEEPER_PROJECT` | Google Cloud project of Cloud Monitoring |
 */
import type { MetricSink } from "../ports.ts";

/** The sink that the environment names: a file, or Cloud Monitoring; none where it names neither. */
export async function connectMetrics(
  variables: Readonly<Record<string, string | undefined>>,
  environment: string,
): Promise<MetricSink | undefined> {
  const file = variables["PATHKEEPER_METRICS"];
  if (file !== undefined) {
    const { MetricsFile } = await import("./metrics-file.ts");
    return new MetricsFile(file);
  }
  const projectId = variables["PATHKEEPER_PROJECT"];
  // Emulators stand for a project that does not exist, and Cloud Monitoring has none.
  if (projectId === undefined || variables["FIRESTORE_EMULATOR_HOST"] !== undefined) return undefined;
  const { MonitoringSink } = await import("./monitoring.ts");
  return new MonitoringSink({ projectId, environment });
}
