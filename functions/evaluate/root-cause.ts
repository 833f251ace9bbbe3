/**
 * What broke? Every component that could explain a symptom is a hypothesis, in each of the ways in which such a component fails (the table
 * in cause/patterns.ts). The one is named that explains most and is contradicted least; a second where the rest has a cause of its own;
 * none where the facts do not carry it, and then what to look at next.
 *
 * Three observations do most of the work. A connection that is dropped before the server answers speaks for the way to the server; a
 * server that answers with an error speaks for the server. A target that fails from inside the VPC and answers from outside is not
 * broken, the way from inside is. And a component that is seen to work cannot pass on the failure of what lies behind it.
 */
import type { Verdict } from "../../shared/messages/incident-event.ts";
import { monitorComponent } from "../../shared/monitor.ts";
import { confidenceOf } from "./cause/confidence.ts";
import { ownTrouble, platformTrouble } from "./cause/elsewhere.ts";
import { type Observed, Scene } from "./cause/scene.ts";
import { type Hypothesis, hypotheses } from "./cause/weigh.ts";
import { evidenceFor, evidenceWithout, nextFor, nextWithout, whysOf } from "./cause/words.ts";
import type { Diagnosis, Symptom } from "./state.ts";

/** Below this score nothing is named. */
const leastScore = 0.35;
/** What is not seen itself is not named where something else explains as much within so much. */
const tie = 0.12;
/** Hypotheses that score within so much of the best are what it most likely is, where none can be named. */
const likelyWithin = 0.4;
/** By how much a new answer must beat the one that was given before. */
const changeMargin = 0.3;
/** What the rest must score to have a cause of its own. */
const secondScore = 0.7;

/**
 * Names the cause of an incident.
 * @param previous the answer given before, kept unless the new one is clearly better
 */
export function diagnose(seen: Observed, previous?: Diagnosis): Diagnosis {
  const scene = new Scene(seen);
  const ranked = rank(scene);
  const best = chosen(ranked, previous);
  const failing = new Set(seen.symptoms.map(({ component }) => component));
  const working = [...new Set(seen.greens.map(({ component }) => component))].filter((name) => !failing.has(name));
  // When everything has passed, what was good meanwhile no longer contradicts what was found while it failed.
  const isOver = seen.symptoms.every(({ until }) => until !== undefined);
  if (best === undefined && isOver && previous !== undefined && previous.rootCause !== "unknown") return previous;
  if (best === undefined) {
    const likely = ranked.filter(({ score }) => score > 0 && score >= (ranked[0]?.score ?? 0) - likelyWithin);
    const layers = new Set(likely.map((one) => verdictOf(one, scene)));
    const [layer] = layers;
    return {
      rootCause: "unknown",
      verdict: layers.size === 1 && layer !== undefined ? layer : "unknown",
      confidence: 0.2,
      evidence: evidenceWithout(ranked, scene),
      whys: [],
      next: nextWithout(ranked, scene),
      working,
      ...teamOf(likely, scene),
    };
  }
  const second = secondCause(scene, best);
  const confidence = confidenceOf(best, ranked);
  return {
    rootCause: best.component,
    pattern: best.pattern.name,
    ...(second === undefined ? {} : { alsoBroken: second.component }),
    verdict: verdictOf(best, scene),
    confidence,
    evidence: evidenceFor(best, second, ranked, scene),
    whys: whysOf(best, scene),
    next: nextFor(best, second, confidence, scene),
    working,
    ...teamOf([best], scene),
  };
}

/** All hypotheses, components and others, best first. */
export function rank(scene: Scene): Hypothesis[] {
  return [...hypotheses(scene), ...ownTrouble(scene), ...platformTrouble(scene)].sort((a, b) => b.score - a.score);
}

/** Whether the cause that an incident names explains a further symptom. @param seen with that symptom in it */
export function wouldExplain({ rootCause, alsoBroken }: Diagnosis, added: Symptom, seen: Observed): boolean {
  return rank(new Scene(seen))
    .filter(({ component }) => component === rootCause || component === alsoBroken)
    .some(({ explains }) => explains.some(({ symptom }) => symptom.id === added.id));
}

/** Whether trouble of a component would explain what goes on failing. @param seen with the symptom `added` of it */
export function couldCause(component: string, added: Symptom, seen: Observed): boolean {
  const going = seen.symptoms.filter(
    ({ id, source, until }) => id !== added.id && source === "probe" && until === undefined,
  );
  const cause = hypotheses(new Scene(seen)).find((one) => one.component === component);
  const explained = cause?.explains.map(({ symptom }) => symptom.id) ?? [];
  return going.length > 0 && explained.includes(added.id) && going.every(({ id }) => explained.includes(id));
}

/** The best hypothesis that the facts carry, or the one named before where the best is not clearly better. */
function chosen(ranked: readonly Hypothesis[], previous: Diagnosis | undefined): Hypothesis | undefined {
  const [best] = ranked;
  const before = ranked.find(
    ({ component, pattern }) =>
      component === previous?.rootCause && (component !== "unknown" || pattern.name === previous.pattern),
  );
  if (best !== undefined && before !== undefined && before.score >= leastScore) {
    return best.score - before.score >= changeMargin ? best : before;
  }
  if (best === undefined || best.score < leastScore) return undefined;
  const rival = ranked.find(({ component }) => component !== best.component);
  const isTie = rival !== undefined && best.score - rival.score < tie;
  return isTie && !best.hasOwnEvidence && !rival.hasOwnEvidence ? undefined : best;
}

/** Trouble that the first cause does not explain and that has a cause of its own. */
function secondCause(scene: Scene, best: Hypothesis): Hypothesis | undefined {
  const rest = scene.symptoms
    .filter((one) => !best.explains.includes(one) && one.weight > 0.25)
    .map(({ symptom }) => symptom);
  if (!rest.some(({ source }) => source === "probe")) return undefined;
  const [second] = hypotheses(new Scene({ ...scene.seen, symptoms: rest }));
  if (second === undefined || second.score < secondScore || !second.hasOwnEvidence) return undefined;
  return second.component === best.component ? undefined : second;
}

function verdictOf({ component, pattern }: Hypothesis, scene: Scene): Verdict {
  if (component === monitorComponent.name) return "monitor";
  if (component === "unknown") return pattern.name === "platform-wide" ? "platform" : "unknown";
  return scene.component(component).layer;
}

/** Who must act: the team of the cause; where none is named, the one that all candidates have in common. */
function teamOf(candidates: readonly Hypothesis[], scene: Scene): { team?: string } {
  const teams = new Set(candidates.map(({ component }) => scene.component(component).team));
  const [team] = teams;
  return teams.size === 1 && team !== undefined ? { team } : {};
}
