/** A fire drill: an incident that is none, to see whether notices arrive and how fast. Pure. */

import { deliveryCountsOf } from "../../../shared/documents/delivery-summary.ts";
import { drillComponent } from "../../../shared/monitor.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { list } from "../../../shared/text/sentences.ts";
import type { Diagnosis, Symptom } from "../cause/diagnosis.ts";
import type { OperatorFields } from "../incident/operator-edits.ts";
import type { Incident } from "../incident/state.ts";
import type { Plan } from "../plan.ts";

/** Returns whether an incident is a fire drill: its alerts belong to the built-in component, which is connected to no other. */
export function isDrill({ alerts }: Pick<Incident, "alerts">): boolean {
  return Object.values(alerts).some(({ component }) => component === drillComponent.name);
}

/** Returns whether a symptom belongs to a fire drill. */
export function isOfDrill({ component }: Symptom): boolean {
  return component === drillComponent.name;
}

/** The title of a fire drill. */
export function drillTitle({ configuration }: Plan): string {
  return `Fire drill: notifications from ${configuration.title} arrive`;
}

/** The summary of a fire drill. */
export const drillSummary =
  "This is a fire drill: nothing is broken, and no action is needed. It was delivered like any incident and ends by itself.";

/** The impact of a fire drill. */
export const drillImpact = "None: this is a fire drill.";

/** The diagnosis of a fire drill. */
export const drillDiagnosis: Diagnosis = {
  rootCause: drillComponent.name,
  verdict: "monitor",
  confidence: 1,
  evidence: ["It was started to test whether notifications arrive, and how fast."],
  whys: ["Why? This is a fire drill."],
  working: [],
};

/**
 * Summarizes a fire drill: when its notification arrived in each channel, counted from its start.
 * @param document the incident as left by the notifier
 */
export function drillProof(
  { firstFailureAt }: Pick<Incident, "firstFailureAt">,
  document: OperatorFields = {},
): string {
  const { deliveries } = document;
  const channels = Object.entries(deliveryCountsOf(document));
  const reached = channels.flatMap(([channel, { firstAt }]) =>
    firstAt === undefined ? [] : [{ channel, afterMs: firstAt.getTime() - firstFailureAt }],
  );
  const missed = channels.filter(([, { firstAt }]) => firstAt === undefined).map(([channel]) => channel);
  const partly = channels.filter(([, { firstAt, unreached }]) => firstAt !== undefined && unreached !== undefined);
  const times = reached
    .sort((a, b) => a.afterMs - b.afterMs)
    .map(({ channel, afterMs }) => `${channel} after ${(Math.max(0, afterMs) / 1000).toFixed(1)} s`);
  const sentences = [
    "The fire drill is over.",
    times.length === 0 ? "Its notification was not delivered." : `Its notification was delivered to ${list(times)}.`,
    ...missed.map((channel) => `Not to ${channel}: ${sentenceOf(deliveries, channel)}.`),
    ...partly.map(([channel]) => `Not to every recipient of ${channel}: ${sentenceOf(deliveries, channel)}.`),
  ];
  return sentences.join(" ");
}

function sentenceOf(deliveries: OperatorFields["deliveries"], channel: string): string {
  const sentences = typeof deliveries === "object" && deliveries !== null ? deliveries : {};
  const sentence = ownEntry(sentences as Readonly<Record<string, unknown>>, channel) ?? "reason unknown";
  return String(sentence).replace(/\.$/, "");
}
