/**
 * Clues: what else speaks for or against a component having failed in a certain way, beyond the symptoms that such a failure explains.
 * Each is a question to the scene; its answer is the sentence that people read, or nothing.
 */
import { list } from "../../../../shared/text/sentences.ts";
import type { ProbeFact } from "../../partition/state.ts";
import type { ProbeSign } from "../diagnosis.ts";
import type { Scene } from "../scene.ts";
import { serves } from "../signals.ts";
import type { Fault, Level } from "./signs.ts";

/** Asks the scene about a component that may be the cause. */
export type Clue = (scene: Scene, component: string) => string | undefined;

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
  | "the provider reports nothing"
  | "nothing else is wrong";

/** Every clue, by name. */
export const clues: Readonly<Record<ClueName, Clue>> = {
  /** The same target fails from inside and answers from outside. */
  "the target answers another way": (scene, component) => {
    const isAnotherWay = (fact: ProbeFact): boolean =>
      fact.component === component
        ? scene.role(component) === "database" && fact.vantage === "outside"
        : scene.goesAround(fact, component) && scene.graph.distance(fact.component, component) !== undefined;
    const [seen] = scene.seen.greens
      .filter(isAnotherWay)
      .filter(({ component: target }) =>
        scene.symptoms.some(({ symptom }) => symptom.component === target && symptom.vantage === "inside"),
      );
    return seen === undefined
      ? undefined
      : `\`${seen.probe}\` reaches the same ${title(scene, seen.component)} from outside, so it answers, and the way from inside is what fails.`;
  },

  /** It fails by every way, so no single way is to blame. */
  "it fails by every way": (scene, component) => {
    const ways = new Set(scene.symptomsOf(component).flatMap(({ symptom }) => symptom.vantage ?? []));
    return ways.size > 1 ? `${title(scene, component)} is in trouble from inside and from outside alike.` : undefined;
  },

  /** A database that answers with an error was reached. */
  "the server answered": (scene, component) => {
    const [seen] = scene.shows(["full", "restarting", "login refused"], component);
    return seen && scene.role(seen.symptom.component) === "database"
      ? `${title(scene, seen.symptom.component)} answered, with an error, so it was reached.`
      : undefined;
  },

  /** Several private targets fail at once: what they have in common is the way. */
  "other private targets fail too": (scene, component) => {
    const targets = new Set(
      scene
        .shows(["unreachable", "silent"], component)
        .map(({ symptom }) => symptom.component)
        .filter((name) => name !== component && !serves(scene.role(name))),
    );
    return targets.size > 1
      ? `${titles(scene, [...targets])} cannot be reached from inside, and have ${title(scene, component)} in common.`
      : undefined;
  },

  "the connector is near its ceiling": (scene, component) => load(scene, ["high", "limit"], component),
  // It scales out and never in: all instances in use say nothing without the load of now.
  "the connector is at its ceiling": (scene, component) =>
    load(scene, ["limit"], component) ??
    (scene.signs("instances_used", ["limit"]).length > 0 ? load(scene, ["high"], component) : undefined),
  "the connector is idle": (scene, component) =>
    load(scene, ["high", "limit"], component) === undefined ? load(scene, ["normal"], component) : undefined,

  "new connections are lost": (scene, component) => {
    const [sign] = below(scene, component).flatMap((name) =>
      scene.signs("database_connect_burst_success", ["high", "limit"], name),
    );
    return sign && sign.shown !== "100%"
      ? `Of the connections that \`${sign.probe}\` opened at the same moment, ${sign.shown} succeeded.`
      : undefined;
  },

  "the time goes into connecting": (scene, component) => {
    const [sign] = below(scene, component).flatMap((name) => scene.signs("slow_in_connecting", ["high"], name));
    return sign && `Connecting alone took \`${sign.probe}\` ${sign.shown}: the way is slow, not the server.`;
  },
  "the time goes into the server": (scene, component) => {
    const [sign] = scene.signs("slow_in_server", ["high"], component);
    return sign && `\`${sign.probe}\` was connected at once, and waited ${sign.shown} for the server.`;
  },

  "the database is calm": (scene, component) => {
    const calm = below(scene, component).flatMap((name) =>
      ["cloud_sql_cpu_utilization", "connections_used"].flatMap((metric) =>
        scene.signs(metric, ["high", "limit"], name).length > 0 ? [] : scene.signs(metric, ["normal"], name),
      ),
    );
    const [cpu] = calm.filter(({ metric }) => metric === "cloud_sql_cpu_utilization");
    const [used] = calm.filter(({ metric }) => metric === "connections_used");
    const [first] = calm;
    if (first === undefined) return undefined;
    const facts = [cpu && `its CPU is at ${cpu.shown}`, used && `${used.shown} connections are in use`];
    return `${title(scene, first.component)} is not busy: ${list(facts.filter((fact) => fact !== undefined))}.`;
  },
  "the database is loaded": (scene, component) => {
    const [sign] = ["cpu", "memory", "disk"].flatMap((what) =>
      scene.signs(`cloud_sql_${what}_utilization`, ["high", "limit"], component),
    );
    return sign && `${nameOf(sign)} of ${title(scene, component)} was at ${sign.shown}.`;
  },
  "its connections are used up": (scene, component) => {
    const [sign] = ["connections_used", "cloud_sql_connection_utilization", "cloud_sql_pool_utilization"].flatMap(
      (metric) => scene.signs(metric, ["limit"], component),
    );
    return sign && `Of the connections of ${title(scene, component)}, ${sign.shown} were in use.`;
  },
  "the provider says that it is down": (scene, component) => {
    const down = scene.signs("cloud_sql_up", ["limit"], component)[0];
    return down && `Google reports that ${title(scene, component)} is not up.`;
  },

  "everything that it needs works": (scene, component) => {
    const needed = below(scene, component, 1).filter((name) => name !== component);
    if (needed.length === 0 || needed.some((name) => scene.isBad(name))) return undefined;
    const seen = needed.filter((name) => scene.works(name, component));
    return seen.length > 0
      ? `${titles(scene, seen)}, which ${title(scene, component)} needs, ${seen.length > 1 ? "work" : "works"}.`
      : undefined;
  },
  "what else stands on the same ground works": (scene, component) => {
    const ground = new Set(scene.graph.causesOf(component).filter((name) => name !== component));
    // What is asked first costs least: in a large outage nearly nothing works.
    const others = scene.graph.names.filter(
      (name) =>
        scene.works(name, component) &&
        serves(scene.role(name)) &&
        scene.graph.distance(name, component) === undefined &&
        scene.graph.causesOf(name).some((cause) => ground.has(cause)),
    );
    return others.length > 0
      ? `${titles(scene, others)} ${others.length > 1 ? "work" : "works"}, and ${others.length > 1 ? "need" : "needs"} the same platform.`
      : undefined;
  },

  "instances fail to start": (scene, component) => {
    const [sign] = scene.signs("failed_startups", ["high", "limit"], component);
    return sign && `${sign.shown} instances of ${title(scene, component)} failed to start.`;
  },
  "the services answer without errors": (scene, component) => {
    const behind = scene.graph.dependentsOf(component);
    const signs = behind.flatMap((name) => scene.signs("cloud_run_error_rate", ["normal", "high", "limit"], name));
    return signs.length > 0 && signs.every(({ level }) => level === "normal")
      ? `The services behind ${title(scene, component)} answered without errors what reached them.`
      : undefined;
  },
  "the services make the errors": (scene, component) => {
    const signs = scene.graph
      .dependentsOf(component)
      .flatMap((name) => (name === component ? [] : scene.signs("cloud_run_error_rate", ["high", "limit"], name)));
    const [sign] = signs;
    return sign && `${sign.shown} of the answers of ${title(scene, sign.component)} itself were errors.`;
  },

  "it was cut off at a limit": (scene, component) => {
    const [sign] = [component, ...scene.graph.dependentsOf(component)].flatMap((name) =>
      scene.signs("cut_at_limit", ["limit"], name),
    );
    return sign && `\`${sign.probe}\` was cut off after ${sign.shown}.`;
  },
  "its configuration came to be wrong": (scene, component) =>
    fault(scene, component, (one) => one.isNew && one.severity !== "info" && one.since >= scene.firstBad - hour),
  "its configuration is wrong": (scene, component) =>
    fault(scene, component, (one) => one.severity === "critical" || one.since >= scene.firstBad),
  "it has no way into the network": (scene, component) =>
    fault(scene, component, (one) => /vpc|egress|connector|network|peering|route|firewall/i.test(one.check)),
  "a time-out is set wrong": (scene, component) => fault(scene, component, (one) => /time.?out/i.test(one.check)),
  "it was deployed just before": (scene, component) =>
    fault(scene, component, (one) => /revision|deploy|ready|rollout/i.test(one.check)),

  "the provider reports an event": (scene) => {
    const [sign] = scene.signs("service_health_incidents", ["high", "limit"]);
    return sign && `Google reports ${sign.shown} active ${sign.shown === "1" ? "event" : "events"} in the region.`;
  },
  "the provider reports nothing": (scene) =>
    scene.signs("service_health_incidents", ["high", "limit"]).length === 0 &&
    scene.signs("service_health_incidents", ["normal"]).length > 0
      ? "Google reports no event in the region so far."
      : undefined,
  "nothing else is wrong": (scene, component) => {
    const bad = new Set(scene.symptoms.map(({ symptom }) => symptom.component));
    const below = scene.graph.causesOf(component).filter((name) => name !== component && scene.works(name, component));
    return bad.size === 1 && bad.has(component) && below.length > 0
      ? `Nothing else fails: ${titles(scene, below)} ${below.length > 1 ? "work" : "works"}.`
      : undefined;
  },
};

