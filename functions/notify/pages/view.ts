/** Computes the contents of a status page from its memory and from documents. Pure; `status.json` has the result as it is. */

import type { Configuration } from "../../../shared/config/model.ts";
import { type Day, dayOf, upRatio } from "../../../shared/documents/availability.ts";
import { readIncident } from "../../../shared/documents/incident.ts";
import type { IncidentStatus } from "../../../shared/messages/incident-event.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import { type Swimlane, swimlaneOf } from "../../../shared/picture/swimlane.ts";
import type { Fields } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { isNote, type PageIncident, type PageMemory } from "./memory.ts";
import { asFirst, type ComponentState, enumeration, incidentTitle, stateLabels } from "./page-text.ts";

/** Number of days of availability on a page. */
export const shownDays = 90;

/** Sources of a page. */
export interface PageSources {
  readonly memory: PageMemory;
  /** Documents of open incidents, by id. */
  readonly documents: Readonly<Record<string, Fields | undefined>>;
  /** Availability by day. */
  readonly days: Readonly<Record<string, Day>>;
  /** Whether the monitor has a problem of its own, so that its view may be incomplete. */
  readonly blind: boolean;
}

/** Settings of a page. */
export interface PageSettings {
  readonly title?: string | undefined;
  /** Names of the components on the page, in this order. @default all */
  readonly components?: readonly string[] | undefined;
  /** Public URL of the page. @default unknown; feeds then use an example URL */
  readonly url?: string | undefined;
}

/** One day of one component. Seconds. */
export interface ShownDay {
  readonly date: string;
  readonly up: number;
  readonly down: number;
}

/** A component on the page. */
export interface ShownComponent {
  readonly name: string;
  readonly title: string;
  readonly layer: "application" | "platform";
  readonly state: ComponentState;
  readonly state_text: string;
  /** From 0 to 1, over all days shown; null if unknown. */
  readonly availability: number | null;
  /** Days, oldest first. A day without data has neither `up` nor `down`. */
  readonly days: readonly ShownDay[];
}

/** An incident on the page. */
export interface ShownIncident {
  readonly id: string;
  readonly title: string;
  readonly status: IncidentStatus;
  readonly severity: Severity;
  readonly components: readonly string[];
  readonly since: string;
  readonly resolved_at: string | null;
  /** Time for which it was resolved before it came back, in seconds. */
  readonly good_seconds: number;
  /** Timeline of component failures, if known, without the cause and other measurements. */
  readonly picture?: Swimlane;
  /** Updates, oldest first. */
  readonly updates: readonly { readonly at: string; readonly status: IncidentStatus; readonly text: string }[];
}

/** The complete contents of a page. */
export interface PageState {
  readonly title: string;
  readonly timezone: string;
  /** Public URL of the page. */
  readonly url: string;
  /** Time of the computation, RFC 3339. */
  readonly at: string;
  readonly state: ComponentState;
  /** Summary in one sentence, which is enough for most visitors. */
  readonly summary: string;
  /** Whether the monitor's view may be incomplete at present. */
  readonly monitoring_impaired: boolean;
  readonly components: readonly ShownComponent[];
  readonly open: readonly ShownIncident[];
  /** Past incidents, newest first. */
  readonly past: readonly ShownIncident[];
}

/** Returns the components on a page, in its order. By default, those that users interact with come first. */
export function shownComponents(
  { components }: Configuration,
  settings: PageSettings,
): readonly Configuration["components"][number][] {
  const { components: chosen } = settings;
  if (chosen !== undefined) return chosen.flatMap((name) => components.find((one) => one.name === name) ?? []);
  return (["application", "platform"] as const).flatMap((layer) => components.filter((one) => one.layer === layer));
}

/** Computes the contents of a page at an instant. */
export function pageState(
  sources: PageSources,
  configuration: Configuration,
  settings: PageSettings,
  now: number,
): PageState {
  const shown = shownComponents(configuration, settings);
  const titles = new Map(shown.map(({ name, title }) => [name, bounded(title, [], 80)]));
  const current = sources.memory.incidents.map((incident) =>
    withDocument(incident, ownEntry(sources.documents, incident.incident)),
  );
  const listed = current.filter(({ components }) => components.some((name) => titles.has(name)));
  const open = listed.filter(({ status }) => status !== "resolved");
  const components = shown.map(({ name, layer }): ShownComponent => {
    const days = daysOf(name, sources.days, now);
    const known = days.some(({ up, down }) => up + down > 0);
    const state = worst([known ? "operational" : "unknown", ...open.map((incident) => stateIn(incident, name))]);
    const ratio = upRatio({ up: sum(days, "up"), down: sum(days, "down") });
    const state_text = stateLabels[state];
    return { name, title: titles.get(name) ?? name, layer, state, state_text, availability: ratio ?? null, days };
  });
  const shownOf = (incident: Current): ShownIncident => {
    const { id, severity, status, since, resolved_at = null, good_seconds = 0, updates } = incident;
    const affected = [...titles].flatMap(([name, title]) => (incident.components.includes(name) ? [title] : []));
    return {
      id,
      title: incidentTitle(severity, affected),
      status,
      severity,
      components: affected,
      since,
      resolved_at,
      good_seconds,
      ...pictureOf(ownEntry(sources.documents, incident.incident), titles, now),
      updates: merged(updates).map(({ at, status: then, text }) => ({ at, status: then, text })),
    };
  };
  // Unmeasured components do not affect the overall state.
  const measured = components.map((component) => component.state).filter((one) => one !== "unknown");
  const state = measured.length === 0 ? "unknown" : worst(measured);
  return {
    title: settings.title ?? configuration.title,
    timezone: configuration.timezone,
    url: settings.url ?? "https://status.example.com/index.html",
    at: new Date(now).toISOString(),
    state,
    summary: summaryOf(state, components),
    monitoring_impaired: sources.blind,
    components,
    open: open.map(shownOf),
    past: listed.filter(({ status }) => status === "resolved").map(shownOf),
  };
}

