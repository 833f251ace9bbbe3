/** Publisher of a command. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connectPublisher } from "../shared/adapters/select.ts";
import type { Publisher } from "../shared/ports.ts";
import { WrongUsage } from "./command.ts";

/**
 * Pub/Sub of a project, or the broker of a system that `npm start` runs on this machine with `--data`.
 * @throws WrongUsage where neither is known
 */
export async function publisherOf(from: {
  project?: string | undefined;
  data?: string | undefined;
}): Promise<Publisher> {
  return open(from).catch((error: Error) => {
    throw new WrongUsage(`cannot tell where to report: ${error.message}; specify the system with --project or --data`);
  });
}

async function open({ project, data }: Parameters<typeof publisherOf>[0]): Promise<Publisher> {
  if (data !== undefined) {
    const file = join(data, "broker.url");
    const url = await readFile(file, "utf8").catch(() => {
      throw new Error(`${file} not found: npm start -- --data ${data} creates it`);
    });
    return connectPublisher({ PATHKEEPER_BROKER: url.trim() });
  }
  return connectPublisher({
    ...process.env,
    ...(project === undefined ? {} : { PATHKEEPER_PROJECT: project }),
    PATHKEEPER_TOPIC_PREFIX: process.env["PATHKEEPER_TOPIC_PREFIX"] ?? usualPrefix(),
  });
}

/** As the Terraform module names topics; an emulator of `npm start -- --engine google` has them without a prefix. */
function usualPrefix(): string {
  return process.env["PUBSUB_EMULATOR_HOST"] === undefined ? "pathkeeper-" : "";
}
