/** Invariants of incidents: none is lost, duplicated or ended early, and their documents are accurate. */
import { reportInstant } from "../../../functions/evaluate/partition/publication.ts";
import { summarize } from "../../../functions/notify/deliver/summary.ts";
import { readerName } from "../../../shared/documents/delivery-summary.ts";
import { incidentCollection } from "../../../shared/documents/incident.ts";
import type { Value } from "../../../shared/ports.ts";
import type { Outcome } from "../outcome.ts";
import {
  eventsByIncident,
  hasFault,
  instantOf,
  isComparable,
  isOf,
  isUnfinished,
  ledgerOf,
  list,
  shown,
  targets,
} from "./reading.ts";

/** Every event of every incident is published, up to its end, and planned for every reader. */
export function lostIncidents(outcome: Outcome): string[] {
  const wrong: string[] = [];
  const isChanged = hasFault(outcome, "configuration change");
  for (const [id, events] of eventsByIncident(outcome)) {
    if (isUnfinished(outcome, id)) continue;
    const sequences = events.map(({ sequence }) => sequence);
    const gap = sequences.findIndex((sequence, place) => sequence !== place + 1);
    if (gap >= 0) wrong.push(`event ${gap + 1} of ${id} was never published`);
    if (events.at(-1)?.event !== "resolved")
      wrong.push(`the last that was published of ${id} is ${events.at(-1)?.event}`);
    const document = outcome.documents.get(incidentCollection, id);
    if (document === undefined) wrong.push(`${id} has no document`);
    else if (document["status"] !== "resolved")
      wrong.push(`the document of ${id} says that it is ${document["status"]}`);
    if (isChanged) continue;
    const entries = ledgerOf(outcome, id);
    for (const { event, sequence } of events) {
      for (const reader of outcome.readers.values()) {
        const isIn = entries.some((one) => one.sequence === sequence && isOf(one, reader));
        if (!isIn) wrong.push(`${event} of ${id} was never planned for ${readerName(reader)}`);
      }
    }
  }
  for (const { id } of outcome.documents.of(incidentCollection)) {
    if (![...outcome.events.values()].some(({ incident }) => incident === id))
      wrong.push(`nothing was ever published of ${id}`);
  }
  return wrong;
}

export function incidentCountMismatch(outcome: Outcome, quiet: Outcome): string[] {
  if (!isComparable(outcome)) return [];
  const [own, other] = [targets(outcome), targets(quiet)];
  if (own.length === other.length) return [];
  return [
    `${own.map(({ id }) => id).join(", ") || "none"} in the place of ${other.map(({ id }) => id).join(", ") || "none"}`,
  ];
}

export function finalStateMismatch(outcome: Outcome, quiet: Outcome): string[] {
  if (!isComparable(outcome)) return [];
  const [own, other] = [targets(outcome), targets(quiet)];
  if (own.length !== other.length) return [];
  return own.flatMap(({ id, fields }, place) => {
    const expected = other[place]?.fields ?? {};
    return ["root_cause", "verdict", "severity", "priority", "first_failure_at", "components", "alerts"].flatMap(
      (name) => {
        const [is, was] = [shown(fields[name]), shown(expected[name])];
        if (is === was || (hasFault(outcome, "store outage") && isExcusedByWaiting(name, fields[name], expected[name])))
          return [];
        return [`${name} of ${id} is ${is} in the place of ${was}`];
      },
    );
  });
}

/** Returns whether a field may differ because reports waited for the store longer than the time between two runs, and came in another order. */
function isExcusedByWaiting(name: string, is: Value | undefined, was: Value | undefined): boolean {
  // A success in between may be processed after the incident has opened: it did fail before that.
  if (name === "first_failure_at") return shown(is) < shown(was);
  // An alert that had ended before its first failed run arrived was never announced.
  return name === "alerts" && Array.isArray(is) && Array.isArray(was) && is.every((alert) => was.includes(alert));
}

export function recordErrors(outcome: Outcome): string[] {
  const wrong: string[] = [];
  for (const { id, fields } of outcome.documents.of(incidentCollection)) {
    const said = fields["deliveries"] as Readonly<Record<string, string>> | undefined;
    for (const [channel, { sentence }] of Object.entries(summarize(ledgerOf(outcome, id)))) {
      if (said?.[channel] !== sentence)
        wrong.push(`${id} says of ${channel} "${said?.[channel]}" and should say "${sentence}"`);
    }
    const timeline = (fields["timeline"] ?? []) as readonly string[];
    const instants = timeline.map((line) => line.slice(0, 19));
    const back = instants.findIndex((instant, place) => instant < (instants[place - 1] ?? ""));
    if (back >= 0) wrong.push(`the timeline of ${id} goes back at "${timeline[back]}"`);
    const twice = timeline.find((line, place) => timeline.indexOf(line) !== place);
    if (twice !== undefined) wrong.push(`the timeline of ${id} says twice "${twice}"`);
    if (isUnfinished(outcome, id)) continue;
    const [first, opened, resolved] = ["first_failure_at", "opened_at", "resolved_at"].map((name) =>
      instantOf(fields, name),
    );
    if (!((first ?? 0) <= (opened ?? 0) && (opened ?? 0) <= (resolved ?? 0)))
      wrong.push(`${id} is not opened and resolved in this order`);
    if (typeof fields["postmortem"] !== "string") wrong.push(`${id} has no postmortem`);
  }
  return wrong;
}

/** An incident ends by itself only after its stages have passed and its probes were last seen healthy. */
export function endedEarly(outcome: Outcome): string[] {
  if (hasFault(outcome, "configuration change")) return [];
  const byItself = new Map(outcome.environment.reopenable?.map((incident) => [incident.id, incident]));
  return targets(outcome).flatMap(({ id, fields }) => {
    const incident = byItself.get(id);
    if (incident === undefined) return [];
    const isProved = incident.recoveries?.at(-1)?.stages.every(({ status }) => status === "passed") ?? false;
    const wrong = isProved ? [] : [`${id} is resolved, and not all of its stages have passed`];
    const resolvedAt = instantOf(fields, "resolved_at");
    const before = [...outcome.reports.values()]
      .filter((report) => reportInstant(report) <= resolvedAt)
      .sort((a, b) => reportInstant(a) - reportInstant(b));
    const last = new Map(
      before.flatMap(({ results }) => results.map((result) => [result.probe, result.success] as const)),
    );
    const bad = [...last].filter(([, success]) => !success).map(([probe]) => probe);
    return bad.length === 0 ? wrong : [...wrong, `${id} is resolved while ${list(bad)} fails`];
  });
}
