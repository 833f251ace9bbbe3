/** Incidents in lists: open ones as cards, all of them as a table. Pure. */
import type { ComponentState } from "../../../functions/notify/pages/page-text.ts";
import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { type Html, html } from "../../../shared/text/html.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { dateTime, type Frame, framed } from "./frame.ts";
import type { ListedIncident } from "./overview.ts";

/** An open incident in a few lines. */
export function incidentCard({ id, incident }: ListedIncident, frame: Frame): Html {
  return html`<article class="incident ${toneOf(incident)}"><h2><a href="${pathOf(id)}">${incident.title || id}</a></h2>
<p>${incident.summary}</p>
<ul class="facts">${factsOf(incident, frame)}</ul></article>
`;
}

/** A list, the newest first. */
export function incidentTable(incidents: readonly ListedIncident[], { timezone, now }: Frame): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Incidents"><table><thead><tr><th scope="col">Incident</th><th scope="col">State</th><th scope="col">Began</th><th scope="col">Lasted</th></tr></thead><tbody>${incidents.map(
    ({ id, incident }) =>
      html`<tr><td><a href="${pathOf(id)}">${incident.title || id}</a></td><td><span class="badge ${toneOf(incident)}">${incident.status}</span> ${incident.severity}</td><td>${incident.first_failure_at === null ? "–" : dateTime(incident.first_failure_at, timezone)}</td><td>${lastedText(incident, now)}</td></tr>
`,
  )}</tbody></table></div>`;
}

/** The page of all incidents. @param actions stand below the list */
export function incidentsPage(frame: Frame, incidents: readonly ListedIncident[], actions: Html = html``): string {
  const [open] = incidents.filter(({ incident }) => incident.status !== "resolved");
  const state = open === undefined ? "operational" : toneOf(open.incident);
  const list = incidents.length === 0 ? html`<p>There have been no incidents.</p>` : incidentTable(incidents, frame);
  return framed(frame, `Incidents · ${frame.environment}`, state, html`<h1>Incidents</h1>${list}${actions}`);
}

/** Returns the severity, status, start, duration and owner. */
export function factsOf(incident: IncidentDocument, { timezone, now }: Frame): Html[] {
  const { status, severity, priority, first_failure_at: began, team, drill } = incident;
  return [
    html`<li><span class="badge ${toneOf(incident)}">${status}</span></li>`,
    html`<li>${severity} ${priority}</li>`,
    ...(drill ? [html`<li><b>fire drill</b></li>`] : []),
    ...(began === null ? [] : [html`<li>since ${dateTime(began, timezone)}</li>`]),
    html`<li>${status === "resolved" ? "lasted" : "for"} <b>${lastedText(incident, now)}</b></li>`,
    ...(team === null ? [] : [html`<li>owner: <b>${team}</b></li>`]),
  ];
}

/** The state that stands for an incident. */
export function toneOf({ status, severity }: Pick<IncidentDocument, "status" | "severity">): ComponentState {
  if (status === "resolved") return "operational";
  if (status === "recovering") return "recovering";
  return severity === "critical" ? "down" : severity === "warning" ? "degraded" : "unknown";
}

function lastedText({ duration, first_failure_at: began, resolved_at: end }: IncidentDocument, now: number): string {
  if (duration !== null) return duration;
  return began === null ? "–" : spokenDuration((end?.getTime() ?? now) - began.getTime());
}

function pathOf(id: string): string {
  return `/incidents/${encodeURIComponent(id)}`;
}
