/** Plays a scenario: the environment as the timeline says, its probes on their schedules, and the real evaluator and notifier behind them. */

import { environmentDocument, stateCollection } from "../../functions/evaluate/commit/state-collection.ts";
import { decodeEnvironment, type KnownAlert } from "../../functions/evaluate/incident/state.ts";
import { byChannel, type Delivery, deliveries, parseDelivery } from "../../functions/notify/deliver/ledger.ts";
import type { Send } from "../../functions/notify/deliver/send.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import { nextTrigger, scheduleInterval } from "../../shared/config/schedule.ts";
import { incidentCollection } from "../../shared/documents/incident.ts";
import { type IncidentEvent, parseIncidentEvent } from "../../shared/messages/incident-event.ts";
import type { ProbeRequest } from "../../shared/messages/probe-request.ts";
import type { Report, Trigger, Vantage } from "../../shared/messages/report.ts";
import type { Fields } from "../../shared/ports.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { topics } from "../../shared/topology.ts";
import { VirtualWorld, type WorldOptions } from "../virtual/world.ts";
import type { OperatorAction } from "./effect.ts";
import { Environment } from "./environment.ts";
import type { Scenario } from "./file/load.ts";

/** Result of a scenario; instants in milliseconds since the epoch. */
export interface Played {
  readonly scenario: Scenario;
  /** All published incident events, each once, in order of publication. */
  readonly events: readonly IncidentEvent[];
  /** Every incident, oldest first, with each version of its document. */
  readonly incidents: readonly PlayedIncident[];
  /** Every change of an alert. */
  readonly alerts: readonly AlertChange[];
  /** The ledger of deliveries, in the order in which they were planned. */
  readonly deliveries: readonly Delivery[];
  /** Violated invariants. */
  readonly mishaps: readonly string[];
}

/** One incident. */
export interface PlayedIncident {
  readonly id: string;
  /** As its document is at the end. */
  readonly fields: Fields;
  readonly versions: readonly { readonly at: number; readonly fields: Fields }[];
}

/** An alert that is something else from an instant on. */
export interface AlertChange {
  readonly at: number;
  readonly rule: string;
  readonly key: string;
  readonly status: "pending" | "firing" | "inactive";
}

/** Options for playing a scenario. */
export type PlayOptions = Pick<WorldOptions, "between" | "arrivals" | "onDelivery"> & {
  /** When copies of a report arrive, in milliseconds after it would have. @default once, at once */
  readonly reportArrivals?: (report: Report) => readonly number[];
  /** Duration after its end, in milliseconds. @default 0 */
  readonly after?: number;
};

/** Plays a scenario to its end. */
export async function play(scenario: Scenario, options: PlayOptions = {}): Promise<Played> {
  const stage = new Stage(scenario, options);
  return stage.play();
}

const minute = 60_000;
/** Delay of a request to run probes, in milliseconds. */
const requestDelay = 1_000;

class Stage {
  readonly #scenario: Scenario;
  readonly #options: PlayOptions;
  readonly #environment: Environment;
  readonly #world: VirtualWorld;
  readonly #events = new Map<string, IncidentEvent>();
  readonly #versions = new Map<string, { at: number; fields: Fields }[]>();
  readonly #alerts: AlertChange[] = [];
  readonly #answered = new Set<string>();
  #known: Readonly<Record<string, KnownAlert>> = {};

