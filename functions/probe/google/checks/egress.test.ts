import { describe } from "vitest";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";
import { egressChecks } from "./egress.ts";

const drops = (count: string) =>
  of("natDrops", "timeSeries", [
    {
      metric: { labels: { reason: "OUT_OF_RESOURCES" } },
      resource: { labels: { gateway_name: "shop-nat" } },
      points: [{ interval: { endTime: "2025-09-16T11:55:00Z" }, value: { int64Value: count } }],
    },
  ]);

describe("configuration checks: egress", () => {
  checkTable(egressChecks, [
    ["subnet_size", "too small", of("subnet", "ipCidrRange", "10.10.0.0/29"), /^4 addresses \(10\.10\.0\.0\/29\)$/],
    ["subnet_size", "no maximum of instances", of("worker", "template.scaling", undefined), /^60 addresses/],
    ["subnet_size", "smaller than Cloud Run accepts", of("subnet", "ipCidrRange", "10.10.0.0/27"), /^28 addresses/],
    [
      "direct_vpc_first_connection",
      "a start that gives up before the first connection",
      of("worker", "template.containers.0.startupProbe", { periodSeconds: 5, failureThreshold: 6, httpGet: {} }),
      /^30 s to start$/,
      "worker",
    ],
    [
      "direct_vpc_first_connection",
      "a patient start",
      of("worker", "template.containers.0.startupProbe", { periodSeconds: 10, failureThreshold: 12, httpGet: {} }),
      "ok",
    ],
    ["direct_vpc_first_connection", "no Direct VPC egress", of("worker", "template.vpcAccess", undefined), "none"],
    ["subnet_size", "no range", of("subnet", "ipCidrRange", undefined), "unchecked"],
    ["subnet_free", "nearly none", of("subnet", "utilizationDetails.ipv4Utilizations.1.totalFreeIp", "3"), /^3 free$/],
    ["subnet_free", "not said", of("subnet", "utilizationDetails", undefined), "unchecked"],
    ["subnet_free", "no Direct VPC egress", of("worker", "template.vpcAccess", undefined), "none"],

    ["nat_gateway", "another one", of("router", "nats.0.name", "old-nat"), /^no gateway shop-nat on shop-router$/],
    [
      "nat_addresses",
      "too few",
      of("routerStatus", "result.natStatus.0.minExtraNatIpsNeeded", 2),
      /^2 more addresses needed$/,
    ],
    [
      "nat_addresses",
      "given by Google",
      of("routerStatus", "result.natStatus.0.minExtraNatIpsNeeded", undefined),
      "ok",
    ],
    [
      "nat_ports",
      "the default",
      all(
        of("router", "nats.0.enableDynamicPortAllocation", undefined),
        of("router", "nats.0.minPortsPerVm", undefined),
      ),
      /^64 ports$/,
    ],
    ["nat_ports", "nothing wanted", settingOf("nat.min_ports", undefined), "none"],
    ["nat_drops", "some", drops("1200"), /^1200 packets dropped$/],
    ["nat_drops", "none counted", drops("0"), "ok"],
  ]);
});
