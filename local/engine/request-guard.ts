/** Checks who sends a request to a server of the local system: web pages and other users of the machine can reach its ports, too. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, RequestListener, Server } from "node:http";

/** Makes the token of a run, which each of its parts sends with its requests to the others. */
export function newToken(): string {
  return randomBytes(24).toString("base64url");
}

/** Adds the token to the query of an address: the URL is all that a push subscription of the emulator is given. */
export function withToken(url: string, token: string): string {
  const address = new URL(url);
  address.searchParams.set(parameter, token);
  return address.href;
}

/** Returns the URL of a path on the server at `url`, with the token where `url` has one. */
export function pathAt(url: string, path: string): URL {
  const address = new URL(path, url);
  address.search = new URL(url).search;
  return address;
}

/**
 * Refuses requests whose `Host` is not this machine (403: a web page whose name was made to resolve to 127.0.0.1 sends that name) and, where a
 * token is given, those without it (401). The answer is an error as Google's APIs write it, and the listeners of the server never see the request.
 * @returns the server
 */
export function guardRequests(server: Server, token?: string): Server {
  const listeners = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response) => {
    const refusal = refusalOf(request, token);
    if (refusal === undefined) {
      for (const listener of listeners) listener.call(server, request, response);
      return;
    }
    request.resume();
    response.writeHead(refusal.code, { "content-type": "application/json" }).end(JSON.stringify({ error: refusal }));
  });
  return server;
}

const parameter = "token";
const ownHost = /^(127\.0\.0\.1|localhost)(:\d+)?$/i;

interface Refusal {
  readonly code: 401 | 403;
  readonly status: string;
  readonly message: string;
}

function refusalOf({ headers, url = "" }: IncomingMessage, token: string | undefined): Refusal | undefined {
  if (!ownHost.test(headers.host ?? "")) {
    return { code: 403, status: "PERMISSION_DENIED", message: "wrong host: send the request to 127.0.0.1" };
  }
  if (token !== undefined && !isSame(tokenIn(url), token)) {
    return { code: 401, status: "UNAUTHENTICATED", message: "the query has no valid token of this run" };
  }
  return undefined;
}

function tokenIn(url: string): string {
  return URL.parse(url, "http://127.0.0.1")?.searchParams.get(parameter) ?? "";
}

/** Compares in constant time. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
