/**
 * Weighs the candidates: the components that show something bad, and all that these reach by `depends_on`.
 *
 * A cause explains no more than it shows itself. What a candidate explains of a component that depends on it is at most its own strength, in a
 * signal from which the other can follow, at the same time; a score is the sum over the components. A candidate of which nothing is measured
 * may explain what those that depend on it have in common, at a price. What was measured good while its dependents were bad explains nothing.
 */

import type { Signal } from "../../../shared/messages/report.ts";
import type { ProbeFact } from "../partition/state.ts";
import type { Evidence } from "./evidence.ts";
import type { Fact, Weighed } from "./fact.ts";
import { type ClueName, clues } from "./knowledge/clues.ts";
import { type Pattern, patternOf } from "./knowledge/patterns.ts";
import { alike, canPassOn, follows, isConnectionPath, maySuffer, outlasts } from "./signals.ts";
import { alertWeight } from "./strength.ts";
import { isCertain, lastOnset } from "./timing.ts";

/** One possible cause, weighed. */
export interface Hypothesis {
  readonly component: string;
  readonly pattern: Pattern;
  /** Approximate number of components whose failure it explains. */
  readonly score: number;
  /** Symptoms that it explains at least half. */
  readonly explains: readonly Weighed[];
  /** Share of all that was seen that it explains, from 0 to 1. */
  readonly fit: number;
  /** Probes that were good although it should have made them fail. */
  readonly contradictedBy: readonly ProbeFact[];
  /** Their weight, from 0 to 1. */
  readonly doubt: number;
  /** Sentences of the clues for it and against it. */
  readonly supports: readonly string[];
  readonly objections: readonly string[];
  /** The strongest that the component itself shows, from 0 to 1; 0 where nothing is measured of it. */
  readonly own: number;
  /** The signal to explain. */
  readonly signal: Signal;
  /** Weight of its own symptoms. */
  readonly ownWorth: number;
  /** Explained weight of other components, by component, and its share of their symptoms, from 0 to 1. */
  readonly passed: ReadonlyMap<string, { readonly worth: number; readonly share: number }>;
  /** The first bad instant of its own, or infinity where it was never seen to fail itself. */
  readonly firstBad: number;
}

/** A hypothesis before it is put into words. */
export type Candidate = Omit<Hypothesis, "pattern" | "supports" | "objections">;

/** Assumed strength of an unmonitored candidate, whose explanations nothing bounds. */
const unseenStrength = 1;
/** The same of one that somebody else's figures show as normal: a weak good. */
const normalStrength = 0.5;
/** The same of one that works for some, which for its role does not mean that it works for all. */
const partialStrength = 0.6;
/** The same for a connection path whose dependents fail through it and work without it. */
const differingPathStrength = 0.75;
/** Cost of a cause without measurements of its own: less than one failing component, so that two with a common dependency outweigh it. */
const unseenPrice = 0.6;
/** Weight of the weakest alert relative to the strongest. */
const minWorth = 0.25;
/** A component with at least this strength measured for one signal does not hide one with another signal. */
const minShown = 0.3;
/** Share that still passes along paths on which something in between is seen to work: there may be a path that nobody has configured. */
const throughWorking = 0.2;

/** The failures to explain: those of components without failing dependents. */
interface Focus {
  readonly component: string;
  readonly signal: Signal;
  readonly strength: number;
  readonly since: number;
  readonly isTouched: boolean;
}

/** Trouble with less than half the weight of the strongest need not be explained. */
const feltShare = 0.5;
/** Lead over the newest failure at which another counts half, in milliseconds: a long-standing alert is not what people report. */
const oldNews = 1_800_000;
/** Signals that follow from each other at least so well are of one kind. */
const oneKind = 0.5;
/** Reduction of the weight of a root whose dependents show no failure. */
const unfelt = 0.5;
/** Maximum number of independent problems. */
const maxProblems = 8;

