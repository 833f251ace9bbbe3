/** A synthetic environment of any size, its reports, and stores that count operations or add latency. */
import { setTimeout as pause } from "node:timers/promises";
import type { ReportRecord } from "../cli/replay/record.ts";
import { evaluateHandler } from "../functions/evaluate/handler.ts";
import { planOf } from "../functions/evaluate/plan.ts";
import { MemoryPublisher, MemoryStore } from "../shared/adapters/memory.ts";
import type { Configuration } from "../shared/config/model.ts";
import type { Report } from "../shared/messages/report.ts";
import type { Fields, Store, Transaction } from "../shared/ports.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { readingBy } from "../tests/support/transactions.ts";

const noon = Date.UTC(2025, 8, 16, 12);
const minute = 60_000;

/** Size of the environment. */
export interface Size {
  readonly groups: number;
  readonly seriesEach: number;
  readonly rules: number;
}

/** Name of a group. */
export function groupOf(group: number): string {
  return `group-${group}`;
}

/** Series of one probe: a time for each of so many phases. */
const phases = 10;

/** An environment in which every probe yields ten series, and each rule evaluates all of them. */
export function environmentOf({ groups, seriesEach, rules }: Size): Configuration {
  return {
    environment: "bench",
    title: "Bench",
    timezone: "Etc/UTC",
    components: [{ name: "backend", title: "Backend", layer: "application", dependsOn: [] }],
    probes: Array.from({ length: groups }, (_, group) =>
      Array.from({ length: Math.ceil(seriesEach / phases) }, (_, index) => ({
        name: probeOf(group, index),
        kind: "http",
        component: "backend",
        vantage: "outside" as const,
        schedule: "every 1m",
        group: groupOf(group),
        timeoutMs: 10_000,
        alert: false as const,
        settings: {},
      })),
    ).flat(),
    rules: Array.from({ length: rules }, (_, index) => ({
      name: `Slow ${index}`,
      condition: `http_phase_time > ${index + 1}s`,
      alertDurationMs: 2 * minute,
      clearDurationMs: 2 * minute,
      severity: "warning" as const,
      missing: "keep" as const,
    })),
    baselines: [],
    recovery: { stages: [] },
    channels: [],
    routes: [],
  };
}

/** An environment with a status page that shows twelve components. */
export const pageEnvironment: Configuration = {
  ...environmentOf({ groups: 0, seriesEach: 0, rules: 0 }),
  components: Array.from({ length: 12 }, (_, index) => ({
    name: `service-${index}`,
    title: `Service ${index}`,
    layer: "application" as const,
    dependsOn: [],
  })),
  channels: [{ name: "page", kind: "status_page", settings: { bucket: "bench-status" } }],
};

/** Returns a report of a group, in which this share of the series violates every rule. */
export function reportOf(group: string, number: number, series: number, round: number, firing: number): Report {
  const start = noon + round * minute;
  const instant = (ms: number): string => new Date(ms).toISOString();
  return {
    v: 1,
    report: `bench/${group}/${instant(start)}`,
    environment: "bench",
    vantage: "outside",
    group,
    trigger: "schedule",
    started_at: instant(start),
    finished_at: instant(start + 2_000),
    results: Array.from({ length: Math.ceil(series / phases) }, (_, probe) => ({
      probe: probeOf(number, probe),
      component: "backend",
      at: instant(start + probe),
      success: true,
      measurements: Array.from({ length: Math.min(phases, series - probe * phases) }, (__, phase) => ({
        metric: "http_phase_time",
        value: measuredValue(probe * phases + phase, round, firing * series),
        labels: { phase: `phase-${phase}` },
      })),
    })),
  };
}

/** Bad for the first so many series. Values never repeat, like real measurements. */
function measuredValue(index: number, round: number, bad: number): number {
  const noise = ((index * 7919 + round * 104_729) % 1_000_003) / 1_000_003;
  return index < bad ? 60 + noise : 0.2 + noise / 2;
}

/** The evaluator over a store, as a function that takes reports. */
export function start(configuration: Configuration, store: Store): (report: Report) => Promise<void> {
  const ports = { store, publisher: new MemoryPublisher(), clock: { now: () => noon }, logger: silentLogger };
  const handle = evaluateHandler(ports, planOf(configuration), { watchesItself: false });
  return (data) =>
    handle(
      { messageId: "", publishedAt: Date.parse(data.finished_at), attributes: {}, data, subscription: "" },
      "/measurements",
    );
}

/** Counts reads and writes. */
export class CountingStore extends MemoryStore {
  reads = 0;
  writes = 0;
  /** Of the last document written. */
  bytes = 0;

  reset(): void {
    this.reads = 0;
    this.writes = 0;
  }

  override transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    return super.transaction((inner) =>
      body({
        get: (collection, id) => {
          this.reads += 1;
          return inner.get(collection, id);
        },
        set: (collection, id, fields) => {
          this.writes += 1;
          this.bytes = Buffer.byteLength(JSON.stringify(fields));
          inner.set(collection, id, fields);
        },
        create: (collection, id, fields) => {
          this.writes += 1;
          inner.create(collection, id, fields);
        },
        update: (collection, id, fields) => {
          this.writes += 1;
          this.bytes = Buffer.byteLength(JSON.stringify(fields));
          inner.update(collection, id, fields);
        },
        delete: (collection, id) => {
          this.writes += 1;
          inner.delete(collection, id);
        },
      }),
    );
  }
}

/** Adds so many milliseconds to every read and every commit, as in a store in the same region. */
export class SlowStore extends MemoryStore {
  readonly #milliseconds: number;

  constructor(milliseconds: number) {
    super();
    this.#milliseconds = milliseconds;
  }

  override async get(collection: string, id: string): Promise<Fields | undefined> {
    await pause(this.#milliseconds);
    return super.get(collection, id);
  }

  override async transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    const milliseconds = this.#milliseconds;
    const result = await super.transaction((inner) => {
      const get = async (collection: string, id: string): Promise<Fields | undefined> => {
        await pause(milliseconds);
        return inner.get(collection, id);
      };
      return body(readingBy(inner, get));
    });
    await pause(milliseconds);
    return result;
  }
}

/** Reports as a record that can be replayed. */
export function recordOf(reports: readonly Report[]): ReportRecord {
  return {
    count: reports.length,
    foreign: 0,
    holdsValidations: false,
    lastAt: Date.parse(reports.at(-1)?.finished_at ?? ""),
    reports: () => reports,
  };
}

function probeOf(group: number, index: number): string {
  return `probe-${group}-${index}`;
}
