/** Reads documents of the store and measurements for the control room. Each is read at most every few seconds, however many pages are open. */
import { createHash } from "node:crypto";
import { environmentDocument, stateCollection } from "../../functions/evaluate/commit/state-collection.ts";
import { decodeEnvironment } from "../../functions/evaluate/incident/state.ts";
import { type Account, readAccount } from "../../functions/evaluate/postmortem/account.ts";
import { shownDays } from "../../functions/notify/pages/view.ts";
import type { Component, Configuration } from "../../shared/config/model.ts";
import { availabilityCollection, type Day, monthOf, readDays } from "../../shared/documents/availability.ts";
import { incidentCollection } from "../../shared/documents/incident.ts";
import type { Store, Stored } from "../../shared/ports.ts";
import type { Measurements, Points } from "../measurements/measurements.ts";
import { type ChartData, type DrawnPanel, ranges, shadedIn } from "./pages/component-page.ts";
import { alertsBy, type Measured, type Overview, overviewOf, responseSeries } from "./pages/overview.ts";
import { panelsOf } from "./pages/panels.ts";
import type { IncidentPageSources } from "./pages/picture.ts";

/** Sources of the control room. */
export interface RoomSources {
  readonly store: Pick<Store, "get" | "query">;
  readonly configuration: Configuration;
  /** @default nothing is known of measurements */
  readonly measurements?: Measurements;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Cache lifetime, in milliseconds. */
  readonly freshMs: number;
}

const newestIncidents = 100;
const day = 86_400_000;
/** Time span and number of points of the response time line. */
const lineMs = day;
const linePoints = 48;
/** The most parts of a chart. */
const chartPoints = 360;
/** Cache lifetime of response time lines relative to documents. They are the most expensive to read. */
const linesFresh = 15;

/** Reads for all pages. */
export class RoomReader {
  readonly #sources: RoomSources;
  readonly #known = new Map<string, { readonly at: number; readonly value: Promise<unknown> }>();

  constructor(sources: RoomSources) {
    this.#sources = sources;
  }

  get configuration(): Configuration {
    return this.#sources.configuration;
  }

  /** @throws StoreError */
  async overview(): Promise<Overview> {
    const { configuration, now } = this.#sources;
    const [incidents, days, alerts, measured] = await Promise.all([
      this.#incidents(),
      this.#days(),
      this.#alerts(),
      this.#lines(),
    ]);
    return overviewOf({ configuration, incidents, days, measured, alerts: alertsBy(alerts), now: now() });
  }

  /**
   * The data of the charts of a component.
   * @param range one of `ranges`; else the shortest of them, up to a day, that holds all that was measured
   */
  async charts(component: string, range: string, incidents: Overview["open"]): Promise<ChartData> {
    if (!ranges.some(([word]) => word === range)) {
      const whole = await this.charts(component, "24h", incidents);
      const first = Math.min(
        whole.until,
        ...whole.panels.flatMap((one) => one.series.map(({ at }) => at[0] ?? whole.until)),
      );
      const [fitting = "24h"] = ranges.find(([, , ms]) => whole.until - first <= ms) ?? [];
      return fitting === "24h" || whole.panels.length === 0 ? whole : this.charts(component, fitting, incidents);
    }
    const { measurements, now, configuration } = this.#sources;
    const until = now();
    const ms = ranges.find(([word]) => word === range)?.[2] ?? day;
    const span = { from: until - ms, until, most: chartPoints };
    const series = (await measurements?.series(component).catch(() => [])) ?? [];
    const panels = await Promise.all(
      panelsOf(configuration, series).map(async (panel): Promise<DrawnPanel> => {
        const drawn = await Promise.all(
          panel.series.map(async ({ label, name }) => ({ label, ...(await readPoints(measurements, name, span)) })),
        );
        return { ...panel, series: drawn.filter(({ at }) => at.length > 0) };
      }),
    );
    const shown = panels.filter((panel) => panel.series.length > 0);
    return {
      range,
      timezone: configuration.timezone,
      from: span.from,
      until,
      panels: shown,
      incidents: shadedIn(incidents, component, span),
    };
  }

