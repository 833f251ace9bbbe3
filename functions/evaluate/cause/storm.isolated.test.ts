/** An outage in which every component fails: what it costs, counted, because a time would say more of the machine than of the code. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Component, Configuration } from "../../../shared/config/model.ts";
import { Bench, component, failing, probe, smallEnvironment } from "../fixtures.ts";
import { ComponentGraph } from "../graph.ts";
import * as rootCause from "./diagnose.ts";

vi.mock("./diagnose.ts", { spy: true });
afterEach(() => {
  vi.restoreAllMocks();
});

/** A database with tiers of services above it. Each service depends on two of the tier below and on its own proxy. */
function tiers(count: number): Configuration {
  const parts: Component[] = [component("base", "Base", "platform")];
  for (let index = 1; index < count; index++) {
    const needs = [Math.floor(index / 2), Math.floor(index / 3)].map((at) => parts[at]?.name ?? "base");
    parts.push(component(`part-${index}`, `Part ${index}`, index % 3 === 0 ? "platform" : "application", needs));
  }
  const probes = parts.map(({ name }) => probe(`${name}-up`, name));
  return { ...smallEnvironment, components: parts, probes, rules: [], recovery: { stages: [] } };
}

/** Plays an outage of everything. */
async function outage(count: number): Promise<{ walks: number; rankings: number; causes: string[] }> {
  const configuration = tiers(count);
  const walks = vi.spyOn(ComponentGraph.prototype, "dependentsOf");
  const rankings = vi.mocked(rootCause.wouldExplain);
  rankings.mockClear();
  const bench = new Bench(configuration);
  await bench.minute();
  const bad = Object.fromEntries(configuration.probes.map(({ name }) => [name, failing("http_status/response")]));
  for (let minute = 0; minute < 5; minute++) await bench.minute(bad);
  const incidents = await bench.incidents();
  const result = {
    walks: walks.mock.calls.length,
    rankings: rankings.mock.calls.length,
    causes: incidents.map(({ fields }) => String(fields["root_cause"])),
  };
  walks.mockRestore();
  return result;
}

describe("an outage of every component", () => {
  it("costs about twice as much for twice as many components, and is one incident of their common dependency", async () => {
    const small = await outage(60);
    const large = await outage(120);
    expect([small.causes, large.causes]).toEqual([["base"], ["base"]]);
    expect(large.walks).toBeLessThanOrEqual(3 * small.walks + 100);
  });

  it("assigns an alert without ranking if only one incident is related and began at the same time", async () => {
    expect((await outage(30)).rankings).toBe(0);
  });
});
