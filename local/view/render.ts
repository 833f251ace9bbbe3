/** One frame of the live view: a snapshot, laid out for a terminal of a given size. */
import { styleText } from "node:util";
import { spokenDuration } from "../../shared/text/units.ts";
import type {
  ComponentState,
  DeliveryState,
  ViewComponent,
  ViewDelivery,
  ViewIncident,
  ViewSnapshot,
} from "./snapshot.ts";
import { causeOf, clockTime, cut, durationOf, pad, plain, stopwatch, wrapped } from "./text.ts";

/** Size of a terminal in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Draws the snapshot as high as `size` and never wider, down to 40 columns. Every section keeps its place while the incident grows, so that the eye need not
 * search: what is short of room are the evidence, the timeline and the deliveries, of which the newest are shown. Where nothing is left for them, the components that
 * are well share a line.
 */
export function render(shown: ViewSnapshot, size: Size, colour: boolean): string {
  const snapshot = plain(shown);
  const paint = painter(colour);
  const width = Math.max(40, size.columns);
  const foot = footer(snapshot, width, paint);
  const incident = incidentSection(snapshot, width, paint);
  const least = incident.fixed.length + 2 + minNews;
  const whole = [...header(snapshot, width, paint), ...components(snapshot, width, paint)];
  const isShort = size.rows - whole.length - foot.length < least;
  const head = isShort ? [...header(snapshot, width, paint), ...componentsInShort(snapshot, width, paint)] : whole;
  const body = size.rows - head.length - foot.length;
  const told = snapshot.deliveries.map((delivery) => deliveryLine(delivery, snapshot, width, paint));

  const fixed = incident.fixed.length + 2;
  const [evidence = 0, deliveries = 0, timeline = 0] = shares(Math.max(0, body - fixed), [
    Math.min(3, incident.evidence.length),
    told.length,
    incident.timeline.length,
  ]);
  const lines = [
    ...head,
    ...incident.fixed,
    ...incident.evidence.slice(0, evidence),
    ...last(incident.timeline, timeline),
    "",
    section("Notifications", "", width, paint),
    ...(told.length === 0 ? [paint("gray", " none yet")] : last(told, deliveries)),
  ].slice(0, Math.max(0, size.rows - foot.length));
  while (lines.length < size.rows - foot.length) lines.push("");
  return [...lines, ...foot].slice(0, size.rows).join("\n");
}

/** Lines of evidence, timeline and deliveries that there should be room for. */
const minNews = 4;

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const componentMarks: Readonly<Record<ComponentState, { readonly mark: string; readonly style: Style }>> = {
  ok: { mark: "●", style: "green" },
  degraded: { mark: "▲", style: "yellow" },
  failing: { mark: "✖", style: "red" },
  unknown: { mark: "○", style: "gray" },
};

const deliveryMarks: Readonly<Record<DeliveryState, { readonly mark: string; readonly style: Style }>> = {
  waiting: { mark: "…", style: "yellow" },
  delivered: { mark: "✓", style: "green" },
  failed: { mark: "✖", style: "red" },
  suppressed: { mark: "–", style: "gray" },
};

function header(snapshot: ViewSnapshot, width: number, paint: Paint): string[] {
  const time = `${clockTime(snapshot.at, snapshot.timezone)}  ${stopwatch(snapshot.elapsedMs)}`;
  const title = pad(` Pathkeeper · ${snapshot.title}`, width - time.length - 2);
  const lines = [`${paint("bold", title)} ${paint("gray", time)}`];
  if (snapshot.headline) {
    const { text, nextInMs } = snapshot.headline;
    const next = nextInMs > 0 ? `next in ${Math.ceil(nextInMs / 1_000)} s` : "";
    lines.push(`${paint("cyan", pad(` ▸ ${text}`, width - next.length - 2))} ${paint("gray", next)}`);
  }
  for (const failure of snapshot.failures ?? []) lines.push(paint("yellow", cut(` ▲ ${failure}`, width - 1)));
  return [...lines, ""];
}

function components(snapshot: ViewSnapshot, width: number, paint: Paint): string[] {
  const name = Math.min(24, Math.max(0, ...snapshot.components.map(({ title }) => title.length)));
  const line = ({ title, state, since, figure }: ViewComponent): string => {
    const { mark, style } = componentMarks[state];
    const duration = spokenDuration(snapshot.at - since).padStart(10);
    const label = `${mark} ${pad(title, name)}  ${pad(state, 8)}`;
    return ` ${paint(style, label)} ${paint("gray", duration)}   ${cut(figure, width - label.length - 16)}`;
  };
  return [section("Components", "", width, paint), ...snapshot.components.map(line), ""];
}

