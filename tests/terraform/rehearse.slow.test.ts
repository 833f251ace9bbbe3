/** The rehearsal of every example as a first plan, of one as applied, and of a sample of the mistakes that are generated from the planned graph. */
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
import { errorsOfMutated, examples, exchangedRole, expectValid, missedOf, planOf, variants } from "./rehearsal.ts";
import { openWorkspace, terraformCommand, type Workspace } from "./terraform.ts";

describe.skipIf(terraformCommand === undefined)("a rehearsal", { timeout: 180_000 }, () => {
  describe("of a plan", () => {
    const every: readonly Computed[] = ["before the first apply", "as applied"];
    const workspaces = new Map<Computed, Workspace>();
    beforeAll(async () => {
      for (const known of every) workspaces.set(known, await openWorkspace({}, known));
    }, 180_000);
    afterAll(() => Promise.all([...workspaces.values()].map((workspace) => workspace.close())));

    it.each<readonly [known: Computed, variant: string]>([
      ...Object.keys(variants).map((variant) => ["before the first apply", variant] as const),
      ["as applied", "with everything"],
    ])("%s finds no errors in any example %s", async (known, variant) => {
      const workspace = workspaces.get(known);
      if (workspace === undefined) throw new Error("no workspace was opened");
      for (const example of readdirSync(examples)) await expectValid(workspace, example, variant);
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

    it("finds every sixth mistake generated from the graph", () => {
      const [monitor] = readPlan(plan);
      const mutations = graphMutations(monitor as PlannedMonitor).filter((_, index) => index % 6 === 0);
      expect(mutations.length).toBeGreaterThan(70);
      expect(missedOf(mutations)).toEqual([]);
    });

    it("finds an exchanged role in the files of the module", async () => {
      expect(await errorsOfMutated(exchangedRole, "before the first apply")).toMatch(exchangedRole.found);
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
