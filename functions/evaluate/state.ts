/**
 * What the evaluator keeps between messages: a document per partition (a probe group), and one for the environment, which only changes
 * when something happens. Both are kept as one text in one field, which costs no index entries and one read.
 */

import type { Reach } from "../../shared/config/roles.ts";
import type { IncidentEventKind, IncidentStatus, Verdict } from "../../shared/messages/incident-event.ts";
import type { Failure, Signal } from "../../shared/messages/report.ts";
import type { Fields, OutgoingMessage } from "../../shared/ports.ts";
import type { Topic } from "../../shared/topology.ts";
import type { AlertHistory } from "./rules/alert.ts";
import type { Timed } from "./availability/period.ts";
import type { Uptimes } from "./availability/uptime.ts";
import type { Fault, Sign } from "./cause/knowledge/signs.ts";
import type { Excess } from "./condition/index.ts";
import type { Flapping } from "./rules/flapping.ts";
import type { Labels } from "./rules/labels.ts";
import { packed, unpacked } from "./partition/packing.ts";
import type { Proof } from "./incident/recovery/recovery-record.ts";
import type { Heard } from "./monitor/state.ts";
import { type Severity } from "../../shared/messages/severity.ts";

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
  /** What the rule judged by; see `CompiledRule`. */
  readonly criterion: string;
  readonly history: AlertHistory;
  readonly status: "inactive" | "pending" | "firing";
  /** As it was last told to the incidents. */
  readonly flapping?: Flapping;
  /** What the condition saw when it was last bad. */
  readonly seen: string;
  /** The furthest beyond its limit that it was told of, and since when. */
  readonly excess?: Excess;
  readonly excessAt?: number;
}

/** What is known of one probe. */
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
  /** What it waits for was not due yet when it was last run. */
  readonly pending?: true;
  readonly failure?: Failure;
  /** What its measurements say beyond its success, by metric. */
  readonly signs?: Readonly<Record<string, Sign>>;
  /** What its configuration checks found wrong. */
  readonly faults?: readonly Fault[];
}

