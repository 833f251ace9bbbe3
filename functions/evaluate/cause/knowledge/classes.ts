/**
 * Classes of symptoms: what was seen, in a word that a pattern of failure can expect or not. The failing phase says most. A
 * connection that is never made speaks for the way to the server, one that the server answers with an error speaks for the server.
 */
import { type Failure, type FailureKind, readingPhase, type Signal } from "../../../../shared/messages/report.ts";
import type { Symptom } from "../diagnosis.ts";
import type { Part } from "../roles.ts";

/** What a failing probe shows. */
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

/** What the metric of a rule that fired shows. */
export const metricClasses = [
  "connector load",
  "connector unwell",
  "handshakes lost",
  "slow to connect",
  "connections",
  "database load",
  "database down",
  "failed starts",
  "errors",
  "errors at the edge",
  "expiry",
  "websockets refused",
  "slow",
  "journey",
  "configuration",
  "provider event",
  "other",
] as const;

/** One of them. */
export type SymptomClass = (typeof failureClasses)[number] | (typeof metricClasses)[number];

/** Kinds of probe that look at the environment as a whole: what they find speaks of others, and their success of nobody. */
export const general: ReadonlySet<string> = new Set(["gcp_configuration", "service_health"]);

/** Kinds of probe that show figures minutes after Google has measured them. */
export const readLate: ReadonlySet<string> = new Set([
  "cloud_monitoring",
  "vpc_connector",
  "cloud_sql",
  "cloud_run",
  "load_balancer",
  "service_health",
]);

/** Kinds of probe that read what somebody else has measured. */
const readers: ReadonlySet<string> = new Set([...general, ...readLate]);

/** Kinds of failure of a run that did not get through. */
const unreached: ReadonlySet<FailureKind> = new Set(["timeout", "refused", "reset", "dns", "tls"]);

/** What a symptom is about: as its probe or rule says, else what its failure says. */
export function signalOfSymptom({ signal, source, kind, failure }: Symptom): Signal {
  if (signal !== undefined) return signal;
  if (source === "rule" || failure === undefined) return "failing";
  if (kind === "gcp_configuration") return "configuration";
  if (kind === "service_health" && !unreached.has(failure.kind)) return "event";
  return failure.kind === "tls" ? "certificate" : "failing";
}

/** The classes of a symptom: more than one where it failed in several ways. */
export function classesOf(symptom: Symptom, role: Part): SymptomClass[] {
  if (symptom.source === "rule") return [metricClass(symptom.metrics ?? [])];
  const failures = [...(symptom.failure === undefined ? [] : [symptom.failure]), ...(symptom.otherFailures ?? [])];
  if (failures.length === 0) return [readers.has(symptom.kind ?? "") ? "other" : "error"];
  const classify = (failure: Failure): SymptomClass => {
    // Nothing is known of a target that could not be looked at, or read about.
    if (failure.kind === "internal" || failure.phase === readingPhase) return "not measured";
    if (readers.has(symptom.kind ?? "") && !unreached.has(failure.kind)) return readerClass(symptom.kind ?? "");
    const isPrivate = symptom.kind === "postgres" || role === "database" || role === "connector";
    return isPrivate && symptom.kind !== "http" ? privateClass(failure) : publicClass(failure);
  };
  return [...new Set(failures.map(classify))];
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

/** What SQLSTATE codes show. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const byState: readonly (readonly [ReadonlySet<string>, SymptomClass])[] = [
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

/** What it means when something is read of a target that is bad. */
function readerClass(kind: string): SymptomClass {
  if (kind === "gcp_configuration") return "configuration";
  if (kind === "service_health") return "provider event";
  return kind === "cloud_sql" ? "database down" : "other";
}

/** Metrics and what they show, the first match counts. */
const byMetric: readonly (readonly [RegExp, SymptomClass])[] = [
  [/^vpc_connector_health$/, "connector unwell"],
  [/^vpc_connector_/, "connector load"],
  [/^database_connect_burst/, "handshakes lost"],
  [/^(database_connection_time|database_phase_time|smd_phase)/, "slow to connect"],
  [/^(cloud_sql_pool|cloud_sql_(new_)?connection|database_connection)/, "connections"],
  [/^cloud_sql_(up|state)$/, "database down"],
  [/^cloud_sql_/, "database load"],
  [/^failed_startups$/, "failed starts"],
  [/^cloud_run_error/, "errors"],
  [/^load_balancer_error/, "errors at the edge"],
  [/^tls_.*expiry$/, "expiry"],
  [/^websocket_connection_success$/, "websockets refused"],
  [/^(http|websocket|tls|cloud_run|load_balancer|probe)_.*(time|duration|latency)$/, "slow"],
  [/^golden_path_/, "journey"],
  [/^configuration_/, "configuration"],
  [/^service_health_/, "provider event"],
  [/^(probe_success|http_status)$/, "error"],
];

function metricClass(metrics: readonly string[]): SymptomClass {
  return byMetric.find(([pattern]) => metrics.some((metric) => pattern.test(metric)))?.[1] ?? "other";
}
