/** Tests the documents: every configuration in them is valid, and every generated page is up to date. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { commands } from "../cli/main.ts";
import { vocabulary } from "../cli/vocabulary.ts";
import { usage } from "../local/options.ts";
import { referencePages } from "../scripts/reference.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import { maintenanceEntry } from "../shared/config/maintenance.ts";
import { channelEntry, routeEntry } from "../shared/config/notification.ts";
import {
  capacityEntry,
  componentEntry,
  controlEntry,
  googleCloudEntry,
  outline,
  probeEntry,
  ruleEntry,
} from "../shared/config/schema.ts";
import { templateEntry } from "../shared/config/templates.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "examples")).map((name) => `examples/${name}/README.md`),
  ...readdirSync(join(root, "docs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
];

/** Complete configurations in documents: YAML that begins with `environment:`. */
const configurations = documents.flatMap((path) =>
  [...read(path).matchAll(/```yaml\n(environment:[\s\S]*?)```/g)].map(
    ([, text = ""], index) => [path, index + 1, text] as const,
  ),
);

/** Parts of configurations in documents: YAML that begins with a section, or with an entry of the rules. */
const fragments = documents.flatMap((path) =>
  [...read(path).matchAll(/```yaml\n(?!environment:)((?: {2}- name:|\w+:)[\s\S]*?)```/g)]
    .map(([, text = ""], index) => [path, index + 1, text] as const)
    // Sections of tests are played elsewhere.
    .filter(([, , text]) => !/^(config|series):/.test(text)),
);

