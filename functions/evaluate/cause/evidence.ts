/** The scene of an outage: everything that is known of it, as facts that are weighed. */
import type { Component } from "../../../shared/config/model.ts";
import type { ResolvedRole, Role } from "../../../shared/config/roles.ts";
import type { Signal } from "../../../shared/messages/report.ts";
import { metricNamed } from "../../../shared/metrics/catalogue.ts";
import type { Resource } from "../../../shared/metrics/metric.ts";
import type { ComponentGraph } from "../graph.ts";
import type { ProbeFact } from "../partition/state.ts";
import type { ProbeIndicator, Symptom } from "./diagnosis.ts";
import type { Fact, Weighed } from "./fact.ts";
import type { Change, LogPattern } from "./knowledge/changes.ts";
import { classesOf, type SymptomClass, signalOfSymptom } from "./knowledge/classes.ts";
import { type Fault, hasMeaning, type Indicator, levels } from "./knowledge/indicators.ts";
import { type Roles, serves } from "./roles.ts";
import { follows, hitsSome, isConnectionPath, isFarEnd } from "./signals.ts";
import { agreement, certainty, presence, wayBegan, weightOf } from "./timing.ts";

/** Evidence: the input of root-cause analysis. */
export interface Observed {
  /** Everything bad that was observed during the incident. */
  readonly symptoms: readonly Symptom[];
  /** Probes that were measured good since the first failure, and not bad in between. */
  readonly greens: readonly ProbeFact[];
  /** Components that some probe looks at, be it only by what others measure. */
  readonly watched?: ReadonlySet<string>;
  /** By component: the measurements of its rules, within their limits or not. */
  readonly judged?: ReadonlyMap<string, ReadonlySet<Signal>>;
  /** Components that are known to be Google's. @default none */
  readonly google?: ReadonlySet<string>;
  /** The worst that the metrics of each probe showed during the incident. */
  readonly indicators: readonly ProbeIndicator[];
  /** Faults found by configuration checks. */
  readonly faults: readonly Fault[];
  /** Changes, and messages in error logs. @default nothing is known */
  readonly changes?: readonly Change[];
  readonly logPatterns?: readonly LogPattern[];
  readonly graph: ComponentGraph;
  readonly roles: Roles;
  /** The newest event time. */
  readonly at: number;
  /** The newest time known, be it of an event or of a tick. @default at */
  readonly now?: number;
}

const minute = 60_000;

/** The evidence; immutable. */
export class Evidence {
  readonly symptoms: readonly Weighed[];
  readonly seen: Observed;
  /** The first bad instant of all. */
  readonly firstBad: number;
  /** Components that show something bad. */
  readonly bad: readonly string[];
  readonly #failing: ReadonlySet<string>;
  readonly #isOver: boolean;
  /** When the first of what goes on began, or took the way in which it goes on. */
  readonly #goingSince: number;
  readonly #symptomsOf: ReadonlyMap<string, readonly Weighed[]>;
  readonly #greensOf: ReadonlyMap<string, readonly ProbeFact[]>;
  readonly #facts = new Map<string, readonly Fact[]>();
  readonly #own = new Map<string, readonly Fact[]>();

  constructor(seen: Observed) {
    this.seen = seen;
    this.symptoms = seen.symptoms.map((symptom) => ({
      symptom,
      classes: classesOf(symptom, this.role(symptom.component)),
      weight: weightOf(symptom, seen.at),
    }));
    this.#isOver = seen.symptoms.every(({ until }) => until !== undefined);
    this.#goingSince = Math.min(
      ...seen.symptoms.filter(({ until }) => until === undefined).map((symptom) => wayBegan(symptom, this.#now)),
    );
    this.firstBad = Math.min(...seen.symptoms.map(({ since }) => since));
    this.#failing = new Set(
      seen.symptoms.filter((symptom) => certainty(symptom, seen.at) >= 0.5).map(({ component }) => component),
    );
    this.#symptomsOf = Map.groupBy(this.symptoms, ({ symptom }) => symptom.component);
    this.#greensOf = Map.groupBy(seen.greens, ({ component }) => component);
    const shown = [...this.#symptomsOf].flatMap(([name, own]) => (own.some(isMeasured) ? [name] : []));
    const blamed = this.seen.faults.filter(canBeCause).map(({ component }) => component);
    this.bad = [...new Set([...shown, ...blamed])];
  }

  get #now(): number {
    return this.seen.now ?? this.seen.at;
  }

  get graph(): ComponentGraph {
    return this.seen.graph;
  }

