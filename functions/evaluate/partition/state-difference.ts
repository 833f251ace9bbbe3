/**
 * What changed between two states of a partition, as a short text, and the second state from the first and that text. A report adds a sample to
 * each series, and a judgement to what is not quiet; everything else stays. Series and alerts are named by their places, because both states
 * hold them in one order. Pure.
 */
import { type AlertHistory, quiet } from "../rules/alert.ts";
import { keyOf } from "../rules/alerts.ts";
import { fromDeltas, toDeltas } from "./deltas.ts";
import { differenceOf, type JsonDifference, recordDifference, withDifference } from "./json-difference.ts";
import { packed, unpacked } from "./packing.ts";
import { seriesKey } from "./samples.ts";
import type { AlertState, PartitionState, SeriesState } from "./state.ts";

/** What changed is compressed where its JSON has more characters than this: a document holds many. */
const longestPlain = 1024;

/** The text of what changed; `undefined` where what both states have is in another order, so that the second has to be written as a whole. */
export function stateDifference(before: PartitionState, after: PartitionState): string | undefined {
  const series = seriesChanges(before.series, after.series);
  const alerts = alertChanges(before.alerts, after.alerts);
  if (series === undefined || alerts === undefined) return undefined;
  const rest = differenceOf(withoutMaps(before), withoutMaps(after));
  return packed(JSON.stringify({ ...(rest && { rest }), series, alerts } satisfies Changes), longestPlain);
}

/** The state after what changed. */
export function withStateDifference(state: PartitionState, text: string): PartitionState {
  const { rest, series, alerts } = JSON.parse(unpacked(text)) as Changes;
  const known = withoutMaps(state);
  return {
    ...(rest === undefined ? known : (withDifference(known, rest) as typeof known)),
    series: withSeriesChanges(state.series, series),
    alerts: withAlertChanges(state.alerts, alerts),
  };
}

interface Changes {
  /** Of everything but series and alerts. */
  readonly rest?: JsonDifference;
  readonly series: SeriesChanges;
  readonly alerts: AlertChanges;
}

/** Places among the series, or alerts, of the state before: ascending, each but the first as its distance from the one before. */
type Places = readonly number[];

/** Each kind in columns of one length. What is in none of them is as it was. */
interface SeriesChanges {
  readonly gone?: Places;
  /** They have lost so many samples, the oldest, before any other change. */
  readonly shortened?: readonly [Places, counts: readonly number[]];
  /** They have a new sample. Instants stand as distances as well. */
  readonly sampled?: readonly [Places, times: readonly number[], values: readonly number[]];
  /** They changed in another way. */
  readonly replaced?: readonly (readonly [place: number, SeriesState])[];
  readonly added?: readonly SeriesState[];
}

interface AlertChanges {
  readonly gone?: Places;
  /** Histories that changed, each once: an alert that had it before, or -1, and the difference from that one's, or from a quiet one. */
  readonly histories?: readonly (readonly [place: number, JsonDifference])[];
  /** Alerts that changed alike: their new history by its place in `histories`, or -1, and the difference in all other fields, or 0. */
  readonly changed?: readonly (readonly [history: number, JsonDifference | 0, Places])[];
  readonly added?: readonly (readonly [history: number, Omit<AlertState, "history">])[];
}

function withoutMaps({ series: _, alerts: __, ...rest }: PartitionState): Omit<PartitionState, "series" | "alerts"> {
  return rest;
}

function seriesChanges(before: PartitionState["series"], after: PartitionState["series"]): SeriesChanges | undefined {
  const gone: number[] = [];
  const shortened: [number[], number[]] = [[], []];
  const sampled: [number[], number[], number[]] = [[], [], []];
  const replaced: (readonly [number, SeriesState])[] = [];
  const added: SeriesState[] = [];
  const isAligned = align(before, after, {
    gone: (place) => gone.push(place),
    added: (one) => added.push(one),
    changed(place, old, one) {
      const growth = growthOf(old, one);
      if (growth === undefined) {
        replaced.push([place, one]);
        return;
      }
      if (growth.lost > 0) {
        shortened[0].push(place);
        shortened[1].push(growth.lost);
      }
      if (growth.at !== undefined) {
        sampled[0].push(place);
        sampled[1].push(growth.at);
        sampled[2].push(growth.value);
      }
    },
  });
  if (!isAligned) return undefined;
  return {
    ...(gone.length > 0 && { gone: toDeltas(gone) }),
    ...(shortened[0].length > 0 && { shortened: [toDeltas(shortened[0]), shortened[1]] as const }),
    ...(sampled[0].length > 0 && { sampled: [toDeltas(sampled[0]), toDeltas(sampled[1]), sampled[2]] as const }),
    ...(replaced.length > 0 && { replaced }),
    ...(added.length > 0 && { added }),
  };
}

function withSeriesChanges(known: PartitionState["series"], changes: SeriesChanges): PartitionState["series"] {
  const { shortened: [shorter, counts] = [[], []], sampled: [measured, times, values] = [[], [], []] } = changes;
  const { gone = [], replaced = [], added = [] } = changes;
  const all: (SeriesState | undefined)[] = [...known.values()];
  for (const place of fromDeltas(gone)) all[place] = undefined;
  for (const [place, one] of replaced) all[place] = one;
  for (const [index, place] of fromDeltas(shorter).entries()) {
    const one = all[place];
    const count = counts[index] ?? 0;
    if (one !== undefined) all[place] = { ...one, times: one.times.slice(count), values: one.values.slice(count) };
  }
  const instants = fromDeltas(times);
  for (const [index, place] of fromDeltas(measured).entries()) {
    const one = all[place];
    const [at, value] = [instants[index] ?? 0, values[index] ?? 0];
    if (one !== undefined) all[place] = { ...one, times: [...one.times, at], values: [...one.values, value] };
  }
  return keyed([...known.keys()], all, added, seriesKey);
}

