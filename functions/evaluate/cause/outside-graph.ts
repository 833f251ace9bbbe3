/** Causes outside the component graph: a failure of the monitor itself, and a failure of the platform below all configured components. */
import { monitorComponent } from "../../../shared/monitor.ts";
import type { Evidence } from "./evidence.ts";
import type { Weighed } from "./fact.ts";
import type { SymptomClass } from "./knowledge/classes.ts";
import type { Pattern } from "./knowledge/patterns.ts";
import { serves } from "./roles.ts";
import type { Hypothesis } from "./weigh.ts";

const nothing: Pick<Pattern, "of" | "when"> = { of: [], when: {} };

const monitorPattern: Pattern = {
  ...nothing,
  name: "the monitor's own trouble",
  says: () =>
    "The monitor cannot measure from one of its vantage points. Nothing indicates a problem with the targets.",
  next: () => "Check the probe function of that vantage point: its log, its secrets, and its egress (NAT, DNS).",
};

const platformPattern: Pattern = {
  ...nothing,
  name: "platform-wide",
  says: () =>
    "Independent services fail in the same way at the same time, while their shared dependencies work: the likely cause is the platform that runs them.",
  next: (_, { google }) =>
    `Check ${google ? "Google's status page and Service Health for the region" : "the status page of the provider"}, and whether anything was deployed to all of them at once.`,
};

/** Failures that a prober without a network sees. */
export const blind: ReadonlySet<SymptomClass> = new Set([
  "dns",
  "no connection",
  "unreachable",
  "silent",
  "no answer",
  "not measured",
]);
/** Failures of services when their platform fails. */
export const stricken: ReadonlySet<SymptomClass> = new Set(["error", "bad gateway", "no answer", "errors"]);
/** Services that begin to fail within so much of each other, in milliseconds, begin together. */
const together = 240_000;

/** The monitor as the cause, where it explains anything. */
export function monitorHypotheses(evidence: Evidence): Hypothesis[] {
  const unmeasured = evidence.symptoms.filter(({ classes }) => classes.includes("not measured"));
  const all = unmeasured.length === evidence.symptoms.length;
  const seen = all
    ? unmeasured
    : evidence.symptoms.filter(
        ({ symptom, classes }) => symptom.vantage === "outside" && classes.some((one) => blind.has(one)),
      );
  const places = new Set(seen.map(({ symptom }) => symptom.component));
  const greens = all ? [] : evidence.seen.greens.filter(({ vantage }) => vantage === "outside");
  // One target alone, or one probe that gets through, is no blindness.
  if (seen.length === 0 || (!all && (places.size < 3 || greens.length > 0))) return [];
  return [weighed(evidence, monitorComponent.name, monitorPattern, seen, all ? 0 : -0.3, 0)];
}

/** The platform below the services as the cause, where several fail together over ground that works. */
export function platformHypotheses(evidence: Evidence): Hypothesis[] {
  const { graph } = evidence;
  const isService = (name: string): boolean =>
    serves(evidence.role(name)) && evidence.role(name) !== "edge" && evidence.role(name) !== "region";
  const sick = evidence.symptoms.filter(
    ({ symptom, classes }) =>
      isService(symptom.component) &&
      classes.some((one) => stricken.has(one)) &&
      evidence.role(symptom.component) !== "journey",
  );
  const names = [...new Set(sick.map(({ symptom }) => symptom.component))];
  const roots = names.filter(
    (name) => !names.some((other) => other !== name && graph.distance(name, other) !== undefined),
  );
  const starts = roots.map((name) => Math.min(...evidence.symptomsOf(name).map(({ symptom }) => symptom.since)));
  if (roots.length < 2 || Math.max(...starts) - Math.min(...starts) > together) return [];
  const shared = graph
    .causesOf(roots[0] ?? "")
    .filter((cause) => roots.every((name) => graph.distance(name, cause) !== undefined));
  // A shared dependency that fails itself is the better explanation, and so is one through which nothing is seen to work.
  if (shared.some((cause) => evidence.isBad(cause))) return [];
  if (!shared.some((cause) => evidence.works(cause, cause))) return [];
  const explains = evidence.symptoms.filter(({ symptom }) =>
    roots.some((root) => graph.distance(symptom.component, root) !== undefined),
  );
  const others = graph.names.filter((name) => isService(name) && !evidence.isBad(name) && evidence.works(name, name));
  // If the configuration has a component for the platform below them, that is used.
  const region = shared.find((cause) => evidence.role(cause) === "region") ?? "unknown";
  return [weighed(evidence, region, platformPattern, explains, 0.2, 0.6 * others.length)];
}

function weighed(
  evidence: Evidence,
  component: string,
  pattern: Pattern,
  explains: readonly Weighed[],
  prior: number,
  doubt: number,
): Hypothesis {
  const places = new Set(explains.map(({ symptom }) => symptom.component));
  const gained = [...places].reduce(
    (sum, name) => sum + Math.max(0, ...evidence.symptomsOf(name).map(({ weight }) => weight)),
    0,
  );
  return {
    component,
    pattern,
    signal: "failing",
    score: gained - prior - doubt,
    explains,
    fit: places.size / Math.max(1, new Set(evidence.symptoms.map(({ symptom }) => symptom.component)).size),
    contradictedBy: [],
    doubt: Math.min(1, doubt),
    supports: [],
    objections: [],
    own: 1,
    ownWorth: 1,
    passed: new Map(),
    firstBad: Math.min(...explains.map(({ symptom }) => symptom.since)),
  };
}
