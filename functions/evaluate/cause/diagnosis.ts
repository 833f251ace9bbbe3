/** Inputs and results of root-cause analysis. */
import type { Reach } from "../../../shared/config/roles.ts";
import type { Verdict } from "../../../shared/messages/incident-event.ts";
import type { Failure, Signal } from "../../../shared/messages/report.ts";
import type { Severity } from "../../../shared/messages/severity.ts";
import type { FailureLedger } from "../partition/failure-ledger.ts";
import type { Indicator } from "./knowledge/indicators.ts";

/** Something bad that was observed during an incident, and stays part of its explanation when it has passed. */
export interface Symptom {
  /** Identifies it: `probe/NAME` or `alert/KEY`. */
  readonly id: string;
  readonly component: string;
  readonly source: "probe" | "rule";
  readonly since: number;
  /** The observation as one phrase: "`database` times out in connect". */
  readonly phrase: string;
  readonly vantage?: "inside" | "outside";
  /** Kind of the probe. */
  readonly kind?: string;
  /** Signal. @default failing */
  readonly signal?: Signal;
  /** Excess beyond the limit, from 0 to 1. @default 1, for a failing probe */
  readonly strength?: number;
  /** Since when it is as bad as that, where it was not from the beginning. */
  readonly worseSince?: number;
  /** The value behind it, in seconds, where it is one of time. */
  readonly seconds?: number;
  /** It was read from somebody else, minutes late. */
  readonly secondhand?: true;
  readonly reach?: Reach;
  /** Time-out of the probe, in milliseconds. */
  readonly timeoutMs?: number;
  /** When it came back last, after it had been good. */
  readonly againSince?: number;
  /** Duration of the good period in between, in milliseconds. */
  readonly goodMs?: number;
  /** The probe that the series of a rule come from. */
  readonly probe?: string;
  /** Name of the rule, and its metrics. */
  readonly rule?: string;
  readonly metrics?: readonly string[];
  /** First failure. */
  readonly failure?: Failure;
  /** Other failures that followed. */
  readonly otherFailures?: readonly Failure[];
  /** Since when it fails in a way in which it had not failed before; absent while it fails as it did at first. */
  readonly otherwiseSince?: number;
  /** Of a probe: how it failed, since it began to. */
  readonly failures?: FailureLedger;
  /** Of a rule: when it saw what it showed. */
  readonly seenAt?: number;
  /** Interval between runs of the probe, in milliseconds. */
  readonly everyMs?: number;
  /** Number of bad values among the last 20 measurements before the first onset. @default 0 */
  readonly badBefore?: number;
  /** Number of onsets. @default 1 */
  readonly times?: number;
  /** Of a probe with an alert of failures that come and go: when that fired, and what it counted. */
  readonly intermittent?: { readonly at: number; readonly seen: string };
  /** It has lasted, come back, or fired an alert: it is more than chance. */
  readonly confirmed?: true;
  /** When it was good again. */
  readonly until?: number;
  /** The most that it alone gives an incident. @default critical, where its component has an impact */
  readonly most?: Severity;
}

/** An indicator, and of which probe and component. */
export interface ProbeIndicator extends Indicator {
  readonly probe: string;
  readonly component: string;
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
  /** Next steps, as sentences. */
  readonly next?: readonly string[];
  /** All possible causes including the named one, the likeliest first. */
  readonly candidates?: readonly DiagnosedCandidate[];
  /** The change that fits the cause: its id, and a sentence about it. */
  readonly change?: { readonly id: string; readonly says: string };
  /** Owner. */
  readonly team?: string;
  /** Components that were seen to work all the time. */
  readonly working: readonly string[];
}

/** A possible cause, for publication. */
export interface DiagnosedCandidate {
  readonly component: string;
  /** Approximate number of components whose failure it explains. */
  readonly score: number;
  /** From 0 to 1. */
  readonly confidence: number;
  /** Strongest evidence for it and against it; one sentence each. */
  readonly for: string;
  readonly against: string;
}

/** A firing alert that is held, because its figures are shown late and may speak of an outage that is over. */
export interface LateData {
  /** The incident of that outage. */
  readonly incident: string;
  readonly rule: string;
  readonly component: string;
  readonly seen: string;
  readonly firedAt: number;
  /** Until when late figures may keep it firing. */
  readonly until: number;
}
