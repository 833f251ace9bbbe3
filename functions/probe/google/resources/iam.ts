/** Role bindings of service accounts in the IAM policy of the project. */
import { at, listAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";
import { wantedRoles } from "./cloud-run.ts";

/** A role granted to service accounts. Other members of the project are not relevant here. */
export interface Binding {
  readonly role: string;
  /** Addresses of service accounts. */
  readonly accounts: readonly string[];
  /** Whether it is granted to everyone, with or without a Google token. */
  readonly everyone: "with a token" | "without a token" | undefined;
  /** Whether it has a condition, which is not evaluated. */
  readonly conditional: boolean;
}

/** Reads the policy, if any service must have a role, or has callers that must. Source: Resource Manager API v3, `projects.getIamPolicy`. */
export function readPolicy(
  reader: Reader,
  { project, services }: ConfigurationSettings,
): Promise<Read<readonly Binding[]>> | undefined {
  if (!services.some((service) => wantedRoles(service).length > 0 || service.callers !== undefined)) return undefined;
  const url = `https://cloudresourcemanager.googleapis.com/v3/projects/${project}:getIamPolicy`;
  // Only a policy of version 3 contains conditions.
  const body = { options: { requestedPolicyVersion: 3 } };
  return reader.one({ read: "iam_policy", resource: project, project, url, body }, takePolicy);
}

/** Extracts the relevant fields from the answer. */
export function takePolicy(json: unknown): readonly Binding[] {
  const prefix = "serviceAccount:";
  return listAt(json, "bindings").map((binding) => {
    const members = textsAt(binding, "members");
    const anyone = members.includes("allUsers") ? "without a token" : undefined;
    return {
      role: textAt(binding, "role") ?? "",
      accounts: members.flatMap((member) => (member.startsWith(prefix) ? [member.slice(prefix.length)] : [])),
      everyone: anyone ?? (members.includes("allAuthenticatedUsers") ? "with a token" : undefined),
      conditional: at(binding, "condition") !== undefined,
    };
  });
}
