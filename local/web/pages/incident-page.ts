/** An incident as a story: summary, cause, start, owner; the swimlane; evidence; changes; next steps; notifications. Pure. */
import type { Account, DeliveryRecord } from "../../../functions/evaluate/postmortem/account.ts";
import { briefly } from "../../../functions/evaluate/postmortem/format.ts";
import { postmortemOf } from "../../../functions/evaluate/postmortem/postmortem.ts";
import { when } from "../../../functions/notify/pages/parts.ts";
import { readerName } from "../../../shared/documents/delivery-summary.ts";
import type { ChangeRecord, IncidentDocument } from "../../../shared/documents/incident.ts";
import { type Html, html } from "../../../shared/text/html.ts";
import { renderMarkdown } from "../../../shared/text/markdown.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { actionForms } from "./actions.ts";
import { clockTime, dateTime, type Frame, framed } from "./frame.ts";
import { factsOf, toneOf } from "./incident-list.ts";
import { changeText, figureOf, type IncidentPageSources, pictureOf } from "./picture.ts";

/** The page. */
export function incidentPage(frame: Frame, sources: IncidentPageSources): string {
  const { account } = sources;
  const { id, incident } = account;
  const picture = pictureOf(sources, frame.now);
  const { team, next_steps: steps, status, candidates } = incident;
  const owner = team === null || status === "resolved" ? "" : ` Owner: ${team}.`;
  return framed(
    frame,
    `${incident.title || id} · ${frame.environment}`,
    toneOf(incident),
    html`<h1>${incident.title || id}</h1>
<ul class="facts">${factsOf(incident, frame)}</ul>
<p class="lead">${incident.summary}${owner}</p>
<p>${incident.impact}</p>
${when(incident.problem !== null, html`<p class="note">${incident.problem ?? ""}</p>`)}
${actionForms(id, incident, frame)}
${picture === undefined ? "" : figureOf(picture, frame.timezone)}
<div class="columns">
<section><h2>${incident.root_cause === "unknown" ? "Observations" : `Why ${causeTitle(incident)}`}</h2>${evidenceOf(incident)}</section>
<section><h2>Next steps</h2>${steps.length === 0 ? html`<p>No next steps are suggested.</p>` : listOf(steps.map((step) => briefly(step, 2 * longestSentence)))}
${when(incident.changes.length > 0, html`<h2>Recent changes</h2>${changesOf(incident, frame)}`)}
${when(incident.log_patterns.length > 0, html`<h2>Logs</h2>${listOf(incident.log_patterns.map(({ says }) => briefly(says, longestSentence)))}`)}
<h2>Notifications</h2>${notificationsOf(account, frame)}</section>
</div>
<div class="folds">${fold("timeline", `Timeline (${incident.timeline.length})`, listOf(incident.timeline))}
${when(incident.whys.length > 0, fold("whys", "Chain of causes", html`<ol>${incident.whys.map((text) => html`<li>${worded(text)}</li>`)}</ol>`))}
${when(candidates.length > 0, fold("candidates", `Possible causes (${candidates.length})`, candidatesOf(incident)))}
${when(incident.symptoms.length > 0, fold("symptoms", `Failed checks (${incident.symptoms.length})`, symptomsOf(incident, frame)))}
${when(incident.recovery !== null, fold("recovery", "Recovery validation", recoveryOf(incident, frame)))}
${fold("postmortem", status === "resolved" ? "Postmortem" : "Postmortem so far", renderMarkdown(incident.postmortem || postmortemOf(account), { lowerHeadings: 1 }))}
</div>
<p class="soft">${id}</p>`,
  );
}

/** Headings of evidence, by the beginning of its sentences, and the number of sentences shown at once. */
const kinds: readonly (readonly [begin: string, heading: string, most: number])[] = [
  ["For ", "Evidence for", 3],
  ["Against ", "Evidence against", 3],
  ["Not explained by it: ", "Not explained", 1],
  ["Also broken, ", "Also broken", 1],
  ["Less likely: ", "Less likely", 1],
];

/** The longest sentence that is seen at once, in characters. */
const longestSentence = 200;

/** Returns the most relevant evidence first. The picture already shows check results, so other findings come first. The rest can be expanded. */
function evidenceOf(incident: IncidentDocument): Html {
  const { evidence, confidence, root_cause, verdict } = incident;
  if (evidence.length === 0) return html`<p>There is no evidence yet.</p>`;
  const groups = Map.groupBy(evidence, (line) => kinds.find(([begin]) => line.startsWith(begin)));
  // "For Cloud SQL: " is said by the headings already.
  const named = `${causeTitle(incident)}: `;
  const shortened = (line: string, begin: string): string => {
    const rest = line.startsWith(begin) ? line.slice(begin.length) : line;
    return briefly(rest.startsWith(named) ? rest.slice(named.length) : rest, longestSentence);
  };
  const sure =
    root_cause === "unknown" ? "" : html`<p class="soft">${Math.round(100 * confidence)}% sure, ${verdict}.</p>`;
  const shown = kinds.flatMap((kind) => {
    const [begin, heading, most] = kind;
    const lines = (groups.get(kind) ?? []).filter((line) => !/: \d+ more of /.test(line));
    const found = [...lines.filter((line) => !isOfCheck(line)), ...lines.filter(isOfCheck)].slice(0, most);
    return found.length === 0 ? [] : [html`<h3>${heading}</h3>${listOf(found.map((line) => shortened(line, begin)))}`];
  });
  return html`${sure}${shown}${fold("evidence", `All evidence (${evidence.length})`, listOf(evidence))}`;
}

