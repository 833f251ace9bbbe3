/** What every commit of the evaluator needs, and what it leaves to do after the commit. */
import type { MetricPoint, Store } from "../../../shared/ports.ts";
import type { OutboxEntry, RecentlyResolved } from "../incident/state.ts";
import type { KeyedMutex } from "../keyed-mutex.ts";
import type { PartitionCache } from "../partition/cache.ts";
import type { Plan } from "../plan.ts";

/** What is to be published now that the commit has been made, and why a report was not judged. */
export interface Committed {
  readonly outbox: readonly OutboxEntry[];
  readonly ignored?: string;
  /** What people who run this should know, as sentences for the log. */
  readonly remarks?: readonly string[];
  /** A tick after whose publication a heartbeat is deserved. */
  readonly signalAt?: number;
  /** What a tick exports for dashboards. */
  readonly points?: readonly MetricPoint[];
  /** How many of them there were too many. */
  readonly pointsLeftOut?: number;
  /** Resolved incidents that a tick finds without a postmortem. */
  readonly unreported?: readonly RecentlyResolved[];
}

/** What every commit needs. */
export interface EvaluatorContext {
  readonly store: Store;
  readonly plan: Plan;
  readonly mutex: KeyedMutex;
  readonly partitions: PartitionCache;
  /** Ids of outbox entries that are known to have been published. */
  readonly published: ReadonlySet<string>;
  /** Whether the monitor watches itself. Not in a rehearsal: of a record nobody knows what should have been in it. */
  readonly watchesItself: boolean;
  /** Whether there is somewhere to export to. */
  readonly exports: boolean;
  /** Whether there is a watchdog to signal to. */
  readonly signals: boolean;
  /** The newest tick that this instance knows of. */
  readonly ticks: { at: number };
  /** Whether messages may still come that waited for the store. */
  readonly catchingUp: boolean;
  /** The newest instant that can have passed, in milliseconds since the epoch; infinite where nothing says what can have. */
  readonly latest: number;
}
