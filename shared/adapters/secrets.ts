/** Secrets from where the platform puts them: the environment of the process, or files in a folder. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { secretVariable } from "../config/secret-reference.ts";
import type { Secrets } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";

/**
 * Reads a secret from the environment variable `PATHKEEPER_SECRET_NAME` (upper case, `-` as `_`) or from the file `NAME` in `directory`.
 * In the cloud both are filled from Secret Manager, on one machine by hand. Values are read once and a final line break is dropped.
 */
export function localSecrets(environment: Readonly<Record<string, string | undefined>>, directory?: string): Secrets {
  const known = new Map<string, Promise<string>>();
  const find = async (name: string): Promise<string> => {
    const variable = secretVariable(name);
    const value = ownEntry(environment, variable);
    if (value !== undefined) return value;
    const advice = `set the environment variable ${variable}`;
    if (directory === undefined) throw new Error(`secret "${name}" not found: ${advice}`);
    // A name from the configuration must not lead out of the folder.
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) throw new Error(`"${name}" is not the name of a secret`);
    try {
      return (await readFile(join(directory, name), "utf8")).replace(/\r?\n$/, "");
    } catch (cause) {
      throw new Error(`secret "${name}" not found: ${advice}, or write it to the file ${name} in ${directory}`, {
        cause,
      });
    }
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
