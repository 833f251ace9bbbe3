/** Dependencies of every commit of the evaluator, and the work left after it. */
import type { MetricPoint, Store } from "../../../shared/ports.ts";
import type { OutboxEntry, RecentlyResolved } from "../incident/state.ts";
import type { KeyedMutex } from "../keyed-mutex.ts";
import type { PartitionCache } from "../partition/cache.ts";
import type { Plan } from "../plan.ts";

/** Messages to publish now that the commit has been made, and why a report was not judged. */
export interface Committed {
  readonly outbox: readonly OutboxEntry[];
  readonly ignored?: string;
  /** Sentences for the log, for whoever operates this. */
  readonly remarks?: readonly string[];
  /** A tick after whose publication a heartbeat is deserved. */
  readonly signalAt?: number;
  /** A tick that checks whether the deployment has drifted. */
  readonly driftAt?: number;
  /** Points that a tick exports for dashboards. */
  readonly points?: readonly MetricPoint[];
  /** Number of points that were left out. */
  readonly pointsLeftOut?: number;
  /** Resolved incidents that a tick finds without a postmortem. */
  readonly unreported?: readonly RecentlyResolved[];
}

/** Dependencies of every commit. */
export interface EvaluatorContext {
  readonly store: Store;
  readonly plan: Plan;
  readonly mutex: KeyedMutex;
  readonly partitions: PartitionCache;
  /** Ids of outbox entries that are known to have been published. */
  readonly published: ReadonlySet<string>;
  /** Whether the monitor watches itself. Not during a replay, because the expected messages of a record are unknown. */
  readonly watchesItself: boolean;
  /** Whether an exporter is configured. */
  readonly exports: boolean;
  /** Whether a watchdog is configured. */
  readonly signals: boolean;
  /** Whether the deployment is checked for drift. */
  readonly checksDrift: boolean;
  /** The newest tick that this instance knows of. */
  readonly ticks: { at: number };
  /** Whether messages that waited for the store may still arrive. */
  readonly catchingUp: boolean;
  /** The newest instant that can have passed, in milliseconds since the epoch; infinite where nothing says what can have. */
  readonly latest: number;
}
