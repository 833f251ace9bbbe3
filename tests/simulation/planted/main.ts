/**
 * Plants one bug after the other, and plays the simulation alone until it detects the bug: `npm run simulate:planted`. `--only NAME` plants
 * one, `--minutes N` limits the simulation of each on two cores, `--write` updates the table in `docs/testing.md`. Exits with 1 if fewer
 * than 27 are detected.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { type Patch, patches } from "./patches.ts";

/** Result of the simulation for one bug. */
interface Found {
  readonly schedules: number;
  /** CPU time of the simulation, in seconds. */
  readonly cpuSeconds: number;
  /** The seed that fails. */
  readonly seed?: number;
  readonly broken?: readonly string[];
}

/** Number of cores. */
const cores = 2;
/** Entry in the table for an undetected bug. */
const missed = "not noticed";
/** Minimum number of bugs that the simulation must detect. */
const fewest = 27;

const root = join(import.meta.dirname, "../../..");
const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    minutes: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    write: { type: "boolean", default: false },
  },
});
const chosen = patches.filter(({ name }) => values.only === undefined || values.only.includes(name));
if (chosen.length === 0) {
  process.stderr.write(
    `there is no bug "${values.only?.join(", ")}"; there are ${patches.map(({ name }) => name).join(", ")}\n`,
  );
  process.exit(2);
}

const found: (readonly [Patch, Found])[] = [];
for (const patch of chosen) {
  const one = await simulatedWith(patch);
  found.push([patch, one]);
  process.stdout.write(`${rowOf(patch, one)}\n`);
  if (values.write) write();
}
const caught = found.filter(([, { broken }]) => broken !== undefined).length;
process.stdout.write(`${caught} of ${found.length} caught\n`);
process.exitCode = caught >= Math.min(fewest, found.length) ? 0 : 1;

/** Plays the simulation with a bug until it is detected, or until the time limit. @throws Error if the seed fails without the bug as well */
async function simulatedWith({ name }: Patch): Promise<Found> {
  const minutes = Number(values.minutes);
  // Other load on the machine does not count: two minutes on two cores are four minutes of CPU time.
  const limits = ["--cpu-seconds", `${minutes * 60 * cores}`, "--minutes", `${minutes * 10}`];
  const found = await simulated(["--seed", values.seed, "--workers", `${cores}`, ...limits], name);
  if (found.seed === undefined) return found;
  const without = await simulated(["--seed", `${found.seed}`, "--schedules", "1", "--workers", "1"]);
  if (without.broken === undefined) return found;
  throw new Error(`seed ${found.seed} fails without the bug "${name}" as well: ${without.broken.join("; ")}`);
}

/** Runs the simulation in a process of its own. @param bug name of the bug to plant; none by default */
async function simulated(options: readonly string[], bug?: string): Promise<Found> {
  const main = join(import.meta.dirname, "../main.ts");
  const hook = bug === undefined ? [] : ["--import", join(import.meta.dirname, "hook.ts")];
  const child = spawn(process.execPath, [...hook, main, "--json", ...options], {
    cwd: root,
    env: { ...process.env, PATHKEEPER_PLANTED: bug },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [printed, complaint] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  try {
    return JSON.parse(printed) as Found;
  } catch {
    throw new Error(`the simulation with ${bug ?? "no bug"} ended without a result: ${complaint.slice(-2_000)}`);
  }
}

function rowOf({ name, description }: Patch, { schedules, cpuSeconds, broken }: Found): string {
  const by = broken?.[0]?.slice(0, broken[0].indexOf(":")) ?? missed;
  return `| ${name} | ${description} | ${by} | ${schedules} | ${(cpuSeconds / cores).toFixed(0)} s |`;
}

function write(): void {
  const path = join(root, "docs/testing.md");
  const text = readFileSync(path, "utf8");
  const [begin, end] = ["<!-- planted: begin -->", "<!-- planted: end -->"];
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${path} has no place for the table: ${begin} and ${end}`);
  // Bugs that were not planted this time keep their previous result.
  const rows = new Map([...text.slice(before, after).matchAll(/^\| (\S+) \|.*$/gm)].map(([row, name]) => [name, row]));
  for (const [patch, one] of found) rows.set(patch.name, rowOf(patch, one));
  const known = patches.flatMap(({ name }) => rows.get(name) ?? []);
  const noticed = known.filter((row) => !row.includes(missed)).length;
  const table = [
    "| bug | what it breaks | noticed by | schedules | time on two cores |",
    "|---|---|---|---|---|",
    ...known,
  ].join("\n");
  writeFileSync(
    path,
    `${text.slice(0, before)}${begin}\n\n${noticed} of ${known.length} are noticed.\n\n${table}\n\n${text.slice(after)}`,
  );
}
