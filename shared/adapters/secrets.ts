/** Secrets from where the platform puts them: the environment of the process, or files in a folder. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { secretVariable } from "../config/secret-reference.ts";
import type { Secrets } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";

/**
 * Reads a secret from the environment variable `PATHKEEPER_SECRET_NAME` (upper case, `-` as `_`) or from the file `NAME` in the first of `directories` that has it.
 * In the cloud both are filled from Secret Manager, on one machine by hand. Values are read once and a final line break is dropped.
 */
export function localSecrets(
  environment: Readonly<Record<string, string | undefined>>,
  ...directories: readonly (string | undefined)[]
): Secrets {
  const folders = directories.filter((directory) => directory !== undefined);
  const known = new Map<string, Promise<string>>();
  const find = async (name: string): Promise<string> => {
    const variable = secretVariable(name);
    const value = ownEntry(environment, variable);
    if (value !== undefined) return value;
    const advice = `set the environment variable ${variable}`;
    if (folders.length === 0) throw new Error(`secret "${name}" not found: ${advice}`);
    // A name from the configuration must not lead out of the folder.
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) throw new Error(`"${name}" is not the name of a secret`);
    let cause: unknown;
    for (const folder of folders) {
      try {
        return (await readFile(join(folder, name), "utf8")).replace(/\r?\n$/, "");
      } catch (error) {
        cause ??= error;
      }
    }
    const places = folders.join(" or ");
    throw new Error(`secret "${name}" not found: ${advice}, or write it to the file ${name} in ${places}`, { cause });
  };
  return {
    read: (name) => {
      const reading = known.get(name) ?? find(name);
      known.set(name, reading);
      // A secret that is not there yet may be put there later.
      reading.catch(() => known.delete(name));
      return reading;
    },
  };
}
