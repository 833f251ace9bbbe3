/**
 * The state of a partition as a document, and back: one text, JSON with the samples in columns, compressed where it is long, and then what each
 * report changed in it since, until that is as long as the text. The text never takes more than `mostBytes`, because what does not fit is left
 * out, the most dispensable first, and said so.
 */
import type { Fields } from "../../../shared/ports.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import type { Uptimes } from "../availability/uptime.ts";
import { type AlertHistory, type AlertPhase, type Judgement, quiet, type Verdict } from "../rules/alert.ts";
import { keyOf } from "../rules/alerts.ts";
import type { RunCounts } from "../rules/burn.ts";
import type { Labels } from "../rules/labels.ts";
import { fromDeltas, toDeltas } from "./deltas.ts";
import { isPacked, packed, unpacked } from "./packing.ts";
import { seriesKey } from "./samples.ts";
import { minFailuresOfRuns, savings, withFewerFailures, withFewerSamples, withShorterLedgers } from "./squeeze.ts";
import { type AlertState, emptyPartition, type PartitionState, type SeriesState } from "./state.ts";
import { stateDifference, withStateDifference } from "./state-difference.ts";

/** The most that the state of one partition takes, in bytes: a quarter of what a document may have. */
export const maxBytes: number = 256 * 1024;

/** Changes beside the text may take as many bytes as the text does, and always this many. */
const minChangedBytes = 64 * 1024;
/** Number of changes: whoever reads the document for the first time applies each. */
const maxChanges = 100;

/** The contents of a document: a whole state, and what changed in it since, the oldest first. */
export interface StoredPartition {
  readonly text: string;
  readonly changes: readonly string[];
}

/** A state, and the contents of a document that holds it. */
export interface KeptPartition {
  readonly state: PartitionState;
  readonly stored: StoredPartition;
}

/** A state in the form in which it fits, and its text. */
export interface Encoded {
  readonly state: PartitionState;
  readonly text: string;
}

/** The contents of a document of state; `undefined` where there is none. */
export function storedPartition(fields: Fields | undefined): StoredPartition | undefined {
  const { data, changes } = fields ?? {};
  if (typeof data !== "string") return undefined;
  return { text: data, changes: Array.isArray(changes) ? changes.filter((one) => typeof one === "string") : [] };
}

/** The state that a document holds; empty where there is none. @param known the state of the document as it was earlier, and what it held then */
export function readPartition(stored: StoredPartition | undefined, known?: KeptPartition): PartitionState {
  if (stored === undefined) return emptyPartition;
  const { text, changes } = stored;
  const isGrown = known?.stored.text === text && known.stored.changes.every((one, index) => one === changes[index]);
  if (!isGrown) return changes.reduce(withStateDifference, decodePartition(text));
  return changes.slice(known.stored.changes.length).reduce(withStateDifference, known.state);
}

/**
 * A state as a document holds it, and the contents of that document. Of a long text only what changed is added, as long as there is room.
 * @param before the state that the document holds now, and its contents
 */
export function writePartition(state: PartitionState, before?: KeptPartition): KeptPartition {
  const { text, changes: earlier } = before?.stored ?? { text: "", changes: [] };
  if (before !== undefined && isPacked(text) && earlier.length < maxChanges) {
    const changed = stateDifference(before.state, state);
    const changes = changed === undefined ? [] : [...earlier, changed];
    const length = changes.reduce((sum, one) => sum + one.length, 0);
    if (changed !== undefined && length <= Math.max(text.length, minChangedBytes))
      return { state, stored: { text, changes } };
  }
  const whole = encodePartition(state);
  return { state: whole.state, stored: { text: whole.text, changes: [] } };
}

/**
 * The text of a state, and the state that the text holds: the one given, or what fits of it. Where something had to be left out before, as much is left out
 * at once, and less only when there is room for twice as much: the search for what fits would cost many times what it finds.
 */
export function encodePartition(state: PartitionState): Encoded {
  const { squeezed } = state;
  let fitting = state;
  let text = "";
  if (squeezed !== undefined && squeezed.series === 0) {
    fitting = withFewerSamples(squeezed.samples)(withFewerFailures(minFailuresOfRuns)(withShorterLedgers(state)));
    text = textOf(fitting);
    if (text.length <= maxBytes && text.length > maxBytes / 2) return { state: fitting, text };
    if (text.length <= maxBytes) return encodeMore(state, { state: fitting, text });
  }
  fitting = withoutNote(state);
  text = textOf(fitting);
  for (const lessen of savings(fitting)) {
    if (text.length <= maxBytes) break;
    fitting = lessen(fitting);
    text = textOf(fitting);
  }
  return { state: fitting, text };
}

/** With twice as many samples where they fit, and without a note where that is all of them. */
function encodeMore(state: PartitionState, known: Encoded): Encoded {
  const samples = 2 * (state.squeezed?.samples ?? 0);
  const isAll = Array.from(state.series.values()).every(({ times }) => times.length <= samples);
  const more = isAll ? withoutNote(state) : withFewerSamples(samples)(state);
  const text = textOf(more);
  return text.length <= maxBytes ? { state: more, text } : known;
}

function withoutNote(state: PartitionState): PartitionState {
  if (state.squeezed === undefined) return state;
  const { squeezed: _, ...rest } = state;
  return rest;
}

