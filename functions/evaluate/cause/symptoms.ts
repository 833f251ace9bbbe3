/** Symptoms: everything bad that was observed during an incident, kept when it has passed, because it remains to be explained. */

import { isDeepStrictEqual } from "node:util";
import type { Signal } from "../../../shared/messages/report.ts";
import { severities } from "../../../shared/messages/severity.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import type { Draft, Facts } from "../incident/draft.ts";
import { alertPhrase, changeNotes, onsetNotes, probePhrase, returnNotes } from "../incident/record/symptom-text.ts";
import type { KnownAlert } from "../incident/state.ts";
import {
  type FailureLedger,
  isSameWay,
  ledgerSince,
  mostEntries,
  principalFailure,
  updated,
} from "../partition/failure-ledger.ts";
import type { ProbeFact } from "../partition/state.ts";
import { intervalOf, type Plan } from "../plan.ts";
import { failingName, intermittentName } from "../rules/built-in.ts";
import type { Symptom } from "./diagnosis.ts";
import { marginOf, signalOf, strengthOf } from "./strength.ts";
import { isCertain } from "./timing.ts";

/** The most symptoms that an incident keeps: a document has room for as many. */
const mostSymptoms = 300;
/** The most entries of ledgers of all symptoms together, unless each has two. */
const mostOfAll = 600;
/** The strength of what is no further than at its limit. */
const leastStrength = 0.01;
/** The most ways to fail that are kept of one probe. */
const mostFailures = 4;

/**
 * Everything bad that belongs to the incident, with what has passed; the same object when nothing is new.
 * @param belongs whether something that was not seen before has to do with it
 */
export function withSymptoms(
  draft: Draft,
  facts: Facts,
  plan: Plan,
  belongs: (symptom: Symptom) => boolean,
): Readonly<Record<string, Symptom>> {
  const { incident } = draft;
  const symptoms: Record<string, Symptom> = { ...incident.symptoms };
  // Of many symptoms, fewer failures are kept of each.
  const most = Math.max(2, Math.min(mostEntries, Math.floor(mostOfAll / Math.max(1, Object.keys(symptoms).length))));
  let changed = false;
  const put = (symptom: Symptom): void => {
    setEntry(symptoms, symptom.id, symptom);
    changed = true;
  };
  const all = [...probeSymptoms(facts, plan), ...alertSymptoms(facts, plan)];
  const added = all.filter((seen) => ownEntry(symptoms, seen.id) === undefined && belongs(seen));
  const leftOut = beyondRoom([...Object.values(symptoms), ...added], plan);
  const isAdded = new Set(added.map(({ id }) => id).filter((id) => !leftOut.has(id)));
  for (const id of leftOut) changed = delete symptoms[id] && (changed || ownEntry(incident.symptoms, id) !== undefined);
  for (const seen of all) {
    const known = ownEntry(symptoms, seen.id);
    if (known === undefined) {
      if (!isAdded.has(seen.id)) continue;
      put(seen);
      if (incident.id !== "") for (const { at, text } of onsetNotes(seen)) draft.note(at, text);
    } else if (known.until !== undefined) {
      const { until: _, most: __, ...again } = known;
      const goodMs = (known.goodMs ?? 0) + Math.max(0, seen.since - known.until);
      put({
        ...withLedger(again, seen.failures, most),
        ...worseOf(known, seen),
        ...(seen.most === undefined ? {} : { most: seen.most }),
        goodMs,
        againSince: seen.since,
        times: (known.times ?? 1) + 1,
      });
      if (incident.id !== "") for (const { at, text } of returnNotes(known, seen)) draft.note(at, text);
    } else {
      const next = withLedger(known, seen.failures, most);
      const isMore = isFeltMore(known, seen);
      if (seen.since >= known.since && next === known && !isWorse(known, seen) && !isMore) continue;
      const { most: cap, ...rest } = next;
      const felt = isMore ? seen.most : cap;
      const capped = felt === undefined ? {} : { most: felt };
      put({ ...rest, ...capped, ...worseOf(known, seen), since: Math.min(known.since, seen.since) });
      if (incident.id !== "") for (const { at, text } of changeNotes(known, next)) draft.note(at, text);
    }
  }
  const intermittent = intermittentIn(facts);
  for (const symptom of Object.values(symptoms)) {
    const fact = symptom.source === "probe" ? ownEntry(facts.probes, probeOf(symptom)) : undefined;
    const isOver = symptom.until === undefined && !stillBad(symptom, facts, intermittent);
    const confirmed = symptom.confirmed === true || isConfirmed(symptom, facts);
    // The ledger of what has ended is whole, but for what comes late.
    const told =
      fact === undefined || fact.status === "bad"
        ? symptom
        : withLedger(symptom, ledgerSince(fact.failures, symptom.since), most);
    if (!isOver && told === symptom && confirmed === (symptom.confirmed === true)) continue;
    // It was good again when it was measured to be, whatever else is newer.
    const until = fact?.status === "good" ? Math.max(symptom.since, fact.since) : facts.watermark;
    put({ ...told, ...(confirmed ? { confirmed } : {}), ...(isOver ? { until } : {}) });
    if (symptom.source === "rule") continue;
    for (const { at, text } of changeNotes(symptom, told)) draft.note(at, text);
    const end = { good: "is good again", unknown: "is silent", bad: "is bad", none: "is not configured any more" };
    if (isOver) draft.note(until, `\`${probeOf(symptom)}\` ${end[fact?.status ?? "none"]}.`);
  }
  return changed ? symptoms : incident.symptoms;
}

