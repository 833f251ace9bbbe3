/** The scene of an outage: everything that is known of it, in the form in which patterns of failure look at it. */
import type { Component } from "../../../shared/config/model.ts";
import type { ComponentGraph } from "../graph.ts";
import type { ProbeFact, ProbeSign, Symptom } from "../state.ts";
import { classesOf, type SymptomClass } from "./classes.ts";
import { type Part, partOf, type Roles } from "./roles.ts";
import type { Fault, Sign } from "./signs.ts";

/** What the search for a cause begins with. */
export interface Observed {
  /** Everything bad that was observed during the incident. */
  readonly symptoms: readonly Symptom[];
  /** Probes that were measured good since the first failure, and not bad in between. */
  readonly greens: readonly ProbeFact[];
  /** The worst that the metrics of each probe showed during the incident. */
  readonly signs: readonly ProbeSign[];
  /** What configuration checks found wrong. */
  readonly faults: readonly Fault[];
  readonly graph: ComponentGraph;
  readonly roles: Roles;
  /** The newest event time. */
  readonly at: number;
}

/** A symptom with its classes, and how much it counts, from 0 to 1. */
export interface Weighed {
  readonly symptom: Symptom;
  readonly classes: readonly SymptomClass[];
  readonly weight: number;
}

/** How long a symptom must have lasted to count in full, where nothing else confirms it, in milliseconds. */
const confirmedAfter = 90_000;
/** What the second, third and further symptom of the same component from the same vantage point adds. */
const fading = [1, 0.4, 0.2, 0.1];

/** The scene; immutable. */
export class Scene {
  readonly symptoms: readonly Weighed[];
  readonly seen: Observed;
  /** The first bad instant of all. */
  readonly firstBad: number;
  readonly #failing: ReadonlySet<string>;
  readonly #symptomsOf: ReadonlyMap<string, readonly Weighed[]>;
  readonly #greensOf: ReadonlyMap<string, readonly ProbeFact[]>;

  constructor(seen: Observed) {
    this.seen = seen;
    this.symptoms = weighed(seen);
    this.firstBad = Math.min(...seen.symptoms.map(({ since }) => since));
    const bad = seen.symptoms.filter((symptom) => certainty(symptom, seen.at) >= 0.5);
    this.#failing = new Set(bad.map(({ component }) => component));
    this.#symptomsOf = Map.groupBy(this.symptoms, ({ symptom }) => symptom.component);
    this.#greensOf = Map.groupBy(seen.greens, ({ component }) => component);
  }

  get graph(): ComponentGraph {
    return this.seen.graph;
  }

  component(name: string): Component {
    return this.graph.component(name);
  }

  role(name: string): Part {
    return partOf(this.seen.roles.get(name), this.component(name).layer);
  }

  /** Whether a component was seen to fail, or to be worse than it should be, more than once. */
  isBad(name: string): boolean {
    return this.#failing.has(name);
  }

  /** Everything bad of one component. */
  symptomsOf(name: string): readonly Weighed[] {
    return this.#symptomsOf.get(name) ?? [];
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
  signs(metric: string, levels: readonly Sign["level"][], of?: string): readonly ProbeSign[] {
    return this.seen.signs.filter(
      (sign) => sign.metric === metric && levels.includes(sign.level) && (of === undefined || sign.component === of),
    );
  }

  /** What configuration checks found wrong with a component. */
  faultsOf(name: string): readonly Fault[] {
    return this.seen.faults.filter(({ component }) => component === name);
  }

  /**
   * Whether a probe takes a way that does not lead over `component`, although its target depends on it: from outside, a probe reaches a
   * private target without what lies on the way from inside.
   */
  goesAround({ vantage, component: target }: Pick<ProbeFact, "vantage" | "component">, component: string): boolean {
    return (
      vantage === "outside" &&
      target !== component &&
      this.role(component) === "connector" &&
      this.component(target).layer === "platform"
    );
  }

  /** Whether a component is seen to work for those who reach it over `cause`. */
  works(name: string, cause: string): boolean {
    return !this.isBad(name) && this.greensOf(name).some((fact) => !this.goesAround(fact, cause));
  }
}

function weighed({ symptoms, roles, graph, at }: Observed): Weighed[] {
  const counted = new Map<string, number>();
  const order = [...symptoms].sort((a, b) => certainty(b, at) - certainty(a, at) || a.since - b.since);
  return order.map((symptom) => {
    const place = `${symptom.component}/${symptom.vantage ?? symptom.source}`;
    const before = counted.get(place) ?? 0;
    counted.set(place, before + 1);
    const fade = fading[Math.min(before, fading.length - 1)] ?? 0;
    return {
      symptom,
      classes: classesOf(symptom, partOf(roles.get(symptom.component), graph.component(symptom.component).layer)),
      weight: fade * certainty(symptom, at),
    };
  });
}

/** A single failed run may be chance; what lasts, comes back or has fired an alert is not. */
function certainty({ since, until, times = 1, confirmed, source, everyMs = 0 }: Symptom, at: number): number {
  if (confirmed === true || source === "rule") return 1;
  // The run that was good again does not belong to what was bad, and of a probe that runs seldom, one run says no more for being old.
  const between = until !== undefined || everyMs > confirmedAfter ? everyMs : 0;
  const lasted = Math.max(0, (until ?? at) - since - between);
  return Math.min(1, 0.3 + 0.7 * (lasted / confirmedAfter) + 0.25 * (times - 1));
}

/** Whether a symptom is more than chance by now. @param at the newest event time, in milliseconds since the epoch */
export function isCertain(symptom: Symptom, at: number): boolean {
  return certainty(symptom, at) >= 0.99;
}
