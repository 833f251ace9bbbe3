/** The evaluator's state of the monitor itself: one document, written by every tick. */

import { isMonitorFailure, type Vantage } from "../../../shared/messages/report.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import type { Fields } from "../../../shared/ports.ts";
import { stateDocument } from "../commit/state-collection.ts";
import type { GroupActivity } from "../partition/activity.ts";
import type { PartitionState } from "../partition/state.ts";

/** Activity of a group, with the instant of the newest result of each of its probes. */
export interface GroupResults extends GroupActivity {
  readonly results: Readonly<Record<string, number>>;
  /** Probes whose newest result says that they could not run: since when, when last, and why. */
  readonly unable: readonly {
    readonly probe: string;
    readonly since: number;
    readonly at: number;
    readonly why: string;
  }[];
}

/** Something about the monitor that is not as it should be. */
export interface SelfCheck {
  /** Name of the alert. */
  readonly rule: string;
  readonly severity: Severity;
  /** Observation, as the rest of a sentence. */
  readonly seen: string;
  readonly since: number;
  /** When it was last seen. */
  readonly at: number;
  /** Of something that happened rather than lasts: when it is left behind. */
  readonly until?: number;
  /** Of something that lasts: since when it has not been seen any more. */
  readonly goodSince?: number;
}

/** The results of drift checks. */
export interface DriftState {
  /** The tick that last began a check, and the one that began the last check that came to its end; 0 before the first. */
  readonly askedAt: number;
  readonly checkedAt: number;
  /** Checks in a row that found something missing. */
  readonly found: number;
  /** Number of unanswered questions of the last check. */
  readonly unknown: number;
  /** While something is missing: since when, what (the end of a sentence), and in which project. */
  readonly since?: number;
  readonly seen?: string;
  readonly project?: string;
}

/** The monitor's state of itself. */
export interface SelfState {
  readonly v: 1;
  /** The newest tick, by its own instant; 0 before the first. */
  readonly tickAt: number;
  /** Since when silence counts again, after a pause or a stall; 0 when there was none. */
  readonly resumedAt: number;
  /** Since when each group has been expected to report. */
  readonly expected: Readonly<Record<string, number>>;
  /** Groups that left the configuration, and when: what they measured still counts for today and yesterday. */
  readonly retired: Readonly<Record<string, number>>;
  /** When the availability was last written. */
  readonly flushedAt: number;
  /** The tick with which the last heartbeat arrived; 0 before the first. */
  readonly signalledAt: number;
  /** The tick that last asked for canaries; absent before the first. */
  readonly canaryAskedAt?: number;
  /** The tick that asked for the newest canary that has arrived, by vantage point. */
  readonly canaries?: Readonly<Partial<Record<Vantage, number>>>;
  /** Export progress by group: the newest exported instant. */
  readonly exported: Readonly<Record<string, number>>;
  /** Reports taken in, as all partitions counted them with the last tick. */
  readonly reports: number;
  /** Since when probes are expected that have never had a result, although their group reports. */
  readonly missing: Readonly<Record<string, number>>;
  /** Since when each probe of the kind heartbeat has been in the configuration; absent in a state that an older version wrote. */
  readonly awaited?: Readonly<Record<string, number>>;
  /** Drift of the deployment; absent where nobody checks. */
  readonly drift?: DriftState;
  /** Failing checks, by name. */
  readonly checks: Readonly<Record<string, SelfCheck>>;
  /** The newest instant of what other functions reported, by the name of the check. */
  readonly told: Readonly<Record<string, number>>;
}

/** A monitor that has not ticked yet. */
export const emptySelf: SelfState = {
  v: 1,
  tickAt: 0,
  resumedAt: 0,
  expected: {},
  retired: {},
  flushedAt: 0,
  signalledAt: 0,
  exported: {},
  reports: 0,
  missing: {},
  checks: {},
  told: {},
};

/** Names of these fields in version 0.1: missing data and the last watchdog signal outlive an upgrade. */
interface FormerNames {
  readonly beatAt?: SelfState["signalledAt"];
  readonly unheard?: SelfState["missing"];
}

/** The state from its document. */
export function decodeSelf(fields: Fields | undefined): SelfState {
  if (fields === undefined) return emptySelf;
  const { beatAt, unheard, ...state } = JSON.parse(String(fields["data"])) as Partial<SelfState> & FormerNames;
  return {
    ...emptySelf,
    ...state,
    signalledAt: state.signalledAt ?? beatAt ?? emptySelf.signalledAt,
    missing: state.missing ?? unheard ?? emptySelf.missing,
  };
}

/** The state as a document. */
export function encodeSelf(state: SelfState, now: number): Fields {
  return stateDocument(JSON.stringify(state), now);
}

/** Transport delays seen in a partition. */
export function groupResultsOf({ heard, probes }: PartitionState): GroupResults | undefined {
  if (heard === undefined) return undefined;
  const facts = Object.values(probes);
  return {
    ...heard,
    results: Object.fromEntries(facts.map(({ probe, at }) => [probe, at])),
    unable: facts.flatMap(({ probe, status, since, at, failure }) =>
      status === "unknown" && failure && isMonitorFailure(failure) ? [{ probe, since, at, why: failure.message }] : [],
    ),
  };
}
