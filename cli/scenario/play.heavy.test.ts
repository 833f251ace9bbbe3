import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadTests } from "./file/load.ts";
import { clock, judge } from "./judge.ts";
import { instantOf, type Played, play } from "./play.ts";
import { scenarioOf, shopText } from "./scenario.fixtures.ts";
import { timelineOf } from "./timeline.ts";

/** Plays a test. @returns what came of it, and the expectations that it did not meet, as `about: found` */
async function played(body: string): Promise<{ played: Played; missed: string[] }> {
  const outcome = await play(await scenarioOf(body));
  return { played: outcome, missed: judge(outcome).map(({ about, found }) => `${about}: ${found}`) };
}

/** Incidents in one line each: `database 4m to 12m1s`. */
function shown({ incidents, scenario: { start } }: Played): string[] {
  return incidents.map(({ fields }) => {
    const [from, to] = [instantOf(fields, "opened_at"), instantOf(fields, "resolved_at")];
    return `${fields["root_cause"]} ${clock(from - start)} ${Number.isNaN(to) ? fields["status"] : `to ${clock(to - start)}`}`;
  });
}

describe("a scenario", () => {
  it("without statements causes no alerts, whatever the rules use", async () => {
    const { played: quiet, missed } = await played("until: 3h\nexpect: silence\n");
    expect([shown(quiet), missed]).toEqual([[], []]);
  });

  it("fails by series as by timeline", async () => {
    const { played: one } = await played("timeline: { from 2m to 6m: database fails }\nexpect: { incidents: 1 }\n");
    const { played: other } = await played(
      'series: { database: "ok x2, fail x4, ok x30" }\nexpect: { incidents: 1 }\n',
    );
    expect(shown(other)).toEqual(shown(one));
    expect(shown(one)).toEqual([expect.stringMatching(/^\w+ 4m to 8m(\d+s)?$/)]);
  });

  it("takes values from series, and evaluates rules on them", async () => {
    const body = `series: { database_connection_time: 0.02x4 9x5 0.02x30 }
until: 30m
expect:
  alerts:
    at 4m30s: { Database slow: inactive }
    at 6m30s: { Database slow: pending }
    at 8m: { Database slow: firing }
    at 20m: { Database slow: inactive }
  incidents: [{ severity: warning, status: resolved, opened_within: 3m after 5m, alerts: [Database slow] }]
`;
    expect((await played(body)).missed).toEqual([]);
  });

  it("lets operators acknowledge, and notifies the channel that the route selects", async () => {
    const body = `timeline:
  from 2m to 10m: [database fails, shop-health fails]
  at 6m: acknowledge "on it"
expect:
  incidents:
    - { severity: critical, status: resolved, events: [opened, ..., acknowledged, ..., resolved], impact: Nobody can order, at 5m: { status: open }, at 8m: { status: acknowledged } }
  notifications: { hook: [{ event: opened, text: "NEW INCIDENT", within: 3m }, ..., resolved] }
`;
    const { missed, played: outcome } = await played(body.replace(', text: "NEW INCIDENT"', ""));
    expect(missed).toEqual([]);
    expect(timelineOf(outcome).map(({ by }) => by)).toEqual(
      expect.arrayContaining(["timeline", "alert", "incident", "notice"]),
    );
  });

  it("suppresses silenced notifications, with the reason", async () => {
    const body = `timeline:
  from 2m to 10m: database fails
  at 1m: silence everything for 1h "planned"
expect:
  notifications: {}
  suppressed: [{ channel: hook, event: opened, reason: planned }]
`;
    expect((await played(body)).missed).toEqual([]);
  });

  it("delivers when the channel is available again", async () => {
    const body = `timeline:
  from 2m to 30m: database fails
  from 2m to 8m: channel hook answers 503
expect:
  notifications: { hook: [{ event: opened, within: 10m }, ...] }
`;
    expect((await played(body)).missed).toEqual([]);
    const late = body.replace("within: 10m", "within: 3m");
    expect((await played(late)).missed).toEqual([expect.stringMatching(/^channel hook, opened: delivered at \d+m/)]);
  });

  it("has the same result with late and duplicate reports", async () => {
    const outage = "timeline:\n  from 2m to 9m: database fails\n";
    const { played: plain } = await played(`${outage}expect: { incidents: 1 }\n`);
    const { played: late } = await played(
      `${outage}  from 3m to 6m: reports from inside come 90s late\nexpect: { incidents: 1 }\n`,
    );
    const { played: twice } = await played(
      `${outage}  from 0s: reports come twice, 40s apart\nexpect: { incidents: 1 }\n`,
    );
    expect(shown(late).map((line) => line.split(" ").slice(0, 2))).toEqual(
      shown(plain).map((line) => line.split(" ").slice(0, 2)),
    );
    expect(shown(twice)).toEqual(shown(plain));
  });

  it.each([
    ["incidents: 2", ["incident 2: no incident"]],
    ["incidents: []", [expect.stringMatching(/^incidents: \d{8}-\d{6}-/)]],
    ["incidents: [{ severity: info }]", ["incident 1, severity: warning"]],
    ["incidents: [{ opened_within: 1m }]", ["incident 1, opened_within: it opened at 4m"]],
    [
      "incidents: [{ resolved_within: 1m }]",
      [expect.stringMatching(/^incident 1, resolved_within: it was resolved at 8m/)],
    ],
    ["incidents: [{ events: [opened, resolved] }]", ["incident 1, events: opened, recovering, resolved"]],
    ["incidents: [{ also_broken: shop }]", ["incident 1, also_broken: nothing else is called broken"]],
    ["incidents: [{ components: [shop, database] }]", [expect.stringMatching(/^incident 1, components: /)]],
    ["incidents: [{ evidence: elephants }]", [expect.stringMatching(/^incident 1, evidence: /)]],
    ["incidents: [{ whys: elephants }]", [expect.stringMatching(/^incident 1, whys: /)]],
    ["incidents: [{ next_steps: elephants }]", [expect.stringMatching(/^incident 1, next_steps: /)]],
    ["incidents: [{ first_step: elephants }]", [expect.stringMatching(/^incident 1, first_step: /)]],
    ["incidents: [{ never_says: DATABASE }]", [expect.stringMatching(/^incident 1, never_says: .*database/)]],
    ["incidents: [{ never_says: [elephants, giraffes] }]", []],
    ["incidents: [{ at 1m: { status: open } }]", ["incident 1, at 1m: it was not open yet"]],
    ["alerts: { at 3m: { database failing: firing } }", ['at 3m, alert "database failing": pending']],
    [
      "notifications: {}",
      [expect.stringMatching(/^channel hook: opened at 4m10s, (recovering at 8m, )?resolved at 8m/)],
    ],
    ["suppressed: [{ channel: hook, event: opened }]", ["suppressed for hook: nothing was withheld"]],
  ])("fails if %s does not hold", async (expectation, expected) => {
    const { missed } = await played(
      `timeline: { from 2m to 6m: database fails }\nuntil: 20m\nexpect: { ${expectation} }\n`,
    );
    expect(missed.map((line) => line.replace(/: joined: .*/, "").replaceAll("\n", " "))).toEqual(expected);
  });
});

