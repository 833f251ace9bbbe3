/**
 * Cold start of a function: the time from its start to its first response, first publication and first commit, its memory, and the size of
 * its bundle. Measured in the same rounds as functions written in the usual way. See README.md.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readConfigurationFile } from "../cli/configuration.ts";
import { sampleEvent } from "../cli/sample-event.ts";
import { table } from "../cli/terminal/terminal.ts";
import { type Emulator, missingEmulator, startEmulator } from "../local/engine/emulators.ts";
import { freePort } from "../local/free-port.ts";
import { bundle } from "../scripts/bundle/bundle.ts";
import { type FunctionName, functionNames } from "../scripts/bundle/names.ts";
import { compile } from "../shared/config/compile.ts";
import type { Configuration } from "../shared/config/model.ts";
import { scheduledRequest } from "../shared/messages/probe-request.ts";
import { encodePush } from "../shared/messages/push.ts";
import { topics } from "../shared/topology.ts";
import { environmentOf, groupOf, pageEnvironment, reportOf } from "./support.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "11" }, core: { type: "string", default: "1" } },
});
const rounds = Number(values.rounds);
const project = "pathkeeper-bench";
const here = dirname(fileURLToPath(import.meta.url));
const framework = join(dirname(createRequire(import.meta.url).resolve("@google-cloud/functions-framework")), "main.js");
const folder = mkdtempSync(join(tmpdir(), "pathkeeper-cold-start-"));
const pin = pinning();

/** A request of a step. The columns of the table are named after the steps. */
interface Step {
  readonly path: string;
  readonly body: unknown;
}

