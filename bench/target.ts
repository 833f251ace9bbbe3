/**
 * The probed target, in a process of its own so that its work is not counted as the prober's. It answers HTTP after a delay that it measures
 * itself and reports in the body, because timers are inexact. Prints its ports as one line of JSON, and exits when its standard input
 * closes.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { issue } from "../functions/probe/certificates.fixtures.ts";

/** Ports of the parts of the target, on 127.0.0.1. */
export interface TargetPorts {
  /** HTTP that answers after 20 ms. */
  readonly slow: number;
  /** Port of an HTTP server that answers immediately. */
  readonly quick: number;
  /** Port of an HTTPS server that answers immediately, with a P-256 certificate for localhost. */
  readonly secure: number;
  /** Its authority, in PEM. */
  readonly ca: string;
}

const waitMs = 20;

function answer(socket: Socket, waitedMs: number): void {
  const body = `{"status":"healthy","waited":${(waitedMs / 1000).toFixed(6)}}`;
  socket.end(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function answering(wait: boolean): (socket: Socket) => void {
  return (socket) => {
    socket.setNoDelay(true).on("error", () => {});
    socket.once("data", () => {
      const asked = performance.now();
      if (wait) setTimeout(() => answer(socket, performance.now() - asked), waitMs);
      else answer(socket, 0);
    });
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0, backlog: 1024 }, resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

const root = await issue({ name: "Bench Root" });
const { cert, key } = await issue({ name: "localhost", issuer: root, hosts: ["localhost", "127.0.0.1"] });
const ports: TargetPorts = {
  slow: await listen(createServer(answering(true))),
  quick: await listen(createServer(answering(false))),
  secure: await listen(createTlsServer({ cert, key, minVersion: "TLSv1.3" }, answering(false))),
  ca: root.cert,
};
console.log(JSON.stringify(ports));
process.stdin.resume().once("end", () => process.exit());
