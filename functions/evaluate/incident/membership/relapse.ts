/**
 * Relapses: an outage that comes back soon after its resolution is the same incident, re-opened with everything that is known of it, and not
 * another page. Later, or from another cause, it is a new incident, which names the one before. Pure.
 */
import { clockSpan, spokenDuration } from "../../../../shared/text/units.ts";
import { isDrill } from "../../monitor/drill.ts";
import { isOfMonitor } from "../../monitor/incident-text.ts";
import type { Draft } from "../draft.ts";
import { componentsOf } from "../record/document.ts";
import { beganAfter } from "../record/onset.ts";
import type { Relapse } from "../record/relapses.ts";
import type { EnvironmentState, Incident, KnownAlert, RecentlyResolved } from "../state.ts";

/** How long after the window a late measurement can still reveal a relapse in it, in milliseconds. */
const lateness = 900_000;
/** The most resolved incidents that are kept whole: each may take tens of kilobytes of the state. */
const maxReopenable = 8;
/** The most relapses of one incident: what comes back more often than that begins anew. */
const maxRelapses = 50;

/**
 * The resolved incident of which an alert is a relapse, the newest where there are several; `undefined` for something new.
 * @param fresh the incident that the alert would open
 * @param windowMs how long after its resolution an incident is re-opened
 */
export function relapseOf(
  alert: KnownAlert,
  fresh: Incident,
  resolved: readonly Incident[],
  windowMs: number,
): Incident | undefined {
  const { firedAt = alert.since } = alert;
  return resolved
    .filter(({ resolvedAt = 0, relapses = [] }) => firedAt - resolvedAt <= windowMs && relapses.length < maxRelapses)
    .sort((a, b) => (b.resolvedAt ?? 0) - (a.resolvedAt ?? 0))
    .find((ended) => isSameCause(ended, alert, fresh));
}

/** Returns whether the same thing fails again: an earlier alert or the cause itself, and with the same cause as far as it is known. */
function isSameCause(ended: Incident, { key, component }: KnownAlert, fresh: Incident): boolean {
  const { rootCause } = ended.diagnosis;
  const isKnown = Object.hasOwn(ended.alerts, key);
  // All that the monitor says of itself has one cause, so it must be the same thing.
  if (isOfMonitor(ended) || isOfMonitor(fresh)) return isKnown;
  if (component === rootCause) return true;
  return isKnown && (rootCause === "unknown" || [rootCause, "unknown"].includes(fresh.diagnosis.rootCause));
}

/** Opens an incident again. Its acknowledgement has ended with the all-clear: nobody may be at work any more. */
export function reopen(draft: Draft, alert: KnownAlert): void {
  const { key, rule, component, since, firedAt = since } = alert;
  const { resolvedAt = firedAt, acknowledgedAt, relapses = [], alerts, diagnosisRequest: request } = draft.incident;
  const relapse: Relapse = {
    resolvedAt,
    failedAt: Math.max(resolvedAt, beganAfter(alert, resolvedAt)),
    reopenedAt: firedAt,
    ...(acknowledgedAt === undefined ? {} : { acknowledgedAt }),
  };
  draft.without("recovery", "recoveringAt", "resolvedAt", "acknowledgedAt", "acknowledgedBy");
  draft.set({
    status: "open",
    alerts: { ...alerts, [key]: { rule, component, firing: true } },
    relapses: [...relapses, relapse],
    // Diagnosis requests are sent again, and escalation delays start again.
    ...(request === undefined
      ? {}
      : { diagnosisRequest: { ...request, requestedAt: 0, awaited: [], about: [], facts: {} } }),
    audibleSince: firedAt,
    remindedAt: firedAt,
    escalations: 0,
  });
  const after = spokenDuration(clockSpan(resolvedAt, firedAt));
  draft.announce("regressed", firedAt, `It failed again, ${after} after it was resolved: "${rule}" fired.`);
}

/** The resolved incidents that may still be re-opened. */
export function reopenableAfter(
  before: EnvironmentState["reopenable"] = [],
  current: readonly Incident[],
  at: number,
  windowMs: number,
): readonly Incident[] {
  const ids = new Set(current.map(({ id }) => id));
  // An incident that an operator resolved stays resolved.
  const ended = current.filter((one) => one.status === "resolved" && !one.byOperator && !isDrill(one));
  return [...before.filter(({ id }) => !ids.has(id)), ...ended]
    .filter(({ resolvedAt = 0 }) => windowMs > 0 && at - resolvedAt <= windowMs + lateness)
    .slice(-maxReopenable);
}

/** The newest incident that is over and of which a new one may be a repetition. */
export function predecessorOf(incident: Incident, resolved: readonly RecentlyResolved[]): RecentlyResolved | undefined {
  const { rootCause } = incident.diagnosis;
  const own = rootCause === "unknown" || isOfMonitor(incident) ? componentsOf(incident) : [rootCause];
  const isRepetition = ({ rootCause: before, components = [], id }: RecentlyResolved): boolean =>
    id !== incident.id &&
    (before === undefined || before === "unknown" ? components : [before]).some((name) => own.includes(name));
  return resolved
    .filter(({ verdict }) => (verdict === "monitor") === isOfMonitor(incident))
    .filter(isRepetition)
    .sort((a, b) => (a.resolvedAt ?? 0) - (b.resolvedAt ?? 0))
    .at(-1);
}
