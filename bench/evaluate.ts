/**
 * Benchmark of the evaluation: rules over many series, documents per report, reports per second, memory, replay. Prints tables and sets no
 * pass or fail limit.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { evaluateReport } from "../functions/evaluate/partition/fold.ts";
import { emptyPartition, type PartitionState } from "../functions/evaluate/partition/state.ts";
import { planOf } from "../functions/evaluate/plan.ts";
import { numberFormat } from "../shared/text/formatters.ts";
import { prometheusRows } from "./prometheus.ts";
import { replaySpeed } from "./replay.ts";
import { CountingStore, environmentOf, groupOf, reportOf, SlowStore, start } from "./support.ts";

const groups = 20;
const seriesEach = 500;
const rules = 10;

/** Rounds before the measurement starts: as many reports as the horizon keeps. */
const warmUp = 12;
const measured = 15;

await ruleTable();
await documentTable();
await throughputTable();
memoryTable();
await replaySpeed();

async function ruleTable(): Promise<void> {
  console.log(`\n10,000 series x ${rules} rules, from decoded reports to decisions (G4)\n`);
  const rows: string[][] = [];
  for (const [name, firing] of [
    ["none firing", 0],
    ["1 % firing", 0.01],
    ["all firing", 1],
  ] as const) {
    const milliseconds = medianRound(firing);
    const perSecond = Math.round((groups * seriesEach * rules) / (milliseconds / 1000));
    rows.push([name, milliseconds.toFixed(1), numberFormat("en").format(perSecond)]);
  }
  rows.push(...prometheusRows(rules));
  print(["rules", "CPU ms a round", "series-rules a second and core"], rows);
}

/** Returns the median CPU time of one round, in which every group reports once: the machine may be busy with other work. */
function medianRound(firing: number): number {
  const plan = planOf(environmentOf({ groups, seriesEach, rules }));
  const states: PartitionState[] = Array.from({ length: groups }, () => emptyPartition);
  const times: number[] = [];
  for (let round = 0; round < warmUp + measured; round++) {
    const reports = states.map((_, group) => reportOf(groupOf(group), group, seriesEach, round, firing));
    const started = process.cpuUsage();
    for (const [group, report] of reports.entries()) {
      states[group] = evaluateReport(states[group] ?? emptyPartition, report, plan).state;
    }
    const { user, system } = process.cpuUsage(started);
    if (round >= warmUp) times.push((user + system) / 1000);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

async function documentTable(): Promise<void> {
  console.log("\nDocuments of one report (G7)\n");
  const rows: string[][] = [];
  for (const series of [1, 50, 500, 2000]) {
    const store = new CountingStore();
    const evaluate = start(environmentOf({ groups: 1, seriesEach: series, rules }), store);
    for (let round = 0; round < 4; round++) await evaluate(reportOf(groupOf(0), 0, series, round, 0));
    store.reset();
    await evaluate(reportOf(groupOf(0), 0, series, 5, 0));
    rows.push([String(series), String(store.reads), String(store.writes), `${(store.bytes / 1024).toFixed(1)} KiB`]);
  }
  print(["series", "reads", "writes", "written"], rows);
}

async function throughputTable(): Promise<void> {
  console.log("\nReports a second, one core, every round trip to the store 5 ms (G10)\n");
  const rows: string[][] = [];
  for (const series of [10, 50, 500]) {
    const evaluate = start(environmentOf({ groups, seriesEach: series, rules }), new SlowStore(5));
    const rounds = series > 100 ? 15 : 40;
    let started = performance.now();
    let cpu = process.cpuUsage();
    for (let round = 0; round < rounds; round++) {
      if (round === 5) {
        started = performance.now();
        cpu = process.cpuUsage();
      }
      const reports = Array.from({ length: groups }, (_, g) => reportOf(groupOf(g), g, series, round, 0));
      await Promise.all(reports.map((report) => evaluate(report)));
    }
    const count = (rounds - 5) * groups;
    const { user, system } = process.cpuUsage(cpu);
    const perSecond = count / ((performance.now() - started) / 1000);
    rows.push([String(series), perSecond.toFixed(0), ((user + system) / 1000 / count).toFixed(2)]);
  }
  print(["series a report", "reports a second", "CPU ms a report"], rows);
}

function memoryTable(): void {
  console.log("\nResident memory of a process that serves 10,000 series (G6: at most 160 MB)\n");
  // The semi-space set in terraform/functions.tf, and Node's heap limit at 256 MiB.
  const flags = ["--max-semi-space-size=8", "--max-old-space-size=128"];
  const child = spawnSync(process.execPath, [...flags, fileURLToPath(new URL("./memory.ts", import.meta.url))], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const rows = child.stdout
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  print(["after", "RSS MB"], rows);
}

function print(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of [head, widths.map((width) => "-".repeat(width)), ...rows]) {
    console.log(`| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`);
  }
}
