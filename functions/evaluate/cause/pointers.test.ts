/** Laws of what points at a component: it sharpens the answer, tells apart what nothing else does, and never outweighs what was measured. */
import { describe, expect, it } from "vitest";
import { diagnose } from "./diagnose.ts";
import type { Observed } from "./evidence.ts";
import type { Change, LogPattern } from "./knowledge/changes.ts";
import { began, failing, good, observedIn, parts, randomFrom, randomWorld } from "./worlds.fixtures.ts";

const minute = 60_000;

function change(component: string, at: number): Change {
  return { id: `${component}/${at}`, at, kind: "deployment", what: "deployed it", components: [component] };
}

function words(component: string, more: object = {}): LogPattern {
  const means = { name: "memory limit", says: "It ran out of memory.", remedy: "Give it more.", ...more };
  const counts = { count: 7, before: 0, before_seconds: 3600, firstAt: began, lastAt: began };
  return { component, resource: component, pattern: "Memory limit of <*> exceeded", ...counts, means };
}

describe("changes and log messages, in random environments", () => {
  const worlds = Array.from({ length: 150 }, (_, seed) => ({ seed, world: randomWorld(seed + 7_000) }));

  it("never override the component that the measurements name", () => {
    for (const { seed, world } of worlds) {
      const random = randomFrom(seed);
      const before = diagnose(observedIn(world));
      const names = world.components.map(({ name }) => name);
      const any = (): string => names[Math.floor(random() * names.length)] ?? "";
      const changes = Array.from({ length: 4 }, () => change(any(), began - random() * 40 * minute));
      const after = diagnose({ ...observedIn(world), changes, logPatterns: [words(any())] });
      if (before.rootCause === "unknown") continue;
      expect([seed, after.rootCause, after.confidence]).toEqual([seed, before.rootCause, before.confidence]);
    }
  });

  it("name the true cause more often, and no wrong one, if the changed component broke", () => {
    const right = { without: 0, with: 0 };
    for (const { world } of worlds) {
      right.without += Number(diagnose(observedIn(world)).rootCause === world.cause);
      const changes = [change(world.cause, began - 2 * minute)];
      const { rootCause } = diagnose({ ...observedIn(world), changes });
      right.with += Number(rootCause === world.cause);
    }
    expect(right.with).toBeGreaterThanOrEqual(right.without);
  });

  it("change nothing if there are none", () => {
    for (const { world } of worlds.slice(0, 30)) {
      expect(diagnose({ ...observedIn(world), changes: [], logPatterns: [] })).toEqual(diagnose(observedIn(world)));
    }
  });
});

describe("otherwise indistinguishable candidates", () => {
  const tied: Observed = observedIn({
    components: parts(["shop > one, two", "one", "two"]),
    symptoms: [failing("shop", "shop-up")],
    greens: [],
    watched: new Set(["shop"]),
    at: began + 15 * minute,
  });
  const alone: Observed = observedIn({
    components: parts(["one", "two"]),
    symptoms: [failing("one", "one-up"), failing("two", "two-up")],
    greens: [],
    watched: new Set(["one", "two"]),
    at: began + 15 * minute,
  });

  it("are distinguished by a change just before the outage", () => {
    expect(diagnose(alone).rootCause).toBe("unknown");
    const { rootCause, change: named } = diagnose({ ...alone, changes: [change("two", began - minute)] });
    expect([rootCause, named?.id]).toEqual(["two", `two/${began - minute}`]);
  });

  it("stay unknown if both were changed, or if the change is too old or came later", () => {
    const both = [change("one", began - minute), change("two", began - minute)];
    for (const changes of [both, [change("two", began - 45 * minute)], [change("two", began + 5 * minute)]])
      expect(diagnose({ ...alone, changes }).rootCause).toBe("unknown");
  });

  it("are distinguished by log messages that name a cause, not by those that may be consequences", () => {
    expect(diagnose({ ...alone, logPatterns: [words("one")] }).rootCause).toBe("one");
    expect(diagnose({ ...alone, logPatterns: [words("one", { is_symptom: true })] }).rootCause).toBe("unknown");
  });

  it("does not make a working component a candidate because of a change", () => {
    const works: Observed = { ...tied, greens: [good("one", "one-up")] };
    const { rootCause } = diagnose({ ...works, changes: [change("one", began - minute)] });
    expect(rootCause).toBe(diagnose(works).rootCause);
  });
});
