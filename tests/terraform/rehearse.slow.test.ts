/** The rehearsal of every example, as a first plan and as applied, and of mistakes that are generated from the planned graph. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rehearse as command } from "../../cli/commands/rehearse.ts";
import { readConfigurationFile } from "../../cli/configuration.ts";
import { deploymentOf } from "../../cli/deployment/deployment.ts";
import { type PlannedMonitor, readPlan } from "../../cli/rehearse/plan.ts";
import { rehearse } from "../../cli/rehearse/rehearse.ts";
import { memoryTerminal } from "../../cli/terminal/terminal.ts";
import { moduleVariables } from "./examples.ts";
import { graphMutations } from "./graph-mutations.ts";
import { writeBundles } from "./plan.ts";
import type { Computed } from "./provider.ts";
import { errorsOfMutated, examples, exchangedRole, planOf } from "./rehearsal.ts";
import { openWorkspace, terraformCommand, type Workspace } from "./terraform.ts";

/** Ways to run the monitor besides the usual one, by their difference. */
const variants: Readonly<Record<string, (variables: string) => string>> = {
  "with everything": (variables) => variables,
  "with the least": () => `
    project_id  = "watch-project"
    region      = "us-central1"
    bundles     = "dist"
    config_file = "./monitor.yaml"
    inside      = { direct = { network = "default", subnetwork = "default" } }
    alarms      = { channel_ids = ["projects/watch-project/notificationChannels/7"] }
    database    = { create = false, name = "(default)" }
  `,
  "with a connector of its own and labels": (variables) => `${variables.replace(
    'connector = { name = "staging-connector" }',
    'connector = { name = "own", create = { network = "default", ip_cidr_range = "10.8.0.0/28" } }',
  )}
    labels = { team = "shop" }
    drift_check = { enabled = true }
  `,
  "under policies, watching another project": (variables) => `${variables
    .replace(
      'connector = { name = "staging-connector" }',
      'connector = { name = "own", project_id = "shared-network" }, all_traffic = false',
    )
    .replace(
      "answers        = { enabled = true }",
      'answers        = { enabled = true, url = "https://answers.example.com/shop", iap = true }',
    )}
    watched_project_id   = "shop-staging"
    name_prefix          = "netra"
    runbook_url          = "https://git.example.com/pathkeeper/docs/alarms.md"
    organization = {
      kms_key_name      = "projects/keys/locations/us-central1/keyRings/ring/cryptoKeys/key"
      build_worker_pool = "projects/builds/locations/us-central1/workerPools/pool"
    }
  `,
};

