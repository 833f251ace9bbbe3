/** The check of the DNS records of hosts. */
import type { Check } from "../configuration/check.ts";
import { both, type CheckOutcome, judgementsOf, unknownOutcome } from "../configuration/judgement.ts";
import type { Read } from "../configuration/read.ts";
import type { DnsRecords } from "../resources/dns.ts";

/** The check of records. */
export const dnsChecks: readonly Check[] = [
  {
    name: "dns_hosts",
    severity: "critical",
    tells: ["hits_some"],
    title: "the hosts of the backends resolve to the address of the load balancer, by the records in `dns.zone`",
    why: "If a host does not resolve to the load balancer, its users cannot reach the service, even if everything behind the load balancer works.",
    remedy:
      "Correct the records: `gcloud dns record-sets list --zone=RESOURCE`, then update. Clients see the change when the TTL has expired.",
    reads: ["dns_records", "forwarding_rule", "regional_forwarding_rule"],
    judge: ({ load_balancer }, seen) => {
      const hosts = [...new Set((load_balancer?.backends ?? []).flatMap((one) => one.hosts))];
      if (!load_balancer?.dns || hosts.length === 0) return [];
      const { dns, component, address: stated } = load_balancer;
      const address: Read<string | undefined> | undefined = stated === undefined ? seen.address : { value: stated };
      const subject = { resource: dns.zone, component: dns.component ?? component };
      return judgementsOf(subject, both(seen.zone, address), ([records, wanted]) =>
        wanted === undefined
          ? unknownOutcome("which address the load balancer has")
          : hostsOutcome(records, hosts, wanted),
      );
    },
  },
];

function hostsOutcome(records: readonly DnsRecords[], hosts: readonly string[], address: string): CheckOutcome {
  const type = address.includes(":") ? "AAAA" : "A";
  const found = hosts.map((host) => ({ host, leads: leadsTo(records, host, type) }));
  const expected = `${hosts.join(", ")} at ${address}`;
  const wrong = found.flatMap(({ host, leads }) => {
    if (leads === undefined) return [];
    if (leads.length === 0) return [`${host} has no record`];
    const other = leads.filter((one) => one !== address);
    return other.length === 0 ? [] : [`${host} resolves to ${other.slice(0, 3).join(", ")}`];
  });
  if (wrong.length > 0) return { ok: false, observed: wrong.slice(0, 3).join(", "), expected };
  const open = found.find(({ leads }) => leads === undefined);
  if (open !== undefined)
    return {
      unknown: `The record of ${open.host} points outside the zone or depends on a routing policy, so its address cannot be determined.`,
    };
  return { ok: true, observed: `all ${hosts.length} at ${address}`, expected };
}

/**
 * Returns the addresses that a host resolves to within the zone; none if it has no record, `undefined` if the zone alone does not determine
 * them.
 */
function leadsTo(records: readonly DnsRecords[], host: string, type: string): readonly string[] | undefined {
  let name = host.toLowerCase();
  // An alias of an alias is rare, and a cycle of them is an error.
  for (let step = 0; step < 8; step++) {
    const own = recordsOf(records, name);
    const addresses = own.find((one) => one.type === type);
    if (addresses) return addresses.routed ? undefined : addresses.values;
    const alias = own.find((one) => one.type === "CNAME");
    const [next] = alias?.values ?? [];
    if (next === undefined) return step === 0 || isInZone(records, name) ? [] : undefined;
    name = next;
  }
  return [];
}

/** Returns the records of a name, or of the wildcard that covers it. */
function recordsOf(records: readonly DnsRecords[], name: string): readonly DnsRecords[] {
  const own = records.filter((one) => one.name === name);
  if (own.length > 0) return own;
  const labels = name.split(".");
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join(".")}`);
  const wildcard = wildcards.find((one) => records.some((record) => record.name === one));
  return records.filter((one) => one.name === wildcard);
}

function isInZone(records: readonly DnsRecords[], name: string): boolean {
  const apex = records.find(({ type }) => type === "SOA")?.name;
  return apex !== undefined && (name === apex || name.endsWith(`.${apex}`));
}
