/** A component as a page: how it is, its availability, its incidents, and charts of what was measured. Pure. */
import { bars, coverageOf, icon, when } from "../../../functions/notify/pages/parts.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import { type Html, html } from "../../../shared/text/html.ts";
import { formatValue, spokenDuration, type Unit } from "../../../shared/text/units.ts";
import { nearestQuantile, type Points } from "../../measurements/measurements.ts";
import { type Frame, framed } from "./frame.ts";
import { linePath } from "./graph.ts";
import { incidentTable } from "./incident-list.ts";
import type { ListedIncident, Overview, RoomComponent } from "./overview.ts";
import type { Panel, Threshold } from "./panels.ts";

/** Lookback of the charts, by the name in the URL. */
export const ranges: readonly (readonly [word: string, text: string, ms: number])[] = [
  ["15m", "15 minutes", 900_000],
  ["1h", "1 hour", 3_600_000],
  ["6h", "6 hours", 6 * 3_600_000],
  ["24h", "24 hours", 86_400_000],
  ["7d", "7 days", 7 * 86_400_000],
  ["30d", "30 days", 30 * 86_400_000],
  ["90d", "90 days", 90 * 86_400_000],
];

/** A chart with what it shows. */
export interface DrawnPanel extends Omit<Panel, "series"> {
  readonly series: readonly (Points & { readonly label: string })[];
}

/** The data of all charts of a component, as scripts get it. Instants are milliseconds since the epoch. */
export interface ChartData {
  /** One of `ranges`. */
  readonly range: string;
  /** IANA zone of the times of the axis. */
  readonly timezone: string;
  readonly from: number;
  readonly until: number;
  readonly panels: readonly DrawnPanel[];
  readonly incidents: readonly ShadedIncident[];
}

/** A time that is shaded in every chart. */
export interface ShadedIncident {
  readonly from: number;
  readonly until: number;
  readonly title: string;
  readonly severity: Severity | string;
}

/** The incidents of a component within a time. */
export function shadedIn(
  incidents: readonly ListedIncident[],
  component: string,
  { from, until }: { readonly from: number; readonly until: number },
): ShadedIncident[] {
  return incidents.flatMap(({ id, incident }) => {
    const own = incident.affected.find((one) => one.component === component);
    if (own === undefined) return [];
    const begin = (own.from ?? incident.first_failure_at)?.getTime() ?? until;
    const end = (own.until ?? incident.resolved_at)?.getTime() ?? until;
    if (begin >= until || end <= from) return [];
    return [{ from: begin, until: end, title: incident.title || id, severity: incident.severity }];
  });
}

/** The page. */
export function componentPage(frame: Frame, component: RoomComponent, overview: Overview, data: ChartData): string {
  const { range } = data;
  const { name, title, state, state_text, team, dependsOn, layer, says } = component;
  const others = new Map(overview.components.map((one) => [one.name, one]));
  const needing = overview.components.filter((one) => one.dependsOn.includes(name)).map((one) => one.name);
  const incidents = [...overview.open, ...overview.past].filter(({ incident }) => incident.components.includes(name));
  const links = (names: readonly string[]): Html =>
    html`${names.map((one, index) => html`${index === 0 ? "" : ", "}<a href="/components/${encodeURIComponent(one)}">${others.get(one)?.title ?? one}</a>`)}`;
  return framed(
    frame,
    `${title}: ${state_text}`,
    state,
    html`<h1>${title}</h1>
<p class="banner ${state}">${icon(state)}<span>${state_text}</span></p>
${when(state !== "operational" && says !== "", html`<p>${says}</p>`)}
<ul class="facts"><li>${layer}</li>${when(team !== "", html`<li>owner: <b>${team}</b></li>`)}${when(dependsOn.length > 0, html`<li>depends on ${links(dependsOn)}</li>`)}${when(needing.length > 0, html`<li>needed by ${links(needing)}</li>`)}</ul>
${bars(component)}
<div class="scale"><span>${component.days.length} days ago</span><span>${coverageOf(component)}</span><span>Today</span></div>
<h2>Measurements</h2>
<nav class="facts" aria-label="Time of the charts">${ranges.map(([word, text]) => (word === range ? html`<b aria-current="true">${text}</b>` : html`<a href="?range=${word}">${text}</a>`))}</nav>
<div id="charts" data-source="/data/components/${encodeURIComponent(name)}?range=${range}">${
      data.panels.length === 0
        ? html`<p>Nothing was measured in this time.</p>`
        : html`<div class="charts">${data.panels.slice(0, first).map((panel) => panelOf(panel, data))}</div>`
    }${when(
      data.panels.length > first,
      html`<details id="fold-panels"><summary>More measurements (${data.panels.length - first})</summary><div class="charts">${data.panels.slice(first).map((panel) => panelOf(panel, data))}</div></details>`,
    )}</div>
<h2>Incidents</h2>
${incidents.length === 0 ? html`<p>None so far.</p>` : incidentTable(incidents.slice(0, 10), frame)}`,
  );
}

