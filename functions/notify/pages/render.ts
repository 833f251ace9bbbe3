/**
 * Renders the pages of a status page, as HTML and JSON. Pure: the same state produces the same bytes. Readable without scripts, and without
 * external resources.
 */

import { swimlaneLegend, swimlaneSvg } from "../../../shared/picture/swimlane-svg.ts";
import type { Page } from "../../../shared/ports.ts";
import { dateFormat } from "../../../shared/text/formatters.ts";
import { Html, html } from "../../../shared/text/html.ts";
import { feedsOf } from "./feeds.ts";
import { type ComponentState, lastedBetween, statusLabels } from "./page-text.ts";
import { bars, coverageOf, dayText, favicon, icon, instant, when } from "./parts.ts";
import { refreshElement } from "./refresh.ts";
import { contentSecurityPolicy, style } from "./style.ts";
import type { PageState, ShownComponent, ShownIncident } from "./view.ts";

/** Maximum number of past incidents on the first page. The others are on a separate page. */
const pastOnFirstPage = 10;

/**
 * Returns the pages of a state: the first page, its data, one page for each open incident and, if there are changes, the list of all
 * incidents.
 * @param changed ids of incidents whose pages are written as well
 */
export function pagesOf(state: PageState, changed: readonly string[] = []): Page[] {
  const incidents = [...state.open, ...state.past.filter(({ id }) => changed.includes(id))];
  return [
    page("index.html", firstPage(state)),
    {
      path: "status.json",
      contentType: "application/json; charset=utf-8",
      content: `${JSON.stringify(state, null, 1)}\n`,
    },
    ...feedsOf(state),
    ...(changed.length === 0 ? [] : [page("history.html", historyPage(state))]),
    ...incidents.map((incident) => page(pathOf(incident), incidentPage(incident, state))),
  ];
}

function page(path: string, content: Html): Page {
  return { path, contentType: "text/html; charset=utf-8", content: content.text };
}

function pathOf({ id }: Pick<ShownIncident, "id">): string {
  return `incidents/${id}.html`;
}

function firstPage(state: PageState): Html {
  const { title, components, open, past, summary, timezone } = state;
  const layers = [
    { name: "Services", own: components.filter(({ layer }) => layer === "application") },
    { name: "Platform", own: components.filter(({ layer }) => layer === "platform") },
  ].filter(({ own }) => own.length > 0);
  const body = html`<header><h1>${title}: status</h1>
<p class="banner ${state.state}">${icon(state.state)}<span>${summary}</span></p>
<p class="soft">As of ${instant(state.at, timezone)}. This page is updated every few minutes and on every change.</p>
${when(state.monitoring_impaired, html`<p class="note">Our monitoring is impaired at the moment. This page may be out of date.</p>`)}</header>
<main>
${when(
  open.length > 0,
  html`<h2>${open.length === 1 ? "Current incident" : `Current incidents (${open.length})`}</h2>
${open.map((incident) => openIncident(incident, timezone))}`,
)}
${layers.map(
  ({ name, own }) => html`<h2>${layers.length === 1 ? "Components" : name}</h2>
<div class="card">${own.map(componentRow)}</div>
`,
)}
<h2>Past incidents</h2>
${past.length === 0 ? html`<p>None so far.</p>` : pastList(past.slice(0, pastOnFirstPage), timezone, "")}
${when(past.length > 0, html`<p class="soft"><a href="history.html">All incidents</a></p>`)}
</main>
${footer("status.json")}
${refreshElement("status.json", state.at)}`;
  return document(`${title}: ${summary}`, state.state, body);
}

function openIncident(incident: ShownIncident, timezone: string): Html {
  return html`<article class="incident ${toneOf(incident)}"><h3><a href="${pathOf(incident)}">${incident.title}</a></h3>
<p class="soft">${statusLabels[incident.status]} · since ${instant(incident.since, timezone)}</p>
${updateList(incident, timezone)}</article>
`;
}

