/** `npm start`: the whole system on one machine, with the demo that fails and recovers, or with the reader's own targets. */
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { keepPrivate, privateUmask } from "./data/private-data.ts";
import { isOver, type Outcome, outcomeOf, postmortemIn } from "./demo/outcome.ts";
import { outages } from "./demo/script.ts";
import { RecurringFailures } from "./failures.ts";
import { fileLogger } from "./file-logger.ts";
import { interruption } from "./interruption.ts";
import { type Options, readOptions, UsageError, usage } from "./options.ts";
import { type Run, startRun } from "./run.ts";
import type { ViewSnapshot } from "./view/snapshot.ts";
import { openView } from "./view/terminal.ts";

/** Interval between reads of documents and updates of the view, in milliseconds. */
const refreshMs = 500;
/** Timeout of the view's document reads, in milliseconds. */
const slowMs = 2_000;
/** Maximum duration of the demo after the end of its script, in milliseconds. Longer than the lease of a delivery. */
const patienceMs = 90_000;
/** Grace period for the process to exit by itself after everything is stopped, in milliseconds. */
const lingerMs = 3_000;
/** Exit code of a process that was interrupted, by the custom of shells. */
const interruptedCode = 130;

process.umask(privateUmask);
// If the output cannot be written, because the disk is full or the reader has closed the pipe, the run continues.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
process.exitCode = await main(process.argv.slice(2));
// Everything has been stopped. What is left open by mistake must not keep the process.
setTimeout(() => process.exit(), lingerMs).unref();

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options === "help") {
      process.stdout.write(usage);
      return 0;
    }
    const interrupted = interruption(() => process.exit(interruptedCode));
    return await start(options, interrupted).catch((error: unknown) => {
      // A start that was interrupted is not reported as a failure.
      if (interrupted.aborted) return options.once ? interruptedCode : 0;
      throw error;
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function start(options: Options, interrupted: AbortSignal): Promise<number> {
  const dataDir = options.data === undefined ? await temporaryDirectory() : resolve(options.data);
  try {
    await makeDirectory(dataDir);
    await keepPrivate(dataDir);
    const screen = { showsFailures: false };
    const report = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
    const failures = new RecurringFailures((sentence) => {
      if (!screen.showsFailures) report(sentence);
    });
    const logFile = join(dataDir, "logs", "local.log");
    const logger = await fileLogger(logFile, failures.writing(logFile));
    const what = options.config === undefined ? "a database, three functions" : "three functions";
    report(`Pathkeeper starts: ${what}, a broker and a scheduler, all on this machine.`);
    try {
      const run = await startRun(options, dataDir, { logger, failures, report, interrupted });
      try {
        const outcome = await show(run, { options, dataDir, interrupted, failures, screen });
        if (outcome === undefined) return options.once ? interruptedCode : 0;
        await reportPostmortems(run, options.data === undefined ? undefined : dataDir);
        process.stdout.write(`${JSON.stringify(outcome)}\n`);
        return outcome.ok ? 0 : 1;
      } finally {
        await run.stop();
      }
    } finally {
      await logger.close();
    }
  } finally {
    if (options.data === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}

/**
 * Makes the folder of the data and those above it.
 * @throws Error one sentence
 */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
    // Nobody can list it, but PostgreSQL, which does not run as root, can pass through it.
    await chmod(directory, 0o711);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(directory)).isDirectory()) return;
    const parent = dirname(directory);
    // Not left to the option `recursive`, which never ends where a folder is there but takes no others, as in /proc.
    if (code === "ENOENT" && !existsSync(parent)) {
      await makeDirectory(parent);
      return makeDirectory(directory);
    }
    const reason = code === "EEXIST" ? "it is a file" : message;
    throw new Error(`cannot keep data in ${directory}: ${reason}; choose another folder with --data DIR`, { cause });
  }
}

/** A folder of this run alone. PostgreSQL, which does not run as root, must be able to pass through it. */
async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "pathkeeper-"));
  await chmod(directory, 0o711);
  return directory;
}

/** Display of a run. */
interface Showing {
  readonly options: Options;
  readonly dataDir: string;
  readonly interrupted: AbortSignal;
  readonly failures: RecurringFailures;
  readonly screen: { showsFailures: boolean };
}

/** Shows what happens until it is interrupted or, with `--once`, over. */
async function show(run: Run, showing: Showing): Promise<Outcome | undefined> {
  const { options, interrupted, failures, screen } = showing;
  const startedAt = run.play?.startedAt ?? Date.now();
  const reading = failures.of("view", (reason) => `cannot read the state: ${reason}; the view is not updated`);
  screen.showsFailures = process.stdout.isTTY && process.stderr.isTTY;
  const view = openView(process.stdout, process.env["TERM"]);
  let endedAt = Number.POSITIVE_INFINITY;
  try {
    while (!interrupted.aborted) {
      await run.watch.refresh(slowMs, reading, interrupted);
      const now = Date.now();
      view.update(snapshotOf(run, showing, startedAt, now));
      if (run.play?.position().ended) endedAt = Math.min(endedAt, now);
      const observed = run.observed();
      const late = now - endedAt > patienceMs;
      if (options.once && endedAt <= now && (isOver(observed) || late))
        return outcomeOf(observed, outages[options.fault]);
      await pause(refreshMs / options.pace, undefined, { signal: interrupted }).catch(() => {});
    }
    return undefined;
  } finally {
    view.close();
    screen.showsFailures = false;
  }
}

/** Ends the demo with what happened in it: in files where the data is kept, else printed before the summary. */
async function reportPostmortems(run: Run, dataDir: string | undefined): Promise<void> {
  for (const { id, fields } of run.observed().incidents) {
    const text = postmortemIn(fields);
    if (text === undefined) continue;
    if (dataDir === undefined) {
      process.stdout.write(`\n${text}\n`);
      continue;
    }
    const file = join(dataDir, "postmortems", `${id}.md`);
    try {
      await makeDirectory(dirname(file));
      await writeFile(file, text);
      process.stderr.write(`The postmortem is in ${file}.\n`);
    } catch (error) {
      process.stderr.write(`cannot write ${file}: ${(error as Error).message}; the postmortem follows\n`);
      process.stdout.write(`\n${text}\n`);
    }
  }
}

function snapshotOf(run: Run, { options, dataDir, failures }: Showing, startedAt: number, now: number): ViewSnapshot {
  const position = run.play?.position();
  return run.watch.snapshot({
    at: now,
    elapsedMs: now - startedAt,
    ...(position === undefined ? {} : { headline: { text: position.step.say, nextInMs: position.nextInMs } }),
    messages: run.messages(),
    failures: failures.sentences,
    hints: [
      `control room: ${run.room}`,
      ...(run.statusPage === undefined ? [] : [`status page: ${run.statusPage}`]),
      options.data === undefined ? "use --data DIR to keep the data" : `data in ${dataDir}`,
      "press Ctrl-C to stop",
    ],
  });
}
