/** Checks of the network between the services and the database. */
import { isIPv4 } from "node:net";
import { contains } from "../configuration/addresses.ts";
import type { Check } from "../configuration/check.ts";
import { both, judgementsOf, type Verdict } from "../configuration/judgement.ts";
import type { Read, Refusal } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";
import type { FirewallPolicies, FirewallRule, PolicyRule } from "../resources/network.ts";

/** The checks of the network. */
export const networkChecks: readonly Check[] = [
  {
    name: "vpc_peering",
    severity: "critical",
    tells: ["no_path"],
    title: "the peering to the private addresses of Cloud SQL is ACTIVE, if a service uses one",
    why: "The private address of a Cloud SQL instance is in a network of Google's, which is reached through a peering.",
    remedy:
      "Restore the peering: `gcloud services vpc-peerings update --network=RESOURCE --service=servicenetworking.googleapis.com --force`.",
    reads: ["network"],
    judge: ({ network, services }, { peerings }) => {
      if (!network || !services.some(({ database }) => database?.way === "private")) return [];
      return judgementsOf({ resource: network.name, component: network.component }, peerings, (all) => {
        const peering = all.find(({ name }) => name === network.peering);
        const observed =
          peering === undefined ? `no peering ${network.peering}` : `${peering.name} is ${peering.state}`;
        return { ok: peering?.state === "ACTIVE", observed, expected: `${network.peering} is ACTIVE` };
      });
    },
  },
  {
    name: "firewall_egress",
    severity: "critical",
    tells: ["no_path", "hits_some"],
    title:
      "no firewall rule or firewall policy blocks the connector from the port of the database (5432, and 3307 for the connector library)",
    why: "A rule that denies this egress drops packets silently: connections time out.",
    remedy: "Disable the rule, or allow this port in a rule with a smaller priority number.",
    reads: ["firewall_rules", "effective_firewalls", "cloud_sql"],
    judge: (settings, { firewall, firewallPolicies, cloudSql }) => {
      const { network, services } = settings;
      const ways = new Set(services.flatMap(({ database }) => database?.way ?? []));
      const ports = [...(ways.has("private") ? [5432] : []), ...(ways.has("library") ? [3307] : [])];
      if (!network || ports.length === 0) return [];
      const subject = { resource: network.name, component: network.component };
      return judgementsOf(subject, both(firewall, cloudSql), ([rules, sql]) => {
        const [address] = sql.privateAddresses.filter((one) => isIPv4(one));
        if (address === undefined) return undefined;
        const seen = ports.map((port) => ({
          port,
          decision: decided(rules, firewallPolicies, settings, { egress: true, address, protocol: "tcp", port }),
        }));
        const denied = seen.flatMap(({ port, decision: { deniedBy } }) =>
          deniedBy === undefined ? [] : [`${deniedBy.name} denies port ${port}`],
        );
        const expected = `port ${ports.join(" and ")} allowed`;
        if (denied.length > 0) return { ok: false, observed: denied.join(", "), expected };
        const decisions = seen.map(({ decision }) => decision);
        return notDenied(decisions, firewallPolicies, expected);
      });
    },
  },
  {
    name: "firewall_connector",
    severity: "critical",
    tells: ["no_path", "serverless_connector"],
    title:
      "no firewall rule or firewall policy takes precedence over the rules by which Google reaches the connector (35.199.224.0/19, port 667)",
    why: "Google controls the machines of a connector from 35.199.224.0/19. Without that access, they are considered unhealthy.",
    remedy: "Disable the rule, or give it a priority number above 100, behind the connector's own rules.",
    reads: ["firewall_rules", "effective_firewalls"],
    judge: (settings, { firewall, firewallPolicies }) => {
      const { network, vpc_connector } = settings;
      if (!network || !vpc_connector) return [];
      return judgementsOf({ resource: network.name, component: network.component }, firewall, (rules) => {
        const packet = { egress: false, address: "35.199.224.1", protocol: "tcp", port: 667 };
        // The connector's own rules have the priority 100 and are not always listed. Of rules with equal priority, the one that denies wins.
        const sooner = rules.filter(({ priority }) => priority <= 100);
        const decision = decided(sooner, firewallPolicies, settings, packet, true);
        const expected = "port 667 open to 35.199.224.0/19";
        const { deniedBy } = decision;
        if (deniedBy)
          return { ok: false, observed: `${deniedBy.name} denies it, with priority ${deniedBy.priority}`, expected };
        return notDenied([decision], firewallPolicies, expected);
      });
    },
  },
];

