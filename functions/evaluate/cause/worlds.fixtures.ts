/**
 * Worlds in which something breaks, with what is seen of it and the truth: random graphs, names, roles, probes and timelines. They know how
 * trouble spreads and nothing of how a cause is looked for: it goes from a part to those that depend on it, not all of them and not all of it,
 * a little later; most parts are watched, some by figures of somebody else; and some alarms stand about for reasons of their own.
 */
import type { Component } from "../../../shared/config/model.ts";
import { type ResolvedRole, roleNames } from "../../../shared/config/roles.ts";
import type { Failure, Signal } from "../../../shared/messages/report.ts";
import { ComponentGraph } from "../graph.ts";
import type { ProbeFact } from "../partition/state.ts";
import { diagnose } from "./diagnose.ts";
import type { Diagnosis, Symptom } from "./diagnosis.ts";
import type { Observed } from "./evidence.ts";
import { rolesOf } from "./roles.ts";

/** A number from 0 to 1, the next of a sequence. */
export type Random = () => number;

/** The evidence, and the component that broke. */
export interface World {
  readonly components: readonly Component[];
  readonly symptoms: readonly Symptom[];
  readonly greens: readonly ProbeFact[];
  readonly watched: ReadonlySet<string>;
  readonly cause: string;
  readonly at: number;
}

const minute = 60_000;
/** When things break in these worlds. */
export const began: number = Date.UTC(2025, 8, 16, 12);

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A graph without circles: each part may depend on some of those before it. */
export function randomComponents(random: Random, count: number): Component[] {
  const names = Array.from({ length: count }, (_, index) => `${Math.floor(random() * 1e6).toString(36)}-${index}`);
  return names.map((name, index) => {
    const needs = new Set<string>();
    for (let edge = 0; edge < 3; edge++) {
      if (index > 0 && random() < 0.6) needs.add(names[Math.floor(random() * index)] ?? "");
    }
    const layer = random() < 0.5 ? "platform" : "application";
    const role =
      random() < 0.5 ? (layer === "platform" ? "platform" : "service") : general[Math.floor(random() * general.length)];
    return { name, title: `${name} title`, layer, role: role ?? "service", dependsOn: [...needs] };
  });
}

/** Roles that can fail in any way; a way into the network or a certificate cannot be slow for those that stand on it. */
const general: readonly ResolvedRole[] = roleNames.filter(
  (role) => !["connector", "nat", "subnet", "certificate", "dns", "region", "edge", "quota"].includes(role),
);

/** Symptom of a failing probe. */
export function failing(component: string, probe: string, more: Partial<Symptom> = {}): Symptom {
  const failure: Failure = { kind: "http_status", phase: "response", message: "503", status: 503 };
  return {
    id: `probe/${probe}`,
    component,
    source: "probe",
    since: began,
    phrase: `\`${probe}\` fails`,
    vantage: "outside",
    kind: "http",
    reach: "users",
    timeoutMs: 10_000,
    everyMs: minute,
    confirmed: true,
    failure,
    ...more,
  };
}

/** Symptom of a rule with this excess. */
export function alarming(component: string, signal: Signal, strength: number, more: Partial<Symptom> = {}): Symptom {
  return {
    id: `alert/${component}/${signal}`,
    component,
    source: "rule",
    since: began,
    phrase: `${component} is ${signal}`,
    rule: `${component} ${signal}`,
    signal,
    strength,
    kind: "cloud_monitoring",
    reach: "control_plane",
    secondhand: true,
    everyMs: minute,
    ...more,
  };
}

/** A probe that was good. */
export function good(component: string, probe: string, more: Partial<ProbeFact> = {}): ProbeFact {
  return {
    probe,
    component,
    vantage: "outside",
    status: "good",
    since: began - 60 * minute,
    at: began + 20 * minute,
    ...more,
  };
}

