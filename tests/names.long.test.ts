/** Names that every object inherits, such as `constructor`, are names like any other: from the file through every function to the page. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { configurationOf } from "../cli/commands/replay.fixtures.ts";
import { VirtualWorld } from "../cli/virtual/world.ts";
import { sender } from "../functions/notify/deliver/send.ts";
import { pageWriter, refreshPages } from "../functions/notify/pages/writer.ts";
import { listening } from "../functions/probe/fixtures.ts";
import { probeHandler } from "../functions/probe/handler.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import { MemoryPages } from "../shared/adapters/pages-memory.ts";
import type { Configuration } from "../shared/config/model.ts";
import { scheduledRequest } from "../shared/messages/probe-request.ts";
import type { Report } from "../shared/messages/report.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { probePaths } from "../shared/topology.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const start = Date.parse("2025-09-16T12:00:00Z");
const minute = 60_000;

/** Inherited names, and ordinary ones of the same length in the same order. */
const inherited = {
  entry: "constructor",
  secret: "toLocaleString",
  variable: "valueOf",
  rule: "toString",
  other: "__proto__",
  stage: "hasOwnProperty",
  team: "isPrototypeOf",
  step: "propertyIsEnumerable",
} as const;
const ordinary: Words = {
  entry: "constellate",
  secret: "toLocaleStrong",
  variable: "valueOn",
  rule: "toStrong",
  other: "__prota__",
  stage: "hasOwnPropertx",
  team: "isPrototypeOn",
  step: "propertyIsEnumerablx",
};
type Words = Readonly<Record<keyof typeof inherited, string>>;

/** A configuration in which each kind of name is one of the words. */
function monitor({ entry, secret, variable, rule, other, stage, team, step }: Words, site: string): string {
  return `environment: ${entry}
title: Shop
components:
  ${entry}: { title: Shop, layer: application, team: ${team}, impact: Nobody can order, depends_on: [database] }
  database: { title: Database, layer: platform, team: ${other} }
probes:
  ${entry}:
    kind: http
    component: ${entry}
    url: ${site}/health
    recheck: off
    headers: { ${entry}: plain, ${other}: plain, authorization: { secret: ${secret} } }
    expect: { headers: { ${entry}: plain, ${other}: plain }, json: { "$.${rule}": 1, "$.${other}": 2 } }
    extract: [{ metric: smd_phase_duration, path: $.phases, each: phase, unit: s }]
  walk:
    kind: journey
    component: ${entry}
    recheck: off
    variables: { ${variable}: 7 }
    steps:
      - name: ${step}
        http: { url: "${site}/health?\${${variable}}", method: POST, json: { ${other}: "\${${variable}}" } }
        capture: { ${rule}: $.${rule} }
      - { name: ${variable}, check: { ${rule}: 1 } }
monitoring_rules:
  - { name: ${rule}, component: database, condition: 'smd_phase_duration{phase="${rule}"} > 5s', severity: warning }
  - { name: ${other}, component: ${entry}, condition: "smd_phase_duration > 5s", severity: critical }
  - { name: "${stage}", component: ${entry}, condition: 'golden_path_step_time{step="${variable}"} > 5s', severity: info }
baselines: { golden_path_e2e_time: "<5s" }
capacity: { services: { ${entry}: { max_instances: 2, pool: { size: 3 } } } }
availability: { components: { ${entry}: 99.9% } }
recovery: { stages: [{ name: ${stage}, probes: [${entry}] }, { name: ${other}, probes: [walk] }] }
channels:
  ${entry}: { kind: webhook, url: { secret: ${secret} }, headers: { ${entry}: plain, ${other}: plain } }
  page: { kind: status_page, bucket: pages }
maintenance: [{ name: ${other}, components: [database], from: 2025-09-16T14:00, to: 2025-09-16T15:00 }]
routes:
  - { channels: [${entry}, page], teams: [${team}, ${other}], components: [${entry}], remind_every: 5m }
`;
}

