/** Inputs and outputs of conditions. */
import type { Severity } from "../../../shared/messages/severity.ts";
import type { Unit } from "../../../shared/text/units.ts";
import type { RunCounts } from "../rules/burn.ts";

/** The samples of one metric with one set of labels, in two columns of one length. */
export interface Series {
  readonly metric: string;
  /** Its own labels, and `probe`, `component` and `vantage`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Instants of the samples, ascending: milliseconds since the epoch. */
  readonly times: readonly number[];
  /** Their values, in the base unit of the metric. */
  readonly values: readonly number[];
  /** Maximum age of a sample that still counts as current. */
  readonly staleAfterMs: number;
}

/** Source of series for conditions. */
export interface SeriesSource {
  /** Every series of a metric, none twice; where a probe is given, at least those of that probe. */
  select(metric: string, probe?: string): Iterable<Series>;
  /**
   * Since when such series could have been seen, in milliseconds since the epoch: when the first probe that yields them was first run.
   * Infinity where none was run yet. @default for ever
   */
  watchedSince?(metric: string, matchers: Readonly<Record<string, string>>): number;
  /** Counts of runs of a probe and times of its failures; `undefined` if they are not counted. @default not counted */
  runs?(probe: string): RunCounts | undefined;
}

/** The inputs of a condition: used to keep samples as long as they are needed, and to check names of probes and components. */
export interface Selector {
  readonly metric: string;
  /** Labels that must have a value; the `!=` of a condition are not among them. */
  readonly matchers: Readonly<Record<string, string>>;
  /** Lookback; 0 for the last value only. */
  readonly windowMs: number;
}

/**
 * The result of a condition for one combination of series. No two instances of one evaluation have the same labels. All fields but `labels`
 * and `truth` are computed lazily: read them before the series change, and do not copy the object by spreading it.
 */
export interface Instance {
  /** Labels of its series, without those on which they disagree. */
  readonly labels: Readonly<Record<string, string>>;
  /** `undefined` where data is missing that would decide it. */
  readonly truth: boolean | undefined;
  /** The condition with the values in place: `vpc_connector_utilization (93%) > 70%`. */
  readonly seen: string;
  /** The left side of the first comparison, in its base unit; `undefined` without a comparison or without data. */
  readonly value?: number | undefined;
  /** The comparison that is missed by most, of those that hold; `undefined` where none does. */
  readonly excess?: Excess | undefined;
  /** Severity of the result, where it differs between instances. */
  readonly severity?: Severity;
  /** Its severity is the most that it gives an incident. @default false */
  readonly capped?: true;
  /** For conditions that count failed runs: times of the runs that make it true, ascending. */
  readonly failedAt?: readonly number[];
  /** The series it was computed from. */
  readonly series: readonly Series[];
}

/** A value and the limit that it is beyond, in the base unit. */
export interface Excess {
  readonly value: number;
  readonly limit: number;
  readonly unit: Unit;
  /** Whether large values are bad. */
  readonly above: boolean;
}

/** A condition, ready to be evaluated as often as needed. */
export interface Condition {
  /** As written. */
  readonly text: string;
  readonly selectors: readonly Selector[];
  /** The unit of the values compared with a limit, and whether large values are bad. */
  readonly limits: readonly Pick<Excess, "unit" | "above">[];
  /** Whether it aggregates several series into one value, so that all of them must be known when it is evaluated. */
  readonly aggregates: boolean;
  /**
   * Evaluates the condition for every combination of series that it speaks of. No series, no instances, except for `absent`.
   * @param at milliseconds since the epoch; later samples are not seen
   * @param onlyTrue that instances which are not true are not asked for, and may be left out
   */
  evaluate(source: SeriesSource, at: number, onlyTrue?: boolean): readonly Instance[];
}

/** Returns how many of the instants are not after `instant`. */
export function countUntil(times: readonly number[], instant: number): number {
  let low = 0;
  let high = times.length;
  // The last sample is nearly always what is asked for.
  if (high > 0 && (times[high - 1] ?? 0) <= instant) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