  /** Everything of one incident; `undefined` where there is none. @throws StoreError */
  async story(id: string): Promise<IncidentPageSources | undefined> {
    const { store, now } = this.#sources;
    const account = await readAccount(store as Store, id);
    return account === undefined ? undefined : { account, ...(await this.#seen(account, now())) };
  }

  /** A word that is another one whenever a page would show something else. @throws StoreError */
  async version(): Promise<string> {
    const { now, freshMs } = this.#sources;
    const [incidents, alerts] = await Promise.all([this.#incidents(), this.#alerts()]);
    const text = JSON.stringify([incidents, alerts, Math.floor(now() / Math.max(15_000, freshMs))]);
    return createHash("sha256").update(text).digest("base64url").slice(0, 16);
  }

  /** Which components near the incident were good all the time, and when nothing was measured of those that were not. */
  async #seen({ incident }: Account, now: number): Promise<Pick<IncidentPageSources, "working" | "gaps">> {
    const { measurements, configuration } = this.#sources;
    const from = (incident.first_failure_at ?? incident.opened_at)?.getTime();
    if (measurements === undefined || from === undefined) return { working: [], gaps: [] };
    const until = incident.resolved_at?.getTime() ?? now;
    const span = { from: from - (until - from) * 0.1, until, most: 2_000 };
    const affected = new Set(incident.components);
    const successes = (await measurements.series().catch(() => [])).filter(({ metric }) => metric === "probe_success");
    const near = nearest(configuration.components, incident.root_cause, affected);
    const points = async (component: string): Promise<Points[]> =>
      Promise.all(
        successes.filter((one) => one.component === component).map((one) => readPoints(measurements, one, span)),
      );
    const working: { component: string; title: string }[] = [];
    for (const { name, title } of near) {
      const own = (await points(name)).filter(({ at }) => at.length > 0);
      if (own.length > 0 && own.every(({ p50 }) => p50.every((value) => value === 1)))
        working.push({ component: name, title });
      if (working.length >= 4) break;
    }
    const gaps = await Promise.all(
      [...affected].map(async (component) => {
        const at = (await points(component)).flatMap((one) => one.at).sort((a, b) => a - b);
        return gapsIn(at, span.from, span.until).map((gap) => ({ component, ...gap }));
      }),
    );
    return { working, gaps: gaps.flat() };
  }

  #incidents(): Promise<readonly Stored[]> {
    const { store, freshMs } = this.#sources;
    const orderBy = { field: "opened_at", direction: "desc" } as const;
    return this.#fresh("incidents", freshMs, () =>
      store.query({ collection: incidentCollection, orderBy, limit: newestIncidents }),
    );
  }

  #alerts(): Promise<readonly { component: string; status: string; rule: string }[]> {
    const { store, freshMs } = this.#sources;
    return this.#fresh("alerts", freshMs, async () => {
      const { alerts } = decodeEnvironment(await store.get(stateCollection, environmentDocument));
      return Object.values(alerts).map(({ component, status, rule }) => ({ component, status, rule }));
    });
  }

  #days(): Promise<Readonly<Record<string, Day>>> {
    const { store, now } = this.#sources;
    return this.#fresh("days", 60_000, async () => {
      const months = new Set(Array.from({ length: shownDays }, (_, ago) => monthOf(now() - ago * day)));
      const known = await Promise.all([...months].map((month) => store.get(availabilityCollection, month)));
      return Object.fromEntries(known.flatMap((fields) => Object.entries(readDays(fields))));
    });
  }

  #lines(): Promise<ReadonlyMap<string, Measured>> {
    const { measurements, configuration, now, freshMs } = this.#sources;
    return this.#fresh("lines", linesFresh * freshMs, async () => {
      if (measurements === undefined) return new Map();
      const byComponent = Map.groupBy(await measurements.series().catch(() => []), ({ component }) => component);
      const until = now();
      const lines = await Promise.all(
        configuration.components.map(async ({ name }) => {
          const series = responseSeries(byComponent.get(name) ?? []);
          if (series === undefined) return [];
          const read = (from: number): Promise<Points> =>
            readPoints(measurements, series, { from, until, most: linePoints * 4 });
          const whole = await read(until - lineMs);
          const [first = until] = whole.at;
          // Recent incidents are shown at a higher resolution.
          const points = whole.at.length < linePoints / 4 ? await read(first) : whole;
          return points.at.length === 0 ? [] : [[name, lineOf(points, until)] as const];
        }),
      );
      return new Map(lines.flat());
    });
  }

  #fresh<T>(key: string, ms: number, read: () => Promise<T>): Promise<T> {
    const at = this.#sources.now();
    const known = this.#known.get(key);
    if (known !== undefined && at - known.at < ms) return known.value as Promise<T>;
    const value = read();
    this.#known.set(key, { at, value });
    // Failed reads are retried.
    value.catch(() => this.#known.delete(key));
    return value;
  }
}

/** Points in equal parts: of the last day, or of the time since it was first measured where that is shorter. */
export function lineOf({ at, p50 }: Points, until: number): Measured {
  const from = Math.max(at[0] ?? until, until - lineMs);
  const spanMs = Math.max(1, until - from);
  const length = Math.min(linePoints, Math.max(2, at.length));
  const line = new Array<number | undefined>(length).fill(undefined);
  for (const [index, instant] of at.entries()) {
    const place = Math.min(length - 1, Math.max(0, Math.floor(((instant - from) / spanMs) * length)));
    line[place] = p50[index];
  }
  return { line, spanMs };
}

/** Components that are not affected, those nearest to the cause first: what needs it, then what shares a dependency with the affected. */
function nearest(components: readonly Component[], cause: string, affected: ReadonlySet<string>): Component[] {
  const shares = ({ name, dependsOn }: Component): number => {
    if (dependsOn.includes(cause)) return 0;
    const needs = components.find((one) => one.name === cause)?.dependsOn ?? [];
    if (needs.includes(name)) return 1;
    return dependsOn.some((one) => affected.has(one)) ||
      components.some((one) => affected.has(one.name) && one.dependsOn.includes(name))
      ? 2
      : 3;
  };
  return components
    .filter(({ name }) => !affected.has(name))
    .map((component) => ({ component, rank: shares(component) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ component }) => component)
    .slice(0, 20);
}

/** The shortest time without a measurement that is a gap, in milliseconds. */
const minGapMs = 30_000;

/** When nothing was measured for much longer than usual. */
function gapsIn(at: readonly number[], from: number, until: number): { from: number; until: number }[] {
  if (at.length < 5) return [];
  const steps = at.slice(1).map((instant, index) => instant - (at[index] ?? instant));
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  const instants = [from, ...at, until];
  return instants.slice(1).flatMap((instant, index) => {
    const before = instants[index] ?? instant;
    return instant - before > Math.max(minGapMs, 5 * usual) ? [{ from: before + usual, until: instant }] : [];
  });
}

/** A series that cannot be read has no points: the page is more than its charts. */
async function readPoints(
  measurements: Measurements | undefined,
  name: Parameters<Measurements["read"]>[0],
  span: Parameters<Measurements["read"]>[1],
): Promise<Points> {
  const nothing = { at: [], p50: [], p95: [] };
  return (await measurements?.read(name, span).catch(() => nothing)) ?? nothing;
}