/** A scenario test of that configuration, as users write it. */
function tests({ entry, rule, other, stage, variable }: Words): string {
  return `config: monitor.yaml
override: { control: off }
healthy: { smd_phase_duration: 1s }
tests:
  - name: ${entry}
    timeline:
      from 10m to 20m:
        - ${entry} fails "503 Service Unavailable"
        - smd_phase_duration{phase="${rule}"} is 9s
      at 12m: "silence rule ${stage} for 10m"
    series: { walk: ok x40 }
    expect:
      alerts: { "at 12m": { ${rule}: firing, ${other}: firing } }
      incidents: [{ alerts: [${rule}, ${other}], opened_within: 1m }]
      notifications: { ${entry}: any, page: any }
  - name: ${other} ${variable}
    expect: { alerts: { "at 12m": { ${other}: inactive } } }
`;
}

/** Starts a site whose health depends on its input. Its body names phases by the words. */
async function siteOf({ entry, rule, other }: Words): Promise<{ url: string; phaseSeconds: number }> {
  const site = { url: "", phaseSeconds: 1 };
  const server = createServer(async (request, response) => {
    const { phaseSeconds } = site;
    let sent = "";
    for await (const chunk of request) sent += chunk;
    const isPost = request.method === "POST";
    const isHeard = (name: string): boolean => request.headersDistinct[name]?.join() === "plain";
    if (isPost ? new Map(Object.entries(JSON.parse(sent))).get(other) !== 7 : !isHeard(entry) || !isHeard(other)) {
      response.writeHead(400).end("the request does not say what it should");
      return;
    }
    const headers = [entry, "plain", other, "plain"];
    const body = `{"${rule}":1,"${other}":2,"phases":{"${rule}":${phaseSeconds},"${other}":${phaseSeconds}}}`;
    response.writeHead(phaseSeconds > 100 ? 503 : 200, headers).end(body);
  });
  site.url = `http://127.0.0.1:${await listening(server)}`;
  return site;
}

/** Returns reports of the real probers: three good minutes, ten bad ones with some complete failures, and fifteen good ones. */
async function probed(configuration: Configuration, site: Awaited<ReturnType<typeof siteOf>>): Promise<Report[]> {
  const reports: Report[] = [];
  let now = start;
  const handle = probeHandler({
    configuration,
    vantage: "outside",
    secrets: { read: async () => "https://hooks.example.com/told" },
    google: googleApi("http://127.0.0.1:1"),
    clock: { now: () => now },
    logger: silentLogger,
    warm: async () => {},
    sleep: async () => {},
    publisher: {
      publish: async (_topic, messages) => messages.map(({ data }) => String(reports.push(data as Report))),
      close: async () => {},
    },
  });
  for (let at = 0; at < 28; at++) {
    now = start + at * minute;
    site.phaseSeconds = at < 3 || at >= 13 ? 1 : at < 8 ? 9 : 900;
    const [probe] = configuration.probes;
    if (probe === undefined) throw new Error("there is no probe");
    const { data, attributes = {} } = scheduledRequest(configuration.environment, probe);
    const message = { messageId: String(at), publishedAt: now, attributes, data, subscription: "probe" };
    await handle(message, probePaths.scheduled);
  }
  return reports.map(timeless);
}

/** Returns a report with times that are the same in every run. */
function timeless(report: Report): Report {
  const isTime = (metric: string): boolean => /time|duration$/.test(metric) && !metric.startsWith("smd_");
  const results = report.results.map(({ measurements, ...result }) => ({
    ...result,
    measurements: measurements.map((one) => (isTime(one.metric) ? { ...one, value: 0.1 } : one)),
  }));
  return { ...report, results };
}

