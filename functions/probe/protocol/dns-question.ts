/** One query to one DNS server: over UDP and, if the response is too long for it, over TCP. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { isIP } from "node:net";
import type { Answer, DecodedPacket, RecordType } from "dns-packet";
import packets from "dns-packet";
import { dial } from "../net/dial.ts";
import { hostAndPort, ProbeFault } from "../net/faults.ts";
import { stopwatch } from "../net/stopwatch.ts";
import type { ProbeWorld } from "../prober.ts";
import { Receiver } from "./receiver.ts";

/** The address of a DNS server. */
export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

/** Formats a server for messages. */
export function shownServer({ address, port }: DnsServer): string {
  return port === 53 ? address : hostAndPort(address, port);
}

/** Parses `10.0.0.2`, `10.0.0.2:5353`, `2001:db8::1` and `[2001:db8::1]:5353`; `undefined` for any other text. */
export function parseServer(text: string): DnsServer | undefined {
  if (isIP(text) !== 0) return { address: text, port: 53 };
  const [, six, four, digits] = /^(?:\[([\da-f:.]+)\]|([\d.]+)):(\d{1,5})$/i.exec(text) ?? [];
  const [address, port] = [six ?? four ?? "", Number(digits)];
  return isIP(address) === (six === undefined ? 4 : 6) && port >= 1 && port <= 65_535 ? { address, port } : undefined;
}

/** A query. */
export interface DnsQuestion {
  readonly name: string;
  readonly type: RecordType;
  /** `tcp` skips UDP. */
  readonly transport: "udp" | "tcp";
}

/** A response: a code such as `NOERROR` or `NXDOMAIN`, and the records of the requested type. */
export interface DnsReply {
  readonly code: string;
  readonly records: readonly Answer[];
}

/**
 * Sends the query until there is a response or the signal of the world is aborted.
 * @throws ProbeFault for an invalid response, or the error of the connection
 */
export async function queryServer(question: DnsQuestion, server: DnsServer, world: ProbeWorld): Promise<DnsReply> {
  const overUdp = question.transport === "udp" ? await askOverUdp(question, server, world) : undefined;
  const packet = overUdp === undefined || overUdp.flag_tc ? await askOverTcp(question, server, world) : overUdp;
  const { rcode } = packet as DecodedPacket & { readonly rcode: string };
  return { code: rcode, records: (packet.answers ?? []).filter(({ type }) => type === question.type) };
}

/** Interval after which the query is sent again, in milliseconds: datagrams may be lost. */
const againAfterMs = 1_000;

function askOverUdp(question: DnsQuestion, server: DnsServer, { signal, onClose }: ProbeWorld): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const { id, bytes } = written(question);
    const socket = createSocket(isIP(server.address) === 6 ? "udp6" : "udp4");
    const finish = (settle: () => void): void => {
      clearInterval(again);
      signal.removeEventListener("abort", giveUp);
      socket.removeAllListeners().on("error", () => {});
      closeOnce();
      settle();
    };
    let closed = false;
    const closeOnce = (): void => {
      if (!closed) socket.close();
      closed = true;
    };
    const giveUp = (): void => finish(() => reject(signal.reason));
    const send = (): void => socket.send(bytes);
    const again = setInterval(send, againAfterMs);
    signal.addEventListener("abort", giveUp, { once: true });
    onClose(() => finish(() => reject(new Error("the probe has ended"))));
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("message", (message) => {
      // A packet that answers another query, or none, may come from anyone.
      const packet = packetIn(message);
      if (packet && answers(packet, id, question)) finish(() => resolve(packet));
    });
    socket.once("connect", send);
    socket.connect(server.port, server.address);
  });
}

async function askOverTcp(question: DnsQuestion, server: DnsServer, world: ProbeWorld): Promise<DecodedPacket> {
  const { id, bytes } = written(question);
  const socket = await dial(
    { host: server.address, port: server.port },
    world,
    stopwatch(() => world.clock()),
  );
  const receiver = new Receiver(socket, shownServer(server));
  socket.write(Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]));
  const message = await receiver.next((all) => {
    const length = all.length < 2 ? Number.POSITIVE_INFINITY : all.readUInt16BE(0);
    return all.length < length + 2 ? undefined : { value: all.subarray(2, length + 2), length: length + 2 };
  }, longestMessage);
  socket.destroy();
  const packet = packetIn(message);
  if (packet && answers(packet, id, question)) return packet;
  throw new ProbeFault("protocol", `${shownServer(server)} does not speak DNS: its response is malformed`);
}

/** Maximum length of a message with its length prefix, in bytes. */
const longestMessage = 65_537;

function written({ name, type }: DnsQuestion): { id: number; bytes: Buffer } {
  const id = randomInt(65_536);
  const flags = packets.RECURSION_DESIRED;
  return { id, bytes: packets.encode({ type: "query", id, flags, questions: [{ type, name, class: "IN" }] }) };
}

function packetIn(message: Buffer): DecodedPacket | undefined {
  try {
    return packets.decode(message);
  } catch {
    return undefined;
  }
}

function answers(
  { type, id, questions = [] }: DecodedPacket,
  ownId: number,
  { name, type: asked }: DnsQuestion,
): boolean {
  if (type !== "response" || id !== ownId) return false;
  // Servers that refuse everything may omit the question section.
  return questions.every((one) => one.type === asked && sameName(one.name, name));
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase().replace(/\.$/, "");
}
