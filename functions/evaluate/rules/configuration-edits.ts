/** Applies edits of the configuration to known alerts. */

import type { AlertState } from "../partition/state.ts";
import type { Plan } from "../plan.ts";
import type { CompiledRule } from "./rule.ts";

/** The fate of an alert. */
export type Fate =
  | { readonly what: "same" }
  /** Its rule is the same under another name. */
  | { readonly what: "renamed"; readonly rule: CompiledRule }
  /** Its rule has another condition now. */
  | { readonly what: "rejudged"; readonly rule: CompiledRule }
  /** Nothing judges it any more; why not, as the end of a sentence. */
  | { readonly what: "ended"; readonly reason: string };

/** Partition of the rules that join metrics of several others. */
export const crossPartition = "cross";

/** Decides what happens to an alert of that partition under the plan. */
export function fateOf(alert: Pick<AlertState, "rule" | "labels" | "criterion">, partition: string, plan: Plan): Fate {
  const name = alert.labels["probe"];
  const probe = name === undefined ? undefined : plan.probes.get(name);
  if (name !== undefined && probe === undefined) return ended(`the probe ${name} was removed from the configuration`);
  const rule = plan.rulesByName.get(alert.rule);
  if (rule === undefined) {
    const heir = plan.rulesByCriterion.get(alert.criterion);
    if (heir !== undefined && isJudgedIn(heir, partition, plan)) return { what: "renamed", rule: heir };
    return ended("its rule was removed from the configuration");
  }
  if (partition !== crossPartition && probe !== undefined && probe.group !== partition) {
    return ended(`the probe ${name} was moved to the group ${probe.group}, which evaluates it from scratch`);
  }
  if (!isJudgedIn(rule, partition, plan)) return ended("its condition was changed and is evaluated from scratch");
  return rule.criterion === alert.criterion ? { what: "same" } : { what: "rejudged", rule };
}

function ended(reason: string): Fate {
  return { what: "ended", reason };
}

function isJudgedIn(rule: CompiledRule, partition: string, plan: Plan): boolean {
  if (partition === crossPartition) return plan.crossRules.includes(rule);
  return (plan.rulesOf.get(partition) ?? plan.rules).includes(rule);
}
