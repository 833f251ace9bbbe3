/** A scripted DNS server on this machine for tests. */
import { createSocket, type RemoteInfo } from "node:dgram";
import { isIP } from "node:net";

/** Answer for a name: its addresses, or a failure. `silent` never answers, and `silent for IPv6` answers only with IPv4 addresses. */
export type Zone = Readonly<
  Record<string, readonly string[] | "NXDOMAIN" | "SERVFAIL" | "REFUSED" | "FORMERR" | "silent" | "garbage">
>;

/** A running DNS server. */
export interface DnsServer {
  /** As `dns.setServers` takes it. */
  readonly address: string;
  /** Each question so far, as `A name`. */
  readonly questions: readonly string[];
  stop(): Promise<void>;
}

/** The response codes of DNS. @see RFC 1035, 4.1.1 */
const codes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

/**
 * Starts a DNS server on a free port of 127.0.0.1. It does not know names that are not in the zone. Where the zone has a name with its type,
 * such as `AAAA slow.test`, that goes first.
 */
export async function dnsServer(zone: Zone): Promise<DnsServer> {
  const questions: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query: Buffer, peer: RemoteInfo) => {
    const { name, type, end } = questionOf(query);
    questions.push(`${type} ${name}`);
    const told = zone[`${type} ${name}`] ?? zone[name] ?? "NXDOMAIN";
    if (told === "silent") return;
    if (told === "garbage") return void socket.send("garbage", peer.port, peer.address);
    const addresses =
      typeof told === "string" ? [] : told.filter((address) => isIP(address) === (type === "A" ? 4 : 6));
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | codes[typeof told === "string" ? told : "NOERROR"], 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(addresses.length, 6);
    socket.send([head, query.subarray(12, end), ...addresses.map(record)], peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    stop: () => new Promise((resolve) => socket.close(resolve)),
  };
}

function questionOf(query: Buffer): { name: string; type: "A" | "AAAA"; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  const type = query.readUInt16BE(at + 1) === 28 ? "AAAA" : "A";
  return { name: labels.join("."), type, end: at + 5 };
}

/** An answer of the name that was asked for, valid for a minute. */
function record(address: string): Buffer {
  const bytes =
    isIP(address) === 4 ? Buffer.from(address.split(".").map(Number)) : Buffer.from(groups(address).join(""), "hex");
  const head = Buffer.from([0xc0, 12, 0, bytes.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 60, 0, bytes.length]);
  return Buffer.concat([head, bytes]);
}

/** The groups of an IPv6 address, each of four digits. */
function groups(address: string): string[] {
  const [before = [], after = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, "0"));
}
