/**
 * Benchmark of end-to-end tests: how long `pathkeeper test` takes, next to `promtool test rules` with a file of the same size, in the same
 * run. `node bench/tests.ts [--promtool PATH] [--rounds N]`
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { table } from "../cli/terminal/terminal.ts";

const { values } = parseArgs({
  options: { promtool: { type: "string", default: "promtool" }, rounds: { type: "string", default: "7" } },
});
const rounds = Number(values.rounds);
const program = join(dirname(fileURLToPath(import.meta.url)), "../cli/pathkeeper.mjs");
const folder = mkdtempSync(join(tmpdir(), "pathkeeper-bench-"));
const sizes = [
  { what: "5 tests of 15 minutes", count: 5, minutes: 15 },
  { what: "50 tests of an hour", count: 50, minutes: 60 },
] as const;

const configuration = `environment: bench
components:
  database: { layer: platform }
  shop: { layer: application, depends_on: [database] }
probes:
  database: { kind: postgres, component: database, connection: { url: { secret: database-url } } }
  shop: { kind: http, component: shop, url: https://shop.example.com/health }
monitoring_rules:
  - { name: Database slow, condition: avg_database_connection_time > 5s, alert_duration: 3m, severity: warning }
`;
const rules = `groups:
  - name: bench
    rules:
      - { alert: ProbeFailing, expr: probe_success == 0, for: 2m }
      - { alert: DatabaseSlow, expr: "avg_over_time(database_connection_time[3m]) > 5", for: 3m }
`;

try {
  writeFileSync(join(folder, "monitor.yaml"), configuration);
  writeFileSync(join(folder, "rules.yml"), rules);
  const rows = sizes.map(({ what, count, minutes }) => {
    const ours = join(folder, `tests-${count}.yaml`);
    const theirs = join(folder, `tests-${count}.yml`);
    writeFileSync(ours, ourTests(count, minutes));
    writeFileSync(theirs, theirTests(count, minutes));
    // Alternately, so that both run under the same conditions.
    const times = Array.from({ length: rounds }, () => [
      timed(process.execPath, [program, "test", ours]),
      timed(values.promtool, ["test", "rules", theirs]),
    ]);
    const own = median(times.map(([first]) => first));
    const peer = median(times.map(([, second]) => second));
    return [what, shown(own), peer === undefined ? "not installed" : shown(peer), ratio(own, peer)];
  });
  console.log(table([["", "pathkeeper", "promtool", "ratio"], ...rows]).join("\n"));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Milliseconds from spawn to exit; `undefined` if the program does not exist. */
function timed(command: string, args: readonly string[]): number | undefined {
  const begin = performance.now();
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  const took = performance.now() - begin;
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") return undefined;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
  return took;
}

function median(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)];
}

function shown(milliseconds: number | undefined): string {
  return `${Math.round(milliseconds ?? Number.NaN)} ms`;
}

function ratio(own: number | undefined, peer: number | undefined): string {
  return own === undefined || peer === undefined ? "" : (own / peer).toFixed(2);
}

function ourTests(count: number, minutes: number): string {
  const test = (index: number): string => `  - name: test ${index}
    until: ${minutes}m
    timeline:
      from 2m to 6m: database fails in connect (refused)
    expect:
      incidents: [{ root_cause: database, opened_within: 3m }]
`;
  return `tests:\n${Array.from({ length: count }, (_, index) => test(index)).join("")}`;
}

/** Promtool supports alerts only: no causes, incidents or notifications. */
function theirTests(count: number, minutes: number): string {
  const rest = minutes - 6;
  const test = `  - interval: 1m
    input_series:
      - { series: 'probe_success{probe="database"}', values: "1x1 0x3 1x${rest}" }
      - { series: 'probe_success{probe="shop"}', values: "1x${minutes}" }
      - { series: 'database_connection_time{probe="database"}', values: "0.2x${minutes}" }
    alert_rule_test:
      - { eval_time: 5m, alertname: ProbeFailing, exp_alerts: [{ exp_labels: { probe: database } }] }
      - { eval_time: ${minutes}m, alertname: ProbeFailing, exp_alerts: [] }
`;
  return `rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n${test.repeat(count)}`;
}
