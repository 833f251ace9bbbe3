/**
 * Benchmark of the probes: the accuracy of reported latencies, the cost of a probe, and the cost of a first probe. Runs next to
 * blackbox_exporter in the same run, because machines differ and are shared. See README.md.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { runProbes } from "../functions/probe/run/run.ts";
import { warmUp } from "../functions/probe/run/warm.ts";
import type { ConfiguredProbe } from "../shared/config/model.ts";
import type { Report } from "../shared/messages/report.ts";
import { type Blackbox, startBlackbox } from "./blackbox.ts";
import type { TargetPorts } from "./target.ts";
import { startTarget } from "./target-process.ts";

const { values } = parseArgs({
  options: {
    probes: { type: "string", default: "2000" },
    rounds: { type: "string", default: "3" },
    only: { type: "string" },
    pace: { type: "string" },
  },
});
const probesEach = Number(values.probes);
const rounds = Number(values.rounds);
const concurrencies = [1, 50, 200];

/** Measurements of one prober under one load. */
interface Sample {
  readonly probesPerSecond: number;
  readonly cpuMs: number;
  /** Milliseconds reported, ascending. */
  readonly reported: readonly number[];
  /** Reported latency minus the latency of the target, in milliseconds, ascending. */
  readonly errors: readonly number[];
}

const target = await startTarget();
const blackbox = await startBlackbox(target.ports.ca);
try {
  await warmUp();
  if ((values.only ?? "latency") === "latency") await latencies(target.ports, blackbox);
  if ((values.only ?? "cost") === "cost") await costs(target.ports, blackbox);
  if ((values.only ?? "first") === "first") await firstProbes(target.ports);
} finally {
  await blackbox?.stop();
  target.stop();
}

async function latencies({ slow }: TargetPorts, blackbox: Blackbox | undefined): Promise<void> {
  const url = `http://127.0.0.1:${slow}/`;
  const rows: string[][] = [];
  for (const concurrency of concurrencies) {
    const count = concurrency === 1 ? Math.ceil(probesEach / 10) : probesEach;
    const own = await middle(() => pathkeeper(url, count, concurrency, true));
    rows.push(["pathkeeper", ...latencyCells(concurrency, own)]);
    if (!blackbox) {
      rows.push(["blackbox_exporter", String(concurrency), "not installed"]);
      continue;
    }
    // Only probes that read the body learn the true latency of the target; the target and the load are the same for all.
    const took = median(own.reported.map((reported, index) => reported - (own.errors[index] ?? 0)));
    const theirs = await middle(() => peer(blackbox, url, count, concurrency, took));
    rows.push(["blackbox_exporter", ...latencyCells(concurrency, theirs)]);
  }
  print(
    "A target that takes 20 ms: what is reported",
    ["prober", "at once", "probes/s", "reported p50", "p99", "error p50", "p99 (ms)"],
    rows,
  );
}

function latencyCells(concurrency: number, { probesPerSecond, reported, errors }: Sample): string[] {
  const milliseconds = [
    quantile(reported, 0.5),
    quantile(reported, 0.99),
    quantile(errors, 0.5),
    quantile(errors, 0.99),
  ];
  return [String(concurrency), probesPerSecond.toFixed(0), ...milliseconds.map((value) => value.toFixed(2))];
}

async function costs({ quick, secure }: TargetPorts, blackbox: Blackbox | undefined): Promise<void> {
  const rows: string[][] = [];
  for (const [what, url, count] of [
    ["http", `http://127.0.0.1:${quick}/`, probesEach],
    ["https, verified", `https://localhost:${secure}/`, Math.ceil(probesEach / 2)],
  ] as const) {
    const own = await middle(() => pathkeeper(url, count, 50, false));
    const each = own.cpuMs / count;
    const cells = (sample: Sample): string[] => [(sample.cpuMs / count).toFixed(3), sample.probesPerSecond.toFixed(0)];
    if (!blackbox) {
      rows.push([what, ...cells(own), "not installed", "", ""]);
      continue;
    }
    const theirs = await middle(() => peer(blackbox, url, count, 50, 0));
    rows.push([what, ...cells(own), ...cells(theirs), (each / (theirs.cpuMs / count)).toFixed(2)]);
  }
  print(
    "A target that answers at once, 50 at once: what a probe costs, with phases, assertions and its record",
    ["probe", "CPU ms", "probes/s", "blackbox CPU ms", "probes/s", "CPU ratio"],
    rows,
  );
}

