/** Roles of service accounts in the project. */
import { listAt } from "../../../../functions/probe/google/configuration/json.ts";
import { takePolicy } from "../../../../functions/probe/google/resources/iam.ts";
import type { FoundBinding } from "../found.ts";
import { accountName, type Reading } from "../reading.ts";

/** Roles of service accounts in the project. Source: Resource Manager API v3, `projects.getIamPolicy`. */
export const projectRoles: Reading<FoundBinding> = {
  what: "the IAM policy of the project",
  api: "cloudresourcemanager.googleapis.com",
  permission: "resourcemanager.projects.getIamPolicy",
  role: "roles/browser",
  scope: "project",
  request: ({ project }) => ({
    method: "POST",
    url: `https://cloudresourcemanager.googleapis.com/v3/projects/${project}:getIamPolicy`,
    body: { options: { requestedPolicyVersion: 3 } },
  }),
  entries: (answer) => listAt(answer, "bindings"),
  take(entry) {
    const [binding] = takePolicy({ bindings: [entry] });
    if (binding === undefined || binding.conditional) return undefined;
    const accounts = binding.accounts.flatMap((account) => accountName(account) ?? []);
    return accounts.length === 0 ? undefined : { role: binding.role, accounts };
  },
};
