/**
 * Memory and speed over weeks: a process that does the work of `evaluate` and `notify` over the store of one machine, with everything that both load and
 * the heap that they have in the cloud. Weeks of reports and incidents pass on virtual time. Prints a table and sets no pass or fail limit.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import "@google-cloud/functions-framework";
import "../../shared/adapters/firestore.ts";
import "../../shared/adapters/pubsub.ts";
import { VirtualWorld } from "../../cli/virtual/world.ts";
import { sender } from "../../functions/notify/deliver/send.ts";
import { pageWriter } from "../../functions/notify/pages/writer.ts";
import { folderPages } from "../../shared/adapters/pages-folder.ts";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { parseIncidentEvent } from "../../shared/messages/incident-event.ts";
import type { ProbeRequest } from "../../shared/messages/probe-request.ts";
import type { ProbeResult, Report } from "../../shared/messages/report.ts";
import { numberFormat } from "../../shared/text/formatters.ts";

const steps = 10;
const groups = 10;
const probesEach = 5;
const services = 25;
const start = Date.UTC(2025, 8, 1);
const minute = 60_000;
/** How long a service fails, in minutes; built-in rules alert after two. */
const outage = 5;
/** Node's heap limit in the 512 MiB of a function, and the semi-space set in terraform/functions.tf. */
const flags = ["--expose-gc", "--max-old-space-size=256", "--max-semi-space-size=8"];

