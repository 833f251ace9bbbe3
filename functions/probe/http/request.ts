/** One HTTP request as it is configured: its settings, and the exchange from the first connection to the last answer of its redirects. */
import { z } from "zod";
import { textOrSecret } from "../../../shared/config/fields.ts";
import type { Failure, Hop } from "../../../shared/messages/report.ts";
import { isPrivateAddress } from "../../../shared/net/address.ts";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { anyJson } from "../../../shared/runtime/named-record.ts";
import { excerpt, type Redact } from "../../../shared/text/redact.ts";
import { clientCertificateOf } from "../identity/client-certificate.ts";
import { identityFields, identityHeaderNames, identityHeaders, reconsiderIdentity } from "../identity/identity.ts";
import { dial } from "../net/dial.ts";
import { failureOf, ProbeFault } from "../net/faults.ts";
import { headers as headerFields, ipVersion, tlsVerification } from "../net/settings.ts";
import { type Stopwatch, stopwatch } from "../net/stopwatch.ts";
import { secure, wantsTls } from "../net/tls.ts";
import type { ClientCertificate } from "../net/trust.ts";
import type { ProbeWorld } from "../prober.ts";
import { TlsInPlace } from "./answer.ts";
import { type Answer, codings, exchange } from "./exchange.ts";
import { expectations } from "./expect.ts";

/** What came of a request. */
export interface Asked {
  /** What stood in place of a complete answer. */
  readonly failure?: Failure | undefined;
  /** The last answer, even where redirects should have gone on; not yet freed of secrets. */
  readonly answer?: Answer & { readonly seconds: number };
  /** Seconds in each completed phase of the last request. */
  readonly phases: Readonly<Record<string, number>>;
  /** Every answer on the way, the last one included, where there were redirects. */
  readonly hops: readonly Hop[];
  /** Seconds until the first certificate of any hop expires; negative when it has. */
  readonly certificateExpiry?: number | undefined;
}

/** The fields of the settings. */
export const requestFields = lazily(() => ({
  url: z
    .string()
    .refine(isHttpUrl, "must be a URL that begins with http:// or https://")
    .refine(
      (url) => !hasUserinfo(url),
      "must not carry a password: write an Authorization header with { secret: NAME }",
    )
    .describe("The URL to request."),
  method: z
    .enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    .default("GET")
    .describe("The method of the request."),
  headers: headerFields().describe(
    "Headers of the request. A secret one is not sent to another origin after a redirect.",
  ),
  ...identityFields(),
  body: textOrSecret().optional().describe("The body of the request, a text or a secret."),
  json: anyJson().optional().describe("The body of the request as JSON, in place of `body`."),
  follow_redirects: z
    .int()
    .min(0)
    .max(20)
    .default(5)
    .describe("How many redirects are followed; 0 takes the first answer."),
  allow_private_redirects: z
    .boolean()
    .default(false)
    .describe(
      "Follows redirects from a public address to a private one, too, such as an internal service. A target that is private itself may redirect to private addresses in any case.",
    ),
  ip_version: ipVersion(),
  max_body: z
    .int()
    .min(1)
    .max(64 * 2 ** 20)
    .default(2 ** 20)
    .describe("The longest decoded body that is accepted, in bytes."),
  tls: tlsVerification(),
  expect: expectations().prefault({}).describe("What the answer must be like."),
}));

/** A request and what its answer must be like. */
export type RequestSettings = z.output<z.ZodObject<ReturnType<typeof requestFields>>>;

/** Holds of settings that name one body at most; with the sentence for those that do not. */
export const oneBody: {
  holds(settings: Pick<RequestSettings, "body" | "json">): boolean;
  readonly otherwise: { message: string; path: string[] };
} = {
  holds: ({ body, json }) => body === undefined || json === undefined,
  otherwise: { message: "write either body or json, not both", path: ["json"] },
};

/**
 * Sends the request on a fresh connection, and follows its redirects: from a public address to a private one only where that is allowed.
 * @param confidential names of headers that no other origin may see, besides those that are secret by themselves
 */
export async function ask(
  settings: RequestSettings,
  world: ProbeWorld,
  confidential: readonly string[] = [],
): Promise<Asked> {
  const first = await firstRequest(settings, world, confidential);
  const ca = settings.tls.ca && (await world.resolve(settings.tls.ca));
  const client = await clientCertificateOf(settings.tls.client_certificate, world);
  const started = world.clock();
  const expiries: number[] = [];
  const soonest = (): number | undefined => (expiries.length === 0 ? undefined : Math.min(...expiries));
  const seen: Hop[] = [];
  let outgoing = first;
  // The address that redirected last.
  let redirectedBy = "";
  for (let hops = 0; ; hops++) {
    const watch = stopwatch(() => world.clock());
    const left = world.clock();
    try {
      const mayBePrivate = hops === 0 || settings.allow_private_redirects || isPrivateAddress(redirectedBy);
      const reachable = mayBePrivate ? world : publicOnly(world, watch);
      const { expiresAt, answer, address } = await visit(
        outgoing,
        settings,
        // Who asked for another origin may not learn who we are.
        { ca, client: outgoing.url.origin === first.url.origin ? client : undefined },
        reachable,
        watch,
      );
      redirectedBy = address;
      reconsiderIdentity(settings, answer.status, world);
      if (expiresAt !== undefined) expiries.push((expiresAt - world.now()) / 1000);
      const hop = { url: shown(outgoing.url), status: answer.status, duration: (world.clock() - left) / 1000 };
      const next = settings.follow_redirects > 0 ? redirected(outgoing, answer, world.redact) : undefined;
      if (next || hops > 0) seen.push(hop);
      if (next && ca !== undefined && next.url.protocol !== "https:")
        throw new ProbeFault("tls", `redirected to ${shown(next.url)}, where ca verifies nothing`);
      if (next && hops < settings.follow_redirects) {
        outgoing = next;
        continue;
      }
      if (next)
        throw new ProbeFault(
          "protocol",
          `more than ${settings.follow_redirects} redirects, the next to ${shown(next.url)}`,
        );
      const seconds = (world.clock() - started) / 1000;
      return { answer: { ...answer, seconds }, phases: watch.times(), hops: seen, certificateExpiry: soonest() };
    } catch (caught) {
      const peerSpeaksTls =
        outgoing.url.protocol === "http:" && (await wantsTls(caught, portOf(outgoing.url), watch, world));
      const error = peerSpeaksTls ? new TlsInPlace(outgoing.url.host) : caught;
      if (error instanceof CertificateFault && error.expiresAt !== undefined)
        expiries.push((error.expiresAt - world.now()) / 1000);
      const peer = `${outgoing.url.hostname}:${portOf(outgoing.url)}`;
      const { phase, address } = watch;
      const failure = failureOf(error, { phase, peer, address, signal: world.signal });
      const message = world.redact(
        hops === 0 ? failure.message : `${failure.message} (redirected to ${shown(outgoing.url)})`,
      );
      return { failure: { ...failure, message }, phases: watch.times(), hops: seen, certificateExpiry: soonest() };
    }
  }
}

