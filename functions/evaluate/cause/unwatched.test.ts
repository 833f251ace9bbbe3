/** Unmonitored components: the failures that they may explain, and those that they may not. */
import { describe, expect, it } from "vitest";
import { diagnose, rank } from "./diagnose.ts";
import type { Symptom } from "./diagnosis.ts";
import { Evidence } from "./evidence.ts";
import { alarming, answered, began, cause, failing, good, observedIn, parts } from "./worlds.fixtures.ts";

const minute = 60_000;

describe("unmonitored components", () => {
  const lost = (name: string, phase = "connect"): Symptom =>
    failing(name, `${name}-inside`, {
      vantage: "inside",
      kind: "tcp",
      reach: "private",
      failure: { kind: "timeout", phase, message: "" },
    });
  const ground = ["one > way, region", "two > way, region", "way > region", "region"];

  it.each(["connector", "nat", "subnet"] as const)(
    "is the %s shared by private targets that time out, not the region below it",
    (way) => {
      for (const above of [[], ["shop > one, region", "desk > two, region"]])
        for (const phase of ["connect", "tls"]) {
          const components = parts([...above, ...ground], { one: "database", two: "cache", way, region: "region" });
          const felt = above.map((line) => failing(line.slice(0, 4), `${line.slice(0, 4)}-up`, answered(503)));
          expect(cause(components, [lost("one"), lost("two", phase), ...felt]).rootCause).toBe("way");
        }
    },
  );

  it("has higher confidence the more components share it", () => {
    const names = ["one", "two", "three"];
    const components = parts([...names.map((name) => `${name} > way`), "way"], {
      one: "database",
      two: "cache",
      three: "database",
      way: "connector",
    });
    const [two, three] = [2, 3].map((count) =>
      cause(
        components,
        names.slice(0, count).map((name) => lost(name)),
      ),
    );
    expect([two?.rootCause, three?.rootCause]).toEqual(["way", "way"]);
    expect(two?.confidence).toBeGreaterThanOrEqual(0.55);
    expect(three?.confidence).toBeGreaterThan(two?.confidence ?? 1);
  });

  it("is the path even if its utilization is normal, and unknown if another path is below it", () => {
    const names = ["one", "two", "three"];
    const lines = names.map((name) => `${name} > way`);
    const roles = { one: "database", two: "cache", three: "database", way: "connector", addresses: "subnet" } as const;
    const symptoms = names.map((name) => lost(name));
    const alone = cause(parts([...lines, "way"], roles), symptoms, [], ["way"]);
    expect(alone.rootCause).toBe("way");
    const deep = cause(parts([...lines, "way > addresses", "addresses"], roles), symptoms, [], ["way"]);
    expect(deep.rootCause).toBe("unknown");
    expect(
      deep.candidates
        ?.slice(0, 2)
        .map((one) => one.component)
        .sort(),
    ).toEqual(["addresses", "way"]);
  });

  it("is the shared dependency of two components regardless of the dependents of one of them", () => {
    const above = Array.from({ length: 12 }, (_, index) => `shop-${index}`);
    const components = parts([...above.map((name) => `${name} > one`), "one > way", "two > way", "way"], {
      one: "database",
      two: "cache",
      way: "connector",
    });
    const felt = above.map((name) => failing(name, `${name}-up`, answered(503)));
    expect(cause(components, [lost("one"), lost("two"), ...felt]).rootCause).toBe("way");
    expect(cause(components, [lost("one"), ...felt]).rootCause).toBe("one");
  });

  it("is not the region if a working component rejects the requests", () => {
    const components = parts(["one > region", "two > region", "three > region", "region"], { region: "region" });
    for (const status of [401, 403, 404, 429]) {
      const symptoms = ["one", "two", "three"].map((name) => failing(name, `${name}-up`, answered(status)));
      const found = cause(components, symptoms);
      expect(found.candidates?.map((one) => one.component)).not.toContain("region");
    }
  });

  it("may be slow while it responds, if no rule judges its latency", () => {
    const names = ["one", "two", "three", "four", "five"];
    const components = parts([...names.map((name) => `${name} > store`), "store"], { store: "storage" });
    const slow = names.map((name) => alarming(name, "slow", 0.7));
    const found = cause(components, slow, [good("store", "store-up")]);
    expect(found.candidates?.map((one) => one.component)).toContain("store");
  });

  it("is the shared dependency if no path carries both", () => {
    const components = parts(["shop > one, two", "one > under", "two > under", "under"], {
      one: "database",
      two: "cache",
      under: "platform",
    });
    const felt = failing("shop", "shop-up", answered(503));
    expect(cause(components, [lost("one"), lost("two"), felt]).rootCause).toBe("under");
  });

  it.each(["queue", "job"] as const)("is not the %s if services respond with errors and it has no symptoms", (role) => {
    for (const names of [
      ["one", "two"],
      ["one", "two", "three"],
    ]) {
      const components = parts([...names.map((name) => `${name} > shared`), "shared"], { shared: role });
      const symptoms = names.map((name) => failing(name, `${name}-up`, answered(503)));
      const seen = observedIn({ components, symptoms, greens: [], watched: new Set(names), at: began + 15 * minute });
      const ranked = rank(new Evidence(seen)).map(({ component }) => component);
      expect(ranked.slice(0, names.length).sort()).toEqual([...names].sort());
      expect(diagnose(seen).rootCause).not.toBe("shared");
      // With a sign of it, it is.
      const backlog = alarming("shared", "saturated", 0.9);
      expect(cause(components, [...symptoms, backlog]).rootCause).toBe("shared");
    }
  });

  it("is the queue if its consumers are idle", () => {
    const components = parts(["one > queue", "two > queue", "queue"], { queue: "queue" });
    const silent = ["one", "two"].map((name) => alarming(name, "missing", 0.9));
    expect(cause(components, silent).rootCause).toBe("queue");
  });
});
