/**
 * Access tokens by the client credentials grant of OAuth 2. A token is cached until shortly before it expires, and shared by all probes with
 * the same parameters.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
 */
import { z } from "zod";
import { customIssue, secretReference, textOrSecret } from "../../../shared/config/fields.ts";
import { unlessAborted } from "../../../shared/net/unless-aborted.ts";
import { urlMistake } from "../../../shared/net/written-address.ts";
import type { GoogleApi } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { exchange } from "../http/exchange.ts";
import { dial } from "../net/dial.ts";
import { failureOf, IdentityFault } from "../net/faults.ts";
import { stopwatch } from "../net/stopwatch.ts";
import { secure } from "../net/tls.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, TargetText } from "../text/target-text.ts";

/** The schema of `oauth2`. */
export const oauth2Settings = lazily(() =>
  z
    .strictObject({
      token_url: z
        .string()
        .superRefine(customIssue((url) => (/^https?:/.test(url) ? urlMistake(url, ["https", "http"]) : undefined)))
        .refine((text) => isTokenUrl(text), "must be a URL that begins with https://, without user or fragment")
        .describe("The token endpoint. `http://` is allowed for this machine only."),
      client_id: textOrSecret().describe("The client ID."),
      client_secret: secretReference().describe("The client secret."),
      scope: z.string().min(1).optional().describe("Scopes to request, separated by spaces."),
      audience: z.string().min(1).optional().describe("The audience of the token, if the endpoint requires one."),
      authenticate: z
        .enum(["header", "body"])
        .default("header")
        .describe("Where to send the client ID and secret: in a header (HTTP Basic) or in the body."),
      endpoint_ca: secretReference()
        .optional()
        .describe("Trusted certificate authorities for the endpoint, in PEM, instead of the system's."),
    })
    .optional()
    .describe(
      "Requests an access token from a token endpoint (OAuth 2 client credentials) and sends it as `authorization: Bearer`. The token is cached until it expires.",
    ),
);

/** The client that requests a token, and the endpoint. */
export type OAuth2Settings = NonNullable<z.output<ReturnType<typeof oauth2Settings>>>;

/** A token, and the end of its use, in milliseconds since the epoch. */
interface Token {
  readonly text: string;
  readonly until: number;
}

/** Tokens and pending token requests, by their parameters; separate for each identity of the monitor, so that tests do not share them. */
const kept = new WeakMap<GoogleApi, Map<string, Promise<Token>>>();

/** Maximum time for a response of the token endpoint, in milliseconds. */
const patienceMs = 10_000;
/** A token is not used in the last minute before its expiry, in milliseconds. */
const reserveMs = 60_000;

/** Returns an access token. @throws IdentityFault if there is none: it names the token endpoint, because the target is not to blame */
export async function accessToken(settings: OAuth2Settings, world: ProbeWorld): Promise<string> {
  const id = await world.resolve(settings.client_id);
  const secret = await world.resolve(settings.client_secret);
  const ca = settings.endpoint_ca && (await world.resolve(settings.endpoint_ca));
  const known = kept.get(world.google) ?? new Map<string, Promise<Token>>();
  kept.set(world.google, known);
  const key = JSON.stringify([settings, id, secret, ca]);
  for (;;) {
    const running = known.get(key);
    const token = running ?? requested(settings, { id, secret, ca }, world);
    known.set(key, token);
    const forget = (): void => {
      if (known.get(key) === token) known.delete(key);
    };
    // Nobody may be waiting for it any more when it fails.
    token.catch(() => {});
    try {
      const { text, until } = await unlessAborted(token, world.signal);
      world.conceal(text);
      if (until <= world.now()) forget();
      // A cached token may have expired.
      if (running === undefined || until > world.now()) return text;
    } catch (error) {
      if (world.signal.aborted) throw waitedTooLong(settings);
      forget();
      throw error;
    }
  }
}

/** Forgets the cached tokens: a target has refused one before its expiry. */
export function forgetTokens(google: GoogleApi): void {
  kept.delete(google);
}

interface Client {
  readonly id: string;
  readonly secret: string;
  readonly ca: string | undefined;
}

/** Requests a token, with a timeout of its own: the first caller may leave earlier than others that wait for the same token. */
async function requested(settings: OAuth2Settings, client: Client, world: ProbeWorld): Promise<Token> {
  const closers: (() => void)[] = [];
  const own: ProbeWorld = {
    ...world,
    signal: AbortSignal.timeout(patienceMs),
    onClose: (close) => void closers.push(close),
  };
  try {
    return await ask(settings, client, own);
  } finally {
    for (const close of closers) close();
  }
}

