/** Outputs of a monitor after the apply: addresses and commands for people to copy. Pure. */
import type { Names } from "../../shared/deployment/names.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { type Finding, same } from "./need.ts";

/** Finds outputs that do not match this monitor. @param outputs those that the plan knows, by name */
export function outputProblems(outputs: Readonly<Record<string, unknown>>, names: Names): Finding[] {
  const { project, database, prefix, functions, name, email, deployment } = names;
  const panel = database === "(default)" ? "-default-" : database;
  const secrets = [...new Set(functions.flatMap(names.secretsOf))];
  const drill = String(outputs["drill"] ?? "");
  const wanted: Readonly<Record<string, unknown>> = {
    console: `https://console.cloud.google.com/firestore/databases/${panel}/data/panel/incidents?project=${project}`,
    database,
    drill: drill.replace(
      /^.* --config /,
      `PATHKEEPER_TOPIC_PREFIX=${prefix}- PATHKEEPER_DATABASE='${database}' npx --no pathkeeper drill --project ${project} --config `,
    ),
    missing_secrets: Object.fromEntries(
      secrets.map((secret) => [
        secret,
        `gcloud secrets versions add ${name(secret)} --project ${project} --data-file=-`,
      ]),
    ),
    service_accounts: Object.fromEntries(functions.map((each) => [each, email(each)])),
    status_pages: Object.fromEntries(
      deployment.status_pages.map((bucket) => [bucket, `https://storage.googleapis.com/${bucket}/index.html`]),
    ),
  };
  return Object.entries(wanted).flatMap(([output, is]): Finding[] => {
    const told = ownEntry(outputs, output);
    if (told === undefined || told === null || same(told, is)) return [];
    return [
      {
        level: "error",
        address: `output.${output}`,
        says: `is ${JSON.stringify(told).slice(0, 200)}, and must be ${JSON.stringify(is).slice(0, 200)}: operators copy it`,
        write: `# see output "${output}" in outputs.tf`,
      },
    ];
  });
}
