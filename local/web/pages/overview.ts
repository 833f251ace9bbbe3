/** Computes the content of the overview from documents and measurements. Pure. */
import { type ComponentState, stateLabels } from "../../../functions/notify/pages/page-text.ts";
import { type PageState, pageState, type ShownComponent } from "../../../functions/notify/pages/view.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import { type Day, dayOf } from "../../../shared/documents/availability.ts";
import { type IncidentDocument, readIncident } from "../../../shared/documents/incident.ts";
import type { Fields, Stored } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { formatValue } from "../../../shared/text/units.ts";

/** Measurements of a component. */
export interface Measured {
  /** Response times in equal parts of a time, in seconds, oldest first; `undefined` where nothing was measured. */
  readonly line: readonly (number | undefined)[];
  /** Length of that period, in milliseconds. */
  readonly spanMs: number;
}

/** Input of the overview. */
export interface OverviewSources {
  readonly configuration: Configuration;
  /** The newest incidents, open ones among them. */
  readonly incidents: readonly Stored[];
  /** Availability by UTC day. */
  readonly days: Readonly<Record<string, Day>>;
  /** By component. */
  readonly measured: ReadonlyMap<string, Measured>;
  /** Components of which an alert fires, with the name of its rule. */
  readonly alerts: ReadonlyMap<string, string>;
  readonly now: number;
}

/** An incident in a list. */
export interface ListedIncident {
  readonly id: string;
  readonly incident: IncidentDocument;
}

/** A component of the overview. */
export interface RoomComponent extends ShownComponent {
  readonly team: string;
  readonly dependsOn: readonly string[];
  readonly measured: Measured | undefined;
  /** The newest response time, or what is wrong. */
  readonly says: string;
  /** The share of the last 24 hours that it was up, from 0 to 1; `undefined` where nothing is known. */
  readonly lastDay: number | undefined;
}

/** Everything on it. */
export interface Overview {
  readonly title: string;
  readonly state: ComponentState;
  readonly summary: string;
  readonly components: readonly RoomComponent[];
  /** The newest first. */
  readonly open: readonly ListedIncident[];
  readonly past: readonly ListedIncident[];
}

/** Filter of the list; empty filters show everything. */
export interface OverviewFilter {
  readonly layer: string;
  readonly team: string;
  readonly state: string;
}

/** Works it out. */
export function overviewOf(sources: OverviewSources): Overview {
  const { configuration, incidents, measured, alerts, now } = sources;
  const listed = incidents.map(({ id, fields }) => ({ id, incident: readIncident(fields) }));
  const state = stateOf(sources);
  const components = state.components.map((shown): RoomComponent => {
    const known = configuration.components.find(({ name }) => name === shown.name);
    const seen = failureOf(shown.name, listed) ?? alerts.get(shown.name);
    const line = measured.get(shown.name);
    const newest = line?.line.findLast((value) => value !== undefined);
    // Failures that are too recent to be an incident appear here first.
    const isFirst = seen !== undefined && (shown.state === "operational" || shown.state === "unknown");
    // A component without availability of its own is known by its measurements.
    const isMeasured = shown.state === "unknown" && newest !== undefined;
    return {
      ...shown,
      ...(isFirst
        ? { state: "degraded", state_text: "Failing, no incident yet" }
        : isMeasured
          ? { state: "operational", state_text: stateLabels.operational }
          : {}),
      team: known?.team ?? "",
      dependsOn: known?.dependsOn ?? [],
      measured: line,
      says: seen ?? (newest === undefined ? "" : formatValue(newest, "seconds")),
      lastDay: lastDayOf(shown, listed, now),
    };
  });
  return {
    title: configuration.title,
    state: state.state,
    summary: state.summary,
    components,
    open: listed.filter(({ incident }) => incident.status !== "resolved"),
    past: listed.filter(({ incident }) => incident.status === "resolved"),
  };
}

