import { describe, expect, it } from "vitest";
import { type Answers, answers, assessed, type Json, refusal, set, urls } from "../configuration/fixtures.ts";
import { all, checkTable, of } from "./checks.fixtures.ts";
import { networkChecks } from "./network.ts";

const rule = (more: { [key: string]: Json }): Json => ({
  name: "a-rule",
  network: "https://www.googleapis.com/compute/v1/projects/shop-staging/global/networks/default",
  direction: "EGRESS",
  priority: 900,
  denied: [{ IPProtocol: "all" }],
  ...more,
});
const firewall = (...rules: Json[]) => of("firewall", "items", rules);
/** A rule of a firewall policy. */
const policyRule = (more: { [key: string]: Json }, match: { [key: string]: Json } = {}): Json => ({
  priority: 1000,
  direction: "EGRESS",
  action: "deny",
  match: { destIpRanges: ["10.0.0.0/8"], layer4Configs: [{ ipProtocol: "tcp", ports: ["5432"] }], ...match },
  ...more,
});
const policy = (type: string, ...rules: Json[]): Json => ({ name: "1", displayName: "shop-policy", type, rules });
const policies = (...all: Json[]) => of("policies", "firewallPolicys", all);

describe("configuration checks: network", () => {
  checkTable(networkChecks, [
    [
      "vpc_peering",
      "inactive",
      of("network", "peerings.0.state", "INACTIVE"),
      /^servicenetworking-googleapis-com is INACTIVE$/,
    ],
    ["vpc_peering", "none", of("network", "peerings", undefined), /^no peering servicenetworking-googleapis-com$/],
    ["firewall_egress", "everything denied", firewall(rule({})), /^a-rule denies port 5432, a-rule denies port 3307$/],
    [
      "firewall_egress",
      "denied for its range",
      firewall(rule({ destinationRanges: ["10.77.0.0/16"], denied: [{ IPProtocol: "tcp", ports: ["5000-6000"] }] })),
      /^a-rule denies port 5432$/,
    ],
    ["firewall_egress", "denied elsewhere", firewall(rule({ destinationRanges: ["10.78.0.0/16"] })), "ok"],
    [
      "firewall_egress",
      "denied for other ports and protocols",
      firewall(rule({ denied: [{ IPProtocol: "tcp", ports: ["80"] }, { IPProtocol: "udp" }] })),
      "ok",
    ],
    [
      "firewall_egress",
      "allowed before it is denied",
      firewall(rule({}), rule({ denied: undefined, allowed: [{ IPProtocol: "6" }], priority: 899 })),
      "ok",
    ],
    [
      "firewall_egress",
      "denied where it is allowed with the same priority",
      firewall(rule({ denied: undefined, allowed: [{ IPProtocol: "tcp" }] }), rule({})),
      /denies/,
    ],
    ["firewall_egress", "a disabled rule", firewall(rule({ disabled: true })), "ok"],
    ["firewall_egress", "a rule of another network", firewall(rule({ network: "x/networks/other" })), "ok"],
    [
      "firewall_egress",
      "a rule for other machines",
      firewall(rule({ targetTags: ["web"] }), rule({ targetServiceAccounts: ["a@b"] })),
      "ok",
    ],
    ["firewall_egress", "a rule for connectors", firewall(rule({ targetTags: ["vpc-connector"] })), /denies/],
    [
      "firewall_egress",
      "a range of IPv6, and none that is one",
      firewall(rule({ destinationRanges: ["::/0", "10.0.0.0/99", "x"] })),
      "ok",
    ],
    [
      "firewall_egress",
      "denied by a policy of the network",
      policies(policy("NETWORK", policyRule({ ruleName: "no-databases" }))),
      /^no-databases of the policy shop-policy denies port 5432$/,
    ],
    [
      "firewall_egress",
      "denied by a policy of the organization, whatever the network says",
      all(
        firewall(rule({ denied: undefined, allowed: [{ IPProtocol: "all" }] })),
        policies(policy("HIERARCHY", policyRule({}))),
      ),
      /^rule 1000 of the policy shop-policy denies port 5432$/,
    ],
    [
      "firewall_egress",
      "allowed by a firewall rule before the policy of the network is asked",
      all(
        firewall(rule({ denied: undefined, allowed: [{ IPProtocol: "all" }] })),
        policies(policy("NETWORK", policyRule({}))),
      ),
      "ok",
    ],
    [
      "firewall_egress",
      "denied by the policy of the network where that comes first",
      all(
        firewall(rule({ denied: undefined, allowed: [{ IPProtocol: "all" }] })),
        policies(policy("NETWORK", policyRule({}))),
        of("network", "networkFirewallPolicyEnforcementOrder", "BEFORE_CLASSIC_FIREWALL"),
      ),
      /denies port 5432/,
    ],
    [
      "firewall_egress",
      "allowed sooner in a policy",
      policies(policy("NETWORK", policyRule({ action: "allow", priority: 10 }), policyRule({}))),
      "ok",
    ],
    [
      "firewall_egress",
      "left to what comes next by a policy",
      policies(policy("HIERARCHY", policyRule({ action: "goto_next", priority: 10 }), policyRule({}))),
      "ok",
    ],
    [
      "firewall_egress",
      "denied by policies for other machines, networks, ports and directions",
      policies(
        policy(
          "NETWORK",
          policyRule({ targetSecureTags: [{ name: "tagValues/1" }] }),
          policyRule({ targetServiceAccounts: ["a@b"] }),
          policyRule({ targetResources: ["https://www.googleapis.com/compute/v1/projects/p/global/networks/other"] }),
          policyRule({ disabled: true }),
          policyRule({ direction: "INGRESS" }, { srcIpRanges: ["0.0.0.0/0"] }),
          policyRule({}, { layer4Configs: [{ ipProtocol: "udp" }, { ipProtocol: "tcp", ports: ["80"] }] }),
          policyRule({}, { destIpRanges: ["192.168.0.0/16"] }),
        ),
      ),
      "ok",
    ],
    [
      "firewall_egress",
      "policies that may not be read",
      (table) => {
        table[urls.policies] = refusal(403, "IAM_PERMISSION_DENIED");
      },
      "unchecked",
    ],
    [
      "firewall_egress",
      "policies that may not be read, where a firewall rule denies it anyway",
      all(firewall(rule({})), (table) => {
        table[urls.policies] = refusal(403, "IAM_PERMISSION_DENIED");
      }),
      /denies port 5432/,
    ],
    [
      "firewall_connector",
      "denied by a policy of the organization",
      policies(
        policy(
          "HIERARCHY",
          policyRule({ direction: "INGRESS" }, { srcIpRanges: ["0.0.0.0/0"], layer4Configs: [{ ipProtocol: "all" }] }),
        ),
      ),
      /^rule 1000 of the policy shop-policy denies it, with priority 1000$/,
    ],
    ["firewall_egress", "no private address", of("sql", "ipAddresses", undefined), "none"],
    [
      "firewall_connector",
      "shut out",
      firewall(rule({ direction: "INGRESS", priority: 50 })),
      /^a-rule denies it, with priority 50$/,
    ],
    [
      "firewall_connector",
      "denied behind its own rules",
      firewall(rule({ direction: "INGRESS", priority: 1000 })),
      "ok",
    ],
    ["firewall_connector", "no rules", of("firewall", "items", undefined), "ok"],
  ]);

  it("name the firewall rules that were not evaluated", async () => {
    const seen = async (table: Answers): Promise<unknown> =>
      (await assessed(table)).findings?.find(({ check }) => check === "firewall_egress")?.observed;
    expect(await seen(answers())).toBe("not denied; regional firewall policies were not checked");
    const table = answers();
    set(table[urls.policies], "firewallPolicys", [policy("NETWORK", policyRule({}, { destFqdns: ["example.com"] }))]);
    expect(await seen(table)).toBe(
      "not denied; not evaluated, because they match on more than addresses: rule 1000 of the policy shop-policy; regional firewall policies were not checked",
    );
    expect(await seen({ ...answers(), [urls.policies]: refusal(404, "NOT_FOUND") })).toBe(
      "not denied by the firewall rules of the VPC; firewall policies were not checked",
    );
  });
});
