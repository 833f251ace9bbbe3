/** The small files of a bundle: how it starts, how its cache is filled, and what the platform's build reads. */
import project from "../../package.json" with { type: "json" };
import type { FunctionName } from "./names.ts";

/** Command that the platform runs in place of the command of the Functions Framework. */
export const served = "framework/serve.mjs";

/** The files by their paths. */
export function filesOf(name: FunctionName, environment: string): Readonly<Record<string, string>> {
  return {
    "index.mjs": indexModule(name),
    "start.mjs": startModule(name),
    "warm.mjs": warmModule(name, environment),
    [served]: '#!/usr/bin/env node\nimport "../start.mjs";\n',
    ...manifests(name),
  };
}

/** Before anything is loaded, so that everything comes from the cache. */
const preamble = `import { enableCompileCache } from "node:module";
enableCompileCache(import.meta.dirname + "/.compile-cache");
process.env.PATHKEEPER_CONFIGURATION ??= import.meta.dirname + "/configuration.json";
`;

function indexModule(name: FunctionName): string {
  return `${preamble}export const { ${name} } = await import("./main.mjs");\n`;
}

function startModule(name: FunctionName): string {
  return `${preamble}const { http, serverOf, ${name} } = await import("./main.mjs");
http("${name}", ${name});
export const server = serverOf("${name}").listen(Number(process.env.PORT ?? 8080), process.env.HOST);
server.setTimeout(0);
process.once("SIGTERM", () => server.close(() => process.exit(0)));
`;
}

/**
 * Loads every module, and makes the function respond, publish and commit without a network, so that the compile cache contains the code of a
 * first request. A module that fails to load fails the build.
 */
function warmModule(name: FunctionName, environment: string): string {
  const tick = Buffer.from(JSON.stringify({ v: 1, environment })).toString("base64");
  return `${preamble}import { readdir } from "node:fs/promises";
import { flushCompileCache } from "node:module";
const nobody = "127.0.0.1:1";
Object.assign(process.env, { PATHKEEPER_PROJECT: "none", METADATA_SERVER_DETECTION: "none" });
Object.assign(process.env, { FIRESTORE_EMULATOR_HOST: nobody, PUBSUB_EMULATOR_HOST: nobody });
for (const file of await readdir(import.meta.dirname + "/later"))
  if (file.endsWith(".mjs")) await import("./later/" + file);
const { http, serverOf, ${name} } = await import("./main.mjs");
http("${name}", ${name});
const server = serverOf("${name}").listen(0, "127.0.0.1");
await new Promise((listening) => server.once("listening", listening));
process.stdout.write = () => true;
const ask = (path, options) => fetch(\`http://127.0.0.1:\${server.address().port}\${path}\`, options);
const push = (path, message) => ask(path, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ message }),
  // These calls never succeed, and nothing waits for them: they only load code.
  signal: AbortSignal.timeout(3_000),
}).catch(() => {});
await ask("/");
const message = { messageId: "0", publishTime: new Date().toISOString(), data: "${tick}" };
await Promise.all([push("/", {}), push("/ticks", message)]);
flushCompileCache();
process.exit(0);
`;
}

const framework = "@google-cloud/functions-framework";

/**
 * Returns the `package.json` for the platform's build. The build installs the dependencies and runs the command of the Functions Framework.
 * The bundle already contains the framework, so the package of that name is a folder of the bundle, and nothing is downloaded.
 */
function manifests(name: FunctionName): Readonly<Record<string, string>> {
  const folder = "framework";
  const version = project.dependencies[framework];
  const bundle = {
    name: `pathkeeper-${name}`,
    version: project.version,
    dependencies: { [framework]: `file:${folder}` },
    engines: { node: ">=22.18" },
  };
  const linked = { name: framework, version, bin: { "functions-framework": "serve.mjs" } };
  const lock = {
    name: bundle.name,
    version: bundle.version,
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": bundle,
      [folder]: linked,
      [`node_modules/${framework}`]: { resolved: folder, link: true },
    },
  };
  const texts = {
    "package.json": {
      ...bundle,
      private: true,
      type: "module",
      main: "index.mjs",
      scripts: { start: "node start.mjs", "gcp-build": "node warm.mjs" },
    },
    [`${folder}/package.json`]: { ...linked, type: "module" },
    "package-lock.json": lock,
  };
  return Object.fromEntries(Object.entries(texts).map(([file, text]) => [file, `${JSON.stringify(text, null, 2)}\n`]));
}
