import { describe, expect, it } from "vitest";
import { corpus, declareScenarios, isLong, scenariosOf } from "./corpus.ts";

describe.each(corpus)("$name", ({ tests }) => {
  it("is without mistakes", () => {
    expect("problems" in tests ? tests.problems : []).toEqual([]);
  });
});

declareScenarios((scenario) => !isLong(scenario));

it("holds at least 24 outages and 10 healthy days", () => {
  const all = corpus.flatMap(scenariosOf);
  const healthy = all.filter(({ expect: expected }) => expected === "silence").length;
  expect(all.length - healthy).toBeGreaterThanOrEqual(24);
  expect(healthy).toBeGreaterThanOrEqual(10);
});