  constructor(scenario: Scenario, options: PlayOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#environment = new Environment(scenario);
    this.#world = new VirtualWorld({
      ...options,
      configuration: scenario.plan.configuration,
      plan: scenario.plan,
      start: scenario.start,
      knowsPublication: false,
      send: this.#send,
      onRequest: (request, at) => this.#answer(request, at),
      onPublished: (topic, data) => {
        if (topic !== topics.notifications) return;
        const event = parseIncidentEvent(data);
        const key = `${event.incident}:${event.sequence}`;
        if (!this.#events.has(key)) this.#events.set(key, event);
      },
      onWritten: (collection, id, fields, at) => this.#written(collection, id, fields, at),
    });
  }

  async play(): Promise<Played> {
    const { plan, start, until, actions } = this.#scenario;
    const end = start + until + (this.#options.after ?? 0);
    for (const [group, probes] of Map.groupBy(plan.configuration.probes, (probe) => probe.group)) {
      this.#schedule(group, probes, start - 1, 0, end);
    }
    for (let at = Math.ceil(start / minute) * minute; at <= end; at += minute) this.#world.tick(at);
    for (const { at, action } of actions) this.#world.at(start + at, () => this.#do(action, start + at));
    await this.#world.run(end);
    const stored = await this.#world.store.query({ collection: deliveries, limit: 100_000 });
    const ledger = byChannel(stored.flatMap(({ fields }) => parseDelivery(fields) ?? []));
    return {
      scenario: this.#scenario,
      events: [...this.#events.values()],
      incidents: [...this.#versions]
        .map(([id, versions]) => ({ id, versions, fields: versions.at(-1)?.fields ?? {} }))
        .sort((a, b) => instantOf(a.fields, "opened_at") - instantOf(b.fields, "opened_at")),
      alerts: this.#alerts,
      deliveries: ledger.sort((a, b) => a.planned_at.getTime() - b.planned_at.getTime() || a.sequence - b.sequence),
      mishaps: this.#world.mishaps,
    };
  }

  /** The runs of a group, one after the other. */
  #schedule(group: string, probes: readonly ConfiguredProbe[], after: number, run: number, end: number): void {
    const [first] = probes;
    if (first === undefined) return;
    const at = nextRun(first.schedule, after);
    if (at === undefined || at > end) return;
    this.#world.at(at, () => {
      this.#run(group, first.vantage, probes, at, run, "schedule");
      this.#schedule(group, probes, at, run + 1, end);
    });
  }

  #run(
    group: string,
    vantage: Vantage,
    probes: readonly ConfiguredProbe[],
    at: number,
    run: number | undefined,
    trigger: Trigger,
    request?: string,
  ): void {
    const { start, plan } = this.#scenario;
    const { environment } = plan.configuration;
    const shown = probes.map((probe) => this.#environment.look(probe, at - start, run));
    const results = shown.flatMap(({ result }) => result ?? []);
    if (results.length === 0) return;
    const finished = at + Math.max(...shown.map(({ durationMs }) => durationMs));
    const unhealthy = this.#environment.unhealthy(vantage, at - start);
    const report: Report = {
      v: 1,
      report: `${environment}/${group}/${request ?? iso(at).replace(".000Z", "Z")}`,
      environment,
      vantage,
      group,
      trigger,
      started_at: iso(at),
      finished_at: iso(finished),
      results,
      ...(request === undefined ? {} : { request }),
      ...(unhealthy === undefined ? {} : { prober_unhealthy: unhealthy }),
    };
    const delays = shown.find((one) => one.delays !== undefined)?.delays ?? [0];
    for (const delay of delays) {
      for (const more of this.#options.reportArrivals?.(report) ?? [0])
        this.#world.report(report, finished + delay + more);
    }
  }

  /** Probes that were asked for run at once, once for each request, as the probe function answers repeats with the same report. */
  #answer(request: ProbeRequest, at: number): void {
    const key = `${request.vantage} ${request.request ?? at}`;
    if (this.#answered.has(key)) return;
    this.#answered.add(key);
    const probes = this.#scenario.plan.configuration.probes.filter(
      ({ name, vantage, group }) =>
        vantage === request.vantage && (request.probes?.includes(name) ?? group === request.group),
    );
    this.#world.at(at + requestDelay, () =>
      this.#run(request.group, request.vantage, probes, at + requestDelay, undefined, request.trigger, request.request),
    );
  }

  async #do(action: OperatorAction, at: number): Promise<void> {
    const { store } = this.#world;
    switch (action.action) {
      case "restart":
        this.#world.restart();
        return;
      case "change": {
        const { component, what, agoMs } = action;
        this.#world.change({ component, what, at: iso(at - agoMs) }, at);
        return;
      }
      case "silence": {
        const { scope, name, forMs, reason } = action;
        await store.set("silences", `silence-${at}-${scope}`, {
          [scope]: name,
          from: new Date(at),
          until: new Date(at + forMs),
          reason,
        });
        return;
      }
      case "edit": {
        const silenced = action.silenceMs === undefined ? {} : { silenced_until: new Date(at + action.silenceMs) };
        for (const { id, fields } of await store.query({ collection: incidentCollection, limit: 1000 })) {
          if (fields["status"] === "resolved") continue;
          await store.update(incidentCollection, id, { ...action.fields, ...silenced });
        }
      }
    }
  }

  #written(collection: string, id: string, fields: Fields, at: number): void {
    if (collection === incidentCollection) {
      const versions = this.#versions.get(id) ?? [];
      versions.push({ at, fields });
      this.#versions.set(id, versions);
    }
    if (collection !== stateCollection || id !== environmentDocument) return;
    const { alerts } = decodeEnvironment(fields);
    for (const [key, { rule, status }] of Object.entries(alerts)) {
      if (ownEntry(this.#known, key)?.status !== status) this.#alerts.push({ at, key, rule, status });
    }
    for (const [key, { rule }] of Object.entries(this.#known)) {
      if (ownEntry(alerts, key) === undefined) this.#alerts.push({ at, key, rule, status: "inactive" });
    }
    this.#known = alerts;
  }

  /** Channels accept what they are sent, unless the timeline says otherwise. */
  readonly #send: Send = async (outgoing, now) => {
    const accepted = { status: outgoing.transport === "smtp" ? 250 : 200, headers: {}, body: "accepted" };
    if (!this.#scenario.phases.some(({ effect }) => effect.what === "answer")) return accepted;
    const sending = await this.#world.store.query({ collection: deliveries, where: [["status", "==", "sending"]] });
    const payload = JSON.stringify(outgoing);
    const channel = sending.find(({ fields }) => fields["payload"] === payload)?.fields["channel"];
    const status = this.#environment.answer(String(channel), now - this.#scenario.start);
    if (status === undefined) return accepted;
    if (status === 0) return { error: "the connection was refused", code: "ECONNREFUSED" };
    return { status, headers: {}, body: "as the timeline says" };
  };
}

/** The first run after an instant, both in milliseconds since the epoch; `undefined` when there is none. */
function nextRun(schedule: string, after: number): number | undefined {
  const interval = scheduleInterval(schedule);
  // Intervals divide a day evenly, and so does midnight.
  return interval === undefined ? nextTrigger(schedule, after) : (Math.floor(after / interval) + 1) * interval;
}

/** An instant of a document, in milliseconds since the epoch; not a number where there is none. */
export function instantOf(fields: Fields, name: string): number {
  const value = ownEntry(fields, name);
  return value instanceof Date ? value.getTime() : Number.NaN;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
