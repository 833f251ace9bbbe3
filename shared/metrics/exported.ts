/**
 * Metrics exported for dashboards and for alarms that do not depend on the monitor: measurements of the catalogue, and of the monitor
 * itself. In Cloud Monitoring each is `custom.googleapis.com/pathkeeper/<name>` on the resource `generic_node`, in a file
 * `pathkeeper_<name>`. A point takes 8 bytes, which Cloud Monitoring bills from 150 MiB a month on: 60 series each minute are 20 MiB.
 */
import type { Configuration } from "../config/model.ts";
import type { Unit } from "../text/units.ts";
import type { MetricName } from "./catalogue.ts";

/** Before the name of a metric in Cloud Monitoring. */
export const exportPrefix = "custom.googleapis.com/pathkeeper/";

/** Name of a metric of the monitor itself. */
export type OwnMetricName =
  | "reports"
  | "report_age"
  | "incidents_open"
  | "checks_failing"
  | "heartbeat_age"
  | "tick_delay"
  | "export_refused"
  | "availability"
  | "error_budget_left";

/** A metric of the monitor itself. */
export interface OwnMetric {
  readonly unit: Unit;
  readonly description: string;
  readonly labels?: readonly string[];
}

/** Metrics of the monitor itself, by name. */
export const ownMetrics: Readonly<Record<OwnMetricName, OwnMetric>> = {
  reports: {
    unit: "count",
    description: "Reports taken in since the last tick. Absent when the evaluator does not run.",
  },
  report_age: { unit: "seconds", description: "Time since the last report of a group.", labels: ["group"] },
  incidents_open: {
    unit: "count",
    description: "Incidents that are not resolved; those of the monitor itself have the verdict monitor.",
    labels: ["severity", "verdict"],
  },
  checks_failing: { unit: "count", description: "What of the monitor itself is not as it should be." },
  heartbeat_age: { unit: "seconds", description: "Time since the last watchdog signal arrived." },
  tick_delay: { unit: "seconds", description: "Time from the publication of a tick to its handling." },
  export_refused: { unit: "count", description: "Points of the last export that were not accepted, or were too many." },
  availability: {
    unit: "ratio",
    description: "Share of the known time of this month that it was up.",
    labels: ["component"],
  },
  error_budget_left: {
    unit: "ratio",
    description: "Share of this month's error budget that is left; negative when it is overdrawn.",
    labels: ["component"],
  },
};

/** The measurements that are exported unless the configuration says otherwise: those that the dashboards show. What Google measures is there already. */
export const defaultExports: readonly MetricName[] = [
  "probe_success",
  "http_response_time",
  "websocket_connection_success",
  "websocket_handshake_time",
  "database_connection_time",
  "database_connect_burst_success",
  "database_connections",
  "cloud_sql_pool_utilization",
  "vpc_connector_utilization",
  "smd_phase_duration",
  "golden_path_success",
  "golden_path_e2e_time",
  "golden_path_step_time",
];

/** The measurements that a configuration exports; `undefined` where nothing is to be exported at all. */
export function exportsOf({ export: chosen }: Configuration): readonly string[] | undefined {
  return chosen === false ? undefined : (chosen ?? defaultExports);
}
