/** Collects the current state for the live view and the outcome: reports as they arrive, and documents. */

import { setTimeout as pause } from "node:timers/promises";
import { environmentDocument, stateCollection } from "../functions/evaluate/commit/state-collection.ts";
import { decodeEnvironment, type KnownAlert } from "../functions/evaluate/incident/state.ts";
import { byChannel, type Delivery, parseDelivery } from "../functions/notify/deliver/ledger.ts";
import type { Configuration } from "../shared/config/model.ts";
import { incidentCollection } from "../shared/documents/incident.ts";
import type { ProbeResult, Report } from "../shared/messages/report.ts";
import { metricNamed } from "../shared/metrics/catalogue.ts";
import type { Fields, Store } from "../shared/ports.ts";
import { formatValue } from "../shared/text/units.ts";
import type { RecurringFailure } from "./failures.ts";
import type {
  ComponentState,
  DeliveryState,
  ViewComponent,
  ViewDelivery,
  ViewIncident,
  ViewSnapshot,
} from "./view/snapshot.ts";

/** Everything of a snapshot that only the main process knows. */
export interface Surroundings {
  readonly at: number;
  readonly elapsedMs: number;
  readonly headline?: { readonly text: string; readonly nextInMs: number };
  readonly messages: number;
  /** Current failures of this machine. */
  readonly failures: readonly string[];
  readonly hints: readonly string[];
}

/** Metrics of which one stands for a component, the most relevant first. */
const keyMetrics = [
  "vpc_connector_utilization",
  "database_connection_time",
  "websocket_handshake_time",
  "golden_path_e2e_time",
  "http_response_time",
  "tls_certificate_expiry",
  "heartbeat_age",
  "probe_duration",
];
const newestIncidents = 20;
const newestDeliveries = 100;

/** Gathers what there is to show. */
export class Watch {
  readonly #configuration: Configuration;
  readonly #store: Store;
  readonly #results = new Map<string, ProbeResult>();
  readonly #reports = new Set<string>();
  readonly #since = new Map<string, { state: ComponentState; since: number }>();
  #alerts: readonly KnownAlert[] = [];
  #incidents: readonly { id: string; fields: Fields }[] = [];
  #deliveries: readonly ViewDelivery[] = [];
  #refreshing: Promise<void> | undefined;

  constructor(configuration: Configuration, store: Store) {
    this.#configuration = configuration;
    this.#store = store;
  }

  /** Takes note of a report that passed. */
  see(report: Report): void {
    // It only proves that the way is open.
    if (report.trigger === "canary") return;
    this.#reports.add(report.report);
    if (report.trigger === "diagnosis") return;
    for (const result of report.results) {
      const known = this.#results.get(result.probe);
      if (!known || known.at <= result.at) this.#results.set(result.probe, result);
    }
  }