/**
 * The symptoms for which there is no room, where there are too many: the least useful. What shows a component that is shown already goes first,
 * then what fewest others depend on, because a cause stands below what it makes fail; then the latest.
 */
function beyondRoom(all: readonly Symptom[], { graph }: Plan): ReadonlySet<string> {
  if (all.length <= mostSymptoms) return new Set();
  const shown = new Map<string, number>();
  const order = all.map((symptom) => {
    const before = shown.get(symptom.component) ?? 0;
    shown.set(symptom.component, before + 1);
    return { symptom, before, dependents: graph.dependentsOf(symptom.component).length };
  });
  order.sort(
    (a, b) =>
      b.before - a.before ||
      a.dependents - b.dependents ||
      b.symptom.since - a.symptom.since ||
      (a.symptom.id < b.symptom.id ? 1 : -1),
  );
  return new Set(order.slice(0, all.length - mostSymptoms).map(({ symptom }) => symptom.id));
}

function probeSymptoms(facts: Facts, plan: Plan): Symptom[] {
  const builtIn = new Map(
    Object.values(facts.alerts).flatMap((alert) => (isBuiltIn(alert) ? [[alert.labels["probe"], alert] as const] : [])),
  );
  const intermittent = intermittentIn(facts);
  return Object.values(facts.probes).flatMap((fact): Symptom[] => {
    const { probe, vantage } = fact;
    const alert = intermittent.get(probe);
    const isBad = fact.status === "bad";
    if (!isBad && alert === undefined) return [];
    const { failure } = isBad ? fact : {};
    const since = isBad ? fact.since : (alert?.since ?? fact.since);
    const symptom: Symptom = {
      id: `probe/${probe}`,
      component: subjectOf(fact, plan),
      source: "probe",
      since,
      phrase: alert === undefined ? probePhrase(probe, failure) : `\`${probe}\` fails intermittently: ${alert.seen}`,
      vantage,
      everyMs: intervalOf(plan, probe),
      ...beforeOf(builtIn.get(probe)),
      ...sourceOf(plan, probe),
      ...mostOf(plan, probe, alert, facts),
      ...(failure?.signal === undefined ? {} : { signal: failure.signal }),
      ...(failure === undefined ? {} : { failure }),
    };
    return [isBad ? withLedger(symptom, ledgerSince(fact.failures, since)) : symptom];
  });
}

/** The component that a failure is about: a check of the configuration fails for what it has found, be it of another component than its own. */
function subjectOf({ component, failure, faults = [] }: ProbeFact, { graph }: Plan): string {
  if (failure?.signal !== "configuration") return component;
  const found = faults.filter((fault) => fault.severity === "critical" && graph.names.includes(fault.component));
  if (found.some((fault) => fault.component === component)) return component;
  return (found.find(({ isNew }) => isNew) ?? found[0])?.component ?? component;
}

