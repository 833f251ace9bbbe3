/** Settings of alert evaluation: missing data, relapses, and severities of probes. */
import { describe, expect, it } from "vitest";
import { type Loaded, loadConfiguration } from "./load.ts";
import type { Configuration } from "./model.ts";
import { vocabulary } from "./testdata/vocabulary.ts";

function loaded({ probe = "", component = "", rule = "", more = "" }): Loaded {
  const text = `environment: shop
components: { backend: { layer: application${component} } }
probes:
  web: { kind: http, component: backend, url: https://shop.example/${probe} }
monitoring_rules:
  - { name: Slow, condition: http_response_time > 2s, severity: info${rule} }
channels: { ops: { kind: email, to: [a@b.example] } }
routes: [{ channels: [ops] }]
${more}`;
  return loadConfiguration(text, "monitor.yaml", vocabulary);
}

function configurationOf(given: Parameters<typeof loaded>[0]): Configuration {
  const result = loaded(given);
  if ("problems" in result) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.configuration;
}

function problemsOf(given: Parameters<typeof loaded>[0]): string[] {
  const result = loaded(given);
  return "problems" in result ? result.problems.map(({ message }) => message) : [];
}

describe("missing", () => {
  it.each([
    ["", { missing: "keep" }],
    [", missing: keep", { missing: "keep", gone: "keep", noTraffic: "keep" }],
    [", missing: fire", { missing: "fire" }],
    [", missing: { series: keep }", { missing: "keep", gone: "keep", noTraffic: "clear" }],
    [", missing: { source: clear, traffic: fire }", { missing: "clear", gone: "clear", noTraffic: "fire" }],
  ])("written as %j", (rule, expected) => {
    const [{ missing, gone, noTraffic } = {}] = configurationOf({ rule }).rules;
    expect(JSON.parse(JSON.stringify({ missing, gone, noTraffic }))).toEqual(expected);
  });

  it.each([", missing: ignore", ", missing: { sources: keep }", ", missing: { series: ignore }"])(
    "refuses %j",
    (rule) => {
      expect(problemsOf({ rule })).not.toEqual([]);
    },
  );
});

describe("reopen_within", () => {
  it.each([
    ["", undefined],
    ["recovery: { reopen_within: 1h }", 3_600_000],
    ["recovery: { reopen_within: 0s }", 0],
  ])("written as %j", (more, expected) => {
    expect(configurationOf({ more }).recovery.reopenWithinMs).toBe(expected);
  });

  it("rejects a duration that is too long", () => {
    expect(problemsOf({ more: "recovery: { reopen_within: 2d }" })).toEqual(["must be from 0s to 1d"]);
  });
});

describe("the severity of a probe", () => {
  const warning =
    "the failure of backend has an impact, so it is critical unless a severity is stated: with info, an incident that only web detects is never more severe than that";

  it.each([
    [", severity: info", ", impact: Nobody can buy", [warning]],
    [", severity: info", "", []],
    [", severity: critical", ", impact: Nobody can buy", []],
    ["", ", impact: Nobody can buy", []],
    [", severity: info, alert: off", ", impact: Nobody can buy", []],
  ])("written as %j of a component with %j", (probe, component, expected) => {
    const { warnings } = loaded({ probe, component });
    expect(warnings.map(({ message }) => message)).toEqual(expected);
  });
});
