/** The catalogue of metrics: the meaning, unit and scale of each. The probers declare which metrics they yield. */
import { ownEntry } from "../runtime/entries.ts";
import type { Metric } from "./metric.ts";

/** 0 or 1: no or yes. */
const flag = [0, 1] as const;
/** Range of a share: 0 is none, 1 is all. */
const share = [0, 1] as const;
const anything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

const catalogue = {
  probe_success: {
    unit: "count",
    range: flag,
    signal: "failing",
    description: "1 when the probe succeeded, 0 when it failed.",
  },
  probe_duration: { unit: "seconds", signal: "slow", description: "Duration of the whole probe." },
  probe_attempts: {
    unit: "count",
    range: [1, 2],
    signal: "failing",
    description: "2 when a failure was rechecked immediately, 1 otherwise.",
  },
  http_response_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time from the start of the first request to the last byte of the last body, redirects included.",
  },
  http_cold_response_time: {
    unit: "seconds",
    signal: "slow",
    description:
      "Response time that exceeded `max_time` when an immediate second request stayed within it: the target had a cold start.",
  },
  http_status: {
    unit: "count",
    range: [100, 999],
    signal: "failing",
    description:
      "Status code of the last response. For WebSockets, the status of the first refused handshake, or 101 if none was refused.",
  },
  http_phase_time: {
    unit: "seconds",
    signal: "slow",
    description:
      "Time in one phase of the last request: dns, connect, tls, first_byte, headers (only if they arrive in several pieces), body.",
    labels: ["phase"],
  },
  http_body_size: { unit: "bytes", signal: "failing", description: "Number of bytes read of the decoded body." },
  http_redirects: {
    unit: "count",
    signal: "failing",
    description: "Number of redirects followed to reach the last response.",
  },
  tls_certificate_expiry: {
    unit: "seconds",
    range: anything,
    signal: "certificate",
    description: "Time until the first certificate of the verified chain expires.",
  },
  tls_leaf_certificate_expiry: {
    unit: "seconds",
    range: anything,
    signal: "certificate",
    description: "Time until the server's own certificate expires.",
  },
  tls_handshake_time: { unit: "seconds", signal: "slow", description: "Duration of the TLS handshake." },
  connection_time: {
    unit: "seconds",
    signal: "slow",
    phases: "connection_phase_time",
    description: "Time from the start of the probe to the end of a fresh connection that completed every phase.",
  },
  connection_phase_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time in one phase of a fresh connection, such as dns, connect, tls, answer.",
    labels: ["phase"],
  },
  dns_lookup_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time until a DNS server answered a query for one record type.",
    labels: ["resolver", "type"],
  },
  dns_records: {
    unit: "count",
    signal: "failing",
    description: "Number of records of one type that a DNS server returned.",
    labels: ["resolver", "type"],
  },
  dns_address_success: {
    unit: "ratio",
    range: share,
    signal: "errors",
    scale: { high: 0.99, limit: 0.5, below: true },
    description: "Share of a name's addresses that accepted a connection.",
  },
  grpc_response_time: {
    unit: "seconds",
    signal: "slow",
    phases: "connection_phase_time",
    description: "Time from the start of a fresh connection to the response of the gRPC health service.",
  },

  database_connection_time: {
    unit: "seconds",
    signal: "slow",
    role: "database",
    phases: "database_phase_time",
    scale: { high: 5, limit: 25 },
    description: "Time from the start of a fresh connection to the result of the first query.",
  },
  database_phase_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time in one phase of the fresh connection: dns, connect, tls, authentication, query.",
    labels: ["phase"],
  },
  database_connect_burst_success: {
    unit: "ratio",
    range: share,
    signal: "errors",
    scale: { high: 0.95, limit: 0.5, below: true },
    description:
      "Share of simultaneous fresh connections that were not lost on the way to the server, in the worst stage of the burst. A connection that the server refuses does not count as lost.",
  },
  database_connect_burst_connections: {
    unit: "count",
    signal: "failing",
    description:
      "Connections opened by a stage of the burst: `connect` opens TCP connections, `tls` completes the TLS handshake (`answer` waits for the server's first response instead), `login` opens sessions.",
    labels: ["stage"],
  },
  database_connect_burst_unanswered: {
    unit: "count",
    signal: "failing",
    description:
      "Connections of a stage of the burst that got no response in time. In the stage `connect`, these are unanswered SYNs.",
    labels: ["stage"],
  },
  database_connect_burst_resets: {
    unit: "count",
    signal: "failing",
    description: "Connections of a stage of the burst that were reset on the way, or refused by TCP.",
    labels: ["stage"],
  },
  database_connect_burst_tls_failures: {
    unit: "count",
    signal: "failing",
    description: "Connections of a stage of the burst whose TLS handshake failed.",
    labels: ["stage"],
  },
  database_connect_burst_refusals: {
    unit: "count",
    signal: "saturated",
    description:
      "Connections of a stage of the burst that the server itself refused, by SQLSTATE. `53300` means that it has no free connections.",
    labels: ["stage", "code"],
  },
  database_connect_burst_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time until the slowest connection of a stage of the burst was established.",
  },
  database_connections: {
    unit: "count",
    signal: "saturated",
    limit: "database_connection_limit",
    role: "database",
    resource: "connections",
    description: "Client connections in use on the server, excluding the probe's own.",
  },
  database_connections_by_state: {
    unit: "count",
    signal: "saturated",
    description:
      "Client connections by their state in pg_stat_activity. `unknown` means that the probe's role may not see the state (grant it pg_monitor).",
    labels: ["state"],
  },
  database_connection_limit: {
    unit: "count",
    signal: "saturated",
    description: "Connections that the server allows ordinary users: max_connections minus the reserved connections.",
  },
  cloud_sql_pool_utilization: {
    unit: "ratio",
    signal: "saturated",
    scale: { high: 0.8, limit: 0.95 },
    description:
      "Connections in use by the application's role, relative to the size of its pool (`pool.size` + `pool.overflow`).",
  },
  websocket_connection_success: {
    unit: "ratio",
    range: share,
    signal: "failing",
    description: "Share of the WebSocket handshakes in one run that were accepted.",
  },
  websocket_handshake_time: {
    unit: "seconds",
    signal: "slow",
    description:
      "Time from the start of the connection to the accepted upgrade, as the mean of the handshakes in one run.",
  },
  websocket_hold_time: {
    unit: "seconds",
    signal: "failing",
    description:
      "Time that a held WebSocket stayed open: the duration of `hold`, or less if the connection ended early.",
  },
  websocket_stage_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time in one stage of the first WebSocket: dns, connect, tls, upgrade, or a step of its script.",
    labels: ["stage"],
  },
  stream_first_event_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time from the start of the connection to the first event of a stream.",
  },
  stream_stage_time: {
    unit: "seconds",
    signal: "slow",
    description:
      "Time in one stage of a stream of server-sent events: dns, connect, tls, first_byte, or a step of its script, by name.",
    labels: ["stage"],
  },
  data_age: {
    unit: "seconds",
    signal: "missing",
    description: "Age of the oldest point that the probe read. The measurements of the probe may be this old.",
  },
  vpc_connector_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "connector",
    resource: "capacity",
    scale: { high: 0.7, limit: 0.9 },
    description:
      "Load of the VPC connector relative to its capacity: the highest of CPU, throughput and, if counted, connections.",
  },
  vpc_connector_cpu_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "connector",
    resource: "cpu",
    scale: { high: 0.7, limit: 0.9 },
    description: "CPU utilization of the VPC connector's instances, 99th percentile.",
  },
  vpc_connector_throughput: {
    unit: "bytes",
    signal: "saturated",
    role: "connector",
    description: "Bytes per second through the VPC connector, by direction: sent, received.",
    labels: ["direction"],
  },
  vpc_connector_connections: {
    unit: "count",
    signal: "saturated",
    role: "connector",
    description: "Client connections to the database behind the VPC connector, as counted by Cloud SQL.",
  },
  vpc_connector_instances: {
    unit: "count",
    signal: "saturated",
    limit: "vpc_connector_instance_limit",
    role: "connector",
    resource: "instances",
    description:
      "Instances of the VPC connector. A connector never scales in, so being at the maximum does not by itself mean that it is overloaded.",
  },
  vpc_connector_instance_limit: {
    unit: "count",
    signal: "saturated",
    role: "connector",
    description: "Maximum number of instances of the VPC connector.",
  },
  vpc_connector_health: {
    unit: "count",
    range: flag,
    signal: "failing",
    role: "connector",
    scale: { high: 0.5, limit: 0.5, below: true },
    description: "1 when the application reports its connector as healthy, 0 otherwise.",
  },
  cloud_sql_up: {
    unit: "count",
    range: flag,
    signal: "failing",
    role: "database",
    scale: { high: 0.5, limit: 0.5, below: true },
    description: "1 when the database server of the instance is up, 0 otherwise.",
  },
  cloud_sql_cpu_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "database",
    resource: "cpu",
    scale: { high: 0.85, limit: 0.95 },
    description: "CPU utilization of the Cloud SQL instance.",
  },
  cloud_sql_memory_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "database",
    resource: "memory",
    scale: { high: 0.9, limit: 0.97 },
    description: "Memory utilization of the Cloud SQL instance, excluding caches.",
  },
  cloud_sql_disk_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "database",
    resource: "disk",
    scale: { high: 0.9, limit: 0.97 },
    description: "Disk utilization of the Cloud SQL instance.",
  },
  cloud_sql_disk_operations: {
    unit: "count",
    signal: "saturated",
    role: "database",
    description: "Disk operations per second of the Cloud SQL instance, by operation: read, write.",
    labels: ["operation"],
  },
  cloud_sql_connections: {
    unit: "count",
    signal: "saturated",
    role: "database",
    description: "Client connections to all databases of the Cloud SQL instance.",
  },
  cloud_sql_connection_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "database",
    resource: "connections",
    scale: { high: 0.8, limit: 0.95 },
    description:
      "Client connections to the Cloud SQL instance relative to `max_connections`. Absent unless the probe sets `max_connections`.",
  },
  cloud_sql_new_connections: {
    unit: "count",
    signal: "saturated",
    role: "database",
    description: "New connections per second to the Cloud SQL instance.",
  },
  cloud_run_error_rate: {
    unit: "ratio",
    range: share,
    signal: "errors",
    ofRequests: true,
    scale: { high: 0.05, limit: 0.5 },
    description: "Share of the requests to a Cloud Run service that were answered with 5xx. Absent without requests.",
  },
  cloud_run_request_rate: {
    unit: "count",
    signal: "saturated",
    description: "Requests per second to a Cloud Run service, by class: 2xx, 3xx, 4xx, 5xx.",
    labels: ["class"],
  },
  cloud_run_request_latency: {
    unit: "seconds",
    signal: "slow",
    ofRequests: true,
    description: "Request latency of a Cloud Run service, 95th percentile.",
  },
  cloud_run_instances: {
    unit: "count",
    signal: "saturated",
    description: "Instances of a Cloud Run service, by state: active, idle.",
    labels: ["state"],
  },
  cloud_run_startup_latency: {
    unit: "seconds",
    signal: "slow",
    description: "Startup time of instances of a Cloud Run service, 95th percentile. Absent when none started.",
  },
  failed_startups: {
    unit: "count",
    signal: "errors",
    scale: { high: 1, limit: 10 },
    description: "Instances that failed to start in one period, from a log-based metric.",
  },
  cloud_run_memory_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "service",
    resource: "memory",
    scale: { high: 0.85, limit: 0.98 },
    description: "Memory utilization of the instances of a Cloud Run service, 95th percentile.",
  },
  cloud_run_cpu_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "service",
    resource: "cpu",
    scale: { high: 0.85, limit: 0.98 },
    description: "CPU utilization of the instances of a Cloud Run service, 95th percentile.",
  },
  cloud_run_instance_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "service",
    resource: "instances",
    scale: { high: 0.85, limit: 1 },
    description: "Active instances of a Cloud Run service relative to its maximum number of instances.",
  },
  cloud_run_refused_requests: {
    unit: "count",
    signal: "errors",
    scale: { high: 1, limit: 10 },
    description:
      "Requests in one period that were answered with 429 because no instance was available, from a log-based metric.",
  },
  memorystore_memory_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "cache",
    resource: "memory",
    scale: { high: 0.8, limit: 1 },
    description:
      "Share of a Memorystore instance's data memory that is in use. At 100% it evicts keys or refuses writes.",
  },
  memorystore_system_memory_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "cache",
    resource: "memory",
    scale: { high: 0.8, limit: 1 },
    description: "Share of a Memorystore instance's total memory that is in use, including fragmentation and buffers.",
  },
  memorystore_clients: {
    unit: "count",
    signal: "saturated",
    role: "cache",
    description: "Clients connected to a Memorystore instance.",
  },
  memorystore_client_utilization: {
    unit: "ratio",
    range: share,
    signal: "saturated",
    role: "cache",
    resource: "connections",
    scale: { high: 0.8, limit: 1 },
    description: "Connected clients of a Memorystore instance relative to the maximum that it accepts.",
  },
  memorystore_rejected_connections: {
    unit: "count",
    signal: "errors",
    role: "cache",
    scale: { high: 1, limit: 10 },
    description: "Connections that a Memorystore instance refused in one period because it had too many clients.",
  },
  memorystore_evicted_keys: {
    unit: "count",
    signal: "saturated",
    role: "cache",
    description: "Keys that a Memorystore instance evicted in one period to free memory.",
  },
  cloud_nat_dropped_packets: {
    unit: "count",
    signal: "errors",
    role: "nat",
    scale: { high: 1, limit: 1000 },
    description:
      "Packets to the internet that Cloud NAT dropped in one period, by reason. OUT_OF_RESOURCES means that it ran out of ports.",
    labels: ["reason"],
  },
  cloud_nat_allocated_ports: {
    unit: "count",
    signal: "saturated",
    role: "nat",
    description: "Ports that a Cloud NAT gateway has allocated to all machines and instances.",
  },
  cloud_nat_port_usage: {
    unit: "count",
    signal: "saturated",
    role: "nat",
    description: "Highest number of Cloud NAT ports in use by one machine or instance.",
  },
  cloud_nat_port_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "nat",
    resource: "connections",
    scale: { high: 0.8, limit: 1 },
    description:
      "Highest number of Cloud NAT ports in use by one machine or instance, relative to the maximum that it may have.",
  },
  cloud_nat_open_connections: {
    unit: "count",
    signal: "saturated",
    role: "nat",
    description: "Open connections of a Cloud NAT gateway.",
  },
  subnet_address_utilization: {
    unit: "ratio",
    range: share,
    signal: "saturated",
    role: "subnet",
    resource: "capacity",
    scale: { high: 0.8, limit: 0.98 },
    description: "Share of a subnet's primary addresses that are in use.",
  },
  subnet_free_addresses: {
    unit: "count",
    signal: "saturated",
    role: "subnet",
    description: "Free primary addresses of a subnet.",
  },
  load_balancer_error_rate: {
    unit: "ratio",
    range: share,
    signal: "errors",
    ofRequests: true,
    scale: { high: 0.05, limit: 0.5 },
    description: "Share of the requests to the load balancer that were answered with 5xx. Absent without requests.",
  },
  load_balancer_request_rate: {
    unit: "count",
    signal: "saturated",
    description:
      "Requests per second to the load balancer, by class: 2xx, 3xx, 4xx, 5xx. Google counts only a sample of them.",
    labels: ["class"],
  },
  load_balancer_latency: {
    unit: "seconds",
    signal: "slow",
    ofRequests: true,
    description: "Time from the first byte of a request to the last byte of its response, 95th percentile.",
  },
  load_balancer_backend_latency: {
    unit: "seconds",
    signal: "slow",
    ofRequests: true,
    description: "Latency of the load balancer's backends, 95th percentile.",
  },
  cloud_monitoring_count: {
    unit: "count",
    range: anything,
    signal: "errors",
    description: "Any count from Cloud Monitoring.",
    labels: ["name", "group"],
  },
  cloud_monitoring_ratio: {
    unit: "ratio",
    range: anything,
    signal: "saturated",
    description: "Any ratio from Cloud Monitoring.",
    labels: ["name", "group"],
  },
  cloud_monitoring_seconds: {
    unit: "seconds",
    range: anything,
    signal: "slow",
    description: "Any duration from Cloud Monitoring.",
    labels: ["name", "group"],
  },
  cloud_monitoring_bytes: {
    unit: "bytes",
    range: anything,
    signal: "saturated",
    description: "Any size from Cloud Monitoring.",
    labels: ["name", "group"],
  },
  smd_phase_duration: {
    unit: "seconds",
    signal: "slow",
    description: "Duration of one of the 7 phases of the application's last startup. Phase 3 is the database.",
    labels: ["phase"],
  },
  golden_path_e2e_time: {
    unit: "seconds",
    signal: "slow",
    description: "Duration of the whole golden path, from login to reply. Absent when it was not completed.",
  },
  golden_path_success: {
    unit: "count",
    range: flag,
    signal: "failing",
    description: "1 when the golden path was completed, 0 otherwise.",
  },
  golden_path_step_time: {
    unit: "seconds",
    signal: "slow",
    description: "Duration of one completed step of the golden path.",
    labels: ["step"],
  },
  golden_path_cleanup_success: {
    unit: "count",
    range: flag,
    signal: "failing",
    description: "1 when every cleanup step of the journey succeeded, 0 otherwise. Absent when the journey has none.",
  },
  configuration_ok: {
    unit: "count",
    range: flag,
    signal: "configuration",
    description:
      "1 when a configuration check passed, 0 when it failed, absent when it could not be made. The label `severity` gives the severity of a failure.",
    labels: ["check", "resource", "severity"],
  },
  configuration_unchecked: {
    unit: "count",
    signal: "configuration",
    description:
      "Number of resources that could not be checked completely, because a setting could not be read or is not reported.",
  },
  recent_changes: {
    unit: "count",
    signal: "configuration",
    description: "Number of changes to the environment in the audit logs, within the lookback window of the probe.",
  },
  recent_error_entries: {
    unit: "count",
    signal: "errors",
    description: "Number of error entries that a probe read from the logs of the environment, up to its page limit.",
  },
  heartbeat_age: {
    unit: "seconds",
    signal: "missing",
    description: "Time since the last heartbeat.",
  },
  service_health_incidents: {
    unit: "count",
    signal: "event",
    scale: { high: 1, limit: 1 },
    description: "Number of active Google service health events that affect the region.",
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** Name of a metric of the catalogue. */
export type MetricName = keyof typeof catalogue;

/** Every metric that Pathkeeper knows, by name. */
export const metrics: Readonly<Record<MetricName, Metric>> = catalogue;

/** Names of all metrics. */
export const metricNames = Object.keys(catalogue) as readonly MetricName[];

/** The metric of that name, or `undefined` where the catalogue has none. */
export function metricNamed(name: string): Metric | undefined {
  return ownEntry<Metric>(metrics, name);
}
