/** Which series of several metrics belong together. */
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Matcher, MetricNode } from "./language/syntax.ts";
import { identityLabels, type NamedMetric } from "./names.ts";
import type { Series, SeriesSource } from "./series.ts";

/** The series of one metric that a condition speaks of. */
export interface MetricSelection {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** Those of the matchers that ask for one value: label to value. */
  readonly pinned: Readonly<Record<string, string>>;
}

/** The groups of one aggregation: combinations of series with the same values of some labels. */
export interface GroupSelection {
  readonly members: readonly Selection[];
  readonly by: readonly string[];
}

/** The series or group in one slot of a row. */
export type Selection = MetricSelection | GroupSelection;

/** Combinations of series that are aggregated, with the labels that they have in common. */
export interface Group {
  readonly labels: Labels;
  readonly rows: readonly Row[];
}

/** One series or group for each selection, in their order; `undefined` where none belongs to the others. */
export type Row = readonly (Series | Group | undefined)[] & {
  /** Since when a series of each selection could have been seen; only where the condition asks for what is absent. */
  readonly watchedSince?: readonly number[];
};

/** Labels of one series. */
export type Labels = Readonly<Record<string, string>>;

/**
 * All combinations of series that belong together, joined from left to right. Series belong together when they agree on every label that
 * both carry, except for those that the condition pins on both sides. Two metrics without a probe in common are measured by different
 * probes, so `probe`, `component` and `vantage` say nothing of them and are left out of the comparison. What finds no partner stands alone.
 */
export function rowsOf(selections: readonly Selection[], source: SeriesSource): readonly Row[] {
  let rows: readonly Row[] = [];
  const pinnedBefore = new Set<string>();
  selections.forEach((selection, width) => {
    const found = foundBy(selection, source);
    const pinned = isGrouping(selection) ? [] : Object.keys(selection.pinned);
    // The labels of a group were asked for, so they count wherever they come from.
    const isGrouped = isGrouping(selection) || selections.slice(0, width).every(isGrouping);
    if (width === 0) rows = found.map((one) => [one]);
    else rows = join(rows, width, found, new Set(pinned.filter((label) => pinnedBefore.has(label))), isGrouped);
    for (const label of pinned) pinnedBefore.add(label);
  });
  return rows;
}

/** A metric with its label matchers, and a key that is equal for equal selections. */
export function selectionOf(
  node: MetricNode,
  named: NamedMetric,
): { readonly key: string; readonly selection: MetricSelection } {
  const implied = Object.entries(named.matchers).map(
    ([label, value]): Matcher => ({ label, operator: "=", value, start: node.start, end: node.end }),
  );
  const matchers = [...implied, ...node.matchers];
  const pinned = Object.fromEntries(
    matchers.filter(({ operator }) => operator === "=").map(({ label, value }) => [label, value]),
  );
  const { metric } = named;
  const asked = matchers.map(({ label, operator, value }) => JSON.stringify([label, operator, value])).sort();
  return { key: JSON.stringify([metric, ...asked]), selection: { metric, matchers, pinned } };
}

/** The series of a row, those of its groups included. */
export function seriesIn(row: Row): readonly Series[] {
  if (row.every(isSeries)) return row;
  if (row.every((one) => one === undefined || isSeries(one))) return row.filter(isSeries);
  return [
    ...new Set(
      row.flatMap((one): readonly Series[] => {
        if (one === undefined) return [];
        return isGroup(one) ? one.rows.flatMap((inner) => seriesIn(inner)) : [one];
      }),
    ),
  ];
}

/** Returns whether it selects groups of series. */
export function isGrouping(selection: Selection): selection is GroupSelection {
  return "by" in selection;
}

function isGroup(one: Series | Group): one is Group {
  return "rows" in one;
}

function isSeries(one: Series | Group | undefined): one is Series {
  return one !== undefined && !isGroup(one);
}

function foundBy(selection: Selection, source: SeriesSource): readonly (Series | Group)[] {
  if (!isGrouping(selection))
    return [...source.select(selection.metric, selection.pinned["probe"])].filter((series) =>
      selects(selection, series),
    );
  const rows = rowsOf(selection.members, source).map((row) => ({ row, labels: only(selection.by, agreedLabels(row)) }));
  const groups = Map.groupBy(rows, ({ labels }) => JSON.stringify(labels));
  return [...groups.values()].map((members) => ({
    labels: members[0]?.labels ?? {},
    rows: members.map(({ row }) => row),
  }));
}

function only(names: readonly string[], labels: Labels): Labels {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = ownEntry(labels, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The labels of all that are there, without those on which any two disagree. */
export function agreedLabels(row: readonly ({ readonly labels: Labels } | undefined)[]): Labels {
  const agreed = new Map<string, string>();
  const disputed = new Set<string>();
  for (const series of row) {
    if (series === undefined) continue;
    for (const [name, value] of Object.entries(series.labels)) {
      if ((agreed.get(name) ?? value) !== value) disputed.add(name);
      agreed.set(name, value);
    }
  }
  for (const name of disputed) agreed.delete(name);
  return Object.fromEntries(agreed);
}

/** Returns whether a selection matches a series of its metric. */
export function selects({ matchers }: MetricSelection, { labels }: Series): boolean {
  for (const { label, operator, value } of matchers) {
    if ((ownEntry(labels, label) === value) !== (operator === "=")) return false;
  }
  return true;
}

function join(
  rows: readonly Row[],
  width: number,
  found: readonly (Series | Group)[],
  pinned: ReadonlySet<string>,
  isGrouped: boolean,
): Row[] {
  const left = rows.map((row) => ({ row, labels: agreedLabels(row) }));
  const probes = new Set(left.map(({ labels }) => labels["probe"]));
  const byProbe = !isGrouped && !pinned.has("probe") && found.some((series) => probes.has(series.labels["probe"]));
  const ignored = byProbe || isGrouped ? pinned : new Set([...pinned, ...identityLabels]);
  const bucketOf = (labels: Labels) => (byProbe ? labels["probe"] : "");
  const buckets = Map.groupBy(found, (series) => bucketOf(series.labels));
  const alone = new Set(found);
  const joined: Row[] = [];
  for (const { row, labels } of left) {
    const partners = (buckets.get(bucketOf(labels)) ?? []).filter((series) => agree(labels, series.labels, ignored));
    for (const partner of partners) {
      joined.push([...row, partner]);
      alone.delete(partner);
    }
    if (partners.length === 0) joined.push([...row, undefined]);
  }
  for (const series of alone) joined.push([...new Array<undefined>(width).fill(undefined), series]);
  return joined;
}

function agree(a: Labels, b: Labels, ignored: ReadonlySet<string>): boolean {
  for (const [name, value] of Object.entries(a)) {
    const other = ownEntry(b, name);
    if (other !== undefined && other !== value && !ignored.has(name)) return false;
  }
  return true;
}
