import { describe, expect, it } from "vitest";
import { metricNamed } from "../../../shared/metrics/catalogue.ts";
import { patterns } from "../cause/knowledge/patterns.ts";
import { compileCondition } from "../condition/index.ts";
import { remedies } from "./prevention.ts";

/** Ways to fail that are no component's; see cause/elsewhere.ts. */
const elsewhere = ["the monitor's own trouble", "platform-wide", "fails by itself"];

describe("the remedies", () => {
  it("cover every failure pattern, and no other", () => {
    expect(Object.keys(remedies).sort()).toEqual([...patterns.map(({ name }) => name), ...elsewhere].sort());
    for (const own of Object.values(remedies)) expect(own.length).toBeGreaterThan(0);
  });

  it("propose valid rules on existing metrics", () => {
    const spans = Object.values(remedies)
      .flat()
      .flatMap((remedy) => [...remedy("It", null).matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span));
    const conditions = spans.filter((span) => / [<>] /.test(span));
    const metrics = spans.filter((span) => /^(database|cloud|tls|vpc)_\w+$/.test(span));
    expect(conditions.length).toBeGreaterThan(1);
    expect(metrics.length).toBeGreaterThan(2);
    for (const condition of conditions) compileCondition(condition, { windowMs: 0 });
    for (const metric of metrics) expect(metricNamed(metric), metric).toBeDefined();
  });
});