/** All candidates, best first. */
export function candidates(evidence: Evidence): Candidate[] {
  const { graph } = evidence;
  const best = new Map<string, Candidate>();
  const kinds = Map.groupBy(fociOf(evidence), ({ signal }) => signal);
  for (const [signal, foci] of kinds) {
    const isOfKind = ({ signal: other }: Fact): boolean => other === signal || alike(other, signal) >= oneKind;
    const total = evidence.bad.reduce((sum, name) => {
      return (
        sum +
        Math.max(
          0,
          ...evidence
            .factsOf(name)
            .filter(isOfKind)
            .map(({ strength }) => strength),
        )
      );
    }, 0);
    for (const name of new Set(foci.flatMap(({ component }) => graph.causesOf(component)))) {
      const found = weigh(evidence, name, signal, isOfKind, total);
      if (found !== undefined && found.score > (best.get(name)?.score ?? 0)) best.set(name, found);
    }
  }
  return inOrder(byImpact(evidence, inOrder([...best.values()])));
}

function inOrder(some: readonly Candidate[]): Candidate[] {
  return some.toSorted((a, b) => b.score - a.score || a.firstBad - b.firstBad || (a.component < b.component ? -1 : 1));
}

/**
 * Weighs independent problems by their impact. What one candidate explains is one problem, however many components it passes: within it, the
 * scores decide.
 */
function byImpact(evidence: Evidence, ranked: readonly Candidate[]): Candidate[] {
  const problems: { head: Candidate; impact: number; members: readonly Candidate[] }[] = [];
  for (let left = ranked; left[0] !== undefined; ) {
    const [head] = left;
    const isLast = problems.length + 1 === maxProblems;
    const members = left.filter((one) => isLast || one === head || isOfProblem(one, head));
    problems.push({ head, members, impact: Math.max(0, impactOf(evidence, head)) });
    left = left.filter((one) => !members.includes(one));
  }
  const [main] = problems.toSorted((a, b) => b.impact - a.impact);
  if (main === undefined || main.impact === 0) return [...ranked];
  const weighed = problems.flatMap(({ head, impact, members }) => {
    const excess = Math.max(0, head.score - (main.head.score * impact) / main.impact);
    return members.map((one) => ({ ...one, score: one.score - excess }));
  });
  return weighed.filter(({ score }) => score > 0);
}

/** Returns whether the symptoms of a candidate are explained by another, or explain that one's. */
function isOfProblem(one: Candidate, head: Candidate): boolean {
  if (one.own === 0) return one.explains.some((symptom) => head.explains.includes(symptom));
  const isOwn = (of: Candidate, { symptom }: Weighed): boolean => symptom.component === of.component;
  return (
    head.explains.some((symptom) => isOwn(one, symptom)) ||
    (head.own > 0 && one.explains.some((symptom) => isOwn(head, symptom)))
  );
}

/**
 * The root of a problem and where it ends: components in between have only passed it on. A root counts less if the problem stops before its
 * dependents, or shows there no more than by chance.
 */
function impactOf(evidence: Evidence, { component, signal, ownWorth, passed, own }: Candidate): number {
  const { graph } = evidence;
  let ends = 0;
  let felt = 0;
  for (const [name, { worth, share }] of passed) {
    if (graph.needing(name).some((next) => passed.has(next))) continue;
    ends += worth;
    felt = Math.max(felt, share);
  }
  const stops = graph
    .needing(component)
    .some((name) => evidence.works(name, component) || evidence.isJudged(name, signal));
  if (passed.size === 0 && !stops) felt = 1;
  return ends + ownWorth * (1 - unfelt * (1 - felt)) - (own > 0 ? 0 : unseenPrice);
}

