/**
 * An incident as a swimlane: for each component, when it was bad, degraded, good or not known, with alerts, notices, changes and the stages of the
 * recovery marked on it. Pure: the document of an incident in, lanes and marks out; `swimlane-svg.ts` and `swimlane-table.ts` draw them.
 */
import type { IncidentDocument } from "../documents/incident.ts";
import { spokenDuration } from "../text/units.ts";

/** States of a component, from best to worst. */
export const laneStates = ["good", "unknown", "degraded", "bad"] as const;

/** One of them. */
export type LaneState = (typeof laneStates)[number];

/** For how long a component was in a state. Milliseconds since the epoch. */
export interface Span {
  readonly from: number;
  readonly until: number;
  readonly state: LaneState;
}

/** The lane of one component. Its spans follow each other without a gap and fill the whole picture. */
export interface Lane {
  readonly component: string;
  readonly title: string;
  /** Role of the component in the incident: the root cause, affected, or shown to work. */
  readonly part: "cause" | "affected" | "working";
  readonly spans: readonly Span[];
  /** What failed, in a few words: `failed for 29 min`. */
  readonly says: string;
  /** When checks of it began to fail, each with what it showed. */
  readonly alerts: readonly { readonly at: number; readonly text: string }[];
}

/** One moment of the incident as a whole. */
export interface Moment {
  readonly at: number;
  readonly text: string;
}

/** One stage of the recovery, or its attempt that failed. */
export interface StageSpan {
  readonly from: number;
  readonly until: number;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "validating";
}

/** A whole picture. */
export interface Swimlane {
  /** The first and the last instant of the picture, in milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
  /** The cause first, then what failed with it in the order in which it did, then what was seen to work. */
  readonly lanes: readonly Lane[];
  /** Number of affected components that are omitted for lack of space. */
  readonly leftOut: number;
  /** Opening, acknowledgement, resolution and so on, oldest first. */
  readonly moments: readonly Moment[];
  readonly changes: readonly Moment[];
  readonly notices: readonly Moment[];
  readonly stages: readonly StageSpan[];
}

/** The documents from which a picture is drawn. */
export interface SwimlaneSources {
  readonly incident: Pick<
    IncidentDocument,
    | "root_cause"
    | "root_cause_since"
    | "also_broken"
    | "affected"
    | "symptoms"
    | "first_failure_at"
    | "opened_at"
    | "acknowledged_at"
    | "recovering_at"
    | "resolved_at"
    | "relapses"
    | "recovery"
  >;
  /** Components that were seen to work meanwhile, the most relevant first. @default none */
  readonly working?: readonly { readonly component: string; readonly title: string }[];
  /** Notices that arrived. @default none */
  readonly notices?: readonly Moment[];
  /** Changes of what is watched. @default none */
  readonly changes?: readonly Moment[];
  /** Times in which nothing was measured of a component. @default none are known */
  readonly gaps?: readonly { readonly component: string; readonly from: number; readonly until: number }[];
  /** Now, in milliseconds since the epoch: the end of the picture of an incident that is not over. */
  readonly now: number;
}

/** The most lanes of affected components, and of working ones. */
const maxAffected = 12;
const maxWorking = 4;

/** The most marks of one kind. */
const maxMarks = 60;

/** Time shown before the first failure and after the end: as a share of the outage, and the minimum in milliseconds. */
const margin = 0.08;
const minMarginMs = 15_000;

