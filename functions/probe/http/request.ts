/** One HTTP request as it is configured: its settings, and the exchange from the first connection to the last answer of its redirects. */
import type { Socket } from "node:net";
import { z } from "zod";
import { type SecretReference, secretReference, textOrSecret } from "../../../shared/config/fields.ts";
import type { Failure, Hop } from "../../../shared/messages/report.ts";
import { isPrivateAddress } from "../../../shared/net/address.ts";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { anyJson, namedRecord } from "../../../shared/runtime/named-record.ts";
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
import { Cookies } from "./cookies.ts";
import { type Answer, codings, exchange, type Question } from "./exchange.ts";
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

/** A value of a form. */
export type FormValue = string | number | boolean | SecretReference;

const formValue: () => z.ZodType<FormValue, FormValue> = lazily(() =>
  z.union([z.string(), z.number(), z.boolean(), secretReference()], {
    error: "must be a text, a number, true or false, or { secret: NAME }",
  }),
);

/** The fields of the settings. */
export const requestFields = lazily(() => ({
  url: z
    .union(
      [
        z
          .string()
          .refine(isHttpUrl, "must be a URL that begins with http:// or https://")
          .refine(
            (url) => !hasUserinfo(url),
            "must not carry a password: write an Authorization header with { secret: NAME }",
          ),
        secretReference(),
      ],
      { error: "must be a URL that begins with http:// or https://, or { secret: NAME }" },
    )
    .describe(
      "The URL to request, or a secret that holds it, with user and password where it needs them. Of a secret one, reports show host and port.",
    ),
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
  form: namedRecord(z.string(), z.union([formValue(), z.array(formValue())]))
    .optional()
    .describe(
      "The body of the request as the fields of a form, in place of `body`: texts, numbers, true or false, secrets, or lists of these. It is sent as `application/x-www-form-urlencoded`.",
    ),
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

/** Reports a second body. For `superRefine`. */
export function oneBody(
  settings: Pick<RequestSettings, "body" | "json" | "form">,
  context: { addIssue(issue: { code: "custom"; message: string; path: string[] }): void },
): void {
  const [first, second] = (["body", "json", "form"] as const).filter((field) => settings[field] !== undefined);
  if (first === undefined || second === undefined) return;
  context.addIssue({ code: "custom", message: `write either ${first} or ${second}, not both`, path: [second] });
}

/**
 * Sends the request on a fresh connection, and follows its redirects: from a public address to a private one only where that is allowed.
 * @param confidential names of headers that no other origin may see, besides those that are secret by themselves
 * @param cookies those of the conversation that the request belongs to; what answers set comes to them
 */
export async function ask(
  settings: RequestSettings,
  world: ProbeWorld,
  confidential: readonly string[] = [],
  cookies: Cookies = new Cookies(),
): Promise<Asked> {
  const first = await firstRequest(settings, world, confidential);
  const { ca, client } = await tlsSecrets(settings, world);
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
        withCookies(outgoing, cookies),
        settings,
        // Who asked for another origin may not learn who we are.
        { ca, client: outgoing.url.origin === first.url.origin ? client : undefined },
        reachable,
        watch,
      );
      redirectedBy = address;
      await cookies.keep(answer.headers, outgoing.url, world);
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
export interface Outgoing {
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

/** What says how a request is sent, without what its answer must be like. */
export type SendingSettings = Pick<
  RequestSettings,
  "url" | "method" | "headers" | "id_token" | "oauth2" | "body" | "json" | "form" | "ip_version" | "tls"
>;

/**
 * The first request of the settings, secrets resolved.
 * @param usual headers that count where the settings have none of their name
 * @throws ProbeFault
 */
export async function firstRequest(
  settings: SendingSettings,
  world: ProbeWorld,
  confidential: readonly string[] = [],
  usual: Readonly<Record<string, string>> = { accept: "*/*", "accept-encoding": codings },
): Promise<Outgoing> {
  const headers: Record<string, string> = { "user-agent": "Pathkeeper", ...usual };
  for (const [name, value] of Object.entries(settings.headers)) setEntry(headers, name, await world.resolve(value));
  const proof = await identityHeaders(settings, settings.headers, world);
  for (const [name, value] of Object.entries(proof)) setEntry(headers, name, value);
  const { url, login } = await address(settings, world);
  if (login !== undefined) headers["authorization"] ??= login;
  return {
    url,
    method: settings.method,
    headers,
    confidential: [
      ...identityHeaderNames,
      "cookie",
      ...confidential,
      ...Object.entries(settings.headers).flatMap(([name, value]) => (typeof value === "string" ? [] : [name])),
    ],
    body: await bodyOf(settings, headers, world),
  };
}

/** The URL, and what a secret one says besides: the login that is sent to it. @throws ProbeFault */
async function address(
  { url: written }: Pick<RequestSettings, "url">,
  world: ProbeWorld,
): Promise<{ readonly url: URL; readonly login?: string }> {
  if (typeof written === "string") return { url: new URL(written) };
  const url = URL.parse((await world.resolve(written)).trim());
  if (url === null || !isHttpUrl(url.href))
    throw new ProbeFault(
      "internal",
      `the secret "${written.secret}" holds no URL that begins with http:// or https://`,
    );
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if (url.pathname.length >= shortestPath) world.conceal(url.pathname);
  url.username = "";
  url.password = "";
  if (user === "" && password === "") return { url };
  const login = Buffer.from(`${user}:${password}`).toString("base64");
  world.conceal(login);
  return { url, login: `Basic ${login}` };
}

/** A shorter path, such as `/v1`, says nothing. */
const shortestPath = 6;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The body, and the header that says what it is. */
async function bodyOf(
  { body, json, form }: Pick<RequestSettings, "body" | "json" | "form">,
  headers: Record<string, string>,
  world: ProbeWorld,
): Promise<string | undefined> {
  if (json !== undefined) {
    headers["content-type"] ??= "application/json";
    return JSON.stringify(json);
  }
  if (form !== undefined) {
    headers["content-type"] ??= "application/x-www-form-urlencoded";
    const fields = new URLSearchParams();
    for (const [name, values] of Object.entries(form))
      for (const value of [values].flat())
        fields.append(name, typeof value === "object" ? await world.resolve(value) : String(value));
    return fields.toString();
  }
  return body === undefined ? undefined : await world.resolve(body);
}

/** The request with the cookies that belong to it. */
export function withCookies(outgoing: Outgoing, cookies: Cookies): Outgoing {
  const cookie = cookies.headerFor(outgoing.url, outgoing.headers["cookie"]);
  return cookie === undefined ? outgoing : { ...outgoing, headers: { ...outgoing.headers, cookie } };
}

/** What TLS to a target takes besides its settings; secrets resolved. */
export interface TlsSecrets {
  readonly ca: string | undefined;
  readonly client: ClientCertificate | undefined;
}

/** Reads them. @throws ProbeFault, or the error of a secret that cannot be had */
export async function tlsSecrets({ tls }: Pick<RequestSettings, "tls">, world: ProbeWorld): Promise<TlsSecrets> {
  return {
    ca: tls.ca && (await world.resolve(tls.ca)),
    client: await clientCertificateOf(tls.client_certificate, world),
  };
}

async function visit(
  outgoing: Outgoing,
  settings: RequestSettings,
  secrets: TlsSecrets,
  world: ProbeWorld,
  watch: Stopwatch,
): Promise<{ answer: Answer; address: string; expiresAt?: number | undefined }> {
  const { socket, address, expiresAt } = await reach(outgoing.url, settings, secrets, world, watch);
  const answer = await exchange(
    socket,
    { ...questionOf(outgoing), maxBody: settings.max_body, redact: world.redact },
    watch,
  );
  return { answer, address, expiresAt };
}

/** A request as it goes over its connection. */
export function questionOf({ url, method, headers, body }: Outgoing): Omit<Question, "maxBody"> {
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return { method, path: url.pathname + url.search, headers: { host: url.host, ...headers, ...length }, body };
}

/**
 * Connects to whom a URL names, in the phases `dns`, `connect` and, for `https:`, `tls`.
 * @throws CertificateFault, or the error of the connection
 */
export async function reach(
  url: URL,
  settings: Pick<RequestSettings, "ip_version" | "tls">,
  { ca, client }: TlsSecrets,
  world: ProbeWorld,
  watch: Stopwatch,
): Promise<{ readonly socket: Socket; readonly address: string; readonly expiresAt?: number | undefined }> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const encrypted = url.protocol === "https:";
  const port = portOf(url);
  const family = settings.ip_version === "any" ? {} : { family: settings.ip_version };
  const raw = await dial({ host, port, ...family }, world, watch);
  const address = raw.remoteAddress ?? "";
  if (!encrypted) return { socket: raw, address };
  const verify = settings.tls.insecure ? "nothing" : "full";
  const secured = await secure(raw, { host, ca, client, verify, protocols: ["http/1.1"] }, watch, world.now());
  if (secured.fault !== undefined) throw new CertificateFault(secured.fault, secured.expiresAt);
  return { socket: secured.socket, address, expiresAt: secured.expiresAt };
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
