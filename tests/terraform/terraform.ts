/** The real `terraform`, if it is installed, with the provider that knows the schema. */
import { execFile, spawnSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Computed, type SchemaProvider, startSchemaProvider } from "./provider.ts";
import { providerSchema } from "./schema.ts";

/** The folder of the module. */
export const moduleFolder: string = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "terraform");

/** The command; `undefined` if it is not installed. */
export const terraformCommand: string | undefined = ["terraform", "tofu"].find(
  (command) => spawnSync(command, ["version"], { stdio: "ignore" }).status === 0,
);

/** Result of a Terraform command. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A copy of the module in a new, initialized folder, in which Terraform runs without a network. */
export interface Workspace {
  readonly folder: string;
  run(...args: string[]): Promise<Run>;
  close(): Promise<void>;
}

/**
 * Opens a workspace.
 * @param files additional or replaced files, by their paths in the module
 * @param known the values computed by Google that are known.
 * @default all
 */
export async function openWorkspace(
  files: Readonly<Record<string, string>> = {},
  known?: Computed,
): Promise<Workspace> {
  const above = await mkdtemp(join(tmpdir(), "pathkeeper-terraform-"));
  const folder = join(above, "terraform");
  await cp(moduleFolder, folder, { recursive: true, filter: (path) => !path.includes(".terraform") });
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  const provider: SchemaProvider = await startSchemaProvider(providerSchema(), known);
  const run = async (...args: string[]): Promise<Run> => {
    const { TF_CLI_CONFIG_FILE: _unused, ...inherited } = process.env;
    const environment = { ...inherited, ...provider.environment, TF_IN_AUTOMATION: "1" };
    try {
      const { stdout, stderr } = await promisify(execFile)(terraformCommand ?? "terraform", args, {
        cwd: folder,
        env: environment,
        maxBuffer: 64 * 1024 * 1024,
      });
      return { code: 0, out: stdout, err: stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout, err: stderr };
    }
  };
  const close = async (): Promise<void> => {
    await provider.stop();
    await rm(above, { recursive: true, force: true });
  };
  const initialized = await run("init", "-backend=false", "-no-color");
  if (initialized.code !== 0) {
    await close();
    throw new Error(`terraform init failed: ${initialized.err}${initialized.out}`);
  }
  return { folder, run, close };
}