describe.skipIf(terraformCommand === undefined)("a rehearsal", { timeout: 180_000 }, () => {
  describe.each<Computed>(["before the first apply", "as applied"])("of a plan %s", (known) => {
    let workspace: Workspace;
    beforeAll(async () => {
      workspace = await openWorkspace({}, known);
    }, 180_000);
    afterAll(() => workspace.close());

    it.each(
      readdirSync(examples).flatMap((example) => Object.keys(variants).map((variant) => [example, variant] as const)),
    )("finds no errors in %s %s", async (example, variant) => {
      const variables = variants[variant]?.(moduleVariables) ?? "";
      const [monitor] = readPlan(await planOf(workspace, join(examples, example, "monitor.yaml"), variables));
      const made = rehearse(monitor as PlannedMonitor);
      expect(made.findings).toEqual([]);
      expect(made.requirements).toBeGreaterThan(500);
    });
  });

  describe("of the examples of the module", () => {
    let workspace: Workspace;
    beforeAll(async () => {
      workspace = await openWorkspace({}, "before the first apply");
    }, 180_000);
    afterAll(() => workspace.close());

    it.each([
      ["single", ["."], ["module.pathkeeper"]],
      ["environments", ["staging", "production"], ['module.pathkeeper["production"]', 'module.pathkeeper["staging"]']],
    ])("finds no errors in %s", async (name, folders, modules) => {
      const folder = join(workspace.folder, "examples", name);
      for (const each of folders) {
        const { text, loaded } = await readConfigurationFile(join(folder, each, "monitor.yaml"));
        if (!("configuration" in loaded)) throw new Error(`${name}/${each} is invalid`);
        const sha256 = createHash("sha256").update(text).digest("hex");
        await writeBundles(join(folder, each, "dist"), deploymentOf(loaded.configuration, sha256));
      }
      const run = async (...args: string[]) => {
        const { code, out, err } = await workspace.run(`-chdir=examples/${name}`, ...args);
        expect(`${code} ${err}`).toBe("0 ");
        return out;
      };
      await run("init", "-backend=false", "-no-color");
      expect((JSON.parse(await run("validate", "-json")) as { diagnostics: unknown }).diagnostics).toEqual([]);
      await writeFile(join(folder, "terraform.tfvars"), name === "single" ? 'project_id = "watch-project"\n' : "");
      await run("plan", "-out", "plan", "-no-color", "-input=false");
      const monitors = readPlan(await run("show", "-json", "plan"));
      expect(monitors.map(({ module }) => module).sort()).toEqual(modules);
      for (const monitor of monitors) expect(rehearse(monitor).findings).toEqual([]);
    });
  });

  describe("of mistakes", () => {
    let workspace: Workspace;
    let plan: string;
    beforeAll(async () => {
      workspace = await openWorkspace();
      plan = await planOf(workspace, join(examples, "netra-staging", "monitor.yaml"), moduleVariables);
    }, 180_000);
    afterAll(() => workspace.close());

    it("finds every mistake generated from the graph", () => {
      const [monitor] = readPlan(plan);
      const mutations = graphMutations(monitor as PlannedMonitor);
      expect(mutations.length).toBeGreaterThan(400);
      const missed = mutations.filter(({ monitor: mutated }) => !hasError(mutated)).map(({ what }) => what);
      // A subscription that people pull may have any deadline.
      expect(missed).toEqual([
        "google_pubsub_subscription.dead_letters_kept: ack_deadline_seconds exchanged with that of another",
      ]);
    });

    it("finds an exchanged role in the files of the module", async () => {
      for (const known of ["before the first apply", "as applied"] as const) {
        expect(await errorsOfMutated(exchangedRole, known)).toMatch(exchangedRole.found);
      }
    });

    it("warns of bundles that another version built", async () => {
      const file = join(workspace.folder, "..", "package.json");
      const built = join(workspace.folder, "dist", "deployment.json");
      const text = await readFile(built, "utf8");
      const warnings = async (version: string): Promise<string[]> => {
        await writeFile(built, JSON.stringify({ ...(JSON.parse(text) as object), version }));
        await workspace.run("plan", "-out", "versions", "-no-color", "-input=false");
        const [monitor] = readPlan((await workspace.run("show", "-json", "versions")).out);
        return rehearse(monitor as PlannedMonitor).findings.map(({ level, says: sentence }) => `${level} ${sentence}`);
      };
      await writeFile(file, JSON.stringify({ version: "1.2.3" }));
      expect(await warnings("1.2.3")).toEqual([]);
      expect(await warnings("1.2.2")).toEqual([
        expect.stringMatching(/^warning fails: The bundles were built by another version/),
      ]);
      await writeFile(built, text);
    });

    it("finds resources that two monitors of one plan would both create", () => {
      const [monitor] = readPlan(plan);
      const first = monitor as PlannedMonitor;
      const second = { ...first, module: "module.second" };
      const says = rehearse(second, [first, second]).findings.map(({ says: sentence }) => sentence);
      expect(
        says.filter((sentence) => /is the same as .* Google has it only once/.test(sentence)).length,
      ).toBeGreaterThan(20);
      expect(rehearse(first, [first, second]).findings).toEqual([]);
    });

    it("reports that nothing compares the bundles with the configuration", () => {
      const [monitor] = readPlan(plan);
      const { findings } = rehearse({ ...(monitor as PlannedMonitor), checked: [] });
      expect(findings.map(({ says: sentence }) => sentence)).toEqual([expect.stringContaining("has no precondition")]);
    });

    it("is reported by the command with a fix, and fails", async () => {
      const folder = join(workspace.folder, "told");
      await mkdir(folder);
      const [right, wrong] = [join(folder, "right.json"), join(folder, "wrong.json")];
      await writeFile(right, plan);
      await writeFile(wrong, plan.replaceAll('"role":"roles/run.invoker"', '"role":"roles/run.viewer"'));
      const good = memoryTerminal();
      expect(await command.run(["--config", join(examples, "netra-staging", "monitor.yaml"), right], good)).toBe(0);
      expect(good.printed.join("\n")).toMatch(/^netra-staging: \d+ resources, \d+ requirements: the plan is valid$/);
      const bad = memoryTerminal();
      expect(await command.run([wrong], bad)).toBe(1);
      expect(bad.printed.join("\n")).toMatch(/role = "roles\/run\.invoker"/);
      expect(bad.printed.join("\n")).toMatch(/do not apply this plan/);
    });

    it("concerns bundles built from another configuration", async () => {
      const file = join(workspace.folder, "plan.json");
      await writeFile(file, plan.replaceAll('"cron":"* * * * *"', '"cron":"*/2 * * * *"'));
      const terminal = memoryTerminal();
      expect(await command.run(["--config", join(examples, "netra-staging", "monitor.yaml"), file], terminal)).toBe(1);
      expect(terminal.printed.join("\n")).toContain("was built from another configuration");
    });
  });
});

function hasError(monitor: PlannedMonitor): boolean {
  return rehearse(monitor).findings.some(({ level }) => level === "error");
}
