/** Invariants of every run, whatever faults it has. Each has a description, and returns its violations in sentences. */

import { stateCollection } from "../../functions/evaluate/commit/state-collection.ts";
import { readPartition, storedPartition } from "../../functions/evaluate/partition/document.ts";
import { evaluateReport } from "../../functions/evaluate/partition/fold.ts";
import { reportInstant } from "../../functions/evaluate/partition/publication.ts";
import { emptyPartition, type PartitionState } from "../../functions/evaluate/partition/state.ts";
import { bad, type Judgement } from "../../functions/evaluate/rules/alert.ts";
import { isFinal, mayHaveArrived } from "../../functions/notify/deliver/ledger.ts";
import { includedInResolution, resolvedBeforeAnnounced } from "../../functions/notify/deliver/order.ts";
import { isAbout } from "../../functions/notify/deliver/self-report.ts";
import { summarize } from "../../functions/notify/deliver/summary.ts";
import { revokedByRelapse } from "../../functions/notify/plan/relapse.ts";
import { readerName } from "../../shared/documents/delivery-summary.ts";
import { incidentCollection } from "../../shared/documents/incident.ts";
import type { Report } from "../../shared/messages/report.ts";
import type { Value } from "../../shared/ports.ts";
import { routesTo } from "../../shared/routes.ts";
import type { Outcome } from "./outcome.ts";
import {
  byReader,
  eventsByIncident,
  hasFault,
  instantOf,
  isComparable,
  isLeaseAtRisk,
  isOf,
  isUnfinished,
  ledgerOf,
  targets,
} from "./outcome-queries.ts";

/** One invariant. */
export interface Invariant {
  readonly description: string;
  /** Returns the violations, in sentences. @param quiet outcome of the same outage without faults */
  readonly violations: (outcome: Outcome, quiet: Outcome) => readonly string[];
}

/** All of them. */
export const invariants: readonly Invariant[] = [
  { description: "no unexpected error occurs, and the system comes to rest", violations: unrestViolations },
  { description: "no incident is lost", violations: lostIncidents },
  { description: "one outage is one incident", violations: incidentCountMismatch },
  { description: "every routed reader is notified of every outage", violations: unnotifiedReaders },
  { description: "every reader who may have been notified is notified of the end", violations: unendedReaders },
  { description: "no reader gets an all-clear first, or events out of order", violations: outOfOrder },
  {
    description: "no duplicates on idempotent channels, and only explained ones elsewhere",
    violations: duplicates,
  },
  { description: "one instance at a time notifies a reader", violations: concurrentAttempts },
  { description: "the ledger matches what the receivers got", violations: ledgerMismatches },
  { description: "the final state equals that of a run without faults", violations: finalStateMismatch },
  { description: "the record is accurate", violations: recordErrors },
  { description: "every report is published, and evaluated once and in time", violations: evaluationErrors },
  { description: "no incident ends early", violations: endedEarly },
];

/** Everything that is broken in a run, as `invariant: sentence`. */
export function violations(outcome: Outcome, quiet: Outcome): string[] {
  return invariants.flatMap((one) => one.violations(outcome, quiet).map((text) => `${one.description}: ${text}`));
}

function unrestViolations({ mishaps, isAtRest, ledger, environment }: Outcome): string[] {
  if (isAtRest) return [...mishaps];
  const open = Object.keys(environment.incidents);
  const unfinished = [...ledger].filter(([, delivery]) => !isFinal(delivery)).map(([id]) => id);
  return [
    ...mishaps,
    `three hours later there are still incidents ${list(open)}, notices ${list(unfinished)}, and ${environment.outbox.length} messages to publish`,
  ];
}