describe("exclusions", () => {
  const outage = "timeline: { from 2m to 10m: [database fails] }\n";

  it("are reported if present", async () => {
    const body = `${outage}expect:
  incidents:
    - not: { root_cause: database, components: [database], alerts: [database failing], title: Database, timeline: [Opened by] }
  notifications: { hook: [{ event: opened, not: Database }, ...] }
`;
    const { missed } = await played(body.replaceAll("Database", "database"));
    expect(missed.map((line) => line.split(":")[0])).toEqual([
      "incident 1, not root_cause",
      "incident 1, not components",
      "incident 1, not alerts",
      "incident 1, not title",
      "incident 1, not timeline",
      "channel hook, opened",
    ]);
  });

  it("pass if absent", async () => {
    const body = `${outage}expect:
  incidents:
    - verdict: [application, platform]
      severity: [warning, critical]
      not: { root_cause: [connector, unknown], components: [connector], alerts: [search failing], title: Weather, postmortem: Weather }
  notifications: { hook: [{ event: opened, not: [Weather, Storm] }, ...] }
`;
    expect((await played(body)).missed).toEqual([]);
  });

  it("accept lists of allowed values", async () => {
    const { missed } = await played(`${outage}expect: { incidents: [{ verdict: [monitor, unknown] }] }\n`);
    expect(missed).toEqual([expect.stringMatching(/^incident 1, verdict: (platform|application)$/)]);
  });
});

