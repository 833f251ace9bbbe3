/** One run of the local system: the demo with its inboxes, or the reader's own configuration, on the engine that was chosen. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { startDrill } from "../cli/commands/drill.ts";
import { configurationOf, explainProblems } from "../cli/configuration.ts";
import { secretFolders } from "../cli/places.ts";
import { vocabulary } from "../cli/vocabulary.ts";
import { answersKey } from "../functions/notify/answer/link.ts";
import { answerListener } from "../functions/notify/answer/serve.ts";
import { channels } from "../functions/notify/channels/index.ts";
import { localSecrets } from "../shared/adapters/secrets.ts";
import { type Loaded, loadConfiguration } from "../shared/config/load.ts";
import type { Configuration } from "../shared/config/model.ts";
import { isStatusPage } from "../shared/messages/pages-due.ts";
import type { Report } from "../shared/messages/report.ts";
import type { Logger } from "../shared/ports.ts";
import { topics } from "../shared/topology.ts";
import { copyConfiguration, keepConfiguration } from "./data/configuration-file.ts";
import { holdDirectory, lockFile } from "./data/data-lock.ts";
import { type Recovery, usableDatabase } from "./data/databases.ts";
import { keepPrivate } from "./data/private-data.ts";
import { keptSecret } from "./data/private-file.ts";
import { openRecorder } from "./data/recorder.ts";
import { demoConfiguration } from "./demo/configuration.ts";
import { startDemo } from "./demo/environment.ts";
import type { ObservedRun } from "./demo/outcome.ts";
import { type Play, playScript } from "./demo/play.ts";
import { startDiskReporter } from "./disk-reporter.ts";
import { startEmbedded } from "./engine/embedded.ts";
import type { Engine } from "./engine/engine.ts";
import { newProject, startGoogle } from "./engine/google.ts";
import { newToken } from "./engine/request-guard.ts";
import type { RecurringFailures } from "./failures.ts";
import { keptPort } from "./free-port.ts";
import { startMailInbox } from "./inbox/smtp.ts";
import { startWebhookInbox } from "./inbox/webhook.ts";
import { openMeasurements } from "./measurements/recording.ts";
import type { Options } from "./options.ts";
import { pagesFolder, type System, type SystemOptions, secretVariables, startSystem } from "./system.ts";
import { Watch } from "./watch.ts";
import { openRoom } from "./web/room.ts";

/** A system that runs. */
export interface Run {
  readonly configuration: Configuration;
  readonly watch: Watch;
  readonly system: System;
  /** The script, where the demo is played. */
  readonly play?: Play;
  /** Address of the first status page, where the configuration has one. */
  readonly statusPage?: string;
  /** Address of the control room; who opens it may act. */
  readonly room: string;
  /** Messages delivered so far. */
  messages(): number;
  /** Events since the script began. */
  observed(): ObservedRun;
  stop(): Promise<void>;
}

/** Something that was started and must be stopped. */
interface Part {
  stop(): Promise<void> | void;
}

/** Interval between ticks, in milliseconds. It is one minute in the cloud, and shorter here for interactive use. */
const tickMs = 10_000;
const demoTickMs = 2_000;

/** Callbacks of a run, and the signal that ends it. */
export interface RunPorts {
  readonly logger: Logger;
  readonly failures: RecurringFailures;
  /** Called once with notes for the user, as sentences. */
  readonly report: (sentence: string) => void;
  /** Aborted when the run is to end, which it may be before it has started. */
  readonly interrupted: AbortSignal;
}

/** Starts a run. If any part fails to start, the others are stopped. @throws Error with one clear sentence */
export async function startRun(options: Options, dataDir: string, ports: RunPorts): Promise<Run> {
  const parts: Part[] = [];
  const keep = <T extends Part>(part: T): T => {
    parts.push(part);
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const part of parts.splice(0).reverse()) await part.stop();
  };
  try {
    const recovery = { recover: options.recover, report: ports.report, now: Date.now() };
    usableDatabase(lockFile(dataDir), new Map(), recovery);
    keep(holdDirectory(dataDir));
    const ground: Ground = { options, dataDir, ...ports, recovery, keep, token: newToken() };
    const run = await (options.config === undefined ? startDemoRun(ground) : startOwnRun(options.config, ground));
    return { ...run, stop };
  } catch (error) {
    await stop();
    throw isOfFiles(error)
      ? new Error(`cannot keep data in ${dataDir}: ${error.message}; choose another folder with --data DIR`, {
          cause: error,
        })
      : error;
  }
}