/** Returns the newest unresolved check result of a component. */
function failureOf(component: string, incidents: readonly ListedIncident[]): string | undefined {
  const lasting = incidents
    .filter(({ incident }) => incident.status !== "resolved")
    .flatMap(({ incident }) => incident.symptoms.filter((one) => one.component === component && one.until === null));
  return lasting.at(-1)?.showed.replaceAll("`", "");
}

/** The components that a filter leaves. */
export function filtered(components: readonly RoomComponent[], filter: OverviewFilter): RoomComponent[] {
  const keeps = (wanted: string, value: string): boolean => wanted === "" || wanted === value;
  return components.filter(
    ({ layer, team, state }) => keeps(filter.layer, layer) && keeps(filter.team, team) && keeps(filter.state, state),
  );
}

/** The status page of the same, which works out states and availability. */
function stateOf({ configuration, incidents, days, now }: OverviewSources): PageState {
  const open = incidents.filter(({ fields }) => fields["status"] !== "resolved");
  const memory = open.map(({ id, fields }) => ({
    ...{ incident: id, id, updates: [] },
    ...{ status: "open" as const, severity: "critical" as const, since: instant(fields["opened_at"]) },
    components: readIncident(fields).components,
  }));
  const documents = Object.fromEntries(open.map(({ id, fields }): [string, Fields] => [id, fields]));
  const blind = open.some(({ fields }) => fields["verdict"] === "monitor");
  return pageState({ memory: { incidents: memory }, documents, days, blind }, configuration, {}, now);
}

const day = 86_400_000;

/**
 * The last 24 hours: today as it is counted, and of yesterday the hours that are within, with what incidents say of them, but no more than was counted.
 */
function lastDayOf(
  { name, days }: ShownComponent,
  incidents: readonly ListedIncident[],
  now: number,
): number | undefined {
  const of = (at: number): { up: number; down: number } =>
    days.find(({ date }) => date === dayOf(at)) ?? { up: 0, down: 0 };
  const [today, yesterday] = [of(now), of(now - day)];
  const midnight = Math.floor(now / day) * day;
  const share = 1 - (now - midnight) / day;
  const failed = incidents.flatMap(({ incident }) =>
    incident.affected
      .filter((one) => one.component === name && one.trouble === "failed" && one.from !== null)
      .map(({ from, until }) => overlap(from?.getTime() ?? now, until?.getTime() ?? now, now - day, midnight) / 1_000),
  );
  const known = (yesterday.up + yesterday.down) * share;
  const down = Math.min(
    yesterday.down,
    known,
    failed.reduce((sum, seconds) => sum + seconds, 0),
  );
  const total = today.up + today.down + known;
  return total === 0 ? undefined : 1 - (today.down + down) / total;
}

function overlap(from: number, until: number, begin: number, end: number): number {
  return Math.max(0, Math.min(until, end) - Math.max(from, begin));
}

function instant(value: Fields[string] | undefined): string {
  return value instanceof Date ? value.toISOString() : "";
}

/** The rule of a firing alert, by its component. */
export function alertsBy(alerts: readonly { component: string; status: string; rule: string }[]): Map<string, string> {
  return new Map(alerts.filter(({ status }) => status === "firing").map(({ component, rule }) => [component, rule]));
}

/** Metrics of which one stands for the response time of a component, the most relevant first; all are in seconds. */
export const responseMetrics: readonly string[] = [
  "golden_path_e2e_time",
  "http_response_time",
  "database_connection_time",
  "websocket_handshake_time",
  "probe_duration",
];

/** The series that stands for the response time of a component. */
export function responseSeries<
  T extends { readonly metric: string; readonly labels: Readonly<Record<string, string>> },
>(series: readonly T[]): T | undefined {
  for (const metric of responseMetrics) {
    const found = series.find((one) => one.metric === metric && ownEntry(one.labels, "step") === undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}
