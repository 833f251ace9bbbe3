/**
 * The process of one function: `node serve.ts NAME [BUNDLE]`. It serves the function, from its sources or its bundle, with the Functions Framework on
 * PORT of 127.0.0.1 and refuses requests without the token of the run, which is in its environment. The framework's own command would listen on
 * every address.
 */
import type { Server } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { HttpFunction } from "@google-cloud/functions-framework";
import { ownEntry } from "../shared/runtime/entries.ts";
import { guardRequests } from "./engine/request-guard.ts";

// The process ends with the one that started it, also when that one is killed outright.
process.channel?.unref();
process.on("disconnect", () => process.exit());

const [name = "", bundle] = process.argv.slice(2);
const server = bundle === undefined ? await served() : await startedBy(join(bundle, "start.mjs"));
guardRequests(server, process.env["PATHKEEPER_TOKEN"] ?? "");

/** Serves the function from its sources. */
async function served(): Promise<Server> {
  const { http } = await import("@google-cloud/functions-framework");
  const { getTestServer: serverOf } = await import("@google-cloud/functions-framework/testing");
  const handlers: Readonly<Record<string, HttpFunction>> = await import(`../functions/${name}/index.ts`);
  const handler = ownEntry(handlers, name);
  if (handler === undefined) throw new Error(`functions/${name} exports no handler of that name`);
  http(name, handler);
  const serving = serverOf(name).listen(Number(process.env["PORT"]), "127.0.0.1");
  serving.setTimeout(0);
  process.once("SIGTERM", () => serving.close(() => process.exit(0)));
  return serving;
}

/** Returns the server that a bundle starts; it reads PORT and HOST. The guard is in place before the event loop can accept a connection. */
async function startedBy(file: string): Promise<Server> {
  const { server: serving }: { server?: Server } = await import(pathToFileURL(file).href);
  if (serving === undefined)
    throw new Error(`${file} was built by an older version: run npm run build -- --embedded again`);
  return serving;
}
