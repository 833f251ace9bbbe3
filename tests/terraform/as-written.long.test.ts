/**
 * Runs the commands of terraform/README.md and of the CI examples as written, in the folders that they are written for: they really
 * validate, build, plan and rehearse. Commands that would reach Google or the network (apply, doctor, drill, install) are only recorded.
 */
import { spawn } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type SchemaProvider, startSchemaProvider } from "./provider.ts";
import { providerSchema } from "./schema.ts";
import { moduleFolder, terraformCommand } from "./terraform.ts";

const root = dirname(moduleFolder);

describe.skipIf(terraformCommand === undefined)("commands as they are written", { timeout: 300_000 }, () => {
  let provider: SchemaProvider;
  let above: string;
  let calls: string;
  beforeAll(async () => {
    provider = await startSchemaProvider(providerSchema(), "before the first apply");
    above = await mkdtemp(join(tmpdir(), "pathkeeper-as-written-"));
    calls = join(above, "calls");
    const programs: Readonly<Record<string, string>> = {
      // Each configuration is built only once.
      npm: `[ "$1" = run ] || exit 0
shift 3
made="${above}/built-$(cksum < "$2" | cut -d" " -f1)"
[ -d "$made" ] || "${process.execPath}" "${root}/scripts/build.ts" --config "$2" --out "$made"
mkdir -p "\${4:-dist}" && cp -R "$made/." "\${4:-dist}"`,
      npx: `shift 2
case "$1" in doctor|drill) echo "$*" >> "${calls}"; exit 0;; esac
exec "${process.execPath}" "${root}/cli/pathkeeper.mjs" "$@"`,
      terraform: `case "$1" in apply|output) echo "terraform $*" >> "${calls}"; exit 0;; esac
exec "$REAL_TERRAFORM" "$@"`,
      git: "exit 0",
    };
    await mkdir(join(above, "bin"));
    for (const [name, script] of Object.entries(programs)) {
      await writeFile(join(above, "bin", name), `#!/bin/sh\n${script}\n`);
      await chmod(join(above, "bin", name), 0o755);
    }
  });
  afterAll(async () => {
    await provider.stop();
    await rm(above, { recursive: true, force: true });
  });

  /** Runs a script in a folder. @returns the recorded commands */
  async function run(folder: string, script: string, more: Readonly<Record<string, string>> = {}): Promise<string[]> {
    await writeFile(calls, "");
    const { TF_CLI_CONFIG_FILE: _unused, PATH = "", ...inherited } = process.env;
    const real = await output("command -v terraform || command -v tofu", PATH);
    const env = {
      ...inherited,
      ...provider.environment,
      ...more,
      TF_IN_AUTOMATION: "1",
      REAL_TERRAFORM: real.trim(),
      PATH: `${join(above, "bin")}:${PATH}`,
    };
    const child = spawn("bash", ["-euc", script], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const [out, err, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number>((ended) => child.once("close", (exit) => ended(exit ?? -1))),
    ]);
    expect(code, `${script}\n${out}\n${err}`).toBe(0);
    return (await readFile(calls, "utf8")).split("\n").filter((line) => line !== "");
  }

  /** Creates a folder with a configuration, a `main.tf` and the parts of a Pathkeeper checkout that Terraform uses. */
  async function folderOf(name: string, configuration: string, main: string): Promise<string> {
    const folder = join(above, name);
    await mkdir(join(folder, "pathkeeper"), { recursive: true });
    await cp(moduleFolder, join(folder, "pathkeeper", "terraform"), { recursive: true });
    await cp(join(root, "package.json"), join(folder, "pathkeeper", "package.json"));
    await cp(join(root, configuration), join(folder, "monitor.yaml"));
    await writeFile(join(folder, "main.tf"), main);
    return folder;
  }

  it("in terraform/README.md", async () => {
    const readme = await readFile(join(moduleFolder, "README.md"), "utf8");
    const [, main = ""] = /```hcl\n([\s\S]*?)```/.exec(readme) ?? [];
    const folder = await folderOf("readme", "examples/netra-staging/monitor.yaml", main);
    const blocks = (section: string): string[] => {
      const [, own = ""] = new RegExp(`\n## ${section}\n([\\s\\S]*?)(?=\n## )`).exec(readme) ?? [];
      const shell = own.replace(/```hcl\n[\s\S]*?```/, "");
      return [...shell.matchAll(/```\n([\s\S]*?)```/g)].map(([, script = ""]) => script);
    };
    const checkout = join(folder, "pathkeeper");
    const [build = ""] = blocks("1\\. Build");
    const [plan = "", examine = ""] = blocks("2\\. Apply");
    const [update = ""] = blocks("Update the version or the configuration");
    expect(await run(checkout, build)).toEqual([]);
    expect(await run(folder, plan)).toEqual(["terraform apply plan"]);
    expect(await run(checkout, examine)).toEqual([
      "doctor --project my-project --region us-central1 --config ../monitor.yaml",
    ]);
    expect(await run(folder, update)).toEqual(["terraform apply"]);
  });

  /** Creates the folder of the CI examples: that of `single`, with the module where the READMEs expect it. */
  async function monitoring(name: string): Promise<string> {
    const main = await readFile(join(moduleFolder, "examples", "single", "main.tf"), "utf8");
    const own = main.replace('source      = "../.."', 'source      = "./pathkeeper/terraform"');
    expect(own).not.toBe(main);
    return folderOf(join(name, "monitoring"), "terraform/examples/single/monitor.yaml", own);
  }

  interface Workflow {
    readonly env: Readonly<Record<string, string>>;
    readonly jobs: {
      readonly monitor: {
        readonly steps: readonly { readonly if?: string; readonly run?: string; readonly uses?: string }[];
      };
    };
  }

  it.each([
    ["pull_request", []],
    ["push", ["terraform apply -input=false plan", "doctor", "drill"]],
    ["schedule", ["doctor"]],
  ])("in the workflow for GitHub Actions, on %s", async (event, noted) => {
    const file = await readFile(join(moduleFolder, "examples", "github-actions", "pathkeeper.yml"), "utf8");
    const { env, jobs } = parse(file) as Workflow;
    const folder = await monitoring(`github-${event}`);
    for (const { uses, run: script } of jobs.monitor.steps) {
      expect([uses, script].filter((one) => one !== undefined)).toHaveLength(1);
      if (uses !== undefined) expect(uses).toMatch(/^[\w.-]+\/[\w.-]+@v\d+$/);
    }
    const scripts = jobs.monitor.steps.flatMap(({ if: condition, run: script }) => {
      if (script === undefined) return [];
      const [, operator, named] = /^github\.event_name (==|!=) '(\w+)'$/.exec(condition ?? "") ?? [];
      expect(condition === undefined || named !== undefined).toBe(true);
      return condition === undefined || (operator === "==") === (named === event) ? [script] : [];
    });
    const said: string[] = [];
    for (const script of scripts) said.push(...(await run(folder, script, env)));
    expect(said).toEqual(noted.map((start) => expect.stringMatching(new RegExp(`^${start}\\b`))));
    expect(said.filter((line) => !line.startsWith("terraform")).join()).not.toMatch(/--project (?!my-project)/);
  });

  interface Build {
    readonly options: { readonly env: readonly string[] };
    readonly substitutions: Readonly<Record<string, string>>;
    readonly steps: readonly { readonly dir: string; readonly entrypoint: string; readonly args: readonly string[] }[];
  }

  it.each([
    ["plan", []],
    ["apply", ["terraform apply -input=false plan", "doctor", "drill"]],
    ["doctor", ["doctor"]],
  ])("in the build for Cloud Build, with the goal %s", async (goal, noted) => {
    const file = await readFile(join(moduleFolder, "examples", "cloud-build", "cloudbuild.yaml"), "utf8");
    const { steps, substitutions, options } = parse(file) as Build;
    const values: Readonly<Record<string, string>> = { ...substitutions, _GOAL: goal, PROJECT_ID: "my-project" };
    const filled = (template: string): string =>
      template.replaceAll(
        /\$\{(_?[A-Z_]+)\}|\$(_?[A-Z_]+)/g,
        (_, a?: string, b?: string) => values[a ?? b ?? ""] ?? "",
      );
    const env = Object.fromEntries(options.env.map((one) => filled(one).split("=") as [string, string]));
    const folder = await monitoring(`build-${goal}`);
    const said: string[] = [];
    for (const { dir, args } of steps) {
      expect([dir, args[0]]).toEqual(["monitoring", "-euc"]);
      said.push(...(await run(folder, filled(args[1] ?? ""), env)));
    }
    expect(said).toEqual(noted.map((start) => expect.stringMatching(new RegExp(`^${start}\\b`))));
  });
});

/** Returns the output of a shell command. */
async function output(line: string, path: string): Promise<string> {
  const child = spawn("sh", ["-c", line], { env: { PATH: path }, stdio: ["ignore", "pipe", "ignore"] });
  return text(child.stdout);
}
