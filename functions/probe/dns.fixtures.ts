/** DNS servers for tests, over UDP and TCP at the same port. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import packets, { type Answer, type DecodedPacket } from "dns-packet";
import { onTestFinished } from "vitest";
import { listening } from "./fixtures.ts";

/** What a server answers to a question. */
export interface DnsAnswer {
  /** @default 0: no error */
  readonly rcode?: number;
  readonly answers?: readonly Answer[];
  /** Over UDP it says that there is more. */
  readonly truncated?: boolean;
}

/** Answers with what `answer` says; `undefined` keeps silent. @returns the port */
export async function dnsServer(
  answer: (name: string, type: string, transport: "udp" | "tcp") => DnsAnswer | undefined,
): Promise<number> {
  const reply = (message: Buffer, transport: "udp" | "tcp"): Buffer | undefined => {
    const query: DecodedPacket = packets.decode(message);
    const [question] = query.questions ?? [];
    const told = question && answer(question.name, question.type, transport);
    if (!told) return undefined;
    const flags = (told.truncated && transport === "udp" ? packets.TRUNCATED_RESPONSE : 0) | (told.rcode ?? 0);
    const answers = flags & packets.TRUNCATED_RESPONSE ? [] : [...(told.answers ?? [])];
    return packets.encode({ type: "response", id: query.id ?? 0, flags, questions: [question], answers });
  };
  const tcp = createServer((socket) =>
    socket.on("data", (chunk: Buffer) => {
      const told = reply(chunk.subarray(2), "tcp");
      if (told) socket.write(Buffer.concat([Buffer.from([told.length >> 8, told.length & 255]), told]));
    }),
  );
  const port = await listening(tcp);
  const udp = createSocket("udp4").on("message", (message, { port: sender, address }) => {
    const told = reply(message, "udp");
    if (told) udp.send(told, sender, address);
  });
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
  onTestFinished(() => void udp.close());
  return port;
}
