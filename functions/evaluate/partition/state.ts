/** State of one partition: a probe group with its series, alerts and probes. */
import type { Failure } from "../../../shared/messages/report.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import type { Uptimes } from "../availability/uptime.ts";
import type { Change as EnvironmentChange, LogPattern } from "../cause/knowledge/changes.ts";
import type { Fault, Indicator } from "../cause/knowledge/indicators.ts";
import type { Excess } from "../condition/index.ts";
import type { AlertAbsence } from "../rules/absence.ts";
import type { AlertHistory } from "../rules/alert.ts";
import type { RunCounts } from "../rules/burn.ts";
import type { Flapping } from "../rules/flapping.ts";
import type { Labels } from "../rules/labels.ts";
import type { GroupActivity } from "./activity.ts";
import type { FailureLedger } from "./failure-ledger.ts";

/** Recent samples of one series, in two columns of one length, ascending in time. */
export interface SeriesState {
  readonly metric: string;
  readonly labels: Labels;
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** One alert of one partition. */
export interface AlertState {
  readonly rule: string;
  readonly labels: Labels;
  readonly component: string;
  readonly severity: Severity;
  /** Criterion of the rule; see `CompiledRule`. */
  readonly criterion: string;
  readonly history: AlertHistory;
  readonly status: "inactive" | "pending" | "firing";
  /** Flapping state last reported to the incidents. */
  readonly flapping?: Flapping;
  /** Values that the condition saw when it was last bad. */
  readonly seen: string;
  /** When that was, in milliseconds since the epoch. */
  readonly seenAt?: number;
  /** Largest excess beyond its limit reported so far, and its time. */
  readonly excess?: Excess;
  readonly excessAt?: number;
  /** Its severity is the most that it gives an incident. */
  readonly capped?: true;
  /** For a rule that counts failed runs: the first that counts, and the newest when it was last reported. */
  readonly failedAt?: readonly number[];
  /** Why nothing can be judged of it at present. */
  readonly absence?: AlertAbsence;
}

/** State of one probe. */
export interface ProbeFact {
  readonly probe: string;
  readonly component: string;
  readonly vantage: "inside" | "outside";
  /** `unknown`: nothing was heard of it for too long, or its newest result says nothing of its target. */
  readonly status: "good" | "bad" | "unknown";
  /** The first instant of this status. */
  readonly since: number;
  /** The newest instant known. */
  readonly at: number;
  /** The newest instant at which the status was another. */
  readonly otherAt?: number;
  /** When it was first run; absent where an older version has not kept it. */
  readonly firstAt?: number;
  /** The job that it waits for was not due yet at its last run. */
  readonly pending?: true;
  readonly failure?: Failure;
  /** Its failures of the last day; absent if there were none. */
  readonly failures?: FailureLedger;
  /** Findings from its measurements other than success, by metric. */
  readonly indicators?: Readonly<Record<string, Indicator>>;
  /** Faults found by its configuration checks. */
  readonly faults?: readonly Fault[];
  /** What it found that was changed, and what error logs say; only of what answers a diagnosis. */
  readonly changes?: readonly EnvironmentChange[];
  readonly logPatterns?: readonly LogPattern[];
}

/** State of one partition. */
export interface PartitionState {
  /** Recent reports: id and instant, ascending in time. What is older than the first of them is not judged any more. */
  readonly reports: readonly (readonly [id: string, at: number])[];
  /** The newest instant heard of, from a report or a tick. */
  readonly watermark: number;
  /** The newest instant at which the prober itself failed, and no result was judged. */
  readonly blindAt?: number;
  readonly series: ReadonlyMap<string, SeriesState>;
  readonly alerts: ReadonlyMap<string, AlertState>;
  readonly probes: Readonly<Record<string, ProbeFact>>;
  /** Observations of the monitor itself, from its reports. */
  readonly heard?: GroupActivity;
  /** Counts of runs and times of failures, where a built-in rule needs them; by probe name. */
  readonly runs?: Readonly<Record<string, RunCounts>>;
  /** When its probes were good, for the availability of their components. */
  readonly uptime?: Uptimes;
  /** Reductions applied because the state did not fit: samples kept of each series, and series left out. */
  readonly squeezed?: { readonly samples: number; readonly series: number };
}

/** A partition of which nothing was heard yet. */
export const emptyPartition: PartitionState = {
  reports: [],
  watermark: 0,
  series: new Map(),
  alerts: new Map(),
  probes: {},
};
