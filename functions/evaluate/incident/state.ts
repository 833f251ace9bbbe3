/** The evaluator's state of the environment: open incidents, the outbox, and recently resolved incidents. */
import type { IncidentEventKind, IncidentStatus } from "../../../shared/messages/incident-event.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import type { Fields, OutgoingMessage } from "../../../shared/ports.ts";
import type { Topic } from "../../../shared/topology.ts";
import type { Timed } from "../availability/period.ts";
import type { Diagnosis, LateData, ProbeIndicator, Symptom } from "../cause/diagnosis.ts";
import type { Change, LogPattern } from "../cause/knowledge/changes.ts";
import type { Fault } from "../cause/knowledge/indicators.ts";
import { stateDocument } from "../commit/state-collection.ts";
import type { Excess } from "../condition/index.ts";
import type { FailureLedger } from "../partition/failure-ledger.ts";
import { packed, unpacked } from "../partition/packing.ts";
import type { ProbeFact } from "../partition/state.ts";
import type { AlertAbsence } from "../rules/absence.ts";
import type { Flapping } from "../rules/flapping.ts";
import type { Relapse } from "./record/relapses.ts";
import type { RecoveryRecord } from "./recovery/recovery-record.ts";
import type { SecondCause } from "./second-cause.ts";

/** An alert as the environment knows it. */
export interface KnownAlert {
  readonly key: string;
  readonly rule: string;
  readonly component: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly severity: Severity;
  readonly status: "pending" | "firing";
  /** The first bad instant; of a rule that counts failed runs, the first that counts. */
  readonly since: number;
  /** Of a rule that counts failed runs: the first that counts, and the newest, ascending. */
  readonly failedAt?: readonly number[];
  readonly firedAt?: number;
  /** Values that its condition saw, and their time. */
  readonly seen: string;
  /** Number of bad values among the last 20 measurements before it started. @default 0 */
  readonly badBefore?: number;
  readonly seenAt?: number;
  /** The furthest beyond its limit, and since when. */
  readonly excess?: Excess;
  readonly excessAt?: number;
  /** The partition that judges it. */
  readonly partition: string;
  /** While it flaps it is held. */
  readonly flapping?: Flapping;
  /** Its severity is the most that it gives an incident. */
  readonly capped?: true;
  /** Why nothing can be judged of it at present. */
  readonly absence?: AlertAbsence;
}

/** Progress of the recovery validation. */
export interface RecoveryState {
  /** Number of earlier validations of the incident. @default 0 */
  readonly round?: number;
  /** Index of the stage that is being validated. */
  readonly stage: number;
  /** Of the stage behind the configured ones: the probes that were last seen bad, and that no stage asks for. */
  readonly remaining?: readonly string[];
  readonly attempt: number;
  readonly requestedAt: number;
  /** Number of consecutive unanswered attempts before this one. @default 0 */
  readonly unanswered?: number;
  /** Results of this attempt, by probe; a reason stands for a failure. */
  readonly results: Readonly<Record<string, true | string>>;
  /** Trouble that the prober reported of itself. */
  readonly proberTrouble?: string;
}

/** The questions that an incident asks of the environment when it opens, and what came back. */
export interface DiagnosisRequest {
  /** Number of rounds requested. */
  readonly round: number;
  /** Number of requests for the current round, because no answer arrived. */
  readonly attempt: number;
  readonly requestedAt: number;
  /** Probes of the present round that have not answered yet. */
  readonly awaited: readonly string[];
  /** Whether data that arrives late was requested a second time. */
  readonly askedAgain?: true;
  /** The components that were involved when it was last asked. */
  readonly about: readonly string[];
  /** Facts from the answers, by probe. Their ledgers are kept separately, so that no run counts twice. */
  readonly facts: Readonly<Record<string, ProbeFact>>;
  /** Failures of requested runs since the incident opened, by probe; each has an entry of its own while there is room. */
  readonly failures?: Readonly<Record<string, FailureLedger>>;
}

/** A component as the cause, or `unknown`. */
export interface NamedCause {
  readonly component: string;
  readonly since: number;
  /** When everything that it showed was good again, where another cause was named after that. */
  readonly recoveredAt?: number;
}

/** One line of the timeline. */
export interface TimelineEntry {
  readonly at: number;
  readonly text: string;
}

