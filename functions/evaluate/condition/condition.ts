/** A condition, from text to something that can be evaluated over and over. */

import { shownUnit } from "./algebra.ts";
import { bind } from "./bind.ts";
import { canonical } from "./canonical.ts";
import {
  agreedLabels,
  type Group,
  isGrouping,
  type Labels,
  type MetricSelection,
  type Row,
  rowsOf,
  selects,
  seriesIn,
} from "./join.ts";
import { parse } from "./language/parser.ts";
import type { Condition, Excess, Instance, Series, SeriesSource } from "./series.ts";
import type { Bound } from "./term.ts";
import { type ConditionWarning, excludeEachOther, warningsOf } from "./warnings.ts";

/**
 * Compiles a condition such as `avg_database_connection_time > 25s`.
 * @param options.windowMs the `alert_duration` of the rule: the window of aliases such as `avg_http_response_time`; 0 means one minute
 * @throws ConditionError
 */
export function compileCondition(text: string, { windowMs }: { windowMs: number }): Condition {
  const bound = bind(text, parse(text), aliasWindow(windowMs));
  const [only, ...others] = bound.selections;
  const single = others.length === 0 && only !== undefined && !isGrouping(only) ? only : undefined;
  return {
    text,
    selectors: bound.selectors,
    limits: bound.limits.map(({ unit, above }) => ({ unit: shownUnit(unit), above })),
    aggregates: bound.selections.some(isGrouping),
    evaluate(source, at, onlyTrue = false) {
      if (single === undefined || bound.seesAbsence) {
        const instances = single === undefined ? overRows(bound, source, at) : overSeries(bound, single, source, at);
        return instances.length === 0 && bound.seesAbsence ? [nothingSeen(bound, source, at)] : instances;
      }
      return overSeries(bound, single, source, at, onlyTrue);
    },
  };
}

/**
 * Returns warnings about a valid condition: that it can never, or must always, be true.
 * @throws ConditionError
 */
export function conditionWarnings(text: string, { windowMs }: { windowMs: number }): readonly ConditionWarning[] {
  return warningsOf(bind(text, parse(text), aliasWindow(windowMs)), aliasWindow(windowMs));
}

/** Returns whether each value aggregates several series across components and probes. @throws ConditionError */
export function mergesComponents(text: string, { windowMs }: { windowMs: number }): boolean {
  const { selections } = bind(text, parse(text), aliasWindow(windowMs));
  return selections.every(
    (selection) => isGrouping(selection) && !selection.by.some((label) => label === "component" || label === "probe"),
  );
}

/** Returns whether an all-clear condition implies its alert condition, so that the alert never clears. @throws ConditionError */
export function neverClears(condition: string, clear: string, { windowMs }: { windowMs: number }): boolean {
  const [alert, end] = [parse(condition), parse(clear)];
  const aliasMs = aliasWindow(windowMs);
  if (canonical(alert, aliasMs) === canonical(end, aliasMs)) return true;
  return excludeEachOther(
    { formula: bind(condition, alert, aliasMs).formula, holds: false },
    { formula: bind(clear, end, aliasMs).formula, holds: true },
    aliasMs,
  );
}

/**
 * Returns a condition in one form: two conditions that mean the same, but for calculations, have the same.
 * @throws ConditionError
 */
export function conditionForm(text: string, { windowMs }: { windowMs: number }): string {
  return canonical(parse(text), aliasWindow(windowMs));
}

/** The window of aliases such as `avg_http_response_time`, in milliseconds. */
function aliasWindow(windowMs: number): number {
  return windowMs > 0 ? windowMs : 60_000;
}

/** The common case: one metric, so that there is nothing to join and no series are ambiguous. */
function overSeries(
  bound: Bound,
  selection: MetricSelection,
  source: SeriesSource,
  at: number,
  onlyTrue = false,
): readonly Instance[] {
  const instances: Instance[] = [];
  const row: Series[] = [];
  for (const series of source.select(selection.metric, selection.pinned["probe"])) {
    if (!selects(selection, series)) continue;
    row[0] = series;
    const truth = bound.holds(row, at);
    if (onlyTrue && truth !== true) continue;
    instances.push(new RowInstance(bound, [series], at, series.labels, truth));
  }
  return instances;
}

