/** Shared HTTP server code of the demo's services. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Server as NetServer } from "node:net";

/** A running service. */
export interface Service {
  /** It listens on 127.0.0.1. */
  readonly port: number;
  stop(): Promise<void>;
}

/** An answer: a status, and what becomes its JSON body. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The answer to a path that is not served. */
export const notFound: Answer = { status: 404, body: { error: "not found" } };

/** A server that answers each request with JSON. It does not listen yet. */
export function jsonServer(answer: (request: IncomingMessage) => Promise<Answer>): Server {
  return createServer((request, response) => {
    answer(request)
      .catch((error: Error): Answer => ({ status: 500, body: { error: error.message } }))
      .then((given) => reply(response, given));
  });
}

/** The body of a request, read as JSON; `undefined` where it is none, or is too long. */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > longestBody) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Listens on a free port of 127.0.0.1. @returns the port */
export async function listen(server: NetServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Ends a server with all its connections. */
export async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

const longestBody = 10_000;

function reply(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}
