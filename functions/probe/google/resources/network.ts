/** The network between the services and the database: peerings and firewall rules. */
import { flagAt, listAt, nameIn, numberAt, textAt, textsAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";

/** A peering of the network. Source: Compute API v1, `networks`. */
export interface Peering {
  readonly name: string;
  /** ACTIVE or INACTIVE. */
  readonly state: string;
}

/** The packets of the network that a rule of either kind matches. */
interface Matching {
  readonly name: string;
  readonly egress: boolean;
  /** Rules with smaller numbers are evaluated first. */
  readonly priority: number;
  readonly disabled: boolean;
  /** Destination or source ranges; empty for all addresses. */
  readonly ranges: readonly string[];
  readonly protocols: readonly { readonly protocol: string; readonly ports: readonly string[] }[];
}

/** A firewall rule of the VPC, with the fields that are checked. Source: Compute API v1, `firewalls`. */
export interface FirewallRule extends Matching {
  readonly network: string;
  readonly denies: boolean;
  /** Network tags of the machines that it applies to; empty for all of them. */
  readonly tags: readonly string[];
  /** Whether it applies only to machines with certain service accounts, which a connector's machines do not have. */
  readonly byAccount: boolean;
}

/** A rule of a firewall policy. Source: Compute API v1, `networks.getEffectiveFirewalls`. */
export interface PolicyRule extends Matching {
  /** allow, deny, goto_next, or an action that inspects the packets that it allows. */
  readonly action: string;
  /** Whether it applies only to machines other than a connector's: by a secure tag, an account, or another network. */
  readonly elsewhere: boolean;
  /** Whether it matches on more than address ranges: names, countries, threat lists, address groups. */
  readonly opaque: boolean;
}

/** The firewall policies that apply to the network, in the order of evaluation. */
export interface FirewallPolicies {
  /** Those of the organization and its folders, which are evaluated before everything else. */
  readonly hierarchy: readonly (readonly PolicyRule[])[];
  /** Those of the network itself, with global scope. */
  readonly network: readonly (readonly PolicyRule[])[];
  /** Whether the network's policies are evaluated before the firewall rules of the VPC instead of after them. */
  readonly beforeRules: boolean;
}

/** Reads the peerings of the network. */
export function readPeerings(
  reader: Reader,
  settings: ConfigurationSettings,
): Promise<Read<readonly Peering[]>> | undefined {
  const { network } = settings;
  if (!network) return undefined;
  const project = network.project ?? settings.project;
  const url = `https://compute.googleapis.com/compute/v1/projects/${project}/global/networks/${network.name}`;
  return reader.one({ read: "network", resource: network.name, component: network.component, project, url }, (json) =>
    listAt(json, "peerings").map((peering) => ({
      name: textAt(peering, "name") ?? "",
      state: textAt(peering, "state") ?? "in no known state",
    })),
  );
}

/** Reads the firewall rules of the network's project. */
export function readFirewall(
  reader: Reader,
  settings: ConfigurationSettings,
): Promise<Read<readonly FirewallRule[]>> | undefined {
  const { network } = settings;
  if (!network) return undefined;
  const project = network.project ?? settings.project;
  const url = `https://compute.googleapis.com/compute/v1/projects/${project}/global/firewalls?maxResults=500`;
  const about = { resource: network.name, component: network.component, project, url };
  return reader.list({ read: "firewall_rules", ...about }, takeFirewallRule);
}

/** Reads the firewall policies that hold for the network: hierarchical ones and those of the network. Regional ones are not among them. */
export async function readFirewallPolicies(
  reader: Reader,
  settings: ConfigurationSettings,
): Promise<Read<FirewallPolicies> | undefined> {
  const { network } = settings;
  if (!network) return undefined;
  const project = network.project ?? settings.project;
  const url = `https://compute.googleapis.com/compute/v1/projects/${project}/global/networks/${network.name}`;
  const about = { resource: network.name, component: network.component, project } as const;
  const [order, policies] = await Promise.all([
    reader.one({ read: "network", ...about, url }, (json) => textAt(json, "networkFirewallPolicyEnforcementOrder")),
    reader.one({ read: "effective_firewalls", ...about, url: `${url}/getEffectiveFirewalls` }, (json) =>
      listAt(json, "firewallPolicys").map((policy) => ({
        isHierarchical: textAt(policy, "type") === "HIERARCHY",
        rules: listAt(policy, "rules").map((rule) => takePolicyRule(rule, policy, network.name)),
      })),
    ),
  ]);
  if ("refusal" in policies) return policies;
  const of = (hierarchical: boolean) =>
    policies.value.filter(({ isHierarchical }) => isHierarchical === hierarchical).map(({ rules }) => rules);
  return {
    value: {
      hierarchy: of(true),
      network: of(false),
      beforeRules: !("refusal" in order) && order.value === "BEFORE_CLASSIC_FIREWALL",
    },
  };
}

/** Match conditions other than address ranges, which cannot be evaluated from here. */
const opaqueMatches = ["AddressGroups", "Fqdns", "RegionCodes", "ThreatIntelligences", "SecureTags", "Networks"];

function takePolicyRule(json: unknown, policy: unknown, network: string): PolicyRule {
  const egress = textAt(json, "direction") === "EGRESS";
  const priority = numberAt(json, "priority") ?? 0;
  const side = egress ? "dest" : "src";
  const targets = textsAt(json, "targetResources");
  const own = textAt(json, "ruleName") ?? `rule ${priority}`;
  return {
    name: `${own} of the policy ${textAt(policy, "displayName") ?? textAt(policy, "name") ?? "without a name"}`,
    egress,
    priority,
    disabled: flagAt(json, "disabled") === true,
    action: textAt(json, "action") ?? "",
    elsewhere:
      listAt(json, "targetSecureTags").length > 0 ||
      listAt(json, "targetServiceAccounts").length > 0 ||
      (targets.length > 0 && !targets.some((target) => nameIn(target) === network)),
    opaque:
      opaqueMatches.some((kind) => listAt(json, "match", `${side}${kind}`).length > 0) ||
      textAt(json, "match", `${side}NetworkType`) !== undefined ||
      textAt(json, "match", `${side}NetworkScope`) !== undefined,
    ranges: textsAt(json, "match", `${side}IpRanges`),
    protocols: listAt(json, "match", "layer4Configs").map((one) => ({
      protocol: textAt(one, "ipProtocol") ?? "",
      ports: textsAt(one, "ports"),
    })),
  };
}

/** Extracts the relevant fields from the answer. */
export function takeFirewallRule(json: unknown): FirewallRule {
  const egress = textAt(json, "direction") === "EGRESS";
  const denied = listAt(json, "denied");
  return {
    name: textAt(json, "name") ?? "unnamed",
    network: nameIn(textAt(json, "network") ?? ""),
    egress,
    priority: numberAt(json, "priority") ?? 1_000,
    disabled: flagAt(json, "disabled") === true,
    denies: denied.length > 0,
    ranges: textsAt(json, egress ? "destinationRanges" : "sourceRanges"),
    tags: textsAt(json, "targetTags"),
    byAccount: listAt(json, "targetServiceAccounts").length > 0,
    protocols: (denied.length > 0 ? denied : listAt(json, "allowed")).map((one) => ({
      protocol: textAt(one, "IPProtocol") ?? "",
      ports: textsAt(one, "ports"),
    })),
  };
}
