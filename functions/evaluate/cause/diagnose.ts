/**
 * Finds the root cause. Candidates are the components with symptoms and everything they depend on (cause/weigh.ts). The candidate is named
 * that explains most by symptoms of its own; a second one if the remaining symptoms have a cause of their own; none if the facts do not
 * separate two, and then both, with the measurement that would. Patterns of particular parts (cause/patterns.ts) describe how it failed and
 * what to do.
 */
import type { Verdict } from "../../../shared/messages/incident-event.ts";
import { monitorComponent } from "../../../shared/monitor.ts";
import { confidenceOf, shareOf } from "./confidence.ts";
import type { Diagnosis, Symptom } from "./diagnosis.ts";
import { Evidence, type Observed } from "./evidence.ts";
import { candidateFor, evidenceFor, evidenceWithout, nextFor, nextWithout, whysOf } from "./explanation.ts";
import { changeSentence } from "./knowledge/changes.ts";
import { monitorHypotheses, platformHypotheses } from "./outside-graph.ts";
import { changeBefore, failedSince, logPatternAbout } from "./pointers.ts";
import { alertWeight } from "./strength.ts";
import { lastOnset, standing } from "./timing.ts";
import { type Candidate, candidates, described, type Hypothesis } from "./weigh.ts";

/** Difference in explained components below which candidates count as equal. */
const tie = 0.1;
/** Minimum explanation of a cause. */
const minScore = 0.05;
/** Candidates with at least this share of the best are what it most likely is, where none can be named. */
const likelyShare = 0.5;
/** Minimum confidence of a new answer relative to the previous one. */
const changeShare = 0.58;
/** Minimum strength of the remaining symptoms for a second cause. */
const secondStrength = 0.5;
/** The most candidates that are kept. */
const maxCandidates = 5;

/**
 * Names the cause of an incident.
 * @param previous the answer given before, kept unless the new one is clearly better
 */
export function diagnose(seen: Observed, previous?: Diagnosis): Diagnosis {
  // After everything has recovered, good results from then no longer contradict what was found during the failure.
  const isOver = seen.symptoms.every(({ until }) => until !== undefined);
  if (isOver && previous !== undefined && previous.rootCause !== "unknown") return previous;
  const evidence = new Evidence(seen);
  const ranked = rank(evidence);
  const failing = new Set(seen.symptoms.map(({ component }) => component));
  const working = [...new Set(seen.greens.map(({ component }) => component))].filter((name) => !failing.has(name));
  const best = chosen(ranked, previous, evidence);
  const shown = ranked.slice(0, maxCandidates).map((one) => described(evidence, one));
  if (best === undefined) {
    const likely = ranked.filter((one) => shareOf(one, ranked) >= likelyShare * shareOf(ranked[0] ?? one, ranked));
    const layers = new Set(likely.map((one) => verdictOf(one, evidence)));
    const [layer] = layers;
    return {
      rootCause: "unknown",
      verdict: layers.size === 1 && layer !== undefined ? layer : "unknown",
      confidence: 0.2,
      evidence: evidenceWithout(shown, evidence),
      whys: [],
      next: nextWithout(shown, evidence),
      candidates: shown.map((one) => candidateFor(one, shareOf(one, ranked), shown, evidence)),
      working,
      ...teamOf(likely, evidence),
    };
  }
  const cause = described(evidence, best);
  const rest = secondCause(evidence, best);
  const second = rest && described(evidence, rest);
  const confidence = confidenceOf(best, ranked);
  return {
    rootCause: cause.component,
    pattern: cause.pattern.name,
    ...(second === undefined ? {} : { alsoBroken: second.component }),
    verdict: verdictOf(cause, evidence),
    confidence,
    evidence: evidenceFor(cause, second, shown, evidence),
    ...changeFor(cause, evidence),
    whys: whysOf(cause, evidence),
    next: nextFor(cause, second, confidence, shown, evidence),
    candidates: shown.map((one) =>
      candidateFor(one, one.component === cause.component ? confidence : shareOf(one, ranked), shown, evidence),
    ),
    working,
    ...teamOf([cause], evidence),
  };
}

type Ranked = Candidate & Partial<Pick<Hypothesis, "pattern" | "supports" | "objections">>;

/** The change that fits a cause. */
function changeFor({ component }: Hypothesis, evidence: Evidence): Pick<Diagnosis, "change"> {
  const change = changeBefore(evidence, component);
  if (change === undefined) return {};
  return { change: { id: change.id, says: changeSentence(change, failedSince(evidence, component)) } };
}

/** All candidates, components and others, best first. */
export function rank(evidence: Evidence): Ranked[] {
  return [...candidates(evidence), ...monitorHypotheses(evidence), ...platformHypotheses(evidence)].sort(
    (a, b) => b.score - a.score,
  );
}

/** Returns whether the named cause of an incident explains a further symptom. @param seen the evidence, including that symptom */
export function wouldExplain({ rootCause, alsoBroken }: Diagnosis, added: Symptom, seen: Observed): boolean {
  return rank(new Evidence(seen))
    .filter(({ component }) => component === rootCause || component === alsoBroken)
    .some(({ explains }) => explains.some(({ symptom }) => symptom.id === added.id));
}

