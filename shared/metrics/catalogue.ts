/** The catalogue of metrics: one place that says what each means, in which unit and on which scale. Which probes yield it, the probers say. */
import { ownEntry } from "../runtime/entries.ts";
import type { Metric } from "./metric.ts";

/** 0 or 1: no or yes. */
const flag = [0, 1] as const;
/** From none to all. */
const share = [0, 1] as const;
const anything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

const catalogue = {
  probe_success: {
    unit: "count",
    range: flag,
    signal: "failing",
    description: "1 when the probe succeeded, 0 when it failed.",
  },
  probe_duration: { unit: "seconds", signal: "slow", description: "How long the whole probe took." },
  probe_attempts: {
    unit: "count",
    range: [1, 2],
    signal: "failing",
    description: "2 when a failure was checked again at once, 1 otherwise.",
  },
  http_response_time: {
    unit: "seconds",
    signal: "slow",
    description: "From the start of the first request to the last byte of the last body, redirects included.",
  },
  http_cold_response_time: {
    unit: "seconds",
    signal: "slow",
    description:
      "Response time of an answer slower than `max_time` that was followed at once by one within it: the target had started cold.",
  },
  http_status: {
    unit: "count",
    range: [100, 999],
    signal: "failing",
    description:
      "Status code of the last response; of WebSockets that of the first refusal, or 101 when there is none.",
  },
  http_phase_time: {
    unit: "seconds",
    signal: "slow",
    description:
      "Time in one phase of the last request: dns, connect, tls, first_byte, headers (only where they come in pieces), body.",
    labels: ["phase"],
  },
  http_body_size: { unit: "bytes", signal: "failing", description: "Bytes of the decoded body that were read." },
  http_redirects: {
    unit: "count",
    signal: "failing",
    description: "Redirects that were followed to the last response.",
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
  tls_handshake_time: { unit: "seconds", signal: "slow", description: "Time in the handshake of TLS." },
  connection_time: {
    unit: "seconds",
    signal: "slow",
    phases: "connection_phase_time",
    description: "From nothing to the end of a fresh connection that did all that was asked of it.",
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
    description: "Time until a DNS server answered the question for one type of record.",
    labels: ["resolver", "type"],
  },
  dns_records: {
    unit: "count",
    signal: "failing",
    description: "Records of one type that a DNS server answered.",
    labels: ["resolver", "type"],
  },
  dns_address_success: {
    unit: "ratio",
    range: share,
    signal: "errors",
    scale: { high: 0.99, limit: 0.5, below: true },
    description: "Share of the addresses of a name that accepted a connection.",
  },
  grpc_response_time: {
    unit: "seconds",
    signal: "slow",
    phases: "connection_phase_time",
    description: "From nothing to the answer of the gRPC health service on a fresh connection.",
  },

  database_connection_time: {
    unit: "seconds",
    signal: "slow",
    role: "database",
    phases: "database_phase_time",
    scale: { high: 5, limit: 25 },
    description: "From nothing to the answer of the first query on a fresh connection.",
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
      "Share of simultaneous fresh connections that were not lost on the way to the server, in the worst stage of the burst. What the server refuses was not lost.",
  },
  database_connect_burst_connections: {
    unit: "count",
    signal: "failing",
    description:
      "Connections that a stage of the burst opened: `connect` bare ones, `tls` as far as the TLS handshake (`answer` as far as the first answer of the server), `login` sessions.",
    labels: ["stage"],
  },
  database_connect_burst_unanswered: {
    unit: "count",
    signal: "failing",
    description:
      "Connections of a stage of the burst that no answer came to in time; in the stage `connect` that is a SYN without an answer.",
    labels: ["stage"],
  },
  database_connect_burst_resets: {
    unit: "count",
    signal: "failing",
    description: "Connections of a stage of the burst that were cut off on the way, or refused by TCP.",
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
      "Connections of a stage of the burst that the server itself refused, by SQLSTATE: `53300` when it has none to spare.",
    labels: ["stage", "code"],
  },
  database_connect_burst_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time until the slowest connection of a stage of the burst was there.",
  },
  database_connections: {
    unit: "count",
    signal: "saturated",
    limit: "database_connection_limit",
    role: "database",
    resource: "connections",
    description: "Client connections of the server in use, this probe's own not counted.",
  },
  database_connections_by_state: {
    unit: "count",
    signal: "saturated",
    description:
      "Client connections by the state that pg_stat_activity gives them; `unknown` where the probe's role may not see it (grant it pg_monitor).",
    labels: ["state"],
  },
  database_connection_limit: {
    unit: "count",
    signal: "saturated",
    description: "Connections that the server allows ordinary users: max_connections less those it reserves.",
  },
  cloud_sql_pool_utilization: {
    unit: "ratio",
    signal: "saturated",
    scale: { high: 0.8, limit: 0.95 },
    description:
      "Connections of the application's role in use, against the size of its pool (`pool.size` + `pool.overflow`).",
  },
  websocket_connection_success: {
    unit: "ratio",
    range: share,
    signal: "failing",
    description: "Share of the WebSocket handshakes of one run that were accepted.",
  },
  websocket_handshake_time: {
    unit: "seconds",
    signal: "slow",
    description: "From nothing to the accepted upgrade, the mean of the handshakes of one run.",
  },
  websocket_hold_time: {
    unit: "seconds",
    signal: "failing",
    description: "For how long a WebSocket stayed open that was to be held: as long as `hold` says, or until it ended.",
  },
  websocket_stage_time: {
    unit: "seconds",
    signal: "slow",
    description: "Time in one stage of the first WebSocket: dns, connect, tls, upgrade, and the steps of its script.",
    labels: ["stage"],
  },
  stream_first_event_time: {
    unit: "seconds",
    signal: "slow",
    description: "From nothing to the first event of a stream.",
  },
  stream_stage_time: {
    unit: "seconds",
    signal: "slow",
    description:
      "Time in one stage of a stream of server-sent events: dns, connect, tls, first_byte, and the steps of its script by their names.",
    labels: ["stage"],
  },
  data_age: {
    unit: "seconds",
    signal: "missing",
    description: "How old the stalest point is that the probe read: what it measured is as old, and not of now.",
  },
  vpc_connector_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "connector",
    resource: "capacity",
    scale: { high: 0.7, limit: 0.9 },
    description:
      "How near the VPC connector is to its ceiling: the worst of CPU, throughput and, where they are counted, connections.",
  },
  vpc_connector_cpu_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "connector",
    resource: "cpu",
    scale: { high: 0.7, limit: 0.9 },
    description: "CPU in use of the VPC connector's instances, the 99th percentile.",
  },
  vpc_connector_throughput: {
    unit: "bytes",
    signal: "saturated",
    role: "connector",
    description: "Bytes a second through the VPC connector, by direction: sent, received.",
    labels: ["direction"],
  },
  vpc_connector_connections: {
    unit: "count",
    signal: "saturated",
    role: "connector",
    description: "Client connections of the database behind the VPC connector, as Cloud SQL counts them.",
  },
  vpc_connector_instances: {
    unit: "count",
    signal: "saturated",
    limit: "vpc_connector_instance_limit",
    role: "connector",
    resource: "instances",
    description: "Instances of the VPC connector; it never scales in, so at the maximum alone says nothing.",
  },
  vpc_connector_instance_limit: {
    unit: "count",
    signal: "saturated",
    role: "connector",
    description: "Instances that the VPC connector may have at most.",
  },
  vpc_connector_health: {
    unit: "count",
    range: flag,
    signal: "failing",
    role: "connector",
    scale: { high: 0.5, limit: 0.5, below: true },
    description: "1 when the application calls its connector healthy, 0 otherwise.",
  },
  cloud_sql_up: {
    unit: "count",
    range: flag,
    signal: "failing",
    role: "database",
    scale: { high: 0.5, limit: 0.5, below: true },
    description: "1 when the server of the instance is up.",
  },
  cloud_sql_cpu_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "database",
    resource: "cpu",
    scale: { high: 0.85, limit: 0.95 },
    description: "CPU in use of the Cloud SQL instance.",
  },
  cloud_sql_memory_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "database",
    resource: "memory",
    scale: { high: 0.9, limit: 0.97 },
    description: "Memory in use of the Cloud SQL instance, caches not counted.",
  },
  cloud_sql_disk_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "database",
    resource: "disk",
    scale: { high: 0.9, limit: 0.97 },
    description: "Disk in use of the Cloud SQL instance.",
  },
  cloud_sql_disk_operations: {
    unit: "count",
    signal: "saturated",
    role: "database",
    description: "Disk operations a second of the Cloud SQL instance, by operation: read, write.",
    labels: ["operation"],
  },
  cloud_sql_connections: {
    unit: "count",
    signal: "saturated",
    role: "database",
    description: "Client connections of the Cloud SQL instance, of all its databases.",
  },
  cloud_sql_connection_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "database",
    resource: "connections",
    scale: { high: 0.8, limit: 0.95 },
    description: "Client connections of the Cloud SQL instance against `max_connections`, where the probe is told it.",
  },
  cloud_sql_new_connections: {
    unit: "count",
    signal: "saturated",
    role: "database",
    description: "Connections a second that were opened to the Cloud SQL instance.",
  },
  cloud_run_error_rate: {
    unit: "ratio",
    range: share,
    signal: "errors",
    ofRequests: true,
    scale: { high: 0.05, limit: 0.5 },
    description: "Share of the requests to a Cloud Run service that it answered with 5xx; absent without requests.",
  },
  cloud_run_request_rate: {
    unit: "count",
    signal: "saturated",
    description: "Requests a second to a Cloud Run service, by class: 2xx, 3xx, 4xx, 5xx.",
    labels: ["class"],
  },
  cloud_run_request_latency: {
    unit: "seconds",
    signal: "slow",
    ofRequests: true,
    description: "How long a Cloud Run service took to answer, the 95th percentile.",
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
    description:
      "How long instances of a Cloud Run service took to start, the 95th percentile; absent when none started.",
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
    description: "Share of their memory that instances of a Cloud Run service use, the 95th percentile.",
  },
  cloud_run_cpu_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "service",
    resource: "cpu",
    scale: { high: 0.85, limit: 0.98 },
    description: "Share of their CPU that instances of a Cloud Run service use, the 95th percentile.",
  },
  cloud_run_instance_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "service",
    resource: "instances",
    scale: { high: 0.85, limit: 1 },
    description: "Active instances of a Cloud Run service against the most that it may have.",
  },
  cloud_run_refused_requests: {
    unit: "count",
    signal: "errors",
    scale: { high: 1, limit: 10 },
    description: "Requests in one period that found no instance and were answered with 429, from a log-based metric.",
  },
  memorystore_memory_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "cache",
    resource: "memory",
    scale: { high: 0.8, limit: 1 },
    description:
      "Share of the memory for data that a Memorystore instance uses: at 100% it evicts keys or refuses writes.",
  },
  memorystore_system_memory_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "cache",
    resource: "memory",
    scale: { high: 0.8, limit: 1 },
    description: "Share of all its memory that a Memorystore instance uses, fragmentation and buffers included.",
  },
  memorystore_clients: {
    unit: "count",
    signal: "saturated",
    role: "cache",
    description: "Clients that are connected to a Memorystore instance.",
  },
  memorystore_client_utilization: {
    unit: "ratio",
    range: share,
    signal: "saturated",
    role: "cache",
    resource: "connections",
    scale: { high: 0.8, limit: 1 },
    description: "Connected clients of a Memorystore instance against the most that it takes.",
  },
  memorystore_rejected_connections: {
    unit: "count",
    signal: "errors",
    role: "cache",
    scale: { high: 1, limit: 10 },
    description: "Connections in one period that a Memorystore instance refused because it had too many clients.",
  },
  memorystore_evicted_keys: {
    unit: "count",
    signal: "saturated",
    role: "cache",
    description: "Keys in one period that a Memorystore instance evicted to make room.",
  },
  cloud_nat_dropped_packets: {
    unit: "count",
    signal: "errors",
    role: "nat",
    scale: { high: 1, limit: 1000 },
    description:
      "Packets to the internet that Cloud NAT dropped in one period, by reason: OUT_OF_RESOURCES is a want of ports.",
    labels: ["reason"],
  },
  cloud_nat_allocated_ports: {
    unit: "count",
    signal: "saturated",
    role: "nat",
    description: "Ports that a Cloud NAT gateway has given to all machines and instances.",
  },
  cloud_nat_port_usage: {
    unit: "count",
    signal: "saturated",
    role: "nat",
    description: "The most ports that one machine or instance uses of a Cloud NAT gateway.",
  },
  cloud_nat_port_utilization: {
    unit: "ratio",
    signal: "saturated",
    role: "nat",
    resource: "connections",
    scale: { high: 0.8, limit: 1 },
    description:
      "The most ports that one machine or instance uses of a Cloud NAT gateway, against those that it may have.",
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
    description: "Share of the primary addresses of a subnet that is in use.",
  },
  subnet_free_addresses: {
    unit: "count",
    signal: "saturated",
    role: "subnet",
    description: "Primary addresses of a subnet that are free.",
  },
  load_balancer_error_rate: {
    unit: "ratio",
    range: share,
    signal: "errors",
    ofRequests: true,
    scale: { high: 0.05, limit: 0.5 },
    description: "Share of the requests to the load balancer that were answered with 5xx; absent without requests.",
  },
  load_balancer_request_rate: {
    unit: "count",
    signal: "saturated",
    description:
      "Requests a second to the load balancer, by class: 2xx, 3xx, 4xx, 5xx. Google counts a sample of them.",
    labels: ["class"],
  },
  load_balancer_latency: {
    unit: "seconds",
    signal: "slow",
    ofRequests: true,
    description: "From the first byte of a request to the last of its answer, the 95th percentile.",
  },
  load_balancer_backend_latency: {
    unit: "seconds",
    signal: "slow",
    ofRequests: true,
    description: "How long the backends of the load balancer took to answer, the 95th percentile.",
  },
  cloud_monitoring_count: {
    unit: "count",
    range: anything,
    signal: "errors",
    description: "Any count that Cloud Monitoring has.",
    labels: ["name", "group"],
  },
  cloud_monitoring_ratio: {
    unit: "ratio",
    range: anything,
    signal: "saturated",
    description: "Any share that Cloud Monitoring has.",
    labels: ["name", "group"],
  },
  cloud_monitoring_seconds: {
    unit: "seconds",
    range: anything,
    signal: "slow",
    description: "Any duration that Cloud Monitoring has.",
    labels: ["name", "group"],
  },
  cloud_monitoring_bytes: {
    unit: "bytes",
    range: anything,
    signal: "saturated",
    description: "Any size that Cloud Monitoring has.",
    labels: ["name", "group"],
  },
  smd_phase_duration: {
    unit: "seconds",
    signal: "slow",
    description: "Duration of one of the 7 phases of the application's last start; phase 3 is the database.",
    labels: ["phase"],
  },
  golden_path_e2e_time: {
    unit: "seconds",
    signal: "slow",
    description: "The whole golden path, from login to the reply, where it was walked to its end.",
  },
  golden_path_success: {
    unit: "count",
    range: flag,
    signal: "failing",
    description: "1 when the golden path was walked to its end.",
  },
  golden_path_step_time: {
    unit: "seconds",
    signal: "slow",
    description: "One completed step of the golden path.",
    labels: ["step"],
  },
  golden_path_cleanup_success: {
    unit: "count",
    range: flag,
    signal: "failing",
    description: "1 when every clean-up step of the journey succeeded, 0 otherwise; absent where it has none.",
  },
  configuration_ok: {
    unit: "count",
    range: flag,
    signal: "configuration",
    description:
      "1 when a configuration check found what it expects, 0 when not, absent when it could not be made; `severity` says what it would mean.",
    labels: ["check", "resource", "severity"],
  },
  configuration_unchecked: {
    unit: "count",
    signal: "configuration",
    description: "Resources of which something could not be judged, because it could not be read or is not said.",
  },
  recent_changes: {
    unit: "count",
    signal: "configuration",
    description: "Changes of the environment that the audit logs hold of the time that the probe looks back.",
  },
  recent_error_entries: {
    unit: "count",
    signal: "errors",
    description: "Error entries that a probe has read from the logs of the environment, as many as it reads at most.",
  },
  heartbeat_age: {
    unit: "seconds",
    signal: "missing",
    description: "Time since the last report of something that reports to us by itself.",
  },
  service_health_incidents: {
    unit: "count",
    signal: "event",
    scale: { high: 1, limit: 1 },
    description: "Active service-health events of the region.",
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
