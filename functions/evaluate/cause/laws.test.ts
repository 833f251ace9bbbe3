/** The laws of naming a cause, on random graphs, names, roles, probes and timelines. */
import { describe, expect, it, vi } from "vitest";
import type { Component } from "../../../shared/config/model.ts";
import { roleNames } from "../../../shared/config/roles.ts";
import { failureKinds, type Signal, signals } from "../../../shared/messages/report.ts";
import { fc } from "../../../tests/support/chance.ts";
import { ComponentGraph } from "../graph.ts";
import { diagnose, rank } from "./diagnose.ts";
import type { Diagnosis, Symptom } from "./diagnosis.ts";
import { Evidence } from "./evidence.ts";
import {
  alarming,
  began,
  failing,
  good,
  observedIn,
  randomComponents,
  randomFrom,
  randomWorld,
  twoFailures,
  type World,
} from "./worlds.fixtures.ts";

const seeds = fc.integer({ min: 1, max: 1_000_000 });
const answer = (world: World): Diagnosis => diagnose(observedIn(world));
const scoreOf = (world: World, name: string): number =>
  rank(new Evidence(observedIn(world))).find(({ component }) => component === name)?.score ?? 0;

/** The world with other names, and its components in another order. */
function renamed(world: World, seed: number): { world: World; name: (old: string) => string } {
  const random = randomFrom(seed);
  const names = new Map(
    world.components.map(({ name }) => [
      name,
      `${["sql", "lb", "vpc", "auth", "zeta", "a"][Math.floor(random() * 6)]}-${Math.floor(random() * 1e9)}`,
    ]),
  );
  const name = (old: string): string => names.get(old) ?? old;
  const components = world.components
    .map(
      (one): Component => ({
        ...one,
        name: name(one.name),
        title: `Google Cloud SQL ${random()}`,
        dependsOn: one.dependsOn.map(name).reverse(),
      }),
    )
    .map((one) => ({ one, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ one }) => one);
  return {
    name,
    world: {
      ...world,
      components,
      symptoms: world.symptoms.map((one) => ({ ...one, component: name(one.component) })).reverse(),
      greens: world.greens
        .map((one) => ({ ...one, component: name(one.component), probe: `p-${name(one.component)}` }))
        .reverse(),
      watched: new Set([...world.watched].map(name)),
      cause: name(world.cause),
    },
  };
}

