/** Which open incident an alert belongs to: one outage is one incident, and two outages are two. */

import { couldCause, wouldExplain } from "../../cause/diagnose.ts";
import type { Symptom } from "../../cause/diagnosis.ts";
import { observedOf } from "../../cause/observed.ts";
import { symptomOf } from "../../cause/symptoms/seen.ts";
import { unreachedChannel } from "../../monitor/checks.ts";
import type { Plan } from "../../plan.ts";
import type { Facts } from "../draft.ts";
import { componentsOf } from "../record/document.ts";
import { timeToJoin } from "../record/onset.ts";
import type { Incident, KnownAlert } from "../state.ts";

/**
 * The incident that an alert joins, or `undefined` where it opens one. It joins where the graph ties it to what is broken, and either it
 * began at about the same time, or one explains the other: the cause that was found explains it, or it explains what was seen.
 */
export function incidentFor(
  alert: KnownAlert,
  incidents: readonly Incident[],
  facts: Facts,
  plan: Plan,
): Incident | undefined {
  const open = incidents
    .filter((incident) => incident.status !== "resolved" && mayShare(alert.key, incident))
    .sort((a, b) => b.openedAt - a.openedAt || (a.id < b.id ? 1 : -1));
  const tied = open.filter((incident) => isTiedTo(incident, alert.component, plan));
  const same = tied.find((incident) => places(incident).includes(alert.component));
  if (same !== undefined) return same;
  const added = symptomOf(alert, facts, plan);
  // A ranking is dear, and an outage of many parts starts an alert for each: none is made where it could not change the answer.
  const [only, ...others] = tied;
  if (only !== undefined && others.length === 0 && isInTime(added, only)) return only;
  return (
    tied.find((incident) => isExplained(added, incident, facts, plan)) ??
    tied.find((one) => isInTime(added, one)) ??
    open.find((one) => isCausedFromOutside(one, plan) && isExplained(added, one, facts, plan))
  );
}

/** Returns whether the cause is in no relation to components that the graph knows: the monitor itself, or the platform below everything. */
function isCausedFromOutside({ diagnosis }: Incident, { graph }: Plan): boolean {
  return diagnosis.confidence > 0 && !graph.names.includes(diagnosis.rootCause);
}

/** Says of something bad that was not seen before whether it is part of an incident, by the same rules by which an alert joins it. */
export function membershipOf(incident: Incident, facts: Facts, plan: Plan): (symptom: Symptom) => boolean {
  const members = componentsOf(incident);
  const known = new Set(places(incident));
  const isOfChannels = Object.keys(incident.alerts).some(isOfChannel);
  return (symptom) => {
    const { component, id } = symptom;
    if (isOfChannel(id.replace(/^alert\//, "")) !== isOfChannels) return false;
    if (!members.some((member) => plan.graph.connected(member, component)))
      return isCausedFromOutside(incident, plan) && isExplained(symptom, incident, facts, plan);
    return known.has(component) || isInTime(symptom, incident) || isExplained(symptom, incident, facts, plan);
  };
}

/** Undeliverable notifications form a separate incident, because it concerns other people than other failures of the monitor. */
function mayShare(key: string, { alerts }: Incident): boolean {
  return isOfChannel(key) === Object.keys(alerts).some(isOfChannel);
}

function isOfChannel(key: string): boolean {
  return unreachedChannel(key) !== undefined;
}

function isInTime({ since, intermittent }: Symptom, { firstFailureAt, relapses = [] }: Incident): boolean {
  const beginnings = [firstFailureAt, ...relapses.map(({ failedAt }) => failedAt)];
  // Failures that come and go may have begun long before there were too many of them.
  const own = [since, intermittent?.at ?? since];
  return beginnings.some((began) => own.some((at) => Math.abs(at - began) <= timeToJoin));
}

function isTiedTo(incident: Incident, component: string, plan: Plan): boolean {
  return places(incident).some((place) => isTied(place, component, plan));
}

/** The components that an incident is about. */
function places({ alerts, diagnosis }: Incident): string[] {
  const named = [diagnosis.rootCause, ...(diagnosis.alsoBroken === undefined ? [] : [diagnosis.alsoBroken])];
  return [...new Set([...Object.values(alerts).map(({ component }) => component), ...named])];
}

/** Returns whether both may have one cause: one depends on the other, both on a third, or a third on both. */
function isTied(a: string, b: string, { graph }: Plan): boolean {
  return (
    graph.connected(a, b) ||
    graph.names.some((name) => graph.distance(name, a) !== undefined && graph.distance(name, b) !== undefined)
  );
}

function isExplained(added: Symptom, incident: Incident, facts: Facts, plan: Plan): boolean {
  const seen = observedOf({ ...incident, symptoms: { ...incident.symptoms, [added.id]: added } }, facts, plan);
  return wouldExplain(incident.diagnosis, added, seen) || couldCause(added.component, added, seen);
}