/** Works out the picture; `undefined` where it is not known when anything failed. */
export function swimlaneOf(sources: SwimlaneSources): Swimlane | undefined {
  const { incident, working = [], notices = [], changes = [], now } = sources;
  const begin = incident.first_failure_at?.getTime() ?? incident.opened_at?.getTime();
  if (begin === undefined) return undefined;
  const end = Math.max(begin, incident.resolved_at?.getTime() ?? now);
  const pad = Math.max(minMarginMs, Math.round((end - begin) * margin));
  // A change just before it is part of the story.
  const early = changes.map(({ at }) => at).filter((at) => at < begin && begin - at <= Math.max(3 * pad, 1_800_000));
  const from = Math.min(begin - pad, ...early.map((at) => at - pad / 4));
  const until = incident.resolved_at === null ? end : end + pad / 2;
  const frame = { from, until };
  const within = ({ at }: Moment): boolean => at >= from && at <= until;
  const affected = ordered(incident);
  const named = new Set(affected.map(({ component }) => component));
  const seenWorking = new Set(working.map(({ component }) => component));
  return {
    ...frame,
    lanes: [
      ...affected.slice(0, maxAffected).map((one) => affectedLane(one, sources, frame, seenWorking)),
      ...working
        .filter(({ component }) => !named.has(component))
        .slice(0, maxWorking)
        .map(({ component, title }): Lane => {
          const spans = painted(frame, "good", gapsOf(component, sources));
          return { component, title, part: "working", spans, says: "works", alerts: [] };
        }),
    ],
    leftOut: Math.max(0, affected.length - maxAffected),
    moments: momentsOf(incident).filter(within),
    changes: changes.filter(within).slice(0, maxMarks),
    notices: notices.filter(within).slice(0, maxMarks),
    stages: stagesOf(incident, until),
  };
}

/** A sentence for those who do not see the picture. */
export function swimlaneSentence({ lanes, leftOut }: Swimlane): string {
  const told = lanes.map(({ title, part, says }) => `${title}${part === "cause" ? ", the cause" : ""}: ${says}`);
  return `${told.join("; ")}${leftOut === 0 ? "" : `; and ${leftOut} more`}.`;
}

type Affected = IncidentDocument["affected"][number];
type Frame = Pick<Swimlane, "from" | "until">;

/** Orders the components: the cause, a second independent failure, then the others by the time of their first failure. */
function ordered({ affected, root_cause, also_broken }: SwimlaneSources["incident"]): Affected[] {
  const rank = ({ component }: Affected): number => (component === root_cause ? 0 : component === also_broken ? 1 : 2);
  const since = ({ from }: Affected): number => from?.getTime() ?? Number.POSITIVE_INFINITY;
  return affected.toSorted((a, b) => rank(a) - rank(b) || (since(a) < since(b) ? -1 : since(a) > since(b) ? 1 : 0));
}

function affectedLane(
  { component, title, intermittent }: Affected,
  sources: SwimlaneSources,
  frame: Frame,
  working: ReadonlySet<string>,
): Lane {
  const { root_cause, symptoms, relapses } = sources.incident;
  const own = symptoms.filter((symptom) => symptom.component === component);
  // While the incident was over, nothing failed, whatever a symptom spans.
  const over = relapses.map(({ resolved_at: from, failed_at: until }) => [from.getTime(), until.getTime()] as const);
  const troubles = own.flatMap(({ kind, since, until }) => {
    const state = kind === "probe" && !intermittent ? ("bad" as const) : ("degraded" as const);
    const whole = [{ from: since.getTime(), until: until?.getTime() ?? frame.until, state }];
    return over.reduce((spans, gap) => spans.flatMap((span) => without(span, gap)), whole as Span[]);
  });
  const isSeen = own.length > 0 || working.has(component);
  const spans = painted(frame, isSeen ? "good" : "unknown", [...troubles, ...gapsOf(component, sources)]);
  return {
    component,
    title,
    part: component === root_cause ? "cause" : "affected",
    spans,
    says: isSeen ? saysOf(troubles, intermittent) : "not measured itself",
    alerts: own.slice(0, maxMarks).map(({ check, since, showed }) => ({
      at: since.getTime(),
      text: showed === "" ? check : showed,
    })),
  };
}

function gapsOf(component: string, { gaps = [] }: SwimlaneSources): Span[] {
  return gaps
    .filter((gap) => gap.component === component)
    .map(({ from, until }) => ({ from, until, state: "unknown" }));
}