/** State of one partition. */
export interface PartitionState {
  /** Recent reports: id and instant, ascending in time. What is older than the first of them is not judged any more. */
  readonly reports: readonly (readonly [id: string, at: number])[];
  /** The newest instant heard of, from a report or a tick. */
  readonly watermark: number;
  /** The newest instant at which the prober itself was in trouble, and nobody was judged. */
  readonly blindAt?: number;
  readonly series: ReadonlyMap<string, SeriesState>;
  readonly alerts: ReadonlyMap<string, AlertState>;
  readonly probes: Readonly<Record<string, ProbeFact>>;
  /** What its reports show of the monitor itself. */
  readonly heard?: Heard;
  /** When its probes were good, for the availability of their components. */
  readonly uptime?: Uptimes;
  /** What did not fit: how many samples of each series were kept, and how many series were left out. */
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

/** An alert as the environment knows it. */
export interface KnownAlert {
  readonly key: string;
  readonly rule: string;
  readonly component: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly severity: Severity;
  readonly status: "pending" | "firing";
  /** The first bad instant. */
  readonly since: number;
  readonly firedAt?: number;
  readonly seen: string;
  /** The furthest beyond its limit, and since when. */
  readonly excess?: Excess;
  readonly excessAt?: number;
  /** The partition that judges it. */
  readonly partition: string;
  /** While it flaps it is held. */
  readonly flapping?: Flapping;
}

/** Something bad that was observed during an incident, and stays part of its explanation when it has passed. */
export interface Symptom {
  /** Identifies it: `probe/NAME` or `alert/KEY`. */
  readonly id: string;
  readonly component: string;
  readonly source: "probe" | "rule";
  readonly since: number;
  /** What was seen, as one phrase: "`database` times out in connect". */
  readonly phrase: string;
  readonly vantage?: "inside" | "outside";
  /** Kind of the probe. */
  readonly kind?: string;
  /** What it is about. @default failing */
  readonly signal?: Signal;
  /** How far beyond its limit, from 0 to 1. @default 1, for a probe that fails */
  readonly strength?: number;
  /** Since when it is as bad as that, where it was not from the beginning. */
  readonly worseSince?: number;
  /** The value behind it, in seconds, where it is one of time. */
  readonly seconds?: number;
  /** It was read from somebody else, minutes late. */
  readonly secondhand?: true;
  readonly reach?: Reach;
  /** How long the probe waits for an answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** When it came back last, after it had been good. */
  readonly againSince?: number;
  /** How long it was good in between, in milliseconds. */
  readonly goodMs?: number;
  /** The probe that the series of a rule come from. */
  readonly probe?: string;
  /** Name of the rule, and its metrics. */
  readonly rule?: string;
  readonly metrics?: readonly string[];
  /** How it failed first. */
  readonly failure?: Failure;
  /** Other ways in which it failed later. */
  readonly otherFailures?: readonly Failure[];
  /** How far apart the runs of the probe are, in milliseconds. */
  readonly everyMs?: number;
  /** How often it began. @default 1 */
  readonly times?: number;
  /** It has lasted, come back, or fired an alert: it is more than chance. */
  readonly confirmed?: true;
  /** When it was good again. */
  readonly until?: number;
}

/** A sign, and of which probe and component. */
export interface ProbeSign extends Sign {
  readonly probe: string;
  readonly component: string;
}

/** One possible cause, as people are told of it. */
export interface DiagnosedCandidate {
  readonly component: string;
  /** Roughly how many components' trouble it explains. */
  readonly score: number;
  /** From 0 to 1. */
  readonly confidence: number;
  /** What speaks most for it, and against it; each one sentence. */
  readonly for: string;
  readonly against: string;
}

/** The answer to "what broke?", with its reasons. */
export interface Diagnosis {
  /** A component, or `unknown`. */
  readonly rootCause: string;
  /** The way in which it failed: the name of a row of the table in cause/patterns.ts. */
  readonly pattern?: string;
  /** A second component that broke by itself. */
  readonly alsoBroken?: string;
  readonly verdict: Verdict;
  /** From 0 to 1. */
  readonly confidence: number;
  /** Sentences, those for it first. */
  readonly evidence: readonly string[];
  /** The chain from the symptom that people feel to the cause. */
  readonly whys: readonly string[];
  /** What to do or to look at next, in sentences. */
  readonly next?: readonly string[];
  /** What else it could be, the likeliest first, the one that is named included. */
  readonly candidates?: readonly DiagnosedCandidate[];
  /** Who must act. */
  readonly team?: string;
  /** Components that were seen to work all the time. */
  readonly working: readonly string[];
}

/** Where the validation of a recovery stands. */
export interface RecoveryState {
  /** Index of the stage that is being validated. */
  readonly stage: number;
  /** Of the stage behind the configured ones: the probes that were last seen bad, and that no stage asks for. */
  readonly remaining?: readonly string[];
  readonly attempt: number;
  readonly requestedAt: number;
  /** Results of this attempt, by probe; a reason stands for a failure. */
  readonly results: Readonly<Record<string, true | string>>;
  readonly stageSince: number;
  /** What the prober said of itself, where it answered that it is in trouble. */
  readonly proberTrouble?: string;
}

/** The questions that an incident asks of the environment when it opens, and what came back. */
export interface Inquiry {
  /** How often was asked. */
  readonly round: number;
  /** How often the present round was asked for, because no answer came. */
  readonly attempt: number;
  readonly requestedAt: number;
  /** Probes of the present round that have not answered yet. */
  readonly awaited: readonly string[];
  /** The components that were involved when it was last asked. */
  readonly about: readonly string[];
  /** What the answers show, by probe. */
  readonly facts: Readonly<Record<string, ProbeFact>>;
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
  readonly acknowledgedAt?: number;
  readonly recoveringAt?: number;
  readonly resolvedAt?: number;
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
      }
    >
  >;
  readonly symptoms: Readonly<Record<string, Symptom>>;
  readonly diagnosis: Diagnosis;
  /** The worst that the metrics of each probe showed meanwhile, by probe and metric. */
  readonly signs?: Readonly<Record<string, ProbeSign>>;
  /** What configuration checks found wrong meanwhile. */
  readonly faults?: readonly Fault[];
  readonly inquiry?: Inquiry;
  readonly recovery?: RecoveryState;
  /** How its recovery was proved, each time that all alerts had cleared. */
  readonly proofs?: readonly Proof[];
  readonly timeline: readonly TimelineEntry[];
  /** How often each kind of event has happened. */
  readonly events: Readonly<Partial<Record<IncidentEventKind, number>>>;
  /** When it was last reminded of, and when its daily update was last told. */
  readonly remindedAt?: number;
  readonly updatedAt?: number;
  /** How many routes have lost their patience. */
  readonly escalations?: number;
  /** The maintenance that it falls into, and until when nobody is told because of it. */
  readonly maintenance?: { readonly name: string; readonly until: number };
  /** Until when an operator has silenced it, as it was last read. */
  readonly silencedUntil?: number;
  /** When it could be told again after it was muted. @default since it was opened */
  readonly audibleSince?: number;
  /** The operator's note, as it was last read. */
  readonly note?: string;
  /** What of the operator's edits was not understood. */
  readonly problem?: string;
  /** A status that was not understood, and until when that is explained. */
  readonly misread?: { readonly text: string; readonly until: number };
}