/** Number of charts shown at once. */
const first = 6;

/** A chart as it is without script: a line and its numbers. The script draws a better one in place of the line. */
function panelOf(
  { id, metric, probe, description, unit, series, thresholds, stackedBy }: DrawnPanel,
  span: ChartData,
): Html {
  const headingId = `panel-${id.replaceAll(/\W+/g, "-")}`;
  return html`<figure><h3 id="${headingId}">${metric.replaceAll("_", " ")}</h3><p class="soft">${description.replaceAll("`", "")} Probe <code>${probe}</code>.</p>
<div class="chart" data-panel="${id}">${series.length === 0 || stackedBy !== undefined ? "" : staticLine(series[0], span, thresholds)}</div>
<details id="fold-${headingId}"><summary>Numbers</summary><table><thead><tr><th scope="col">Series</th><th scope="col" class="number">Newest</th><th scope="col" class="number">p50</th><th scope="col" class="number">p95</th></tr></thead><tbody>${series.map((one) => numbersOf(one, unit))}</tbody></table>${when(
    thresholds.length > 0,
    html`<ul>${thresholds.map(({ rule, value, severity }) => html`<li>${rule}: ${formatValue(value, unit)} (${severity})</li>`)}</ul>`,
  )}</details></figure>
`;
}

function numbersOf({ label, p50, p95 }: DrawnPanel["series"][number], unit: Unit): Html {
  const middle = nearestQuantile(
    p50.toSorted((a, b) => a - b),
    0.5,
  );
  const high = nearestQuantile(
    p95.toSorted((a, b) => a - b),
    0.95,
  );
  const shown = (value: number | undefined): string =>
    value === undefined || Number.isNaN(value) ? "–" : formatValue(value, unit);
  return html`<tr><th scope="row">${label}</th><td class="number">${shown(p50.at(-1))}</td><td class="number">${shown(middle)}</td><td class="number">${shown(high)}</td></tr>`;
}

const linePoints = 60;

function staticLine(points: Points | undefined, { from, until }: ChartData, thresholds: readonly Threshold[]): Html {
  if (points === undefined) return html``;
  const values = new Array<number | undefined>(linePoints).fill(undefined);
  for (const [index, at] of points.at.entries()) {
    const place = Math.floor(((at - from) / (until - from)) * linePoints);
    if (place >= 0 && place < linePoints) values[place] = points.p50[index];
  }
  const label = `The last ${spokenDuration(until - from)}${thresholds.length === 0 ? "" : `, ${thresholds.length} thresholds below`}`;
  return html`<svg class="spark" role="img" aria-label="${label}" viewBox="0 0 100 100" preserveAspectRatio="none"><path d="${linePath(values)}"/></svg>`;
}
