/** The checks of IAM roles: the permissions of a service, and its permitted callers. */
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import type { Check } from "../configuration/check.ts";
import { allOf, both, type CheckOutcome, judgementsOf } from "../configuration/judgement.ts";
import type { Observation } from "../configuration/observation.ts";
import type { Read } from "../configuration/read.ts";
import type { CallerSettings } from "../configuration/settings.ts";
import { type RunService, wantedRoles } from "../resources/cloud-run.ts";
import type { Binding } from "../resources/iam.ts";

/** The checks of roles. */
export const iamChecks: readonly Check[] = [
  {
    name: "cloud_run_roles",
    severity: "critical",
    tells: ["hits_some"],
    title:
      "its service account has `roles` in the project, `roles/cloudsql.client` if it uses the socket or the connector library, and `roles/cloudsql.instanceUser` if it logs in with IAM",
    why: "Cloud SQL refuses connections from a service account without these roles.",
    remedy: "Grant the account the missing roles, unless it has them through a group, a folder or the organization.",
    reads: ["cloud_run", "iam_policy"],
    judge: (settings, { services, policy }) =>
      settings.services.flatMap((wanted) => {
        const roles = wantedRoles(wanted);
        if (roles.length === 0) return [];
        const subject = { resource: wanted.name, component: wanted.component };
        return judgementsOf(subject, both(services.get(wanted.name), policy), ([{ serviceAccount }, bindings]) => {
          if (serviceAccount === undefined)
            return {
              unknown:
                "It runs as the default service account, whose roles cannot be determined without its email address.",
            };
          const held = bindings.filter(({ accounts }) => accounts.includes(serviceAccount));
          const missing = roles.filter((role) => !held.some((one) => !one.conditional && grants(one.role, role)));
          const conditional = missing.filter((role) => held.some((one) => one.conditional && grants(one.role, role)));
          const custom = held.some(({ role }) => !role.startsWith("roles/"));
          const expected = roles.join(", ");
          if (missing.length > 0 && missing.length === conditional.length)
            return {
              unknown: `${serviceAccount} has ${conditional.join(", ")} only under a condition, which is not evaluated.`,
            };
          if (missing.length > 0 && custom)
            return {
              unknown: `${serviceAccount} has a custom role, which may include the permissions of ${missing.join(", ")}.`,
            };
          return missing.length === 0
            ? { ok: true, observed: `${serviceAccount} has them all`, expected }
            : {
                ok: false,
                observed: `${serviceAccount} lacks ${missing.join(", ")}`,
                expected,
                advice: `Grant it: \`gcloud projects add-iam-policy-binding PROJECT --member=serviceAccount:${serviceAccount} --role=${missing[0]}\`, unless the account has the role through a group, a folder or the organization.`,
              };
        });
      }),
  },
  {
    name: "cloud_run_invokers",
    severity: "critical",
    tells: ["hits_some"],
    title:
      "each of its `callers` has `roles/run.invoker` on it or in the project, and sends a token if one is required",
    why: "Cloud Run refuses a caller without the invoker role with 403, before the service sees the request.",
    remedy:
      "Grant it: `gcloud run services add-iam-policy-binding RESOURCE --region=REGION --role=roles/run.invoker`, with the caller as --member.",
    reads: ["cloud_run", "run_policy", "iam_policy", "push_subscription", "scheduler_job"],
    judge: (settings, seen) =>
      settings.services.flatMap(({ name, component, callers }) => {
        if (callers === undefined) return [];
        const policies = both(seen.invokers.get(name), seen.policy);
        const known = both(both(seen.services.get(name), policies), callersOf(callers, seen));
        return judgementsOf({ resource: name, component }, known, ([[service, [own, project]], all]) =>
          invokersOutcome(service, [...own, ...project], all),
        );
      }),
  },
];

/** A caller and its account. Without an account there is no token. */
interface NamedCaller {
  readonly who: string;
  readonly account: string | undefined;
}

