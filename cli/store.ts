/** The store that a command reads incidents from. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { connectStore } from "../shared/adapters/select.ts";
import type { Store } from "../shared/ports.ts";
import { WrongUsage } from "./command.ts";

/** The options that say which system: that of a project, or the one on this machine. */
export const storeOptions = {
  project: { type: "string", value: "PROJECT", help: "the Google Cloud project of the monitor" },
  database: {
    type: "string",
    value: "NAME",
    usual: "pathkeeper, as in the Terraform module",
    help: "the Firestore database of the project",
  },
  data: { type: "string", value: "DIR", help: "the data folder of npm start -- --data DIR on this machine" },
} as const;

/** The values of these options. */
export interface SystemOptions {
  readonly project?: string | undefined;
  readonly database?: string | undefined;
  readonly data?: string | undefined;
}

/** Returns true if options or the environment select a system. */
export function isStoreKnown({ project, data }: SystemOptions): boolean {
  return [project, data, process.env["PATHKEEPER_PROJECT"], process.env["PATHKEEPER_STORE"]].some(
    (one) => one !== undefined,
  );
}

/**
 * Firestore of a project, or the store of a system that `npm start` runs, or ran, on this machine with `--data`.
 * @throws WrongUsage where neither is known
 */
export async function storeOf(from: SystemOptions): Promise<Store> {
  return open(from).catch((error: Error) => {
    throw new WrongUsage(
      `cannot tell where the incidents are: ${error.message}; specify the system with --project or --data`,
    );
  });
}

async function open({ project, database, data }: SystemOptions): Promise<Store> {
  if (data === undefined)
    return connectStore({
      ...process.env,
      ...(project === undefined ? {} : { PATHKEEPER_PROJECT: project }),
      PATHKEEPER_DATABASE: database ?? process.env["PATHKEEPER_DATABASE"] ?? usualDatabase(),
    });
  const file = join(data, "store.db");
  // Opening it would make it.
  if (!existsSync(file)) throw new Error(`${file} not found: npm start -- --data ${data} creates it`);
  return connectStore({ PATHKEEPER_STORE: file });
}

/** As `name_prefix` of the Terraform module has it; an emulator of `npm start -- --engine google` has no other than the default one. */
function usualDatabase(): string {
  return process.env["FIRESTORE_EMULATOR_HOST"] === undefined ? "pathkeeper" : "(default)";
}