/** The failures to explain: the strongest of the components without failing dependents, and of those that users touch if there are any. */
function fociOf(evidence: Evidence): Focus[] {
  const all = evidence.bad.flatMap((component) => {
    const facts = [
      ...evidence.factsOf(component),
      ...evidence.ownFacts(component).filter(({ signal }) => signal === "configuration"),
    ];
    return facts
      .filter(({ signal, strength }) => strength > 0 && !isHidden(evidence, component, signal, strength))
      .map(({ of: { symptom }, signal, strength }): Focus => {
        return { component, signal, strength, since: lastOnset(symptom), isTouched: symptom.reach === "users" };
      });
  });
  const newest = Math.max(...all.map(({ since }) => since));
  const felt = all.map((one) => ({ ...one, strength: one.strength * 2 ** (-(newest - one.since) / oldNews) }));
  const most = Math.max(0, ...felt.map(({ strength }) => strength));
  const strong = felt.filter(({ strength }) => strength >= feltShare * most);
  const touched = strong.filter(({ isTouched }) => isTouched);
  return touched.length > 0 ? touched : strong;
}

/** Returns whether a dependent fails at least as strongly: then that one is to be explained. */
function isHidden(evidence: Evidence, component: string, signal: Signal, strength: number): boolean {
  return evidence.graph
    .dependentsOf(component)
    .some(
      (name) =>
        name !== component &&
        evidence
          .factsOf(name)
          .some((fact) => fact.strength >= feltShare * strength && alike(signal, fact.signal) >= oneKind),
    );
}

/** Evidence that a component has failed, whatever the pattern. */
const ofAnyPattern: readonly ClueName[] = ["its log says why", "it was changed shortly before"];

/** The candidate in words: the way in which it failed, and what else speaks for and against that. */
export function described(evidence: Evidence, candidate: Candidate & Partial<Hypothesis>): Hypothesis {
  const { pattern: known, supports = [], objections = [] } = candidate;
  if (known !== undefined) return { ...candidate, pattern: known, supports, objections };
  const pattern = patternOf(evidence, candidate.component, candidate.explains);
  return {
    ...candidate,
    pattern,
    supports: answers(evidence, candidate.component, [...(pattern.for ?? []), ...ofAnyPattern]),
    objections: answers(evidence, candidate.component, pattern.against ?? []),
  };
}

function weigh(
  evidence: Evidence,
  component: string,
  signal: Signal,
  isOfKind: (fact: Fact) => boolean,
  total: number,
): Candidate | undefined {
  const { graph } = evidence;
  const role = evidence.role(component);
  const own = evidence.ownFacts(component).filter(isOfKind);
  // A component with a measured failure of another kind does not have this one.
  if (own.length === 0 && evidence.factsOf(component).some(({ strength }) => strength >= minShown)) return undefined;
  const shown = Math.max(0, ...own.map(({ strength }) => strength));
  // Possible chance and mere configuration faults do not measure severity.
  const assumed = own.some((fact) => isMeasure(fact, evidence)) ? 0 : assumedStrength(evidence, component, signal);
  if (own.length === 0 && assumed === 0) return undefined;
  const open = unprovenDependents(evidence, component);
  const explains: Weighed[] = [];
  const ownWorth = Math.max(0, ...own.map((fact) => worthOf(fact)));
  let score = ownWorth;
  const passed = new Map<string, { worth: number; share: number }>();
  let covered = 0;
  for (const name of graph.dependentsOf(component)) {
    const facts = evidence.factsOf(name).filter(isOfKind);
    if (facts.length === 0) continue;
    if (name === component) {
      explains.push(...facts.map(({ of }) => of));
      continue;
    }
    const factor = open.has(name) ? 1 : throughWorking;
    const hasConnectionPath = evidence.hasConnectionPath(name);
    let best = { worth: 0, share: 0 };
    let explainedMost = 0;
    for (const fact of facts) {
      if (evidence.bypasses(fact.of.symptom, component)) continue;
      const strength = Math.max(
        canPassOn(role, fact, hasConnectionPath) * Math.min(assumed, fact.strength),
        ...own.map((one) => explainedBy(one, fact, evidence)),
      );
      // If a target answers on another path, what both paths have in common works.
      const explained =
        strength *
        factor *
        (isConnectionPath(role) ? 1 : evidence.failsOnlyFromInside(name, fact) ? throughWorking : 1);
      if (explained >= 0.5 * fact.strength) explains.push(fact.of);
      const share = fact.strength > 0 ? explained / fact.strength : 0;
      const worth = worthOf(fact) * share;
      if (worth > best.worth) {
        best = { worth, share: alertWeight(fact.of.symptom) * share };
        explainedMost = explained;
      }
    }
    if (best.worth > 0) passed.set(name, best);
    covered += explainedMost;
  }
  // If no direct measurement shows that the candidate itself fails, working dependents contradict it.
  const working = evidence.workingDependents(component);
  const isProven = own.some(({ of: { symptom } }) => symptom.secondhand === undefined && symptom.kind !== undefined);
  const doubt = working.length === 0 ? 0 : working.length / (working.length + 2 * Math.max(1, passed.size));
  const unseen = own.length === 0 && !(isConnectionPath(role) && evidence.differsByPath(component));
  const explained = [...passed.values()].reduce((sum, { worth }) => sum + worth, 0);
  score += explained * (isProven ? 1 : 1 - 0.6 * doubt) - (unseen ? unseenPrice : 0);
  if (score <= 0 || (own.length === 0 && passed.size === 0)) return undefined;
  return {
    component,
    signal,
    score,
    explains,
    fit: total === 0 ? 0 : Math.min(1, (covered + shown) / total),
    contradictedBy: evidence.greensAgainst(component),
    doubt,
    own: shown,
    ownWorth,
    passed,
    firstBad: Math.min(...own.map(({ of }) => of.symptom.since)),
  };
}