/** One way to write a function. */
interface Variant {
  readonly title: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly publish?: Step;
  readonly commit?: Step;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Measurements of one start: times in milliseconds since the process was spawned, memory in MB. */
interface Start {
  readonly boot: number;
  readonly published: number;
  readonly committed: number;
  readonly resident: number;
}

const sink = createServer((request, response) => {
  request.resume();
  response.end("{}");
});
const emulators: Emulator[] = [];
try {
  await once(sink.listen(0, "127.0.0.1"), "listening");
  const environment = await googleEnvironment();
  const configuration = await configurationOf((sink.address() as AddressInfo).port);
  const sizes = await build();
  await coldStarts(variants(configuration, environment));
  console.log(`\nBundles, code without source maps (G9: probe 4 MB, notify 5 MB, evaluate 7 MB)\n`);
  for (const line of table(sizes)) console.log(line);
  if (environment !== undefined) await memory(configuration, environment);
} finally {
  sink.close();
  await Promise.all(emulators.map((emulator) => emulator.stop()));
  rmSync(folder, { recursive: true });
}

/**
 * Returns the environment variables that point the functions to Google's services; `undefined`, with a message, if the emulators are not
 * installed.
 */
async function googleEnvironment(): Promise<Record<string, string> | undefined> {
  const missing = missingEmulator("firestore") ?? missingEmulator("pubsub");
  if (missing !== undefined) {
    console.log(`Only boots are measured, without publications and commits. ${missing}`);
    return undefined;
  }
  const [firestore, pubsub] = await Promise.all([startEmulator("firestore"), startEmulator("pubsub")]);
  emulators.push(firestore, pubsub);
  for (const topic of Object.values(topics)) {
    const answer = await fetch(`http://${pubsub.host}/v1/projects/${project}/topics/${topic}`, { method: "PUT" });
    if (!answer.ok) throw new Error(`the topic ${topic} was not made: ${await answer.text()}`);
  }
  return { FIRESTORE_EMULATOR_HOST: firestore.host, PUBSUB_EMULATOR_HOST: pubsub.host };
}

async function configurationOf(port: number): Promise<Configuration> {
  const file = join(folder, "monitor.yaml");
  writeFileSync(
    file,
    `environment: bench
components: { backend: { layer: application } }
probes: { backend: { kind: http, component: backend, url: "http://127.0.0.1:${port}/" } }
channels: { hook: { kind: webhook, url: "http://127.0.0.1:${port}/", allow_private: true } }
routes: [{ channels: [hook], severity: [critical] }]
`,
  );
  const { loaded } = await readConfigurationFile(file);
  if (!("configuration" in loaded)) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  writeFileSync(join(folder, "configuration.json"), compile(loaded.configuration));
  return loaded.configuration;
}

/** The bundles of the example, with their code compiled, as the build in the cloud produces them. */
async function build(): Promise<string[][]> {
  const { loaded } = await readConfigurationFile(join(here, "../examples/netra-staging/monitor.yaml"));
  if (!("configuration" in loaded)) throw new Error("the example is not right");
  const sizes: string[][] = [];
  for (const name of functionNames) {
    const directory = join(folder, name);
    const { bytes } = await bundle({ name, configuration: loaded.configuration, directory });
    execFileSync(process.execPath, ["warm.mjs"], { cwd: directory, stdio: "ignore" });
    sizes.push([name, `${(bytes / 1e6).toFixed(1)} MB`]);
  }
  return sizes;
}

function variants(configuration: Configuration, environment: Record<string, string> | undefined): Variant[] {
  const unbundled = (name: string): readonly string[] => [
    framework,
    `--source=${join(here, "cold-start", `${name}.mjs`)}`,
    `--target=${name}`,
  ];
  const commits: Readonly<Record<FunctionName, Step | undefined>> = {
    probe: undefined,
    evaluate: push("/ticks", { v: 1, environment: configuration.environment }),
    notify: push("/notifications", sampleEvent(configuration, "opened")),
  };
  return [
    { title: "bare node:http", command: [join(here, "cold-start/bare.cjs")], cwd: here },
    { title: "Functions Framework hello, unbundled", command: unbundled("hello"), cwd: here },
    {
      title: "Framework, Pub/Sub, Firestore, Monitoring, pg: unbundled, eager",
      command: unbundled("eager"),
      cwd: here,
      ...(environment && {
        publish: { path: "/publish", body: {} },
        commit: { path: "/commit", body: {} },
        environment,
      }),
    },
    ...functionNames.map((name): Variant => {
      const commit = commits[name];
      return {
        title: `dist/${name}`,
        command: ["start.mjs"],
        cwd: join(folder, name),
        // An unreadable message goes to the dead-letter topic in each of the functions.
        ...(environment && { publish: { path: "/", body: { no: "push" } }, ...(commit && { commit }) }),
        environment: { ...environment, PATHKEEPER_CONFIGURATION: join(folder, "configuration.json") },
      };
    }),
  ];
}

function push(path: string, data: unknown): Step {
  const now = Date.now();
  return {
    path,
    body: encodePush({ messageId: String(now), publishedAt: now, attributes: {}, data, subscription: "bench" }),
  };
}

async function coldStarts(all: readonly Variant[]): Promise<void> {
  const starts = new Map(all.map((variant) => [variant, [] as Start[]]));
  for (let round = -1; round < rounds; round++) {
    for (const [variant, taken] of starts) {
      const start = await startOf(variant);
      // The first round only loads the files into the page cache.
      if (round >= 0) taken.push(start);
    }
  }
  const median = (variant: Variant | undefined, of: keyof Start): number =>
    middle((variant && starts.get(variant))?.map((start) => start[of]) ?? []);
  const [, hello, eager] = all;
  console.log(`\nCold start, medians of ${rounds}, ${pin.length > 0 ? `on core ${values.core} alone` : "on any core"}`);
  console.log("(G3: boot at most 0.75 of the hello, with publication and commit at most 0.6 of the eager one)\n");
  const shown = (value: number, digits: number = 0): string => (Number.isNaN(value) ? "-" : value.toFixed(digits));
  const rows = all.map((variant) => {
    const { title, commit } = variant;
    const done = median(variant, "committed");
    return [
      title,
      shown(median(variant, "boot")),
      shown(median(variant, "boot") / median(hello, "boot"), 2),
      shown(median(variant, "published")),
      shown(done),
      commit ? shown(done / median(eager, "committed"), 2) : "-",
      shown(median(variant, "resident")),
    ];
  });
  const head = ["", "boot ms", "of hello", "+ publish ms", "+ commit ms", "of eager", "RSS MB"];
  for (const line of table([head, ...rows])) console.log(line);
}

async function startOf({ command, cwd, publish, commit, environment = {} }: Variant): Promise<Start> {
  const port = await freePort();
  const begun = performance.now();
  const child = spawnFunction(command, cwd, port, environment);
  try {
    await answering(port, child);
    const boot = performance.now() - begun;
    if (publish) await send(port, publish);
    const published = publish ? performance.now() - begun : Number.NaN;
    if (commit) await send(port, commit);
    return { boot, published, committed: commit ? performance.now() - begun : Number.NaN, resident: residentOf(child) };
  } finally {
    await ended(child);
  }
}

function spawnFunction(
  command: readonly string[],
  cwd: string,
  port: number,
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  const [program = "", ...others] = [...pin, process.execPath, ...command];
  return spawn(program, others, {
    cwd,
    env: {
      PATH: process.env["PATH"],
      HOST: "127.0.0.1",
      PORT: String(port),
      NODE_ENV: "production",
      PATHKEEPER_PROJECT: project,
      PATHKEEPER_VANTAGE: "outside",
      METADATA_SERVER_DETECTION: "none",
      ...environment,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Tries to connect every millisecond, and sends the request once the port accepts. */
async function answering(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const opened = await Promise.race([
      once(socket, "connect").then(
        () => true,
        () => false,
      ),
      once(socket, "close").then(() => false),
    ]);
    socket.destroy();
    if (opened) return void (await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer());
    await pause(1);
  }
  throw new Error(`a function ended with ${child.exitCode} before it answered`);
}

async function send(port: number, { path, body }: Step): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

/** Returns the resident memory of a process, in MB. */
function residentOf({ pid }: ChildProcess): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1e3;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}

/** The bundles under the load that they are designed for, with Node's heap limit at 512 MiB and the semi-space of terraform/functions.tf. */
async function memory(configuration: Configuration, environment: Record<string, string>): Promise<void> {
  console.log("\nResident memory (G6: probe and notify 120 MB, evaluate 160 MB with 10,000 series)\n");
  const large = { groups: 20, seriesEach: 500, rules: 10 };
  const file = join(folder, "large.json");
  writeFileSync(file, compile(environmentOf(large)));
  const incident = (round: number): unknown => ({
    ...sampleEvent(configuration, "opened"),
    incident: `20250916-1204${10 + round}-backend`,
  });
  const { data: request } = scheduledRequest("bench", {
    vantage: "outside",
    group: "outside-1m",
    schedule: "every 1m",
  });
  const paged = join(folder, "paged.json");
  writeFileSync(paged, compile(pageEnvironment));
  const loads: readonly { name: FunctionName; what: string; file: string; steps: () => Step[] }[] = [
    {
      name: "probe",
      what: "30 runs of probes",
      file: join(folder, "configuration.json"),
      steps: () => Array.from({ length: 30 }, () => push("/scheduled", request)),
    },
    {
      name: "evaluate",
      what: "15 minutes of 10,000 series, 10 rules",
      file,
      steps: () =>
        Array.from({ length: 15 }, (_, round) =>
          Array.from({ length: large.groups }, (__, group) =>
            push("/measurements", reportOf(groupOf(group), group, large.seriesEach, round, 0)),
          ),
        ).flat(),
    },
    {
      name: "notify",
      what: "30 incidents told",
      file: join(folder, "configuration.json"),
      steps: () => Array.from({ length: 30 }, (_, round) => push("/notifications", incident(round))),
    },
    {
      name: "notify",
      what: "300 writes of a status page of 12 components",
      file: paged,
      steps: () =>
        Array.from({ length: 300 }, () => push("/pages", { v: 1, environment: pageEnvironment.environment })),
    },
  ];
  const rows: string[][] = [];
  for (const { name, what, file: PATHKEEPER_CONFIGURATION, steps } of loads) {
    const port = await freePort();
    const flags = ["--max-old-space-size=256", ...(name === "probe" ? [] : ["--max-semi-space-size=8"])];
    const child = spawnFunction([...flags, "start.mjs"], join(folder, name), port, {
      ...environment,
      PATHKEEPER_CONFIGURATION,
      PATHKEEPER_PAGES: join(folder, "pages"),
    });
    try {
      await answering(port, child);
      for (const step of steps()) await send(port, step);
      rows.push([`dist/${name}`, what, `${residentOf(child).toFixed(0)} MB`]);
    } finally {
      await ended(child);
    }
  }
  for (const line of table(rows)) console.log(line);
}

/** Returns the prefix of a command that pins a function to one core. Pins this process and the emulators to the others. */
function pinning(): readonly string[] {
  try {
    const cores = execFileSync("nproc", ["--all"], { encoding: "utf8" }).trim();
    if (Number(cores) < 2) return [];
    const others = Array.from({ length: Number(cores) }, (_, core) => String(core)).filter(
      (core) => core !== values.core,
    );
    execFileSync("taskset", ["-cp", others.join(","), String(process.pid)], { stdio: "ignore" });
    return ["taskset", "-c", values.core];
  } catch {
    console.log("taskset is not installed: the functions run on any core.");
    return [];
  }
}

function middle(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
