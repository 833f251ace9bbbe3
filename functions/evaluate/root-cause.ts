/**
 * What broke? Every component that could explain a symptom is a hypothesis. It gains by each symptom that it explains, more or less by
 * what the failing phase says, loses by each probe that was good although it should have failed, and the earliest trouble breaks ties.
 *
 * Three observations do most of the work. A connection that is dropped before the server answers speaks for the way to the server; a
 * server that answers with an error speaks for the server. A target that fails from inside the VPC and answers from outside is not
 * broken, the way from inside is. And a component that is seen to work cannot pass on the failure of what lies behind it.
 */
import type { Verdict } from "../../shared/messages/incident-event.ts";
import { readingPhase } from "../../shared/messages/report.ts";
import type { ComponentGraph } from "./graph.ts";
import { clockTime, list } from "./sentences.ts";
import type { Diagnosis, ProbeFact, Symptom } from "./state.ts";

/** One possible cause, weighed. */
export interface Hypothesis {
  readonly component: string;
  readonly score: number;
  /** Symptoms that it explains at least half. */
  readonly explains: readonly Symptom[];
  /** Probes that were good although it should have made them fail. */
  readonly contradictedBy: readonly ProbeFact[];
  /** Probes whose success singles it out: they reach the same target by another way. */
  readonly supportedBy: readonly ProbeFact[];
  /** The first bad instant of its own, or infinity where it was never seen to fail itself. */
  readonly firstBad: number;
}

/** How much of a symptom its own component explains, and how much something that the component depends on. */
interface Weights {
  readonly own: number;
  readonly dependency: number;
}

/** Below this score nothing is named. */
const leastScore = 0.35;
/** By how much a new answer must beat the one that was given before. */
const changeMargin = 0.5;

/**
 * Names the cause of an incident.
 * @param symptoms everything bad that was observed during the incident
 * @param good probes that were good throughout it
 * @param previous the answer given before, kept unless the new one is clearly better
 */
export function diagnose(
  symptoms: readonly Symptom[],
  good: readonly ProbeFact[],
  graph: ComponentGraph,
  previous?: Diagnosis,
): Diagnosis {
  const ranked = hypotheses(symptoms, good, graph);
  const best = chosen(ranked, previous);
  const failing = new Set(symptoms.map(({ component }) => component));
  const working = [...new Set(good.map(({ component }) => component))].filter((component) => !failing.has(component));
  if (best === undefined || best.score < leastScore) return { ...unknownCause(symptoms, ranked, graph), working };
  const rest = symptoms.filter((symptom) => !best.explains.includes(symptom));
  const second = rest.length === 0 ? undefined : hypotheses(rest, good, graph)[0];
  const alsoBroken = second !== undefined && second.score >= 2 * leastScore && second.component !== best.component;
  return {
    rootCause: best.component,
    ...(alsoBroken ? { alsoBroken: second.component } : {}),
    verdict: verdictOf(best.component, graph),
    confidence: confidenceOf(best, ranked, symptoms.length),
    evidence: evidenceOf(best, alsoBroken ? second : undefined, ranked, graph),
    whys: whysOf(best, symptoms, graph),
    working,
  };
}

/** All hypotheses, best first. */
export function hypotheses(
  symptoms: readonly Symptom[],
  good: readonly ProbeFact[],
  graph: ComponentGraph,
): Hypothesis[] {
  const candidates = new Set(symptoms.flatMap(({ component }) => graph.causesOf(component)));
  return [...candidates]
    .map((component) => weigh(component, symptoms, good, graph))
    .sort((a, b) => b.score - a.score || a.firstBad - b.firstBad || a.component.localeCompare(b.component));
}

