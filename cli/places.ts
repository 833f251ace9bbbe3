/**
 * Locations of configuration, secrets and data on one machine, the same for every command and for `npm start`.
 *
 * | what | where |
 * |---|---|
 * | configuration | `--config FILE`, else `DIR/monitor.yaml` with `--data DIR`, else `monitor.yaml` |
 * | a secret | the environment variable, else a file of `--secrets DIR`; without that option of `DIR/secrets` with `--data DIR`, else of `secrets` beside the configuration |
 * | data | `--data DIR` |
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { localSecrets } from "../shared/adapters/secrets.ts";
import type { Secrets } from "../shared/ports.ts";
import { keptConfiguration } from "./configuration.ts";

/** The option `--secrets` of commands that read secrets. */
export const secretsOption = {
  secrets: {
    type: "string",
    value: "DIR",
    help: "the folder with one file for each secret that is not in an environment variable",
    usual: "secrets in --data DIR, then secrets beside the configuration",
  },
} as const;

/** Options by which the places are found. */
export interface PlaceOptions {
  /** The file of the configuration that is used. */
  readonly config: string;
  readonly data?: string | undefined;
  readonly secrets?: string | undefined;
}

/** The first line of a configuration that `npm start` copied into its data. @param source path of the original */
export function copyMark(source: string): string {
  return `a copy of ${source}. Edit that file instead.`;
}

/** Returns the folders in which secrets are looked for, in this order. */
export async function secretFolders({ config, data, secrets }: PlaceOptions): Promise<string[]> {
  if (secrets !== undefined) return [secrets];
  const beside = join(dirname(await originalOf(config, data)), "secrets");
  return data === undefined ? [beside] : [...new Set([join(data, "secrets"), beside])];
}

/** Secrets of a local system: from environment variables, or from files. */
export async function secretsFrom(places: PlaceOptions): Promise<Secrets> {
  return localSecrets(process.env, ...(await secretFolders(places)));
}

/** The file that people edit: a copy in the data names it in its first line. */
async function originalOf(config: string, data: string | undefined): Promise<string> {
  if (data === undefined || config !== keptConfiguration(data)) return config;
  const text = await readFile(config, "utf8").catch(() => "");
  const [, source = config] =
    /^#[^\n]*?: a copy of (.+)\. Edit that file instead\.$/m.exec(text.split("\n", 1)[0] ?? "") ?? [];
  return source;
}
