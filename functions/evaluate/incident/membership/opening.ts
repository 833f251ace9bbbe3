/** Opens an incident for an alert: a new one, or the earlier one of which it is a relapse. */
import { list } from "../../../../shared/text/sentences.ts";
import { clockSpan, spokenDuration } from "../../../../shared/text/units.ts";
import { isOfMonitor, monitorTitle } from "../../monitor/incident-text.ts";
import { type Plan, titleOf } from "../../plan.ts";
import { Draft, type Facts } from "../draft.ts";
import { observe } from "../observe.ts";
import { incidentId } from "../record/id.ts";
import { beganAfter, resolvedBefore } from "../record/onset.ts";
import { onsetNotes } from "../record/symptom-text.ts";
import type { Incident, KnownAlert, RecentlyResolved } from "../state.ts";
import { predecessorOf, reopen } from "./relapse.ts";

/** An incident that is over, opened again by an alert. Its end is not the one that is recorded any more. */
export function reopenIncident(ended: Incident, alert: KnownAlert, resolved: readonly RecentlyResolved[]): Draft {
  const { reported } = resolved.find(({ id }) => id === ended.id) ?? {};
  const draft = new Draft(typeof reported === "string" ? { ...ended, postmortem: reported } : ended, true);
  reopen(draft, alert);
  return draft;
}

/** A new incident, opened by an alert. @param avoid ids that must not be given to it */
export function openIncident(
  alert: KnownAlert,
  facts: Facts,
  plan: Plan,
  resolved: readonly RecentlyResolved[],
  avoid: ReadonlySet<string>,
): Draft {
  const openedAt = alert.firedAt ?? facts.watermark;
  const { key, rule, component } = alert;
  const notBefore = resolvedBefore(alert, resolved);
  const blank: Incident = {
    id: "",
    title: "",
    status: "open",
    severity: alert.severity,
    openedAt,
    firstFailureAt: beganAfter(alert, notBefore),
    ...(Number.isFinite(notBefore) ? { notBefore } : {}),
    openedBy: rule,
    alerts: { [key]: { rule, component, firing: true } },
    symptoms: {},
    diagnosis: { rootCause: "unknown", verdict: "unknown", confidence: 0, evidence: [], whys: [], working: [] },
    timeline: [],
    events: {},
  };
  const draft = new Draft(blank);
  observe(draft, facts, plan);
  const { rootCause } = draft.incident.diagnosis;
  const fails = Object.values(draft.incident.symptoms).some(({ source }) => source === "probe");
  const shown = Object.values(draft.incident.symptoms).map((symptom) => symptom.component);
  // The series of an alert may be silent by now.
  const failing = [...new Set(shown.length === 0 ? [component] : shown)];
  draft.set({
    id: incidentId(openedAt, rootCause === "unknown" ? component : rootCause, avoid),
    title: isOfMonitor(draft.incident)
      ? monitorTitle(draft.incident, plan)
      : `${plan.configuration.title}: ${list(failing.map((name) => titleOf(plan, name)))} ${fails ? "failing" : "degraded"}`,
  });
  for (const { at, text } of Object.values(draft.incident.symptoms).flatMap(onsetNotes)) draft.note(at, text);
  const cause = isOfMonitor(draft.incident)
    ? "It says nothing about the targets"
    : rootCause === "unknown"
      ? "The cause is not known yet"
      : `The likely cause is ${titleOf(plan, rootCause)}`;
  draft.announce("opened", openedAt, `Opened by "${rule}". ${cause}.`);
  const before = predecessorOf(draft.incident, resolved);
  if (before?.resolvedAt !== undefined) {
    draft.set({ previous: before.id });
    const ago = spokenDuration(clockSpan(before.resolvedAt, openedAt));
    draft.note(openedAt, `Previous similar incident: ${before.id}, resolved ${ago} earlier.`);
  }
  for (const { id, until } of Object.values(draft.incident.symptoms)) {
    if (until !== undefined && until >= openedAt) draft.note(until, `\`${id.slice("probe/".length)}\` is good again.`);
  }
  return draft;
}
