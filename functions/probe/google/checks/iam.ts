/** The check of IAM roles. */
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import type { Check } from "../configuration/check.ts";
import { both, judged } from "../configuration/judgement.ts";

import { wantedRoles } from "../resources/cloud-run.ts";

/** The check of roles. */
export const iamChecks: readonly Check[] = [
  {
    name: "cloud_run_roles",
    severity: "critical",
    title:
      "its service account has `roles` in the project, and `roles/cloudsql.client` for the socket and the connector library, `roles/cloudsql.instanceUser` for IAM login",
    why: "Without its roles for Cloud SQL a service account is refused at the door of the database.",
    remedy: "Give the account the roles that are missing, unless it has them by a group, a folder or the organization.",
    reads: ["cloud_run", "iam_policy"],
    judge: (settings, { services, policy }) =>
      settings.services.flatMap((wanted) => {
        const roles = wantedRoles(wanted);
        if (roles.length === 0) return [];
        const subject = { resource: wanted.name, component: wanted.component };
        return judged(subject, both(services.get(wanted.name), policy), ([{ serviceAccount }, bindings]) => {
          if (serviceAccount === undefined)
            return {
              unknown: "It runs as the default service account, whose roles cannot be told without its address.",
            };
          const held = bindings.filter(({ accounts }) => accounts.includes(serviceAccount));
          const missing = roles.filter((role) => !held.some((one) => !one.conditional && grants(one.role, role)));
          const conditional = missing.filter((role) => held.some((one) => one.conditional && grants(one.role, role)));
          const custom = held.some(({ role }) => !role.startsWith("roles/"));
          const expected = roles.join(", ");
          if (missing.length > 0 && missing.length === conditional.length)
            return {
              unknown: `${serviceAccount} has ${conditional.join(", ")} under a condition only, which is not worked out.`,
            };
          if (missing.length > 0 && custom)
            return {
              unknown: `${serviceAccount} has a role of your own making, which may hold what ${missing.join(", ")} would.`,
            };
          return missing.length === 0
            ? { ok: true, observed: `${serviceAccount} has them all`, expected }
            : { ok: false, observed: `${serviceAccount} lacks ${missing.join(", ")}`, expected };
        });
      }),
  },
];

/** Wider roles that hold what a narrower one does. */
const wider: Readonly<Record<string, readonly string[]>> = {
  "roles/cloudsql.client": ["roles/cloudsql.editor", "roles/cloudsql.admin", "roles/editor", "roles/owner"],
  "roles/cloudsql.instanceUser": ["roles/cloudsql.admin"],
};

function grants(held: string, wanted: string): boolean {
  return held === wanted || (ownEntry(wider, wanted)?.includes(held) ?? false);
}
