/**
 * Plays new seeds on all cores: `npm run simulate -- --minutes 10`. Exits with 1 if a seed fails, and prints it as a short story. `--seed N`
 * starts at a seed, and with `--schedules 1` plays only that seed. `--deaths` instead lets one instance crash at each of its steps.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { added, newTally, type Tally } from "./campaign.ts";
import type { WorkerMessage, WorkerRequest } from "./worker.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string" },
    schedules: { type: "string" },
    workers: { type: "string" },
    "cpu-seconds": { type: "string" },
    deaths: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const running = new Set<Worker>();
const minutes = numberOf("minutes", values.minutes);
const firstSeed = values.deaths ? 0 : values.seed === undefined ? drawn() : numberOf("seed", values.seed);
const workers = values.workers === undefined ? availableParallelism() : numberOf("workers", values.workers);
const schedules = values.schedules === undefined ? undefined : numberOf("schedules", values.schedules);
const cpuSeconds = values["cpu-seconds"] === undefined ? undefined : numberOf("cpu-seconds", values["cpu-seconds"]);
const began = Date.now();
const until = began + minutes * 60_000;

if (!values.json) process.stdout.write(`simulation from seed ${firstSeed} on, ${workers} workers\n`);
const count = schedules === undefined ? workers : Math.min(workers, schedules);
const messages = await Promise.all(Array.from({ length: count }, (_, index) => played(index)));
const tally = messages.map((message) => message.tally).reduce(added, newTally());
const failures = messages.filter(({ story }) => story !== undefined);
const { user, system } = process.cpuUsage();
const used = (user + system) / 1e6;
if (values.json) {
  const [first] = failures;
  process.stdout.write(
    `${JSON.stringify({ schedules: tally.schedules, seconds: (Date.now() - began) / 1000, cpuSeconds: used, seed: first?.seed, broken: first?.broken, story: first?.story })}\n`,
  );
} else {
  for (const { story } of failures) process.stdout.write(`\n${story}\n`);
  process.stdout.write(report(tally));
}
process.exitCode = failures.length > 0 ? 1 : 0;

/** Plays a share of the seeds in a thread. If one fails, the other threads end as well. */
function played(index: number): Promise<WorkerMessage> {
  const order: WorkerRequest = {
    ...{ firstSeed: firstSeed + index, stride: count, until },
    deaths: values.deaths,
    ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
    ...(schedules === undefined ? {} : { most: Math.ceil((schedules - index) / count) }),
  };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: order });
    let known: WorkerMessage = { tally: newTally(), isLast: false };
    running.add(worker);
    worker.on("message", (message: WorkerMessage) => {
      known = { ...known, ...message };
      if (message.story !== undefined) for (const other of running) if (other !== worker) void other.terminate();
    });
    worker.on("error", reject);
    worker.on("exit", () => {
      running.delete(worker);
      resolve(known);
    });
  });
}

/** Returns an unplayed seed. */
function drawn(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

function report({ schedules: all, steps, struck, contended }: Tally): string {
  const seconds = (Date.now() - began) / 1000;
  const lines = [
    `${all} schedules in ${seconds.toFixed(1)} s, ${(all / used).toFixed(1)} a CPU second; ${steps} steps`,
    `transactions that lost to another instance: ${contended}`,
    "faults that struck:",
    ...[...struck].sort((a, b) => b[1] - a[1]).map(([kind, times]) => `  ${kind}: ${times}`),
  ];
  return `${lines.join("\n")}\n`;
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0) {
    process.stderr.write(`--${name} is "${text}": write a number\n`);
    process.exit(2);
  }
  return number;
}
