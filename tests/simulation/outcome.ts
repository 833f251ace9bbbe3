/** Inputs of a run, and its outcome. */
import type { Scenario } from "../../cli/scenario/file/load.ts";
import type { EnvironmentState } from "../../functions/evaluate/incident/state.ts";
import type { Delivery } from "../../functions/notify/deliver/ledger.ts";
import type { Reader } from "../../shared/documents/delivery-summary.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { Report } from "../../shared/messages/report.ts";
import type { Topic } from "../../shared/topology.ts";
import type { Fault, FaultKind, FunctionName } from "./faults.ts";
import type { Receiver, ReceiverFailure } from "./receivers.ts";
import type { Documents } from "./store.ts";

/** All inputs of a run. */
export interface Schedule {
  /** Name of the outage. */
  readonly outage: string;
  readonly seed: number;
  /** Instances of each function. */
  readonly instances: number;
  /** Maximum duration of a step without faults, in milliseconds. */
  readonly latencyMs: number;
  /** Whether it continues until the monitor's incidents about undelivered notifications are resolved, which takes an hour. */
  readonly isPatient: boolean;
  readonly faults: readonly Fault[];
}

/** One attempt to notify a reader. */
export interface Sent {
  /** Id of the delivery in the ledger. */
  readonly delivery: string;
  readonly reader: string;
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
  /** When the response arrived, or the waiting instance crashed; absent before that. */
  readonly to?: number;
  readonly failure: ReceiverFailure;
  readonly notice: string;
  /** The idempotency key; absent if the kind of channel has none. */
  readonly key: string | undefined;
  /** Whether the receiver accepted it, and the instance was still running to process the response. */
  readonly accepted: boolean;
  /** When it was claimed for this attempt, in milliseconds since the epoch. */
  readonly claimedAt: number;
  /** When the instance then finished its message; absent if it never did. */
  readonly concludedAt?: number;
}

/** Outcome of a run. */
export interface Outcome {
  readonly schedule: Schedule;
  readonly scenario: Scenario;
  readonly documents: Documents;
  readonly environment: EnvironmentState;
  /** By the names of readers. */
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly readers: ReadonlyMap<string, Reader & { readonly kind: string }>;
  /** Events of incidents, by incident and sequence number. */
  readonly events: ReadonlyMap<string, IncidentEvent>;
  readonly ledger: ReadonlyMap<string, Delivery>;
  readonly sent: readonly Sent[];
  /** Scheduled reports that were published, by id. */
  readonly reports: ReadonlyMap<string, Report>;
  /** Messages of the evaluators about reports that they did not evaluate. */
  readonly unjudged: readonly string[];
  /** Errors that should never happen, in sentences. */
  readonly mishaps: readonly string[];
  readonly struck: ReadonlyMap<FaultKind, number>;
  /** Whether everything that was started was completed. */
  readonly isAtRest: boolean;
  /** Milliseconds after the beginning. */
  readonly endedAt: number;
  readonly profile: Profile;
  readonly story: readonly string[];
}

/** Number of steps in a run that faults can strike. */
export interface Profile {
  readonly steps: Readonly<Record<FunctionName, number>>;
  readonly messages: ReadonlyMap<Topic, number>;
  readonly readers: number;
}
