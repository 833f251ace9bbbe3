import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { commands, main } from "./main.ts";
import { memoryTerminal } from "./terminal/terminal.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const example = join(root, "examples/netra-staging/monitor.yaml");
const folder = mkdtempSync(join(tmpdir(), "pathkeeper-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const terminal = memoryTerminal();
  const code = await main(args, terminal);
  return { code, out: terminal.printed, err: terminal.noted };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const good = file(
  "good.yaml",
  `environment: shop
title: Shop
timezone: Asia/Kolkata
components: { shop: { layer: application }, database: { layer: platform } }
probes:
  page: { kind: http, component: shop, url: https://shop.example/ }
  search: { kind: http, component: shop, url: https://shop.example/search, schedule: 0 6 * * * }
  database: { kind: postgres, component: database, vantage: inside, connection: { url: { secret: database-url } } }
channels: { ops: { kind: email, to: [ops@shop.example], from: monitor@shop.example } }
routes: [{ channels: [ops] }]
`,
);

describe("invalid usage prints one line on standard error and exits with 2", () => {
  it.each([
    [["valdate"], 'pathkeeper: unknown command "valdate": did you mean "validate"?'],
    [["constructor"], 'pathkeeper: unknown command "constructor": the commands are '],
    [["validate", "--confg", "x"], "pathkeeper validate: unknown option --confg: did you mean --config? (usage: "],
    [["--versoin"], "pathkeeper: unknown option --versoin: did you mean --version?"],
    [
      ["beat", "backup"],
      'pathkeeper: the command "beat" is now called "heartbeat": write npx --no pathkeeper heartbeat',
    ],
    [["validate", "--config"], "pathkeeper validate: --config needs a value: write --config FILE (usage: "],
    [["validate", "--config", "--json"], "pathkeeper validate: --config needs a value: write --config FILE (usage: "],
    [["validate", "--json=yes"], "pathkeeper validate: --json takes no value (usage: "],
    [
      ["validate", "a.yaml", "b.yaml"],
      'pathkeeper validate: unexpected argument "b.yaml" (usage: npx --no pathkeeper validate [options] [FILE])',
    ],
    [
      ["validate", "a.yaml", "--config", "b.yaml"],
      "pathkeeper validate: two configurations given, a.yaml and b.yaml: specify only one (usage: ",
    ],
    [["schema", "tests"], 'pathkeeper schema: unexpected argument "tests": did you mean --tests? (usage: '],
    [
      ["test"],
      "pathkeeper test: FILE is missing: the files with tests (usage: npx --no pathkeeper test [options] FILE...)",
    ],
    [["validate", "--config", "/nowhere.yaml"], "pathkeeper validate: cannot read /nowhere.yaml: no such file"],
    [
      ["schema", "--json"],
      "pathkeeper schema: unknown option --json: the options are --tests (usage: npx --no pathkeeper schema [options])",
    ],
  ])("%j", async (args, message) => {
    const { code, out, err } = await run(...args);
    expect({ code, out, lines: err.length }).toEqual({ code: 2, out: [], lines: 1 });
    expect(err[0]).toContain(message);
    expect(err[0]).not.toContain("\n");
  });
});

describe("help", () => {
  it.each([[[]], [["--help"]], [["-h"]], [["help"]]])("%j lists the commands", async (args) => {
    const { code, out } = await run(...args);
    expect(code).toBe(0);
    expect(out.filter((line) => /^ {2}(validate|schema) /.test(line))).toHaveLength(2);
  });

  it.each([
    ["validate", "--help"],
    ["validate", "-h", "--nonsense"],
    ["help", "validate"],
  ])("%s %s prints the help of a command", async (...args) => {
    const { code, out } = await run(...args);
    expect([code, out[0]]).toEqual([0, "Usage: npx --no pathkeeper validate [options] [FILE]"]);
  });

  it.each(Object.keys(commands))("of %s explains every option, has an example and fits in 80 columns", async (name) => {
    const { out } = await run(name, "--help");
    const text = out.join("\n");
    expect(out.filter((line) => line.length > 80)).toEqual([]);
    for (const option of Object.keys((await commands[name]?.())?.options ?? {}))
      expect(text).toMatch(new RegExp(`^ {2}--${option}( [A-Z]+)? +\\S`, "m"));
    expect(text).toMatch(new RegExp(`^ {2}npx --no pathkeeper ${name}\\b`, "m"));
  });

  it("of the program fits in 80 columns", async () => {
    expect((await run("help")).out.filter((line) => line.length > 80)).toEqual([]);
  });

  it.each(["--version", "version"])("%s prints the version", async (argument) => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(await run(argument)).toEqual({ code: 0, out: [version], err: [] });
  });

  it("is not printed for an argument after --", async () => {
    expect((await run("validate", "--", "--help")).err[0]).toContain("cannot read --help");
  });
});

describe("validate", () => {
  it("shows each problem with its position, its line and a mark, then the number of problems", async () => {
    const bad = file("bad.yaml", "environment: shop\ntimezone: Mars\nprobe: {}\n");
    const { code, out } = await run("validate", "--config", bad);
    expect([code, ...out]).toEqual([
      1,
      `${bad}:2:11  invalid time zone "Mars": write an IANA name such as Europe/Berlin`,
      "    timezone: Mars",
      "              ^^^^",
      "",
      `${bad}:3:1  unknown key "probe": did you mean "probes"?`,
      "    probe: {}",
      "    ^^^^^",
      "",
      `2 problems in ${bad}`,
    ]);
  });

  it("never prints a possible secret", async () => {
    const text = readFileSync(good, "utf8")
      .replace("{ secret: database-url }", "postgres://u:hunter2@db/")
      .replace("to: [ops@shop.example]", "to: [ops@shop.example], server: smtp://u:hunter2@mail");
    const leaky = file("leaky.yaml", text);
    const human = await run("validate", "--config", leaky);
    const machine = await run("validate", "--config", leaky, "--json");
    expect([human.code, human.out.filter((line) => line.startsWith(leaky)).length]).toEqual([1, 2]);
    expect([...human.out, ...machine.out].join("\n")).not.toContain("hunter2");
  });

  it("shows the schedules of a valid file, in UTC and in its time zone", async () => {
    const { code, out } = await run("validate", "--config", good);
    expect([
      code,
      ...out.map((line) => line.replaceAll(/\d{4}-\d\d-\d\d \d\d/g, "YYYY-MM-DD HH").replaceAll(/HH:\d\d/g, "HH:MM")),
    ]).toEqual([
      0,
      `Shop (shop) from ${good}`,
      "  2 components, 3 probes, 0 rules, 0 baselines, 0 recovery stages, 1 channel, 1 route",
      "",
      "  component  role",
      "  shop       service",
      "  database   database",
      "",
      "  group                   schedule   next run, UTC     Asia/Kolkata      probes",
      "  outside-1m              every 1m   YYYY-MM-DD HH:MM  YYYY-MM-DD HH:MM  page",
      "  outside-cron-0-6-x-x-x  0 6 * * *  YYYY-MM-DD HH:MM  YYYY-MM-DD HH:MM  search",
      "  inside-1m               every 1m   YYYY-MM-DD HH:MM  YYYY-MM-DD HH:MM  database",
      "",
      expect.stringMatching(/^ {2}costs about \$\d+\.\d\d a month after the free tiers, /),
      "",
      `${good} is valid`,
    ]);
    expect(out.find((line) => line.includes("search"))).toMatch(/ 06:00 .* 11:30 /);
  });

  it("accepts the file as an operand, without --config", async () => {
    const named = await run("validate", good);
    expect(named).toEqual(await run("validate", "--config", good));
    expect([named.code, named.out.at(-1)]).toEqual([0, `${good} is valid`]);
  });

  it("prints JSON", async () => {
    const { code, out } = await run("validate", "--config", good, "--json");
    const { schedules, cost, roles, ...rest } = JSON.parse(out.join("\n"));
    expect(roles).toEqual({ shop: "service", database: "database" });
    expect(cost).toMatchObject({ environment: "shop", charged: expect.any(Number), lines: expect.any(Array) });
    expect([code, rest]).toEqual([0, { ok: true, problems: [], warnings: [], maintenance: [] }]);
    expect(schedules[1]).toEqual({
      group: "outside-cron-0-6-x-x-x",
      vantage: "outside",
      schedule: "0 6 * * *",
      cron: "0 6 * * *",
      next: expect.stringMatching(/^\d{4}-\d\d-\d\dT06:00:00\.000Z$/),
      probes: ["search"],
    });
  });

  it("accepts the example, with at most warnings about missing probes", async () => {
    const { code, out } = await run("validate", "--config", example, "--json");
    const { problems, warnings } = JSON.parse(out.join("\n")) as Record<string, { message: string }[]>;
    expect([code, problems]).toEqual([0, []]);
    expect(warnings?.filter(({ message }) => !/^(nothing watches|no probe yields) /.test(message))).toEqual([]);
  });

  it("accepts the rules and baselines of the first users as they wrote them", async () => {
    const rules = `environment: shop
monitoring_rules:
  - name: "VPC Connector Capacity Warning"
    condition: "vpc_connector_utilization > 70%"
    alert_duration: "5m"
    severity: "warning"
  - name: "Cloud SQL Pool Capacity Critical"
    condition: "cloud_sql_pool_utilization > 85%"
    alert_duration: "2m"
    severity: "critical"
  - name: "Database Connection Time Warning"
    condition: "avg_database_connection_time > 25s"
    alert_duration: "3m"
    severity: "warning"
baselines:
  database_connection_time: "<5.0s"
  vpc_connector_utilization: "<70%"
  cloud_sql_pool_utilization: "<80%"
  smd_phase_3_duration: "<20.0s"
  golden_path_e2e_time: "<30.0s"
  websocket_connection_success: "100%"
`;
    expect((await run("validate", "--config", file("rules.yaml", rules))).code).toBe(0);
  });

  it.each([
    ["condition: vpc_connector_utilization > 70", "4:44", "70%"],
    ["condition: vpc_conector_utilization > 70%", "4:16", "vpc_connector_utilization"],
    ["condition: vpc_connector_utilization >", "4:43", ""],
  ])("points into a condition: %s", async (condition, place, advice) => {
    const path = file(
      "condition.yaml",
      `environment: shop\nmonitoring_rules:\n  - name: A\n    ${condition}\n    severity: info\n`,
    );
    const { code, out } = await run("validate", "--config", path);
    expect([code, out[0]?.slice(0, path.length + 7)]).toEqual([1, `${path}:${place}  `]);
    expect(out[0]).toContain(advice);
  });

  it.each([
    ["database_conection_time: <5s", "3:3", "database_connection_time"],
    ["avg_database_connection_time: <5s", "3:3", "database_connection_time"],
    ["database_connection_time: <5", "3:30", "5s"],
    ['database_connection_time: "fast"', "3:30", ""],
  ])("points into a baseline: %s", async (baseline, place, advice) => {
    const path = file("baseline.yaml", `environment: shop\nbaselines:\n  ${baseline}\n`);
    const { code, out } = await run("validate", "--config", path);
    expect([code, out[0]?.startsWith(`${path}:${place}  `)]).toEqual([1, true]);
    expect(out[0]).toContain(advice);
  });
});

describe("schema", () => {
  it("prints the schema of test files, too", async () => {
    const { code, out } = await run("schema", "--tests");
    expect(code).toBe(0);
    expect(JSON.parse(out.join("\n"))).toMatchObject({ title: "Tests of a configuration", required: ["tests"] });
  });

  it("covers every kind, and every key of the example", async () => {
    const { code, out } = await run("schema");
    const schema = JSON.parse(out.join("\n"));
    const entry = (section: string) => schema.properties[section].additionalProperties;
    const kinds = (section: string) => entry(section).properties.kind.oneOf.map((one: { const: string }) => one.const);
    expect(code).toBe(0);
    expect(kinds("probes")).toEqual(expect.arrayContaining(["http", "postgres"]));
    expect(kinds("channels")).toEqual(expect.arrayContaining(["email", "webhook"]));
    const http = entry("probes").allOf.find((one: { if: object }) => JSON.stringify(one.if).includes('"http"')).then;
    expect(Object.keys(http.properties)).toEqual(
      expect.arrayContaining(["component", "schedule", "url", "expect", "extract"]),
    );
  });
});

describe("the launcher", () => {
  const launch = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

  it("forwards the exit code, and writes to a pipe without colours", () => {
    const { status, stdout, stderr } = launch("cli/pathkeeper.mjs", "validate", "--config", good);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("good.yaml is valid\n");
    expect(launch("cli/pathkeeper.mjs", "valdate").status).toBe(2);
  });
});