/** A partition from the text of its document; empty where there is none, and where another version wrote it. */
export function decodePartition(text: string | undefined): PartitionState {
  if (text === undefined) return emptyPartition;
  const written = JSON.parse(unpacked(text)) as Written;
  if (written.v !== version && written.v !== 3) return emptyPartition;
  const { v, series: __, alerts: ___, criteria, histories: ____, uptime, counted, ...others } = written;
  const rest =
    uptime === undefined ? others : { ...others, uptime: v === version ? withRecent(uptime, fromPairs) : uptime };
  const series = written.series.map(([metric, labels, deltas, values]): SeriesState => {
    return { metric, labels, times: fromDeltas(deltas), values };
  });
  const histories = written.histories.map(historyOf);
  const alerts = written.alerts.map(({ history, failed, ...alert }): AlertState => {
    const failedAt = failed === undefined ? {} : { failedAt: fromDeltas(failed) };
    return {
      ...alert,
      ...failedAt,
      criterion: ownEntry(criteria, alert.rule) ?? "",
      history: histories[history] ?? quiet,
    };
  });
  const runs = counted === undefined ? {} : { runs: namesOf(counted, runsOf) };
  return {
    ...rest,
    ...runs,
    series: new Map(series.map((one) => [seriesKey(one), one])),
    alerts: new Map(alerts.map((alert) => [keyOf(alert.rule, alert), alert])),
  };
}

/** Describes what was left out of a state, for the log; `undefined` if it is complete. */
export function squeezedSentence({ squeezed, series }: PartitionState, partition: string): string | undefined {
  if (squeezed === undefined) return undefined;
  const { samples, series: leftOut } = squeezed;
  const dropped = leftOut === 0 ? "" : ` and leaves out ${leftOut} of ${leftOut + series.size} series`;
  return `the state of ${partition} does not fit into ${maxBytes / 1024} KiB: it keeps ${samples} samples of each series${dropped}; divide the probes among several schedules, or shorten the windows of the rules`;
}

const version = 4;

/**
 * Series, alerts, counts of runs and results of uptimes in their own form, and all the rest as it is. An older version has written the counts and
 * the results as they are.
 */
interface Written extends Omit<PartitionState, "series" | "alerts"> {
  /** In version 3, results of uptimes stand as they are. */
  readonly v: typeof version | 3;
  readonly counted?: Readonly<Record<string, WrittenRuns>>;
  readonly series: readonly (readonly [string, Labels, readonly number[], readonly number[]])[];
  /** By rule: all alerts of a rule share one criterion. */
  readonly criteria: Readonly<Record<string, string>>;
  /** Each once, however many alerts have it. */
  readonly histories: readonly WrittenHistory[];
  readonly alerts: readonly WrittenAlert[];
}

/** `history`: its place among the histories. */
interface WrittenAlert extends Omit<AlertState, "history" | "criterion" | "failedAt"> {
  readonly history: number;
  readonly failed?: readonly number[];
}

type WrittenRuns = readonly [bucketMs: number, first: number, counts: readonly number[], failures: readonly number[]];

interface WrittenHistory {
  readonly base: AlertPhase;
  readonly at: readonly number[];
  readonly verdicts: string;
  readonly announced?: AlertHistory["announced"];
}

function textOf({ series, alerts, runs, uptime, ...rest }: PartitionState): string {
  const places = new Map<AlertHistory, number>();
  for (const { history } of alerts.values()) if (!places.has(history)) places.set(history, places.size);
  const written: Written = {
    v: version,
    ...rest,
    ...(uptime === undefined ? {} : { uptime: withRecent(uptime, toPairs) }),
    series: Array.from(series.values(), ({ metric, labels, times, values }) => {
      return [metric, labels, toDeltas(times), values] as const;
    }),
    criteria: Object.fromEntries(Array.from(alerts.values(), ({ rule, criterion }) => [rule, criterion])),
    histories: Array.from(places.keys(), writtenHistory),
    alerts: Array.from(alerts.values(), ({ history, criterion: _, failedAt, ...alert }): WrittenAlert => {
      const failed = failedAt === undefined ? {} : { failed: toDeltas(failedAt) };
      return { ...alert, ...failed, history: places.get(history) ?? 0 };
    }),
    ...(runs === undefined ? {} : { counted: namesOf(runs, writtenRuns) }),
  };
  return packed(JSON.stringify(written));
}

function writtenRuns({ bucketMs, first, counts, failures }: RunCounts): WrittenRuns {
  return [bucketMs, first, counts, toDeltas(failures)];
}

function runsOf([bucketMs, first, counts, failures]: WrittenRuns): RunCounts {
  return { bucketMs, first, counts, failures: fromDeltas(failures) };
}

function namesOf<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

function writtenHistory({ base, recent, announced }: AlertHistory): WrittenHistory {
  return {
    base,
    at: toDeltas(recent.map(([at]) => at)),
    verdicts: recent.map(([, verdict]) => verdict).join(""),
    ...(announced === undefined ? {} : { announced }),
  };
}

function historyOf({ base, at, verdicts, announced }: WrittenHistory): AlertHistory {
  const recent = fromDeltas(at).map((instant, i): Judgement => [instant, Number(verdicts[i]) as Verdict]);
  return { base, recent, ...(announced === undefined ? {} : { announced }) };
}

function withRecent(uptimes: Uptimes, change: (pairs: readonly number[]) => number[]): Uptimes {
  const next: Record<string, Uptimes[string]> = {};
  for (const [probe, uptime] of Object.entries(uptimes))
    setEntry(next, probe, { ...uptime, recent: change(uptime.recent) });
  return next;
}

/** Of instants and codes by turns, each instant but the first as its distance from the one before. */
function toPairs(pairs: readonly number[]): number[] {
  const next = pairs.slice();
  for (let i = pairs.length - 2; i >= 2; i -= 2) next[i] = (pairs[i] ?? 0) - (pairs[i - 2] ?? 0);
  return next;
}

function fromPairs(pairs: readonly number[]): number[] {
  const next = pairs.slice();
  for (let i = 2; i < next.length; i += 2) next[i] = (next[i] ?? 0) + (next[i - 2] ?? 0);
  return next;
}