function overRows(bound: Bound, source: SeriesSource, at: number): readonly Instance[] {
  const rows = rowsOf(bound.selections, source);
  const watched = watchedBy(bound, source);
  return withoutDuplicates(rows.map((row) => new RowInstance(bound, watched(row), at, agreedLabels(row))));
}

/** Adds to a row since when its series could have been seen, where the condition asks for what is absent. */
function watchedBy({ selections, seesAbsence }: Bound, { watchedSince }: SeriesSource): (row: Row) => Row {
  if (!seesAbsence || watchedSince === undefined) return (row) => row;
  const since = selections.map((selection) =>
    isGrouping(selection) ? Number.NEGATIVE_INFINITY : watchedSince(selection.metric, selection.pinned),
  );
  return (row) => Object.assign([...row], { watchedSince: since });
}

/** The one instance where there is not a single series: what is absent is known only by the labels that the condition gives. */
function nothingSeen(bound: Bound, source: SeriesSource, at: number): Instance {
  const pinned = bound.selections.map((selection) => ({ labels: isGrouping(selection) ? {} : selection.pinned }));
  return new RowInstance(bound, watchedBy(bound, source)([]), at, agreedLabels(pinned));
}

class RowInstance implements Instance {
  readonly labels: Labels;
  readonly truth: boolean | undefined;
  readonly #bound: Bound;
  readonly #row: Row;
  readonly #at: number;

  constructor(bound: Bound, row: Row, at: number, labels: Labels, truth: boolean | undefined = bound.holds(row, at)) {
    this.labels = labels;
    this.truth = truth;
    this.#bound = bound;
    this.#row = row;
    this.#at = at;
  }

  get seen(): string {
    const { text, insertions } = this.#bound;
    let seen = "";
    let copied = 0;
    for (const { offset, show } of insertions) {
      seen += text.slice(copied, offset) + show(this.#row, this.#at);
      copied = offset;
    }
    return (seen + text.slice(copied)).replaceAll(/\s+/g, " ").trim();
  }

  get value(): number | undefined {
    const value = this.#bound.value?.(this.#row, this.#at);
    return Number.isFinite(value) ? value : undefined;
  }

  get excess(): Excess | undefined {
    const beyond = this.#bound.limits.flatMap(({ value, limit, unit, above, holds }): Excess[] =>
      holds(this.#row, this.#at) === true
        ? [{ value: value(this.#row, this.#at), limit: limit(this.#row, this.#at), unit: shownUnit(unit), above }]
        : [],
    );
    return beyond.reduce<Excess | undefined>(
      (most, one) => (most && ratio(most) >= ratio(one) ? most : one),
      undefined,
    );
  }

  get series(): readonly Series[] {
    const { counted } = this.#bound;
    const own = seriesIn(this.#row);
    if (counted.length === 0) return own;
    // The deciding value comes first, because readers look for it.
    const holding = counted.flatMap(({ slot, holds }) =>
      ((this.#row[slot] as Group | undefined)?.rows ?? []).filter((row) => holds(row, this.#at) === true),
    );
    return [...new Set([...holding.flatMap(seriesIn), ...own])];
  }
}

/** How many times its allowed limit a value is. */
function ratio({ value, limit, above }: Excess): number {
  return above ? value / Math.max(limit, Number.EPSILON) : limit / Math.max(value, Number.EPSILON);
}

/** Rows that agree on fewer labels than they have can look alike: the worst of those alike stands for all. */
function withoutDuplicates(instances: readonly Instance[]): readonly Instance[] {
  const worst = new Map<string, Instance>();
  for (const instance of instances) {
    const key = JSON.stringify(Object.entries(instance.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const other = worst.get(key);
    if (other === undefined || badness(instance) > badness(other)) worst.set(key, instance);
  }
  return [...worst.values()];
}

function badness({ truth }: Instance): number {
  return truth === undefined ? 1 : truth ? 2 : 0;
}
