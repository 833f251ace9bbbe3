/** A request that is ready to be sent, secrets resolved, and its connection. */
import type { Socket } from "node:net";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { clientCertificateOf } from "../identity/client-certificate.ts";
import { identityHeaderNames, identityHeaders } from "../identity/identity.ts";
import { dial } from "../net/dial.ts";
import { ProbeFault } from "../net/faults.ts";
import type { Stopwatch } from "../net/stopwatch.ts";
import { secure } from "../net/tls.ts";
import type { ClientCertificate } from "../net/trust.ts";
import type { ProbeWorld } from "../prober.ts";
import type { ReportText } from "../text/target-text.ts";
import type { Cookies } from "./cookies.ts";
import { codings, type HttpRequest } from "./exchange.ts";
import { isHttpUrl, type RequestSettings } from "./settings.ts";

/** A request that is ready to be sent. */
export interface OutgoingRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Names of the headers that only the first origin may see. */
  readonly confidential: readonly string[];
  readonly body: string | undefined;
}

/** Thrown if the certificates of a server are not accepted. */
export class CertificateFault extends ProbeFault {
  readonly expiresAt: number | undefined;

  constructor(text: ReportText, expiresAt: number | undefined) {
    super("tls", text);
    this.expiresAt = expiresAt;
  }
}

/** The settings that describe the request, without the expectations for its response. */
export type SendingSettings = Pick<
  RequestSettings,
  "url" | "method" | "headers" | "id_token" | "oauth2" | "body" | "json" | "form" | "ip_version" | "tls"
>;

/**
 * Returns the first request of the settings, secrets resolved.
 * @param usual default headers, for names that the settings do not set
 * @throws ProbeFault
 */
export async function firstRequest(
  settings: SendingSettings,
  world: ProbeWorld,
  confidential: readonly string[] = [],
  usual: Readonly<Record<string, string>> = { accept: "*/*", "accept-encoding": codings },
): Promise<OutgoingRequest> {
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

/** Returns the URL, and the login that a secret URL contains. @throws ProbeFault */
async function address(
  { url: written }: Pick<RequestSettings, "url">,
  world: ProbeWorld,
): Promise<{ readonly url: URL; readonly login?: string }> {
  if (typeof written === "string") return { url: new URL(written) };
  const url = URL.parse((await world.resolve(written)).trim());
  if (url === null || !isHttpUrl(url.href))
    throw new ProbeFault(
      "internal",
      `the secret "${written.secret}" must contain a URL that begins with http:// or https://`,
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

/** A shorter path, such as `/v1`, identifies nothing. */
const shortestPath = 6;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the body, and the header with its type. */
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

/** Returns the request with its cookies. */
export function withCookies(outgoing: OutgoingRequest, cookies: Cookies): OutgoingRequest {
  const cookie = cookies.headerFor(outgoing.url, outgoing.headers["cookie"]);
  return cookie === undefined ? outgoing : { ...outgoing, headers: { ...outgoing.headers, cookie } };
}

/** Values for TLS to a target in addition to its settings; secrets resolved. */
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

/** Returns a request in the form that its connection requires. */
export function httpRequestOf({ url, method, headers, body }: OutgoingRequest): Omit<HttpRequest, "maxBody"> {
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return { method, path: url.pathname + url.search, headers: { host: url.host, ...headers, ...length }, body };
}

/**
 * Connects to the host of a URL, in the phases `dns`, `connect` and, for `https:`, `tls`.
 * @throws CertificateFault, or the error of the connection
 */
export async function connectTo(
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

/** Returns the port of a URL. */
export function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === "https:" ? 443 : 80));
}