/** The decision on a packet. */
interface Decision {
  /** The rule that denies it. */
  readonly deniedBy?: FirewallRule | PolicyRule;
  /** Rules that may deny some of the packets, but match on conditions that are not evaluated here. */
  readonly unjudged: readonly PolicyRule[];
}

/**
 * Evaluates all rules for a packet from the connector's machines, in Google's order: policies of the organization and its folders, firewall
 * rules of the VPC, policies of the network, or the last two the other way round if the network is set so.
 * @param ends whether the firewall rules allow packets that they do not deny, so that nothing after them is evaluated
 * @see https://docs.cloud.google.com/firewall/docs/firewall-policies-overview
 */
function decided(
  rules: readonly FirewallRule[],
  policies: Read<FirewallPolicies> | undefined,
  settings: ConfigurationSettings,
  packet: Packet,
  ends = false,
): Decision {
  const known = policies !== undefined && "value" in policies ? policies.value : undefined;
  const unjudged: PolicyRule[] = [];
  const inPolicy = (policy: readonly PolicyRule[]) => (): Outcome => {
    const matching = policy
      .filter((rule) => !rule.disabled && !rule.elsewhere && rule.egress === packet.egress && isFor(rule, packet))
      .toSorted((one, other) => one.priority - other.priority);
    for (const rule of matching) {
      if (rule.opaque) {
        if (rule.action === "deny") unjudged.push(rule);
        continue;
      }
      if (rule.action === "goto_next") return "next";
      return rule.action === "deny" ? { deniedBy: rule } : "allowed";
    }
    return "next";
  };
  const inRules = (): Outcome => {
    const rule = decisive(rules, settings, packet);
    if (rule === undefined) return ends ? "allowed" : "next";
    return rule.denies ? { deniedBy: rule } : "allowed";
  };
  const own = (known?.network ?? []).map(inPolicy);
  const hierarchy = (known?.hierarchy ?? []).map(inPolicy);
  for (const ask of known?.beforeRules ? [...hierarchy, ...own, inRules] : [...hierarchy, inRules, ...own]) {
    const outcome = ask();
    if (outcome === "allowed") break;
    if (outcome !== "next") return { ...outcome, unjudged };
  }
  return { unjudged };
}

type Outcome = "allowed" | "next" | { readonly deniedBy: FirewallRule | PolicyRule };

/** Returns that nothing denies the packet, and which rules were not evaluated. */
function notDenied(
  decisions: readonly Decision[],
  policies: Read<FirewallPolicies> | undefined,
  expected: string,
): Verdict | { readonly refusal: Refusal } {
  if (policies === undefined || "refusal" in policies) {
    if (policies !== undefined && policies.refusal.reason !== "missing") return policies;
    const observed = "not denied by the firewall rules of the VPC; firewall policies were not checked";
    return { ok: true, observed, expected };
  }
  const names = [...new Set(decisions.flatMap(({ unjudged }) => unjudged.map(({ name }) => name)))];
  const unjudged = `not evaluated, because they match on more than addresses: ${names.slice(0, 3).join(", ")}; `;
  const observed = `not denied; ${names.length === 0 ? "" : unjudged}regional firewall policies were not checked`;
  return { ok: true, observed, expected };
}

interface Packet {
  readonly egress: boolean;
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
}

/** Returns the rule that decides about a packet of the connector's machines: the first by priority, and of equal ones the one that denies. */
function decisive(
  rules: readonly FirewallRule[],
  { network, region, vpc_connector }: ConfigurationSettings,
  packet: Packet,
): FirewallRule | undefined {
  const tags = ["vpc-connector", `vpc-connector-${region}-${vpc_connector?.name}`];
  return rules
    .filter(
      (rule) => rule.network === network?.name && !rule.disabled && !rule.byAccount && rule.egress === packet.egress,
    )
    .filter((rule) => rule.tags.length === 0 || rule.tags.some((tag) => tags.includes(tag)))
    .filter((rule) => isFor(rule, packet))
    .toSorted((a, b) => a.priority - b.priority || Number(b.denies) - Number(a.denies))[0];
}

function isFor(
  { ranges, protocols }: Pick<FirewallRule, "ranges" | "protocols">,
  { address, protocol, port }: Packet,
): boolean {
  return (
    (ranges.length === 0 || ranges.some((range) => contains(range, address))) &&
    protocols.some(
      (one) =>
        one.protocol === "all" ||
        ((one.protocol === protocol || one.protocol === "6") &&
          (one.ports.length === 0 || one.ports.some((ports) => within(ports, port)))),
    )
  );
}

/** Returns whether `5432` or `1-6000` contains a port. */
function within(ports: string, port: number): boolean {
  const [first = Number.NaN, last = first] = ports.split("-").map(Number);
  return port >= first && port <= last;
}
