/**
 * The demo's load balancer, with the website behind it: one page, over TLS, with a certificate that a fault lets expire, or takes for that of
 * another host. Other hosts are passed on to their services, WebSockets included.
 */
import { once } from "node:events";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { makeCertificates } from "../certificates.ts";
import type { DemoFaults } from "../faults.ts";
import { demoHosts } from "../google/names.ts";
import { close, listen, type Service } from "./http.ts";

/** The running website. */
export interface Website extends Service {
  /** In PEM: who trusts it trusts the website. */
  readonly authority: string;
  /** Shows the certificate that goes with the fault from now on. */
  setFault(fault: DemoFaults["certificate"]): void;
}

/** Starts the website. It needs nothing of the other services. @param services the ports of those behind the same address, by host */
export async function startWebsite(services: Readonly<Record<string, number>> = {}): Promise<Website> {
  const { authority, good, expired, foreign } = await makeCertificates(
    demoHosts.website,
    Object.values(demoHosts).filter((host) => host !== demoHosts.website),
  );
  const behind = ({ headers: { host = "" } }: IncomingMessage): number | undefined =>
    ownEntry(services, host.replace(/:\d+$/, ""));
  const answer = (incoming: IncomingMessage, response: ServerResponse): void => {
    const port = behind(incoming);
    if (port === undefined) {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<title>Demo</title><h1>Demo</h1>\n");
      return;
    }
    const { method = "GET", url: path = "/", headers } = incoming;
    const onward = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () =>
      response.headersSent ? response.destroy() : response.writeHead(502).end("bad gateway\n"),
    );
    response.on("close", () => onward.destroy());
    incoming.pipe(onward);
  };
  const sockets = new Set<Duplex>();
  const upgrade = (incoming: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on("error", () => {});
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const port = behind(incoming);
    if (port === undefined) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    const onward = connect(port, "127.0.0.1", () => {
      const fields = Array.from({ length: incoming.rawHeaders.length / 2 }, (_, index) =>
        incoming.rawHeaders.slice(2 * index, 2 * index + 2).join(": "),
      );
      onward.write([`${incoming.method} ${incoming.url} HTTP/1.1`, ...fields, "", ""].join("\r\n"));
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  };
  const [server, other] = [createServer(good, answer), createServer(good, answer)];
  for (const each of [server, other]) each.on("upgrade", upgrade);
  const port = await listen(server);
  // Names below localhost may lead to the address of IPv6, where this machine has one.
  await once(other.listen(port, "::1"), "listening").catch(() => {});
  return {
    port,
    authority,
    setFault: (fault) => {
      for (const each of [server, other]) each.setSecureContext({ well: good, expired, foreign }[fault]);
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([server, other].filter(({ listening }) => listening).map(close));
    },
  };
}
