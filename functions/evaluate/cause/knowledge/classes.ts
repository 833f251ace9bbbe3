/**
 * Classes of symptoms: what was seen, in a word that a pattern of failure can expect or not. The failing phase says most. A
 * connection that is never made speaks for the way to the server, one that the server answers with an error speaks for the server.
 */
import type { ResolvedRole } from "../../../../shared/config/roles.ts";
import {
  type Failure,
  type FailureKind,
  isMonitorFailure,
  readingPhase,
  type Signal,
} from "../../../../shared/messages/report.ts";
import type { Symptom } from "../diagnosis.ts";
import { isTarget } from "../roles.ts";

/** Signal of a failing probe. */
export const failureClasses = [
  // Of a private target, such as a database.
  "unreachable",
  "turned away",
  "silent",
  "slow answer",
  "full",
  "restarting",
  "login refused",
  "disk full",
  "database error",
  // Of what users reach.
  "dns",
  "certificate",
  "no connection",
  "error",
  "bad gateway",
  "not found",
  "denied",
  "throttled",
  "no answer",
  "cut off",
  "wrong content",
  "events missing",
  // Of the monitor.
  "not measured",
] as const;

/** Signal of a firing rule, and of a reading of somebody else's measurement. */
export const signalClasses = [
  "errors",
  "slow",
  "saturated",
  "configuration",
  "provider event",
  "missing",
  "reported down",
  "other",
] as const;

/** One of them. */
export type SymptomClass = (typeof failureClasses)[number] | (typeof signalClasses)[number];

/** Kinds of failure of a run that did not get through. */
const unreached: ReadonlySet<FailureKind> = new Set(["timeout", "refused", "reset", "dns", "tls"]);

/** Signal of a symptom: as declared by its probe or rule, otherwise from its failure. */
export function signalOfSymptom({ signal, source, failure }: Symptom): Signal {
  const declared = signal ?? failure?.signal;
  if (declared !== undefined) return declared;
  return source === "probe" && failure?.kind === "tls" ? "certificate" : "failing";
}

/** The classes of a symptom of a part of this role: more than one where it failed in several ways. */
export function classesOf(symptom: Symptom, role: ResolvedRole): SymptomClass[] {
  if (symptom.source === "rule") return [bySignal[symptom.signal ?? "failing"]];
  const isRead = symptom.secondhand === true;
  const failures = [...(symptom.failure === undefined ? [] : [symptom.failure]), ...(symptom.otherFailures ?? [])];
  if (failures.length === 0) return [isRead ? "other" : "error"];
  const isPrivate = symptom.reach === "private" && isTarget(role);
  const classify = (failure: Failure): SymptomClass => {
    // Nothing is known of a target that could not be looked at, or read about.
    if (isMonitorFailure(failure) || failure.phase === readingPhase) return "not measured";
    if (isRead && !unreached.has(failure.kind)) return reportedClass(failure);
    return isPrivate || failure.kind === "database" ? privateClass(failure) : publicClass(failure);
  };
  return [...new Set(failures.map(classify))];
}

/** Fact of a rule that states only its signal. */
const bySignal: Readonly<Record<Signal, SymptomClass>> = {
  failing: "error",
  errors: "errors",
  slow: "slow",
  saturated: "saturated",
  certificate: "certificate",
  configuration: "configuration",
  event: "provider event",
  missing: "missing",
};

/** Meaning of a bad reading of a target. */
function reportedClass({ kind, signal }: Failure): SymptomClass {
  if (signal !== undefined) return bySignal[signal];
  return kind === "unavailable" ? "reported down" : "other";
}

function privateClass({ kind, phase, code = "" }: Failure): SymptomClass {
  switch (kind) {
    case "timeout":
      if (/^(start|dns|connect|unknown)$/.test(phase)) return "unreachable";
      return inLogin.test(phase) ? "silent" : "slow answer";
    case "unavailable":
    case "dns":
      return "unreachable";
    case "refused":
      return "turned away";
    case "reset":
      return /^(start|dns|connect)$/.test(phase) ? "turned away" : "silent";
    case "database":
      return (
        byState.find(([states]) => states.has(code))?.[1] ?? (inLogin.test(phase) ? "login refused" : "database error")
      );
    case "auth":
    case "tls":
      return "login refused";
    default:
      return "database error";
  }
}

/** Meaning of SQLSTATE codes. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const byState: readonly (readonly [ReadonlySet<string>, SymptomClass])[] = [
  [new Set(["53300", "53400"]), "full"],
  [new Set(["57P01", "57P02", "57P03", "25006"]), "restarting"],
  [new Set(["53100"]), "disk full"],
  // A statement that was cancelled at its time-out, and a lock that was not to be had.
  [new Set(["57014", "55P03"]), "slow answer"],
  [new Set(["28000", "28P01", "3D000"]), "login refused"],
];
/** Phases in which a server that answers with an error lets nobody in, whatever its code: poolers have one of their own. */
const inLogin = /^(tls|authentication|startup|handshake)$/;

function publicClass({ kind, phase, status, code }: Failure): SymptomClass {
  const inHandshake = /^(start|connect|tls)$/.test(phase);
  switch (kind) {
    case "dns":
      return "dns";
    case "tls":
      return "certificate";
    case "refused":
      return "no connection";
    case "timeout":
      if (phase === "dns") return "dns";
      if (inHandshake) return "no connection";
      return /^(first_byte|body|response|upgrade|unknown)$/.test(phase) ? "no answer" : "events missing";
    case "reset":
      return inHandshake ? "no connection" : "cut off";
    case "unavailable":
      return inHandshake ? "no connection" : "cut off";
    case "http_status":
      return statusClass(status ?? 500);
    case "auth":
      return "denied";
    case "sequence":
      if (code === policyViolation) return "denied";
      return code === undefined ? "events missing" : "cut off";
    case "body":
    case "protocol":
      return "wrong content";
    default:
      return "error";
  }
}

/** A code with which a WebSocket is closed. */
const policyViolation = "1008";

function statusClass(status: number): SymptomClass {
  if (status === 502 || status === 504) return "bad gateway";
  if (status === 401 || status === 403 || status === 407) return "denied";
  if (status === 404 || status === 410) return "not found";
  if (status === 429) return "throttled";
  return status >= 500 ? "error" : "wrong content";
}