/** A separate process for each, because a process has only one first probe. */
async function firstProbes({ quick }: TargetPorts): Promise<void> {
  const rows: string[][] = [];
  for (const warm of ["cold", "warm"]) {
    const samples: (readonly number[])[] = [];
    for (let round = 0; round < 2 * rounds + 1; round++) {
      const file = new URL("./first-probe.ts", import.meta.url).pathname;
      const child = spawn(process.execPath, [file, `http://localhost:${quick}/`, warm], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      for await (const line of createInterface({ input: child.stdout })) samples.push(JSON.parse(line));
    }
    const columns = [0, 1, 2].map((column) => median(samples.map((sample) => sample[column] ?? Number.NaN)));
    rows.push([warm === "warm" ? "with the warm-up" : "without", ...columns.map((value) => value.toFixed(2))]);
  }
  print("The first probe of a new process", ["", "warm-up (ms)", "first reported", "hundredth reported"], rows);
}

async function pathkeeper(url: string, count: number, concurrency: number, reads: boolean): Promise<Sample> {
  const { secure } = target.ports;
  const tls = url.startsWith(`https://localhost:${secure}`) ? { tls: { ca: { secret: "ca" } } } : {};
  const extract = reads ? { extract: [{ metric: "database_connection_time", path: "$.waited" }] } : {};
  const probes = Array.from(
    { length: count },
    (_, index): ConfiguredProbe => ({
      name: `probe-${index}`,
      kind: "http",
      component: "target",
      vantage: "outside",
      schedule: "every 1m",
      group: "outside-1m",
      timeoutMs: 5_000,
      alert: false,
      settings: { url, ip_version: 4, expect: { status: 200, body_contains: "healthy" }, ...tls, ...extract },
    }),
  );
  const run = (some: readonly ConfiguredProbe[]): Promise<Report> =>
    runProbes({
      environment: "bench",
      vantage: "outside",
      group: "outside-1m",
      trigger: "schedule",
      reportId: "bench/outside-1m/1",
      probes: some,
      concurrency,
      ...(values.pace === undefined ? {} : { paceMs: Number(values.pace) }),
      secrets: { read: async () => target.ports.ca },
      google: {
        request: () => Promise.reject(new Error("none")),
        accessToken: async () => "",
        idToken: async () => "",
      },
      clock: { now: () => Date.now() },
    });
  // Settings are parsed in the first run of a probe, and not again.
  await run(probes);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const report = await run(probes);
  JSON.stringify(report);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const pairs = report.results.map(({ measurements, failure }) => {
    if (failure) throw new Error(`pathkeeper found ${url} wrong: ${failure.message}`);
    const of = (name: string): number => 1000 * (measurements.find(({ metric }) => metric === name)?.value ?? 0);
    return [of("http_response_time"), of("http_response_time") - of("database_connection_time")] as const;
  });
  return {
    probesPerSecond: count / seconds,
    cpuMs: (user + system) / 1000,
    reported: pairs.map(([reported]) => reported),
    errors: pairs.map(([, error]) => error),
  };
}

async function peer(
  blackbox: Blackbox,
  url: string,
  count: number,
  concurrency: number,
  tookMs: number,
): Promise<Sample> {
  const reported: number[] = [];
  const cpu = blackbox.cpuMs();
  const started = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next++ < count) reported.push(1000 * (await blackbox.probe(url)));
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const seconds = (performance.now() - started) / 1000;
  return {
    probesPerSecond: count / seconds,
    cpuMs: blackbox.cpuMs() - cpu,
    reported,
    errors: reported.map((value) => value - tookMs),
  };
}

/** Returns the median of several rounds, by their error. */
async function middle(round: () => Promise<Sample>): Promise<Sample> {
  const samples: Sample[] = [];
  for (let i = 0; i < rounds; i++) samples.push(await round());
  samples.sort((a, b) => quantile(a.errors, 0.5) - quantile(b.errors, 0.5));
  const chosen = samples[Math.floor((samples.length - 1) / 2)];
  if (!chosen) throw new Error("no round was run");
  return chosen;
}

function quantile(values: readonly number[], share: number): number {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function print(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  console.log([`\n${title}`, line(head), ...rows.map(line)].join("\n"));
}
