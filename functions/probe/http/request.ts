import type { Hop } from "../../../shared/messages/report.ts";
import { isPrivateAddress } from "../../../shared/net/address.ts";
import { reconsiderIdentity } from "../identity/identity.ts";
import { failureOf, ProbeFault, type SeenFailure } from "../net/faults.ts";
import { type Stopwatch, stopwatch } from "../net/stopwatch.ts";
import { wantsTls } from "../net/tls.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, TargetText } from "../text/target-text.ts";
import { Cookies } from "./cookies.ts";
import { exchange, type HttpResponse } from "./exchange.ts";
import {
  CertificateFault,
  connectTo,
  firstRequest,
  httpRequestOf,
  type OutgoingRequest,
  portOf,
  type TlsSecrets,
  tlsSecrets,
  withCookies,
} from "./outgoing.ts";
import { TlsInPlace } from "./response.ts";
import { isHttpUrl, type RequestSettings } from "./settings.ts";

/** One response to a request, as observed: its location may be text from a target. */
export type SeenHop = Omit<Hop, "url"> & { readonly url: TargetText };

/** The result of a request. */
export interface RequestResult {
  /** The failure, if there was no complete response. */
  readonly failure?: SeenFailure | undefined;
  /** The last response, even if more redirects should have been followed. */
  readonly response?: HttpResponse & { readonly seconds: number };
  /** Seconds in each completed phase of the last request. */
  readonly phases: Readonly<Record<string, number>>;
  /** Every response, including the last one, if there were redirects. */
  readonly hops: readonly SeenHop[];
  /** Seconds until the first certificate of any hop expires; negative if it has expired. */
  readonly certificateExpiry?: number | undefined;
}

/**
 * Sends the request on a fresh connection and follows its redirects: from a public address to a private one only if that is allowed.
 * @param confidential names of headers that no other origin may see, in addition to those that are always secret
 * @param cookies cookies of the conversation that the request belongs to; cookies set by responses are added to it
 */
export async function sendRequest(
  settings: RequestSettings,
  world: ProbeWorld,
  confidential: readonly string[] = [],
  cookies: Cookies = new Cookies(),
): Promise<RequestResult> {
  const first = await firstRequest(settings, world, confidential);
  const { ca, client } = await tlsSecrets(settings, world);
  const started = world.clock();
  const expiries: number[] = [];
  const soonest = (): number | undefined => (expiries.length === 0 ? undefined : Math.min(...expiries));
  const seen: SeenHop[] = [];
  let outgoing = first;
  // The address of the last redirecting server.
  let redirectedBy = "";
  for (let hops = 0; ; hops++) {
    const watch = stopwatch(() => world.clock());
    const left = world.clock();
    try {
      const mayBePrivate = hops === 0 || settings.allow_private_redirects || isPrivateAddress(redirectedBy);
      const reachable = mayBePrivate ? world : publicOnly(world, watch);
      const { expiresAt, response, address } = await visit(
        withCookies(outgoing, cookies),
        settings,
        // Another origin must not see the client certificate.
        { ca, client: outgoing.url.origin === first.url.origin ? client : undefined },
        reachable,
        watch,
      );
      redirectedBy = address;
      await cookies.keep(response.headers, outgoing.url, world);
      reconsiderIdentity(settings, response.status, world);
      if (expiresAt !== undefined) expiries.push((expiresAt - world.now()) / 1000);
      const hop = { url: shown(outgoing.url), status: response.status, duration: (world.clock() - left) / 1000 };
      const next = settings.follow_redirects > 0 ? redirected(outgoing, response) : undefined;
      if (next || hops > 0) seen.push(hop);
      if (next && ca !== undefined && next.url.protocol !== "https:")
        throw new ProbeFault(
          "tls",
          cite`redirected to ${shown(next.url)}, which does not use TLS, so ca has no effect`,
        );
      if (next && hops < settings.follow_redirects) {
        outgoing = next;
        continue;
      }
      if (next)
        throw new ProbeFault(
          "protocol",
          cite`more than ${settings.follow_redirects} redirects; the next one is to ${shown(next.url)}`,
        );
      const seconds = (world.clock() - started) / 1000;
      return { response: { ...response, seconds }, phases: watch.times(), hops: seen, certificateExpiry: soonest() };
    } catch (caught) {
      const peerSpeaksTls =
        outgoing.url.protocol === "http:" && (await wantsTls(caught, portOf(outgoing.url), watch, world));
      const error = peerSpeaksTls ? new TlsInPlace(outgoing.url.host) : caught;
      if (error instanceof CertificateFault && error.expiresAt !== undefined)
        expiries.push((error.expiresAt - world.now()) / 1000);
      const peer = `${outgoing.url.hostname}:${portOf(outgoing.url)}`;
      const { phase, address } = watch;
      const failure = failureOf(error, { phase, peer, address, signal: world.signal });
      const message = hops === 0 ? failure.message : cite`${failure.message} (redirected to ${shown(outgoing.url)})`;
      return { failure: { ...failure, message }, phases: watch.times(), hops: seen, certificateExpiry: soonest() };
    }
  }
}

