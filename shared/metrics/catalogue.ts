/** The catalogue of metrics: one place that says what each means, in which unit, and which kind of probe yields it. */
import { ownEntry } from "../runtime/entries.ts";
import type { Unit } from "../text/units.ts";

/** What a metric is. */
export interface Metric {
  readonly unit: Unit;
  readonly description: string;
  /** Kinds of probe that yield it; empty for those that every probe yields. */
  readonly probers: readonly string[];
  /** Labels that it carries besides `probe`, `component` and `vantage`. */
  readonly labels?: readonly string[];
}

/** Name of a metric of the catalogue. */
export type MetricName =
  | "probe_success"
  | "probe_duration"
  | "probe_attempts"
  | "http_response_time"
  | "http_cold_response_time"
  | "http_status"
  | "http_phase_time"
  | "http_body_size"
  | "http_redirects"
  | "tls_certificate_expiry"
  | "tls_leaf_certificate_expiry"
  | "tls_handshake_time"
  | "database_connection_time"
  | "database_phase_time"
  | "database_connect_burst_success"
  | "database_connect_burst_connections"
  | "database_connect_burst_time"
  | "database_connections"
  | "database_connection_limit"
  | "database_connections_by_state"
  | "cloud_sql_pool_utilization"
  | "websocket_connection_success"
  | "websocket_handshake_time"
  | "websocket_stage_time"
  | "data_age"
  | "vpc_connector_utilization"
  | "vpc_connector_cpu_utilization"
  | "vpc_connector_throughput"
  | "vpc_connector_connections"
  | "vpc_connector_instances"
  | "vpc_connector_instance_limit"
  | "vpc_connector_health"
  | "cloud_sql_up"
  | "cloud_sql_cpu_utilization"
  | "cloud_sql_memory_utilization"
  | "cloud_sql_disk_utilization"
  | "cloud_sql_disk_operations"
  | "cloud_sql_connections"
  | "cloud_sql_connection_utilization"
  | "cloud_sql_new_connections"
  | "cloud_run_error_rate"
  | "cloud_run_request_rate"
  | "cloud_run_request_latency"
  | "cloud_run_instances"
  | "cloud_run_startup_latency"
  | "failed_startups"
  | "load_balancer_error_rate"
  | "load_balancer_request_rate"
  | "load_balancer_latency"
  | "load_balancer_backend_latency"
  | "cloud_monitoring_count"
  | "cloud_monitoring_ratio"
  | "cloud_monitoring_seconds"
  | "cloud_monitoring_bytes"
  | "smd_phase_duration"
  | "golden_path_e2e_time"
  | "golden_path_success"
  | "golden_path_step_time"
  | "golden_path_cleanup_success"
  | "configuration_ok"
  | "configuration_unchecked"
  | "heartbeat_age"
  | "service_health_incidents";

