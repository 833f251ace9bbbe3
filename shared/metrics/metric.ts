/** Definition of a metric in the catalogue. */
import type { Role } from "../config/roles.ts";
import type { Signal } from "../messages/report.ts";
import type { Unit } from "../text/units.ts";

/** Typical high value, and limit. */
export interface Scale {
  readonly high: number;
  readonly limit: number;
  /** Small values are the bad ones. @default false */
  readonly below?: true;
}

/** Resources that a component can exhaust; `capacity` is the worst of all. */
export type Resource = "capacity" | "connections" | "cpu" | "memory" | "disk" | "instances";

/** A metric. */
export interface Metric {
  readonly unit: Unit;
  /** Signal of its bad values. */
  readonly signal: Signal;
  readonly description: string;
  /** The least and the greatest value that it can have. @default from 0 without an end */
  readonly range?: readonly [least: number, greatest: number];
  /** Values that are high in every environment. */
  readonly scale?: Scale;
  /**
   * The component that it describes, if not that of the probe: a probe of a service may measure its connector.
   * @default the component of the probe
   */
  readonly role?: Role;
  /** Resource whose use it measures. */
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