/** Returns whether a failure of a component would explain the ongoing failures. @param seen the evidence, including the symptom `added` of it */
export function couldCause(component: string, added: Symptom, seen: Observed): boolean {
  const going = seen.symptoms.filter(({ id, until }) => id !== added.id && until === undefined);
  const cause = candidates(new Evidence(seen)).find((one) => one.component === component);
  const explained = cause?.explains.map(({ symptom }) => symptom.id) ?? [];
  return going.length > 0 && explained.includes(added.id) && going.every(({ id }) => explained.includes(id));
}

/** The best candidate that the facts carry, or the one named before where the best is not clearly better. */
function chosen(ranked: readonly Ranked[], previous: Diagnosis | undefined, evidence: Evidence): Ranked | undefined {
  const [best] = ranked;
  if (best === undefined || best.score < minScore) return undefined;
  const before = ranked.find(
    ({ component, pattern }) =>
      component === previous?.rootCause && (component !== "unknown" || pattern?.name === previous.pattern),
  );
  if (before !== undefined && before !== best && before.score >= minScore) {
    return shareOf(best, [best, before]) >= changeShare ? best : before;
  }
  if (before === best) return best;
  const rival = ranked.find(({ component }) => component !== best.component);
  if (rival === undefined || best.score - rival.score >= tie) return best;
  if (!isEqual(best, rival) && isUnrelated(best, rival, evidence)) return best;
  return pointedAt(
    ranked.filter(({ score }) => best.score - score < tie),
    evidence,
  );
}

/** Of candidates that the measurements do not tell apart, the one to which alone a change or the words of a log point. */
function pointedAt(tied: readonly Ranked[], evidence: Evidence): Ranked | undefined {
  const isPointedAt = ({ component }: Ranked): boolean => {
    if (!evidence.graph.names.includes(component)) return false;
    const words = logPatternAbout(evidence, component)?.means;
    return (words !== undefined && !words.is_symptom) || changeBefore(evidence, component) !== undefined;
  };
  const [one, ...others] = tied.filter(isPointedAt);
  return others.length === 0 ? one : undefined;
}

/** Returns whether two candidates differ in nothing but their names. */
function isEqual(one: Candidate, other: Candidate): boolean {
  return Math.abs(one.score - other.score) < 1e-9 && one.firstBad === other.firstBad;
}

/** Returns whether two candidates fail with unrelated signals: then both are broken, and neither is an alternative to the other. */
function isUnrelated(best: Ranked, rival: Ranked, evidence: Evidence): boolean {
  const signals = [best, rival].map(
    ({ component }) => new Set(evidence.ownFacts(component).map(({ signal }) => signal)),
  );
  const [some, others] = signals;
  return signals.every(({ size }) => size > 0) && ![...(some ?? [])].some((signal) => others?.has(signal));
}

/** Trouble that the first cause does not explain and that has a cause of its own. */
function secondCause(evidence: Evidence, best: Candidate): Candidate | undefined {
  const explained = new Set(best.explains);
  const rest = evidence.symptoms.filter(
    (one) => !explained.has(one) && one.weight * evidence.present(one.symptom) >= secondStrength,
  );
  const apart = rest.filter(({ symptom }) => symptom.source === "probe" || isNewsApart(symptom, best, evidence));
  if (apart.length === 0) return undefined;
  const found = candidates(new Evidence({ ...evidence.seen, symptoms: rest.map(({ symptom }) => symptom) }));
  const [second, third] = found;
  if (second === undefined || second.own < secondStrength || second.component === best.component) return undefined;
  const isApart = apart.some(({ symptom }) => second.explains.some((one) => one.symptom === symptom));
  return !isApart || (third !== undefined && isEqual(second, third)) ? undefined : second;
}

/**
 * Returns whether the alert of a rule is a problem of its own: it started with the outage, was seldom as bad before, and does not depend on
 * the cause.
 */
function isNewsApart(symptom: Symptom, best: Candidate, evidence: Evidence): boolean {
  const began = Math.min(best.firstBad, ...best.explains.map((one) => one.symptom.since));
  return (
    lastOnset(symptom) >= began - standing &&
    alertWeight(symptom) >= secondStrength &&
    evidence.graph.distance(symptom.component, best.component) === undefined
  );
}

function verdictOf({ component, pattern }: Ranked, evidence: Evidence): Verdict {
  if (component === monitorComponent.name) return "monitor";
  if (component === "unknown") return pattern?.name === "platform-wide" ? "platform" : "unknown";
  return evidence.component(component).layer;
}

/** The owner: the team of the cause or, if none is named, the team that all candidates share. */
function teamOf(likely: readonly Candidate[], evidence: Evidence): { team?: string } {
  const teams = new Set(likely.map(({ component }) => evidence.component(component).team));
  const [team] = teams;
  return teams.size === 1 && team !== undefined ? { team } : {};
}
