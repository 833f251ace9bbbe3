/** Versions of secrets that services use: whether they exist and are enabled, never their contents. */
import { nameIn, textAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";
import type { RunService, SecretUse } from "./cloud-run.ts";

/** ENABLED, DISABLED, DESTROYED, or `missing`; `undefined` if Google does not provide it. Source: Secret Manager API v1, `secrets.versions`. */
export type VersionState = string | undefined;

/** Reads the state of every version that one of the services uses, by `secret@version`. */
export async function readSecrets(
  reader: Reader,
  { project, services: wanted }: ConfigurationSettings,
  services: ReadonlyMap<string, Read<RunService>>,
): Promise<ReadonlyMap<string, Read<VersionState>>> {
  const uses = new Map<string, { use: SecretUse; component: string | undefined }>();
  for (const { name, component } of wanted) {
    const read = services.get(name);
    for (const use of read && "value" in read ? read.value.secrets : []) uses.set(keyOf(use), { use, component });
  }
  return new Map(
    await Promise.all(
      [...uses].map(async ([key, { use, component }]): Promise<[string, Read<VersionState>]> => {
        const path = use.secret.startsWith("projects/") ? use.secret : `projects/${project}/secrets/${use.secret}`;
        const url = `https://secretmanager.googleapis.com/v1/${path}/versions/${encodeURIComponent(use.version)}`;
        const about = { resource: spoken(use), component, project: path.split("/")[1] ?? project };
        const read = await reader.one({ read: "secret_version", ...about, url }, (json) => textAt(json, "state"));
        const isMissing = "refusal" in read && read.refusal.reason === "missing";
        return [key, isMissing ? { value: "missing" } : read];
      }),
    ),
  );
}

/** Returns the key of a version in the observation. */
export function keyOf({ secret, version }: SecretUse): string {
  return `${secret}@${version}`;
}

/** Returns the name of a version for messages: `session-key version 3`. */
export function spoken({ secret, version }: SecretUse): string {
  return `${nameIn(secret)} version ${version}`;
}
