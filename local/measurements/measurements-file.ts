/**
 * The measurements of one machine in a SQLite file of bounded size: raw for two days, as minutes for seven, as hours for ninety. The current hour
 * stands in rows; each hour that is over is packed into chunks, from which minutes and hours are rolled up exactly while it is still raw.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Tables } from "../../shared/adapters/sqlite-file.ts";
import type { Report } from "../../shared/messages/report.ts";
import {
  packRollups,
  packSamples,
  type Rollup,
  rollUp,
  rollUpAgain,
  type Sample,
  unpackRollups,
  unpackSamples,
} from "./chunk.ts";
import { type Measurements, type Points, partLength, type SeriesName, type Span } from "./measurements.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Stored resolutions: the interval (0: raw), the time span of a chunk, and the retention. Milliseconds. */
const raw = { step: 0, chunk: hour, keep: 2 * day } as const;
const minutes = { step: minute, chunk: hour, keep: 7 * day } as const;
const hours = { step: hour, chunk: day, keep: 90 * day } as const;

/** Delay after the end of an hour before it is packed, because results can be late. */
const latenessMs = 10 * minute;
/** Number of series of an hour packed per report, so that no report waits long. */
const packedAtOnce = 100;
/** The most series; labels come from outside. */
const maxSeries = 20_000;
const maxBytes = 512 * 1024 * 1024;

/** The tables of such a file. */
export const measurementTables: Tables = new Map([
  ["series", { columns: ["id", "component", "probe", "metric", "labels"], json: "labels" }],
]);

/** Options of the file. */
export interface MeasurementsFileOptions {
  /** Maximum size of the file. @default 512 MiB */
  readonly maxBytes?: number;
  /** Only read it. @default false */
  readonly readOnly?: boolean;
}

/** An open file. */
export class MeasurementsFile implements Measurements {
  readonly #database: DatabaseSync;
  readonly #maxBytes: number;
  readonly #ids = new Map<string, number>();
  readonly #names = new Map<number, SeriesName>();
  readonly #statements = new Map<string, StatementSync>();
  /** Series whose closed hours are to be packed, and until when everything is. */
  #due: number[] = [];
  #packedUntil = 0;

