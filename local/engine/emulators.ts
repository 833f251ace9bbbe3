/**
 * Google's Firestore and Pub/Sub emulators. They are located in the Cloud SDK, started without its wrapper, and end with the process that
 * started them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readdirSync, realpathSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { collator } from "../../shared/text/formatters.ts";
import { freePort } from "../free-port.ts";

/** An emulator that Pathkeeper knows how to start. */
export type EmulatorKind = "firestore" | "pubsub";

/** A running emulator. */
export interface Emulator {
  /** Address as Google's clients want it: `127.0.0.1:PORT`. */
  readonly host: string;
  /** Kills it with all it holds, and returns when it is gone; may be called twice. */
  stop(): Promise<void>;
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The emulator's jar where it can be started, else `undefined`: the one named by `FIRESTORE_EMULATOR_JAR` or `PUBSUB_EMULATOR_JAR`, or the one
 * installed beside the `gcloud` of the PATH.
 */
export function findEmulator(kind: EmulatorKind, environment: Environment = process.env): string | undefined {
  const place = locate(kind, environment);
  return "problem" in place ? undefined : place.jar;
}

/** Why the emulator cannot be started here and how to get it, in one sentence; `undefined` where it can. */
export function missingEmulator(kind: EmulatorKind, environment: Environment = process.env): string | undefined {
  const place = locate(kind, environment);
  return "problem" in place ? place.problem : undefined;
}

/**
 * Starts an empty emulator on a free port of the loopback and returns when it answers.
 * @throws Error that says what is missing, or how the emulator ended
 */
export async function startEmulator(kind: EmulatorKind, environment: Environment = process.env): Promise<Emulator> {
  const place = locate(kind, environment);
  if ("problem" in place) throw new Error(place.problem);
  const host = `127.0.0.1:${await freePort()}`;
  const child = spawn("/bin/sh", ["-c", boundToParent, "sh", place.java, ...kinds[kind].command(place.jar, host)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  const output = lastOutput(child);
  try {
    await answering(kind, host, child, output);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, stop };
}

const readyWithinMs = 60_000;
const keptOutput = 4_000;

/**
 * Runs its arguments until they end or its standard input does. The kernel closes that pipe however the parent dies, kill -9
 * included, which no exit hook inside the parent survives.
 */
const boundToParent =
  'exec 3<&0; "$@" </dev/null 3<&- & java=$!; (cat <&3 >/dev/null; kill -9 $java 2>/dev/null) >/dev/null 2>&1 & wait $java';

interface Kind {
  readonly variable: string;
  /** Folder of the jar under the root of the Cloud SDK. */
  readonly folder: string;
  readonly jar: RegExp;
  readonly component: string;
  command(jar: string, host: string): string[];
}

const kinds: Readonly<Record<EmulatorKind, Kind>> = {
  firestore: {
    variable: "FIRESTORE_EMULATOR_JAR",
    folder: "platform/cloud-firestore-emulator",
    jar: /^cloud-firestore-emulator.*\.jar$/,
    component: "cloud-firestore-emulator",
    command: (jar, host) => [
      "-Duser.language=en",
      "-cp",
      jar,
      "com.google.cloud.datastore.emulator.firestore.CloudFirestore",
      "start",
      ...address(host),
    ],
  },
  pubsub: {
    variable: "PUBSUB_EMULATOR_JAR",
    folder: "platform/pubsub-emulator/lib",
    jar: /^cloud-pubsub-emulator-.*\.jar$/,
    component: "pubsub-emulator",
    command: (jar, host) => ["-jar", jar, ...address(host)],
  },
};

function address(host: string): string[] {
  const [name, port] = host.split(":");
  return [`--host=${name}`, `--port=${port}`];
}

type Place = { readonly jar: string; readonly java: string } | { readonly problem: string };

function locate(kind: EmulatorKind, environment: Environment): Place {
  const { variable, component } = kinds[kind];
  const named = ownEntry(environment, variable);
  const jar = named ?? installedJar(kind, environment);
  if (jar === undefined) {
    return {
      problem: `The ${kind} emulator is not installed: run \`gcloud components install ${component}\` (or install the package google-cloud-cli-${kind}-emulator), or set ${variable} to its jar.`,
    };
  }
  if (!isFile(jar)) {
    return { problem: `${variable} is ${jar}, which does not exist: set it to the jar of the ${kind} emulator.` };
  }
  const java = onPath("java", environment);
  if (java === undefined) {
    return {
      problem: `The ${kind} emulator needs Java, and no \`java\` is on the PATH: install a JRE of version 11 or later.`,
    };
  }
  return { jar, java };
}

function installedJar(kind: EmulatorKind, environment: Environment): string | undefined {
  const gcloud = onPath("gcloud", environment);
  if (gcloud === undefined) return undefined;
  const folder = resolve(realpathSync(gcloud), "../..", kinds[kind].folder);
  try {
    const newest = readdirSync(folder)
      .filter((name) => kinds[kind].jar.test(name))
      .sort(collator("en", { numeric: true }).compare)
      .at(-1);
    return newest && join(folder, newest);
  } catch {
    return undefined;
  }
}

function onPath(command: string, environment: Environment): string | undefined {
  return (environment["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, command))
    .find((path) => isFile(path) && isExecutable(path));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Drains the output, which grows by megabytes, and keeps only its end. */
function lastOutput(child: ChildProcess): () => string {
  let kept = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      kept = (kept + text).slice(-keptOutput);
    });
  }
  return () => kept.trim();
}

async function answering(kind: EmulatorKind, host: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (child.exitCode === null && child.signalCode === null) {
    const ok = await fetch(`http://${host}/`, { signal: AbortSignal.timeout(5_000) }).then(
      (reply) => reply.text().then(() => reply.ok),
      () => false,
    );
    if (ok) return;
    if (performance.now() > deadline) {
      throw new Error(`The ${kind} emulator does not answer on ${host} after ${readyWithinMs / 1000} s: ${output()}`);
    }
    await pause(50);
  }
  throw new Error(`The ${kind} emulator ended before it answered: ${output() || "no output"}`);
}
