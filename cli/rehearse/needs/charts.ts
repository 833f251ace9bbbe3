/** Contents of each dashboard chart: its metric, aggregation and lines. Custom charts may be added. */

/** A chart by its title: its metric, and how it is shown. */
export interface Chart {
  readonly title: string;
  readonly metric: string;
  readonly align?: string;
  readonly reduce?: string;
  readonly by?: readonly string[];
  /** Lines, in the unit of the metric. */
  readonly limits?: readonly number[];
}

const own = "custom.googleapis.com/pathkeeper/";
const run = "run.googleapis.com/";
const subscription = "pubsub.googleapis.com/subscription/";
const probe = ["metric.label.probe"];
const service = "resource.label.service_name";
const component = ["metric.label.component"];
const [highest, lowest, sum] = ["REDUCE_MAX", "REDUCE_MIN", "REDUCE_SUM"];
const counted = { align: "ALIGN_DELTA", reduce: sum };
const most = { align: "ALIGN_MAX", reduce: highest, by: ["resource.label.subscription_id"] };

/** The charts of the watched environment. */
export const chartsOfEnvironment: readonly Chart[] = [
  { title: "VPC connector: utilization", metric: `${own}vpc_connector_utilization`, limits: [0.7] },
  {
    title: "VPC connector: instances, as Google counts them",
    metric: "vpcaccess.googleapis.com/connector/instances",
    align: "ALIGN_MAX",
    reduce: highest,
    by: ["resource.label.connector_name"],
  },
  { title: "Cloud SQL: the application's pool", metric: `${own}cloud_sql_pool_utilization`, limits: [0.8, 0.85] },
  { title: "Cloud SQL: connections in use", metric: `${own}database_connections`, by: probe },
  {
    title: "Database: time of a fresh connection",
    metric: `${own}database_connection_time`,
    limits: [5, 25],
    by: probe,
  },
  {
    title: "Database: share of new connections that succeed",
    metric: `${own}database_connect_burst_success`,
    by: probe,
    reduce: lowest,
  },
  {
    title: "Start-up: the 7 phases",
    metric: `${own}smd_phase_duration`,
    limits: [20, 45],
    by: ["metric.label.phase"],
    reduce: highest,
  },
  { title: "Golden path: availability", metric: `${own}golden_path_success`, by: probe },
  { title: "Golden path: end to end", metric: `${own}golden_path_e2e_time`, limits: [30], by: probe },
  { title: "Golden path: by step", metric: `${own}golden_path_step_time`, by: ["metric.label.step"] },
  { title: "WebSocket: availability", metric: `${own}websocket_connection_success`, by: probe, reduce: lowest },
  { title: "WebSocket: handshake", metric: `${own}websocket_handshake_time`, by: probe },
  { title: "HTTP: response time", metric: `${own}http_response_time`, by: probe },
  { title: "Probes that succeed, by component", metric: `${own}probe_success`, by: component },
  {
    title: "Incidents that are open",
    metric: `${own}incidents_open`,
    by: ["metric.label.severity", "metric.label.verdict"],
    reduce: highest,
  },
  { title: "Availability of this month", metric: `${own}availability`, by: component, limits: [0.99] },
  { title: "Error budget that is left", metric: `${own}error_budget_left`, by: component },
];

/** The charts of the monitor itself. */
export const chartsOfMonitor: readonly Chart[] = [
  { title: "Reports between two ticks", metric: `${own}reports` },
  {
    title: "Time since the last report, by group",
    metric: `${own}report_age`,
    by: ["metric.label.group"],
    reduce: highest,
  },
  { title: "What of the monitor is not as it should be", metric: `${own}checks_failing`, reduce: highest },
  { title: "Time from a tick to its handling", metric: `${own}tick_delay`, reduce: highest },
  { title: "Time since the last watchdog signal left", metric: `${own}heartbeat_age`, reduce: highest },
  { title: "Points that the export lost", metric: `${own}export_refused`, reduce: highest },
  {
    title: "Requests to the functions",
    metric: `${run}request_count`,
    ...counted,
    by: [service, "metric.label.response_code_class"],
  },
  {
    title: "Latency of the functions, 95th percentile",
    metric: `${run}request_latencies`,
    align: "ALIGN_PERCENTILE_95",
    reduce: highest,
    by: [service],
  },
  { title: "Instances", metric: `${run}container/instance_count`, align: "ALIGN_MAX", reduce: sum, by: [service] },
  { title: "Age of the oldest message", metric: `${subscription}oldest_unacked_message_age`, ...most, limits: [600] },
  { title: "Messages that wait", metric: `${subscription}num_undelivered_messages`, ...most },
  {
    title: "Dead letters",
    metric: `${subscription}dead_letter_message_count`,
    ...counted,
    by: ["resource.label.subscription_id"],
  },
];
