/**
 * Weighs every hypothesis: a component and a way in which it may have failed. It gains by each symptom that it explains and by the clues
 * for it, loses by each probe that was good although it needs the component, and by the clues against it; the earliest trouble breaks ties.
 */
import { ownEntry } from "../../../shared/entries.ts";
import type { ProbeFact } from "../state.ts";
import { type ClueName, clues } from "./clues.ts";
import { type Pattern, patterns } from "./patterns.ts";
import type { Roles } from "./roles.ts";
import type { Scene, Weighed } from "./scene.ts";
import type { Weights } from "./weights.ts";

/** One possible cause, weighed. */
export interface Hypothesis {
  readonly component: string;
  readonly pattern: Pattern;
  readonly score: number;
  /** Symptoms that it explains at least half. */
  readonly explains: readonly Weighed[];
  /** Share of all that was seen that it explains, from 0 to 1. */
  readonly fit: number;
  /** Probes that were good although it should have made them fail. */
  readonly contradictedBy: readonly ProbeFact[];
  /** How much they count. */
  readonly doubt: number;
  /** Sentences of the clues for it and against it. */
  readonly supports: readonly string[];
  readonly objections: readonly string[];
  /** Whether the component itself was seen to fail, or a clue singles it out. */
  readonly hasOwnEvidence: boolean;
  /** The first bad instant of its own, or infinity where it was never seen to fail itself. */
  readonly firstBad: number;
}

/** How much a probe of what depends on the component contradicts, against one of the component itself. */
const ofDependents = 0.6;
/** How much a probe of the component itself contradicts at least. */
const leastOwn = 0.8;
/** What it costs to leave a symptom to another cause: two at once are possible, and rare. */
export const unexplained = 0.5;
/** What it costs a component never to have been seen to fail. */
const neverSeen = 0.2;
/** What it is worth to have failed first. */
const wasFirst = 0.25;
/** Trouble that began so much later than the rest, in milliseconds, cannot have caused it. */
const tooLate = 420_000;
/** Probes do not run at the same instant: what began within so much of the first, in milliseconds, began with it. */
const atOnce = 75_000;

/** All hypotheses, the best way to fail of each component, best first. */
export function hypotheses(scene: Scene): Hypothesis[] {
  const { graph } = scene;
  const candidates = new Set(scene.symptoms.flatMap(({ symptom }) => graph.causesOf(symptom.component)));
  for (const { symptom } of scene.symptoms) {
    for (const name of behind(scene, symptom.component)) candidates.add(name);
  }
  return [...candidates]
    .flatMap((component) => {
      const ways = patterns
        .filter(({ of }) => of.includes(scene.role(component)))
        .map((pattern) => weigh(scene, component, pattern))
        .sort((a, b) => b.score - a.score);
      return ways[0] ?? [];
    })
    .sort((a, b) => b.score - a.score || a.firstBad - b.firstBad || (a.component < b.component ? -1 : 1));
}

/** How well a pattern of a component explains one symptom, from 0 to 1. */
export function explained(scene: Scene, component: string, pattern: Pattern, { symptom, classes }: Weighed): number {
  const { graph } = scene;
  const mean = (weights: Weights): number =>
    classes.reduce((sum, seen) => sum + (weights[seen] ?? 0), 0) / Math.max(1, classes.length);
  if (symptom.component === component) return mean(pattern.shows);
  if (graph.distance(symptom.component, component) !== undefined) {
    if (scene.goesAround({ vantage: symptom.vantage ?? "inside", component: symptom.component }, component)) return 0;
    // What is seen to work on the way cannot have passed the failure on, but there may be another way.
    const isShielded =
      !pattern.selective &&
      graph.way(symptom.component, component, (name) => scene.works(name, component)) === undefined;
    return mean(pattern.passesOn) * (isShielded ? 0.2 : 1);
  }
  // What stands before services shows their errors as its own.
  return behind(scene, symptom.component).has(component) ? 0.7 * mean(pattern.passesOn) : 0;
}

const nothing: ReadonlySet<string> = new Set();
/** What stands behind each edge, worked out once for the roles of a plan, because it is asked for each hypothesis and each symptom. */
const behindEdges = new WeakMap<Roles, Map<string, ReadonlySet<string>>>();

/** Everything whose failure an edge shows, although it does not depend on it: the services behind it and what they need. */
function behind(scene: Scene, name: string): ReadonlySet<string> {
  if (scene.role(name) !== "edge") return nothing;
  const { graph } = scene;
  const { roles } = scene.seen;
  const ofPlan = behindEdges.get(roles) ?? new Map<string, ReadonlySet<string>>();
  behindEdges.set(roles, ofPlan);
  const known = ofPlan.get(name);
  if (known !== undefined) return known;
  const services = graph.dependentsOf(name).filter((one) => one !== name && scene.role(one) !== "journey");
  const found = new Set(services.flatMap((service) => graph.causesOf(service)));
  for (const own of graph.causesOf(name)) found.delete(own);
  ofPlan.set(name, found);
  return found;
}

