/** Warnings of `validate` about rules and baselines that no probe of a file can feed, with the real kinds of probes. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { vocabulary } from "../cli/vocabulary.ts";
import { probers } from "../functions/probe/probers/index.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import { metricNames } from "../shared/metrics/catalogue.ts";
import { commonMetrics } from "../shared/metrics/yields.ts";
import { factsOf } from "../shared/probe-facts.ts";

const database = "kind: postgres, component: shop, connection: { host: db, user: u, password: { secret: p } }";
const journey = `kind: journey, component: shop, steps: [{ name: log in, http: { url: "https://a.example/" } }]`;
const health = `kind: http, component: shop, url: "https://a.example/"`;

/** Returns the warnings about one condition, with a probe of these settings. */
function warningsOf(settings: string, condition: string): string[] {
  return warnings(settings, `monitoring_rules: [{ name: Rule, condition: '${condition}', severity: warning }]`);
}

function warnings(settings: string, section: string): string[] {
  const text = `environment: test
components: { shop: { layer: application } }
probes: { one: { ${settings} } }
channels: { ops: { kind: slack, url: { secret: s } } }
routes: [{ channels: [ops] }]
${section}
`;
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  expect("problems" in loaded ? loaded.problems : []).toEqual([]);
  return loaded.warnings.map(({ message }) => message);
}

const nothing = ", so there is nothing to judge: ";

describe("warnings about rules whose metric no probe yields", () => {
  it.each([
    [database, "cloud_sql_pool_utilization > 85%", "add a probe of kind http that extracts it or postgres with pool"],
    [database, "database_connect_burst_success < 90%", "add a probe of kind postgres with burst"],
    [database, "database_connect_burst_time > 2s", "add a probe of kind postgres with burst"],
    [
      `${database}, burst: { connections: 0 }`,
      "database_connect_burst_success < 90%",
      "add a probe of kind postgres with burst",
    ],
    [health, "smd_phase_3_duration > 5s", "add a probe of kind http that extracts it"],
    [health, "http_cold_response_time > 5s", "add a probe of kind http with expect.max_time"],
    [journey, "golden_path_cleanup_success < 1", "add a probe of kind journey with cleanup"],
    [journey, 'golden_path_step_time{step="x"} > 2s', "the values of step are log in"],
    [journey, 'golden_path_step_time{step="login"} > 2s', 'did you mean "log in"?'],
    [
      health,
      'http_phase_time{phase="first"} > 2s',
      "the values of phase are dns, connect, tls, first_byte, headers, body",
    ],
  ])("%s · %s", (settings, condition, remedy) => {
    const [warning, ...others] = warningsOf(settings, condition);
    expect(warning).toMatch(/^no probe yields /);
    expect(warning?.endsWith(nothing + remedy)).toBe(true);
    expect(others).toEqual([]);
  });

  it.each([
    [`${database}, pool: { size: 5 }`, "cloud_sql_pool_utilization > 85%"],
    [
      `${database}, burst: { connections: 5 }`,
      "database_connect_burst_success < 90% and database_connect_burst_time > 2s",
    ],
    [journey, 'golden_path_step_time{step="log in"} > 2s'],
    [`${health}, extract: [{ metric: smd_phase_duration, path: $.a, each: phase }]`, "smd_phase_3_duration > 5s"],
    [health, "avg_http_response_time > 5s and probe_success > 0"],
  ])("are absent if a probe yields the metric: %s · %s", (settings, condition) => {
    expect(warningsOf(settings, condition)).toEqual([]);
  });

  it("include baselines of metrics that no probe yields", () => {
    expect(
      warnings(database, 'baselines: { cloud_sql_pool_utilization: "<80%", database_connection_time: "<1s" }'),
    ).toEqual([
      `no probe yields cloud_sql_pool_utilization${nothing}add a probe of kind http that extracts it or postgres with pool`,
    ]);
  });
});

describe("the kinds of probe", () => {
  it("yield every metric of the catalogue between them", () => {
    const yielded = new Set(Object.values(probers).flatMap((prober) => prober.yields().map(({ metric }) => metric)));
    expect(metricNames.filter((name) => !yielded.has(name) && !commonMetrics.includes(name))).toEqual([]);
  });

  it.each(Object.values(probers).map((prober) => [prober.kind, prober] as const))(
    "%s yields its metrics with the settings of its example, as plain data",
    (_, prober) => {
      const { timeout: _timeout, schedule: _schedule, ...example } = parse(prober.example) as Record<string, unknown>;
      const facts = factsOf(prober, prober.settings.parse(example));
      expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
      expect(facts.yields?.length).toBeGreaterThan(0);
    },
  );
});