  /** Opens `file`, or makes it. @throws Error when it cannot be opened, or is no database */
  constructor(file: string, { maxBytes: limit = maxBytes, readOnly = false }: MeasurementsFileOptions = {}) {
    this.#maxBytes = limit;
    this.#database = new DatabaseSync(file, { readOnly });
    if (!readOnly)
      this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, component TEXT NOT NULL, probe TEXT NOT NULL, metric TEXT NOT NULL, labels TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS recent (series INTEGER, at INTEGER, value REAL, PRIMARY KEY (series, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks (series INTEGER, step INTEGER, at INTEGER, data BLOB NOT NULL, PRIMARY KEY (series, step, at)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chunks_by_age ON chunks (step, at);`);
    this.#readNames();
  }

  /**
   * Keeps what a report measured. What is kept already is not kept again.
   * @throws Error when the file cannot be written
   */
  record({ trigger, results }: Report, now: number): void {
    if (trigger === "canary" || trigger === "diagnosis") return;
    this.#transaction(() => {
      const insert = this.#prepare("INSERT OR IGNORE INTO recent (series, at, value) VALUES (?, ?, ?)");
      for (const { component, probe, at, pending, measurements } of results) {
        if (pending) continue;
        const instant = Date.parse(at);
        for (const { metric, value, labels } of measurements) {
          const id = Number.isFinite(value) ? this.#idOf({ component, probe, metric, labels }) : undefined;
          // Points older than the packed hours, or from a wrong clock, are dropped.
          if (id !== undefined && instant > now - raw.keep && instant <= now + minute) insert.run(id, instant, value);
        }
      }
      this.#pack(now);
    });
  }

  async series(component?: string): Promise<readonly SeriesName[]> {
    // Another process may have added some.
    this.#readNames();
    const all = [...this.#names.values()];
    return component === undefined ? all : all.filter((name) => name.component === component);
  }

  async read(name: SeriesName, span: Span): Promise<Points> {
    const id = this.#ids.get(keyOf(name));
    if (id === undefined) return { at: [], p50: [], p95: [] };
    const newest = this.#newest(id, span.until);
    const age = newest - span.from;
    const length = partLength(span, age > minutes.keep ? hours.step : age > raw.keep ? minutes.step : 0);
    const parts =
      age > raw.keep
        ? rollUpAgain(this.#rolledUp(id, age > minutes.keep ? hours : minutes, span), length)
        : rollUp([...this.#packed(id, span), ...this.#recent(id, span)], length);
    return { at: parts.map(({ at }) => at), p50: parts.map(({ p50 }) => p50), p95: parts.map(({ p95 }) => p95) };
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** The newest instant of which anything is kept, not later than `until`: the age of what is asked for is counted from there. */
  #newest(id: number, until: number): number {
    const recent = this.#prepare("SELECT MAX(at) AS at FROM recent WHERE series = ?").get(id)?.["at"];
    const chunk = this.#prepare("SELECT MAX(at) AS at FROM chunks WHERE series = ? AND step = 0").get(id)?.["at"];
    const newest = recent ?? (typeof chunk === "number" ? chunk + hour : until);
    return Math.max(until, Number(newest));
  }

  #recent(id: number, { from, until }: Span): Sample[] {
    const select = this.#prepare("SELECT at, value FROM recent WHERE series = ? AND at >= ? AND at < ? ORDER BY at");
    return select.all(id, from, until).map(({ at, value }) => ({ at: Number(at), value: Number(value) }));
  }

  #packed(id: number, span: Span): Sample[] {
    return this.#chunks(id, raw, span)
      .flatMap(({ at, data }) => unpackSamples(data, at))
      .filter(({ at }) => at >= span.from && at < span.until);
  }

  #rolledUp(id: number, kind: typeof minutes | typeof hours, span: Span): Rollup[] {
    return [
      ...this.#chunks(id, kind, span).flatMap(({ at, data }) => unpackRollups(data, at, kind.step)),
      ...rollUp(this.#recent(id, span), kind.step),
    ].filter(({ at }) => at > span.from - kind.step && at < span.until);
  }

  #chunks(id: number, { step, chunk }: Kind, { from, until }: Span): { at: number; data: Uint8Array }[] {
    const select = this.#prepare(
      "SELECT at, data FROM chunks WHERE series = ? AND step = ? AND at > ? AND at < ? ORDER BY at",
    );
    return select
      .all(id, step, from - chunk, until)
      .map(({ at, data }) => ({ at: Number(at), data: data as Uint8Array }));
  }

  #pack(now: number): void {
    const closed = Math.floor((now - latenessMs) / hour) * hour;
    if (this.#due.length === 0) {
      if (closed <= this.#packedUntil) return;
      const due = this.#prepare("SELECT DISTINCT series FROM recent WHERE at < ?").all(closed);
      this.#due = due.map(({ series }) => Number(series));
    }
    for (const id of this.#due.splice(-packedAtOnce)) this.#packSeries(id, closed);
    if (this.#due.length > 0) return;
    this.#packedUntil = closed;
    this.#forget(now);
  }

  /** Packs the hours of a series that are over, with what had been packed of them already. */
  #packSeries(id: number, closed: number): void {
    const rows = this.#recent(id, { from: 0, until: closed, most: 1 });
    const put = this.#prepare("INSERT OR REPLACE INTO chunks (series, step, at, data) VALUES (?, ?, ?, ?)");
    for (const [start, fresh] of Map.groupBy(rows, ({ at }) => Math.floor(at / hour) * hour)) {
      const span = { from: start, until: start + hour, most: 1 };
      const known = new Map([...this.#packed(id, span), ...fresh].map((sample) => [sample.at, sample]));
      const samples = [...known.values()].sort((a, b) => a.at - b.at);
      put.run(id, raw.step, start, packSamples(samples, start));
      put.run(id, minutes.step, start, packRollups(rollUp(samples, minute), start, minute));
      const today = Math.floor(start / day) * day;
      const [chunk] = this.#chunks(id, hours, { from: today, until: today + 1, most: 1 }).filter(
        ({ at }) => at === today,
      );
      const others = chunk === undefined ? [] : unpackRollups(chunk.data, today, hour).filter(({ at }) => at !== start);
      const all = [...others, ...rollUp(samples, hour)].sort((a, b) => a.at - b.at);
      put.run(id, hours.step, today, packRollups(all, today, hour));
    }
    this.#prepare("DELETE FROM recent WHERE series = ? AND at < ?").run(id, closed);
  }

  /** Drops what is too old, and the oldest of the finest where the file is too large. */
  #forget(now: number): void {
    for (const { step, chunk, keep } of [raw, minutes, hours])
      this.#prepare("DELETE FROM chunks WHERE step = ? AND at < ?").run(step, now - keep - chunk);
    const remove = this.#prepare("DELETE FROM chunks WHERE step = ? AND at = ?");
    while (this.#usedBytes() > this.#maxBytes) {
      const [oldest] = [raw, minutes, hours].flatMap(({ step }) => {
        const at = this.#prepare("SELECT MIN(at) AS at FROM chunks WHERE step = ?").get(step)?.["at"];
        return typeof at === "number" ? [{ step, at }] : [];
      });
      if (oldest === undefined) break;
      remove.run(oldest.step, oldest.at);
    }
  }

  #usedBytes(): number {
    const pragma = (name: string): number => Number(Object.values(this.#prepare(`PRAGMA ${name}`).get() ?? {})[0]);
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  }

  #idOf(name: SeriesName): number | undefined {
    const key = keyOf(name);
    const known = this.#ids.get(key);
    if (known !== undefined || this.#ids.size >= maxSeries) return known;
    const insert = this.#prepare("INSERT INTO series (component, probe, metric, labels) VALUES (?, ?, ?, ?)");
    const { lastInsertRowid } = insert.run(name.component, name.probe, name.metric, labelsText(name.labels));
    this.#remember(Number(lastInsertRowid), name);
    return Number(lastInsertRowid);
  }

  #readNames(): void {
    const select = this.#prepare("SELECT id, component, probe, metric, labels FROM series WHERE id > ? ORDER BY id");
    for (const row of select.all(Math.max(0, ...this.#names.keys()))) {
      const labels = JSON.parse(String(row["labels"])) as Record<string, string>;
      const [component, probe, metric] = [String(row["component"]), String(row["probe"]), String(row["metric"])];
      this.#remember(Number(row["id"]), { component, probe, metric, labels });
    }
  }

  #remember(id: number, name: SeriesName): void {
    this.#ids.set(keyOf(name), id);
    this.#names.set(id, name);
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      // A full disk has rolled it back already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      // Names that were not written are not known.
      this.#ids.clear();
      this.#names.clear();
      this.#readNames();
      throw error;
    }
  }
}

type Kind = typeof raw | typeof minutes | typeof hours;

function keyOf({ component, probe, metric, labels }: SeriesName): string {
  return `${component}\n${probe}\n${metric}\n${labelsText(labels)}`;
}

function labelsText(labels: SeriesName["labels"]): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
}
