/** Makes a function fit to be deployed: one folder with all that it runs on, its configuration included, and nothing else. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile, type Plugin } from "esbuild";
import { zipSync } from "fflate";
import project from "../../package.json" with { type: "json" };
import { compile } from "../../shared/config/compile.ts";
import type { Configuration } from "../../shared/config/model.ts";

/** The functions, which are bundled each for itself. */
export const functionNames = ["probe", "evaluate", "notify"] as const;

/** Name of a function. */
export type FunctionName = (typeof functionNames)[number];

/** What is bundled, and where to. */
export interface BundleOptions {
  readonly name: FunctionName;
  readonly configuration: Configuration;
  /** The folder that is made, or made anew. */
  readonly directory: string;
  /** Whether the embedded store and broker are in it, for one machine. @default false */
  readonly embedded?: boolean;
}

/** What was made. */
export interface Bundle {
  readonly directory: string;
  /** The folder as a zip archive, which is what is uploaded. */
  readonly archive: string;
  /** Bytes of the code, without its source maps. */
  readonly bytes: number;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Bundles one function. The same sources and configuration give the same bytes.
 *
 * `index.mjs` exports the function, for the Functions Framework of the platform; `start.mjs` brings the framework along and serves it on
 * `PORT`; `warm.mjs` fills the cache of compiled code, which the platform's build step runs, because the cache is good only for the very
 * Node that made it.
 */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const { name, configuration, directory, embedded = false } = options;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const { metafile } = await build({
    entryPoints: [
      { in: `entry:${name}`, out: "main" },
      { in: "entry:serve", out: "serve" },
    ],
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    minify: true,
    keepNames: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "linked",
    metafile: true,
    absWorkingDir: root,
    // Dependencies in CommonJS ask for Node's own modules by `require`, and where they are, neither of which a module of ECMAScript knows.
    banner: {
      js: [
        'import { createRequire as pathkeeperRequire } from "node:module";',
        "const require = pathkeeperRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename;",
      ].join(" "),
    },
    plugins: [entries(), namedExports(), withoutBallast(), ...(embedded ? [] : [withoutEmbedded()])],
    logLevel: "warning",
  });
  await Promise.all(
    Object.entries({
      "index.mjs": indexModule(name),
      "start.mjs": startModule(name),
      "warm.mjs": warmModule(),
      "package.json": manifest(name),
      "configuration.json": compile(configuration),
    }).map(([file, text]) => writeFile(join(directory, file), text)),
  );
  const archive = `${directory}.zip`;
  await writeFile(archive, await zipped(directory));
  return { directory, archive, bytes: codeBytes(metafile) };
}

/** The folder as an archive: the same bytes for the same files, whenever and wherever it is made. */
async function zipped(directory: string): Promise<Uint8Array> {
  const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  const contents = await Promise.all(paths.map((path) => readFile(path)));
  const entries = paths.map((path, index) => [relative(directory, path), contents[index] ?? new Uint8Array()] as const);
  // The first day that the format can express; attributes of a regular file that all may read.
  return zipSync(Object.fromEntries(entries), { level: 9, mtime: "1980-01-02T00:00:00", os: 3, attrs: 0o100644 << 16 });
}

/** The two modules that everything else hangs on: the function, and the framework that serves it. */
function entries(): Plugin {
  return {
    name: "entries",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^entry:/ }, ({ path }) => ({ path, namespace: "entry" }));
      onLoad({ filter: /^entry:/, namespace: "entry" }, ({ path }) => {
        const name = path.replace("entry:", "");
        return {
          contents: name === "serve" ? serveModule : `export * from "./functions/${name}/index.ts";`,
          resolveDir: root,
        };
      });
    },
  };
}

const serveModule = `
export { http } from "@google-cloud/functions-framework";
export { getTestServer as serverOf } from "@google-cloud/functions-framework/testing";
`;

/**
 * What is loaded later of packages in CommonJS. A part of a bundle that begins with such a package exports only the whole of it, so the names
 * that are asked for stand here.
 */
const loadedLater: Readonly<Record<string, readonly string[]>> = {
  "@google-cloud/firestore": ["DocumentReference", "FieldPath", "Firestore", "GeoPoint", "Timestamp"],
  "@google-cloud/monitoring": ["MetricServiceClient"],
  "@google-cloud/pubsub": ["PubSub"],
  "google-auth-library": ["GoogleAuth"],
  nodemailer: ["createTransport"],
};