function weigh(
  component: string,
  symptoms: readonly Symptom[],
  good: readonly ProbeFact[],
  graph: ComponentGraph,
): Hypothesis {
  const failing = new Set(symptoms.map((symptom) => symptom.component));
  const works = (name: string): boolean => !failing.has(name) && good.some((fact) => fact.component === name);
  let score = 0;
  const explains: Symptom[] = [];
  for (const symptom of symptoms) {
    const weight = explained(symptom, component, graph, works);
    score += weight;
    if (weight >= 0.5) explains.push(symptom);
  }
  const contradictedBy: ProbeFact[] = [];
  const supportedBy: ProbeFact[] = [];
  for (const fact of good) {
    if (graph.distance(fact.component, component) === undefined) continue;
    if (goesAnotherWay(fact, component, graph)) {
      if (symptoms.some((symptom) => symptom.component === fact.component && symptom.vantage === "inside")) {
        supportedBy.push(fact);
      }
    } else contradictedBy.push(fact);
  }
  // What is only slow or near its limit may well leave everything working; what fails may not.
  const failures = symptoms.filter(({ source }) => source === "probe").length;
  const weight = 0.15 + 0.85 * (failures / symptoms.length);
  for (const fact of contradictedBy) score -= weight * (fact.component === component ? 1 : 0.6);
  score += Math.min(1, 0.5 * supportedBy.length);
  const own = symptoms.filter((symptom) => symptom.component === component);
  const firstBad = Math.min(...own.map(({ since }) => since));
  if (own.length === 0 && supportedBy.length === 0) score -= 0.2;
  const earliest = firstBad <= Math.min(...symptoms.map(({ since }) => since));
  if (earliest && own.some((symptom) => explains.includes(symptom))) score += 0.3;
  return { component, score, explains, contradictedBy, supportedBy, firstBad };
}

/** How much of a symptom a failure of `component` explains, from 0 to 1. */
function explained(
  symptom: Symptom,
  component: string,
  graph: ComponentGraph,
  works: (name: string) => boolean,
): number {
  const weights = weightsOf(symptom, graph);
  if (symptom.component === component) return weights.own;
  if (graph.distance(symptom.component, component) === undefined) return 0;
  const between = graph.path(symptom.component, component).slice(1);
  // What is seen to work on the way cannot have passed the failure on.
  return between.some(works) ? 0.2 * weights.dependency : weights.dependency;
}

function weightsOf({ source, failure, component }: Symptom, graph: ComponentGraph): Weights {
  if (source === "rule" || failure === undefined) return { own: 0.8, dependency: 0.7 };
  const { kind, phase } = failure;
  // Nothing is known of a target that could not be read about.
  if (phase === readingPhase) return { own: 0.1, dependency: 0.1 };
  switch (kind) {
    case "timeout":
    case "refused":
    case "reset":
      // Nothing came back: the nearer the failure to the handshake, the more it speaks for the way and not for the server.
      if (graph.component(component).layer === "platform" && phase !== "query") return { own: 0.5, dependency: 1 };
      return phase === "connect" || phase === "tls" ? { own: 0.8, dependency: 0.8 } : { own: 0.6, dependency: 1 };
    case "database":
    case "auth":
      return { own: 1, dependency: 0.2 };
    case "tls":
    case "dns":
      return { own: 1, dependency: 0.4 };
    case "http_status":
    case "unavailable":
      return { own: 0.6, dependency: 1 };
    case "sequence":
      return { own: 0.7, dependency: 0.9 };
    case "body":
    case "protocol":
      return { own: 1, dependency: 0.3 };
    case "internal":
      return { own: 0.1, dependency: 0.1 };
  }
}

/** Whether a probe from outside reaches a platform component without what lies on the way from inside. */
function goesAnotherWay(fact: ProbeFact, component: string, graph: ComponentGraph): boolean {
  return (
    fact.vantage === "outside" &&
    fact.component !== component &&
    graph.component(fact.component).layer === "platform" &&
    graph.component(component).layer === "platform"
  );
}

/** The best hypothesis, or the one named before where the best is not clearly better. */
function chosen(ranked: readonly Hypothesis[], previous: Diagnosis | undefined): Hypothesis | undefined {
  const [best] = ranked;
  const before = ranked.find(({ component }) => component === previous?.rootCause);
  if (best === undefined || before === undefined) return best;
  return best.score - before.score >= changeMargin ? best : before;
}

function verdictOf(component: string, graph: ComponentGraph): Verdict {
  return graph.component(component).layer;
}

/** Grows with the share of symptoms explained and the lead over the next hypothesis, falls with what contradicts it. */
function confidenceOf(best: Hypothesis, ranked: readonly Hypothesis[], symptoms: number): number {
  const fit = best.explains.length / symptoms;
  const doubt = best.contradictedBy.length / (symptoms + best.contradictedBy.length);
  const next = Math.max(0, ...ranked.filter((other) => other !== best).map(({ score }) => score));
  const lead = Math.min(1, Math.max(0, (best.score - next) / Math.max(best.score, 0.1)) * 2);
  // In steps of five percent: finer would be a precision that the weights do not have.
  return Math.round(Math.min(0.95, Math.max(0.05, 0.3 + 0.4 * fit * (1 - doubt) + 0.3 * lead)) * 20) / 20;
}

