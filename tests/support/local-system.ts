/** Runs `npm start` as a user does, in a separate process, for the end-to-end tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFailed, onTestFinished, vi } from "vitest";
import type { Outcome } from "../../local/demo/outcome.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Options of a run of the local system. */
interface LocalSystemOptions {
  /** The folder to run in. @default the repository */
  readonly cwd?: string;
  /** A file descriptor for its standard output. @default the output is captured */
  readonly stdout?: number;
}

/** A run of the local system. */
class LocalSystem {
  /** All captured output. */
  output = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], { cwd = root, stdout }: LocalSystemOptions) {
    this.#child = spawn(process.execPath, [join(root, "local/main.ts"), ...args], {
      cwd,
      stdio: ["ignore", stdout ?? "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
        for (const look of this.#waiting) look();
      });
    }
    this.#ended = once(this.#child, "close").then(() => {
      for (const look of this.#waiting) look();
    });
  }

  /** Waits until a text has been printed. */
  async prints(text: string): Promise<void> {
    await new Promise<void>((done, fail) => {
      const look = (): void => {
        if (this.output.includes(text)) done();
        else if (this.#child.exitCode === null && this.#child.signalCode === null) return;
        else fail(new Error(`it ended without printing "${text}":\n${this.output}`));
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Waits for its end, and returns its last line. */
  async outcome(): Promise<Outcome> {
    await this.#ended;
    const last = this.output.trimEnd().split("\n").at(-1) ?? "";
    try {
      return JSON.parse(last) as Outcome;
    } catch {
      throw new Error(`its last line is no summary:\n${this.output}`);
    }
  }

  /** The exit code; `null` after a signal. */
  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }
}

/** Starts the local system. It is killed after the test, and its last lines are printed if the test fails. */
export function startLocalSystem(args: readonly string[], options: LocalSystemOptions = {}): LocalSystem {
  const system = new LocalSystem(args, options);
  onTestFailed(() => console.error(system.output.split("\n").slice(-60).join("\n")));
  onTestFinished(() => system.end("SIGKILL"));
  return system;
}

/** Creates a data directory that PostgreSQL, which does not run as root, can enter; removed after the test. */
export async function dataDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "pathkeeper-e2e-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  await chmod(path, 0o711);
  return path;
}

/** Returns the process ids of a run, by name. */
export async function processesOf(directory: string): Promise<Record<string, number>> {
  return JSON.parse(await readFile(join(directory, "processes.json"), "utf8")) as Record<string, number>;
}

/** Kills a process of a run, and waits until another replaces it. */
export async function killed(directory: string, name: string): Promise<void> {
  const { [name]: pid } = await processesOf(directory);
  if (pid === undefined) throw new Error(`${directory} has no process ${name}`);
  process.kill(pid, "SIGKILL");
  await vi.waitFor(async () => expect((await processesOf(directory))[name]).not.toBe(pid), { timeout: 60_000 });
}