/** A request that is ready to be sent. */
interface Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Names of the headers that only the first origin may see. */
  readonly confidential: readonly string[];
  readonly body: string | undefined;
}

class CertificateFault extends ProbeFault {
  readonly expiresAt: number | undefined;

  constructor(message: string, expiresAt: number | undefined) {
    super("tls", message);
    this.expiresAt = expiresAt;
  }
}

async function firstRequest(
  settings: RequestSettings,
  world: ProbeWorld,
  confidential: readonly string[],
): Promise<Outgoing> {
  const headers: Record<string, string> = { "user-agent": "Pathkeeper", accept: "*/*", "accept-encoding": codings };
  for (const [name, value] of Object.entries(settings.headers)) setEntry(headers, name, await world.resolve(value));
  const proof = await identityHeaders(settings, settings.headers, world);
  for (const [name, value] of Object.entries(proof)) setEntry(headers, name, value);
  const body = settings.body === undefined ? undefined : await world.resolve(settings.body);
  if (settings.json !== undefined) headers["content-type"] ??= "application/json";
  return {
    url: new URL(settings.url),
    method: settings.method,
    headers,
    confidential: [
      ...identityHeaderNames,
      "cookie",
      ...confidential,
      ...Object.entries(settings.headers).flatMap(([name, value]) => (typeof value === "string" ? [] : [name])),
    ],
    body: settings.json === undefined ? body : JSON.stringify(settings.json),
  };
}

async function visit(
  { url, method, headers, body }: Outgoing,
  settings: RequestSettings,
  { ca, client }: { readonly ca: string | undefined; readonly client: ClientCertificate | undefined },
  world: ProbeWorld,
  watch: Stopwatch,
): Promise<{ answer: Answer; address: string; expiresAt?: number | undefined }> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const encrypted = url.protocol === "https:";
  const port = portOf(url);
  const family = settings.ip_version === "any" ? {} : { family: settings.ip_version };
  const raw = await dial({ host, port, ...family }, world, watch);
  const address = raw.remoteAddress ?? "";
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const question = {
    method,
    path: url.pathname + url.search,
    headers: { host: url.host, ...headers, ...length },
    body,
    maxBody: settings.max_body,
  };
  if (!encrypted) return { answer: await exchange(raw, question, watch), address };
  const verify = settings.tls.insecure ? "nothing" : "full";
  const secured = await secure(raw, { host, ca, client, verify, protocols: ["http/1.1"] }, watch, world.now());
  if (secured.fault !== undefined) throw new CertificateFault(secured.fault, secured.expiresAt);
  return { answer: await exchange(secured.socket, question, watch), address, expiresAt: secured.expiresAt };
}

/** A world without private addresses, for a redirect that comes from a public one: it must not show what only the monitor can reach. */
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

/** The request that a redirect asks for; `undefined` when the answer is none. @throws ProbeFault */
function redirected(from: Outgoing, { status, headers }: Answer, redact: Redact): Outgoing | undefined {
  const location = [headers["location"]].flat()[0];
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  const target = percentEncoded(location);
  const url = URL.parse(target, from.url.href);
  if (!url || !isHttpUrl(url.href))
    throw new ProbeFault("protocol", `redirected to what is no HTTP URL: ${excerpt(location, 100, redact)}`);
  const repeats = status === 307 || status === 308 || from.method === "GET" || from.method === "HEAD";
  const sameOrigin = url.origin === from.url.origin;
  if (repeats && from.body !== undefined && !sameOrigin)
    throw new ProbeFault("protocol", `redirected to another origin, ${url.origin}, to which the body is not repeated`);
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

/** A location whose bytes beyond ASCII, which came as Latin-1, are written as a URL has them. Names of hosts are put into their ASCII form. */
function percentEncoded(location: string): string {
  const bytes = Buffer.from(location, "latin1");
  const text = bytes.toString("utf8");
  if (Buffer.from(text, "utf8").equals(bytes)) return text;
  return location.replaceAll(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === "https:" ? 443 : 80));
}

function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

function hasUserinfo(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.username !== "" || url.password !== "");
}

/** A URL without what may be secret in it: query and fragment. */
function shown(url: URL): string {
  return url.origin + url.pathname;
}
