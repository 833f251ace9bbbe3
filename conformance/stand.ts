/** The servers of the suite, on free ports of this machine. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createSecureContext, createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { type CertificateOptions, type Issued, issue } from "../functions/probe/certificates.fixtures.ts";

/** Starts servers, and stops all of them. */
export class Stand {
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #sockets = new Set<Socket>();

  /** Starts a TCP server that handles each connection with `talk`. @returns the port */
  tcp(talk: (socket: Socket) => void): Promise<number> {
    return this.listen(createServer({ allowHalfOpen: true }, talk));
  }

  /** Starts a server that sends this answer after the first data from the client, and closes. @returns the port */
  says(answer: string | Buffer, keepOpen = false): Promise<number> {
    return this.tcp((socket) => socket.once("data", () => (keepOpen ? socket.write(answer) : socket.end(answer))));
  }

  /** Starts a TLS server. @returns the port */
  tls(
    options: TlsOptions,
    talk: (socket: TLSSocket) => void = (socket) => socket.once("data", () => socket.end(okText)),
  ): Promise<number> {
    const server = createTlsServer(options, (socket) => {
      socket.on("error", () => {});
      talk(socket);
    });
    return this.listen(server.on("tlsClientError", () => {}));
  }

  /** Listens until all servers are stopped. @returns the port */
  async listen(server: Server): Promise<number> {
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}).once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.onStop(() => new Promise((resolve) => server.close(resolve)));
    return (server.address() as AddressInfo).port;
  }

  /** Returns a port on which nothing listens. */
  async closedPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  onStop(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#closers.map((close) => close()));
  }
}

/** A short HTTP response. */
export const okText = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nhealthy";

/** Certificates by their contents, each created once. */
const made = new Map<string, Promise<Issued>>();

/** The certificate authority that monitors trust. */
export function root(): Promise<Issued> {
  return certificate("root", { name: "Conformance Root" });
}

/** Issues a certificate, once for each key. */
export function certificate(key: string, options: CertificateOptions): Promise<Issued> {
  const known = made.get(key) ?? issue(options);
  made.set(key, known);
  return known;
}

/** A valid certificate for `localhost`. */
export async function goodLeaf(): Promise<Issued> {
  return certificate("good", { name: "localhost", issuer: await root(), hosts: ["localhost", "127.0.0.1"] });
}

export { createSecureContext };
