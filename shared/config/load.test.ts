import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { assert, constantFrom, oneof, property, string, tuple } from "../../tests/support/chance.ts";
import { repetitions } from "../../tests/support/repetitions.ts";
import type { Problem } from "./file/problems.ts";
import { loadConfiguration } from "./load.ts";
import type { Configuration } from "./model.ts";
import { vocabulary } from "./testdata/vocabulary.ts";

const folder = new URL("./testdata/", import.meta.url);
const badFiles = readdirSync(folder).filter((name) => name.startsWith("invalid-"));

function load(text: string): Configuration {
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  if ("problems" in loaded) throw new Error(sentences(loaded.problems).join("\n"));
  return loaded.configuration;
}

function warningsOf(text: string): string[] {
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  return "problems" in loaded ? ["it has problems"] : sentences(loaded.warnings);
}

function sentences(problems: readonly Problem[]): string[] {
  return problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

describe("reports the errors of an invalid file, each with its position", () => {
  // Each file ends with the sentences expected, as comments below `# Problems:`.
  it.each(badFiles)("%s", (name) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    const expected = text.split("# Problems:\n")[1]?.trimEnd().split("\n");
    const loaded = loadConfiguration(text, name, vocabulary);
    expect("problems" in loaded && sentences(loaded.problems).map((sentence) => `# ${sentence}`)).toEqual(expected);
  });

  it("names the file and the path, and hides possible secrets", () => {
    const text = readFileSync(new URL("invalid-plain-secret.yaml", folder), "utf8");
    expect(loadConfiguration(text, "shop/monitor.yaml", vocabulary)).toMatchObject({
      problems: [
        {
          file: "shop/monitor.yaml",
          path: "probes.database.password",
          line: 4,
          column: 77,
          length: 7,
          confidential: true,
        },
      ],
    });
    expect(JSON.stringify(loadConfiguration(text, "shop/monitor.yaml", vocabulary))).not.toContain("hunter2");
  });

  it.each([
    ["timout", "timeout", "invalid-unknown-key.yaml"],
    ["backnd", "backend", "invalid-unknown-component-of-probe.yaml"],
    ["warnng", "warning", "invalid-wrong-severity.yaml"],
  ])("suggests for %s the name %s", (_, right, name) => {
    const loaded = loadConfiguration(readFileSync(new URL(name, folder), "utf8"), name, vocabulary);
    expect(loaded).toMatchObject({ problems: [{ suggestion: right }] });
  });
});

