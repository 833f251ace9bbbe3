/** One run of the local system: the demo with its inboxes, or the reader's own configuration, on the engine that was chosen. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { explainProblems } from "../cli/configuration.ts";
import { vocabulary } from "../cli/vocabulary.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import type { Configuration } from "../shared/config/model.ts";
import type { Logger } from "../shared/ports.ts";
import { holdDirectory } from "./data-lock.ts";
import { demoConfiguration } from "./demo/configuration.ts";
import { type Demo, startDemo } from "./demo/environment.ts";
import { startEmbedded } from "./engine/embedded.ts";
import type { Engine } from "./engine/engine.ts";
import { startGoogle } from "./engine/google.ts";
import { keptPort } from "./free-port.ts";
import type { Inbox } from "./inbox/inbox.ts";
import { startMailInbox } from "./inbox/smtp.ts";
import { startWebhookInbox } from "./inbox/webhook.ts";
import type { Options } from "./options.ts";
import type { Happened } from "./outcome.ts";
import { type Play, playScript } from "./play.ts";
import { type System, startSystem } from "./system.ts";
import { Watch } from "./watch.ts";

/** A system that runs. */
export interface Run {
  readonly configuration: Configuration;
  readonly watch: Watch;
  readonly system: System;
  /** The script, where the demo is played. */
  readonly play?: Play;
  /** Messages delivered so far. */
  messages(): number;
  /** What happened since the script began. */
  happened(): Happened;
  stop(): Promise<void>;
}

/** Something that was started and must be stopped. */
interface Part {
  stop(): Promise<void> | void;
}

/** How often time passes as a message, in milliseconds: in the cloud each minute, here sooner, because people sit in front of it. */
const tickMs = 10_000;
const demoTickMs = 2_000;

/**
 * Starts a run; what was started is stopped again when something does not start.
 * @throws Error one clear sentence
 */
export async function startRun(options: Options, dataDir: string, logger: Logger): Promise<Run> {
  const parts: Part[] = [];
  const keep = <T extends Part>(part: T): T => {
    parts.push(part);
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const part of parts.splice(0).reverse()) await part.stop();
  };
  try {
    keep(holdDirectory(dataDir));
    return await (options.config === undefined
      ? startDemoRun(options, dataDir, logger, keep, stop)
      : startOwnRun(options.config, options, dataDir, logger, keep, stop));
  } catch (error) {
    await stop();
    throw error;
  }
}

type Keep = <T extends Part>(part: T) => T;

async function startDemoRun(
  options: Options,
  dataDir: string,
  logger: Logger,
  keep: Keep,
  stop: () => Promise<void>,
): Promise<Run> {
  const { pace } = options;
  const directory = join(dataDir, "inbox");
  const signingKey = await keptSecret(join(dataDir, "webhook-key"));
  const starting = await Promise.allSettled([
    startDemo({ dataDir, log: logger, pace }).then(keep),
    startEngine(options, dataDir, logger).then(keep),
    keptPort(join(directory, "smtp.port"))
      .then((port) => startMailInbox({ directory, port }))
      .then(keep),
    keptPort(join(directory, "webhook.port"))
      .then((port) => startWebhookInbox({ directory, port, key: signingKey }))
      .then(keep),
  ]);
  const failed = starting.find((each) => each.status === "rejected");
  if (failed) throw failed.reason;
  const [demo, engine, mails, webhooks] = starting.map((each) => each.status === "fulfilled" && each.value) as [
    Demo,
    Engine,
    Inbox,
    Inbox,
  ];
  const text = demoConfiguration({ ...demo.targets, smtp: mails.port, webhook: webhooks.port }, pace);
  const file = join(dataDir, "monitor.yaml");
  await writeFile(file, text);
  const configuration = checked(text, file);
  const watch = new Watch(configuration, engine.store);
  const system = keep(
    await startSystem({
      configuration,
      engine,
      dataDir,
      secrets: { ...demo.secrets, "demo-webhook-key": signingKey },
      tickMs: demoTickMs / pace,
      logger,
      onReport: (report) => watch.see(report),
    }),
  );
  const play = keep(await playScript(demo, dataDir, pace));
  const inboxes = [mails, webhooks];
  return {
    configuration,
    watch,
    system,
    play,
    messages: () => engine.delivered() ?? 0,
    happened: () => ({
      incidents: watch.incidents.filter(({ fields }) => isSince(fields["opened_at"], play.startedAt)),
      received: inboxes.flatMap((inbox) => inbox.received()).filter(({ at }) => at >= play.startedAt),
      channels: configuration.channels.map(({ name }) => name),
      repeated: inboxes.reduce((sum, inbox) => sum + inbox.repeated(), 0),
      restarts: system.functions.reduce((sum, { restarts }) => sum + restarts, 0),
    }),
    stop,
  };
}

async function startOwnRun(
  config: string,
  options: Options,
  dataDir: string,
  logger: Logger,
  keep: Keep,
  stop: () => Promise<void>,
): Promise<Run> {
  const configuration = checked(await readConfiguration(config), config);
  const engine = keep(await startEngine(options, dataDir, logger));
  const watch = new Watch(configuration, engine.store);
  const system = keep(
    await startSystem({
      configuration,
      engine,
      dataDir,
      secrets: {},
      tickMs,
      logger,
      onReport: (report) => watch.see(report),
    }),
  );
  return {
    configuration,
    watch,
    system,
    messages: () => engine.delivered() ?? 0,
    happened: () => ({
      incidents: watch.incidents,
      received: [],
      channels: configuration.channels.map(({ name }) => name),
      repeated: 0,
      restarts: system.functions.reduce((sum, { restarts }) => sum + restarts, 0),
    }),
    stop,
  };
}

function startEngine({ engine, duplicates, disorderMs }: Options, dataDir: string, logger: Logger): Promise<Engine> {
  return engine === "google" ? startGoogle(process.env) : startEmbedded({ dataDir, duplicates, disorderMs, logger });
}

function readConfiguration(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`cannot read ${file}: ${cause.code === "ENOENT" ? "there is no such file" : cause.message}`, {
      cause,
    });
  });
}

function checked(text: string, file: string): Configuration {
  const loaded = loadConfiguration(text, file, vocabulary);
  if ("configuration" in loaded) return loaded.configuration;
  const plain = { paint: (_: string, shown: string): string => shown };
  throw new Error(`${file} is not right:\n\n${explainProblems(loaded.problems, text, "bad", plain).join("\n")}`);
}

/** A signing key that stays the same while the data is kept. */
async function keptSecret(file: string): Promise<string> {
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) return kept.trim();
  const made = `whsec_${randomBytes(24).toString("base64")}`;
  await writeFile(file, made, { mode: 0o600 });
  return made;
}

function isSince(value: unknown, start: number): boolean {
  return value instanceof Date && value.getTime() >= start;
}
