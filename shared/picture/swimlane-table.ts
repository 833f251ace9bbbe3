/** A swimlane where no SVG is shown: as a small HTML table for mails, and as text for Markdown. Pure. */
import { html } from "../text/html.ts";
import { type Lane, type LaneState, laneStates, type Span, type Swimlane } from "./swimlane.ts";

/** Into how many parts a lane of the table is divided. */
const columns = 24;

/** Seen on light and on dark ground. The words are for those who see no colours. */
const cells: Readonly<Record<LaneState, { readonly color: string; readonly text: string; readonly word: string }>> = {
  good: { color: "#81c995", text: "#0d3a1e", word: "works" },
  unknown: { color: "#9aa0a6", text: "#202124", word: "not known" },
  degraded: { color: "#fdd663", text: "#3c2a00", word: "degraded" },
  bad: { color: "#d93025", text: "#ffffff", word: "fails" },
};

/** The picture as a table. Styles stand in the tags, because readers of mail drop the head. @param mostLanes how many lanes it has at most */
export function swimlaneTable(swimlane: Swimlane, mostLanes = 8): string {
  const rows = swimlane.lanes.slice(0, mostLanes).map(({ title, part, spans, says }) => {
    const isCause = part === "cause";
    const weight = isCause ? "bold" : "normal";
    const runs = runsOf(sampled(spans, swimlane, columns)).map(({ state, length }) => {
      const { color, text, word } = cells[state];
      const shown = state === "good" ? "" : length >= mostOf(word) ? word : word.slice(0, 1).toUpperCase();
      return html`<td style="width:${((100 * length) / columns).toFixed(1)}%;background:${color};color:${text};font-size:11px;line-height:18px;padding:0;text-align:center;overflow:hidden;white-space:nowrap">${shown || "\u00a0"}</td>`;
    });
    return html`<tr><th scope="row" align="left" style="width:26%;padding:2px 8px 2px 0;font-weight:${weight};font-size:14px">${title}</th><td style="width:46%;padding:2px 0"><table role="presentation" cellspacing="0" cellpadding="0" style="border-collapse:collapse;table-layout:fixed;width:100%"><tr>${runs}</tr></table></td><td style="padding:2px 0 2px 8px;font-size:13px">${isCause ? `cause, ${says}` : says}</td></tr>
`;
  });
  if (rows.length === 0) return "";
  return html`<table cellspacing="0" cellpadding="0" style="border-collapse:collapse;width:100%;margin:0 0 12px">${rows}</table>`
    .text;
}

/** Number of cells that a word covers on a narrow screen. */
function mostOf(word: string): number {
  return Math.ceil(word.length * 1.2);
}

const signs: Readonly<Record<LaneState, string>> = { good: "·", unknown: "?", degraded: "▒", bad: "█" };

/** Returns the legend of the signs in a text lane. */
export const laneTextLegend = "█ fails, ▒ degraded, · works, ? not known.";

/** A lane as signs of a fixed width, as many as `width`. */
export function laneText({ spans }: Lane, swimlane: Swimlane, width = 36): string {
  return sampled(spans, swimlane, width)
    .map((state) => signs[state])
    .join("");
}

/** The worst state of each of so many equal parts: nothing bad is too short to be seen. */
function sampled(spans: readonly Span[], { from, until }: Swimlane, parts: number): LaneState[] {
  const step = (until - from) / parts;
  return Array.from({ length: parts }, (_, index) => {
    const [begin, end] = [from + index * step, from + (index + 1) * step];
    const touching = spans.filter((span) => span.from < end && span.until > begin).map(({ state }) => state);
    return laneStates.findLast((state) => touching.includes(state)) ?? "unknown";
  });
}

/** The same states in a row, as one. */
function runsOf(states: readonly LaneState[]): { readonly state: LaneState; readonly length: number }[] {
  const runs: { state: LaneState; length: number }[] = [];
  for (const state of states) {
    const last = runs.at(-1);
    if (last?.state === state) last.length += 1;
    else runs.push({ state, length: 1 });
  }
  return runs;
}