  /**
   * Reads the documents again, one read at a time, and waits no longer than `withinMs` or until `signal`: a store that answers late or fails holds
   * up nothing. Failures go to `failure`.
   */
  async refresh(withinMs: number, failure: RecurringFailure, signal: AbortSignal): Promise<void> {
    this.#refreshing ??= this.#read()
      .then(failure.end, failure.begin)
      .finally(() => {
        this.#refreshing = undefined;
      });
    await Promise.race([this.#refreshing, pause(withinMs, undefined, { signal }).catch(() => {})]);
  }

  async #read(): Promise<void> {
    const newest = (collection: string, field: string, limit: number): ReturnType<Store["query"]> =>
      this.#store.query({ collection, orderBy: { field, direction: "desc" }, limit });
    const [environment, incidents, deliveries] = await Promise.all([
      this.#store.get(stateCollection, environmentDocument),
      newest(incidentCollection, "opened_at", newestIncidents),
      newest("deliveries", "planned_at", newestDeliveries),
    ]);
    this.#alerts = Object.values(decodeEnvironment(environment).alerts);
    this.#incidents = incidents;
    this.#deliveries = byChannel(deliveries.flatMap(({ fields }) => parseDelivery(fields) ?? []))
      .map(deliveryOf)
      .reverse();
  }

  /** The incidents as they stood at the last refresh, newest first. */
  get incidents(): readonly { readonly id: string; readonly fields: Fields }[] {
    return this.#incidents;
  }

  /** True if every probe of the configuration has reported. */
  get complete(): boolean {
    return this.#configuration.probes.every(({ name }) => this.#results.has(name));
  }

  /** All that is shown at this instant. */
  snapshot(around: Surroundings): ViewSnapshot {
    const { title, timezone, components } = this.#configuration;
    const [shown] = this.#incidents;
    return {
      title,
      timezone,
      at: around.at,
      elapsedMs: around.elapsedMs,
      ...(around.headline === undefined ? {} : { headline: around.headline }),
      components: components.map(({ name }) => this.#component(name, around.at)),
      ...(shown === undefined ? {} : { incident: this.#incident(shown.id, shown.fields) }),
      deliveries: this.#deliveries.filter(({ state }) => state !== "suppressed"),
      failures: around.failures,
      traffic: { reports: this.#reports.size, messages: around.messages },
      hints: around.hints,
    };
  }

  #component(name: string, now: number): ViewComponent {
    const title = this.#configuration.components.find((component) => component.name === name)?.title ?? name;
    const results = [...this.#results.values()].filter((result) => result.component === name && !result.pending);
    const failed = results.find(({ success }) => !success);
    const alert = this.#alerts.find(({ component, status }) => component === name && status === "firing");
    const measured = results.length > 0 ? results : this.#measuredFor(name);
    const state: ComponentState =
      failed !== undefined ? "failing" : alert !== undefined ? "degraded" : measured.length > 0 ? "ok" : "unknown";
    const figure = failed?.failure?.message ?? alert?.seen ?? figureOf(measured);
    const known = this.#since.get(name);
    const since = known?.state === state ? known.since : now;
    this.#since.set(name, { state, since });
    return { title, state, since, figure };
  }

  /** The state of a component without probes follows from the metrics in its rules, whichever probe measures them. */
  #measuredFor(name: string): Pick<ProbeResult, "measurements">[] {
    const conditions = this.#configuration.rules
      .filter(({ component }) => component === name)
      .map(({ condition }) => condition);
    const measurements = [...this.#results.values()]
      .flatMap((result) => result.measurements)
      .filter(({ metric }) => conditions.some((condition) => condition.includes(metric)));
    return measurements.length > 0 ? [{ measurements }] : [];
  }

  #incident(id: string, fields: Fields): ViewIncident {
    const rootCause = String(fields["root_cause"]);
    const component = this.#configuration.components.find(({ name }) => name === rootCause);
    const resolvedAt = fields["resolved_at"];
    return {
      id,
      title: String(fields["title"]),
      status: fields["status"] as ViewIncident["status"],
      severity: fields["severity"] as ViewIncident["severity"],
      rootCause: component?.title ?? rootCause,
      verdict: fields["verdict"] as ViewIncident["verdict"],
      confidence: Number(fields["confidence"]),
      impact: String(fields["impact"]),
      openedAt: instantOf(fields["opened_at"]),
      ...(resolvedAt instanceof Date ? { resolvedAt: resolvedAt.getTime() } : {}),
      evidence: fields["evidence"] as readonly string[],
      timeline: (fields["timeline"] as readonly string[]).map(timelineEntry),
    };
  }
}

/** The figure that stands for a component that does well. */
function figureOf(results: readonly Pick<ProbeResult, "measurements">[]): string {
  const measured = results.flatMap(({ measurements }) => measurements);
  for (const name of keyMetrics) {
    const found = measured.find(({ metric }) => metric === name);
    const unit = metricNamed(name)?.unit;
    if (found && unit) return formatValue(found.value, unit);
  }
  return "";
}

function deliveryOf({ incident, channel, event, status, planned_at, delivered_at }: Delivery): ViewDelivery {
  return { at: (delivered_at ?? planned_at).getTime(), channel, incident, event, state: deliveryState(status) };
}

function deliveryState(status: Delivery["status"]): DeliveryState {
  if (status === "delivered" || status === "suppressed") return status;
  return status === "rejected" ? "failed" : "waiting";
}

/** A line of the timeline, as documents have it: `2025-09-16 12:04:10 UTC  text`. */
function timelineEntry(line: string): { at: number; text: string } {
  const at = Date.parse(`${line.slice(0, 10)}T${line.slice(11, 19)}Z`);
  return { at, text: line.slice(23).trim() };
}

function instantOf(value: unknown): number {
  return value instanceof Date ? value.getTime() : 0;
}