/** Weight of explaining a component's failure of a given strength: a fired alert counts, however small its excess. */
function worthOf({ of, strength }: Fact): number {
  return strength === 0 ? 0 : alertWeight(of.symptom) * (minWorth + (1 - minWorth) * strength);
}

/** Returns whether a fact measures the severity of a part. */
function isMeasure({ of: { symptom }, signal }: Fact, { seen: { at } }: Evidence): boolean {
  return signal !== "configuration" && signal !== "event" && isCertain(symptom, at);
}

/** Share of a component's symptoms that follow from those of a candidate below it. */
function explainedBy(cause: Fact, effect: Fact, evidence: Evidence): number {
  const shared = follows(cause, effect) * Math.min(cause.strength, effect.strength);
  const explained = Math.max(shared, outlasts(cause, effect) * effect.strength);
  return explained === 0 ? 0 : explained * evidence.inTime(cause, effect);
}

/** Assumed strength of a component that was not seen to fail. */
function assumedStrength(evidence: Evidence, component: string, signal: Signal): number {
  const role = evidence.role(component);
  // A measurement of this very signal within its limit rules it out; for a connection path, some successes say little.
  if (!maySuffer(role) && evidence.isJudged(component, signal)) return 0;
  // If targets fail from inside and answer from outside, the path between fails, whatever its metrics say.
  if (isConnectionPath(role) && evidence.differsByPath(component))
    return evidence.greensOf(component).length > 0 ? differingPathStrength : unseenStrength;
  if (evidence.greensOf(component).length > 0) {
    // A successful response says nothing about latency unless a rule judges it.
    return maySuffer(role) || signal === "slow" ? partialStrength * normalStrength : 0;
  }
  // The utilization of a path does not show whether it drops connections.
  const isNormal = isConnectionPath(role) ? evidence.isJudged(component, signal) : evidence.isWatched(component);
  return isNormal ? normalStrength : unseenStrength;
}

/** Returns every component that depends on this one through a path on which nothing is seen to work. */
function unprovenDependents(evidence: Evidence, component: string): ReadonlySet<string> {
  const reached = new Set([component]);
  const isSelective = evidence.hitsSome(component);
  for (const name of reached) {
    if (!isSelective && name !== component && evidence.works(name, component)) continue;
    for (const next of evidence.graph.needing(name)) reached.add(next);
  }
  return reached;
}

function answers(evidence: Evidence, component: string, wanted: readonly ClueName[]): string[] {
  return wanted.flatMap((name) => clues[name](evidence, component) ?? []);
}