const fileCalls: ReadonlySet<unknown> = new Set(["open", "write", "mkdir", "rename"]);

/** Returns true if the error is a failed write to a file or a database. */
function isOfFiles(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return ("syscall" in error && fileCalls.has(error.syscall)) || "errcode" in error;
}

/** Base of every run. */
interface Ground extends RunPorts {
  readonly options: Options;
  readonly recovery: Recovery;
  readonly dataDir: string;
  /** Remembers a part, to be stopped with the run. */
  readonly keep: <T extends Part>(part: T) => T;
  /** The token of this run, which its parts require of each other. */
  readonly token: string;
}

async function startDemoRun(ground: Ground): Promise<Omit<Run, "stop">> {
  const { options, dataDir, logger, keep } = ground;
  const { pace, fault } = options;
  const directory = join(dataDir, "inbox");
  const signingKey = await keptSecret(
    join(dataDir, "webhook-key"),
    () => `whsec_${randomBytes(24).toString("base64")}`,
  );
  const [demo, engine, mails, webhooks] = await allOrNone([
    startDemo({ dataDir, log: logger, pace }).then(keep),
    startEngine(ground),
    keptPort(join(directory, "smtp.port"))
      .then((port) => startMailInbox({ directory, port }))
      .then(keep),
    keptPort(join(directory, "webhook.port"))
      .then((port) => startWebhookInbox({ directory, port, key: signingKey }))
      .then(keep),
  ]);
  // Files written during the setup of PostgreSQL may be readable by its user.
  await keepPrivate(dataDir);
  const text = demoConfiguration(
    { ...demo.targets, googleApi: demo.googleApi, smtp: mails.port, webhook: webhooks.port, data: dataDir },
    pace,
  );
  const about = `what the demo watches, at pace ${pace}.`;
  const file = await keepConfiguration(dataDir, about, text);
  // For the command line: the functions are given them by their environment.
  const folder = join(dataDir, "secrets");
  await mkdir(folder, { recursive: true });
  for (const [name, value] of Object.entries(demo.secrets)) await writeFile(join(folder, name), value, { mode: 0o600 });
  await writeFile(join(dataDir, "google-api.url"), `${demo.googleApi}\n`, { mode: 0o600 });
  const surroundings = {
    secrets: { ...demo.secrets, "demo-webhook-key": signingKey },
    googleApi: demo.googleApi,
    tickMs: demoTickMs / pace,
  };
  const watched = await startWatched(checked(text, file), engine, surroundings, ground);
  demo.startBackup((beat) => engine.publisher.publish(topics.heartbeats, [{ data: beat }]));
  const play = keep(await playScript({ demo, fault, dataDir, pace, logger }));
  const inboxes = [mails, webhooks];
  return {
    ...watched,
    play,
    observed: () => ({
      ...watched.observed(),
      incidents: watched.watch.incidents.filter(({ fields }) => isSince(fields["opened_at"], play.startedAt)),
      received: inboxes.flatMap((inbox) => inbox.received()).filter(({ at }) => at >= play.startedAt),
      repeated: inboxes.reduce((sum, inbox) => sum + inbox.repeated(), 0),
    }),
  };
}

async function startOwnRun(config: string, ground: Ground): Promise<Omit<Run, "stop">> {
  const { text, loaded } = configurationOf(await readConfiguration(config), config);
  const configuration = checked(text, config, loaded);
  await copyConfiguration(ground.dataDir, text, config);
  const folders = await secretFolders({ config, data: ground.dataDir });
  const surroundings = { secrets: {}, secretFolders: folders.map((folder) => resolve(folder)), tickMs };
  return startWatched(configuration, await startEngine(ground), surroundings, ground);
}

