/** What the catalogue says of a metric. */
import type { Signal } from "../messages/report.ts";
import type { Unit } from "../text/units.ts";

/** Where a metric is high, and where it is at its limit. */
export interface Scale {
  readonly high: number;
  readonly limit: number;
  /** Small values are the bad ones. @default false */
  readonly below?: true;
}

/** What a metric is. */
export interface Metric {
  readonly unit: Unit;
  /** What bad values of it are about. */
  readonly signal: Signal;
  readonly description: string;
  /** The least and the greatest value that it can have. @default from 0 without an end */
  readonly range?: readonly [least: number, greatest: number];
  /** What is much of it, where that can be said of every environment. */
  readonly scale?: Scale;
  /** A share of requests, or how long they took: absent without any. */
  readonly ofRequests?: true;
  /** Labels that it carries besides `probe`, `component` and `vantage`. */
  readonly labels?: readonly string[];
}
