/** Cloud Armor policies of backend services: the clients that they allow. */
import { at, flagAt, listAt, nameIn, numberAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";
import type { Backend } from "./load-balancer.ts";

/** A rule, with the fields that are checked. Source: Compute API v1, `securityPolicies`. */
export interface ArmorRule {
  /** Rules with smaller numbers are evaluated first. */
  readonly priority: number;
  /** allow, deny(403), throttle, rate_based_ban, redirect. */
  readonly action: string;
  /** Only logged, not applied. */
  readonly preview: boolean;
  /** Source addresses that it matches; `*` for all. */
  readonly ranges: readonly string[];
  /** Whether it matches by an expression, which is not evaluated. */
  readonly byExpression: boolean;
}

/** Reads the policies that backend services name, by path. */
export async function readPolicies(
  reader: Reader,
  { project, load_balancer }: ConfigurationSettings,
  backends: ReadonlyMap<string, Read<Backend>>,
): Promise<ReadonlyMap<string, Read<readonly ArmorRule[]>>> {
  const paths = [...backends.values()].flatMap((read) => ("value" in read ? read.value.securityPolicies : []));
  return new Map(
    await Promise.all(
      [...new Set(paths)].map(async (path): Promise<[string, Read<readonly ArmorRule[]>]> => {
        const about = { resource: nameIn(path), component: load_balancer?.component, project };
        const url = `https://compute.googleapis.com/compute/v1/${path}`;
        return [path, await reader.one({ read: "security_policy", ...about, url }, takeRules)];
      }),
    ),
  );
}

/** Extracts the relevant fields from the answer, in the order of evaluation. */
export function takeRules(json: unknown): readonly ArmorRule[] {
  return listAt(json, "rules")
    .map((rule): ArmorRule => {
      const expression = textAt(rule, "match", "expr", "expression");
      return {
        priority: numberAt(rule, "priority") ?? 2_147_483_647,
        action: textAt(rule, "action") ?? "unknown",
        preview: flagAt(rule, "preview") === true,
        ranges: expression === "true" ? ["*"] : textsAt(at(rule, "match"), "config", "srcIpRanges"),
        byExpression: expression !== undefined && expression !== "true",
      };
    })
    .toSorted((a, b) => a.priority - b.priority);
}