/** The most that the failure of a probe alone gives: what is stated, and while it only now and then fails, what that is worth. */
function mostOf(plan: Plan, probe: string, intermittent: KnownAlert | undefined, facts: Facts): Pick<Symptom, "most"> {
  const { alert } = plan.probes.get(probe) ?? {};
  if (alert && alert.most !== undefined) return { most: alert.most };
  if (intermittent?.capped !== true) return {};
  const fails = Object.values(facts.alerts).some(
    ({ rule, labels, status }) => status === "firing" && labels["probe"] === probe && rule === failingName(probe),
  );
  return fails ? {} : { most: intermittent.severity };
}

/** The firing alerts over failures that come and go, by their probes. */
function intermittentIn({ alerts }: Pick<Facts, "alerts">): ReadonlyMap<string, KnownAlert> {
  return new Map(
    Object.values(alerts).flatMap((alert) => {
      const { probe } = alert.labels;
      const isOne = probe !== undefined && alert.status === "firing" && alert.rule === intermittentName(probe);
      return isOne ? [[probe, alert] as const] : [];
    }),
  );
}

/** Alerts of configured rules; those built into a probe say nothing that the probe does not. */
function alertSymptoms(facts: Facts, plan: Plan): Symptom[] {
  return Object.values(facts.alerts)
    .filter((alert) => !isBuiltIn(alert))
    .map((alert) => {
      const { signal, metrics = [], windowMs = 0 } = plan.rulesByName.get(alert.rule) ?? {};
      const { probe } = alert.labels;
      return {
        id: `alert/${alert.key}`,
        component: alert.component,
        source: "rule",
        since: alert.since,
        phrase: alertPhrase(alert),
        ...(alert.seenAt === undefined ? {} : { seenAt: alert.seenAt }),
        rule: alert.rule,
        metrics,
        ...vantageOf(alert),
        ...beforeOf(alert),
        ...(probe === undefined ? {} : { probe, ...sourceOf(plan, probe) }),
        everyMs: intervalOf(plan, probe) + windowMs,
        ...measureOf(alert, metrics, signal),
      };
    });
}

/** What a rule saw: what it is about, and how far beyond its limit the value is. */
function measureOf(
  { excess, excessAt, since }: KnownAlert,
  metrics: readonly string[],
  stated: Signal | undefined,
): Partial<Symptom> {
  const signal = stated ?? signalOf(metrics, excess);
  if (excess === undefined) return { signal };
  const worseSince = excessAt !== undefined && excessAt > since ? { worseSince: excessAt } : {};
  const seconds = excess.unit === "seconds" && excess.above ? { seconds: excess.value } : {};
  // What is counted where nothing is allowed, such as an event, is as bad as it can be.
  const isAll = signal === "event" || signal === "configuration" || (excess.above && excess.limit === 0);
  return {
    signal,
    strength: isAll ? 1 : Math.max(leastStrength, strengthOf(marginOf(excess, signal))),
    ...worseSince,
    ...seconds,
  };
}

/** What an alert that fires would add to an incident. */
export function symptomOf(alert: KnownAlert, facts: Facts, plan: Plan): Symptom {
  const { component, since, key, labels } = alert;
  const { probe } = labels;
  const isProbe = isBuiltIn(alert) && probe !== undefined;
  const own = Object.values(facts.alerts).filter((one) => (isProbe ? one.labels["probe"] === probe : one.key === key));
  const fact = isProbe ? ownEntry(facts.probes, probe) : undefined;
  const probes = Object.fromEntries(fact === undefined ? [] : [[probe, fact]]);
  const of: Facts = { ...facts, probes, alerts: Object.fromEntries(own.map((one) => [one.key, one])) };
  const [known] = isProbe ? probeSymptoms(of, plan) : alertSymptoms(of, plan);
  const id = isProbe ? `probe/${probe}` : `alert/${key}`;
  return known ?? { id, component, source: "rule", since, phrase: alertPhrase(alert) };
}

