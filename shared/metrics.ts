/** The catalogue of metrics: one place that says what each means, in which unit, and which kind of probe yields it. */
import type { Unit } from "./units.ts";

/** What a metric is. */
export interface Metric {
  readonly unit: Unit;
  readonly description: string;
  /** Kinds of probe that yield it; empty for those that every probe yields. */
  readonly probers: readonly string[];
  /** Labels that it carries besides `probe`, `component` and `vantage`. */
  readonly labels?: readonly string[];
}

/** Every metric that Pathkeeper knows, by name. */
export const metrics = {
  probe_success: { unit: "count", description: "1 when the probe succeeded, 0 when it failed.", probers: [] },
  probe_duration: { unit: "seconds", description: "How long the whole probe took.", probers: [] },

  http_response_time: {
    unit: "seconds",
    description: "From the start of the first request to the last byte of the last body, redirects included.",
    probers: ["http"],
  },
  http_status: { unit: "count", description: "Status code of the last response.", probers: ["http"] },
  http_phase_time: {
    unit: "seconds",
    description: "Time in one phase of the last request: dns, connect, tls, first_byte, body.",
    probers: ["http"],
    labels: ["phase"],
  },
  http_body_size: { unit: "bytes", description: "Bytes of the decoded body that were read.", probers: ["http"] },
  tls_certificate_expiry: {
    unit: "seconds",
    description: "Time until the first certificate of the verified chain expires.",
    probers: ["http"],
  },

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
    description: "Share of simultaneous fresh connections that were established and authenticated.",
    probers: ["postgres"],
  },
  database_connect_burst_time: {
    unit: "seconds",
    description: "Time until the slowest successful connection of the burst was ready.",
    probers: ["postgres"],
  },
  database_connections: {
    unit: "count",
    description: "Client connections of the server in use, this probe's own not counted.",
    probers: ["postgres"],
  },
  database_connection_limit: {
    unit: "count",
    description: "Connections that the server allows ordinary users: max_connections less those it reserves.",
    probers: ["postgres"],
  },
  cloud_sql_pool_utilization: {
    unit: "ratio",
    description: "Connections of the application's role in use, against the size of its pool (`pool.size` + `pool.overflow`).",
    probers: ["postgres"],
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** Name of a metric of the catalogue. */
export type MetricName = keyof typeof metrics;

/** The metric of that name, or `undefined` where the catalogue has none. */
export function metricNamed(name: string): Metric | undefined {
  return Object.hasOwn(metrics, name) ? metrics[name as MetricName] : undefined;
}
