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
 * Every range that is not of the public internet; made when it is first needed, for that takes its time.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const notPublic = lazily(() =>
  blockList(
    ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
    ["192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"],
    [
      "::/96",
      "::ffff:0:0:0/96",
      "64:ff9b::/96",
      "64:ff9b:1::/48",
      "100::/64",
      "2001::/23",
      "2001:db8::/32",
      "2002::/16",
      "fc00::/7",
    ],
    ["fe80::/10", "fec0::/10", "ff00::/8"],
  ),
);

/** Whether an IP address is private, loopback, link-local, a metadata server's or otherwise not of the public internet. */
export function isPrivateAddress(address: string): boolean {
  return notPublic().check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/**
 * Refuses a host that is written as an address and is not public. Names are judged by `publicLookup` when they are resolved, because
 * a name can point anywhere, and elsewhere the next moment.
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

function blockList(...ranges: readonly (readonly string[])[]): BlockList {
  const list = new BlockList();
  for (const range of ranges.flat()) {
    const [network = "", prefix] = range.split("/");
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? "ipv6" : "ipv4");
  }
  return list;
}
