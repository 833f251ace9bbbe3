/** The component graph: what fails with what. */
import type { Component } from "../../shared/config/model.ts";
import { drillComponent, monitorComponent } from "../../shared/monitor.ts";

/** Components with their transitive dependencies; immutable. */
export class ComponentGraph {
  readonly #components: ReadonlyMap<string, Component>;
  readonly #names: readonly string[];
  readonly #distances: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly #dependents: ReadonlyMap<string, readonly string[]>;
  readonly #needing: ReadonlyMap<string, readonly string[]>;

  constructor(components: readonly Component[]) {
    this.#components = new Map(components.map((component) => [component.name, component]));
    this.#names = components.map(({ name }) => name);
    this.#distances = new Map(components.map(({ name }) => [name, this.#reach(name)]));
    const dependents = new Map<string, string[]>();
    for (const [name, reached] of this.#distances) {
      for (const cause of reached.keys()) {
        const known = dependents.get(cause);
        if (known === undefined) dependents.set(cause, [name]);
        else known.push(name);
      }
    }
    this.#dependents = dependents;
    const needing = new Map<string, string[]>();
    for (const { name, dependsOn } of components) {
      for (const cause of dependsOn) needing.set(cause, [...(needing.get(cause) ?? []), name]);
    }
    this.#needing = needing;
  }

  /** The component of that name; one that the configuration does not know stands alone, in the application. */
  component(name: string): Component {
    if (name === monitorComponent.name) return monitorComponent;
    if (name === drillComponent.name) return drillComponent;
    return this.#components.get(name) ?? { name, title: name, layer: "application", dependsOn: [] };
  }

  /** Every component, in the order of the configuration. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Steps from a component down to one that it depends on: 0 for itself, `undefined` when it does not depend on it. */
  distance(from: string, to: string): number | undefined {
    return from === to ? 0 : this.#distances.get(from)?.get(to);
  }

  /** Everything that the component depends on, itself first, nearest first. */
  causesOf(name: string): string[] {
    return [...(this.#distances.get(name) ?? new Map([[name, 0]])).keys()];
  }

  /** Everything that fails when the component fails, itself included. */
  dependentsOf(name: string): readonly string[] {
    return this.#dependents.get(name) ?? [name];
  }

  /** The components that name this one in their `depends_on`. */
  needing(name: string): readonly string[] {
    return this.#needing.get(name) ?? [];
  }

  /** Returns whether one failure could explain both: one depends on the other, or both on a third. */
  connected(a: string, b: string): boolean {
    if (this.distance(a, b) !== undefined || this.distance(b, a) !== undefined) return true;
    return this.causesOf(a).some((cause) => this.distance(b, cause) !== undefined);
  }

  /** Returns the components on the shortest path from one down to a dependency, both ends included. */
  path(from: string, to: string): string[] {
    return this.openPath(from, to, () => false) ?? [from];
  }

  /** Returns the same without passing a closed component in between; `undefined` if there is no such path. */
  openPath(from: string, to: string, isClosed: (name: string) => boolean): string[] | undefined {
    const before = new Map<string, string | undefined>([[from, undefined]]);
    // A breadth-first walk, so that the first arrival is on the shortest path.
    for (const [name] of before) {
      if (name === to) break;
      if (name !== from && isClosed(name)) continue;
      for (const next of this.component(name).dependsOn) {
        if (!before.has(next)) before.set(next, name);
      }
    }
    if (!before.has(to)) return undefined;
    const path = [to];
    for (let name = before.get(to); name !== undefined; name = before.get(name)) path.unshift(name);
    return path;
  }

  #reach(start: string): Map<string, number> {
    const distances = new Map([[start, 0]]);
    // A breadth-first walk: the map grows while it is walked, and a component met before is not entered again.
    for (const [name, distance] of distances) {
      for (const next of this.#components.get(name)?.dependsOn ?? []) {
        if (!distances.has(next)) distances.set(next, distance + 1);
      }
    }
    return distances;
  }
}
