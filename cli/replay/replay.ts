/** A record through the real evaluator and notifier on virtual time: reports and ticks in, incidents, events and notices out. */

import type { Plan } from "../../functions/evaluate/plan.ts";
import { byChannel, type Delivery, deliveries, parseDelivery } from "../../functions/notify/deliver/ledger.ts";
import { incidentCollection } from "../../shared/documents/incident.ts";
import { type IncidentEvent, parseIncidentEvent } from "../../shared/messages/incident-event.ts";
import type { Report } from "../../shared/messages/report.ts";
import type { Stored } from "../../shared/ports.ts";
import { topics } from "../../shared/topology.ts";
import { VirtualWorld } from "../virtual/world.ts";
import type { ReportRecord } from "./record.ts";
import { RecordedValidations } from "./recorded-validations.ts";

/** A rehearsal, and who hears of it. */
export interface RehearsalOptions {
  readonly plan: Plan;
  readonly record: ReportRecord;
  /** End, in milliseconds since the epoch; later reports are skipped. @default the end of the record */
  readonly until?: number | undefined;
  readonly onEvent?: (event: IncidentEvent) => void;
  /** Called with each report. @param at milliseconds since the epoch */
  readonly onReport?: (done: number, at: number) => void;
}

/** Result of a replay. */
export interface Rehearsed {
  /** The documents of all incidents, oldest first. */
  readonly incidents: readonly Stored[];
  /** The ledger of deliveries, in the order of their events. */
  readonly deliveries: readonly Delivery[];
  /** Remarks, as sentences. */
  readonly remarks: readonly string[];
}

/** Plays a record: its reports in the order in which they were finished, and a tick with each whole minute from the first of them on. */
export async function rehearse({ plan, record, until, onEvent, onReport }: RehearsalOptions): Promise<Rehearsed> {
  const stage = new Stage(plan, record.holdsValidations, onEvent);
  const end = until ?? record.lastAt ?? 0;
  let done = 0;
  let nextTick = Number.POSITIVE_INFINITY;
  for (const report of record.reports()) {
    const at = Date.parse(report.finished_at);
    if (at > end) break;
    if (done === 0) nextTick = Math.ceil(at / minute) * minute;
    // A report that was finished with the minute comes before its tick.
    for (; nextTick < at; nextTick += minute) await stage.tick(nextTick);
    await stage.hear(report, at);
    done += 1;
    onReport?.(done, at);
  }
  for (; nextTick <= end; nextTick += minute) await stage.tick(nextTick);
  return stage.outcome();
}

const minute = 60_000;

/** The world, with the record in the place of the probes. */
class Stage {
  readonly #validations: RecordedValidations;
  readonly #world: VirtualWorld;

  constructor(plan: Plan, holdsValidations: boolean, onEvent: (event: IncidentEvent) => void = () => {}) {
    this.#validations = new RecordedValidations(holdsValidations);
    this.#world = new VirtualWorld({
      configuration: plan.configuration,
      plan,
      start: 0,
      // Missing or late reports in a record do not indicate a failure of the monitor.
      watchesItself: false,
      knowsPublication: false,
      onRequest: (request, at) => this.#validations.ask(request, at),
      onPublished: (topic, data) => {
        if (topic !== topics.notifications) return;
        const event = parseIncidentEvent(data);
        if (event.event === "regressed" || event.event === "resolved") this.#validations.withdraw(event.incident);
        onEvent(event);
      },
    });
  }

  async hear(report: Report, at: number): Promise<void> {
    if (report.trigger !== "validation") this.#world.report(report, at);
    await this.#world.run(at);
    for (const answer of this.#validations.answers(report, at)) this.#world.report(answer, at);
    await this.#world.run(at);
  }

  async tick(at: number): Promise<void> {
    this.#world.tick(at);
    await this.#world.run(at);
  }

  async outcome(): Promise<Rehearsed> {
    const { store, logged, mishaps } = this.#world;
    const ledger = await store.query({ collection: deliveries, limit: maxDocuments });
    const told = byChannel(ledger.flatMap(({ fields }) => parseDelivery(fields) ?? []));
    return {
      incidents: await store.query({ collection: incidentCollection, limit: maxDocuments }),
      deliveries: told.sort((a, b) => a.at.getTime() - b.at.getTime() || a.sequence - b.sequence),
      remarks: [
        ...[...logged].map(([message, times]) => (times === 1 ? message : `${message} (${times} times)`)),
        ...this.#validations.unproved(),
        ...mishaps,
      ],
    };
  }
}

/** More than any record that fits into memory makes. */
const maxDocuments = 1_000_000;
