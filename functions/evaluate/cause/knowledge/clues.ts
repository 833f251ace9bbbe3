/**
 * Clues: what else speaks for or against a component having failed in a certain way, beyond the symptoms that such a failure explains.
 * Each is a question to the evidence; its answer is the sentence that people read, or nothing.
 */
import type { Resource } from "../../../../shared/metrics/metric.ts";
import { list } from "../../../../shared/text/sentences.ts";
import type { ProbeFact } from "../../partition/state.ts";
import type { ProbeIndicator } from "../diagnosis.ts";
import type { Evidence } from "../evidence.ts";
import { changeBefore, failedSince, logPatternAbout } from "../pointers.ts";
import { serves } from "../roles.ts";
import { changeSentence, logSentence } from "./changes.ts";
import {
  cutAtLimit,
  type Fault,
  hasMeaning,
  type Level,
  levels,
  slowInConnecting,
  slowInServer,
} from "./indicators.ts";

/** Asks the evidence about a component that may be the cause. */
export type Clue = (evidence: Evidence, component: string) => string | undefined;

/** The name of a clue. */
export type ClueName =
  | "the target answers another way"
  | "it fails by every way"
  | "the server answered"
  | "other private targets fail too"
  | "the connector is near its ceiling"
  | "the connector is at its ceiling"
  | "the connector is idle"
  | "new connections are lost"
  | "the time goes into connecting"
  | "the time goes into the server"
  | "the database is calm"
  | "the database is loaded"
  | "its connections are used up"
  | "its pool is used up"
  | "its disk is full"
  | "the provider says that it is down"
  | "everything that it needs works"
  | "what else stands on the same ground works"
  | "instances fail to start"
  | "the services answer without errors"
  | "the services make the errors"
  | "it was cut off at a limit"
  | "its configuration came to be wrong"
  | "its configuration is wrong"
  | "it has no way into the network"
  | "a time-out is set wrong"
  | "it was deployed just before"
  | "the provider reports an event"
  | "nothing else is wrong"
  | "it was changed shortly before"
  | "its log says why";