describe("the laws", () => {
  it("1, names: renaming, retitling and reordering change nothing", () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, other) => {
        const world = randomWorld(seed, 60);
        const twin = renamed(world, other);
        const [one, two] = [answer(world), answer(twin.world)];
        expect(two.rootCause).toBe(one.rootCause === "unknown" ? "unknown" : twin.name(one.rootCause));
        expect([two.confidence, two.verdict, two.pattern]).toEqual([one.confidence, one.verdict, one.pattern]);
      }),
    );
  });

  it("1, names: kinds of probes are judged by their declarations, not by their names", () => {
    const asked = ["postgres", "gcp_configuration", "service_health", "heartbeat", "http"];
    for (const role of roleNames)
      for (const kind of failureKinds)
        for (const reach of ["users", "private", "control_plane"] as const) {
          const components = randomComponents(randomFrom(7), 1).map((one): Component => ({ ...one, role }));
          const [name = ""] = components.map((one) => one.name);
          const answers = asked.map((asking) =>
            answer({
              components,
              symptoms: [
                failing(name, "one", { kind: asking, reach, failure: { kind, phase: "connect", message: "" } }),
              ],
              greens: [],
              watched: new Set([name]),
              cause: name,
              at: began + 1_200_000,
            }),
          );
          expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
        }
  });

  it("2, direction: explained components depend on the cause", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const world = randomWorld(seed, 60);
        const evidence = new Evidence(observedIn(world));
        const known = new Set(world.components.map(({ name }) => name));
        for (const { component, explains } of rank(evidence)) {
          if (!known.has(component)) continue;
          for (const { symptom } of explains)
            expect(evidence.graph.distance(symptom.component, component)).toBeDefined();
        }
      }),
    );
  });

  it("3, own evidence is monotone: a failing probe of a component never lowers its score, and a good one never raises it", () => {
    fc.assert(
      fc.property(seeds, fc.nat(100), (seed, index) => {
        const world = randomWorld(seed);
        const { name } = world.components[index % world.components.length] as Component;
        const before = scoreOf(world, name);
        const worse = { ...world, symptoms: [...world.symptoms, failing(name, "added")] };
        expect(scoreOf(worse, name)).toBeGreaterThanOrEqual(before - 1e-9);
        const better = {
          ...world,
          greens: [...world.greens, good(name, "added")],
          watched: new Set([...world.watched, name]),
        };
        expect(scoreOf(better, name)).toBeLessThanOrEqual(before + 1e-9);
      }),
    );
  });

  it("4, more probes never hurt: a working probe never moves the cause to the component it acquits", () => {
    fc.assert(
      fc.property(seeds, fc.nat(100), (seed, index) => {
        const world = randomWorld(seed);
        const { name } = world.components[index % world.components.length] as Component;
        if (world.symptoms.some(({ component }) => component === name)) return;
        const more = {
          ...world,
          greens: [...world.greens, good(name, "added")],
          watched: new Set([...world.watched, name]),
        };
        const [before, after] = [answer(world).rootCause, answer(more).rootCause];
        if (after === before || after === "unknown") return;
        expect(after).not.toBe(name);
      }),
    );
  });

  const kinds = failureKinds.filter((kind) => kind !== "internal");
  const probers = [
    "http",
    "tls",
    "websocket",
    "journey",
    "postgres",
    "heartbeat",
    "cloud_run",
    "cloud_sql",
    "vpc_connector",
    "load_balancer",
    "cloud_monitoring",
  ];

  it("5, alone: a component that fails alone is named, for every role, layer, kind of probe and failure", () => {
    fc.assert(
      fc.property(
        seeds,
        fc.constantFrom(...roleNames),
        fc.constantFrom(...kinds),
        fc.constantFrom(...probers),
        fc.constantFrom("platform" as const, "application" as const),
        fc.constantFrom("inside" as const, "outside" as const),
        fc.boolean(),
        (seed, role, kind, prober, layer, vantage, othersWork) => {
          const random = randomFrom(seed);
          const components = randomComponents(random, 2 + Math.floor(random() * 58));
          const part = components[Math.floor(random() * components.length)] as Component;
          const all = components.map((one) => (one === part ? { ...one, role, layer } : one));
          const failure = { kind, phase: "connect", message: "" };
          const symptoms = [
            failing(part.name, "it", {
              kind: prober,
              vantage,
              failure,
              reach: prober === "http" ? "users" : "private",
            }),
          ];
          const greens = othersWork
            ? all.filter(({ name }) => name !== part.name).map(({ name }) => good(name, `${name}-up`))
            : [];
          const watched = new Set([part.name, ...greens.map(({ component }) => component)]);
          const { rootCause, verdict } = answer({
            components: all,
            symptoms,
            greens,
            watched,
            cause: part.name,
            at: began + 600_000,
          });
          expect([rootCause, verdict]).toEqual([part.name, layer]);
        },
      ),
    );
  });

  it("5, alone: a component with a firing rule alone is named, for every metric and any excess over the threshold", () => {
    fc.assert(
      fc.property(
        seeds,
        fc.constantFrom(...signals),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (seed, signal: Signal, strength) => {
          const random = randomFrom(seed);
          const components = randomComponents(random, 2 + Math.floor(random() * 58));
          const part = components[Math.floor(random() * components.length)] as Component;
          const watched = new Set(components.map(({ name }) => name));
          const world = {
            components,
            symptoms: [alarming(part.name, signal, strength)],
            greens: [],
            watched,
            cause: part.name,
            at: began + 600_000,
          };
          expect(answer(world).rootCause).toBe(part.name);
        },
      ),
    );
  });

  /** Two parts that one other needs, alike in all but what is said. */
  function twins(
    first: Partial<Parameters<typeof alarming>[3]> & { strength: number },
    second: typeof first,
    layers: readonly ["platform" | "application", "platform" | "application"],
  ): World {
    const components: Component[] = [
      { name: "b", title: "B", layer: layers[0], role: "platform", dependsOn: [] },
      { name: "a", title: "A", layer: layers[1], role: "platform", dependsOn: [] },
      { name: "top", title: "Top", layer: "application", role: "service", dependsOn: ["a", "b"] },
    ];
    const symptoms = [
      alarming("b", "slow", first.strength, first),
      alarming("a", "slow", second.strength, second),
      alarming("top", "slow", 0.95),
    ];
    return { components, symptoms, greens: [], watched: new Set(["a", "b", "top"]), cause: "b", at: began + 600_000 };
  }

  it("6, magnitude: of two similar components the one further beyond its limit is named, and a minor deviation explains no major one", () => {
    const share = fc.double({ min: 0.2, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(share, fc.double({ min: 0.1, max: 0.5, noNaN: true }), (most, less) => {
        const world = twins({ strength: most }, { strength: Math.max(0.01, most - less) }, ["platform", "platform"]);
        expect(answer(world).rootCause).not.toBe("a");
        expect(scoreOf(world, "b")).toBeGreaterThan(scoreOf(world, "a"));
      }),
    );
    expect(answer(twins({ strength: 0.01 }, { strength: 0.01 }, ["platform", "platform"])).rootCause).toBe("top");
  });

  it("7, time: shifting everything changes nothing, and a long-standing alert is not the cause", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: -1e9, max: 1e9 }), (seed, by) => {
        const world = randomWorld(seed);
        const shifted = {
          ...world,
          at: world.at + by,
          symptoms: world.symptoms.map((one) => ({ ...one, since: one.since + by })),
          greens: world.greens.map((one) => ({ ...one, since: one.since + by, at: one.at + by })),
        };
        expect(answer(shifted).rootCause).toBe(answer(world).rootCause);
      }),
    );
    const stood = twins({ strength: 0.9 }, { strength: 0.9, since: began - 3_600_000 }, ["platform", "platform"]);
    expect(answer(stood).rootCause).toBe("b");
  });

  it("8, layer: it decides the verdict and never the cause", () => {
    fc.assert(
      fc.property(seeds, fc.nat(100), (seed, index) => {
        const world = randomWorld(seed);
        const flipped = world.components.map((one, place) => {
          return place % 3 === index % 3
            ? { ...one, layer: one.layer === "platform" ? ("application" as const) : ("platform" as const) }
            : one;
        });
        expect(answer({ ...world, components: flipped }).rootCause).toBe(answer(world).rootCause);
      }),
    );
  });

  it("9, honesty: indistinguishable causes are unknown, with both named and the measurement that would separate them", () => {
    for (const layers of [
      ["platform", "application"],
      ["application", "platform"],
      ["platform", "platform"],
    ] as const) {
      const { rootCause, candidates = [], next = [] } = answer(twins({ strength: 0.9 }, { strength: 0.9 }, layers));
      expect(rootCause).toBe("unknown");
      expect(new Set(candidates.slice(0, 2).map(({ component }) => component))).toEqual(new Set(["a", "b"]));
      expect(next.join(" ")).toMatch(/\bA\b.*\bB\b|\bB\b.*\bA\b/);
    }
  });

  it("9, honesty: no name decides between equal causes, of one kind or of two, first or second", () => {
    const parts = ["b", "a", "c"].map(
      (name): Component => ({ name, title: name.toUpperCase(), layer: "platform", role: "service", dependsOn: [] }),
    );
    const missing: Partial<Symptom> = {
      signal: "missing",
      failure: { kind: "unavailable", phase: "report", message: "", signal: "missing" },
    };
    const of = (symptoms: readonly Symptom[]): Diagnosis =>
      answer({ components: parts, symptoms, greens: [], watched: new Set(), cause: "", at: began + 600_000 });
    const first = failing("a", "a-up");
    for (const second of [failing("b", "b-up"), failing("b", "b-up", missing)]) {
      const { rootCause, candidates = [] } = of([first, second]);
      expect(rootCause).toBe("unknown");
      expect(new Set(candidates.map(({ component }) => component))).toEqual(new Set(["a", "b"]));
    }
    const after = { since: began + 120_000 };
    const weaker = { ...after, strength: 0.8 };
    const named = of([first, failing("b", "b-up", weaker), failing("c", "c-up", weaker)]);
    expect([named.rootCause, named.alsoBroken]).toEqual(["a", undefined]);
    expect(of([first, failing("b", "b-up", { ...missing, ...after })])).toMatchObject({
      rootCause: "a",
      alsoBroken: "b",
    });
  });

  it("10, isolation: probes of an unconnected component change nothing", () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, other) => {
        const world = randomWorld(seed);
        const apart = randomComponents(randomFrom(other), 10).map((one) => ({
          ...one,
          name: `x-${one.name}`,
          dependsOn: one.dependsOn.map((name) => `x-${name}`),
        }));
        const more = {
          ...world,
          components: [...world.components, ...apart],
          greens: [...world.greens, ...apart.map(({ name }) => good(name, `${name}-up`))],
        };
        const [one, two] = [answer(world), answer(more)];
        expect([two.rootCause, two.confidence]).toEqual([one.rootCause, one.confidence]);
      }),
    );
  });

  it("10, two simultaneous faults: the second is named as well, or the order is reported as unknown", () => {
    const answers = Array.from({ length: 100 }, (_, index) => {
      const world = twoFailures(900_000 + 2 * index);
      const { rootCause, alsoBroken } = answer(world);
      if (rootCause === "unknown") return "open";
      const named = [rootCause, alsoBroken].filter((name) => name !== undefined);
      if (!named.every((name) => [world.cause, world.second].includes(name))) return "wrong";
      return named.length === 2 ? "both" : "one";
    });
    const share = (wanted: string): number => answers.filter((one) => one === wanted).length / answers.length;
    expect(share("both")).toBeGreaterThanOrEqual(0.8);
    expect(share("wrong")).toBeLessThanOrEqual(0.05);
  });

  it("11, scale: the work grows with the symptoms and the components they reach", () => {
    const work = (count: number): number => {
      const components = Array.from({ length: count }, (_, index): Component => {
        const needs =
          index === 0 ? [] : [...new Set([Math.floor(index / 2), Math.floor(index / 3)])].map((at) => `c-${at}`);
        return { name: `c-${index}`, title: `C ${index}`, layer: "application", role: "service", dependsOn: needs };
      });
      const symptoms = components.map(({ name }) => failing(name, `${name}-up`));
      const graph = new ComponentGraph(components);
      const reach = components.reduce((sum, { name }) => sum + graph.causesOf(name).length, 0);
      const compared = vi.spyOn(Evidence.prototype, "inTime");
      const world = { components, symptoms, greens: [], watched: new Set<string>(), cause: "c-0", at: began + 600_000 };
      expect(answer(world).rootCause).toBe("c-0");
      const calls = compared.mock.calls.length;
      compared.mockRestore();
      return calls / reach;
    };
    const [small, large] = [work(250), work(1_000)];
    expect(large).toBeLessThanOrEqual(1.5 * small);
  });
});
