/** Authentication: a browser that opens the address with the token of the run receives the token as a cookie. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** Authentication state of a request. */
export interface Session {
  /** True if the browser has the token. */
  readonly isKnown: boolean;
  /** The answer to the address with the token: the cookie, and the same address without it. */
  readonly admission?: {
    readonly status: number;
    readonly contentType: string;
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  };
}

const parameter = "token";

/**
 * Reads the cookie of a request, or the token in its address. Cookies are shared by all ports of a host, so the name has that of this server.
 * @param bound the address of the server
 */
export function openSession(request: IncomingMessage, token: string, bound: AddressInfo | string | null): Session {
  const name = `pathkeeper_${typeof bound === "object" && bound !== null ? bound.port : 0}`;
  const address = URL.parse(request.url ?? "/", "http://127.0.0.1");
  const given = address?.searchParams.get(parameter) ?? undefined;
  if (address !== null && given !== undefined && isSame(given, token)) {
    address.searchParams.delete(parameter);
    // The path cannot lead elsewhere: it begins with exactly one slash.
    const location = `/${address.pathname.replace(/^\/+/, "")}${address.search}`;
    const cookie = `${name}=${token}; HttpOnly; SameSite=Lax; Path=/`;
    const headers = { location, "set-cookie": cookie };
    return { isKnown: true, admission: { status: 303, contentType: "text/plain", body: "", headers } };
  }
  const cookies = (request.headers.cookie ?? "").split(/;\s*/).map((pair) => pair.split("=", 2));
  const kept = cookies.find(([key]) => key === name)?.[1] ?? "";
  return { isKnown: isSame(kept, token) };
}

/** Compares in constant time. */
export function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