/** Every clue, by name. */
export const clues: Readonly<Record<ClueName, Clue>> = {
  /** The same target fails from inside and answers from outside. */
  "the target answers another way": (evidence, component) => {
    const isAnotherWay = (fact: ProbeFact): boolean =>
      fact.component === component
        ? evidence.role(component) === "database" && fact.vantage === "outside"
        : evidence.bypasses(fact, component) && evidence.graph.distance(fact.component, component) !== undefined;
    const [seen] = evidence.seen.greens
      .filter(isAnotherWay)
      .filter(({ component: target }) =>
        evidence.symptoms.some(({ symptom }) => symptom.component === target && symptom.vantage === "inside"),
      );
    return seen === undefined
      ? undefined
      : `\`${seen.probe}\` reaches ${title(evidence, seen.component)} from outside, so it answers, and the path from inside is what fails.`;
  },

  /** It fails by every way, so no single way is to blame. */
  "it fails by every way": (evidence, component) => {
    const ways = new Set(evidence.symptomsOf(component).flatMap(({ symptom }) => symptom.vantage ?? []));
    return ways.size > 1 ? `${title(evidence, component)} fails from inside and from outside alike.` : undefined;
  },

  /** A database that answers with an error was reached. */
  "the server answered": (evidence, component) => {
    const [seen] = evidence.shows(["full", "restarting", "login refused", "disk full", "database error"], component);
    return seen && evidence.role(seen.symptom.component) === "database"
      ? `${title(evidence, seen.symptom.component)} answered with an error, so it is reachable.`
      : undefined;
  },

  /** Several private targets fail at once: what they have in common is the way. */
  "other private targets fail too": (evidence, component) => {
    const targets = new Set(
      evidence
        .shows(["unreachable", "silent"], component)
        .map(({ symptom }) => symptom.component)
        .filter((name) => name !== component && !serves(evidence.role(name))),
    );
    return targets.size > 1
      ? `${titles(evidence, [...targets])} cannot be reached from inside, and all depend on ${title(evidence, component)}.`
      : undefined;
  },

  "the connector is near its ceiling": (evidence, component) => load(evidence, ["high", "limit"], component),
  // It scales out and never in: all instances in use say nothing without the load of now.
  "the connector is at its ceiling": (evidence, component) =>
    load(evidence, ["limit"], component) ??
    (evidence.usage("connector", "instances", ["limit"]).length > 0 ? load(evidence, ["high"], component) : undefined),
  "the connector is idle": (evidence, component) =>
    load(evidence, ["high", "limit"], component) === undefined ? load(evidence, ["normal"], component) : undefined,

  "new connections are lost": (evidence, component) => {
    const [indicator] = below(evidence, component).flatMap((name) =>
      evidence.indicators("database_connect_burst_success", ["high", "limit"], name),
    );
    return indicator && indicator.shown !== "100%"
      ? `Of the connections that \`${indicator.probe}\` opened simultaneously, ${indicator.shown} succeeded.`
      : undefined;
  },

  "the time goes into connecting": (evidence, component) => {
    const [indicator] = below(evidence, component).flatMap((name) =>
      evidence.indicators(slowInConnecting, ["high"], name),
    );
    return (
      indicator &&
      `Connecting alone took \`${indicator.probe}\` ${indicator.shown}: the network path is slow, not the server.`
    );
  },
  "the time goes into the server": (evidence, component) => {
    const [indicator] = evidence.indicators(slowInServer, ["high"], component);
    return indicator && `\`${indicator.probe}\` connected immediately, but waited ${indicator.shown} for the server.`;
  },

  "the database is calm": (evidence, component) => {
    const calm = (resource: Resource): ProbeIndicator[] =>
      below(evidence, component).flatMap((name) => {
        const found = evidence.usage("database", resource, levels, name);
        return found.every(({ level }) => level === "normal") ? found : [];
      });
    const [cpu] = calm("cpu");
    const [used] = calm("connections");
    const first = cpu ?? used;
    if (first === undefined) return undefined;
    const facts = [cpu && `its CPU is at ${cpu.shown}`, used && `${used.shown} connections are in use`];
    return `${title(evidence, first.component)} is not busy: ${list(facts.filter((fact) => fact !== undefined))}.`;
  },
  "the database is loaded": (evidence, component) => {
    const [indicator] = (["cpu", "memory", "disk"] as const).flatMap((resource) =>
      evidence
        .usage("database", resource, ["high", "limit"], component)
        .map(({ shown }) => `The ${nameOf(resource)} of ${title(evidence, component)} was at ${shown}.`),
    );
    return indicator;
  },
  "its connections are used up": (evidence, component) => {
    // The pool of an application is not the database: where its own connections are known, they decide.
    const own = evidence.usage("database", "connections", levels, component);
    const indicators = own.length > 0 ? own : evidence.indicators("cloud_sql_pool_utilization", ["limit"], component);
    const indicator = indicators.find(({ level }) => level === "limit");
    return indicator && `Of the connections of ${title(evidence, component)}, ${indicator.shown} were in use.`;
  },
  /** The connections that a service keeps for itself are all in use, while the database has some left. */
  "its pool is used up": (evidence, component) => {
    const [pool] = evidence.indicators("cloud_sql_pool_utilization", ["limit"], component);
    const room = evidence.graph.causesOf(component).flatMap((name) => {
      const found = evidence.usage("database", "connections", levels, name);
      return found.some(({ level }) => level === "limit") ? [] : found;
    });
    const [left] = room;
    return pool && left
      ? `The pool of ${title(evidence, component)} is at ${pool.shown}, while ${title(evidence, left.component)} has spare connections: ${left.shown} are in use.`
      : undefined;
  },
  "its disk is full": (evidence, component) => {
    const [indicator] = evidence.indicators("cloud_sql_disk_utilization", ["limit"], component);
    return indicator && `The disk of ${title(evidence, component)} was at ${indicator.shown}.`;
  },
  "the provider says that it is down": (evidence, component) => {
    const down = evidence.indicators("cloud_sql_up", ["limit"], component)[0];
    return down && `Google reports that ${title(evidence, component)} is not up.`;
  },

  "everything that it needs works": (evidence, component) => {
    const needed = below(evidence, component, 1).filter((name) => name !== component);
    if (needed.length === 0 || needed.some((name) => evidence.isBad(name))) return undefined;
    const seen = needed.filter((name) => evidence.works(name, component));
    return seen.length > 0
      ? `${titles(evidence, seen)}, which ${title(evidence, component)} needs, ${seen.length > 1 ? "work" : "works"}.`
      : undefined;
  },
  "what else stands on the same ground works": (evidence, component) => {
    const ground = new Set(evidence.graph.causesOf(component).filter((name) => name !== component));
    // The cheapest tests come first: in a large outage almost nothing works.
    const others = evidence.graph.names.filter(
      (name) =>
        evidence.works(name, component) &&
        serves(evidence.role(name)) &&
        evidence.graph.distance(name, component) === undefined &&
        evidence.graph.causesOf(name).some((cause) => ground.has(cause)),
    );
    return others.length > 0
      ? `${titles(evidence, others)} ${others.length > 1 ? "work" : "works"}, and ${others.length > 1 ? "need" : "needs"} the same platform.`
      : undefined;
  },

  "instances fail to start": (evidence, component) => {
    const [indicator] = evidence.indicators("failed_startups", ["high", "limit"], component);
    return indicator && `${indicator.shown} instances of ${title(evidence, component)} failed to start.`;
  },
  "the services answer without errors": (evidence, component) => {
    const behind = evidence.graph.dependentsOf(component);
    const indicators = behind.flatMap((name) => evidence.indicators("cloud_run_error_rate", levels, name));
    return indicators.length > 0 && indicators.every(({ level }) => level === "normal")
      ? `The services behind ${title(evidence, component)} answered the requests that reached them without errors.`
      : undefined;
  },
  "the services make the errors": (evidence, component) => {
    const indicators = evidence.graph
      .dependentsOf(component)
      .flatMap((name) =>
        name === component ? [] : evidence.indicators("cloud_run_error_rate", ["high", "limit"], name),
      );
    const [indicator] = indicators;
    return (
      indicator && `${indicator.shown} of the responses of ${title(evidence, indicator.component)} itself were errors.`
    );
  },

  "it was cut off at a limit": (evidence, component) => {
    const [indicator] = [component, ...evidence.graph.dependentsOf(component)].flatMap((name) =>
      evidence.indicators(cutAtLimit, ["limit"], name),
    );
    return indicator && `\`${indicator.probe}\` was cut off after ${indicator.shown}.`;
  },
  "its configuration came to be wrong": (evidence, component) =>
    fault(evidence, component, (one) => one.isNew && one.severity !== "info" && one.since >= evidence.firstBad - hour),
  "its configuration is wrong": (evidence, component) =>
    fault(evidence, component, (one) => one.severity === "critical" || one.since >= evidence.firstBad),
  "it has no way into the network": (evidence, component) =>
    fault(evidence, component, (one) => hasMeaning(one, "no_path")),
  "a time-out is set wrong": (evidence, component) => fault(evidence, component, (one) => hasMeaning(one, "cuts_off")),
  "it was deployed just before": (evidence, component) =>
    fault(evidence, component, (one) => hasMeaning(one, "deployed")),

  "the provider reports an event": (evidence) => {
    const [indicator] = evidence.indicators("service_health_incidents", ["high", "limit"]);
    return (
      indicator &&
      `Google reports ${indicator.shown} active ${indicator.shown === "1" ? "event" : "events"} in the region.`
    );
  },
  "nothing else is wrong": (evidence, component) => {
    const bad = new Set(evidence.symptoms.map(({ symptom }) => symptom.component));
    const below = evidence.graph
      .causesOf(component)
      .filter((name) => name !== component && evidence.works(name, component));
    return bad.size === 1 && bad.has(component) && below.length > 0
      ? `Nothing else fails: ${titles(evidence, below)} ${below.length > 1 ? "work" : "works"}.`
      : undefined;
  },

  "it was changed shortly before": (evidence, component) => {
    const change = changeBefore(evidence, component);
    return change && changeSentence(change, failedSince(evidence, component));
  },
  "its log says why": (evidence, component) => {
    const words = logPatternAbout(evidence, component);
    return words && logSentence(words);
  },
};

