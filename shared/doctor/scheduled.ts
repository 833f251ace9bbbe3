/** The check for drift as a function runs it: on the deployment that it is part of, as the bundle says that it must be. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Configuration } from "../config/model.ts";
import type { Deployment } from "../deployment/deployment.ts";
import type { GoogleApi } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";
import { type Diagnosis, examine } from "./doctor.ts";

/**
 * Makes the check from the environment of a function; `undefined` where it is not wanted.
 *
 * `PATHKEEPER_DRIFT_CHECK` is the region of the functions. The file `deployment.json` stands beside the configuration.
 * @throws Error that names the variable that is missing
 */
export function scheduledCheck(
  environment: Readonly<Record<string, string | undefined>>,
  { google, configuration }: { readonly google: GoogleApi; readonly configuration: Configuration },
): ((signal: AbortSignal) => Promise<Diagnosis>) | undefined {
  const region = environment["PATHKEEPER_DRIFT_CHECK"];
  if (region === undefined) return undefined;
  const needed = (name: string): string => {
    const value = ownEntry(environment, name);
    if (value === undefined) throw new Error(`${name} is not set: the check for drift needs it`);
    return value;
  };
  const project = needed("PATHKEEPER_PROJECT");
  const prefix = needed("PATHKEEPER_SECRET_PREFIX");
  const database = needed("PATHKEEPER_DATABASE");
  const file = join(dirname(needed("PATHKEEPER_CONFIGURATION")), "deployment.json");
  const watchedProject = configuration.googleCloud?.project ?? project;
  return async (signal) => {
    const deployment = JSON.parse(await readFile(file, "utf8")) as Deployment;
    const patient = { project, region, prefix, database, watchedProject, deployment, checksDrift: true };
    return examine(patient, google, { signal });
  };
}
