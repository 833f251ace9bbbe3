/**
 * Services shared by several test files that take seconds to start: each is started on first use, once in a run, and stopped with it. Tests
 * get it from `started-once.ts`.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import sparticuz from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import type { TestProject } from "vitest/node";
import { startEmulator } from "../../local/engine/emulators.ts";
import { bundledFunctions } from "./bundles.ts";
import type { OnceName, Whereabouts } from "./started-once.ts";

/** A running service, and how to stop it. */
interface Started {
  readonly where: string;
  stop(): Promise<void>;
}

const starts: Readonly<Record<OnceName, () => Promise<Started>>> = {
  firestore: () => emulator("firestore"),
  pubsub: () => emulator("pubsub"),
  browser,
  bundles: bundledFunctions,
};

async function emulator(kind: "firestore" | "pubsub"): Promise<Started> {
  const { host, stop } = await startEmulator(kind);
  return { where: host, stop };
}

async function browser(): Promise<Started> {
  try {
    // In single-process mode, which the package proposes, the browser ends with its first window.
    const args = sparticuz.args.filter((arg) => arg !== "--single-process" && arg !== "--no-zygote");
    const server = await chromium.launchServer({ executablePath: await sparticuz.executablePath(), args });
    return { where: server.wsEndpoint(), stop: () => server.close() };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new Error(`The browser of the package @sparticuz/chromium does not start on this machine: ${why}`, { cause });
  }
}

/** Vitest calls this function before the first test of a project, and the function that it returns after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<OnceName, Promise<Started>>();
  const server = createServer(async ({ url = "" }, response) => {
    const name = url.slice(1) as OnceName;
    const starting = started.get(name) ?? starts[name]();
    started.set(name, starting);
    const answer: Whereabouts = await starting.then(
      ({ where }) => ({ where }),
      (error: Error) => ({ problem: error.message }),
    );
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  project.provide("startedOnce", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    const ended = await Promise.allSettled(started.values());
    await Promise.all(ended.map((each) => (each.status === "fulfilled" ? each.value.stop() : undefined)));
  };
}

declare module "vitest" {
  interface ProvidedContext {
    /** Address that `started-once.ts` queries. */
    readonly startedOnce: string;
  }
}