describe("findings of configuration checks", () => {
  const ground = `config:
  environment: shop
  components: { connector: { layer: platform }, settings: { layer: platform } }
  probes:
    settings:
      kind: gcp_configuration
      component: settings
      project: shop-staging
      region: us-central1
      schedule: every 1m
      network: { name: default }
      vpc_connector: { name: shop-connector, max_instances: 10 }
  monitoring_rules:
    - { name: Critical findings, component: connector, condition: 'configuration_ok{severity="critical"} == 0', severity: critical }
    - { name: One resource, component: connector, condition: 'configuration_ok{check="vpc_connector_state", resource="staging"} == 0', severity: warning }
tests:
`;
  const played = async (name: string, sentence: string, alerts: string, later = ""): Promise<string[]> => {
    const body = `  - name: ${name}
    timeline: { from 5m to 15m: '${sentence}' }
    expect: { alerts: { at 10m: ${alerts}${later === "" ? "" : `, ${later}`} } }
`;
    const loaded = await loadTests(`${ground}${body}`, "it.yaml");
    if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
    const failures = await Promise.all(loaded.scenarios.map(async (scenario) => judge(await play(scenario))));
    return failures.flat().map(({ about, found }) => `${about}: ${found}`);
  };

  it("match rules on their severity and resource", async () => {
    expect(
      await played(
        "both",
        'check vpc_connector_state{resource="staging", severity="critical"} of settings finds "private"',
        "{ Critical findings: firing, One resource: firing, settings failing: firing }",
        "at 20m: { Critical findings: inactive, One resource: inactive, settings failing: inactive }",
      ),
    ).toEqual([]);
    expect(
      await played(
        "another resource",
        'check vpc_connector_state{resource="production", severity="info"} of settings finds "private"',
        "{ Critical findings: inactive, One resource: inactive, settings failing: inactive }",
      ),
    ).toEqual([]);
  });
});

it("reads a configuration by its absolute path", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-absolute-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, "elsewhere.yaml");
  writeFileSync(config, shopText);
  const tests = "tests: [{ name: A quiet day, expect: silence }]\n";
  expect(await loadTests(`config: ${config}\n${tests}`, "tests/it.yaml")).toHaveProperty("scenarios");
  const missing = await loadTests(`config: ${config}.not\n${tests}`, "tests/it.yaml");
  expect("problems" in missing && missing.problems.map(({ message }) => message)).toEqual([
    `configuration ${config}.not not found: set config to its path, relative to this file`,
  ]);
});