/**
 * Drops repeated updates and merges updates within a minute: an outage that widens five times in a minute gets one update, with the latest
 * state. Notes and the end are never merged.
 */
function merged(updates: PageIncident["updates"]): PageIncident["updates"] {
  const shown: PageIncident["updates"] = [];
  const reached = new Set<string>();
  for (const update of updates) {
    const last = shown.at(-1);
    const { event, components = [] } = update;
    // If the page already shows all components that joined, nothing is new.
    const isNarrow = event === "joined" && last !== undefined && components.every((name) => reached.has(name));
    for (const name of components) reached.add(name);
    if (isNarrow || last?.text === update.text) continue;
    const isAlone = isNote(update) || update.status === "resolved" || last === undefined || isNote(last);
    const isSoon = last !== undefined && Date.parse(update.at) - Date.parse(last.at) < 60_000;
    if (isAlone || !isSoon || last.status === "resolved") shown.push(update);
    else if (shown.length > 1) shown.splice(-1, 1, update);
    else shown.splice(-1, 1, { ...update, text: asFirst(update.text) ?? last.text });
  }
  return shown;
}

/** Returns the public part of an incident's timeline: titles of components on the page, and when they did not work. */
function pictureOf(
  document: Fields | undefined,
  titles: ReadonlyMap<string, string>,
  now: number,
): Pick<ShownIncident, "picture"> {
  if (document === undefined) return {};
  const { root_cause: _, also_broken: __, ...incident } = readIncident(document);
  const affected = incident.affected
    .filter(({ component }) => titles.has(component))
    .map((one) => ({ ...one, title: titles.get(one.component) ?? "" }));
  const picture = swimlaneOf({
    incident: { ...incident, affected, root_cause: "unknown", also_broken: null, recovery: null, recovering_at: null },
    now,
  });
  if (picture === undefined || picture.lanes.length === 0) return {};
  const lanes = picture.lanes.map((lane) => ({ ...lane, alerts: [] }));
  const moments = picture.moments.filter(({ text }) => text === "first failure" || text === "resolved");
  return {
    picture: {
      ...picture,
      lanes,
      moments: moments.map(({ at, text }) => ({ at, text: text === "resolved" ? text : "began" })),
    },
  };
}

/** An incident with the present state from its document. */
interface Current extends PageIncident {
  /** Components that fail, and those that are only slower or less reliable; if absent, the updates decide. */
  readonly now?: Readonly<Record<string, unknown>>;
}

/** Applies the document to a published incident. A resolution appears only after its all-clear was published. */
function withDocument(incident: PageIncident, document: Fields | undefined): Current {
  if (incident.status === "resolved" || document === undefined) return incident;
  const { status, severity, components, component_states: states } = document;
  return {
    ...incident,
    ...(status === "open" || status === "acknowledged" || status === "recovering" ? { status } : {}),
    ...(severity === "critical" || severity === "warning" || severity === "info" ? { severity } : {}),
    ...(Array.isArray(components) ? { components: components.map(String) } : {}),
    ...(typeof states === "object" && states !== null ? { now: states as Readonly<Record<string, unknown>> } : {}),
  };
}

/** Returns the state of a component during an incident. */
function stateIn({ components, severity, status, now }: Current, name: string): ComponentState {
  if (!components.includes(name)) return "operational";
  if (status === "recovering") return "recovering";
  const state = ownEntry(now, name);
  if (state === "fails") return "down";
  if (state === "degraded") return "degraded";
  if (state === "works again") return "recovering";
  if (severity === "info") return "operational";
  return severity === "critical" ? "down" : "degraded";
}

function daysOf(name: string, days: PageSources["days"], now: number): ShownDay[] {
  return Array.from({ length: shownDays }, (_, index): ShownDay => {
    const date = dayOf(now - (shownDays - 1 - index) * 86_400_000);
    const { up = 0, down = 0 } = ownEntry(ownEntry(days, date)?.components, name) ?? {};
    return { date, up, down };
  });
}

function sum(days: readonly ShownDay[], key: "up" | "down"): number {
  return days.reduce((total, day) => total + day[key], 0);
}

/** States from best to worst. */
const order: readonly ComponentState[] = ["operational", "unknown", "recovering", "degraded", "down"];

function worst(states: readonly ComponentState[]): ComponentState {
  return states.reduce((a, b) => (order.indexOf(b) > order.indexOf(a) ? b : a), "operational");
}

function summaryOf(state: ComponentState, components: readonly ShownComponent[]): string {
  const those = (of: ComponentState): string[] =>
    components.filter((one) => one.state === of).map(({ title }) => title);
  const are = (titles: readonly string[], one: string, more: string): string => (titles.length > 1 ? more : one);
  const found = those(state);
  switch (state) {
    case "operational":
      return found.length === components.length
        ? "All components are operational"
        : "All measured components are operational";
    case "unknown":
      return "Nothing has been measured yet";
    case "recovering":
      return `${enumeration(found)} ${are(found, "is", "are")} working again; we are verifying the recovery`;
    case "degraded":
      return `${enumeration(found)} ${are(found, "is", "are")} slower or less reliable than usual`;
    case "down":
      return `${enumeration(found)} ${are(found, "is", "are")} not working`;
  }
}
