/** Checks of the network between the services and the database. */
import { isIPv4 } from "node:net";
import { contains } from "../configuration/addresses.ts";
import type { Check } from "../configuration/check.ts";
import { both, judged } from "../configuration/judgement.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";
import type { FirewallRule } from "../resources/network.ts";

/** The checks of the network. */
export const networkChecks: readonly Check[] = [
  {
    name: "vpc_peering",
    severity: "critical",
    tells: ["no_path"],
    title: "the peering by which private addresses of Cloud SQL are reached is ACTIVE, where a service uses one",
    why: "The private address of a Cloud SQL instance lies in a network of Google's, which is reached by a peering.",
    remedy:
      "Connect them again: `gcloud services vpc-peerings update --network=RESOURCE --service=servicenetworking.googleapis.com --force`.",
    reads: ["network"],
    judge: ({ network, services }, { peerings }) => {
      if (!network || !services.some(({ database }) => database?.way === "private")) return [];
      return judged({ resource: network.name, component: network.component }, peerings, (all) => {
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
      "no firewall rule keeps the connector from the port of the database (5432, and 3307 for the connector library)",
    why: "A rule that denies this egress drops packets silently: connections run into their time-outs.",
    remedy: "Disable the rule, or allow this port with a smaller priority number.",
    reads: ["firewall_rules", "cloud_sql"],
    judge: (settings, { firewall, cloudSql }) => {
      const { network, services } = settings;
      const ways = new Set(services.flatMap(({ database }) => database?.way ?? []));
      const ports = [...(ways.has("private") ? [5432] : []), ...(ways.has("library") ? [3307] : [])];
      if (!network || ports.length === 0) return [];
      return judged(
        { resource: network.name, component: network.component },
        both(firewall, cloudSql),
        ([rules, sql]) => {
          const [address] = sql.privateAddresses.filter((one) => isIPv4(one));
          if (address === undefined) return undefined;
          const denied = ports.flatMap((port) => {
            const rule = decisive(rules, settings, { egress: true, address, protocol: "tcp", port });
            return rule?.denies ? [`${rule.name} denies port ${port}`] : [];
          });
          const observed = denied.length === 0 ? "not denied" : denied.join(", ");
          return { ok: denied.length === 0, observed, expected: `port ${ports.join(" and ")} allowed` };
        },
      );
    },
  },
  {
    name: "firewall_connector",
    severity: "critical",
    tells: ["no_path", "serverless_connector"],
    title: "no firewall rule comes before those by which Google reaches the connector (35.199.224.0/19, port 667)",
    why: "Google steers the machines of a connector from 35.199.224.0/19; without that they are taken for dead.",
    remedy: "Disable the rule, or give it a priority number above 100, behind the connector's own rules.",
    reads: ["firewall_rules"],
    judge: (settings, { firewall }) => {
      const { network, vpc_connector } = settings;
      if (!network || !vpc_connector) return [];
      return judged({ resource: network.name, component: network.component }, firewall, (rules) => {
        const rule = decisive(rules, settings, { egress: false, address: "35.199.224.1", protocol: "tcp", port: 667 });
        // Its own rules have the priority 100 and are not always listed; of equals, the one that denies wins.
        const shutOut = rule?.denies === true && rule.priority <= 100;
        const observed = shutOut ? `${rule.name} denies it, with priority ${rule.priority}` : "not denied";
        return { ok: !shutOut, observed, expected: "port 667 open to 35.199.224.0/19" };
      });
    },
  },
];

interface Packet {
  readonly egress: boolean;
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
}

/** The rule that decides about a packet of the connector's machines: the first by priority, and of equals one that denies. */
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

function isFor({ ranges, protocols }: FirewallRule, { address, protocol, port }: Packet): boolean {
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

/** Whether `5432` or `1-6000` holds a port. */
function within(ports: string, port: number): boolean {
  const [first = Number.NaN, last = first] = ports.split("-").map(Number);
  return port >= first && port <= last;
}