/** Starts the system on a configuration, and watches it. */
async function startWatched(
  configuration: Configuration,
  engine: Engine,
  surroundings: Pick<SystemOptions, "secrets" | "secretFolders" | "googleApi" | "tickMs">,
  ground: Ground,
): Promise<Omit<Run, "stop" | "play">> {
  const { options, dataDir, logger, failures, interrupted, keep, token } = ground;
  const watch = new Watch(configuration, engine.store);
  const recorder =
    options.record === undefined ? undefined : keep(await openRecorder(options.record, aloud(logger, failures)));
  const measurements = keep(openMeasurements(dataDir, failures, ground.recovery));
  const onReport = (report: Report): void => {
    watch.see(report);
    measurements.record(report);
    if (report.trigger !== "canary") recorder?.write(report);
  };
  const answersSecret = await keptSecret(join(dataDir, "answers-key"), () => randomBytes(32).toString("base64url"));
  const secrets = { ...surroundings.secrets, [answersKey]: answersSecret };
  const answersBelow = (url: string): string => `${url}answers`;
  const room = keep(
    await openRoom({
      sources: { store: engine.store, configuration, measurements: measurements.file, now: Date.now, freshMs: 1_000 },
      token: newToken(),
      // The address stays the same while the data is kept, so that the links of old notices still lead somewhere.
      port: await keptPort(join(dataDir, "incidents.port")),
      actions: {
        store: engine.store,
        by: userInfo().username,
        drill: () => startDrill(configuration.environment, engine.publisher, Date.now()),
      },
      answers: (url) =>
        answerListener({
          store: engine.store,
          secrets: localSecrets({ ...process.env, ...secretVariables(secrets) }, join(dataDir, "secrets")),
          clock: { now: () => Date.now() },
          logger,
          configuration,
          kinds: channels,
          answersUrl: answersBelow(url),
        }),
    }),
  );
  const { links: incidentLinks } = room;
  const answersUrl = answersBelow(room.url);
  const common = {
    configuration,
    engine,
    dataDir,
    incidentLinks,
    answersUrl,
    logger,
    failures,
    interrupted,
    onReport,
    token,
  };
  const system = keep(await startSystem({ ...common, ...surroundings, secrets, ...bundlesOf(options) }));
  keep(startDiskReporter({ failures, environment: configuration.environment, publisher: engine.publisher, logger }));
  const [page] = configuration.channels.filter(isStatusPage);
  const file = join(pagesFolder(dataDir), String(page?.settings["bucket"]), "index.html");
  return {
    configuration,
    watch,
    system,
    room: room.actingUrl,
    ...(page === undefined ? {} : { statusPage: pathToFileURL(file).href }),
    messages: () => engine.delivered() ?? 0,
    observed: () => ({
      incidents: watch.incidents,
      received: [],
      // A status page has no inbox: it stands where it was written.
      channels: configuration.channels.filter((channel) => !isStatusPage(channel)).map(({ name }) => name),
      repeated: 0,
      restarts: system.functions.reduce((sum, { restarts }) => sum + restarts, 0),
    }),
  };
}

/** A logger whose errors are also shown on the terminal. */
function aloud(logger: Logger, failures: RecurringFailures): Logger {
  return {
    ...logger,
    error: (message, fields) => {
      logger.error(message, fields);
      failures.of(message, () => message).begin(new Error(message));
    },
  };
}

function bundlesOf({ bundles }: Options): { readonly bundles?: string } {
  return bundles === undefined ? {} : { bundles };
}

/** Waits for all of them, also when one fails: what did start must be known before it can be stopped. */
async function allOrNone<T extends readonly unknown[]>(starts: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(starts);
  return Promise.all(starts) as unknown as Promise<T>;
}

async function startEngine({ options, dataDir, logger, failures, recovery, keep, token }: Ground): Promise<Engine> {
  const { engine, duplicates, disorderMs } = options;
  if (engine === "embedded")
    return keep(await startEmbedded({ dataDir, duplicates, disorderMs, logger, failures, recovery, token }));
  const projectId = await keptSecret(join(dataDir, "google-project"), newProject);
  return keep(await startGoogle({ environment: process.env, projectId }));
}

function readConfiguration(file: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`cannot read ${file}: ${cause.code === "ENOENT" ? "no such file" : cause.message}`, {
      cause,
    });
  });
}

function checked(
  text: string,
  file: string,
  loaded: Loaded = loadConfiguration(text, file, vocabulary),
): Configuration {
  if ("configuration" in loaded) return loaded.configuration;
  const plain = { paint: (_: string, shown: string): string => shown };
  throw new Error(`${file} is invalid:\n\n${explainProblems(loaded.problems, text, "bad", plain).join("\n")}`);
}

function isSince(value: unknown, start: number): boolean {
  return value instanceof Date && value.getTime() >= start;
}