async function ask(settings: OAuth2Settings, client: Client, world: ProbeWorld): Promise<Token> {
  const { token_url, scope, audience, authenticate } = settings;
  const url = new URL(token_url);
  const watch = stopwatch(() => world.clock());
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    ...(scope === undefined ? {} : { scope }),
    ...(audience === undefined ? {} : { audience }),
    ...(authenticate === "body" ? { client_id: client.id, client_secret: client.secret } : {}),
  }).toString();
  try {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const encrypted = url.protocol === "https:";
    const raw = await dial({ host, port: Number(url.port || (encrypted ? 443 : 80)) }, world, watch);
    const options = { host, ca: client.ca, protocols: ["http/1.1"] };
    const secured = encrypted ? await secure(raw, options, watch, world.now()) : undefined;
    if (secured?.fault !== undefined)
      throw new IdentityFault("tls", cite`${named(settings)}: ${secured.fault}`, { signal: "certificate" });
    const answer = await exchange(
      secured?.socket ?? raw,
      {
        method: "POST",
        path: url.pathname + url.search,
        headers: {
          host: url.host,
          "user-agent": "Pathkeeper",
          accept: "application/json",
          "content-type": "application/x-www-form-urlencoded",
          "content-length": String(Buffer.byteLength(form)),
          ...(authenticate === "header" ? { authorization: basic(client) } : {}),
        },
        body: form,
        maxBody: longestAnswer,
      },
      watch,
    );
    return tokenIn(answer.status, answer.body.toString("utf8"), settings, world);
  } catch (error) {
    if (error instanceof IdentityFault) throw error;
    if (world.signal.aborted) throw waitedTooLong(settings);
    const { kind, message, code } = failureOf(error, { phase: watch.phase, peer: url.host, signal: world.signal });
    const facts = { cause: error, ...(code === undefined ? {} : { code }) };
    throw new IdentityFault(kind, cite`${named(settings)} did not issue a token: ${message}`, facts);
  }
}

/** Maximum size of a response, in bytes. */
const longestAnswer = 65_536;

/** Both halves are form-encoded first. @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 */
function basic({ id, secret }: Client): string {
  const encoded = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2);
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString("base64")}`;
}

interface TokenAnswer {
  readonly access_token?: unknown;
  readonly token_type?: unknown;
  readonly expires_in?: unknown;
  readonly error?: unknown;
  readonly error_description?: unknown;
}

function tokenIn(status: number, body: string, settings: OAuth2Settings, { now, conceal }: ProbeWorld): Token {
  const { access_token, token_type = "Bearer", expires_in, error, error_description } = parsed(body);
  if (typeof access_token === "string" && access_token !== "") conceal(access_token);
  if (status !== 200) {
    const code = typeof error === "string" ? error : undefined;
    const why = code === undefined ? "" : cite`: ${TargetText.of(code).first(40)}`;
    const more = typeof error_description === "string" ? cite` (${TargetText.of(error_description).first(120)})` : "";
    const said = cite`${named(settings)} answered ${status}${why}${more}`;
    const kind = status === 400 || status === 401 || status === 403 ? "auth" : "http_status";
    throw new IdentityFault(kind, said, { status, ...(code === undefined ? {} : { code }) });
  }
  if (typeof access_token !== "string" || access_token === "")
    throw new IdentityFault("protocol", `${named(settings)} answered 200 without an access_token`, { status });
  if (String(token_type).toLowerCase() !== "bearer")
    throw new IdentityFault("protocol", `${named(settings)} issued a token that is not a bearer token`, { status });
  const seconds = Number(expires_in);
  // A token without an expiry time is used once.
  const until = Number.isFinite(seconds) ? now() + Math.max(0, seconds * 1000 - reserveMs) : 0;
  return { text: access_token, until };
}

function parsed(body: string): TokenAnswer {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === "object" && json !== null ? json : {};
  } catch {
    return {};
  }
}

/** Returns the endpoint for messages, without the parts of its URL that may be secret. */
function named({ token_url }: OAuth2Settings): string {
  const { origin, pathname } = new URL(token_url);
  return `the token endpoint ${origin}${pathname}`;
}

function waitedTooLong(settings: OAuth2Settings): IdentityFault {
  return new IdentityFault("timeout", `the probe timed out while waiting for ${named(settings)}`);
}

function isTokenUrl(text: string): boolean {
  const url = URL.parse(text);
  // Mistakes in the URL itself are reported elsewhere.
  if (url === null) return /^https?:/.test(text);
  if (url.username !== "" || url.password !== "" || url.hash !== "") return false;
  // A secret is sent only over an encrypted connection or within the machine.
  return url.protocol === "https:" || (url.protocol === "http:" && /^(localhost|127\.|\[::1\])/.test(url.hostname));
}