/** Every event of every incident is published, up to its end, and planned for every reader. */
function lostIncidents(outcome: Outcome): string[] {
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

function incidentCountMismatch(outcome: Outcome, quiet: Outcome): string[] {
  if (!isComparable(outcome)) return [];
  const [own, other] = [targets(outcome), targets(quiet)];
  if (own.length === other.length) return [];
  return [
    `${own.map(({ id }) => id).join(", ") || "none"} in the place of ${other.map(({ id }) => id).join(", ") || "none"}`,
  ];
}

function unnotifiedReaders(outcome: Outcome): string[] {
  const isSilenced = outcome.schedule.faults.some(
    (fault) => fault.fault === "edit" && fault.edit.silenceMs !== undefined,
  );
  if (isSilenced || hasFault(outcome, "configuration change")) return [];
  const { routes } = outcome.scenario.plan.configuration;
  const openings = [...outcome.events.values()].filter(({ event }) => event === "opened");
  return byReader(outcome).flatMap(({ name, reader, entries, received }) =>
    openings.flatMap((opening) => {
      if (isUnfinished(outcome, opening.incident) || isAbout(opening, reader)) return [];
      if (routesTo(reader.channel, opening, routes).length === 0) return [];
      if (received.some(({ delivery }) => delivery.incident === opening.incident)) return [];
      const own = entries.filter(({ incident }) => incident === opening.incident);
      // A receiver that rejects a notice has decided so itself, and nobody is paged for what is over.
      const isExcused = own.some(({ status, reason }) => status === "rejected" || reason === resolvedBeforeAnnounced);
      const why = own.map(({ event, status, reason }) => `${event} is ${status}, ${reason}`).join("; ");
      return isExcused ? [] : [`${name} never heard of ${opening.incident}: ${why}`];
    }),
  );
}

function unendedReaders(outcome: Outcome): string[] {
  return byReader(outcome).flatMap(({ name, entries, received }) =>
    [...Map.groupBy(received, ({ delivery }) => delivery.incident)].flatMap(([incident, arrivals]) => {
      if (isUnfinished(outcome, incident)) return [];
      const own = entries.filter((entry) => entry.incident === incident);
      const end = own.filter(({ event }) => event === "resolved").at(-1);
      if (end === undefined) return [`${name} heard of ${incident}, and its end is not even planned`];
      const last = arrivals.reduce((newest, one) => (one.delivery.sequence > newest.delivery.sequence ? one : newest));
      // A reader notified of the end, and not of the relapse, is right again in the end.
      if (last.delivery.event === "resolved") return [];
      const cameBack = own.some(({ event, sequence }) => event === "regressed" && sequence > end.sequence);
      // A receiver that rejects the resolution has decided so itself.
      if (end.status === "rejected" || (end.reason === revokedByRelapse && cameBack)) return [];
      return [`${name} heard of ${incident}, and not that it is over: ${end.status}, ${end.reason}`];
    }),
  );
}

function outOfOrder(outcome: Outcome): string[] {
  return byReader(outcome).flatMap(({ name, entries, received }) => {
    const wrong: string[] = [];
    const last = new Map<string, number>();
    const seen = new Set<string>();
    for (const { delivery, notice } of received) {
      if (seen.has(notice)) continue;
      seen.add(notice);
      const { incident, event, sequence } = delivery;
      const before = last.get(incident) ?? 0;
      const own = entries.filter((other) => other.incident === incident && other !== delivery);
      // Without a response, only the receiver knows that nothing arrived.
      const isUnsure = own.some(mayHaveArrived);
      const isBoth = own.some(({ reason }) => reason === includedInResolution);
      if (sequence < before) wrong.push(`${name} heard of ${event} of ${incident} after what came later`);
      if (event === "resolved" && before === 0 && !isUnsure && !isBoth)
        wrong.push(`${name} heard that ${incident} is over, and not that it began`);
      last.set(incident, Math.max(before, sequence));
    }
    return wrong;
  });
}

function duplicates(outcome: Outcome): string[] {
  const wrong: string[] = [];
  const keys = new Map<string, string>();
  for (const [delivery, sent] of Map.groupBy(outcome.sent, (one) => one.delivery)) {
    const first = sent.find(({ concludedAt }) => concludedAt !== undefined);
    // A claim that was made before that could not know of it.
    const late = sent.find(({ claimedAt }) => claimedAt > (first?.concludedAt ?? Number.POSITIVE_INFINITY));
    if (late !== undefined) wrong.push(`${delivery} was sent again after whoever had sent it was done with it`);
    const own = new Set(sent.map(({ key }) => key));
    const [key] = own;
    if (own.size > 1) wrong.push(`${delivery} was sent with the keys ${[...own].join(", ")}`);
    else if (key !== undefined) {
      const other = keys.get(`${sent[0]?.reader} ${key}`);
      if (other !== undefined) wrong.push(`${delivery} and ${other} have the same key ${key}`);
      keys.set(`${sent[0]?.reader} ${key}`, delivery);
    }
    const isTaken = (one: (typeof sent)[number]): boolean =>
      one.failure === undefined || one.failure.startsWith("answer");
    const taken = sent.filter(isTaken);
    if (key !== undefined) {
      const notices = new Set(taken.map(({ notice }) => notice));
      if (notices.size > 1) wrong.push(`${delivery} was told in ${notices.size} versions`);
      continue;
    }
    if (
      taken.length > 1 &&
      taken.slice(0, -1).some(({ failure }) => failure === undefined) &&
      !isLeaseAtRisk(outcome) &&
      !hasFault(outcome, "death")
    )
      wrong.push(`${delivery} was sent again after its receiver had said that it has it`);
  }
  return wrong;
}

function concurrentAttempts(outcome: Outcome): string[] {
  if (isLeaseAtRisk(outcome)) return [];
  return [...Map.groupBy(outcome.sent, ({ delivery }) => delivery)].flatMap(([delivery, sent]) => {
    const overlap = sent.some(({ to = Number.POSITIVE_INFINITY }, place) => {
      const next = sent[place + 1];
      return next !== undefined && next.from < to;
    });
    return overlap ? [`${delivery} was sent by two instances at the same time`] : [];
  });
}

function ledgerMismatches(outcome: Outcome): string[] {
  return [...outcome.ledger].flatMap(([id, delivery]) => {
    const { status, reason, attempt_count: count } = delivery;
    const sent = outcome.sent.filter((one) => one.delivery === id);
    const arrived = sent.some(({ failure }) => failure === undefined || failure.startsWith("answer"));
    if (status === "delivered" && !arrived) return [`${id} is delivered, and did not arrive`];
    if (status !== "delivered" && sent.some(({ concludedAt }) => concludedAt !== undefined))
      return [`${id} was accepted, and is ${status}: ${reason}`];
    if (status === "suppressed" && count === 0 && arrived && !isLeaseAtRisk(outcome))
      return [`${id} is suppressed (${reason}), and arrived`];
    if (status === "rejected" && sent.every(({ failure }) => failure === undefined))
      return [`${id} is rejected, and every attempt was accepted: ${reason}`];
    if (status !== "delivered" && reason.trim() === "") return [`${id} is ${status} without a reason`];
    return [];
  });
}

function finalStateMismatch(outcome: Outcome, quiet: Outcome): string[] {
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
  // What was good in between may come after the incident has opened: it did fail before that.
  if (name === "first_failure_at") return shown(is) < shown(was);
  // An alert that had ended before its first failed run arrived was never announced.
  return name === "alerts" && Array.isArray(is) && Array.isArray(was) && is.every((alert) => was.includes(alert));
}

function recordErrors(outcome: Outcome): string[] {
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

/** The state of each partition is that of a single instance which was given the same reports in the order in which they were measured. */
function evaluationErrors(outcome: Outcome): string[] {
  const wrong = [...new Set(outcome.unjudged)];
  if (hasFault(outcome, "configuration change")) return wrong;
  const { plan, start } = outcome.scenario;
  for (const group of plan.groups) {
    const stored = readPartition(storedPartition(outcome.documents.get(stateCollection, group)));
    const known = new Set(stored.reports.map(([id]) => id));
    const reports = [...outcome.reports.values()].filter((report) => report.group === group);
    const isDue = (report: Report): boolean => reportInstant(report) < start + outcome.endedAt - 240_000;
    const horizon = stored.reports[0]?.[1] ?? 0;
    for (const report of reports) {
      if (isDue(report) && reportInstant(report) >= horizon && !known.has(report.report))
        wrong.push(`${report.report} was never taken in`);
    }
    if (horizon > start) continue;
    const expected = reports
      .filter(({ report }) => known.has(report))
      .sort((a, b) => reportInstant(a) - reportInstant(b))
      .reduce((state, report) => evaluateReport(state, report, plan).state, emptyPartition);
    for (const name of ["series", "runs", "failures", "judgements"] as const) {
      const [is, was] = [factsOf[name](stored), factsOf[name](expected)];
      if (is !== was) wrong.push(`the ${name} of ${group} are ${is} in the place of ${was}`);
    }
  }
  return wrong;
}

/** Returns the knowledge of a partition, as text. */
const factsOf = {
  series: ({ series }: PartitionState) =>
    JSON.stringify([...series].map(([key, { times, values }]) => [key, times, values]).sort()),
  runs: ({ runs = {} }: PartitionState) => JSON.stringify(Object.entries(runs).sort()),
  failures: ({ probes }: PartitionState) =>
    JSON.stringify(
      Object.values(probes)
        .map(({ probe, status, since, at, failures }) => [probe, status, since, at, failures])
        .sort(),
    ),
  judgements: ({ alerts }: PartitionState) =>
    JSON.stringify([...alerts].map(([key, { status, history }]) => [key, status, sinceBad(history.recent)]).sort()),
};

/** Judgements from the first bad one on: what was good before need not be remembered. */
function sinceBad(judgements: readonly Judgement[]): readonly Judgement[] {
  const first = judgements.findIndex(([, verdict]) => verdict === bad);
  return first < 0 ? [] : judgements.slice(first);
}

/** An incident ends by itself only when its stages have passed, and when its probes were last seen well. */
function endedEarly(outcome: Outcome): string[] {
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

function shown(value: Value | undefined): string {
  return JSON.stringify(Array.isArray(value) ? [...value].sort() : (value ?? null));
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