  component(name: string): Component {
    return this.graph.component(name);
  }

  role(name: string): ResolvedRole {
    return this.seen.roles.get(name) ?? "service";
  }

  /** Returns whether a component was seen to fail, or to be degraded, more than once. */
  isBad(name: string): boolean {
    return this.#failing.has(name);
  }

  /** Returns whether any probe covers a component. */
  isWatched(name: string): boolean {
    return this.seen.watched?.has(name) === true;
  }

  /** Returns whether a rule measures this signal of a component, so that without a symptom it is within its limits. */
  isJudged(name: string, signal: Signal): boolean {
    return this.seen.judged?.get(name)?.has(signal) === true;
  }

  /** Everything bad of one component. */
  symptomsOf(name: string): readonly Weighed[] {
    return this.#symptomsOf.get(name) ?? [];
  }

  /** Facts about a component. */
  factsOf(name: string): readonly Fact[] {
    const known = this.#facts.get(name);
    if (known !== undefined) return known;
    const facts = this.symptomsOf(name)
      .filter(isMeasured)
      .map((of): Fact => {
        return { of, signal: signalOfSymptom(of.symptom), strength: of.weight * this.present(of.symptom) };
      });
    this.#facts.set(name, facts);
    return facts;
  }

  /** The strongest that a component shows. */
  strengthOf(name: string): number {
    return Math.max(0, ...this.factsOf(name).map(({ strength }) => strength));
  }

  /** Facts about a component itself: without those it only passes on, and with faults in its configuration. */
  ownFacts(name: string): readonly Fact[] {
    const known = this.#own.get(name);
    if (known !== undefined) return known;
    const facts = [
      ...this.factsOf(name).flatMap((fact): Fact[] => {
        const share = this.#ownShare(name, fact);
        if (share === 0) return [];
        const own: Fact = { ...fact, strength: share * fact.strength };
        // A component that cannot complete a TLS handshake fails for its clients.
        const fails =
          fact.signal === "certificate" && fact.of.symptom.source === "probe" && this.role(name) !== "certificate";
        return fails ? [own, { ...own, signal: "failing" }] : [own];
      }),
      ...this.#blame(name),
      ...this.#eventsOf(name),
    ];
    this.#own.set(name, facts);
    return facts;
  }

  /** Share of a component's symptoms that are its own, from 0 to 1. */
  #ownShare(name: string, fact: Fact): number {
    const role = this.role(name);
    const { signal } = fact;
    const { classes } = fact.of;
    // A load balancer hands on the errors that a service behind it makes; where all behind it fail, they may be its own.
    if (role === "edge" && classes.every((one) => passedOn.has(one))) {
      const behind = this.#behind(name, fact);
      const starts = Map.groupBy(behind, ({ of: { symptom } }) => symptom.component).values();
      const isBefore = [...starts].every((facts) => isClearlyBefore(fact, earliest(facts)));
      if (behind.length > 0 && isBefore) return 0.8;
      const isHandedOn = this.workingDependents(name).length > 0 && !this.#areManyRefusing(behind);
      if (behind.length > 0) return isHandedOn ? 0 : 0.6;
    }
    // A handshake that never began has shown no certificate, where others are not reached either.
    if (role === "certificate" && signal !== "certificate" && this.#failsAlike(name, classes)) return 0.2;
    return this.#believed(name, fact);
  }