describe("defaults", () => {
  const base = `
environment: shop
components: { backend: { layer: application }, database: { layer: platform, depends_on: [backend] } }
`;
  const full = `${base}
probes:
  health: { kind: http, component: backend, url: https://a.example/health, slow: 2s }
  quick: { kind: http, component: backend, url: https://a.example/, schedule: every 5s, alert: off }
  database:
    kind: postgres
    component: database
    vantage: inside
    schedule: "*/15 * * * *"
    timeout: 20s
    alert_after: 5m
    host: 10.0.0.3
    password: { secret: db-password }
monitoring_rules:
  - { name: Slow, condition: http_response_time > 2s, severity: info }
  - { name: Down, component: backend, condition: probe_success > 0, alert_duration: 3m, clear_duration: 1m, severity: critical, missing: fire }
baselines: { http_response_time: "<2s" }
recovery: { stages: [{ name: basic, probes: [health] }] }
channels: { ops: { kind: email, to: [ops@a.example] } }
routes: [{ channels: [ops], severity: [critical], remind_every: 4h }]
`;

  it("of the file", () => {
    expect(load("environment: shop")).toEqual({
      environment: "shop",
      availability: { target: 0.99, components: {} },
      title: "shop",
      timezone: "Etc/UTC",
      components: [],
      probes: [],
      control: { outside: expect.objectContaining({ kind: "http" }) },
      rules: [],
      baselines: [],
      recovery: { stages: [] },
      channels: [],
      routes: [],
    });
  });

  it("of projects and regions: those of google_cloud, unless the probe sets its own", () => {
    const text = `${base}
google_cloud: { project: shop-staging, region: us-central1 }
probes:
  health: { kind: http, component: backend, url: https://a.example/health }
  service: { kind: cloud_run, component: backend, service: backend }
  elsewhere: { kind: cloud_run, component: backend, service: backend, region: europe-west1 }
`;
    const { googleCloud, probes } = load(text);
    expect(probes.map(({ secondhand }) => secondhand)).toEqual([undefined, true, true]);
    expect(googleCloud).toEqual({ project: "shop-staging", region: "us-central1" });
    expect(probes.map(({ settings }) => settings)).toEqual([
      { url: "https://a.example/health" },
      { project: "shop-staging", region: "us-central1", service: "backend" },
      { project: "shop-staging", region: "europe-west1", service: "backend" },
    ]);
    expect(load(text.replace(", region: us-central1", "").replace(/ {2}service.*\n/, "")).googleCloud).toEqual({
      project: "shop-staging",
    });
  });

  it("of components", () => {
    expect(load(base).components).toEqual([
      { name: "backend", title: "backend", layer: "application", role: "service", dependsOn: [] },
      { name: "database", title: "database", layer: "platform", role: "platform", dependsOn: ["backend"] },
    ]);
  });

  describe("of roles, from the configuration and the kinds of probes", () => {
    const of = (component: string, ...kinds: string[]): string => {
      const settings: Record<string, string> = {
        http: "url: https://a.example/",
        postgres: "host: a, password: { secret: p }",
        cloud_run: "project: some-project, region: us-central1, service: a",
      };
      const probes = kinds.map((kind, index) => `  p-${index}: { kind: ${kind}, component: part, ${settings[kind]} }`);
      return [
        "environment: shop",
        "components:",
        `  part: { ${component} }`,
        probes.length > 0 ? "probes:" : "",
        ...probes,
      ].join("\n");
    };
    it.each([
      ["what the file states", "title: Cloud SQL, layer: platform, role: cache", ["postgres"], "cache"],
      [
        "what its probes tell, whatever it is called",
        "title: Load balancer, layer: platform",
        ["postgres"],
        "database",
      ],
      [
        "what one of its probes tells, beside one that tells nothing",
        "layer: platform",
        ["http", "cloud_run"],
        "service",
      ],
      ["its layer, where no probe tells: platform", "title: Cloud SQL, layer: platform", ["http"], "platform"],
      ["its layer, where no probe tells: service", "title: Auth, layer: application", ["http"], "service"],
      ["its layer, where nothing watches it", "title: Redis cache, layer: platform", [], "platform"],
      ["nothing, where its probes disagree", "layer: platform", ["postgres", "cloud_run"], "unknown"],
      [
        "what the file states, where its probes disagree",
        "layer: platform, role: queue",
        ["postgres", "cloud_run"],
        "queue",
      ],
    ])("%s", (_, component, kinds, role) => {
      expect(load(of(component, ...kinds)).components).toMatchObject([{ name: "part", role }]);
    });

    it("requires the role if the probes disagree", () => {
      const { warnings } = loadConfiguration(
        of("layer: platform", "postgres", "cloud_run"),
        "monitor.yaml",
        vocabulary,
      );
      expect(warnings).toContainEqual(
        expect.objectContaining({
          path: "components.part",
          line: 3,
          message:
            "the probes of part disagree on what it is, postgres and cloud_run: write its role, such as role: service",
        }),
      );
    });

    it("lists the roles for an invalid one", () => {
      const loaded = loadConfiguration(of("layer: platform, role: databse"), "monitor.yaml", vocabulary);
      expect("problems" in loaded && loaded.problems[0]?.message).toContain('"database"');
    });
  });

  it("of the control probe, only from outside", () => {
    const shop = (control: string) => load(`environment: shop\ncontrol: ${control}`).control;
    const url = "https://www.gstatic.com/generate_204";
    const known = { name: "control", kind: "http", timeoutMs: 5_000, alert: false };
    const settings = { url: "https://known.example/" };
    expect(load("environment: shop").control).toMatchObject({ outside: { ...known, settings: { url } } });
    expect(load("environment: shop").control).not.toHaveProperty("inside");
    expect(shop("off")).toBeUndefined();
    expect(shop("{ kind: http, url: https://known.example/, timeout: 2s }")).toMatchObject({
      outside: { ...known, timeoutMs: 2_000, vantage: "outside", settings },
      inside: { ...known, timeoutMs: 2_000, vantage: "inside", settings },
    });
    const inside = "{ inside: { kind: http, url: https://known.example/ } }";
    expect(shop(inside)).toMatchObject({ outside: { settings: { url } }, inside: { vantage: "inside", settings } });
    expect(shop("{ outside: off }")).toEqual({});
  });

  it("of rechecks", () => {
    const rechecks = load(full.replace("slow: 2s", "recheck: off")).probes.map(({ recheck }) => recheck);
    expect(rechecks).toEqual([false, undefined, undefined]);
  });

  it("of probes: settings stay as written, and a short interval shortens the timeout", () => {
    expect(load(full).probes).toEqual([
      {
        name: "health",
        kind: "http",
        component: "backend",
        vantage: "outside",
        schedule: "every 1m",
        group: "outside-1m",
        timeoutMs: 10_000,
        alert: { afterMs: 120_000, severity: "critical" },
        reach: "users",
        yields: [{ metric: "http_response_time" }],
        settings: { url: "https://a.example/health", slow: "2s" },
      },
      {
        name: "quick",
        kind: "http",
        component: "backend",
        vantage: "outside",
        schedule: "every 5s",
        group: "outside-5s",
        timeoutMs: 5_000,
        alert: false,
        reach: "users",
        yields: [{ metric: "http_response_time" }],
        settings: { url: "https://a.example/" },
      },
      {
        name: "database",
        kind: "postgres",
        component: "database",
        vantage: "inside",
        schedule: "*/15 * * * *",
        group: "inside-15m",
        timeoutMs: 20_000,
        alert: { afterMs: 300_000, severity: "warning" },
        reach: "private",
        yields: [{ metric: "database_connection_time" }],
        settings: { host: "10.0.0.3", password: { secret: "db-password" } },
      },
    ]);
  });

  it("of rules: a rule clears after as long as it takes to fire", () => {
    expect(load(full).rules).toEqual([
      {
        name: "Slow",
        condition: "http_response_time > 2s",
        alertDurationMs: 0,
        clearDurationMs: 0,
        severity: "info",
        missing: "keep",
      },
      {
        name: "Down",
        component: "backend",
        condition: "probe_success > 0",
        alertDurationMs: 180_000,
        clearDurationMs: 60_000,
        severity: "critical",
        missing: "fire",
      },
    ]);
    expect(load(full.replace("clear_duration: 1m, ", "")).rules[1]?.clearDurationMs).toBe(180_000);
  });

  it("of capacity: three connections are reserved, and a connector carries fifty", () => {
    const text = `${base}
capacity:
  services: { backend: { max_instances: 4, pool: { size: 5 } } }
  database: { max_connections: 100 }
  connector: {}
`;
    expect(load(text).capacity).toEqual({
      services: [{ name: "backend", maxInstances: 4, pool: { size: 5, overflow: 0 } }],
      database: { maxConnections: 100, reserved: 3 },
      connector: { connections: 50 },
    });
    expect(warningsOf(text.replace("max_instances: 4", "max_instances: 20"))).toContain(
      "7:3 backend may open 20 x 5 = 100 connections, and the database allows 97 (max_connections 100 less 3 reserved): lower max_instances or the pools, or raise max_connections",
    );
  });

  it("of baselines, stages, channels and routes", () => {
    const { baselines, recovery, channels, routes } = load(full);
    expect({ baselines, recovery, channels, routes }).toEqual({
      baselines: [{ metric: "http_response_time", expectation: "<2s" }],
      recovery: { stages: [{ name: "basic", probes: ["health"] }] },
      channels: [{ name: "ops", kind: "email", settings: { to: ["ops@a.example"] } }],
      routes: [{ channels: ["ops"], severity: ["critical"], remindEveryMs: 14_400_000 }],
    });
  });

  it("of anchors, aliases and merge keys", () => {
    const text = `${base}
probes:
  one: &web { kind: http, component: backend, url: https://a.example/one, timeout: 3s }
  two: { <<: *web, url: https://a.example/two }
`;
    expect(load(text).probes.map(({ settings, timeoutMs }) => [settings["url"], timeoutMs])).toEqual([
      ["https://a.example/one", 3_000],
      ["https://a.example/two", 3_000],
    ]);
  });
});

