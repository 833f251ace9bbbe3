/** The whole system on one machine: engine, functions, scheduler and observer, started in order and stopped in reverse. */
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { excusePause } from "../functions/evaluate/commit/tick.ts";
import { compile } from "../shared/config/compile.ts";
import type { Configuration } from "../shared/config/model.ts";
import { groupsWithRounds } from "../shared/config/schedule.ts";
import { secretVariable } from "../shared/config/secret-reference.ts";
import type { Report } from "../shared/messages/report.ts";
import type { Logger } from "../shared/ports.ts";
import { subscriptionsWith } from "../shared/topology.ts";
import { openProcessesFile } from "./data/processes-file.ts";
import type { Engine } from "./engine/engine.ts";
import type { RecurringFailures } from "./failures.ts";
import { FunctionProcess } from "./function-process.ts";
import { observation, startObserver } from "./observer.ts";
import { startScheduler } from "./scheduler.ts";

/** Options of the system. */
export interface SystemOptions {
  readonly configuration: Configuration;
  readonly engine: Engine;
  readonly dataDir: string;
  /** Secrets by name, besides those in the environment and in `secretFolders`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Folders in which secrets are looked for, as absolute paths in their order. @default the folder `secrets` of `dataDir` */
  readonly secretFolders?: readonly string[];
  /** The token of this run, which functions and observer require. */
  readonly token: string;
  /** Below which Google's APIs are found. @default the real ones */
  readonly googleApi?: string | undefined;
  /** Address of an incident, with `${incident}` for its ID. */
  readonly incidentLinks: string;
  /** Address where recipients act on incidents. */
  readonly answersUrl: string;
  readonly tickMs: number;
  /** The folder of the bundles from which the functions run. @default their sources */
  readonly bundles?: string;
  readonly logger: Logger;
  readonly failures: RecurringFailures;
  /** Aborted when nothing more is to be started. @default never */
  readonly interrupted?: AbortSignal;
  readonly onReport: (report: Report) => void;
}

/** The folder in which status pages stand, each in a folder that is called as its bucket. */
export function pagesFolder(dataDir: string): string {
  return join(dataDir, "pages");
}

/** The environment variables that hold secrets. */
export function secretVariables(secrets: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [secretVariable(name), value]));
}

/** The running system. */
export interface System {
  readonly functions: readonly FunctionProcess[];
  stop(): Promise<void>;
}

/** Starts everything except the monitored environment. If any part fails to start, the others are stopped. @throws Error with one sentence */
export async function startSystem(options: SystemOptions): Promise<System> {
  const {
    configuration,
    engine,
    dataDir,
    secrets,
    secretFolders = [join(dataDir, "secrets")],
    token,
    googleApi,
    incidentLinks,
    answersUrl,
    tickMs,
    logger,
    failures,
    interrupted,
    onReport,
    bundles,
  } = options;
  const logs = join(dataDir, "logs");
  const secretsDir = join(dataDir, "secrets");
  await Promise.all([logs, secretsDir].map((directory) => mkdir(directory, { recursive: true })));
  const compiled = join(dataDir, "configuration.json");
  await writeFile(compiled, compile(configuration));

  const environment = {
    ...engine.environment,
    ...secretVariables(secrets),
    PATHKEEPER_CONFIGURATION: compiled,
    PATHKEEPER_SECRETS: secretFolders.join(delimiter),
    PATHKEEPER_PAGES: pagesFolder(dataDir),
    PATHKEEPER_INCIDENT_URL: incidentLinks,
    PATHKEEPER_ANSWERS_URL: answersUrl,
    PATHKEEPER_METRICS: join(dataDir, "metrics.prom"),
    PATHKEEPER_VANTAGE: "any",
    ...(googleApi === undefined ? {} : { PATHKEEPER_GOOGLE_API: googleApi }),
    // Bodies are decompressed and passwords derived on these threads: with few of them, one target would wait for others.
    UV_THREADPOOL_SIZE: "16",
  };
  const processesFile = join(dataDir, "processes.json");
  const processes = openProcessesFile(processesFile, failures.writing(processesFile));
  processes.set("local", process.pid);
  const parts: { stop(): Promise<void> | void }[] = [processes];
  // Without the functions nothing is pushed any more; then the engine can end without owing an answer.
  const stop = async (): Promise<void> => {
    for (const part of parts.splice(0).reverse()) await part.stop();
  };
  try {
    const observer = await startObserver(onReport, token);
    parts.push(observer);
    const starts = await Promise.allSettled(
      (["probe", "evaluate", "notify"] as const).map((name) =>
        FunctionProcess.start({
          name,
          environment,
          token,
          ...(bundles === undefined ? {} : { bundle: resolve(bundles, name) }),
          ...(interrupted === undefined ? {} : { interrupted }),
          logFile: join(logs, `${name}.log`),
          logFailure: failures.writing(join(logs, `${name}.log`)),
          onSpawn: (pid) => processes.set(name, pid),
        }),
      ),
    );
    const functions = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    parts.push({ stop: async () => void (await Promise.all(functions.map((each) => each.stop()))) });
    const failed = starts.find((start) => start.status === "rejected");
    if (failed) throw failed.reason;
    const urls = new Map(functions.map(({ name, url }) => [name, url]));
    await engine.subscribe([
      ...subscriptionsWith(groupsWithRounds(configuration.probes)).map((subscription) => ({
        subscription,
        url: urls.get(subscription.target) ?? "",
      })),
      { subscription: observation, url: observer.url },
    ]);
    await excusePause(engine.store, Date.now()).catch((error: Error) =>
      logger.warning(`the time without monitoring is not excused: ${error.message}`),
    );
    parts.push(startScheduler({ configuration, publisher: engine.publisher, logger, tickMs }));
    return { functions, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
