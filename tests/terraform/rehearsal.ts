/** Plans of the module, with and without mistakes in its files, for the rehearsal. */
import { createHash } from "node:crypto";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readConfigurationFile } from "../../cli/configuration.ts";
import { deploymentOf } from "../../cli/deployment/deployment.ts";
import { type PlannedMonitor, readPlan } from "../../cli/rehearse/plan.ts";
import { rehearse } from "../../cli/rehearse/rehearse.ts";
import { moduleVariables } from "./examples.ts";
import { writeBundles } from "./plan.ts";
import type { PlanMutation } from "./plan-mutations.ts";
import type { Computed } from "./provider.ts";
import { moduleFolder, openWorkspace, type Workspace } from "./terraform.ts";

/** The folder of the examples. */
export const examples: string = new URL("../../examples/", import.meta.url).pathname;

/** A publisher role exchanged for a subscriber role. */
export const exchangedRole: PlanMutation = {
  what: "an exchanged role",
  file: "messaging.tf",
  from: 'role    = "roles/pubsub.publisher"\n  member  = google_service_account.function',
  to: 'role    = "roles/pubsub.subscriber"\n  member  = google_service_account.function',
  found: /roles\/pubsub\.publisher/,
};

/** Returns the output of `terraform show -json` for the plan of a configuration. */
export async function planOf(workspace: Workspace, file: string, variables: string): Promise<string> {
  const { text, loaded } = await readConfigurationFile(file);
  if (!("configuration" in loaded)) throw new Error(`${file} is invalid`);
  const sha256 = createHash("sha256").update(text).digest("hex");
  await writeBundles(join(workspace.folder, "dist"), deploymentOf(loaded.configuration, sha256));
  await copyFile(file, join(workspace.folder, "monitor.yaml"));
  await writeFile(join(workspace.folder, "terraform.tfvars"), variables);
  const { code, out, err } = await workspace.run("plan", "-out", "plan", "-no-color", "-input=false");
  if (code !== 0) throw new Error(`terraform made no plan: ${err}${out}`);
  return (await workspace.run("show", "-json", "plan")).out;
}

/** Returns the errors that the rehearsal finds in the plan of a module with a mistake, one per line. */
export async function errorsOfMutated({ file, from, to }: PlanMutation, known: Computed): Promise<string> {
  const text = await readFile(join(moduleFolder, file), "utf8");
  if (!text.includes(from)) throw new Error(`${file} does not contain: ${from}`);
  const mutated = await openWorkspace({ [file]: text.replace(from, () => to) }, known);
  try {
    const changed = await planOf(mutated, join(examples, "netra-staging", "monitor.yaml"), moduleVariables);
    const [monitor] = readPlan(changed);
    const errors = rehearse(monitor as PlannedMonitor).findings.filter(({ level }) => level === "error");
    return errors.map(({ address, says }) => `${address} ${says}`).join("\n");
  } finally {
    await mutated.close();
  }
}
