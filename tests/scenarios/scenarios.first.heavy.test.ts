import { describe, expect, it } from "vitest";
import { corpus, declareScenarios, isFirst, isReported, scenariosOf } from "./corpus.ts";

describe.each(corpus)("$name", ({ tests }) => {
  it("has no mistakes", () => {
    expect("problems" in tests ? tests.problems : []).toEqual([]);
  });
});

declareScenarios(isFirst);

describe.each(corpus.filter(isReported))("$name", (file) => {
  it.each(scenariosOf(file).map((scenario) => [scenario.name, scenario] as const))(
    "%s",
    (_, { source, expect: expected }) => {
      expect(source).toMatch(/^https:/);
      const incidents = expected === "silence" || !Array.isArray(expected.incidents) ? [] : expected.incidents;
      expect(incidents).toHaveLength(1);
      for (const { root_cause, never_says } of incidents) expect([root_cause, never_says]).not.toContain(undefined);
    },
  );
});

it("has at least 16 publicly reported outages, each with its source, cause and false statements", () => {
  const reported = corpus.filter(isReported).flatMap(scenariosOf);
  expect(new Set(reported.map(({ source }) => source)).size).toBeGreaterThanOrEqual(16);
});

it("has at least 24 outages and 10 healthy days", () => {
  const all = corpus.flatMap(scenariosOf);
  const healthy = all.filter(({ expect: expected }) => expected === "silence").length;
  expect(all.length - healthy).toBeGreaterThanOrEqual(24);
  expect(healthy).toBeGreaterThanOrEqual(10);
});
