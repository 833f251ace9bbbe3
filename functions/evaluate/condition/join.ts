/** Which series of several metrics belong together. */
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Matcher } from "./language/syntax.ts";
import { identityLabels } from "./names.ts";
import type { Series, SeriesSource } from "./series.ts";

/** The series of one metric that a condition speaks of. */
export interface Selection {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** Those of the matchers that ask for one value: label to value. */
  readonly pinned: Readonly<Record<string, string>>;
}

/** One series for each selection, in their order; `undefined` where none belongs to the others. */
export type Row = readonly (Series | undefined)[] & {
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
    const found = [...source.select(selection.metric, selection.pinned["probe"])].filter((series) =>
      selects(selection, series),
    );
    const pinned = Object.keys(selection.pinned);
    if (width === 0) rows = found.map((series) => [series]);
    else rows = join(rows, width, found, new Set(pinned.filter((label) => pinnedBefore.has(label))));
    for (const label of pinned) pinnedBefore.add(label);
  });
  return rows;
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

/** Whether a selection wants a series of its metric. */
export function selects({ matchers }: Selection, { labels }: Series): boolean {
  for (const { label, operator, value } of matchers) {
    if ((ownEntry(labels, label) === value) !== (operator === "=")) return false;
  }
  return true;
}

function join(rows: readonly Row[], width: number, found: readonly Series[], pinned: ReadonlySet<string>): Row[] {
  const left = rows.map((row) => ({ row, labels: agreedLabels(row) }));
  const probes = new Set(left.map(({ labels }) => labels["probe"]));
  const byProbe = !pinned.has("probe") && found.some((series) => probes.has(series.labels["probe"]));
  const ignored = byProbe ? pinned : new Set([...pinned, ...identityLabels]);
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
