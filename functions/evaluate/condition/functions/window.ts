/** The samples that a window function sees, and what such a function is. */
import type { Unit } from "../../../../shared/text/units.ts";

/** The samples that a function sees: those from index `from` to `to - 1`, at least one. */
export interface Window {
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** The instant of the evaluation, milliseconds since the epoch. */
  readonly at: number;
  readonly windowMs: number;
}

/** A function over a window. */
export interface WindowFunction {
  /** @default the unit of the metric */
  readonly unit?: Unit;
  /** Its value, `NaN` where the samples do not suffice. */
  compute(window: Window): number;
  /** Alternative for durations, ratios and bounded values, which are not counters and are never reset. @default `compute` */
  ofLevels?(window: Window): number;
  /**
   * Explains the value, as the end of a phrase; empty if there is nothing to add.
   * @param limit the constant the value is compared with, and its display unit
   */
  explain?(window: Window, limit: { readonly value: number; readonly text: string } | undefined): string;
}