/** A message that is published after the commit, and again until it is known to have been. */
export interface OutboxEntry {
  readonly id: string;
  readonly topic: Topic;
  readonly message: OutgoingMessage;
}

/** What is remembered of an incident that was resolved lately: its times, for the figures of the month, and what it was about. */
export interface Closed extends Timed {
  readonly components?: readonly string[];
  /** When all of its alerts had cleared; absent where an operator has resolved it before. */
  readonly endedAt?: number;
  /** Everything that was seen to fail, and the keys of its alerts; only for as long as late figures may speak of it. */
  readonly affected?: readonly string[];
  readonly alerts?: readonly string[];
  /** Its postmortem is written. */
  readonly reported?: true;
}

/** A firing alert that is held, because it may be the echo of an outage that is over. */
export interface Echo {
  /** The incident of that outage. */
  readonly incident: string;
  readonly rule: string;
  readonly component: string;
  readonly seen: string;
  readonly firedAt: number;
  /** Until when it may fire as an echo. */
  readonly until: number;
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
  /** Incidents that were resolved lately. */
  readonly closed?: readonly Closed[];
  /** Firing alerts that may be echoes of an outage that is over, by their keys; see echoes.ts. A number was all that was once kept of one. */
  readonly echoes?: Readonly<Record<string, Echo | number>>;
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

/** Name of the collection that holds both. */
export const stateCollection = "state";

/** Id of the document of the environment; no partition has this name, because theirs begin with a vantage point. */
export const environmentDocument = "environment";

/** How long a state that nobody writes any more is kept, in milliseconds. */
const keepState = 90 * 86_400_000;

/** A state as a document: one text, which costs no index entries. */
export function stateDocument(data: string, now: number): Fields {
  return { data, updated_at: new Date(now), expires_at: new Date(now + keepState) };
}

/** The environment as a document. */
export function encodeEnvironment(state: EnvironmentState, now: number): Fields {
  return stateDocument(packed(JSON.stringify(state)), now);
}

/** The environment from its document. */
export function decodeEnvironment(fields: Fields | undefined): EnvironmentState {
  return fields === undefined ? emptyEnvironment : (JSON.parse(unpacked(String(fields["data"]))) as EnvironmentState);
}
