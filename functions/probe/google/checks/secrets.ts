/** The check of the versions of secrets that services use. */
import type { Check } from "../configuration/check.ts";
import { nameIn } from "../configuration/json.ts";
import { allOf, both, judgementsOf, unknownOutcome } from "../configuration/judgement.ts";
import type { SecretUse } from "../resources/cloud-run.ts";
import { keyOf, spoken } from "../resources/secrets.ts";

/** Returns how to restore a version: a disabled one can be enabled, any other must be added again. */
function adviceFor(wrong: { readonly use: SecretUse; readonly state: string | undefined } | undefined): string {
  const { secret = "", version = "" } = wrong?.use ?? {};
  const name = nameIn(secret);
  return wrong?.state === "DISABLED" && version !== "latest"
    ? `Enable it: \`gcloud secrets versions enable ${version} --secret=${name}\`, then deploy RESOURCE again.`
    : `Enable or add a version: \`gcloud secrets versions list ${name}\` and \`gcloud secrets versions add ${name} --data-file=FILE\`, then deploy RESOURCE with it.`;
}

/** The check of secrets. */
export const secretChecks: readonly Check[] = [
  {
    name: "secret_versions",
    severity: "critical",
    tells: ["hits_some"],
    title: "the secret versions used by its variables and volumes exist and are ENABLED",
    why: "An instance does not start if one of its secrets is missing, disabled or destroyed. Running instances keep the value that they have read.",
    remedy: "Enable the version (gcloud secrets versions enable), or add one and deploy the service with it.",
    reads: ["cloud_run", "secret_version"],
    judge: (settings, { services, secrets }) =>
      settings.services.flatMap(({ name, component }) => {
        const service = services.get(name);
        const uses = service && "value" in service ? service.value.secrets : [];
        const states = allOf(uses.map((use) => secrets.get(keyOf(use))));
        return judgementsOf({ resource: name, component }, both(service, states), ([, all]) => {
          if (uses.length === 0) return undefined;
          const known = uses.map((use, index) => ({ use, state: all[index] }));
          const wrong = known.filter(({ state }) => state !== undefined && state !== "ENABLED");
          const expected = "every version ENABLED";
          if (wrong.length > 0) {
            const shown = wrong.slice(0, 3).map(({ use, state }) => `${spoken(use)} is ${state}`);
            return { ok: false, observed: shown.join(", "), expected, advice: adviceFor(wrong[0]) };
          }
          if (known.some(({ state }) => state === undefined)) return unknownOutcome("what state a version is in");
          return { ok: true, observed: `all ${uses.length} enabled`, expected };
        });
      }),
  },
];