function unknownCause(
  symptoms: readonly Symptom[],
  ranked: readonly Hypothesis[],
  graph: ComponentGraph,
): Omit<Diagnosis, "working"> {
  const layers = new Set(ranked.filter(({ score }) => score > 0).map(({ component }) => verdictOf(component, graph)));
  const [layer] = layers;
  return {
    rootCause: "unknown",
    verdict: layers.size === 1 && layer !== undefined ? layer : "unknown",
    confidence: 0.2,
    evidence: [
      ...symptoms.map((symptom) => `Seen: ${sentence(symptom)}`),
      ...ranked.slice(0, 2).map((one) => `Not named: ${graph.component(one.component).title}${doubtOf(one)}.`),
    ],
    whys: [],
  };
}

function evidenceOf(
  best: Hypothesis,
  second: Hypothesis | undefined,
  ranked: readonly Hypothesis[],
  graph: ComponentGraph,
): string[] {
  const title = graph.component(best.component).title;
  const inOrder = [...best.explains].sort((a, b) => a.since - b.since);
  const next = ranked.find((other) => other !== best && other.component !== second?.component && other.score > 0);
  return [
    ...inOrder.map((symptom) => `For ${title}: ${sentence(symptom)}`),
    ...best.supportedBy.map(
      (fact) =>
        `For ${title}: \`${fact.probe}\` reaches the same ${graph.component(fact.component).title} from outside, so it answers, and the way from inside is what fails.`,
    ),
    ...(best.contradictedBy.length === 0
      ? []
      : [
          `Against ${title}: ${goodAllTheTime(best)}, though ${best.contradictedBy.length === 1 ? "it needs" : "they need"} ${title}.`,
        ]),
    ...(second === undefined
      ? []
      : second.explains.map(
          (symptom) => `Also broken, ${graph.component(second.component).title}: ${sentence(symptom)}`,
        )),
    ...(next === undefined ? [] : [`Less likely: ${graph.component(next.component).title}${doubtOf(next)}.`]),
  ];
}

function doubtOf(hypothesis: Hypothesis): string {
  if (hypothesis.contradictedBy.length > 0) return `, because ${goodAllTheTime(hypothesis)}`;
  return hypothesis.explains.length === 0
    ? ", because it explains too little"
    : ", because it explains less of what was seen";
}

function goodAllTheTime({ contradictedBy }: Hypothesis): string {
  const probes = list(contradictedBy.map(({ probe }) => `\`${probe}\``));
  return `${probes} ${contradictedBy.length === 1 ? "was" : "were"} good all the time`;
}

/** The chain from the symptom furthest from the cause, which is the one that people feel, to the cause. */
function whysOf(best: Hypothesis, symptoms: readonly Symptom[], graph: ComponentGraph): string[] {
  const distance = ({ component }: Symptom): number => graph.distance(component, best.component) ?? -1;
  const [felt] = [...best.explains].sort((a, b) => distance(b) - distance(a) || a.since - b.since);
  if (felt === undefined) return [];
  return graph.path(felt.component, best.component).map((name, index) => {
    const { title } = graph.component(name);
    const seen = symptoms.filter(({ component }) => component === name).sort((a, b) => a.since - b.since)[0];
    const what = seen === undefined ? `${title} was not seen to fail itself` : `${title} fails: ${seen.phrase}`;
    if (index === 0) return `${what}.`;
    if (name === best.component) {
      return seen === undefined ? `Why? Everything points to ${title}.` : `Why? ${what}.`;
    }
    return `Why? It depends on ${title}. ${what}.`;
  });
}

function sentence(symptom: Symptom): string {
  const from = symptom.vantage === undefined ? "" : `, from ${symptom.vantage}`;
  const until = symptom.until === undefined ? "" : ` until ${clockTime(symptom.until)}`;
  return `${symptom.phrase}${from}, since ${clockTime(symptom.since)}${until}.`;
}