describe("warnings", () => {
  const head = `environment: shop
components: { backend: { layer: application } }
probes:
  health: { kind: http, component: backend, url: https://a.example/ }
channels: { ops: { kind: email, to: [a@b.example] } }
routes: [{ channels: [ops] }]
`;

  it.each([
    ["nothing", head, []],
    [
      "a rule on what no kind of probe yields yet",
      `${head}monitoring_rules:\n  - { name: Busy, condition: vpc_connector_instances > 3, severity: info }\n`,
      ["8:30 no probe yields vpc_connector_instances, so there is nothing to judge"],
    ],
    [
      "a rule on what a probe would have to extract",
      `${head}monitoring_rules:\n  - { name: Busy, condition: cloud_sql_pool_utilization > 80%, severity: info }\n`,
      [
        "8:30 no probe yields cloud_sql_pool_utilization, so there is nothing to judge: add a probe of kind http that extracts it or postgres with user",
      ],
    ],
    [
      "no doubt about what a probe extracts, or measures by itself",
      `${head.replace("example/ }", "example/, extract: { pool: cloud_sql_pool_utilization } }")}monitoring_rules:
  - { name: Busy, condition: cloud_sql_pool_utilization > 80%, severity: info }
  - { name: Slow, condition: http_response_time > 2s, severity: info }
  - { name: Down, condition: probe_success > 0, severity: info }
`,
      [],
    ],
    [
      "a rule on what the settings of a probe leave out",
      `${head.replace("probes:", "probes:\n  db: { kind: postgres, component: backend, host: db, password: { secret: a } }")}monitoring_rules:
  - { name: Busy, condition: cloud_sql_pool_utilization > 80%, severity: info }
`,
      [
        "9:30 no probe yields cloud_sql_pool_utilization, so there is nothing to judge: add a probe of kind http that extracts it or postgres with user",
      ],
    ],
    [
      "a rule on a value of a label that there is not",
      `${head.replace("example/ }", "example/, steps: [log in, reply] }")}monitoring_rules:
  - { name: Slow, condition: 'golden_path_step_time{step="replay"} > 2', severity: info }
  - { name: Odd, condition: 'golden_path_step_time{step="x"} > 2', severity: info }
  - { name: Fine, condition: 'golden_path_step_time{step="reply"} > 2', severity: info }
`,
      [
        '8:30 no probe yields golden_path_step_time with the step "replay", so there is nothing to judge: did you mean "reply"?',
        '9:29 no probe yields golden_path_step_time with the step "x", so there is nothing to judge: the values of step are log in, reply',
      ],
    ],
    [
      "a rule on a probe that does not yield its metric",
      `${head.replace("probes:", "probes:\n  db: { kind: postgres, component: backend, host: db, password: { secret: a } }")}monitoring_rules:
  - { name: Slow, condition: 'http_response_time{probe="db"} > 2', severity: info }
`,
      [
        "9:30 http_response_time is not yielded by the probes that are selected here, so there is nothing to judge: health yields it",
      ],
    ],
    [
      "a baseline of what no probe yields",
      `${head}baselines: { database_connection_time: <1.0s, http_response_time: <1.0s }\n`,
      ["7:14 no probe yields database_connection_time, so there is nothing to judge: add a probe of kind postgres"],
    ],
    [
      "a component that nothing watches",
      head.replace("application }", "application }, cache: { layer: platform }"),
      ["2:48 nothing watches cache: give a probe or a rule component: cache"],
    ],
    [
      "a channel that no route uses",
      head.replace("channels: {", "channels: { boss: { kind: email, to: [b@b.example] },"),
      ["5:13 no route uses boss: nothing is ever sent there"],
    ],
    [
      "a route for other environments only",
      head.replace("routes: [{", "routes: [{ environments: [warehouse], channels: [ops] }, {"),
      ["6:12 this route tells of nothing in this file: the environment here is shop"],
    ],
    [
      "nobody who is told",
      head.replace(/routes.*/, ""),
      ["1:1 there are no routes: incidents are recorded, but nobody is notified"],
    ],
    [
      "nothing at all",
      "environment: shop\n",
      [
        "1:1 there are no probes: nothing is watched",
        "1:1 there are no routes: incidents are recorded, but nobody is notified",
      ],
    ],
  ])("%s", (_, text, expected) => {
    expect(warningsOf(text)).toEqual(expected);
  });
});