/** Evaluates the reports and sends the notifications, with new instances halfway. @returns everything that was sent and written */
async function notified(configuration: Configuration, reports: readonly Report[], words: Words): Promise<unknown> {
  const pages = new MemoryPages();
  const sent: unknown[] = [];
  const ports = { clock: { now: (): number => world.clock.now() }, logger: silentLogger, configuration };
  const writePage: ReturnType<typeof pageWriter> = (news, deadline) =>
    pageWriter({ ...ports, store: world.store, pages })(news, deadline);
  const send = sender({ read: async () => "https://hooks.example.com/told" }, { writePage });
  const world = new VirtualWorld({
    configuration,
    start,
    onRequest: ({ trigger, vantage, group, request, probes: asked = [] }, at) => {
      const last = reports.findLast(({ finished_at }) => Date.parse(finished_at) <= at) ?? reports[0];
      if (last === undefined) return;
      const instant = new Date(at).toISOString();
      const results = last.results.filter(({ probe }) => asked.includes(probe)).map((one) => ({ ...one, at: instant }));
      const id = {
        report: `${configuration.environment}/${group}/${request}`,
        started_at: instant,
        finished_at: instant,
      };
      world.report({ ...last, ...id, trigger, vantage, group, request, results }, at);
    },
    send: async (outgoing, now) => {
      sent.push(outgoing);
      if (outgoing.transport === "page") return send(outgoing, now);
      return { status: 204, headers: {}, body: "" };
    },
  });
  const silence = { from: new Date(start), until: new Date(start + 30 * minute), reason: "known" };
  await world.store.set("silences", words.entry, { ...silence, rule: words.stage });
  for (const report of reports) world.report(JSON.parse(JSON.stringify(report)), Date.parse(report.finished_at));
  for (let at = 1; at <= 40; at++) world.tick(start + at * minute);
  for (const at of [6, 11, 18]) world.at(start + at * minute + 1, () => world.restart());
  await world.run(start + 41 * minute);
  await refreshPages({ ...ports, store: world.store, pages });
  const collections = ["incidents", "deliveries", "availability", "pages", "silences"];
  const written = await Promise.all(collections.map((collection) => world.store.query({ collection, limit: 1_000 })));
  return { mishaps: world.mishaps, logged: [...world.logged], sent, written, pages: [...pages.standing] };
}

/** Returns the status and output of a command. */
function printed(args: readonly string[], input = ""): { status: number | null; output: string } {
  const all = ["cli/pathkeeper.mjs", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: root, encoding: "utf8", input });
  return { status, output: stdout + stderr };
}

/** Runs everything with names made of these words, and returns one text in which they are replaced by the ordinary ones. */
async function loop(words: Words): Promise<Record<string, string[]>> {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-names-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const site = await siteOf(words);
  const text = monitor(words, site.url);
  const file = join(folder, "monitor.yaml");
  writeFileSync(file, text);
  writeFileSync(join(folder, "tests.yaml"), tests(words));
  const configuration = configurationOf(text);
  const reports = await probed(configuration, site);
  const lines = reports.map((report) => `${JSON.stringify(report)}\n`).join("");
  const outcome = {
    validate: printed(["validate", "--json", "--config", file]),
    probe: reports,
    notified: await notified(configuration, reports, words),
    test: printed(["test", "--json", join(folder, "tests.yaml")]),
    replay: printed(["replay", "--config", file], lines),
  };
  const normal = (value: unknown): string[] => {
    const shown = JSON.stringify(value, null, 1).replaceAll(site.url, "http://site");
    const renamed = Object.entries(words).reduce(
      (known, [kind, word]) =>
        known
          .replaceAll(word, ordinary[kind as keyof Words])
          .replaceAll(word.toLowerCase(), ordinary[kind as keyof Words].toLowerCase()),
      shown,
    );
    return (
      renamed
        // Underscores are escaped in Markdown.
        .replaceAll("proto", "prota")
        // Values hashed from a name.
        .replaceAll(/(\d{8}-\d{6}-|"moment": ")[0-9a-f]{4,16}\b/g, "$1hash")
        .replaceAll(folder, "folder")
        .replaceAll(/\\"next\\": \\"[^"]*\\"/g, "")
        .split(/\n|(?<=\\n)/)
    );
  };
  return Object.fromEntries(Object.entries(outcome).map(([part, value]) => [part, normal(value)]));
}

it("handles names that objects inherit like ordinary ones, end to end", async () => {
  const usual = await loop(ordinary);
  expect(usual["notified"]?.join()).toContain("Nobody can order");
  expect(usual["test"]?.join()).toContain('"status": 0');
  expect(usual["replay"]?.join()).toContain("resolved");
  const strange = await loop(inherited);
  for (const [part, lines] of Object.entries(usual)) {
    const differs = lines.findIndex((line, at) => strange[part]?.[at] !== line);
    // From the first difference on, so that the message is short.
    expect(strange[part]?.slice(differs, differs + 5), part).toEqual(lines.slice(differs, differs + 5));
    expect(strange[part], part).toHaveLength(lines.length);
  }
});