const hour = 3_600_000;

/** A component with what depends on it and is of the platform, or for services with what they depend on. */
function below(scene: Scene, component: string, steps = Number.POSITIVE_INFINITY): string[] {
  const { graph } = scene;
  return !serves(scene.role(component))
    ? graph.dependentsOf(component).filter((name) => !serves(scene.role(name)))
    : graph.causesOf(component).filter((name) => (graph.distance(component, name) ?? 0) <= steps);
}

function load(scene: Scene, levels: readonly Level[], component: string): string | undefined {
  const [sign] = ["vpc_connector_utilization", "vpc_connector_cpu_utilization"].flatMap((metric) =>
    scene.signs(metric, levels),
  );
  const only = sign?.level === "normal" ? "only " : "";
  const meaning = sign?.level === "normal" ? ", so it is not its load" : "";
  return sign && `${title(scene, component)} is ${only}${sign.shown} busy${meaning}.`;
}

function fault(scene: Scene, component: string, matches: (fault: Fault) => boolean): string | undefined {
  const found = scene.faultsOf(component).find(matches);
  return found && `A check of the configuration found: ${found.says}.`;
}

function nameOf({ metric }: ProbeSign): string {
  const what = /_(cpu|memory|disk)_/.exec(metric)?.[1] ?? "use";
  return what === "cpu" ? "The CPU" : `The ${what}`;
}

function title(scene: Scene, name: string): string {
  return scene.component(name).title;
}

function titles(scene: Scene, names: readonly string[]): string {
  return list(names.map((name) => title(scene, name)));
}