async function visit(
  outgoing: OutgoingRequest,
  settings: RequestSettings,
  secrets: TlsSecrets,
  world: ProbeWorld,
  watch: Stopwatch,
): Promise<{ response: HttpResponse; address: string; expiresAt?: number | undefined }> {
  const { socket, address, expiresAt } = await connectTo(outgoing.url, settings, secrets, world, watch);
  const response = await exchange(socket, { ...httpRequestOf(outgoing), maxBody: settings.max_body }, watch);
  return { response, address, expiresAt };
}

/** Returns a world without private addresses, for a redirect from a public address: it must not reveal what only the monitor can reach. */
function publicOnly(world: ProbeWorld, watch: Stopwatch): ProbeWorld {
  const permit = (address: string): void => {
    if (!isPrivateAddress(address)) return;
    watch.enter("redirect");
    throw new ProbeFault(
      "protocol",
      `a redirect from a public address to the private address ${address} is not followed: set allow_private_redirects: true to follow it`,
    );
  };
  return { ...world, permit };
}

/** Returns the request of a redirect; `undefined` if the response is not one. @throws ProbeFault */
function redirected(from: OutgoingRequest, { status, headers }: HttpResponse): OutgoingRequest | undefined {
  const location = [headers["location"]].flat()[0];
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  const target = percentEncoded(location);
  const url = URL.parse(target, from.url.href);
  if (!url || !isHttpUrl(url.href))
    throw new ProbeFault("protocol", cite`redirected to an invalid HTTP URL: ${TargetText.of(location).first(100)}`);
  const repeats = status === 307 || status === 308 || from.method === "GET" || from.method === "HEAD";
  const sameOrigin = url.origin === from.url.origin;
  if (repeats && from.body !== undefined && !sameOrigin)
    throw new ProbeFault(
      "protocol",
      cite`redirected to another origin, ${TargetText.of(url.origin)}: the body is not sent there`,
    );
  const dropped = [...(sameOrigin ? [] : from.confidential), ...(repeats ? [] : ["content-type"])];
  const kept = Object.entries(from.headers).filter(
    ([name]) => !dropped.includes(name) && (sameOrigin || name !== "host"),
  );
  return {
    ...from,
    url,
    method: repeats ? from.method : "GET",
    headers: Object.fromEntries(kept),
    body: repeats ? from.body : undefined,
  };
}

/**
 * Returns a location whose non-ASCII bytes, received as Latin-1, are percent-encoded as a URL requires. Host names are converted to their
 * ASCII form.
 */
function percentEncoded(location: string): string {
  const bytes = Buffer.from(location, "latin1");
  const text = bytes.toString("utf8");
  if (Buffer.from(text, "utf8").equals(bytes)) return text;
  return location.replaceAll(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Returns a URL without the parts that may be secret: query and fragment. */
function shown(url: URL): TargetText {
  return TargetText.of(url.origin + url.pathname);
}
