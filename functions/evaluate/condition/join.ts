/** Which series of several metrics belong together. */
import { identityLabels } from "./names.ts";
import type { Series, SeriesSource } from "./series.ts";
import type { Matcher } from "./syntax.ts";

/** The series of one metric that a condition speaks of. */
export interface Selection {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** Those of the matchers that ask for one value: label to value. */
  readonly pinned: Readonly<Record<string, string>>;
}

/** One series for each selection, in their order; `undefined` where none belongs to the others. */
export type Row = readonly (Series | undefined)[];

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
    const found = select(selection, source);
    const pinned = Object.keys(selection.pinned);
    if (width === 0) rows = found.map((series) => [series]);
    else rows = join(rows, width, found, new Set(pinned.filter((label) => pinnedBefore.has(label))));
    for (const label of pinned) pinnedBefore.add(label);
  });
  return rows;
}

/** The labels of all, without those on which any two disagree. */
export function agreedLabels(all: readonly Labels[]): Labels {
  const [only] = all;
  if (all.length === 1 && only !== undefined) return only;
  const agreed = new Map<string, string>();
  const disputed = new Set<string>();
  for (const labels of all) {
    for (const [name, value] of Object.entries(labels)) {
      if ((agreed.get(name) ?? value) !== value) disputed.add(name);
      agreed.set(name, value);
    }
  }
  for (const name of disputed) agreed.delete(name);
  return Object.fromEntries(agreed);
}

/** The series of a row that are there. */
export function present(row: Row): readonly Series[] {
  return row.filter((series) => series !== undefined);
}

function select(selection: Selection, source: SeriesSource): readonly Series[] {
  const found: Series[] = [];
  for (const series of source.select(selection.metric)) {
    if (matches(selection.matchers, series.labels)) found.push(series);
  }
  return found;
}

function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  for (const { label, operator, value } of matchers) {
    if ((labels[label] === value) !== (operator === "=")) return false;
  }
  return true;
}

function join(rows: readonly Row[], width: number, found: readonly Series[], pinned: ReadonlySet<string>): Row[] {
  const left = rows.map((row) => ({ row, labels: agreedLabels(present(row).map((series) => series.labels)) }));
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
  for (const name in a) {
    const other = b[name];
    if (other !== undefined && other !== a[name] && !ignored.has(name)) return false;
  }
  return true;
}