/** Commands in documents, with their options. */
const commandLines = [...documents, "terraform/README.md"].flatMap((path) =>
  [...read(path).matchAll(/npx --no pathkeeper ([a-z](?:(?!npx)[^`\n])*)/g)].map(
    ([, line = ""]) => [path, line.trim()] as const,
  ),
);

const examples = readdirSync(join(root, "examples")).map((name) => `examples/${name}/monitor.yaml`);

/** Schemas of the entries in each section of `monitor.yaml`. */
const sectionEntries = {
  google_cloud: googleCloudEntry,
  components: componentEntry,
  probes: probeEntry,
  control: controlEntry,
  monitoring_rules: ruleEntry,
  capacity: capacityEntry,
  recovery: outline.shape.recovery,
  watchdog: outline.shape.watchdog,
  availability: outline.shape.availability,
  channels: channelEntry,
  routes: routeEntry,
  templates: templateEntry,
  maintenance: maintenanceEntry,
};

describe("configurations in the documents", () => {
  it("exist", () => {
    expect(configurations.map(([path]) => path)).toEqual(
      expect.arrayContaining(["README.md", "docs/configuration.md"]),
    );
    expect(examples).toContain("examples/netra-staging/monitor.yaml");
  });

  it.each(configurations)("in %s, number %i, are valid", (path, _, text) => {
    expect(loadConfiguration(text, path, vocabulary)).not.toHaveProperty("problems");
  });

  it.each(fragments)("in %s, fragment number %i, is valid in its place", (path, _, text) => {
    const section = text.startsWith("  - ") ? `monitoring_rules:\n${text}` : text;
    const probes = `probes:
  backend-run: { kind: cloud_run, component: backend, project: shop-staging, region: us-central1, service: backend }
  auth-run: { kind: cloud_run, component: backend, project: shop-staging, region: us-central1, service: auth }
  database: { kind: postgres, component: cloud-sql, connection: { url: { secret: database-url } } }
`;
    const ground = `environment: example
components:
  backend: { layer: application }
  cloud-sql: { layer: platform }
  vpc-connector: { layer: platform }
`;
    expect(
      loadConfiguration(`${ground}${section.startsWith("probes:") ? "" : probes}${section}`, path, vocabulary),
    ).not.toHaveProperty("problems");
  });

  it.each(examples)("%s is valid", (path) => {
    expect(loadConfiguration(read(path), path, vocabulary)).not.toHaveProperty("problems");
  });
});

describe("the examples of every kind", () => {
  it.each(Object.values(vocabulary.probers).map((kind) => [kind.kind, kind]))(
    "of the prober %s is valid",
    (name, kind) => {
      const text = `environment: example\ncomponents: { backend: { layer: application } }\nprobes:\n  example:\n    kind: ${name}\n    component: backend\n${indented(exampleOf(kind))}`;
      expect(loadConfiguration(text, name, vocabulary)).not.toHaveProperty("problems");
    },
  );

  it.each(Object.values(vocabulary.channels).map((kind) => [kind.kind, kind]))(
    "of the channel %s is valid",
    (name, kind) => {
      const text = `environment: example\nchannels:\n  example:\n    kind: ${name}\n${indented(exampleOf(kind))}`;
      expect(loadConfiguration(text, name, vocabulary)).not.toHaveProperty("problems");
    },
  );
});

describe("the pages", () => {
  it.each([...referencePages()])("%s is up to date (npm run docs)", (path, text) => {
    expect(read(path)).toBe(text);
  });

  it("link to files that exist", () => {
    const broken = documents.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target = ""]) => relative(root, join(root, dirname(path), target)))
        .filter((target) => !exists(target))
        .map((target) => `${path} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it.each(commandLines)("in %s: npx --no pathkeeper %s is a command with such options", async (_path, line) => {
    const [name = ""] = line.split(/\s/);
    expect([...Object.keys(commands), "help", "version"]).toContain(name);
    const options = Object.keys((await commands[name]?.())?.options ?? {});
    for (const [, option] of line.matchAll(/(?<=\s)--([a-z][a-z-]*)/g)) expect([...options, "help"]).toContain(option);
  });

  it.each(Object.entries(sectionEntries))("explain every key of %s", (section, entry) => {
    const [, description = ""] =
      new RegExp(`\n### \`${section}\`\n([\\s\\S]*?)(?=\n### |$)`).exec(read("docs/configuration.md")) ?? [];
    const { properties = {} } = z.toJSONSchema(entry, { io: "input", unrepresentable: "any" });
    expect(Object.keys(properties).filter((key) => !new RegExp(`\\b${key}\\b`).test(description))).toEqual([]);
    expect(Object.keys(properties)).not.toEqual([]);
  });

  it("name every command and every option", () => {
    for (const name of Object.keys(commands)) expect(read("docs/cli.md")).toContain(`pathkeeper ${name}`);
    for (const [option] of usage.matchAll(/--[a-z]+/g))
      expect(`${read("README.md")}${read("docs/cli.md")} --help`).toContain(option);
  });
});

describe("the program", () => {
  const textFiles = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].concat(
    [".github", "docs", "examples", "terraform", "functions", "shared", "cli", "local", "scripts"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(md|ya?ml|tf|ts|mjs|json)$/.test(entry.name))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
        .filter((path) => !path.endsWith(".test.ts")),
    ),
  );
  const callable = [...Object.keys(commands), "COMMAND"].join("|");
  /** A call, as opposed to the beginning of a message such as `pathkeeper probe: …` or a name in a code comment. */
  const called = new RegExp(`\\bnpx pathkeeper|(?<!npx --no )\\bpathkeeper (${callable})\\b(?!:)`);

  it("is called in every document and text by npx --no pathkeeper, which never downloads it", () => {
    const calls = textFiles.flatMap((path) =>
      read(path)
        .split("\n")
        .filter((line) => called.test(path.endsWith(".ts") ? line.replace(/^\s*(\/\*\*|\*|\/\/).*/, "") : line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(textFiles.length).toBeGreaterThan(300);
    expect(calls).toEqual([]);
  });

  it.each(["npx pathkeeper validate", "run `pathkeeper test FILE`", "npx pathkeeper"])("is found in %j", (text) => {
    expect(text).toMatch(called);
  });
});

function exists(path: string): boolean {
  try {
    readdirSync(join(root, path));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOTDIR";
  }
}

function exampleOf(kind: object): string {
  return "example" in kind ? String(kind.example) : "";
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}\n`)
    .join("");
}
