/** Bundler plugins: module resolution, excluded code, and modules that are loaded later. */
import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { describedApis, neededOf } from "./protos.ts";

/** The modules that a bundle begins with: the function together with the framework that serves it, and each of what is loaded later. */
export function entries(root: string): Plugin {
  return {
    name: "entries",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^(function|later):/ }, ({ path }) => ({ path, namespace: "entry" }));
      onLoad({ filter: /^function:/, namespace: "entry" }, ({ path }) => ({
        contents: functionModule(path.replace("function:", "")),
        resolveDir: root,
      }));
      onLoad({ filter: /^later:/, namespace: "entry" }, ({ path }) => {
        const name = path.replace("later:", "");
        return { contents: `export { ${ownEntry(loadedLater, name)?.join(", ")} } from "${name}";`, resolveDir: root };
      });
    },
  };
}

function functionModule(name: string): string {
  return `
export { http } from "@google-cloud/functions-framework";
export { getTestServer as serverOf } from "@google-cloud/functions-framework/testing";
export * from "./functions/${name}/index.ts";
`;
}

/**
 * Packages that are loaded on first use, with the exports that our code uses. They are CommonJS, so an entry module exports only the whole
 * package unless the exports are listed.
 */
export const loadedLater: Readonly<Record<string, readonly string[]>> = {
  "@google-cloud/firestore": ["DocumentReference", "FieldPath", "FieldValue", "Firestore", "GeoPoint", "Timestamp"],
  "@google-cloud/monitoring": ["MetricServiceClient"],
  "@google-cloud/pubsub": ["PubSub"],
  "google-auth-library": ["GoogleAuth"],
  nodemailer: ["createTransport"],
  pg: ["Client"],
  re2js: ["RE2JS"],
  "tough-cookie": ["CookieJar"],
  ws: ["WebSocket"],
};

/** The file of a package that is loaded later, without its ending. */
export function laterFile(name: string): string {
  return name.replace(/^@/, "").replaceAll("/", "-");
}

/**
 * Keeps lazily loaded modules in separate files, so that a start reads only one file. Modules that our own code imports statically are
 * loaded on first use.
 * @param found called with each of them
 */
export function later(found: (name: string) => void): Plugin {
  return {
    name: "later",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[@a-z]/ }, ({ path, kind, importer }) => {
        const named = Object.hasOwn(loadedLater, path);
        const isLater = kind === "dynamic-import" || (kind === "import-statement" && named);
        if (!isLater || importer.includes("node_modules") || path.startsWith("node:")) return undefined;
        if (!named)
          return {
            errors: [{ text: `${path} is loaded later: name what is asked of it in scripts/bundle/plugins.ts` }],
          };
        found(path);
        return kind === "dynamic-import"
          ? { path: `./later/${laterFile(path)}.mjs`, external: true }
          : { path, namespace: "later" };
      });
      onResolve({ filter: /^\.\/later\//, namespace: "later" }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /.*/, namespace: "later" }, ({ path }) => ({
        contents: onDemand(`require("./later/${laterFile(path)}.mjs")`, ownEntry(loadedLater, path) ?? []),
      }));
    },
  };
}

/** A module that exports names of another one, which is only asked for when one of them is used. */
function onDemand(module: string, names: readonly string[]): string {
  return `for (const name of ${JSON.stringify(names)})
  Object.defineProperty(exports, name, { enumerable: true, get: () => ${module}[name] });`;
}

/** Node's own modules that are large themselves, and that a first answer does not need. */
const largeBuiltins: readonly string[] = [
  "crypto",
  "dns",
  "dns/promises",
  "fs/promises",
  "http2",
  "https",
  "readline",
  "tls",
  "vm",
  "zlib",
];

/**
 * Asks for Node's own modules by `require`. An `import` of one reads everything that it exports, and so loads what Node itself would load
 * later: with `node:http` a whole client of HTTP and WebSocket, which takes as long as the start of Node itself. The large ones are only
 * loaded when something of them is used.
 */
export function builtins(): Plugin {
  return {
    name: "builtins",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[a-z:/0-9]+$/ }, ({ path, kind, namespace }) => {
        const name = path.replace(/^node:/, "");
        if (namespace === "builtin") return { path: `node:${name}`, external: true };
        if (largeBuiltins.includes(name) || (kind !== "require-call" && path.startsWith("node:")))
          return { path: name, namespace: "builtin" };
        return undefined;
      });
      onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
        const module = `require("node:${path}")`;
        if (!largeBuiltins.includes(path)) return { contents: `module.exports = ${module};` };
        return { contents: onDemand(module, Object.keys(process.getBuiltinModule(path) ?? {})) };
      });
    },
  };
}

/** Beginning of the message of a module that is excluded from bundles for the cloud. */
export const leftOut = "this bundle is for the cloud and has no";

/** Keeps SQLite and the embedded broker out of what runs in the cloud. */
export function withoutEmbedded(): Plugin {
  return {
    name: "without-embedded",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\/(sqlite|broker|metrics-file)\.ts$/ }, ({ path }) => ({ path, namespace: "left-out" }));
      onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => ({
        contents: `throw new Error("${leftOut} ${path.slice(2, -3)}: build it with --embedded");`,
      }));
    },
  };
}

/** Unused dependencies, with their replacements. */
const ballast: readonly { readonly file: RegExp; readonly contents: string; readonly loader?: "json" }[] = [
  {
    // Classes of every message of Google's APIs, which the clients re-export for their users. Firestore's looks for one as it loads.
    file: /node_modules\/(@google-cloud\/[\w-]+|google-gax)\/build\/protos\/(protos|iam_service|operations|locations)\.js$/,
    contents: "module.exports = { google: { firestore: { v1: {} } } };",
  },
  // Tables for requests in Chinese, Japanese and Korean encodings other than UTF-8, which Pub/Sub never sends.
  { file: /node_modules\/iconv-lite\/encodings\/tables\/.*\.json$/, contents: "[]", loader: "json" },
  {
    // Thousands of media types, of which the functions take and give these.
    file: /node_modules\/mime-db\/db\.json$/,
    contents: JSON.stringify({
      "application/json": { source: "iana", charset: "UTF-8", compressible: true, extensions: ["json"] },
      "application/octet-stream": { source: "iana", compressible: false, extensions: ["bin"] },
      "application/x-www-form-urlencoded": { source: "iana", compressible: true },
      "text/html": { source: "iana", compressible: true, extensions: ["html"] },
      "text/plain": { source: "iana", compressible: true, extensions: ["txt"] },
    }),
    loader: "json",
  },
  // Keeps only the English error messages.
  { file: /node_modules\/zod\/v4\/locales\/index\.js$/, contents: 'export { default as en } from "./en.js";' },
  // Pub/Sub sends no forms either; Node's own parser would suffice for them.
  { file: /node_modules\/qs\/lib\/index\.js$/, contents: 'module.exports = require("node:querystring");' },
  {
    // Traces for the developers of Express, which are off without their variable.
    file: /node_modules\/debug\/src\/index\.js$/,
    contents: "module.exports = () => Object.assign(() => {}, { enabled: false });",
  },
];

/** Leaves out what is carried along and never used, which is more than half of all. */
export function withoutBallast(): Plugin {
  return {
    name: "without-ballast",
    setup({ onLoad }) {
      for (const { file, contents, loader } of ballast)
        onLoad({ filter: file }, () => ({ contents, ...(loader && { loader }) }));
      onLoad({ filter: describedApis }, async ({ path }) => ({
        contents: neededOf(path, await readFile(path, "utf8")),
        loader: "json",
      }));
    },
  };
}