function weigh(scene: Scene, component: string, pattern: Pattern): Hypothesis {
  const own = scene.symptomsOf(component);
  const firstBad = Math.min(...own.map(({ symptom }) => symptom.since));
  let gained = 0;
  let total = 0;
  const explains: Weighed[] = [];
  for (const one of scene.symptoms) {
    const late = !pattern.seenLate && firstBad !== Number.POSITIVE_INFINITY && firstBad - one.symptom.since > tooLate;
    const share = explained(scene, component, pattern, one) * (late ? 0.5 : 1);
    gained += share * one.weight;
    total += one.weight;
    if (share >= 0.5) explains.push(one);
  }
  // What is itself measured to work is the cause of little.
  if (scene.works(component, component)) gained *= 1 - 0.5 * byItself(pattern);
  const { contradictedBy, doubt } = contradictions(scene, component, pattern);
  const supports = answers(scene, component, pattern.for ?? {});
  const objections = answers(scene, component, pattern.against ?? {});
  const weightOf = (found: readonly Answer[]): number => found.reduce((sum, { weight }) => sum + weight, 0);
  const hasOwnEvidence = explains.some(({ symptom }) => symptom.component === component) || weightOf(supports) >= 0.5;
  const began = scene.firstBad + atOnce;
  const bonus = own.some((one) => explains.includes(one)) && firstBad <= began ? wasFirst : 0;
  // Clues decide between explanations; where nothing is explained they say nothing.
  const relevance = Math.min(1, gained);
  return {
    component,
    pattern,
    score:
      gained -
      unexplained * (total - gained) -
      doubt +
      relevance * (weightOf(supports) - weightOf(objections)) +
      bonus -
      (pattern.rare ?? 0) -
      (hasOwnEvidence ? 0 : neverSeen),
    explains,
    fit: total === 0 ? 0 : gained / total,
    contradictedBy,
    doubt,
    supports: supports.map(({ says }) => says),
    objections: objections.map(({ says }) => says),
    hasOwnEvidence,
    firstBad,
  };
}

interface Answer {
  readonly says: string;
  readonly weight: number;
}

/** What clues have answered of each component of a scene: several patterns ask the same. */
const answered = new WeakMap<Scene, Map<string, string | undefined>>();

function answers(scene: Scene, component: string, wanted: Readonly<Partial<Record<ClueName, number>>>): Answer[] {
  const known = answered.get(scene) ?? new Map<string, string | undefined>();
  answered.set(scene, known);
  return Object.entries(wanted).flatMap(([name, weight]) => {
    const key = `${component}/${name}`;
    const says = known.has(key) ? known.get(key) : ownEntry(clues, name)?.(scene, component);
    known.set(key, says);
    return says === undefined ? [] : [{ says, weight }];
  });
}

/** How much a further component that goes on working says, against the one before it. */
const alike = 0.5;
/** What a second, third and further good probe of the same component adds. */
const fading = [1, 0.3, 0.1];

function contradictions(
  scene: Scene,
  component: string,
  pattern: Pattern,
): { contradictedBy: readonly ProbeFact[]; doubt: number } {
  const { symptoms, graph } = scene;
  const contradictedBy = scene.seen.greens.filter(
    (fact) => graph.distance(fact.component, component) !== undefined && !scene.goesAround(fact, component),
  );
  // What is only slow or near its limit may well leave everything working; what fails may not.
  const failing = symptoms.reduce((sum, { symptom, weight }) => sum + (symptom.source === "probe" ? weight : 0), 0);
  const all = symptoms.reduce((sum, { weight }) => sum + weight, 0);
  const scale = 0.15 + 0.85 * (failing / all);
  const counted = new Map<string, number>();
  let doubt = 0;
  const others = new Map<string, number>();
  for (const fact of contradictedBy) {
    const before = counted.get(fact.component) ?? 0;
    counted.set(fact.component, before + 1);
    const fade = fading[Math.min(before, fading.length - 1)] ?? 0;
    // A component that also fails is half broken: what still works of it, and of what needs it, says little.
    const isPartial = scene.symptomsOf(fact.component).some(({ symptom }) => symptom.source === "probe");
    const share = fact.component === component ? byItself(pattern) : pattern.contradicted * ofDependents;
    const counts = scale * fade * share * (isPartial ? 0.3 : 1);
    if (fact.component === component) doubt += counts;
    else others.set(fact.component, (others.get(fact.component) ?? 0) + counts);
  }
  // Components that go on working often do so for one reason, such as connections that stand already: each says less than the one before.
  const strongest = [...others.values()].sort((a, b) => b - a);
  for (const [index, counts] of strongest.entries()) doubt += counts * alike ** index;
  return { contradictedBy, doubt };
}

/** How much a probe of the component itself contradicts a pattern. */
function byItself({ contradicted, contradictedByItself }: Pattern): number {
  return contradictedByItself ?? Math.max(contradicted, leastOwn);
}