const { values } = parseArgs({
  options: {
    reports: { type: "string", default: "200000" },
    incidents: { type: "string", default: "1000" },
    play: { type: "boolean", default: false },
  },
});
const minutes = Math.floor(Number(values.reports) / groups);
const incidents = Number(values.incidents);
if (!(minutes >= steps && incidents >= 1 && minutes / incidents >= 4 * outage)) {
  console.error(`an incident takes ${4 * outage * groups} reports, and ${steps * groups} reports are the least`);
  process.exitCode = 2;
} else if (values.play) await play();
else {
  const size = ["--reports", values.reports, "--incidents", values.incidents];
  const { status } = spawnSync(process.execPath, [...flags, fileURLToPath(import.meta.url), "--play", ...size], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}

/** State of the process after a step. */
interface Step {
  readonly reportsPerSecond: number;
  readonly residentMB: number;
  readonly heapMB: number;
  readonly fileMB: number;
}

async function play(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-growth-"));
  const file = join(folder, "store.db");
  const store = new SqliteStore(file);
  const configuration = growingEnvironment();
  let told = 0;
  let resolved = 0;
  const write = pageWriter({
    store,
    pages: folderPages(folder),
    clock: { now: () => world.clock.now() },
    configuration,
  });
  const send = sender({ read: async () => "" }, { writePage: write });
  const world: VirtualWorld = new VirtualWorld({
    configuration,
    start,
    between: ({ publisher }) => ({ store, publisher }),
    send: async (outgoing, now, withinMs) => {
      told += 1;
      if (outgoing.transport === "page") return send(outgoing, now, withinMs);
      return { status: outgoing.transport === "smtp" ? 250 : 200, headers: {}, body: "accepted" };
    },
    onPublished: (topic, data) => {
      if (topic === "notifications" && parseIncidentEvent(data).event === "resolved") resolved += 1;
    },
    onRequest: (request, at) => {
      if (request.trigger === "canary") return;
      world.report(answerTo(request, at + 1_000, configuration), at + 2_000);
    },
  });
  const head = ["reports", "incidents", "sent", "reports/CPU s", "RSS MB", "heap MB", "file MB"];
  console.log(`\n${minutes} minutes of ${groups * probesEach} probes in one process\n`);
  console.log(`| ${head.join(" | ")} |\n|${head.map(({ length }) => "-".repeat(length + 2)).join("|")}|`);
  const seen: Step[] = [];
  for (let step = 0; step < steps; step++) {
    const [from, to] = [Math.floor((step * minutes) / steps), Math.floor(((step + 1) * minutes) / steps)];
    const cpu = process.cpuUsage();
    for (let at = from; at < to; at++) {
      for (let group = 0; group < groups; group++) world.report(reportOf(group, at), instantOf(group, at) + 2_000);
      world.tick(start + (at + 1) * minute);
      await world.run(start + (at + 1) * minute);
      if (at % 60 === 0) store.expire(world.clock.now());
    }
    const { user, system } = process.cpuUsage(cpu);
    world.logged.clear();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    const now: Step = {
      reportsPerSecond: ((to - from) * groups) / ((user + system) / 1e6),
      residentMB: rss / 1e6,
      heapMB: (heapUsed + external) / 1e6,
      fileMB: statSync(file).size / 1e6,
    };
    seen.push(now);
    const row = [to * groups, resolved, told, Math.round(now.reportsPerSecond), Math.round(now.residentMB)];
    const cells = [...row.map((one) => numberFormat("en").format(one)), now.heapMB.toFixed(1), now.fileMB.toFixed(1)];
    console.log(`| ${cells.map((cell, i) => cell.padStart(head[i]?.length ?? 0)).join(" | ")} |`);
  }
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return;
  const ratio = (of: keyof Step): string => (last[of] / first[of]).toFixed(2);
  console.log(
    `\nlast step to first: speed ${ratio("reportsPerSecond")}, RSS ${ratio("residentMB")}, heap ${ratio("heapMB")}`,
  );
  for (const mishap of new Set(world.mishaps)) console.log(mishap);
  await store.close();
  rmSync(folder, { recursive: true });
}

/** Services that do not depend on each other, two probes each, so that each failure is an incident of its own. */
function growingEnvironment(): Configuration {
  const names = Array.from({ length: services }, (_, index) => `service-${index}`);
  return {
    environment: "bench",
    title: "Bench",
    timezone: "Etc/UTC",
    components: names.map((name) => ({ name, title: name, layer: "application", dependsOn: [] })),
    probes: Array.from({ length: groups * probesEach }, (_, index) => ({
      name: `probe-${index}`,
      kind: "http",
      component: componentOf(index),
      vantage: "outside" as const,
      schedule: "every 1m",
      group: `group-${Math.floor(index / probesEach)}`,
      timeoutMs: 10_000,
      alert: { afterMs: 2 * minute, severity: "critical" as const },
      settings: {},
    })),
    rules: ["avg(http_response_time, 5m) > 2s", "http_response_time > 5s"].map((condition, index) => ({
      name: `Slow ${index}`,
      condition,
      alertDurationMs: 3 * minute,
      clearDurationMs: 3 * minute,
      severity: "warning" as const,
      missing: "keep" as const,
    })),
    baselines: [],
    recovery: { stages: [{ name: "basic health", probes: ["probe-0", "probe-1"] }] },
    channels: [
      { name: "mail", kind: "email", settings: { to: ["a@example.com", "b@example.com"], from: "c@example.com" } },
      { name: "hook", kind: "webhook", settings: { url: "https://hook.example.com/" } },
      { name: "page", kind: "status_page", settings: { bucket: "bench-status" } },
    ],
    routes: [{ channels: ["mail", "hook", "page"] }],
  };
}

/** The two probes of a service stand in different groups. */
function componentOf(probe: number): string {
  return `service-${probe % services}`;
}

/** Returns whether a service fails: one at a time, one after the other. */
function isFailing(component: string, at: number): boolean {
  const every = minutes / incidents;
  const incident = Math.floor(at / every);
  const within = at - Math.ceil(incident * every);
  return component === `service-${incident % services}` && within >= every - 3 * outage && within < every - 2 * outage;
}

function instantOf(group: number, at: number): number {
  return start + at * minute + (group * 40_000) / groups;
}

function reportOf(group: number, at: number): Report {
  const probes = Array.from({ length: probesEach }, (_, index) => group * probesEach + index);
  const instant = new Date(instantOf(group, at)).toISOString();
  const name = `group-${group}`;
  return {
    ...frame(name, instant),
    trigger: "schedule",
    results: probes.map((probe) => resultOf(`probe-${probe}`, componentOf(probe), instant, at)),
  };
}

function answerTo({ group, trigger, request, probes = [] }: ProbeRequest, at: number, of: Configuration): Report {
  const instant = new Date(at).toISOString();
  const asked = of.probes.filter(({ name }) => probes.includes(name));
  const time = Math.floor((at - start) / minute);
  return {
    ...frame(group, instant),
    report: `bench/${group}/${request}`,
    trigger,
    ...(request === undefined ? {} : { request }),
    results: asked.map(({ name, component }) => resultOf(name, component, instant, time)),
  };
}

function frame(group: string, instant: string): Omit<Report, "trigger" | "results"> {
  const report = `bench/${group}/${instant}`;
  return { v: 1, report, environment: "bench", vantage: "outside", group, started_at: instant, finished_at: instant };
}

function resultOf(probe: string, component: string, at: string, minutesIn: number): ProbeResult {
  if (isFailing(component, minutesIn)) {
    const failure = {
      kind: "http_status",
      phase: "response",
      message: "503 Service Unavailable",
      status: 503,
    } as const;
    return { probe, component, at, success: false, failure, measurements: [] };
  }
  const noise = ((minutesIn * 7919) % 1_009) / 1_009;
  const measurements = [{ metric: "http_response_time", value: 0.2 + noise / 10, labels: {} }];
  return { probe, component, at, success: true, measurements };
}
