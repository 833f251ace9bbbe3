/** Plans of the examples, read from Terraform's output of a test run. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { zipSync } from "fflate";
import type { Deployment } from "../../shared/deployment/deployment.ts";
import type { Workspace } from "./terraform.ts";

/** A planned resource, with its known values. */
export interface Planned {
  /** `google_pubsub_topic.main["ticks"]`. */
  readonly address: string;
  readonly type: string;
  readonly name: string;
  readonly index?: string | number;
  /** In the shape of the resource; the schema verifies that. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** Writes the results of `npm run build`: the deployment, and empty archives. */
export async function writeBundles(folder: string, deployment: Deployment): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "deployment.json"), JSON.stringify(deployment));
  for (const name of ["probe", "evaluate", "notify"]) {
    await writeFile(join(folder, `${name}.zip`), zipSync({ "index.mjs": new TextEncoder().encode(name) }));
  }
}

/** Values that only the provider knows. Mocks would generate random texts, on which no rule could be checked. */
const mocks = `
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012", project_id = "watch-project" }
  }
  override_during = plan
}
`;

/**
 * Plans the module with these variables.
 * @param variables in the format of a variables file
 * @throws Error with Terraform's message if there is no plan
 */
export async function planned(workspace: Workspace, variables: string): Promise<Planned[]> {
  await mkdir(join(workspace.folder, "tests"), { recursive: true });
  const file = "tests/generated.tftest.hcl";
  await writeFile(
    join(workspace.folder, file),
    `${mocks}\nvariables {\n${variables}\n}\n\nrun "plan" {\n  command = plan\n}\n`,
  );
  const { code, out, err } = await workspace.run("test", "-json", "-verbose", `-filter=${file}`);
  const lines = out.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));
  const plan = lines.find(({ type }) => type === "test_plan")?.test_plan;
  if (code !== 0 || plan === undefined) {
    const said = lines.flatMap(({ diagnostic }) =>
      diagnostic === undefined ? [] : [`${diagnostic.summary}: ${diagnostic.detail}`],
    );
    throw new Error(`terraform made no plan: ${said.join("\n") || err || out}`);
  }
  return plan.resource_changes
    .filter(({ mode }) => mode === "managed")
    .map(({ address, type, name, index, change }) => ({
      address,
      type,
      name,
      ...(index === undefined ? {} : { index }),
      values: change.after as Readonly<Record<string, unknown>>,
    }));
}

interface Line {
  readonly type: string;
  readonly diagnostic?: { readonly summary: string; readonly detail: string };
  readonly test_plan?: {
    readonly resource_changes: readonly {
      readonly address: string;
      readonly mode: string;
      readonly type: string;
      readonly name: string;
      readonly index?: string | number;
      readonly change: { readonly after: unknown };
    }[];
  };
}
