/** Real servers on this machine in front of the receivers: every attempt uses a real connection. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import type { Outgoing, Reply } from "../../functions/notify/channel.ts";
import { sender } from "../../functions/notify/deliver/send.ts";
import { secretsOf } from "../../functions/notify/fixtures.ts";
import type { Attempt, Transport } from "./delivery.ts";

/** The servers, and the transport of attempts to them. */
export interface ReceiverServers extends AsyncDisposable {
  readonly http: string;
  readonly smtp: string;
  readonly transport: Transport;
  /** Messages that arrived and differ from those sent, in sentences. */
  readonly violations: readonly string[];
}

/** Response timeout, in milliseconds: a hanging receiver must not block the test. */
const deadlineMs = 250;

/** Opens the servers. */
export async function openServers(): Promise<ReceiverServers> {
  const violations: string[] = [];
  // Each address, of a mail or of a webhook, receives one message at a time.
  const underWay = new Map<string, Attempt>();
  const answer = (address: string, key: string): Reply | undefined => {
    const attempt = underWay.get(address);
    if (attempt === undefined) {
      violations.push(`${address} got ${key}, which nobody has sent`);
      return undefined;
    }
    if (attempt.key !== key) violations.push(`${address} got ${key} in the place of ${attempt.key}`);
    return attempt.receiver.answer(attempt.notice, attempt.key, attempt.failure, attempt.at);
  };

  const web = createServer(async (request, response) => {
    for await (const _ of request);
    const reply = answer(request.url?.slice(1) ?? "", String(request.headers["webhook-id"]));
    if (reply === undefined || "error" in reply) {
      if (reply?.code !== "ETIMEDOUT") response.socket?.resetAndDestroy();
    } else response.writeHead(reply.status, reply.headers).end(reply.body);
  });
  const mail: SMTPServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: async (stream, { id, envelope }, done) => {
      // A message that the sender aborts midway is not delivered.
      const text = await readText(stream).catch(() => undefined);
      if (text === undefined) return;
      const reply = answer(
        envelope.rcptTo.map(({ address }) => address).join(),
        /^Message-ID:\s*(\S+)/im.exec(text)?.[1] ?? "no Message-ID",
      );
      if (reply === undefined || "error" in reply) {
        if (reply?.code === "ETIMEDOUT") return;
        for (const connection of mail.connections) if (connection.id === id) connection.close();
      } else if (reply.status < 400) done(null, reply.body);
      else done(Object.assign(new Error(reply.body.slice(4)), { responseCode: reply.status }));
    },
  });
  // Clients may disconnect in the middle.
  mail.on("error", () => {});
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => mail.listen(0, "127.0.0.1", resolve));
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const nobody = (closed.address() as AddressInfo).port;
  await new Promise((resolve) => closed.close(resolve));

  const send = sender(secretsOf({}), { deadlineMs });
  return {
    http: `http://127.0.0.1:${(web.address() as AddressInfo).port}`,
    smtp: `smtp://127.0.0.1:${(mail.server.address() as AddressInfo).port}`,
    violations,
    transport: async (outgoing, attempt) => {
      const refused = attempt.failure === "refused";
      if (refused) attempt.receiver.attempts += 1;
      else underWay.set(attempt.recipient ?? attempt.channel, attempt);
      return send(refused ? elsewhere(outgoing, nobody) : outgoing, attempt.at);
    },
    async [Symbol.asyncDispose]() {
      web.closeAllConnections();
      await new Promise((resolve) => web.close(resolve));
      await new Promise<void>((resolve) => mail.close(resolve));
    },
  };
}

/** Returns the same message, addressed to a port on which nothing listens. */
function elsewhere(outgoing: Outgoing, port: number): Outgoing {
  if (outgoing.transport === "smtp") return { ...outgoing, server: { url: `smtp://127.0.0.1:${port}` } };
  return outgoing.transport === "http" ? { ...outgoing, url: `http://127.0.0.1:${port}/` } : outgoing;
}
