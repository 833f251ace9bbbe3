import { once } from "node:events";
import { type AddressInfo, connect, type Server } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { afterEach, expect, it } from "vitest";
import { issue } from "../certificates.fixtures.ts";
import { stopwatch } from "./stopwatch.ts";
import { secure, type TlsOptions } from "./tls.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((closed) => server.close(closed));
});

it("presents its own certificate even if the same text was an authority elsewhere", async () => {
  const authority = await issue({ name: "Authority" });
  const server = await issue({ name: "server", issuer: authority, hosts: ["127.0.0.1"] });
  const client = await issue({ name: "client", issuer: authority, hosts: ["client"] });
  const seen: string[] = [];
  const listening = createServer(
    { cert: server.cert, key: server.key, ca: authority.cert, requestCert: true, rejectUnauthorized: false },
    (socket: TLSSocket) => {
      seen.push(String(socket.getPeerCertificate().subject?.CN));
      socket.end();
    },
  );
  servers.push(listening);
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const handshake = async (options: Omit<TlsOptions, "host">): Promise<void> => {
    const raw = connect((listening.address() as AddressInfo).port, "127.0.0.1");
    await once(raw, "connect");
    const { socket } = await secure(raw, { host: "127.0.0.1", ...options }, stopwatch(Date.now), Date.now());
    socket.resume();
    await once(socket, "close");
  };
  await handshake({ ca: `${authority.cert}\n${client.cert.trimEnd()}` });
  await handshake({ ca: authority.cert, client: { cert: `${client.cert.trimEnd()}\n`, key: client.key } });
  expect(seen).toEqual(["undefined", "client"]);
});