  /** Remaining strength of a failure while other probes of the component succeed. */
  #believed(name: string, fact: Fact): number {
    const greens = this.greensOf(name);
    // Slowness and saturation are compatible with a succeeding probe.
    if (greens.length === 0 || fact.of.symptom.source === "rule") return 1;
    // A target that fails from inside and answers from outside works: the path from inside is what fails.
    if (this.failsOnlyFromInside(name, fact) && this.hasConnectionPath(name)) return 0.35;
    const bad = this.factsOf(name).length;
    return 0.6 + (0.4 * bad) / (bad + greens.length);
  }

  /** Returns whether a fact is about a private target that fails from inside and answers from outside at the same time. */
  failsOnlyFromInside(name: string, { of: { symptom } }: Fact): boolean {
    const isPrivate = symptom.reach !== "users" && !serves(this.role(name));
    return symptom.vantage === "inside" && isPrivate && this.greensOf(name).some((fact) => fact.vantage === "outside");
  }

  /** Returns whether something behind a connection path fails through it and works without it. */
  differsByPath(path: string): boolean {
    return this.graph
      .dependentsOf(path)
      .some((name) => name !== path && this.factsOf(name).some((fact) => this.failsOnlyFromInside(name, fact)));
  }

  /** Returns whether a component is reached through a connection path. */
  hasConnectionPath(name: string): boolean {
    return this.graph.causesOf(name).some((cause) => cause !== name && isConnectionPath(this.role(cause)));
  }

  /** Facts about components behind an edge that can cause its symptoms. */
  #behind(name: string, fact: Fact): readonly Fact[] {
    const isService = (one: string): boolean =>
      one !== name && this.role(one) !== "journey" && !isConnectionPath(this.role(one)) && this.isBad(one);
    return this.graph
      .dependentsOf(name)
      .filter(isService)
      .flatMap((one) => this.factsOf(one))
      .filter((one) => handsOn(one, fact) && follows(one, fact) > 0 && this.inTime(one, fact) >= 0.5);
  }

  /** Returns whether independent components refuse the same at the same time: their common front end is a likelier cause than each of them. */
  #areManyRefusing(facts: readonly Fact[]): boolean {
    const names = [...new Set(facts.filter(isRefusal).map(({ of: { symptom } }) => symptom.component))];
    const isRoot = (name: string): boolean =>
      names.every((other) => other === name || this.graph.distance(name, other) === undefined);
    return names.filter(isRoot).length > 1;
  }

  /** Returns whether the component that forwards names and connections fails in the same way. */
  #failsAlike(name: string, classes: readonly SymptomClass[]): boolean {
    const fails = (one: string): boolean =>
      this.symptomsOf(one).some((other) => other.classes.some((seen) => classes.includes(seen)));
    return this.graph.dependentsOf(name).some((one) => one !== name && fronts.has(this.role(one)) && fails(one));
  }

  /** An event that the provider reports of it, where no rule has said so. */
  #eventsOf(name: string): Fact[] {
    if (this.role(name) !== "region") return [];
    return this.indicators("service_health_incidents", ["high", "limit"], name).map(({ probe, since, shown }): Fact => {
      const phrase = `Google reports ${shown} active ${shown === "1" ? "event" : "events"}`;
      const symptom: Symptom = { id: `event/${probe}`, component: name, source: "rule", since, phrase };
      return { of: { symptom, classes: ["provider event"], weight: 1 }, signal: "event", strength: 1 };
    });
  }

  /** Returns whether a fault affects only some clients, so that working results on the path prove nothing about what lies beyond. */
  hitsSome(name: string): boolean {
    return hitsSome(this.role(name)) || this.faultsOf(name).some((one) => this.#isBlamed(one) && concernsSome(one));
  }

  #isBlamed(fault: Fault): boolean {
    return canBeCause(fault) || this.#cutsOff(fault);
  }

  /** The finding of a configuration check as a fact: one that is critical, or new since the outage started, explains failures. */
  #blame(name: string): Fact[] {
    const [fault] = this.faultsOf(name).filter((one) => this.#isBlamed(one));
    if (fault === undefined) return [];
    const { since, check } = fault;
    const symptom: Symptom = {
      id: `fault/${check}`,
      component: name,
      source: "rule",
      since: Math.min(since, this.firstBad),
      phrase: fault.says,
    };
    const works = this.greensOf(name).length > 0 && !concernsSome(fault) ? 0.5 : 1;
    const strength = this.#cutsOff(fault) ? 1 : works * (fault.isNew ? (fault.severity === "critical" ? 1 : 0.8) : 0.6);
    return [{ of: { symptom, classes: ["configuration"], weight: strength }, signal: "configuration", strength }];
  }

  /** Returns whether a time-out was found to be too short while connections are seen to be cut off. */
  #cutsOff(fault: Fault): boolean {
    const { component, severity } = fault;
    return severity !== "info" && hasMeaning(fault, "cuts_off") && this.shows(["cut off"], component).length > 0;
  }

  /** Agreement of two facts in time, from 0 to 1. */
  inTime(cause: Fact, effect: Fact): number {
    return agreement(cause, effect, this.seen.at);
  }

  /** Remaining weight of a symptom, from 0 to 1: one that has ended while others continue need not be explained now. */
  present(symptom: Symptom): number {
    return this.#isOver ? 1 : presence(symptom, this.#goingSince, this.#now);
  }

  /** Everything bad of one component or of what depends on it, with any of these classes. */
  shows(classes: readonly SymptomClass[], of?: string): readonly Weighed[] {
    return this.symptoms.filter(
      (one) =>
        (of === undefined || this.graph.distance(one.symptom.component, of) !== undefined) &&
        one.classes.some((seen) => classes.includes(seen)),
    );
  }

  /** Probes of one component that were good all the time. */
  greensOf(name: string): readonly ProbeFact[] {
    return this.#greensOf.get(name) ?? [];
  }

  /** Signs of a metric at these levels; of one component where it is named. */
  indicators(metric: string, levels: readonly Indicator["level"][], of?: string): readonly ProbeIndicator[] {
    return this.seen.indicators.filter(
      (indicator) =>
        indicator.metric === metric &&
        levels.includes(indicator.level) &&
        (of === undefined || indicator.component === of),
    );
  }

  /** Indicators at these levels of how much of a resource parts of a role use; of one component where it is named. */
  usage(
    role: Role,
    resource: Resource,
    among: readonly Indicator["level"][] = levels,
    of?: string,
  ): readonly ProbeIndicator[] {
    return this.seen.indicators.filter(({ metric, level, component }) => {
      const known = metricNamed(metric);
      return (
        known?.role === role &&
        known.resource === resource &&
        among.includes(level) &&
        (of === undefined || component === of)
      );
    });
  }

  /** Faults that configuration checks found in a component. */
  faultsOf(name: string): readonly Fault[] {
    return this.seen.faults.filter(({ component }) => component === name);
  }

  /**
   * Returns whether a probe bypasses `path` although its target depends on it: from outside, a probe reaches a private target without the path
   * from inside.
   */
  bypasses(
    { vantage, component: target }: { readonly vantage?: "inside" | "outside"; readonly component: string },
    path: string,
  ): boolean {
    return vantage === "outside" && target !== path && isConnectionPath(this.role(path)) && isFarEnd(this.role(target));
  }

  /** Returns whether a component is seen to work for clients that reach it through `cause`. */
  works(name: string, cause: string): boolean {
    return !this.isBad(name) && this.greensOf(name).some((fact) => !this.bypasses(fact, cause));
  }

  /** Components that need this one and are seen to work. */
  workingDependents(component: string): readonly string[] {
    return this.graph.dependentsOf(component).filter((name) => name !== component && this.works(name, component));
  }

  /** Probes that were good although they need a component. */
  greensAgainst(component: string): readonly ProbeFact[] {
    return this.graph
      .dependentsOf(component)
      .flatMap((name) => this.greensOf(name).filter((fact) => !this.bypasses(fact, component)));
  }
}

