/** A DNS server on this machine, over UDP and TCP at the same port, for tests and the conformance suite. */
import { createSocket } from "node:dgram";
import { createServer, type Server } from "node:net";
import packets, { type Answer, type DecodedPacket } from "dns-packet";

/** A server's answer to a query. */
export interface DnsAnswer {
  /** @default 0: no error */
  readonly rcode?: number;
  readonly answers?: readonly Answer[];
  /** Sets the truncation flag over UDP. */
  readonly truncated?: boolean;
  /** The name in the question section of the response. @default the queried name */
  readonly name?: string;
  /** Offset of the answer's ID from the ID of the query. @default 0 */
  readonly idOff?: number;
}

/** Returns the answer or its bytes; `undefined` sends nothing. */
export type Answering = (name: string, type: string, transport: "udp" | "tcp") => DnsAnswer | Buffer | undefined;

/** Starts a server. @param listen starts the TCP part, and stops it when the test ends @returns the port, and a function that stops the UDP part */
export async function startDnsServer(
  answering: Answering,
  listen: (server: Server) => Promise<number>,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const reply = (message: Buffer, transport: "udp" | "tcp"): Buffer | undefined => {
    const query: DecodedPacket = packets.decode(message);
    const [question] = query.questions ?? [];
    if (question === undefined) return undefined;
    const told = answering(question.name, question.type, transport);
    if (told === undefined || Buffer.isBuffer(told)) return told;
    const flags = (told.truncated && transport === "udp" ? packets.TRUNCATED_RESPONSE : 0) | (told.rcode ?? 0);
    const answers = flags & packets.TRUNCATED_RESPONSE ? [] : [...(told.answers ?? [])];
    const id = ((query.id ?? 0) + (told.idOff ?? 0)) % 65_536;
    const questions = [{ ...question, ...(told.name === undefined ? {} : { name: told.name }) }];
    return packets.encode({ type: "response", id, flags, questions, answers });
  };
  const tcp = createServer((socket) =>
    socket.on("data", (chunk: Buffer) => {
      const told = reply(chunk.subarray(2), "tcp");
      if (told) socket.write(Buffer.concat([Buffer.from([told.length >> 8, told.length & 255]), told]));
    }),
  );
  const port = await listen(tcp);
  const udp = createSocket("udp4").on("message", (message, { port: sender, address }) => {
    const told = reply(message, "udp");
    if (told) udp.send(told, sender, address);
  });
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
  return { port, stop: () => new Promise((resolve) => udp.close(() => resolve())) };
}
