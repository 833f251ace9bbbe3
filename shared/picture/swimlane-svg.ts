/**
 * A swimlane as SVG. Positions along time are percentages, so that one picture fits 320 pixels and 1,280; heights are pixels. States differ by
 * the height of their bars as well as by colour. Without a sheet it is drawn in colours for a light ground; `swimlaneStyle` adds dark ones.
 */
import { dateFormat } from "../text/formatters.ts";
import { Html, html } from "../text/html.ts";
import { type Lane, type LaneState, type Moment, type Span, type Swimlane, swimlaneSentence } from "./swimlane.ts";
import { ticksOf } from "./time-axis.ts";

/** Options of the picture. */
export interface SwimlaneSvgOptions {
  /** IANA zone of the times. @default Etc/UTC */
  readonly timezone?: string;
}

/** Styles of the picture. They need only the colour variables of the status page. */
export const swimlaneStyle: string = `
.swimlane { display: block; width: 100%; overflow: visible; font: 400 12px/1 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.swimlane text { fill: var(--soft); stroke: var(--card); stroke-width: 4px; paint-order: stroke; stroke-linejoin: round; }
.swimlane .lane { fill: var(--text); font-size: 13px; }
.swimlane .cause { font-weight: 700; }
.swimlane .good { fill: var(--bar-good); } .swimlane .bad { fill: var(--bar-bad); } .swimlane .degraded { fill: var(--bar-fair); }
.swimlane .unknown { fill: var(--bar-none); }
.swimlane .moment { stroke: var(--soft); } .swimlane .grid { stroke: var(--line); }
.swimlane .alert { fill: var(--text); stroke: var(--card); } .swimlane .change { fill: var(--calm); stroke: var(--card); }
.swimlane .notice { fill: var(--card); stroke: var(--text); }
.swimlane .passed { fill: var(--bar-good); } .swimlane .failed { fill: var(--bar-bad); } .swimlane .validating { fill: var(--calm); }
@media (forced-colors: active) { .swimlane rect, .swimlane path { forced-color-adjust: none; } }
`;

/** Colours where there is no sheet, and the height of each state's bar: the worse, the higher. */
const looks: Readonly<Record<LaneState, { readonly color: string; readonly height: number; readonly word: string }>> = {
  good: { color: "#3fa873", height: 4, word: "works" },
  unknown: { color: "#bdbcb5", height: 8, word: "not known" },
  degraded: { color: "#e3a02c", height: 10, word: "degraded" },
  bad: { color: "#d64a3f", height: 16, word: "fails" },
};

const stageColors = { passed: "#3fa873", failed: "#d64a3f", validating: "#2b5fb3" } as const;

const rowHeight = 35;
const labelHeight = 15;
const barTop = 17;
const barHeight = 16;

/** The longest title of a lane, in characters, beside what is said of it on a narrow screen. */
const longestTitle = 28;

/** Draws the picture. */
export function swimlaneSvg(swimlane: Swimlane, { timezone = "Etc/UTC" }: SwimlaneSvgOptions = {}): string {
  const { from, until, lanes, changes, notices, stages } = swimlane;
  const x = (at: number): string => `${share(at, from, until).toFixed(2)}%`;
  const clock = dateFormat("en-GB", { timeZone: timezone, hour12: false, timeStyle: "medium" });
  const time = (at: number): string => clock.format(at);
  const labels = placed(swimlane);
  const top = Math.max(1, ...labels.map(({ row }) => row + 1)) * labelHeight + 8;
  const rows = [
    ...(changes.length > 0 ? [changesRow(changes, x, time)] : []),
    ...lanes.map((lane) => laneRow(lane, x, time)),
    ...(notices.length > 0 ? [noticesRow(notices, x, time)] : []),
    ...(stages.length > 0 ? [stagesRow(swimlane, x, time)] : []),
  ];
  const bottom = top + rows.length * rowHeight;
  const ticks = ticksOf(from, until, 4, timezone);
  return html`<svg xmlns="http://www.w3.org/2000/svg" class="swimlane" width="100%" height="${bottom + 22}" role="img" aria-label="${swimlaneSentence(swimlane)}" font-family="system-ui, sans-serif" font-size="12">
${ticks.map(
  ({ at, text }) =>
    html`<line class="grid" x1="${x(at)}" x2="${x(at)}" y1="${top}" y2="${bottom}" stroke="#e4e3de"/><text x="${x(at)}" y="${bottom + 16}" text-anchor="${anchorOf(share(at, from, until))}" fill="#5d5f66">${text}</text>
`,
)}${labels.map(
  ({ at, text, row }) =>
    html`<line class="moment" x1="${x(at)}" x2="${x(at)}" y1="${row * labelHeight + 14}" y2="${bottom}" stroke="#5d5f66" stroke-dasharray="2 3"/><text x="${x(at)}" y="${row * labelHeight + 11}" text-anchor="${anchorOf(share(at, from, until))}" fill="#5d5f66">${text}<title>${text} at ${time(at)}</title></text>
`,
)}${rows.map((row, index) => {
  const y = top + index * rowHeight;
  return html`<svg y="${y}" width="100%" height="${rowHeight}" overflow="visible">${row}</svg>
`;
})}</svg>`.text;
}