/** Returns true if a sentence states a check result and its start. */
function isOfCheck(line: string): boolean {
  return / since \d\d:\d\d:\d\d UTC/.test(line);
}

/** Number of changes shown at once. */
const changesShown = 4;

/** The changes, that which fits the cause first. */
function changesOf({ changes, suspected_change: suspected, affected }: IncidentDocument, { timezone }: Frame): Html {
  const title = (name: string): string => affected.find(({ component }) => component === name)?.title ?? name;
  const item = (change: ChangeRecord): Html => {
    const of = change.components.map(title).join(", ");
    const isLink = /^https:\/\//.test(change.link ?? "");
    return html`<li>${dateTime(change.at, timezone)} ${when(of !== "", html`<b>${of}</b>: `)}${worded(changeText(change))}${when(change.fits, html` <span class="badge degraded">fits the cause</span>`)}${when(isLink, html` <a href="${change.link ?? ""}" rel="noopener noreferrer">Details</a>`)}${when(change.revert !== null, html`<br>To revert it: <code>${change.revert ?? ""}</code>`)}</li>`;
  };
  const sorted = changes.toSorted((a, b) => Number(b.fits) - Number(a.fits));
  const more = sorted.slice(changesShown);
  return html`${when(suspected !== null, html`<p>${worded(suspected ?? "")}</p>`)}<ul>${sorted.slice(0, changesShown).map(item)}</ul>${when(more.length > 0, fold("changes", `${more.length} more changes`, html`<ul>${more.map(item)}</ul>`))}`;
}

/** The last word on each channel, and every notice when asked for. */
function notificationsOf({ incident, deliveries }: Account, frame: Frame): Html {
  const channels = Object.entries(incident.deliveries);
  if (channels.length === 0 && deliveries.length === 0) return html`<p>No notifications yet.</p>`;
  const rows = deliveries.map((one) => deliveryRow(one, frame));
  const all = html`<div class="scroll" tabindex="0" role="region" aria-label="Notifications"><table><thead><tr><th scope="col">Event</th><th scope="col">Recipient</th><th scope="col">State</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return html`<ul>${channels.map(([channel, said]) => html`<li><b>${channel}</b>: ${said}</li>`)}</ul>${when(rows.length > 0, fold("notices", `All notifications (${rows.length})`, all))}`;
}

function deliveryRow(delivery: DeliveryRecord, { timezone }: Frame): Html {
  const { event, status, reason, delivered_at: arrived, at, attempt_count: attempts } = delivery;
  const tries = attempts > 1 ? `, attempt ${attempts}` : "";
  const how =
    arrived === null
      ? `${status}${reason === "" ? "" : `: ${reason}`}`
      : `delivered ${clockTime(arrived.getTime(), timezone)}, ${spokenDuration(arrived.getTime() - at.getTime())} after the event${tries}`;
  return html`<tr><td>${event.replaceAll("_", " ")}</td><td>${readerName(delivery)}</td><td>${how}</td></tr>`;
}

function candidatesOf({ candidates, affected }: IncidentDocument): Html {
  const title = (name: string): string => affected.find(({ component }) => component === name)?.title ?? name;
  return html`<ol>${candidates.map((one) => html`<li><b>${title(one.component)}</b>, ${Math.round(100 * one.confidence)}%<ul><li>For: ${worded(one.for)}</li><li>Against: ${worded(one.against)}</li></ul></li>`)}</ol>`;
}

function symptomsOf({ symptoms, affected }: IncidentDocument, { timezone }: Frame): Html {
  const title = (name: string): string => affected.find(({ component }) => component === name)?.title ?? name;
  const lasted = (until: Date | null): Html | string =>
    until === null ? " and still does" : html` to ${dateTime(until, timezone)}`;
  return html`<ul>${symptoms.map(
    ({ check, component, vantage, since, until, showed, failures }) =>
      html`<li><b>${check}</b> of ${title(component)}${vantage === null ? "" : `, from ${vantage}`}: ${dateTime(since, timezone)}${lasted(until)}<br>${worded(showed)}${when(failures.length > 1, html`<ul>${failures.map((failure) => html`<li>${failure.count} × ${worded(failure.showed)}</li>`)}</ul>`)}</li>`,
  )}</ul>`;
}

function recoveryOf({ recovery }: IncidentDocument, { timezone }: Frame): Html {
  if (recovery === null) return html``;
  return html`<p>${recovery.status}${recovery.seconds === null ? "" : ` after ${spokenDuration(recovery.seconds * 1_000)}`}</p><ol>${recovery.stages.map(
    ({ name, status, passed_at, attempts, failures }) =>
      html`<li><b>${name}</b>: ${status}${passed_at === null ? "" : html` at ${dateTime(passed_at, timezone)}`}${attempts > 1 ? `, ${attempts} attempts` : ""}${when(failures.length > 0, listOf(failures))}</li>`,
  )}</ol>${when(recovery.earlier.length > 0, listOf(recovery.earlier))}`;
}

function causeTitle({ affected, root_cause }: IncidentDocument): string {
  return affected.find(({ component }) => component === root_cause)?.title ?? root_cause;
}

function listOf(texts: readonly string[]): Html {
  return html`<ul>${texts.map((text) => html`<li>${worded(text)}</li>`)}</ul>`;
}

/** A sentence in which what stands in backticks is code. */
function worded(text: string): Html {
  const parts = text.split(/`([^`]{1,300})`/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`;
}

/** Something that is read when it is asked for. The id keeps it open while the page renews itself. */
function fold(id: string, summary: string, content: Html): Html {
  return html`<details id="fold-${id.replaceAll(/\W+/g, "-")}"><summary>${summary}</summary>${content}</details>
`;
}
