/** Builds the deployable form of a function: one folder with everything that it needs, its configuration included, and nothing else. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { zipSync } from "fflate";
import { deploymentOf } from "../../cli/deployment/deployment.ts";
import { compile } from "../../shared/config/compile.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { filesOf, served } from "./files.ts";
import type { FunctionName } from "./names.ts";
import { builtins, entries, later, laterFile, withoutBallast, withoutEmbedded } from "./plugins.ts";

/** Function to bundle, and the output folder. */
export interface BundleOptions {
  readonly name: FunctionName;
  readonly configuration: Configuration;
  /** The folder that is made, or made anew. */
  readonly directory: string;
  /** True to include the embedded store and broker, for one machine. @default false */
  readonly embedded?: boolean;
}

/** Result of bundling. */
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
 * `start.mjs` serves it on `PORT`. `later` contains the modules that are loaded on first use. `warm.mjs` fills the cache of compiled code;
 * the platform's build step runs it, because the cache is valid only for the Node version that created it.
 */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const { name, configuration, directory, embedded = false } = options;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const needed = new Set<string>();
  const common = [entries(root), builtins(), withoutBallast()];
  const first = await build({
    ...settings,
    entryPoints: [{ in: `function:${name}`, out: "main" }],
    outdir: directory,
    plugins: [...common, later((found) => needed.add(found)), ...(embedded ? [] : [withoutEmbedded()])],
  });
  const then = await build({
    ...settings,
    entryPoints: [...needed].sort().map((found) => ({ in: `later:${found}`, out: laterFile(found) })),
    outdir: join(directory, "later"),
    chunkNames: "[hash]",
    splitting: true,
    plugins: common,
  });
  const files: Readonly<Record<string, string>> = {
    ...filesOf(name, configuration.environment),
    "configuration.json": compile(configuration),
    // Expected state of the deployment, for the drift check.
    ...(name === "evaluate" ? { "deployment.json": `${JSON.stringify(deploymentOf(configuration, ""))}\n` } : {}),
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), text, { mode: file === served ? 0o755 : 0o644 });
  }
  const archive = `${directory}.zip`;
  await writeFile(archive, await zipped(directory));
  return { directory, archive, bytes: codeBytes(first.metafile) + codeBytes(then.metafile) };
}

const settings = {
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  // Names stay: some of the packages look at those of their classes, and stack traces are read by people.
  minifyWhitespace: true,
  minifySyntax: true,
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
  logLevel: "warning",
} as const satisfies BuildOptions;

/** The folder as an archive: the same bytes for the same files, whenever and wherever it is made. */
async function zipped(directory: string): Promise<Uint8Array> {
  const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  const contents = await Promise.all(paths.map((path) => readFile(path)));
  const entries = paths.map((path, index) => [relative(directory, path), contents[index] ?? new Uint8Array()] as const);
  // The earliest date that the format can express, and the attributes of a regular file that everyone may read and execute.
  return zipSync(Object.fromEntries(entries), { level: 9, mtime: "1980-01-02T00:00:00", os: 3, attrs: 0o100755 << 16 });
}

function codeBytes({ outputs }: Metafile): number {
  return Object.entries(outputs)
    .filter(([file]) => file.endsWith(".mjs"))
    .reduce((sum, [, { bytes }]) => sum + bytes, 0);
}