/** A span without a time: what is left before and behind it. */
function without(span: Span, [from, until]: readonly [number, number]): Span[] {
  if (until <= span.from || from >= span.until) return [span];
  return [
    { ...span, until: Math.min(span.until, from) },
    { ...span, from: Math.max(span.from, until) },
  ].filter((part) => part.until > part.from);
}

/** Fills the frame with the worst state that holds at each instant. */
function painted(frame: Frame, ground: LaneState, spans: readonly Span[]): Span[] {
  const least = (frame.until - frame.from) / 200;
  const clipped = spans
    .filter(({ from, until }) => until >= frame.from && from <= frame.until)
    // Even a single failed run is seen.
    .map((span) => ({ ...span, until: Math.max(span.until, span.from + least) }))
    .map((span) => ({ ...span, from: Math.max(frame.from, span.from), until: Math.min(frame.until, span.until) }));
  const edges = [frame.from, frame.until, ...clipped.flatMap(({ from, until }) => [from, until])];
  const instants = [...new Set(edges)].sort((a, b) => a - b);
  const filled: Span[] = [];
  for (const [index, from] of instants.slice(0, -1).entries()) {
    const until = instants[index + 1] ?? from;
    const holding = clipped.filter((span) => span.from <= from && span.until >= until).map(({ state }) => state);
    const state = laneStates.findLast((one) => holding.includes(one)) ?? ground;
    const last = filled.at(-1);
    if (last?.state === state) filled.splice(-1, 1, { ...last, until });
    else filled.push({ from, until, state });
  }
  return filled;
}

/** Describes what failed and for how long: `failed for 29 min`. */
function saysOf(troubles: readonly Span[], intermittent: boolean): string {
  const isBad = troubles.some(({ state }) => state === "bad");
  const own = troubles.filter(({ state }) => state === (isBad ? "bad" : "degraded"));
  if (own.length === 0) return "works";
  const what = isBad ? "failed" : intermittent ? "failed now and then" : "degraded";
  const ms = lengthOf(own);
  return ms < 1_000 ? `${what} once` : `${what} for ${spokenDuration(ms)}`;
}

/** Returns the total duration covered by the spans, in milliseconds. */
function lengthOf(spans: readonly Span[]): number {
  let [sum, end] = [0, Number.NEGATIVE_INFINITY];
  for (const { from, until } of spans.toSorted((a, b) => a.from - b.from)) {
    sum += Math.max(0, until - Math.max(from, end));
    end = Math.max(end, until);
  }
  return sum;
}

function momentsOf(incident: SwimlaneSources["incident"]): Moment[] {
  const { first_failure_at, opened_at, root_cause, root_cause_since, acknowledged_at, recovering_at } = incident;
  const isNamedLater =
    root_cause !== "unknown" &&
    root_cause_since !== null &&
    opened_at !== null &&
    root_cause_since.getTime() - opened_at.getTime() >= 1_000;
  const moments: (readonly [Date | null, string])[] = [
    [first_failure_at, "first failure"],
    [opened_at, "opened"],
    [isNamedLater ? root_cause_since : null, "cause named"],
    [acknowledged_at, "acknowledged"],
    ...incident.relapses.flatMap(({ resolved_at, failed_at }) => [
      [resolved_at, "resolved"] as const,
      [failed_at, "failed again"] as const,
    ]),
    [recovering_at, "recovering"],
    [incident.resolved_at, "resolved"],
  ];
  return moments.flatMap(([at, text]) => (at === null ? [] : [{ at: at.getTime(), text }])).sort((a, b) => a.at - b.at);
}

function stagesOf({ recovery }: SwimlaneSources["incident"], end: number): StageSpan[] {
  return (recovery?.stages ?? []).flatMap(({ name, begun_at, passed_at, failed_at }): StageSpan[] => {
    if (begun_at === null) return [];
    const from = begun_at.getTime();
    if (passed_at !== null) return [{ from, until: passed_at.getTime(), name, outcome: "passed" }];
    const until = recovery?.ended_at?.getTime() ?? end;
    return [{ from, until: Math.max(from, until), name, outcome: failed_at === null ? "validating" : "failed" }];
  });
}