describe("any text", () => {
  it("gives a configuration or problems inside the text, and never throws", () => {
    const words = constantFrom(
      ...[
        "environment",
        "components",
        "probes",
        "kind",
        "http",
        "<<",
        "&a",
        "*a",
        ": ",
        ":\n",
        "- ",
        "\n  ",
        "\n",
        "[",
        "]",
      ],
      ...[
        "{",
        "}",
        '"',
        "'",
        "#",
        "|",
        ">",
        "!!map",
        "---",
        "?",
        "__proto__",
        "constructor",
        "routes",
        "baselines",
        "\t",
      ],
    );
    const pieces = tuple(...Array.from({ length: 14 }, () => oneof({ weight: 6, arbitrary: words }, string())));
    const anyText = oneof(
      string(),
      pieces.map((parts) => parts.join("")),
      pieces.map((parts) => `environment: a\n${parts.join("")}`),
    );
    assert(
      property(anyText, (text) => {
        const loaded = loadConfiguration(text, "f", vocabulary);
        if (!("problems" in loaded)) return loaded.configuration.environment !== "";
        const lines = text.split("\n").length;
        return (
          loaded.problems.length > 0 && loaded.problems.every((p) => p.line >= 1 && p.line <= lines && p.column >= 1)
        );
      }),
      { numRuns: repetitions(500) },
    );
  });

  it("rejects unbounded nesting", () => {
    const loaded = loadConfiguration(`environment: ${"[".repeat(20_000)}`, "f", vocabulary);
    expect("problems" in loaded && loaded.problems.map((problem) => problem.message)).toEqual([
      "invalid YAML: it is nested too deeply",
    ]);
  });
});
