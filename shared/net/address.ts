/** Keeps requests away from addresses that are nobody's business outside: the network of the monitor and its metadata server. */
import type { LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { lazily } from "../runtime/lazily.ts";
import { lookup } from "./lookup.ts";

/** An address that may not be reached. `code` is `EPRIVATE`. */
export class PrivateAddress extends Error {
  override readonly name = "PrivateAddress";
  readonly code = "EPRIVATE";
}

/**
 * The addresses that are assigned to the public internet: those of IPv4, also as IPv6 writes them (`::ffff:8.8.8.8`), and the global unicast space of IPv6.
 * The rest of IPv6 is reserved, local, multicast, or stands for an address of IPv4 behind a translator.
 * @see https://www.iana.org/assignments/ipv6-address-space
 */
const assigned = ["0.0.0.0/0", "2000::/3"];

/**
 * Non-public ranges: IANA's registries of special-purpose addresses, and multicast. Tunnels to IPv4, such as 6to4 and Teredo, are not public
 * either, because they lead to the embedded address.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const special = [
  ["0.0.0.0/8", "this network"],
  ["10.0.0.0/8", "private use"],
  ["100.64.0.0/10", "shared address space"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local, metadata servers"],
  ["172.16.0.0/12", "private use"],
  ["192.0.0.0/24", "protocol assignments"],
  ["192.0.2.0/24", "documentation"],
  ["192.88.99.0/24", "6to4 relay anycast"],
  ["192.168.0.0/16", "private use"],
  ["198.18.0.0/15", "benchmarking"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved, limited broadcast"],
  ["2001::/23", "protocol assignments, Teredo, ORCHID"],
  ["2001:db8::/32", "documentation"],
  ["2002::/16", "6to4"],
  ["3fff::/20", "documentation"],
] as const;

/** Made when they are first needed, for that takes its time. */
const lists = lazily(() => ({ assigned: blockList(assigned), special: blockList(special.map(([range]) => range)) }));

/**
 * Returns whether an IP address is private, loopback, link-local, of a metadata server or otherwise not public. A text that is not an
 * address is not public either.
 */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 0) return true;
  const family = version === 6 ? "ipv6" : "ipv4";
  return !lists().assigned.check(address, family) || lists().special.check(address, family);
}

/**
 * Refuses a host that is an IP address literal and not public. Names are checked by `publicLookup` when they are resolved, because a name
 * can point anywhere, and elsewhere the next moment.
 * @throws PrivateAddress
 */
export function refusePrivateHost(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) !== 0 && isPrivateAddress(address)) throw refusal();
}

/** Resolves names like `dns.lookup`, to public addresses only: what is connected to is what was checked. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, "", 0);
    const allowed = (addresses as LookupAddress[]).filter(({ address }) => !isPrivateAddress(address));
    const [first] = allowed;
    if (first === undefined) return callback(refusal(), "", 0);
    if (options.all) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};

function refusal(): PrivateAddress {
  return new PrivateAddress(
    "the address is private, and that is not allowed: use a public one, or set allow_private: true",
  );
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", prefix] = range.split("/");
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? "ipv6" : "ipv4");
  }
  return list;
}
