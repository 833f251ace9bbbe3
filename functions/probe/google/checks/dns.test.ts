import { describe } from "vitest";
import type { Json } from "../configuration/fixtures.ts";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";
import { dnsChecks } from "./dns.ts";

const records = (...rrsets: Json[]) =>
  of("zone", "rrsets", [{ name: "shop.example.", type: "SOA", rrdatas: ["ns. x 1 2 3 4 5"] }, ...rrsets]);
const record = (name: string, type: string, ...rrdatas: string[]): Json => ({
  name: `${name}.`,
  type,
  ttl: 300,
  rrdatas,
});

describe("configuration checks: DNS", () => {
  checkTable(dnsChecks, [
    [
      "dns_hosts",
      "another address",
      records(record("api.shop.example", "A", "192.0.2.99"), record("www.shop.example", "A", "192.0.2.10")),
      /^api\.shop\.example resolves to 192\.0\.2\.99$/,
    ],
    [
      "dns_hosts",
      "an old address beside the right one",
      records(record("*.shop.example", "A", "192.0.2.10", "192.0.2.4")),
      /resolves to 192\.0\.2\.4/,
    ],
    [
      "dns_hosts",
      "no record",
      records(record("api.shop.example", "A", "192.0.2.10")),
      /^www\.shop\.example has no record$/,
    ],
    ["dns_hosts", "a wildcard", records(record("*.shop.example", "A", "192.0.2.10")), "ok"],
    [
      "dns_hosts",
      "an alias to nothing in the zone",
      records(record("api.shop.example", "CNAME", "gone.shop.example."), record("www.shop.example", "A", "192.0.2.10")),
      /^api\.shop\.example has no record$/,
    ],
    [
      "dns_hosts",
      "an alias out of the zone",
      records(record("*.shop.example", "CNAME", "cdn.example.net.")),
      "unchecked",
    ],
    [
      "dns_hosts",
      "a ring of aliases",
      records(record("*.shop.example", "CNAME", "api.shop.example.")),
      /has no record/,
    ],
    [
      "dns_hosts",
      "a policy that chooses",
      records({ name: "*.shop.example.", type: "A", routingPolicy: { geo: {} } }),
      "unchecked",
    ],
    [
      "dns_hosts",
      "a stated address",
      all(settingOf("load_balancer.forwarding_rule", undefined), settingOf("load_balancer.address", "192.0.2.11")),
      /resolves to 192\.0\.2\.10/,
    ],
    ["dns_hosts", "no address said", of("forwarding", "IPAddress", undefined), "unchecked"],
  ]);
});