function updateList({ updates }: ShownIncident, timezone: string): Html {
  const newestFirst = [...updates].reverse();
  return html`<ol class="updates">${newestFirst.map(
    ({ at, text }) => html`<li><p>${text}</p><p class="soft">${instant(at, timezone)}</p></li>
`,
  )}</ol>`;
}

function componentRow(component: ShownComponent): Html {
  const { title, state, state_text, days } = component;
  const bad = days.filter(({ down }) => down > 0);
  const ratio = coverageOf(component);
  return html`<section><div class="row"><h3>${title}</h3><span class="state ${state}">${icon(state)}${state_text}</span></div>
${bars(component)}
<div class="scale"><span>${days.length} days ago</span><span>${ratio}</span><span>Today</span></div>
${when(bad.length > 0, html`<details><summary>${bad.length === 1 ? "1 day" : `${bad.length} days`} with a failure</summary><ul>${[...bad].reverse().map((day) => html`<li>${dayText(day)}</li>`)}</ul></details>`)}</section>
`;
}

function pastList(past: readonly ShownIncident[], timezone: string, base: string): Html {
  return html`<ul class="card past">${past.map(
    (incident) => html`<li><h3><a href="${base}${pathOf(incident)}">${incident.title}</a></h3>
<p class="soft">${instant(incident.since, timezone)} · ${lasted(incident)}</p></li>
`,
  )}</ul>`;
}

function historyPage(state: PageState): Html {
  const { title, timezone, past, open } = state;
  const all = [...open, ...past];
  const months = [...Map.groupBy(all, ({ since }) => since.slice(0, 7))];
  const body = html`<header><h1><a href="index.html">${title}: status</a></h1></header>
<main><h2>All incidents</h2>
${months.map(
  ([month, own]) => html`<h2>${monthName(month)}</h2>
${pastList(own, timezone, "")}
`,
)}</main>
${footer("status.json")}`;
  return document(`${title}: all incidents`, state.state, body);
}

function incidentPage(incident: ShownIncident, { title, timezone, at }: PageState): Html {
  const { components, status, since, resolved_at, picture } = incident;
  const body = html`<header><h1><a href="../index.html">${title}: status</a></h1></header>
<main><article class="incident ${toneOf(incident)}"><h2>${incident.title}</h2>
<p class="soft">${statusLabels[status]} · from ${instant(since, timezone)}${resolved_at === null ? "" : html` to ${instant(resolved_at, timezone)}`} · ${lasted(incident)}</p>
<p>Affected: ${components.join(", ")}</p>
${picture === undefined ? "" : html`<div>${new Html(swimlaneSvg(picture, { timezone }))}${swimlaneLegend(picture)}</div>`}
${updateList(incident, timezone)}</article></main>
${footer("../status.json")}
${when(status !== "resolved", refreshElement("../status.json", at))}`;
  return document(`${incident.title} · ${title}`, toneOf(incident), body);
}

function toneOf({ status, severity }: ShownIncident): ComponentState {
  if (status === "resolved") return "operational";
  if (status === "recovering") return "recovering";
  return severity === "critical" ? "down" : severity === "warning" ? "degraded" : "unknown";
}

function lasted({ since, resolved_at, good_seconds, status }: ShownIncident): string {
  if (resolved_at === null) return status === "resolved" ? "resolved" : "ongoing";
  return `lasted ${lastedBetween(since, resolved_at, good_seconds)}`;
}

function footer(data: string): Html {
  const base = data.replace("status.json", "");
  return html`<footer class="soft"><p>Days are in UTC. This page as <a href="${data}">JSON</a> and as a <a href="${base}feed.atom">feed</a>. Monitored by Pathkeeper.</p></footer>`;
}

function document(title: string, state: ComponentState, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="${contentSecurityPolicy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="${favicon(state)}">
<style>${new Html(style)}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

function monthName(month: string): string {
  const options = { timeZone: "UTC", month: "long", year: "numeric" } as const;
  return dateFormat("en-GB", options).format(new Date(`${month}-01T00:00:00Z`));
}
