/** What the catalogue says of a metric. */
import type { Role } from "../config/roles.ts";
import type { Signal } from "../messages/report.ts";
import type { Unit } from "../text/units.ts";

/** Where a metric is high, and where it is at its limit. */
export interface Scale {
  readonly high: number;
  readonly limit: number;
  /** Small values are the bad ones. @default false */
  readonly below?: true;
}

/** What a part can run short of; `capacity` is the worst of all that it has. */
export type Resource = "capacity" | "connections" | "cpu" | "memory" | "disk" | "instances";

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
  /** The part that it speaks of, whoever measures it: a probe of a service may read how its connector is. @default that of the probe */
  readonly role?: Role;
  /** What it says the use of. */
  readonly resource?: Resource;
  /** The metric of the same probe that says how much of it there may be. */
  readonly limit?: string;
  /** The metric of the same probe that says how long each of its phases took. */
  readonly phases?: string;
  /** A share of requests, or how long they took: absent without any. */
  readonly ofRequests?: true;
  /** Labels that it carries besides `probe`, `component` and `vantage`. */
  readonly labels?: readonly string[];
}
