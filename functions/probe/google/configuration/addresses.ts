/** Address ranges, in the format of firewall rules, Cloud Armor and subnets. */
import { BlockList, isIP } from "node:net";

/** Returns the parts of `10.0.0.0/8`, or of a single address; `undefined` for any other text. */
function parsed(range: string): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [, address = "", bits] = /^([\da-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(range) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  return prefix > most ? undefined : { address, bits: prefix, family: version === 4 ? "ipv4" : "ipv6" };
}

/** Returns whether a text is an address or a range of addresses. */
export function isAddressRange(text: string): boolean {
  return parsed(text) !== undefined;
}

/** Returns whether a range, such as `10.0.0.0/8`, contains an address or a whole smaller range. */
export function contains(range: string, inner: string): boolean {
  const [outer, held] = [parsed(range), parsed(inner)];
  if (!outer || !held || outer.family !== held.family || outer.bits > held.bits) return false;
  const list = new BlockList();
  list.addSubnet(outer.address, outer.bits, outer.family);
  return list.check(held.address, held.family);
}

/** Returns the number of usable addresses of a subnet: Google reserves four. `undefined` if the text is not an IPv4 range. */
export function usableAddresses(range: string): number | undefined {
  const known = parsed(range);
  return known?.family === "ipv4" ? Math.max(0, 2 ** (32 - known.bits) - 4) : undefined;
}