it("accepts a Cloud Monitoring reading only from a probe that is configured for its unit", async () => {
  const text = `config:
  environment: shop
  components: { queue: { layer: platform } }
  probes:
    lag: { kind: cloud_monitoring, component: queue, project: shop-staging, metric_type: pubsub.googleapis.com/subscription/oldest_unacked_message_age, metric: cloud_monitoring_seconds, aligner: ALIGN_MAX, reducer: REDUCE_MAX, labels: { name: lag } }
tests:
  - name: it
    timeline: { from 5m to 15m: SENTENCE }
    expect: { incidents: 0 }
`;
  expect(await loadTests(text.replace("SENTENCE", "cloud_monitoring_seconds is 90s"), "it.yaml")).toHaveProperty(
    "scenarios",
  );
  const other = await loadTests(text.replace("SENTENCE", "cloud_monitoring_ratio is 90%"), "it.yaml");
  expect("problems" in other && other.problems.map(({ message }) => message)).toEqual([
    "no probe of the configuration yields cloud_monitoring_ratio: say whose it is, as in cloud_monitoring_ratio of PROBE is …",
  ]);
});

describe("rules on several series", () => {
  const tests = `config:
  environment: shop
  components: { red: { layer: application }, blue: { layer: application }, db: { layer: platform } }
  control: off
  probes:
    a: { kind: http, component: red, url: https://a.example/, alert: off }
    b: { kind: http, component: blue, url: https://b.example/, alert: off, extract: [{ metric: database_connections, path: $.n, unit: count }] }
    c: { kind: postgres, component: db, vantage: inside, connection: { url: { secret: x } }, alert: off }
    served: { kind: cloud_monitoring, component: red, project: shop-staging, metric_type: run.googleapis.com/request_count, metric: cloud_monitoring_count, aligner: ALIGN_MAX, reducer: REDUCE_MAX, labels: { name: served }, schedule: every 1m, alert: off }
  monitoring_rules:
    - { name: Three fail, component: red, condition: count(probe_success == 0) >= 3, alert_duration: 2m, severity: critical }
    - { name: All connections, component: db, condition: sum(database_connections) > 3, alert_duration: 2m, severity: warning }
    - { name: Slower than before, component: red, condition: http_response_time > 3 * http_response_time offset 30m, alert_duration: 2m, severity: warning }
    - { name: Busy, component: red, condition: "rate(cloud_monitoring_count, 5m) > 0.5", alert_duration: 2m, severity: warning }
tests:
`;
  const missed = async (body: string): Promise<string[]> => {
    const loaded = await loadTests(`${tests}  - name: it\n${body.replaceAll(/^(?=.)/gm, "    ")}`, "it.yaml");
    if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
    const failures = await Promise.all(loaded.scenarios.map(async (scenario) => judge(await play(scenario))));
    return failures.flat().map(({ about, found }) => `${about}: ${found}`);
  };

  it("do not fire while everything is healthy", async () => {
    expect(await missed("until: 2h\nexpect: silence\n")).toEqual([]);
  });

  it.each([
    // Inside and outside are two groups of probes, of which no report knows both.
    [
      "count across groups of probes",
      "from 10m to 20m: [a fails, b fails, c fails]",
      "at 14m: { Three fail: firing }, at 25m: { Three fail: inactive }",
    ],
    ["do not count what is healthy", "from 10m to 20m: [a fails, b fails]", "at 14m: { Three fail: inactive }"],
    // Neither of them is beyond the limit.
    [
      "add up across groups of probes",
      "from 10m to 20m: [database_connections is 2]",
      "at 14m: { All connections: firing }",
    ],
    [
      "look back",
      "from 40m to 50m: ['http_response_time{probe=\"a\"} is 8s']",
      "at 44m: { Slower than before: firing }",
    ],
  ])("%s", async (_, what, alerts) => {
    expect(await missed(`timeline: { ${what} }\nexpect: { alerts: { ${alerts} } }\n`)).toEqual([]);
  });

  it("continue across a counter reset", async () => {
    const body = `series: { cloud_monitoring_count: 0+60x12 0+60x12 }
expect:
  alerts: { at 8m: { Busy: firing }, at 14m: { Busy: firing }, at 16m: { Busy: firing }, at 20m: { Busy: firing } }
  incidents: [{ alerts: [Busy], events: [opened, ..., resolved] }]
`;
    expect(await missed(body)).toEqual([]);
  });
});
