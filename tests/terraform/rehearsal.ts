/** Plans of the module, with and without mistakes in its files, for the rehearsal. */
import { createHash } from "node:crypto";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { readConfigurationFile } from "../../cli/configuration.ts";
import { deploymentOf } from "../../cli/deployment/deployment.ts";
import { type PlannedMonitor, readPlan } from "../../cli/rehearse/plan.ts";
import { rehearse } from "../../cli/rehearse/rehearse.ts";
import { moduleVariables } from "./examples.ts";
import type { GraphMutation } from "./graph-mutations.ts";
import { writeBundles } from "./plan.ts";
import type { PlanMutation } from "./plan-mutations.ts";
import type { Computed } from "./provider.ts";
import { moduleFolder, openWorkspace, type Workspace } from "./terraform.ts";

/** The folder of the examples. */
export const examples: string = new URL("../../examples/", import.meta.url).pathname;

/** Ways to run the monitor, by what is special about them: the variables of the module, made from the usual ones. */
export const variants: Readonly<Record<string, (variables: string) => string>> = {
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

/** Asserts that the rehearsal finds nothing wrong with an example that runs in one of the ways. */
export async function expectValid(workspace: Workspace, example: string, variant: string): Promise<void> {
  const variables = variants[variant]?.(moduleVariables) ?? "";
  const [monitor] = readPlan(await planOf(workspace, join(examples, example, "monitor.yaml"), variables));
  const made = rehearse(monitor as PlannedMonitor);
  expect(made.findings).toEqual([]);
  expect(made.requirements).toBeGreaterThan(500);
}

/** Returns what each mistake is that the rehearsal finds no error in. */
export function missedOf(mutations: readonly GraphMutation[]): readonly string[] {
  const isMissed = ({ monitor }: GraphMutation): boolean =>
    !rehearse(monitor).findings.some(({ level }) => level === "error");
  return mutations.filter(isMissed).map(({ what }) => what);
}