/** Returns the callers of a service with their accounts, as far as these could be read. */
function callersOf(callers: CallerSettings, seen: Observation): Read<readonly NamedCaller[]> | undefined {
  const read = <T>(
    who: string,
    from: Read<T> | undefined,
    account: (value: T) => string | undefined,
  ): Read<NamedCaller> | undefined =>
    from === undefined || "refusal" in from ? from : { value: { who, account: account(from.value) } };
  const all = [
    ...callers.accounts.map((address): Read<NamedCaller> => ({ value: { who: address, account: address } })),
    ...callers.services.map((name) =>
      read(`the service ${name}`, seen.services.get(name), (one) => one.serviceAccount),
    ),
    ...callers.push_subscriptions.map((name) =>
      read(`the subscription ${name}`, seen.callers.get(`push/${name}`), (one) => one.account),
    ),
    ...callers.scheduler_jobs.map((name) =>
      read(`the job ${name}`, seen.callers.get(`job/${name}`), (one) => one.account),
    ),
    ...(callers.everyone ? [{ value: { who: "everyone", account: undefined } }] : []),
  ];
  // A missing caller is reported by `resource_exists`.
  return allOf(all.filter((one) => one === undefined || !("refusal" in one) || one.refusal.reason !== "missing"));
}

function invokersOutcome(
  { invokersChecked }: RunService,
  bindings: readonly Binding[],
  callers: readonly NamedCaller[],
): CheckOutcome {
  const expected = "the invoker role for every caller";
  if (!invokersChecked) return { ok: true, observed: "the service does not check its callers", expected };
  const held = ({ account }: NamedCaller): readonly Binding[] =>
    bindings.filter(
      ({ accounts, everyone }) =>
        everyone === "without a token" ||
        (account !== undefined && (everyone !== undefined || accounts.includes(account))),
    );
  const calls = (caller: NamedCaller): boolean =>
    held(caller).some(({ role, conditional }) => !conditional && invokes.has(role));
  const refused = callers.filter((caller) => !calls(caller));
  const unclear = refused.filter((caller) =>
    held(caller).some(({ role, conditional }) => conditional || mayInvoke(role)),
  );
  const named = ({ who, account }: NamedCaller): string =>
    account === undefined
      ? who === "everyone"
        ? "not everyone may call it"
        : `${who} sends no token`
      : `${who}${who === account ? "" : ` (${account})`} may not call it`;
  const certain = refused.filter((caller) => !unclear.includes(caller));
  const [worst] = certain;
  if (worst !== undefined)
    return { ok: false, observed: certain.slice(0, 3).map(named).join(", "), expected, advice: invokerAdvice(worst) };
  const [first] = unclear;
  if (first !== undefined)
    return {
      unknown: `${first.who} has a custom role or a role under a condition, which may include run.routes.invoke and is not evaluated.`,
    };
  return { ok: true, observed: `all ${callers.length} callers may call it`, expected };
}

function invokerAdvice({ who, account }: NamedCaller): string {
  const member = account === undefined ? "allUsers" : `serviceAccount:${account}`;
  if (account === undefined && who !== "everyone")
    return `Give ${who} an OIDC token of a service account that may call RESOURCE.`;
  return `Grant it: \`gcloud run services add-iam-policy-binding RESOURCE --region=REGION --role=roles/run.invoker --member=${member}\`.`;
}

/** Roles that include run.routes.invoke. */
const invokes: ReadonlySet<string> = new Set(["roles/run.invoker", "roles/run.servicesInvoker", "roles/run.admin"]);

/** Returns whether a role may include run.routes.invoke. */
function mayInvoke(role: string): boolean {
  return !role.startsWith("roles/") || /^roles\/(run\.|editor$|owner$)/.test(role);
}

/** Broader roles that include a narrower one. */
const wider: Readonly<Record<string, readonly string[]>> = {
  "roles/cloudsql.client": ["roles/cloudsql.editor", "roles/cloudsql.admin", "roles/editor", "roles/owner"],
  "roles/cloudsql.instanceUser": ["roles/cloudsql.admin"],
};

function grants(held: string, wanted: string): boolean {
  return held === wanted || (ownEntry(wider, wanted)?.includes(held) ?? false);
}