/** A world of so many parts in which one breaks. */
export function randomWorld(seed: number, most = 40): World {
  const random = randomFrom(seed);
  const count = 3 + Math.floor(random() * (most - 3));
  const components = randomComponents(random, count);
  const graph = new ComponentGraph(components);
  const broken = components[Math.floor(random() * count)] as Component;
  const signal: Signal = random() < 0.5 ? "failing" : random() < 0.6 ? "slow" : "errors";
  const reached = new Map([[broken.name, 0.5 + 0.5 * random()]]);
  for (const [name, strength] of reached) {
    for (const next of graph.needing(name)) {
      if (!reached.has(next) && random() < 0.8) reached.set(next, strength * (0.6 + 0.4 * random()));
    }
  }
  const symptoms: Symptom[] = [];
  const greens: ProbeFact[] = [];
  const watched = new Set<string>();
  for (const { name } of components) {
    if (random() < (name === broken.name ? 0.05 : 0.15)) continue;
    watched.add(name);
    const secondhand = random() < 0.4;
    const strength = reached.get(name);
    const since = began + Math.floor((graph.distance(name, broken.name) ?? 0) * random() * minute);
    if (strength === undefined) {
      if (!secondhand) greens.push(good(name, `${name}-up`));
      else if (random() < 0.06)
        symptoms.push(
          alarming(name, random() < 0.5 ? "slow" : "errors", 0.3 * random(), {
            since: began - Math.floor(90 * random()) * minute,
          }),
        );
      continue;
    }
    if (signal === "failing" && !secondhand) symptoms.push(failing(name, `${name}-up`, { since }));
    else
      symptoms.push(
        alarming(
          name,
          signal === "failing" ? "errors" : signal,
          signal === "failing" ? 0.9 + 0.1 * random() : strength,
          { since },
        ),
      );
  }
  return { components, symptoms, greens, watched, cause: broken.name, at: began + 20 * minute };
}

/** Joins two environments into one; in each, one component fails by itself. The causes are `cause` and `second`. */
export function twoFailures(seed: number, most = 20): World & { readonly second: string } {
  const [one, two] = [randomWorld(seed, most), randomWorld(seed + 1, most)];
  const named = (name: string): string => `other-${name}`;
  const roof: Component = {
    name: "roof",
    title: "roof",
    layer: "application",
    role: "service",
    dependsOn: [...one.components.map(({ name }) => name), ...two.components.map(({ name }) => named(name))],
  };
  const moved = two.components.map((part) => {
    return { ...part, name: named(part.name), dependsOn: part.dependsOn.map(named) };
  });
  return {
    ...one,
    components: [...one.components, ...moved, roof],
    symptoms: [
      ...one.symptoms,
      ...two.symptoms.map((of) => ({ ...of, id: named(of.id), component: named(of.component) })),
    ],
    greens: [...one.greens, ...two.greens.map((of) => ({ ...of, component: named(of.component) }))],
    watched: new Set([...one.watched, ...[...two.watched].map(named)]),
    second: named(two.cause),
  };
}

/** The evidence of a world. */
export function observedIn({ components, symptoms, greens, watched, at }: Omit<World, "cause">): Observed {
  return {
    symptoms,
    greens,
    watched,
    indicators: [],
    faults: [],
    graph: new ComponentGraph(components),
    roles: rolesOf(components),
    at,
  };
}

/** `"web > api, cache"`: a part and what it needs; roles by name. */
export function parts(
  lines: readonly string[],
  roles: Readonly<Record<string, ResolvedRole>> = {},
  layer: Component["layer"] = "platform",
): Component[] {
  return lines.map((line): Component => {
    const [name = "", needs = ""] = line.split(" > ");
    return {
      name,
      title: name,
      layer,
      role: roles[name] ?? "service",
      dependsOn: needs === "" ? [] : needs.split(", "),
    };
  });
}

/** The cause named after a quarter of an hour; components with symptoms are monitored. */
export function cause(
  components: readonly Component[],
  symptoms: readonly Symptom[],
  greens: readonly ProbeFact[] = [],
  watched: readonly string[] = [],
): Diagnosis {
  const seen = new Set([...symptoms, ...greens].map(({ component }) => component).concat(watched));
  return diagnose(observedIn({ components, symptoms, greens, watched: seen, at: began + 15 * minute }));
}

/** A failure with such a status. */
export function answered(status: number): Partial<Symptom> {
  return { failure: { kind: "http_status", phase: "response", message: "", status } };
}
