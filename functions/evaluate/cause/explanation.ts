/** The words of a diagnosis: evidence for and against in whole sentences, the chain of whys, and what to look at next. */

import type { ResolvedRole } from "../../../shared/config/roles.ts";
import { monitorComponent } from "../../../shared/monitor.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { list } from "../../../shared/text/sentences.ts";
import { symptomSentence } from "../incident/record/symptom-text.ts";
import type { ProbeFact } from "../partition/state.ts";
import type { DiagnosedCandidate, Symptom } from "./diagnosis.ts";
import type { Evidence } from "./evidence.ts";
import type { Weighed } from "./fact.ts";
import type { Fault } from "./knowledge/indicators.ts";
import { type Provider, providerOf } from "./knowledge/provider.ts";
import { changeBefore, logPatternAbout } from "./pointers.ts";
import type { Hypothesis } from "./weigh.ts";

/** The most symptoms that are listed of one cause. */
const maxSymptoms = 8;

/** The title of what a hypothesis names. */
export function titleOf({ component }: Hypothesis, evidence: Evidence): string {
  if (component === monitorComponent.name) return "the monitor itself";
  return component === "unknown" ? "the platform" : evidence.component(component).title;
}

/** Evidence for and against the cause that is named, that for it first. */
export function evidenceFor(
  best: Hypothesis,
  second: Hypothesis | undefined,
  ranked: readonly Hypothesis[],
  evidence: Evidence,
): string[] {
  const title = titleOf(best, evidence);
  const next = ranked.find(
    (other) => other.component !== best.component && other.component !== second?.component && other.score > 0,
  );
  const explained = new Set([...best.explains, ...(second?.explains ?? [])]);
  const unexplained = evidence.symptoms.filter((one) => !explained.has(one) && one.weight >= 0.3);
  const sentences = [
    ...listed(best.explains, `For ${title}`, evidence),
    ...best.supports.map((says) => `For ${title}: ${says}`),
    ...best.objections.map((says) => `Against ${title}: ${says}`),
    ...against(best, title, evidence),
    ...(second === undefined ? [] : listed(second.explains, `Also broken, ${titleOf(second, evidence)}`, evidence)),
    ...(second?.supports ?? []).map((says) => `Also broken, ${titleOf(second as Hypothesis, evidence)}: ${says}`),
    ...listed(unexplained, "Not explained by it", evidence).slice(0, 3),
    ...(next === undefined ? [] : [`Less likely: ${titleOf(next, evidence)}${doubtOf(next, evidence)}.`]),
  ];
  // Two series of one rule may say the same.
  return [...new Set(sentences)];
}

/** The explanation when no cause can be named. */
export function evidenceWithout(ranked: readonly Hypothesis[], evidence: Evidence): string[] {
  return [
    ...new Set([
      ...listed(evidence.symptoms, "Seen", evidence),
      ...ranked.slice(0, 2).map((one) => `Not named: ${titleOf(one, evidence)}${doubtOf(one, evidence)}.`),
    ]),
  ];
}

/** The chain from the symptom that people feel, which stands on most, to the cause. */
export function whysOf(best: Hypothesis, evidence: Evidence): string[] {
  const { graph } = evidence;
  const inLine = best.explains.map(({ symptom }) => symptom);
  const distance = ({ component }: Symptom): number => graph.distance(component, best.component) ?? -1;
  // Users are closest to the components with the most dependencies below them.
  const height = ({ component }: Symptom): number => graph.causesOf(component).length;
  const [felt] = inLine.sort((a, b) => height(b) - height(a) || distance(b) - distance(a) || a.since - b.since);
  if (felt === undefined) return [];
  const [fault] = decisiveFaults(best, evidence);
  const words = logPatternAbout(evidence, best.component)?.means;
  const definite = words?.is_symptom === true ? undefined : words?.says;
  const found = fault === undefined ? undefined : faultSentence(fault);
  const says = definite ?? found ?? words?.says ?? best.pattern.says(titleOf(best, evidence));
  const isComponent = graph.names.includes(best.component);
  const past = (name: string): boolean => evidence.symptomsOf(name).length === 0;
  const path =
    isComponent && distance(felt) >= 0
      ? // Along what was seen to fail, where there is such a way.
        (graph.openPath(felt.component, best.component, past) ?? graph.path(felt.component, best.component))
      : [felt.component];
  const links = path.map((name, index) => {
    const { title } = graph.component(name);
    const seen = evidence.symptomsOf(name).map(({ symptom }) => symptom);
    const [first] = seen.sort((a, b) => a.since - b.since);
    const what = first === undefined ? `No failure of ${title} itself was observed` : `${title} fails: ${first.phrase}`;
    if (index === 0) return `${what}.`;
    if (name === best.component) return first === undefined ? `Why? Everything points to ${title}.` : `Why? ${what}.`;
    return `Why? It depends on ${title}. ${what}.`;
  });
  return [...links, `Why? ${says}`];
}