/** What a series has lost at its beginning and gained at its end; `undefined` where it changed in another way. */
function growthOf(
  before: SeriesState,
  after: SeriesState,
): { lost: number; at?: never } | { lost: number; at: number; value: number } | undefined {
  if (differenceOf(before.labels, after.labels) !== undefined) return undefined;
  const [first = Number.NaN] = after.times;
  const lost = before.times.indexOf(first);
  const kept = before.times.length - lost;
  const more = after.times.length - kept;
  if (lost === -1 || more < 0 || more > 1) return undefined;
  for (let i = 0; i < kept; i++) {
    if (before.times[lost + i] !== after.times[i] || before.values[lost + i] !== after.values[i]) return undefined;
  }
  const [at, value] = [after.times[kept], after.values[kept]];
  return at === undefined || value === undefined ? { lost } : { lost, at, value };
}

function alertChanges(before: PartitionState["alerts"], after: PartitionState["alerts"]): AlertChanges | undefined {
  const gone: number[] = [];
  const histories: (readonly [number, JsonDifference])[] = [];
  const places = new Map<AlertHistory, number>();
  const changed = new Map<string, [number, JsonDifference | 0, number[]]>();
  const added: (readonly [number, Omit<AlertState, "history">])[] = [];
  const historyPlace = (history: AlertHistory, place: number, old: AlertHistory): number => {
    const known = places.get(history);
    if (known !== undefined) return known;
    const difference = differenceOf(storedHistory(old), storedHistory(history));
    const next = difference === undefined && place >= 0 ? -1 : histories.length;
    if (next === -1) return next;
    histories.push([place, difference ?? {}]);
    places.set(history, next);
    return next;
  };
  const isAligned = align(before, after, {
    gone: (place) => gone.push(place),
    added: ({ history, ...alert }) => added.push([historyPlace(history, -1, quiet), alert]),
    changed(place, old, alert) {
      const difference = recordDifference(old, alert, "history") ?? 0;
      const next = alert.history === old.history ? -1 : historyPlace(alert.history, place, old.history);
      if (difference === 0 && next === -1) return;
      const key = `${next} ${JSON.stringify(difference)}`;
      const alike = changed.get(key);
      if (alike === undefined) changed.set(key, [next, difference, [place]]);
      else alike[2].push(place);
    },
  });
  if (!isAligned) return undefined;
  const groups = Array.from(changed.values(), ([history, difference, own]) => {
    return [history, difference, toDeltas(own)] as const;
  });
  return {
    ...(gone.length > 0 && { gone: toDeltas(gone) }),
    ...(histories.length > 0 && { histories }),
    ...(groups.length > 0 && { changed: groups }),
    ...(added.length > 0 && { added }),
  };
}

function withAlertChanges(known: PartitionState["alerts"], changes: AlertChanges): PartitionState["alerts"] {
  const { gone = [], histories = [], changed = [], added = [] } = changes;
  const before = [...known.values()];
  const next = histories.map(([place, difference]) => {
    return withDifference(storedHistory(before[place]?.history ?? quiet), difference) as AlertHistory;
  });
  const all: (AlertState | undefined)[] = before.slice();
  for (const place of fromDeltas(gone)) all[place] = undefined;
  for (const [index, difference, places] of changed) {
    for (const place of fromDeltas(places)) {
      const one = before[place];
      if (one === undefined) continue;
      const { history, ...alert } = one;
      const fields = (difference === 0 ? alert : withDifference(alert, difference)) as Omit<AlertState, "history">;
      all[place] = { ...fields, history: next[index] ?? history };
    }
  }
  const more = added.map(([index, alert]): AlertState => ({ ...alert, history: next[index] ?? quiet }));
  return keyed([...known.keys()], all, more, (alert) => keyOf(alert.rule, alert));
}

/** A history without its progress, which follows from the rest. */
function storedHistory({ base, recent, announced }: AlertHistory): Omit<AlertHistory, "tip"> {
  return announced === undefined ? { base, recent } : { base, recent, announced };
}

/** Those that are left, under the keys that they had, and then the new ones under theirs. */
function keyed<T>(
  keys: readonly string[],
  all: readonly (T | undefined)[],
  added: readonly T[],
  keyFor: (one: T) => string,
): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const [place, one] of all.entries()) if (one !== undefined) map.set(keys[place] ?? "", one);
  for (const one of added) map.set(keyFor(one), one);
  return map;
}

interface Visitor<T> {
  gone(place: number): void;
  changed(place: number, old: T, next: T): void;
  added(next: T): void;
}

/** Goes through two maps side by side, if both have what they share in one order, and what only the second has comes last. */
function align<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>, visitor: Visitor<T>): boolean {
  const rest = after.entries();
  let next = rest.next();
  let place = 0;
  for (const [key, old] of before) {
    if (next.done !== true && next.value[0] === key) {
      if (next.value[1] !== old) visitor.changed(place, old, next.value[1]);
      next = rest.next();
    } else if (after.has(key)) return false;
    else visitor.gone(place);
    place += 1;
  }
  for (; next.done !== true; next = rest.next()) visitor.added(next.value[1]);
  return true;
}