/** Gives packages that are loaded later the exports that Node would find in them; our own code asks for no others. */
function namedExports(): Plugin {
  return {
    name: "named-exports",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[@a-z]/ }, ({ path, kind, importer }) => {
        if (kind !== "dynamic-import" || importer.includes("node_modules") || path.startsWith("node:"))
          return undefined;
        if (path in loadedLater) return { path, namespace: "loaded-later" };
        return { errors: [{ text: `${path} is loaded later: name what is asked of it in scripts/bundle/bundle.ts` }] };
      });
      onLoad({ filter: /.*/, namespace: "loaded-later" }, ({ path }) => ({
        contents: `export { ${loadedLater[path]?.join(", ")} } from "${path}";`,
        resolveDir: root,
      }));
    },
  };
}

/** Keeps SQLite and the embedded broker out of what runs in the cloud. */
function withoutEmbedded(): Plugin {
  return {
    name: "without-embedded",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\/(sqlite|broker|metrics-file)\.ts$/ }, ({ path }) => ({ path, namespace: "left-out" }));
      onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => ({
        contents: `throw new Error("this bundle is for the cloud and has no ${path.slice(2, -3)}: build it with --embedded");`,
      }));
    },
  };
}

/**
 * Leaves out what is carried along and never used, which is more than half of all: classes of every message of Google's APIs, which the
 * clients re-export for their users and do not touch themselves, and tables for decoding requests in Chinese, Japanese and Korean
 * encodings other than UTF-8, in which nobody pushes.
 */
function withoutBallast(): Plugin {
  return {
    name: "without-ballast",
    setup({ onLoad }) {
      const messages =
        /node_modules\/(@google-cloud\/[\w-]+|google-gax)\/build\/protos\/(protos|iam_service|operations|locations)\.js$/;
      onLoad({ filter: messages }, () => ({ contents: "module.exports = {};" }));
      onLoad({ filter: /node_modules\/iconv-lite\/encodings\/tables\/.*\.json$/ }, () => ({
        contents: "[]",
        loader: "json",
      }));
    },
  };
}

/** Before anything is loaded, so that everything comes from the cache. */
const preamble = `import { enableCompileCache } from "node:module";
import { join } from "node:path";
enableCompileCache(join(import.meta.dirname, ".compile-cache"));
process.env.PATHKEEPER_CONFIGURATION ??= join(import.meta.dirname, "configuration.json");
`;

function indexModule(name: FunctionName): string {
  return `${preamble}export const { ${name} } = await import("./main.mjs");\n`;
}

function startModule(name: FunctionName): string {
  return `${preamble}const [{ http, serverOf }, { ${name} }] = await Promise.all([import("./serve.mjs"), import("./main.mjs")]);
http("${name}", ${name});
const server = serverOf("${name}").listen(Number(process.env.PORT ?? 8080), process.env.HOST);
server.setTimeout(0);
process.once("SIGTERM", () => server.close(() => process.exit(0)));
`;
}

/** Loads every module once, those for later included, without asking anybody for anything. */
function warmModule(): string {
  return `${preamble}import { flushCompileCache } from "node:module";
import { readdir } from "node:fs/promises";
process.env.PATHKEEPER_PROJECT ??= "none";
const files = await readdir(import.meta.dirname, { recursive: true });
const isModule = (file) => file.endsWith(".mjs") && file !== "start.mjs" && file !== "warm.mjs";
for (const file of files.filter(isModule)) {
  // What is not for the cloud says so by throwing.
  await import(join(import.meta.dirname, file)).catch(() => {});
}
flushCompileCache();
process.exit(0);
`;
}

const framework = "@google-cloud/functions-framework";

/** What the platform's build reads. Of the packages only the framework is named: the platform starts that by itself. */
function manifest(name: FunctionName): string {
  const text = {
    name: `pathkeeper-${name}`,
    private: true,
    type: "module",
    main: "index.mjs",
    engines: { node: ">=22.18" },
    scripts: { start: "node start.mjs", "gcp-build": "node warm.mjs" },
    dependencies: { [framework]: project.dependencies[framework] },
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}

function codeBytes({ outputs }: Metafile): number {
  return Object.entries(outputs)
    .filter(([file]) => file.endsWith(".mjs"))
    .reduce((sum, [, { bytes }]) => sum + bytes, 0);
}
