/** A function in a process of its own, under the real Functions Framework, brought back by itself whenever it dies or hangs. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type LogFile, openLogFile } from "./data/log-file.ts";
import { withToken } from "./engine/request-guard.ts";
import { type RecurringFailure, silentFailure } from "./failures.ts";
import { freePort } from "./free-port.ts";

/** Which function, and what it is given. */
export interface FunctionOptions {
  readonly name: "probe" | "evaluate" | "notify";
  /** Environment variables besides those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** The folder of its bundle. @default it runs from its sources */
  readonly bundle?: string;
  /** Required of every request. */
  readonly token: string;
  /** File to which its output is appended. */
  readonly logFile: string;
  /** Called when that file cannot be written. @default no callback */
  readonly logFailure?: RecurringFailure;
  /** Aborted when it is not waited for any more. @default never */
  readonly interrupted?: AbortSignal;
  /** Health check that detects a hanging process. @default a request every 5 s; restarted after 3 requests without a response within 10 s */
  readonly liveness?: { readonly everyMs: number; readonly answerWithinMs: number; readonly misses: number };
  /** Called with the id of each process that runs it. */
  readonly onSpawn?: (pid: number) => void;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = fileURLToPath(new URL("serve.ts", import.meta.url));
/** A function that has not answered by then never will, in milliseconds. */
const startDeadline = 120_000;
/** The longest pause before a function that keeps dying is started again, in milliseconds. */
const longestPause = 5_000;

/** Flags of V8 for the functions that keep much and hurry little, as in the cloud (terraform/functions.tf). */
export const heapFlags: readonly string[] = ["--max-semi-space-size=8"];

const usualLiveness = { everyMs: 5_000, answerWithinMs: 10_000, misses: 3 };

/** A running function. */
export class FunctionProcess {
  readonly name: string;
  readonly port: number;
  readonly #options: FunctionOptions;
  readonly #log: LogFile;
  #child: ChildProcess;
  #stopping = false;
  #restarts = 0;
  #lastWords = "";

  private constructor(options: FunctionOptions, port: number) {
    this.name = options.name;
    this.port = port;
    this.#options = options;
    this.#log = openLogFile(options.logFile, options.logFailure ?? silentFailure);
    this.#child = this.#spawn();
  }

  /**
   * Starts a function and returns when it answers.
   * @throws Error with its last words when it ends instead
   */
  static async start(options: FunctionOptions): Promise<FunctionProcess> {
    const started = new FunctionProcess(options, await freePort());
    try {
      await started.#answering();
      void started.#watch();
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  /** Its address, with the token. */
  get url(): string {
    return withToken(`http://127.0.0.1:${this.port}`, this.#options.token);
  }

  /** The id of the process that runs it at present. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Number of restarts. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Ends it: asked first, killed if it does not listen. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (isRunning(child)) {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), 2_000);
      await gone;
      clearTimeout(kill);
    }
    await this.#log.close();
  }

  #spawn(): ChildProcess {
    const { name, environment, bundle, token } = this.#options;
    const flags = name === "probe" ? [] : heapFlags;
    const child = spawn(process.execPath, [...flags, entry, name, ...(bundle === undefined ? [] : [bundle])], {
      cwd: bundle ?? root,
      // Every user of the machine can read the arguments of a process, but not its environment.
      env: { ...process.env, ...environment, PATHKEEPER_TOKEN: token, HOST: "127.0.0.1", PORT: String(this.port) },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-2_000);
        this.#log.write(text);
      });
    }
    child.once("exit", () => void this.#revive());
    if (child.pid !== undefined) this.#options.onSpawn?.(child.pid);
    return child;
  }

  async #revive(): Promise<void> {
    if (this.#stopping) return;
    // One that dies at once again and again gets time in between; one that is killed now and then comes back immediately.
    await pause(Math.min(longestPause, 50 * 2 ** Math.min(this.#restarts, 10)));
    if (this.#stopping) return;
    this.#restarts += 1;
    this.#child = this.#spawn();
  }

  /** Asks the process again and again, and kills one that has answered before and does not any more: that it runs is no proof that it works. */
  async #watch(): Promise<void> {
    const { everyMs, answerWithinMs, misses } = this.#options.liveness ?? usualLiveness;
    let answered = this.#child;
    let missed = 0;
    while (!this.#stopping) {
      const child = this.#child;
      if (await this.#answers(answerWithinMs)) {
        answered = child;
        missed = 0;
      } else if (child === this.#child && child === answered && isRunning(child)) {
        missed += 1;
      } else {
        missed = 0;
      }
      if (missed >= misses && !this.#stopping) {
        const message = `${this.name} did not answer ${missed} times in a row: restarting it`;
        this.#log.write(`${JSON.stringify({ severity: "ERROR", message })}\n`);
        child.kill("SIGKILL");
        missed = 0;
      }
      await pause(everyMs, undefined, { ref: false });
    }
  }

  async #answers(withinMs: number): Promise<boolean> {
    try {
      const response = await fetch(this.url, { signal: AbortSignal.timeout(withinMs) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }

  async #answering(): Promise<void> {
    const deadline = Date.now() + startDeadline;
    while (Date.now() < deadline && this.#restarts < 2) {
      if (this.#options.interrupted?.aborted) throw new Error("interrupted");
      if (await this.#answers(10_000)) return;
      await pause(25);
    }
    throw new Error(`the function ${this.name} did not start. Its last output: ${this.#lastWords.trim()}`);
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
