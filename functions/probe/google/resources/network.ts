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

/** A firewall rule, as far as it is looked at. Source: Compute API v1, `firewalls`. */
export interface FirewallRule {
  readonly name: string;
  readonly network: string;
  readonly egress: boolean;
  /** The smaller, the sooner it is asked. */
  readonly priority: number;
  readonly disabled: boolean;
  readonly denies: boolean;
  /** Where to, or where from; empty for everywhere. */
  readonly ranges: readonly string[];
  /** Network tags of the machines that it is for; empty for all of them. */
  readonly tags: readonly string[];
  /** Whether it is for machines of certain service accounts, which those of a connector are not. */
  readonly byAccount: boolean;
  readonly protocols: readonly { readonly protocol: string; readonly ports: readonly string[] }[];
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

/** Takes of the answer what is looked at. */
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
