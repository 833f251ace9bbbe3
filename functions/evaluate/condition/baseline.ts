/** Baselines: what is normal for a metric, as a comparison that is true when things are good. */
import { formatValue } from "../../../shared/units.ts";
import { mismatch, noMetric } from "./advice.ts";
import { commonUnit } from "./algebra.ts";
import { comparisons } from "./bind.ts";
import { ConditionError } from "./error.ts";
import { lex } from "./lexer.ts";
import { namedMetric } from "./names.ts";
import { literal } from "./parser.ts";
import type { Comparison, MetricNode } from "./syntax.ts";

/** A baseline, ready to be held against values. */
export interface BaselineCheck {
  readonly metric: string;
  /** Labels that its series must have: phase 3 for `smd_phase_3_duration`. */
  readonly matchers: Readonly<Record<string, string>>;
  /** The whole comparison: `database_connection_time < 5s`. */
  readonly text: string;
  /** Whether a value in the base unit is normal. */
  holds(value: number): boolean;
  /** What is wrong with a value: `database_connection_time (27.4s) is not < 5s`. */
  describe(value: number): string;
}
