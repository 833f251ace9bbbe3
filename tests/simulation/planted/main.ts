/**
 * Plants one bug after the other, and plays the simulation alone until it notices: `npm run simulate:planted`. `--only NAME` plants one, `--minutes N` is
 * how long the simulation may take on two cores, `--write` puts the table into `docs/testing.md`. Ends with 1 where fewer than 27 of them are caught.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { type Patch, patches } from "./patches.ts";

/** What the simulation says of one bug. */
interface Found {
  readonly schedules: number;
  /** What it calculated. */
  readonly cpuSeconds: number;
  readonly broken?: readonly string[];
}

/** On so many cores. */
const cores = 2;
/** What stands in the table for a bug that nothing noticed. */
const missed = "not noticed";
/** How many bugs the simulation must notice. */
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

/** Plays the simulation with a bug in it until it notices, or until it is time. */
async function simulatedWith(patch: Patch): Promise<Found> {
  const hook = join(import.meta.dirname, "hook.ts");
  const main = join(import.meta.dirname, "../main.ts");
  // What else the machine has to do is not the simulation's fault: two minutes on two cores are four of calculation.
  const minutes = Number(values.minutes);
  const limits = ["--cpu-seconds", `${minutes * 60 * cores}`, "--minutes", `${minutes * 10}`];
  const options = ["--json", ...limits, "--workers", `${cores}`, "--seed", values.seed];
  const child = spawn(process.execPath, ["--import", hook, main, ...options], {
    cwd: root,
    env: { ...process.env, PATHKEEPER_PLANTED: patch.name },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [said, complaint] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  try {
    return JSON.parse(said) as Found;
  } catch {
    throw new Error(`the simulation with "${patch.name}" ended without an answer: ${complaint.slice(-2_000)}`);
  }
}

function rowOf({ name, words }: Patch, { schedules, cpuSeconds, broken }: Found): string {
  const by = broken?.[0]?.slice(0, broken[0].indexOf(":")) ?? missed;
  return `| ${name} | ${words} | ${by} | ${schedules} | ${(cpuSeconds / cores).toFixed(0)} s |`;
}

function write(): void {
  const path = join(root, "docs/testing.md");
  const text = readFileSync(path, "utf8");
  const [begin, end] = ["<!-- planted: begin -->", "<!-- planted: end -->"];
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${path} has no place for the table: ${begin} and ${end}`);
  // What was not planted this time stands as it was found before.
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