/** Returns whether a fact started so long before another that the other cannot have caused it. A probe that runs rarely has no exact onset. */
function isClearlyBefore({ of: { symptom } }: Fact, { of: { symptom: later } }: Fact): boolean {
  const unseen = Math.max(0, (later.everyMs ?? 0) - minute);
  return later.since - symptom.since >= 0.75 * minute + unseen;
}

function earliest(facts: readonly Fact[]): Fact {
  return facts.reduce((first, one) => (one.of.symptom.since < first.of.symptom.since ? one : first));
}

/** Returns whether the symptoms of an edge can be answers of a service behind it: it refuses nothing that the service does not refuse. */
function handsOn({ of: { classes: made } }: Fact, { of: { classes: shown } }: Fact): boolean {
  return shown.every((one) => !refusals.has(one) || made.includes(one));
}

function isRefusal({ of: { classes } }: Fact): boolean {
  return classes.every((one) => refusals.has(one));
}

/** Answers that say what is wrong with the request. */
export const refusals: ReadonlySet<SymptomClass> = new Set(["denied", "throttled", "wrong content"]);

/** Roles that stand before others. */
export const fronts: ReadonlySet<ResolvedRole> = new Set(["edge", "dns"]);

/** Signals that a service produces and its front end forwards. */
export const passedOn: ReadonlySet<SymptomClass> = new Set([
  "error",
  "errors",
  "denied",
  "throttled",
  "wrong content",
  "slow",
  "no answer",
]);

/** A failed reading says nothing about its target. */
function isMeasured({ classes }: Weighed): boolean {
  return !classes.every((one) => one === "not measured");
}

/** Returns whether a finding can be a cause: one that has always been there and breaks nothing by itself cannot. */
function canBeCause({ severity, isNew }: Fault): boolean {
  return severity === "critical" || (isNew && severity === "warning");
}

/**
 * Returns whether a fault spares some clients, so that a successful probe does not contradict it. A fault that started with the outage and
 * left a probe good is contradicted.
 */
function concernsSome(fault: Fault): boolean {
  return fault.isNew || hasMeaning(fault, "hits_some");
}