/** A candidate with the strongest evidence for it and against it. @param ranked all published candidates, the best first */
export function candidateFor(
  one: Hypothesis,
  confidence: number,
  ranked: readonly Hypothesis[],
  evidence: Evidence,
): DiagnosedCandidate {
  const title = titleOf(one, evidence);
  const [own] = evidence
    .symptomsOf(one.component)
    .map(({ symptom }) => symptom)
    .sort((a, b) => (b.strength ?? 1) - (a.strength ?? 1) || a.since - b.since);
  const others = new Set(one.explains.map(({ symptom }) => symptom.component).filter((name) => name !== one.component));
  const explains =
    others.size === 0
      ? ""
      : ` It explains the symptoms of ${list([...others].slice(0, 4).map((name) => evidence.component(name).title))}${others.size > 4 ? ` and ${others.size - 4} more` : ""}.`;
  const shows =
    own === undefined
      ? `No measurement of ${title} itself was bad.`
      : `${title} itself shows symptoms: ${symptomSentence(own)}`;
  const [first] = ranked;
  const against =
    one.contradictedBy.length > 0 && one.doubt > 0
      ? `${capital(goodMeanwhile(one.contradictedBy.slice(0, 3), evidence))}, though ${one.contradictedBy.length === 1 ? "it needs" : "they need"} ${title}.`
      : own === undefined
        ? `No measurement shows it.`
        : first !== undefined && first.component !== one.component
          ? `${titleOf(first, evidence)} explains ${first.explains.length > one.explains.length ? "more" : "as much"} of the observations.`
          : "No observation contradicts it.";
  return {
    component: one.component,
    score: Math.round(one.score * 100) / 100,
    confidence: Math.round(confidence * 100) / 100,
    for: `${shows}${explains}`,
    against,
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Next steps when a cause is named: what to do about it, and what would raise the confidence. */
export function nextFor(
  best: Hypothesis,
  second: Hypothesis | undefined,
  confidence: number,
  ranked: readonly Hypothesis[],
  evidence: Evidence,
): string[] {
  const decisive = decisiveFaults(best, evidence);
  const known = faultsOnPath(best, evidence).filter((fault) => !decisive.includes(fault));
  const general = decisive.length > 0 ? [] : [nextOf(best, evidence)];
  const words = logPatternAbout(evidence, best.component)?.means;
  const steps = [
    ...(words === undefined || words.is_symptom ? [] : [words.remedy]),
    ...decisive.slice(0, 2).map(remedyFor),
    ...(words?.is_symptom ? [words.remedy] : []),
    ...revertOf(best, evidence),
    ...general,
    ...known.slice(0, 1).map(remedyFor),
  ];
  if (second !== undefined) steps.push(nextOf(second, evidence));
  return confidence >= 0.75 ? steps : [...steps, ...toTellApart(ranked.slice(0, 2), evidence)];
}

/** Taking back the change that fits the cause: proposed, and never done. */
function revertOf({ component }: Hypothesis, evidence: Evidence): string[] {
  const change = changeBefore(evidence, component);
  if (change === undefined) return [];
  const of = change.resource === undefined ? "" : ` (${change.resource})`;
  return [
    `Consider reverting the preceding change: ${change.what}${of}.${change.revert === undefined ? "" : ` ${change.revert}`}`,
  ];
}

/** First step for a cause, with commands of its provider if that is known. */
function nextOf(one: Hypothesis, evidence: Evidence): string {
  return one.pattern.next(titleOf(one, evidence), providerOf(evidence, one.component));
}

/** Next steps when no cause can be named. */
export function nextWithout(ranked: readonly Hypothesis[], evidence: Evidence): string[] {
  const again = [...new Set(evidence.symptoms.flatMap(({ symptom }) => probeOf(symptom)))].slice(0, 4);
  return [
    ...(again.length === 0
      ? []
      : [
          `Run \`npx --no pathkeeper probe ${again.map((name) => `--probe ${name}`).join(" ")}\` and check which phase fails.`,
        ]),
    ...toTellApart(ranked.slice(0, 2), evidence),
  ];
}

/** The kind of probe that shows whether a component of this role is well, of those that its provider has something for. */
const probeFor: Readonly<Partial<Record<ResolvedRole, (provider: Provider) => string>>> = {
  region: ({ google }) => (google ? "a probe of the kind `service_health`" : "a probe of the provider's status page"),
  connector: ({ serverlessConnector }) =>
    serverlessConnector
      ? "a probe of the kind `vpc_connector`, and one of the kind `postgres` with a `burst` from `vantage: inside`"
      : "a probe of the kind `postgres` with a `burst` from `vantage: inside`",
  database: () => "two probes of the kind `postgres`, one from `vantage: inside` and one from `vantage: outside`",
  certificate: () => "a probe of the kind `tls`",
  dns: () => "a probe of the kind `tls` for each name",
  edge: ({ google }) =>
    google
      ? "a probe of the kind `load_balancer`, and one of the kind `http` to the service's own run.app address"
      : "a probe of the kind `http` that bypasses it, to the service's own address",
  auth: () => "a probe of the kind `http` that logs in",
  websocket: () => "a probe of the kind `websocket`",
  journey: () => "a probe of the kind `journey`",
  service: () => "a probe of the kind `http` to its health URL",
  cache: () => "a probe of the kind `tcp` from `vantage: inside`",
  third_party: () => "a probe of the kind `http` to its status URL",
  job: () => "a probe of the kind `heartbeat`",
};

/** Breaking faults found by configuration checks of the cause and of the path to it, the nearest to the cause first. */
function faultsOnPath({ component, explains }: Hypothesis, { seen, graph }: Evidence): Fault[] {
  const involved = new Set([component, ...explains.map(({ symptom }) => symptom.component)]);
  const near = (name: string): number => graph.distance(name, component) ?? Number.POSITIVE_INFINITY;
  return seen.faults
    .filter(({ severity, isNew }) => severity === "critical" || (isNew && severity === "warning"))
    .filter((fault) => involved.has(fault.component) && Number.isFinite(near(fault.component)))
    .toSorted(
      (a, b) =>
        near(a.component) - near(b.component) ||
        Number(b.severity === "critical") - Number(a.severity === "critical") ||
        Number(b.isNew) - Number(a.isNew) ||
        a.since - b.since,
    );
}

/** Those that are the reason: what was wrong long before, while all worked, is to be put right as well, and is none. */
function decisiveFaults(best: Hypothesis, evidence: Evidence): Fault[] {
  return faultsOnPath(best, evidence).filter(({ isNew, since }) => isNew || since >= evidence.firstBad - standingFault);
}

/** Minimum lead over the first failure at which a finding cannot be its cause, in milliseconds. */
const standingFault = 3_600_000;

function faultSentence({ check, found, why, says, resource }: Fault): string {
  const of = resource === undefined ? "" : ` of \`${bounded(resource, [], 80)}\``;
  const reason = why === undefined ? "" : ` ${why}.`;
  return `The configuration${of} is wrong: ${found === undefined ? says : `${found} (\`${check}\`)`}.${reason}`;
}

function remedyFor({ check, says, found, remedy, resource }: Fault): string {
  const of = resource === undefined ? "" : ` \`${bounded(resource, [], 80)}\``;
  return remedy === undefined || found === undefined
    ? `Fix the configuration${of}: ${says}.`
    : `Fix${of === "" ? ` \`${check}\`` : of}: ${found}. ${remedy}`;
}

/** The one measurement that would tell two candidates apart: of the one of which least is known, else of both at the same moment. */
function toTellApart(suspects: readonly Hypothesis[], evidence: Evidence): string[] {
  const known = suspects.filter(({ component }) => evidence.graph.names.includes(component));
  const [first, second] = known;
  if (first === undefined) return [];
  const unseen = known.find(({ component }) => !isMeasured(component, evidence));
  const versus =
    second === undefined
      ? ""
      : `${titleOf(first, evidence)} and ${titleOf(second, evidence)} explain the observations almost equally well. `;
  if (unseen !== undefined) {
    const { component } = unseen;
    const title = evidence.component(component).title;
    const wanted =
      probeFor[evidence.role(component)]?.(providerOf(evidence, component)) ?? "a probe from each vantage point";
    return [`${versus}${title} itself was not measured: add ${wanted} for the component \`${component}\`.`];
  }
  if (second === undefined) return [];
  const probes = [first, second].flatMap(({ component }) => {
    const failing = evidence.symptomsOf(component).flatMap(({ symptom }) => probeOf(symptom));
    return [...failing, ...evidence.greensOf(component).map(({ probe }) => probe)].slice(0, 2);
  });
  const how =
    probes.length > 1
      ? `run \`npx --no pathkeeper probe ${probes.map((name) => `--probe ${name}`).join(" ")}\` and compare`
      : "check both at the same time";
  return [`${versus}To distinguish them, ${how}: the cause is the one that is bad while the other is good.`];
}