/** Every metric that Pathkeeper knows, by name. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  probe_success: { unit: "count", description: "1 when the probe succeeded, 0 when it failed.", probers: [] },
  probe_duration: { unit: "seconds", description: "How long the whole probe took.", probers: [] },
  probe_attempts: {
    unit: "count",
    description: "2 when a failure was checked again at once, 1 otherwise.",
    probers: [],
  },

  http_response_time: {
    unit: "seconds",
    description: "From the start of the first request to the last byte of the last body, redirects included.",
    probers: ["http"],
  },
  http_cold_response_time: {
    unit: "seconds",
    description:
      "Response time of an answer slower than `max_time` that was followed at once by one within it: the target had started cold.",
    probers: ["http"],
  },
  http_status: {
    unit: "count",
    description:
      "Status code of the last response; of WebSockets that of the first refusal, or 101 when there is none.",
    probers: ["http", "websocket"],
  },
  http_phase_time: {
    unit: "seconds",
    description: "Time in one phase of the last request: dns, connect, tls, first_byte, body.",
    probers: ["http"],
    labels: ["phase"],
  },
  http_body_size: { unit: "bytes", description: "Bytes of the decoded body that were read.", probers: ["http"] },
  http_redirects: {
    unit: "count",
    description: "Redirects that were followed to the last response.",
    probers: ["http"],
  },
  tls_certificate_expiry: {
    unit: "seconds",
    description: "Time until the first certificate of the verified chain expires.",
    probers: ["http", "tls"],
  },
  tls_leaf_certificate_expiry: {
    unit: "seconds",
    description: "Time until the server's own certificate expires.",
    probers: ["tls"],
  },
  tls_handshake_time: { unit: "seconds", description: "Time in the handshake of TLS.", probers: ["tls"] },

  database_connection_time: {
    unit: "seconds",
    description: "From nothing to the answer of the first query on a fresh connection.",
    probers: ["postgres"],
  },
  database_phase_time: {
    unit: "seconds",
    description: "Time in one phase of the fresh connection: dns, connect, tls, authentication, query.",
    probers: ["postgres"],
    labels: ["phase"],
  },
  database_connect_burst_success: {
    unit: "ratio",
    description:
      "Share of simultaneous fresh connections that were not lost on the way: the server let them in, or answered otherwise.",
    probers: ["postgres"],
  },
  database_connect_burst_connections: {
    unit: "count",
    description:
      "Connections of the burst by outcome: `ready` logged in; `answered` stopped before the login, to leave the server's last connections to others; `refused` by the server; `lost` on the way.",
    probers: ["postgres"],
    labels: ["outcome"],
  },
  database_connect_burst_time: {
    unit: "seconds",
    description: "Time until the slowest connection of the burst was ready, or answered where it was to stop there.",
    probers: ["postgres"],
  },
  database_connections: {
    unit: "count",
    description: "Client connections of the server in use, this probe's own not counted.",
    probers: ["postgres"],
  },
  database_connections_by_state: {
    unit: "count",
    description:
      "Client connections by the state that pg_stat_activity gives them; `unknown` where the probe's role may not see it (grant it pg_monitor).",
    probers: ["postgres"],
    labels: ["state"],
  },
  database_connection_limit: {
    unit: "count",
    description: "Connections that the server allows ordinary users: max_connections less those it reserves.",
    probers: ["postgres"],
  },
  cloud_sql_pool_utilization: {
    unit: "ratio",
    description:
      "Connections of the application's role in use, against the size of its pool (`pool.size` + `pool.overflow`).",
    probers: ["postgres", "http"],
  },
  websocket_connection_success: {
    unit: "ratio",
    description: "Share of the WebSocket handshakes of one run that were accepted.",
    probers: ["websocket"],
  },
  websocket_handshake_time: {
    unit: "seconds",
    description: "From nothing to the accepted upgrade, the mean of the handshakes of one run.",
    probers: ["websocket"],
  },
  websocket_stage_time: {
    unit: "seconds",
    description: "Time in one stage of the first WebSocket: dns, connect, tls, upgrade, and the steps of its script.",
    probers: ["websocket"],
    labels: ["stage"],
  },
  data_age: {
    unit: "seconds",
    description: "How old the stalest point is that the probe read: what it measured is as old, and not of now.",
    probers: ["cloud_monitoring", "vpc_connector", "cloud_sql", "cloud_run", "load_balancer"],
  },
  vpc_connector_utilization: {
    unit: "ratio",
    description:
      "How near the VPC connector is to its ceiling: the worst of CPU, throughput and, where they are counted, connections.",
    probers: ["http", "vpc_connector"],
  },
  vpc_connector_cpu_utilization: {
    unit: "ratio",
    description: "CPU in use of the VPC connector's instances, the 99th percentile.",
    probers: ["vpc_connector"],
  },
  vpc_connector_throughput: {
    unit: "bytes",
    description: "Bytes a second through the VPC connector, by direction: sent, received.",
    probers: ["vpc_connector"],
    labels: ["direction"],
  },
  vpc_connector_connections: {
    unit: "count",
    description: "Client connections of the database behind the VPC connector, as Cloud SQL counts them.",
    probers: ["vpc_connector"],
  },
  vpc_connector_instances: {
    unit: "count",
    description: "Instances of the VPC connector; it never scales in, so at the maximum alone says nothing.",
    probers: ["vpc_connector"],
  },
  vpc_connector_instance_limit: {
    unit: "count",
    description: "Instances that the VPC connector may have at most.",
    probers: ["vpc_connector"],
  },
  vpc_connector_health: {
    unit: "count",
    description: "1 when the application calls its connector healthy, 0 otherwise.",
    probers: ["http"],
  },
  cloud_sql_up: { unit: "count", description: "1 when the server of the instance is up.", probers: ["cloud_sql"] },
  cloud_sql_cpu_utilization: {
    unit: "ratio",
    description: "CPU in use of the Cloud SQL instance.",
    probers: ["cloud_sql"],
  },
  cloud_sql_memory_utilization: {
    unit: "ratio",
    description: "Memory in use of the Cloud SQL instance, caches not counted.",
    probers: ["cloud_sql"],
  },
  cloud_sql_disk_utilization: {
    unit: "ratio",
    description: "Disk in use of the Cloud SQL instance.",
    probers: ["cloud_sql"],
  },
  cloud_sql_disk_operations: {
    unit: "count",
    description: "Disk operations a second of the Cloud SQL instance, by operation: read, write.",
    probers: ["cloud_sql"],
    labels: ["operation"],
  },
  cloud_sql_connections: {
    unit: "count",
    description: "Client connections of the Cloud SQL instance, of all its databases.",
    probers: ["cloud_sql"],
  },
  cloud_sql_connection_utilization: {
    unit: "ratio",
    description: "Client connections of the Cloud SQL instance against `max_connections`, where the probe is told it.",
    probers: ["cloud_sql"],
  },
  cloud_sql_new_connections: {
    unit: "count",
    description: "Connections a second that were opened to the Cloud SQL instance.",
    probers: ["cloud_sql"],
  },
  cloud_run_error_rate: {
    unit: "ratio",
    description: "Share of the requests to a Cloud Run service that it answered with 5xx; absent without requests.",
    probers: ["cloud_run"],
  },
  cloud_run_request_rate: {
    unit: "count",
    description: "Requests a second to a Cloud Run service, by class: 2xx, 3xx, 4xx, 5xx.",
    probers: ["cloud_run"],
    labels: ["class"],
  },
  cloud_run_request_latency: {
    unit: "seconds",
    description: "How long a Cloud Run service took to answer, the 95th percentile.",
    probers: ["cloud_run"],
  },
  cloud_run_instances: {
    unit: "count",
    description: "Instances of a Cloud Run service, by state: active, idle.",
    probers: ["cloud_run"],
    labels: ["state"],
  },
  cloud_run_startup_latency: {
    unit: "seconds",
    description:
      "How long instances of a Cloud Run service took to start, the 95th percentile; absent when none started.",
    probers: ["cloud_run"],
  },
  failed_startups: {
    unit: "count",
    description: "Instances that failed to start in one period, from a log-based metric.",
    probers: ["cloud_run"],
  },
  load_balancer_error_rate: {
    unit: "ratio",
    description: "Share of the requests to the load balancer that were answered with 5xx; absent without requests.",
    probers: ["load_balancer"],
  },
  load_balancer_request_rate: {
    unit: "count",
    description:
      "Requests a second to the load balancer, by class: 2xx, 3xx, 4xx, 5xx. Google counts a sample of them.",
    probers: ["load_balancer"],
    labels: ["class"],
  },
  load_balancer_latency: {
    unit: "seconds",
    description: "From the first byte of a request to the last of its answer, the 95th percentile.",
    probers: ["load_balancer"],
  },
  load_balancer_backend_latency: {
    unit: "seconds",
    description: "How long the backends of the load balancer took to answer, the 95th percentile.",
    probers: ["load_balancer"],
  },
  cloud_monitoring_count: {
    unit: "count",
    description: "Any count that Cloud Monitoring has.",
    probers: ["cloud_monitoring"],
    labels: ["name", "group"],
  },
  cloud_monitoring_ratio: {
    unit: "ratio",
    description: "Any share that Cloud Monitoring has.",
    probers: ["cloud_monitoring"],
    labels: ["name", "group"],
  },
  cloud_monitoring_seconds: {
    unit: "seconds",
    description: "Any duration that Cloud Monitoring has.",
    probers: ["cloud_monitoring"],
    labels: ["name", "group"],
  },
  cloud_monitoring_bytes: {
    unit: "bytes",
    description: "Any size that Cloud Monitoring has.",
    probers: ["cloud_monitoring"],
    labels: ["name", "group"],
  },
  smd_phase_duration: {
    unit: "seconds",
    description: "Duration of one of the 7 phases of the application's last start; phase 3 is the database.",
    probers: ["http"],
    labels: ["phase"],
  },
  golden_path_e2e_time: {
    unit: "seconds",
    description: "The whole golden path, from login to the reply, where it was walked to its end.",
    probers: ["journey"],
  },
  golden_path_success: {
    unit: "count",
    description: "1 when the golden path was walked to its end.",
    probers: ["journey"],
  },
  golden_path_step_time: {
    unit: "seconds",
    description: "One completed step of the golden path.",
    probers: ["journey"],
    labels: ["step"],
  },
  golden_path_cleanup_success: {
    unit: "count",
    description: "1 when every clean-up step of the journey succeeded, 0 otherwise; absent where it has none.",
    probers: ["journey"],
  },
  configuration_ok: {
    unit: "count",
    description:
      "1 when a configuration check found what it expects, 0 when not, absent when it could not be made; `severity` says what it would mean.",
    probers: ["gcp_configuration"],
    labels: ["check", "resource", "severity"],
  },
  configuration_unchecked: {
    unit: "count",
    description: "Resources of which something could not be judged, because it could not be read or is not said.",
    probers: ["gcp_configuration"],
  },
  heartbeat_age: {
    unit: "seconds",
    description: "Time since the last report of something that reports to us by itself.",
    probers: ["heartbeat"],
  },
  service_health_incidents: {
    unit: "count",
    description: "Active service-health events of the region.",
    probers: ["service_health"],
  },
};

/** The metric of that name, or `undefined` where the catalogue has none. */
export function metricNamed(name: string): Metric | undefined {
  return ownEntry<Metric>(metrics, name);
}
