/** The check of Cloud Armor: clients and probes must be allowed. */
import { contains } from "../configuration/addresses.ts";
import type { Check } from "../configuration/check.ts";
import { nameIn } from "../configuration/json.ts";
import { allOf, both, type CheckOutcome, judgementsOf } from "../configuration/judgement.ts";
import type { ArmorRule } from "../resources/armor.ts";

/** The check of policies. */
export const armorChecks: readonly Check[] = [
  {
    name: "armor_denies",
    severity: "critical",
    tells: ["hits_some"],
    title: "no Cloud Armor policy of a backend denies `sources`, or everyone if `sources` is not set",
    why: "A request that Cloud Armor denies never reaches the service and does not appear in its logs.",
    remedy:
      "Correct the rule, or allow the addresses in a rule with a higher priority: `gcloud compute security-policies rules update`.",
    reads: ["backend_service", "endpoint_group", "health_check", "security_policy"],
    judge: ({ load_balancer }, { backends, armor }) =>
      (load_balancer?.backends ?? []).flatMap(({ name }) => {
        const backend = backends.get(name);
        const paths = backend && "value" in backend ? backend.value.securityPolicies : [];
        const policies = allOf(paths.map((path) => armor.get(path)));
        const { component, sources = [] } = load_balancer ?? {};
        return judgementsOf({ resource: name, component }, both(backend, policies), ([, all]) => {
          if (all.length === 0) return undefined;
          const answers = all.flatMap((rules, index) =>
            (sources.length === 0 ? [everyone] : sources).map((source) =>
              sourceOutcome(rules, source, nameIn(paths[index] ?? "")),
            ),
          );
          return (
            answers.find((one) => one !== undefined && "ok" in one && !one.ok) ?? answers.find(isUnknown) ?? answers[0]
          );
        });
      }),
  },
];

/** An arbitrary internet client, which matches only the range of all addresses. */
const everyone = "everyone";

/** Returns the policy's action for a source. The first matching rule decides. */
function sourceOutcome(rules: readonly ArmorRule[], source: string, policy: string): CheckOutcome {
  const expected = `${source} allowed`;
  const applied = rules.filter(({ preview }) => !preview);
  const index = applied.findIndex((rule) => isFor(rule, source));
  const rule = applied[index];
  if (rule === undefined || passes(rule)) return { ok: true, observed: expected, expected };
  const exception = applied
    .slice(0, index)
    .find((one) => passes(one) && (one.byExpression || (source === everyone && one.ranges.length > 0)));
  if (exception !== undefined)
    return {
      unknown: `The policy ${policy} allows only the addresses of its rule ${exception.priority} and denies all others: list the addresses that must be allowed under sources.`,
    };
  return {
    ok: false,
    observed: `rule ${rule.priority} of ${policy} answers ${source} with ${rule.action}`,
    expected,
    advice: `Correct the rule (\`gcloud compute security-policies rules update ${rule.priority} --security-policy=${policy}\`), or allow ${source} in a rule with a higher priority.`,
  };
}

function isFor({ ranges }: ArmorRule, source: string): boolean {
  return ranges.some(
    (range) => range === "*" || (source === everyone ? /^(0\.0\.0\.0|::)\/0$/.test(range) : contains(range, source)),
  );
}

/** Rate limits allow traffic below the limit. */
function passes({ action }: ArmorRule): boolean {
  return /^(allow|throttle|rate_based_ban)/.test(action);
}

function isUnknown(answer: CheckOutcome): boolean {
  return answer !== undefined && "unknown" in answer;
}
