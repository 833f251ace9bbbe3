/** Causality of signals: which failures of a dependency can cause which failures of its dependents. */
import type { ResolvedRole } from "../../../shared/config/roles.ts";
import type { Signal } from "../../../shared/messages/report.ts";
import type { Fact } from "./fact.ts";
import type { SymptomClass } from "./knowledge/classes.ts";

/**
 * How well a signal of a dependent (second key) follows from one of its dependency (first key), from 0 to 1. The same signal follows fully;
 * a failure causes failures and errors, and seldom mere slowness; a certificate breaks only handshakes.
 */
export const following: Readonly<Record<Signal, Readonly<Partial<Record<Signal, number>>>>> = {
  failing: { failing: 1, errors: 1, slow: 0.7, missing: 1, saturated: 0.5 },
  errors: { failing: 1, errors: 1, missing: 0.7, saturated: 0.4 },
  slow: { slow: 1, failing: 0.5, errors: 0.5, saturated: 0.7, missing: 0.5 },
  saturated: { failing: 1, errors: 1, slow: 1, saturated: 0.7, missing: 0.5 },
  certificate: { certificate: 1 },
  configuration: { failing: 1, errors: 1, slow: 0.7, certificate: 1, missing: 1 },
  event: { failing: 1, errors: 1, slow: 1, missing: 1, saturated: 0.5 },
  missing: { missing: 1, failing: 0.4 },
};

/** Returns how well a signal follows from another, from 0 to 1. */
export function alike(cause: Signal, effect: Signal): number {
  return following[cause][effect] ?? 0;
}

/** Returns how well one fact follows from another, from 0 to 1. */
export function follows(cause: Fact, effect: Fact): number {
  return alike(cause.signal, effect.signal);
}

/**
 * Returns how close the latency of a part comes to the time-out of a dependent, from 0 to 1: a dependent with a shorter time-out must fail,
 * however small the excess.
 */
export function outlasts(cause: Fact, effect: Fact): number {
  const { seconds } = cause.of.symptom;
  const { timeoutMs } = effect.of.symptom;
  if (cause.signal !== "slow" || effect.signal !== "failing" || seconds === undefined || !timeoutMs) return 0;
  return (1000 * seconds) / timeoutMs >= 1 ? 1 : 0;
}

/** Roles of connection paths, which only forward traffic: if the far end answered, it got through. */
export const connectionPaths: ReadonlySet<ResolvedRole> = new Set(["connector", "nat", "subnet"]);
/** Classes that only the far end can make. */
export const answered: ReadonlySet<SymptomClass> = new Set([
  "full",
  "restarting",
  "login refused",
  "slow answer",
  "disk full",
  "database error",
]);

/** Answers that only what works can give. */
export const deliberate: ReadonlySet<SymptomClass> = new Set(["denied", "throttled", "not found", "wrong content"]);

/** Classes of a lost connection: the far end did not respond. */
export const lost: ReadonlySet<SymptomClass> = new Set(["unreachable", "silent"]);
/** How well a lost connection follows from a part other than a connection path, if there is such a path: paths are the usual cause. */
const lostElsewhere = 0.9;
/** Roles that take work to be done later, so that who hands it over does not wait for it, and can answer. */
export const deferring: ReadonlySet<ResolvedRole> = new Set(["queue", "job"]);
/** How well an error response follows from such a part: some callers fail if they cannot enqueue. */
const deferredError = 0.5;

/**
 * Returns how well a symptom of a dependent can come from an unmonitored part of this role, from 0 to 1.
 * @param hasConnectionPath whether the dependent is reached through a connection path
 */
export function canPassOn(role: ResolvedRole, { signal, of }: Fact, hasConnectionPath: boolean): number {
  if (role === "certificate") return signal === "certificate" ? 1 : 0;
  if (role === "dns") return of.classes.includes("dns") ? 1 : 0;
  if (signal === "certificate") return role === "edge" ? 0.7 : 0;
  if (signal === "configuration" || signal === "event") return 0;
  if (role === "region" && of.classes.every((one) => deliberate.has(one))) return 0;
  if (connectionPaths.has(role)) return of.classes.some((one) => answered.has(one)) ? 0 : 1;
  if (deferring.has(role) && (signal === "failing" || signal === "errors")) return deferredError;
  return hasConnectionPath && of.classes.every((one) => lost.has(one)) ? lostElsewhere : 1;
}

/** Roles other than connection paths that can fail for some while they work for others. */
export const partial: ReadonlySet<ResolvedRole> = new Set(["region", "quota"]);

/** Returns whether a part of this role can fail for some clients while it works for others, so that one good probe does not rule it out. */
export function maySuffer(role: ResolvedRole): boolean {
  return connectionPaths.has(role) || partial.has(role);
}

/** Roles that hit some and leave others alone. */
export const selective: ReadonlySet<ResolvedRole> = new Set(["certificate", "dns", "region"]);

/**
 * Returns whether a failing part of this role affects only some clients, so that working results on the path prove nothing about what lies
 * beyond.
 */
export function hitsSome(role: ResolvedRole): boolean {
  return selective.has(role);
}

/** Roles at the far end of a connection path: probes from outside reach them without it. */
export const farEnds: ReadonlySet<ResolvedRole> = new Set(["database", "cache", "queue", "storage", "third_party"]);

/** Returns whether a part of this role is the destination of a connection path, not a sender. */
export function isFarEnd(role: ResolvedRole): boolean {
  return farEnds.has(role);
}

/** Returns whether a role is that of a connection path. */
export function isConnectionPath(role: ResolvedRole): boolean {
  return connectionPaths.has(role);
}
