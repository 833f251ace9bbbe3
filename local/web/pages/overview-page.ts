/** The overview as a page: open incidents, the graph, and every component with its availability. Pure. */
import { stateLabels } from "../../../functions/notify/pages/page-text.ts";
import { bars, icon, percent, when } from "../../../functions/notify/pages/parts.ts";
import { type Html, html } from "../../../shared/text/html.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { type Frame, framed, stateMark } from "./frame.ts";
import { graphSvg, linePath } from "./graph.ts";
import { incidentCard, incidentTable } from "./incident-list.ts";
import { filtered, type Overview, type OverviewFilter, type RoomComponent } from "./overview.ts";

/** Maximum number of past incidents listed. */
const pastShown = 5;

/** The page. */
export function overviewPage(frame: Frame, overview: Overview, filter: OverviewFilter): string {
  const { title, state, summary, open, past, components } = overview;
  const shown = filtered(components, filter);
  return framed(
    frame,
    `${title}: ${summary}`,
    state,
    html`<h1 class="hidden">${title}</h1>
<p class="banner ${state}">${icon(state)}<span>${summary}</span></p>
${open.map((one) => incidentCard(one, frame))}
${filters(components, filter)}
<div id="graph">${shown.length === 0 ? html`<p>No component matches the filter. <a href="/">Show all</a></p>` : [graphOf(shown, "wide"), graphOf(shown, "narrow")]}</div>
<h2>Components</h2>
<table class="components"><thead><tr><th scope="col">Component</th><th scope="col">State</th><th scope="col">Response time</th><th scope="col" class="number">24 hours</th><th scope="col" class="number">90 days</th><th scope="col">Last 90 days</th></tr></thead>
<tbody>${shown.map(rowOf)}</tbody></table>
<h2>Past incidents</h2>
${past.length === 0 ? html`<p>None so far.</p>` : incidentTable(past.slice(0, pastShown), frame)}
${when(past.length > pastShown, html`<p><a href="/incidents">All incidents</a></p>`)}`,
  );
}

function graphOf(components: readonly RoomComponent[], kind: "wide" | "narrow"): Html {
  // A state is said in words as well. Of what does not work, the response time says nothing.
  const wordsOf = ({ state, state_text, says }: RoomComponent): string => {
    if (state !== "operational" || says === "") return state_text;
    // On a narrow screen the sign alone must do.
    return kind === "narrow" ? says : `${state_text}, ${says}`;
  };
  const nodes = components.map((one) => ({ ...one, says: wordsOf(one), line: one.measured?.line }));
  return graphSvg(nodes, kind);
}

function rowOf({
  name,
  title,
  state,
  state_text,
  says,
  measured,
  availability,
  lastDay,
  ...others
}: RoomComponent): Html {
  const shownBars = bars({ ...others, name, title, state, state_text, availability });
  return html`<tr><th scope="row"><a href="/components/${encodeURIComponent(name)}">${title}</a></th><td>${stateMark(state, state_text)}</td><td class="wide">${sparkline(title, measured)}<span class="soft">${says}</span></td><td class="number" data-label="24 h">${ratioText(lastDay)}</td><td class="number" data-label="90 d">${ratioText(availability ?? undefined)}</td><td class="wide">${shownBars}</td></tr>
`;
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? "–" : percent(ratio);
}

/** A line of response times. */
export function sparkline(title: string, measured: RoomComponent["measured"]): Html | string {
  if (measured === undefined || measured.line.every((value) => value === undefined)) return "";
  const label = `${title}: response time of the last ${spokenDuration(measured.spanMs)}`;
  return html`<svg class="spark" role="img" aria-label="${label}" viewBox="0 0 100 100" preserveAspectRatio="none"><title>${label}</title><path d="${linePath(measured.line)}"/></svg>`;
}

/** A form that works without script. */
function filters(components: readonly RoomComponent[], filter: OverviewFilter): Html {
  const teams = [...new Set(components.map(({ team }) => team))].filter((team) => team !== "").sort();
  const states = (["down", "degraded", "recovering", "operational", "unknown"] as const).map(
    (state) => [state, stateLabels[state]] as const,
  );
  const layers = [
    ["application", "Application"],
    ["platform", "Platform"],
  ] as const;
  const choice = (name: string, label: string, chosen: string, options: readonly (readonly [string, string])[]): Html =>
    html`<label>${label}<select name="${name}"><option value="">All</option>${options.map(
      ([value, text]) => html`<option value="${value}"${value === chosen ? html` selected` : ""}>${text}</option>`,
    )}</select></label>`;
  const isFiltered = filter.layer !== "" || filter.team !== "" || filter.state !== "";
  return html`<form class="filters" action="/" method="get" aria-label="Filter components">${choice("layer", "Layer", filter.layer, layers)}${when(
    teams.length > 0,
    choice(
      "team",
      "Team",
      filter.team,
      teams.map((team) => [team, team]),
    ),
  )}${choice("state", "State", filter.state, states)}<button type="submit">Filter</button>${when(isFiltered, html`<a href="/">Show all</a>`)}</form>`;
}
