/** Secrets, of which only the names are read. */
import { listAt, nameIn, textAt } from "../../../../functions/probe/google/configuration/json.ts";
import { secretName } from "../../../../shared/config/secret-reference.ts";
import type { Reading } from "../reading.ts";

/** Names of secrets, never what they hold. Source: Secret Manager API v1, `projects.secrets`. */
export const secrets: Reading<string> = {
  what: "names of secrets",
  api: "secretmanager.googleapis.com",
  permission: "secretmanager.secrets.list",
  role: "roles/secretmanager.viewer",
  scope: "project",
  request: ({ project }) => ({
    url: `https://secretmanager.googleapis.com/v1/projects/${project}/secrets?pageSize=500`,
  }),
  entries: (answer) => listAt(answer, "secrets"),
  take(entry) {
    const name = nameIn(textAt(entry, "name") ?? "");
    return secretName.test(name) ? name : undefined;
  },
};