/** The components that are not well, each on its line, and the names of the others. */
function componentsInShort(snapshot: ViewSnapshot, width: number, paint: Paint): string[] {
  const well = snapshot.components.filter(({ state }) => state === "ok");
  if (well.length < 2) return components(snapshot, width, paint);
  const shown = components(
    { ...snapshot, components: snapshot.components.filter((one) => !well.includes(one)) },
    width,
    paint,
  );
  const { mark, style } = componentMarks.ok;
  const names = cut(`${mark} ok: ${well.map(({ title }) => title).join(", ")}`, width - 2);
  return [...shown.slice(0, -1), ` ${paint(style, names)}`, ""];
}

interface IncidentSection {
  readonly fixed: readonly string[];
  readonly evidence: readonly string[];
  readonly timeline: readonly string[];
}

function incidentSection(snapshot: ViewSnapshot, width: number, paint: Paint): IncidentSection {
  const { incident } = snapshot;
  if (!incident) {
    return { fixed: [section("Incident", "", width, paint), paint("gray", " none")], evidence: [], timeline: [] };
  }
  const field = (label: string, text: string): string => ` ${paint("gray", pad(label, 7))} ${cut(text, width - 10)}`;
  const style = incidentStyle(incident);
  const state = `${incident.status} · ${incident.severity} · ${durationOf(incident, snapshot.at)}`;
  return {
    fixed: [
      section("Incident", `${incident.id} · ${state}`, width, paint, style),
      ` ${paint(["bold", style], cut(incident.title, width - 2))}`,
      field("cause", causeOf(incident)),
      ...(incident.impact === "" ? [] : [field("impact", incident.impact)]),
    ],
    evidence: incident.evidence.map((text, index) => field(index === 0 ? "because" : "", text)),
    timeline: incident.timeline.map(
      ({ at, text }) => ` ${paint("gray", clockTime(at, snapshot.timezone))} ${cut(text, width - 11)}`,
    ),
  };
}

function incidentStyle({ status, severity }: ViewIncident): "red" | "yellow" | "green" | "cyan" {
  if (status === "resolved") return "green";
  if (status === "recovering") return "cyan";
  return severity === "critical" ? "red" : "yellow";
}

function deliveryLine(delivery: ViewDelivery, snapshot: ViewSnapshot, width: number, paint: Paint): string {
  const { mark, style } = deliveryMarks[delivery.state];
  const time = clockTime(delivery.at, snapshot.timezone);
  const what = cut(`${pad(delivery.channel, 14)} ${pad(delivery.event, 18)} ${delivery.state}`, width - 13);
  return ` ${paint("gray", time)} ${paint(style, mark)} ${what}`;
}

/** The foot in as many lines as its parts need: an address that is cut leads nowhere. */
function footer(snapshot: ViewSnapshot, width: number, paint: Paint): string[] {
  const { reports, messages } = snapshot.traffic;
  const lines: string[] = [];
  for (const part of [`${reports} reports`, `${messages} messages`, ...snapshot.hints]) {
    const last = lines.at(-1);
    const together = last === undefined ? ` ${part}` : `${last}  ·  ${part}`;
    if (together.length <= width - 1) lines.splice(-1, 1, together);
    else lines.push(...wrapped(part, width - 2).map((line) => ` ${line}`));
  }
  return ["", ...lines.map((line) => paint("gray", line))];
}

function section(title: string, aside: string, width: number, paint: Paint, style: Style = "gray"): string {
  const room = width - title.length - 3;
  const text = cut(aside === "" ? "" : ` ${aside}`, room);
  return ` ${paint("bold", title)} ${paint("gray", "─".repeat(room - text.length))}${paint(style, text)}`;
}

/** Gives each, in turn, one of `room` until it has what it wants: no section starves another. */
function shares(room: number, wants: readonly number[]): number[] {
  const given = wants.map(() => 0);
  for (let left = room; left > 0; ) {
    const hungry = wants.map((_, index) => index).filter((index) => (given[index] ?? 0) < (wants[index] ?? 0));
    if (hungry.length === 0) break;
    for (const index of hungry.slice(0, left)) given[index] = (given[index] ?? 0) + 1;
    left -= Math.min(left, hungry.length);
  }
  return given;
}

function last<T>(items: readonly T[], count: number): readonly T[] {
  return count > 0 ? items.slice(-count) : [];
}

function painter(colour: boolean): Paint {
  return colour ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text;
}