/** Returns whether something has probed a component itself, and not only read its metrics. */
function isMeasured(component: string, evidence: Evidence): boolean {
  return (
    evidence.greensOf(component).length > 0 || evidence.factsOf(component).length > 0 || evidence.isWatched(component)
  );
}

function listed(symptoms: readonly Weighed[], heading: string, evidence: Evidence): string[] {
  const inOrder = symptoms.map(({ symptom }) => symptom).sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
  const shown = inOrder.slice(0, maxSymptoms).map((symptom) => `${heading}: ${symptomSentence(symptom)}`);
  const rest = inOrder.slice(maxSymptoms).map(({ component }) => evidence.component(component).title);
  if (rest.length === 0) return shown;
  return [...shown, `${heading}: ${rest.length} more of ${list([...new Set(rest)])}.`];
}

function against({ contradictedBy, own, doubt }: Hypothesis, title: string, evidence: Evidence): string[] {
  if (contradictedBy.length === 0 || (own > 0.5 && doubt < 0.3)) return [];
  const needs = contradictedBy.length === 1 ? "it needs" : "they need";
  return [`Against ${title}: ${goodMeanwhile(contradictedBy, evidence)}, though ${needs} ${title}.`];
}

function doubtOf({ contradictedBy, objections, explains, doubt }: Hypothesis, evidence: Evidence): string {
  if (contradictedBy.length > 0 && doubt >= 0.3) return `, because ${goodMeanwhile(contradictedBy, evidence)}`;
  const [objection] = objections;
  if (objection !== undefined) return `: ${objection.replace(/\.$/, "")}`;
  return explains.length === 0
    ? ", because it explains too few symptoms"
    : ", because it explains fewer of the symptoms";
}

/** Components that were good during the incident; a run or two of some were bad, which is not a failure yet. */
function goodMeanwhile(facts: Hypothesis["contradictedBy"], { seen, firstBad }: Evidence): string {
  const failed = new Set(seen.symptoms.map(({ id }) => id));
  // A run may have failed before the incident was opened, and nobody took note of it.
  const wasBad = ({ probe, otherAt = Number.NEGATIVE_INFINITY }: ProbeFact): boolean =>
    failed.has(`probe/${probe}`) || otherAt >= firstBad;
  const [mostly, always] = [true, false].map((once) => facts.filter((fact) => wasBad(fact) === once));
  return list(
    [
      { some: always, when: "throughout" },
      { some: mostly, when: "except for single runs" },
    ].flatMap(({ some = [], when }) => {
      const were = some.length === 1 ? "was" : "were";
      return some.length === 0 ? [] : [`${list(some.map(({ probe }) => `\`${probe}\``))} ${were} good ${when}`];
    }),
  );
}

function probeOf({ id, source }: Symptom): string[] {
  return source === "probe" ? [id.slice("probe/".length)] : [];
}