/** Returns the legend as HTML, for display beside the picture. */
export function swimlaneLegend({ changes, notices, lanes }: Swimlane): Html {
  const states = new Set(lanes.flatMap(({ spans }) => spans.map(({ state }) => state)));
  const sign = (shape: Html, word: string): Html =>
    html`<li><svg class="swimlane" width="18" height="18" aria-hidden="true">${shape}</svg>${word}</li>`;
  const shown = (["bad", "degraded", "unknown", "good"] as const).filter((state) => states.has(state));
  return html`<ul class="legend">${shown.map((state) => sign(bar({ from: 0, until: 1, state }, 0, "0%", "100%"), looks[state].word))}${
    lanes.some(({ alerts }) => alerts.length > 0) ? sign(at("50%", alertSign, 5), "a check begins to fail") : []
  }${changes.length > 0 ? sign(at("50%", changeSign, 9), "change") : []}${notices.length > 0 ? sign(at("50%", noticeSign, 9), "notice arrived") : []}</ul>`;
}

function laneRow({ title, part, spans, says, alerts }: Lane, x: Position, time: Time): Html {
  const name = title.length > longestTitle ? `${title.slice(0, longestTitle - 1)}…` : title;
  const isCause = part === "cause";
  return html`<text class="${isCause ? "lane cause" : "lane"}" x="0" y="12" font-size="13"${isCause ? new Html(' font-weight="700"') : ""} fill="#1c1d1f">${isCause ? `◆ ${name}` : name}<title>${title}</title></text><text x="100%" y="12" text-anchor="end" fill="#5d5f66">${isCause ? `cause, ${says}` : says}</text>${spans.map(
    (span) =>
      bar(
        span,
        barTop,
        x(span.from),
        widthOf(span, x),
        `${looks[span.state].word} from ${time(span.from)} to ${time(span.until)}`,
      ),
  )}${alerts.map((alert) => at(x(alert.at), alertSign, barTop - 3, `${time(alert.at)} ${alert.text}`))}`;
}

function changesRow(changes: readonly Moment[], x: Position, time: Time): Html {
  return html`<text class="lane" x="0" y="12" font-size="13" fill="#1c1d1f">Changes</text>${changes.map((change) => at(x(change.at), changeSign, barTop + 8, `${time(change.at)} ${change.text}`))}`;
}

function noticesRow(notices: readonly Moment[], x: Position, time: Time): Html {
  return html`<text class="lane" x="0" y="12" font-size="13" fill="#1c1d1f">Told</text>${notices.map((notice) => at(x(notice.at), noticeSign, barTop + 8, `${time(notice.at)} ${notice.text}`))}`;
}

function stagesRow({ stages }: Swimlane, x: Position, time: Time): Html {
  const passed = stages.filter(({ outcome }) => outcome === "passed").length;
  return html`<text class="lane" x="0" y="12" font-size="13" fill="#1c1d1f">Recovery</text><text x="100%" y="12" text-anchor="end" fill="#5d5f66">${passed} of ${stages.length} stages passed</text>${stages.map(
    ({ from, until, name, outcome }) =>
      html`<rect class="${outcome}" x="${x(from)}" y="${barTop}" width="${widthOf({ from, until }, x)}" height="${barHeight}" fill="${stageColors[outcome]}" stroke="#ffffff"><title>${name}: ${outcome}, ${time(from)} to ${time(until)}</title></rect>`,
  )}`;
}

type Position = (at: number) => string;
type Time = (at: number) => string;

function bar({ state }: Span, y: number, left: string, width: string, title = looks[state].word): Html {
  const { color, height } = looks[state];
  return html`<rect class="${state}" x="${left}" y="${y + (barHeight - height) / 2}" width="${width}" height="${height}" fill="${color}"><title>${title}</title></rect>`;
}

/** Even what lasted no time at all is seen. */
function widthOf({ from, until }: Pick<Span, "from" | "until">, x: Position): string {
  return `${Math.max(0.4, Number.parseFloat(x(until)) - Number.parseFloat(x(from))).toFixed(2)}%`;
}

const alertSign = new Html('<path class="alert" d="M-5 -5H5L0 4Z" fill="#1c1d1f" stroke="#ffffff"/>');
const changeSign = new Html('<path class="change" d="M0 -8L8 0L0 8L-8 0Z" fill="#2b5fb3" stroke="#ffffff"/>');
const noticeSign = new Html('<path class="notice" d="M-7 -5H7V5H-7ZM-7 -5L0 1L7 -5" fill="#ffffff" stroke="#1c1d1f"/>');

/** A sign at a position along time, which a path alone cannot have. */
function at(x: string, sign: Html, y: number, title = ""): Html {
  return html`<svg x="${x}" y="${y}" overflow="visible"><g>${sign}${title === "" ? "" : html`<title>${title}</title>`}</g></svg>`;
}

interface PlacedLabel extends Moment {
  readonly row: number;
}

/** Width of a character, as a percentage of the narrowest screen. */
const characterShare = 2.1;

/** Puts the words above the picture into as many rows as they need on a narrow screen. */
function placed({ moments, from, until }: Swimlane): PlacedLabel[] {
  const ends: number[] = [];
  return moments.map((moment) => {
    const width = moment.text.length * characterShare;
    const position = share(moment.at, from, until);
    const anchor = anchorOf(position);
    const left = position - (anchor === "start" ? 0 : anchor === "end" ? width : width / 2);
    const free = ends.findIndex((end) => end <= left);
    const row = free < 0 ? ends.length : free;
    ends[row] = left + width + characterShare;
    return { ...moment, row };
  });
}

function anchorOf(position: number): "start" | "middle" | "end" {
  return position < 18 ? "start" : position > 82 ? "end" : "middle";
}

/** Returns the horizontal position of an instant, from 0 to 100. */
function share(instant: number, from: number, until: number): number {
  return until <= from ? 0 : Math.min(100, Math.max(0, (100 * (instant - from)) / (until - from)));
}