function isBuiltIn({ rule, labels }: KnownAlert): boolean {
  const { probe } = labels;
  return probe !== undefined && (rule === failingName(probe) || rule === intermittentName(probe));
}

/** From where a rule sees it, where its series have one vantage point. */
function vantageOf({ labels }: KnownAlert): Pick<Symptom, "vantage"> {
  const vantage = labels["vantage"];
  return vantage === "inside" || vantage === "outside" ? { vantage } : {};
}

function beforeOf(alert: KnownAlert | undefined): Pick<Symptom, "badBefore"> {
  return alert?.badBefore === undefined ? {} : { badBefore: alert.badBefore };
}

function sourceOf(plan: Plan, probe: string): Pick<Symptom, "kind" | "reach" | "secondhand" | "timeoutMs"> {
  const configured = plan.probes.get(probe);
  if (configured === undefined) return {};
  const { kind, reach = "private", secondhand, timeoutMs } = configured;
  return { kind, reach, timeoutMs, ...(secondhand ? { secondhand } : {}) };
}

function isConfirmed(symptom: Symptom, facts: Facts): boolean {
  if (isCertain(symptom, facts.watermark)) return true;
  const probe = probeOf(symptom);
  return Object.values(facts.alerts).some(
    (alert) => alert.status === "firing" && isBuiltIn(alert) && alert.labels["probe"] === probe,
  );
}

function isFeltMore(known: Symptom, seen: Symptom): boolean {
  const most = ({ most: cap = "critical" }: Symptom): number => severities.indexOf(cap);
  return most(seen) > most(known);
}

function isWorse(known: Symptom, seen: Symptom): boolean {
  return (seen.strength ?? 1) > (known.strength ?? 1);
}

/** The worst that was seen of it, and since when. */
function worseOf(known: Symptom, seen: Symptom): Partial<Symptom> {
  if (!isWorse(known, seen)) return {};
  const { strength = 1, worseSince, seconds, phrase, seenAt } = seen;
  return {
    strength,
    phrase,
    ...(seenAt === undefined ? {} : { seenAt }),
    ...(worseSince === undefined ? {} : { worseSince }),
    ...(seconds === undefined ? {} : { seconds }),
  };
}

/** The symptom with what is newer of the ledger of its probe; the same object where nothing is. */
function withLedger(symptom: Symptom, ledger: FailureLedger | undefined, most: number = mostEntries): Symptom {
  const failures = updated(symptom.failures, ledger, most);
  const ways = failures
    .map(({ failure }) => failure)
    .filter((failure, index, all) => !all.slice(0, index).some((before) => isSameWay(before, failure)));
  const [first, ...others] = ways;
  if (first === undefined || isDeepStrictEqual(failures, symptom.failures)) return symptom;
  const { failure: _, otherFailures: __, otherwiseSince: ___, ...rest } = symptom;
  const newest = failures.reduce((last, entry) => (entry.until >= last.until ? entry : last));
  const otherwise = failures.find(
    (entry) => isSameWay(entry.failure, newest.failure) && !isSameWay(entry.failure, first),
  );
  return {
    ...rest,
    phrase: probePhrase(probeOf(symptom), principalFailure(failures)),
    failure: first,
    ...(others.length === 0 ? {} : { otherFailures: others.slice(0, mostFailures - 1) }),
    ...(otherwise === undefined ? {} : { otherwiseSince: otherwise.from }),
    failures,
  };
}

/** The name of the probe of a symptom that comes from one. */
function probeOf({ id }: Symptom): string {
  return id.slice("probe/".length);
}

/** Whether it goes on: of a probe that fell silent nothing is known, and what was not sure before does not become so. */
function stillBad(
  { id, source, confirmed }: Symptom,
  facts: Facts,
  intermittent: ReadonlyMap<string, KnownAlert>,
): boolean {
  if (source === "rule") return ownEntry(facts.alerts, id.slice("alert/".length)) !== undefined;
  const probe = id.slice("probe/".length);
  const status = ownEntry(facts.probes, probe)?.status ?? "good";
  // A good run in between does not end it.
  return intermittent.has(probe) || status === "bad" || (status === "unknown" && confirmed === true);
}