/** One outage. The state of the environment keeps those that are not resolved. */
export interface Incident {
  readonly id: string;
  readonly title: string;
  readonly status: IncidentStatus;
  readonly severity: Severity;
  readonly openedAt: number;
  readonly firstFailureAt: number;
  /** The rule whose alert opened it. */
  readonly openedBy?: string;
  /** Since when the present cause is named. */
  readonly causeSince?: number;
  /** Every cause that was named, with the instant from which it was; the last is the present one. */
  readonly causes?: readonly NamedCause[];
  /** The second cause that is named, since when, and whether the timeline says so. */
  readonly secondCause?: SecondCause;
  readonly acknowledgedAt?: number;
  /** Who acknowledged the incident and, if known, how. */
  readonly acknowledgedBy?: string;
  readonly recoveringAt?: number;
  readonly resolvedAt?: number;
  /** An operator has resolved it, whatever the probes said. */
  readonly byOperator?: true;
  /** Every alert that ever joined: whether it is still firing. */
  readonly alerts: Readonly<
    Record<
      string,
      {
        readonly rule: string;
        readonly component: string;
        readonly firing: boolean;
        /** As the timeline last said. */
        readonly flapping?: Flapping;
        readonly absence?: AlertAbsence;
      }
    >
  >;
  readonly symptoms: Readonly<Record<string, Symptom>>;
  readonly diagnosis: Diagnosis;
  /** The worst that the metrics of each probe showed meanwhile, by probe and metric. */
  readonly indicators?: Readonly<Record<string, ProbeIndicator>>;
  /** Faults found by configuration checks during the incident. */
  readonly faults?: readonly Fault[];
  /** Changes that may concern the incident, by time. */
  readonly changes?: readonly Change[];
  /** Patterns in the error logs of its components. */
  readonly logPatterns?: readonly LogPattern[];
  readonly diagnosisRequest?: DiagnosisRequest;
  readonly recovery?: RecoveryState;
  /** Recovery records, one for each time that all alerts had cleared. */
  readonly recoveries?: readonly RecoveryRecord[];
  readonly timeline: readonly TimelineEntry[];
  /** Number of events by kind. */
  readonly events: Readonly<Partial<Record<IncidentEventKind, number>>>;
  /** Times of the last reminder and the last daily update. */
  readonly remindedAt?: number;
  readonly updatedAt?: number;
  /** Number of routes that have escalated. */
  readonly escalations?: number;
  /** The maintenance window that contains it, and until when that mutes it. */
  readonly maintenance?: { readonly name: string; readonly until: number };
  /** Until when an operator has silenced it, as it was last read. */
  readonly silencedUntil?: number;
  /** When muting last ended. @default since it was opened */
  readonly audibleSince?: number;
  /** The operator's note, as it was last read. */
  readonly note?: string;
  /** The last public note on the status page. */
  readonly publicNote?: string;
  /** Problems with the operator's edits. */
  readonly problem?: string;
  /** Its relapses after its resolution. */
  readonly relapses?: readonly Relapse[];
  /** The incident of which it is a repetition, too late to be a relapse. */
  readonly previous?: string;
  /** Failures before this instant belong to a resolved incident. */
  readonly notBefore?: number;
  /** A fingerprint of the postmortem that was written when it was resolved before; see postmortem/write.ts. */
  readonly postmortem?: string;
  /** A status that was not understood, and until when that is explained. */
  readonly misread?: { readonly text: string; readonly until: number };
}

/** A message that is published after the commit, and again until it is known to have been. */
export interface OutboxEntry {
  readonly id: string;
  readonly topic: Topic;
  readonly message: OutgoingMessage;
}

/** Facts about a recently resolved incident: its times, for the monthly figures, and its subject. */
export interface RecentlyResolved extends Timed {
  readonly components?: readonly string[];
  readonly rootCause?: string;
  /** When all of its alerts had cleared; absent where an operator has resolved it before. */
  readonly endedAt?: number;
  /** Everything that was seen to fail, and the keys of its alerts; only for as long as late figures may speak of it. */
  readonly affected?: readonly string[];
  readonly alerts?: readonly string[];
  /** Its postmortem is written: a fingerprint of the text, by which it is known whether people have changed it. */
  readonly reported?: true | string;
  /** The same of the postmortem of before its last relapse. */
  readonly postmortem?: string;
}

/** State of the environment. */
export interface EnvironmentState {
  readonly v: 1;
  readonly probes: Readonly<Record<string, ProbeFact>>;
  readonly alerts: Readonly<Record<string, KnownAlert>>;
  readonly incidents: Readonly<Record<string, Incident>>;
  readonly outbox: readonly OutboxEntry[];
  /** The newest event time that changed anything. */
  readonly watermark: number;
  /** Changes that were reported lately, by their instants. */
  readonly changes?: readonly Change[];
  /** Incidents that were resolved lately. */
  readonly recentlyResolved?: readonly RecentlyResolved[];
  /** Incidents that were resolved so lately that a relapse opens them again, whole. */
  readonly reopenable?: readonly Incident[];
  /** Firing alerts that may speak of an outage that is over, by their keys; see late-data.ts. A number was all that was once kept of one. */
  readonly lateData?: Readonly<Record<string, LateData | number>>;
}

/** An environment of which nothing was heard yet. */
export const emptyEnvironment: EnvironmentState = {
  v: 1,
  probes: {},
  alerts: {},
  incidents: {},
  outbox: [],
  watermark: 0,
};

/** The environment as a document. */
export function encodeEnvironment(state: EnvironmentState, now: number): Fields {
  return stateDocument(packed(JSON.stringify(state)), now);
}

/** The environment from its document. It is read far more often than it changes, so the same text gives the same object. */
export function decodeEnvironment(fields: Fields | undefined): EnvironmentState {
  if (fields === undefined) return emptyEnvironment;
  const text = String(fields["data"]);
  if (decoded?.text !== text) decoded = { text, state: withPresentNames(JSON.parse(unpacked(text))) };
  return decoded.state;
}

let decoded: { readonly text: string; readonly state: EnvironmentState } | undefined;

/** Names of these fields in version 0.1: an open incident outlives an upgrade. */
type FormerIncident = Incident & Readonly<Record<"inquiry" | "proofs" | "signs", never>>;
type FormerState = EnvironmentState & Readonly<Record<"closed" | "echoes", never>>;

function withPresentNames({ closed, echoes, ...state }: FormerState): EnvironmentState {
  const isFormer = (incident: object): boolean =>
    ["inquiry", "proofs", "signs"].some((name) => Object.hasOwn(incident, name));
  if (closed === undefined && echoes === undefined && !Object.values(state.incidents).some(isFormer)) return state;
  const incidents = Object.entries(state.incidents as Readonly<Record<string, FormerIncident>>).map(
    ([id, { inquiry, proofs, signs, ...incident }]): [string, Incident] => [
      id,
      { diagnosisRequest: inquiry, recoveries: proofs, indicators: signs, ...incident },
    ],
  );
  return { recentlyResolved: closed, lateData: echoes, ...state, incidents: Object.fromEntries(incidents) };
}
