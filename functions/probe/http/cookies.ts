/**
 * Cookies that targets set during a request or a journey, stored according to RFC 6265: by domain, path, lifetime and `secure`. The library
 * is loaded when the first one is set.
 */
import type { CookieJar } from "tough-cookie";
import type { ProbeWorld } from "../prober.ts";
import type { Headers } from "./response.ts";

/** Maximum number of cookies, and maximum length of a cookie in characters: the limits of browsers for one site. */
const maxKept = 180;
const longest = 4_096;

/** A cookie of this length is a session, and therefore secret. */
const likelySession = 16;

/** The cookies of one conversation. */
export class Cookies {
  #jar: CookieJar | undefined;
  #kept = 0;

  /** Returns the value of the header `cookie` for a URL, after the one that is sent anyway; `undefined` if there are no cookies. */
  headerFor(url: URL, own: string | undefined): string | undefined {
    const kept = this.#jar?.getCookieStringSync(webAddress(url)) ?? "";
    const both = [own ?? "", kept].filter((part) => part !== "").join("; ");
    return both === "" ? undefined : both;
  }

  /** Stores the cookies that a response sets. Those that look like sessions are kept out of reports. */
  async keep(headers: Headers, url: URL, world: Pick<ProbeWorld, "conceal">): Promise<void> {
    const set = [headers["set-cookie"] ?? []].flat().filter((cookie) => cookie.length <= longest);
    if (set.length === 0) return;
    this.#jar ??= new (await import("tough-cookie")).CookieJar();
    for (const cookie of set.slice(0, maxKept - this.#kept)) {
      const kept = this.#jar.setCookieSync(cookie, webAddress(url), { ignoreError: true });
      if (!kept) continue;
      this.#kept++;
      if (kept.httpOnly || kept.value.length >= likelySession) world.conceal(kept.value);
    }
  }
}

/** A WebSocket is requested over HTTP. */
function webAddress({ href }: URL): string {
  return href.replace(/^ws/, "http");
}
