/**
 * How bad something is. A rule knows its value and its limit, so that how far it is beyond needs no history: the margin is how many times as bad
 * as allowed, and the strength its share of what is too much, 1 - 1/margin: 0 at the limit, a half at twice the limit, 0.95 at twenty times.
 */

import type { Signal } from "../../../shared/messages/report.ts";
import type { MetricName } from "../../../shared/metrics/catalogue.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Excess } from "../condition/series.ts";

/** The least share that is told apart from none: an objective of a thousandth is the strictest that probes each minute can show. */
const leastShare = 0.001;

/**
 * How many times as bad as allowed a value is, at least 1. Of a ratio that may be at most so much, what counts is how much room is left; of
 * one that must be at least so much, how much is missing.
 */
export function marginOf({ value, limit, unit, above }: Excess, signal?: Signal): number {
  const room = (share: number): number => Math.max(leastShare, 1 - Math.min(1, share));
  const least = Math.max(Math.abs(limit) * leastShare, leastShare);
  let margin: number;
  if (unit === "ratio" && !above) margin = room(value) / room(limit);
  else if (unit === "ratio" && limit < 1 && signal !== "errors") margin = room(limit) / room(value);
  else margin = above ? value / Math.max(limit, least) : limit / Math.max(value, least);
  return Number.isFinite(margin) ? Math.max(1, margin) : 1;
}

/** The strength of a margin, from 0 to 1. */
export function strengthOf(margin: number): number {
  return 1 - 1 / Math.max(1, margin);
}

/** Metrics of which unit and direction do not say what a rule about them is about. */
const about: Readonly<Partial<Record<string, Signal>>> = {
  probe_success: "failing",
  http_status: "failing",
  websocket_connection_success: "failing",
  golden_path_success: "failing",
  cloud_sql_up: "failing",
  vpc_connector_health: "failing",
  database_connect_burst_success: "errors",
  cloud_run_error_rate: "errors",
  load_balancer_error_rate: "errors",
  failed_startups: "errors",
  tls_certificate_expiry: "certificate",
  tls_leaf_certificate_expiry: "certificate",
  configuration_ok: "configuration",
  heartbeat_age: "missing",
  data_age: "missing",
  service_health_incidents: "event",
} satisfies Partial<Record<MetricName, Signal>>;

/** What a rule is about, where its configuration does not say it: what the metric says, else the unit and the direction. */
export function signalOf(metrics: readonly string[], excess: Pick<Excess, "unit" | "above"> | undefined): Signal {
  const told = metrics.map((name) => ownEntry(about, name)).find((signal) => signal !== undefined);
  if (told !== undefined || excess === undefined) return told ?? "failing";
  const { unit, above } = excess;
  if (unit === "seconds") return above ? "slow" : "missing";
  if (unit === "ratio") return above ? "saturated" : "errors";
  return unit === "bytes" ? "saturated" : "errors";
}

/** How much likelier each component's trouble makes a cause that explains it: e to this power. Parts that break together by chance are rare. */
export const perComponent = 3.2;

/**
 * How much an alarm tells, from 0 to 1: what was often as bad before is likely to be so by chance again.
 * @param badBefore of the last 20 measurements before it began
 */
export function tellingOf({ badBefore = 0 }: { readonly badBefore?: number }): number {
  const byChance = (badBefore + 0.5) / 21;
  return Math.min(1, -Math.log(byChance) / perComponent);
}