const hour = 3_600_000;

/** A component with what depends on it and is of the platform, or for services with what they depend on. */
function below(evidence: Evidence, component: string, steps = Number.POSITIVE_INFINITY): string[] {
  const { graph } = evidence;
  return !serves(evidence.role(component))
    ? graph.dependentsOf(component).filter((name) => !serves(evidence.role(name)))
    : graph.causesOf(component).filter((name) => (graph.distance(component, name) ?? 0) <= steps);
}

function load(evidence: Evidence, among: readonly Level[], component: string): string | undefined {
  const [indicator] = (["capacity", "cpu"] as const).flatMap((resource) =>
    evidence.usage("connector", resource, among),
  );
  const only = indicator?.level === "normal" ? "only " : "";
  const meaning = indicator?.level === "normal" ? ", so load is not the cause" : "";
  return indicator && `${title(evidence, component)} is ${only}${indicator.shown} busy${meaning}.`;
}

function fault(evidence: Evidence, component: string, matches: (fault: Fault) => boolean): string | undefined {
  const found = evidence.faultsOf(component).find(matches);
  return found && `A configuration check found: ${found.says}.`;
}

function nameOf(resource: Resource): string {
  return resource === "cpu" ? "CPU" : resource;
}

function title(evidence: Evidence, name: string): string {
  return evidence.component(name).title;
}

function titles(evidence: Evidence, names: readonly string[]): string {
  return list(names.map((name) => title(evidence, name)));
}
