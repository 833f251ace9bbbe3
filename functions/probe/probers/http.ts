/** The prober `http`: one request on a fresh connection, its answer and its time by phase. */
import { z } from "zod";
import { type SecretReference, textOrSecret } from "../../../shared/config/fields.ts";
import type { Failure } from "../../../shared/messages/report.ts";
import { type Answered, type Expectations, expectations, unmet } from "../expect.ts";
import { type Extraction, extract, extractions } from "../extract.ts";
import { dial } from "../net/dial.ts";
import { type Answer, exchange } from "../net/exchange.ts";
import { failureOf, ProbeFault } from "../net/faults.ts";
import { type IpVersion, ipVersion, type TlsVerification, tlsVerification } from "../net/settings.ts";
import { type Stopwatch, stopwatch } from "../net/stopwatch.ts";
import { secure } from "../net/tls.ts";
import type { Assessment, Prober, ProbeWorld } from "../prober.ts";

/** What an `http` probe reads. */
export interface HttpSettings {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | SecretReference>>;
  readonly body?: string | SecretReference | undefined;
  readonly json?: unknown;
  readonly follow_redirects: number;
  readonly ip_version: IpVersion;
  readonly max_body: number;
  readonly tls: TlsVerification;
  readonly expect: Expectations;
  readonly extract: readonly Extraction[];
}

/** What was seen of the target. */
export interface HttpObservation {
  /** What stood in place of a complete answer. */
  readonly failure?: Failure | undefined;
  /** The last answer, even where redirects should have gone on. */
  readonly answer?: Answered & { readonly bytes: number; readonly truncated: boolean };
  /** Seconds in each completed phase of the last request. */
  readonly phases: Readonly<Record<string, number>>;
  /** Seconds until the first certificate of any hop expires; negative when it has. */
  readonly certificateExpiry?: number | undefined;
}

/** The prober `http`. */
export const http: Prober<HttpSettings, HttpObservation> = {
  kind: "http",
  title: "Sends one HTTP request on a fresh connection and judges the answer, with the time of each phase.",
  settings: z
    .strictObject({
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
      headers: z
        .record(
          z
            .string()
            .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be the name of a header")
            .toLowerCase(),
          textOrSecret,
        )
        .default({})
        .describe("Headers of the request. A secret one is not sent to another origin after a redirect."),
      body: textOrSecret.optional().describe("The body of the request, a text or a secret."),
      json: z.json().optional().describe("The body of the request as JSON, in place of `body`."),
      follow_redirects: z
        .int()
        .min(0)
        .max(20)
        .default(5)
        .describe("How many redirects are followed; 0 takes the first answer."),
      ip_version: ipVersion,
      max_body: z
        .int()
        .min(1)
        .max(64 * 2 ** 20)
        .default(2 ** 20)
        .describe("The longest decoded body that is accepted, in bytes."),
      tls: tlsVerification,
      expect: expectations.prefault({}).describe("What the answer must be like."),
      extract: extractions.default([]).describe("Metrics to take out of a JSON body."),
    })
    .refine(({ body, json }) => body === undefined || json === undefined, {
      message: "write either body or json, not both",
      path: ["json"],
    }),
  example: `url: https://api.example.com/health/infrastructure
headers: { authorization: { secret: health-token } }
expect: { status: 200, json: { $.status: healthy }, max_time: 10s }
extract:
  - { metric: cloud_sql_pool_utilization, path: $.database_pool_utilization, unit: "%" }
  - { metric: smd_phase_duration, path: $.last_smd_phase_times, each: phase }
`,

  async observe(settings, world) {
    const first = await firstRequest(settings, world);
    const ca = settings.tls.ca && (await world.resolve(settings.tls.ca));
    const started = world.clock();
    const expiries: number[] = [];
    const soonest = (): number | undefined => (expiries.length === 0 ? undefined : Math.min(...expiries));
    let outgoing = first;
    for (let hops = 0; ; hops++) {
      const watch = stopwatch(() => world.clock());
      try {
        const { expiresAt, answer } = await visit(outgoing, settings, ca, world, watch);
        if (expiresAt !== undefined) expiries.push((expiresAt - world.now()) / 1000);
        const next = settings.follow_redirects > 0 ? redirected(outgoing, answer) : undefined;
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
        return { answer: answered(answer, seconds, world), phases: watch.times(), certificateExpiry: soonest() };
      } catch (error) {
        if (error instanceof CertificateFault && error.expiresAt !== undefined)
          expiries.push((error.expiresAt - world.now()) / 1000);
        const failure = failureOf(error, { phase: watch.phase, peer: outgoing.url.host, signal: world.signal });
        const message = world.redact(
          hops === 0 ? failure.message : `${failure.message} (redirected to ${shown(outgoing.url)})`,
        );
        return { failure: { ...failure, message }, phases: watch.times(), certificateExpiry: soonest() };
      }
    }
  },

  assess(settings, { failure, answer, phases, certificateExpiry }) {
    const measurements: Assessment["measurements"][number][] = Object.entries(phases).map(([phase, value]) => ({
      metric: "http_phase_time",
      value,
      labels: { phase },
    }));
    if (certificateExpiry !== undefined)
      measurements.push({ metric: "tls_certificate_expiry", value: certificateExpiry });
    if (!answer) return { ...(failure ? { failure } : {}), measurements };
    measurements.push(
      { metric: "http_response_time", value: answer.seconds },
      { metric: "http_status", value: answer.status },
      { metric: "http_body_size", value: answer.bytes },
    );
    const json = settings.extract.length > 0 || settings.expect.json ? parseJson(answer.body) : undefined;
    const extracted = settings.extract.map((extraction) => extract(extraction, json));
    measurements.push(...extracted.flatMap(({ samples }) => samples));
    const missing = extracted.find(({ problem }) => problem !== undefined)?.problem;
    const reason =
      failure ??
      unmet(settings.expect, answer, json) ??
      (answer.truncated ? bodyFailure(`the body is longer than max_body, ${settings.max_body} bytes`) : undefined) ??
      (missing === undefined ? undefined : bodyFailure(missing));
    return { ...(reason ? { failure: reason } : {}), measurements };
  },
};

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

async function firstRequest(settings: HttpSettings, world: ProbeWorld): Promise<Outgoing> {
  const headers: Record<string, string> = { "user-agent": "Pathkeeper", accept: "*/*", "accept-encoding": "gzip, br" };
  for (const [name, value] of Object.entries(settings.headers)) headers[name] = await world.resolve(value);
  const body = settings.body === undefined ? undefined : await world.resolve(settings.body);
  if (settings.json !== undefined) headers["content-type"] ??= "application/json";
  return {
    url: new URL(settings.url),
    method: settings.method,
    headers,
    confidential: [
      "authorization",
      "cookie",
      ...Object.keys(settings.headers).filter((name) => typeof settings.headers[name] !== "string"),
    ],
    body: settings.json === undefined ? body : JSON.stringify(settings.json),
  };
}

async function visit(
  { url, method, headers, body }: Outgoing,
  settings: HttpSettings,
  ca: string | undefined,
  world: ProbeWorld,
  watch: Stopwatch,
): Promise<{ answer: Answer; expiresAt?: number | undefined }> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const encrypted = url.protocol === "https:";
  const port = Number(url.port || (encrypted ? 443 : 80));
  const family = settings.ip_version === "any" ? {} : { family: settings.ip_version };
  const raw = await dial({ host, port, ...family }, world, watch);
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const question = {
    method,
    path: url.pathname + url.search,
    headers: { host: url.host, ...headers, ...length },
    body,
    maxBody: settings.max_body,
  };
  if (!encrypted) return { answer: await exchange(raw, question, watch) };
  const verify = settings.tls.insecure ? "nothing" : "full";
  const secured = await secure(raw, { host, ca, verify, protocols: ["http/1.1"] }, watch, world.now());
  if (secured.fault !== undefined) throw new CertificateFault(secured.fault, secured.expiresAt);
  return { answer: await exchange(secured.socket, question, watch), expiresAt: secured.expiresAt };
}

/** The request that a redirect asks for; `undefined` when the answer is none. @throws ProbeFault */
function redirected(from: Outgoing, { status, headers }: Answer): Outgoing | undefined {
  const location = headers.location;
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  const url = URL.parse(location, from.url.href);
  if (!url || !isHttpUrl(url.href))
    throw new ProbeFault("protocol", `redirected to what is no HTTP URL: ${location.slice(0, 100)}`);
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

function answered(answer: Answer, seconds: number, world: ProbeWorld): NonNullable<HttpObservation["answer"]> {
  const headers = Object.entries(answer.headers).map(([name, value]) => [
    name,
    world.redact([value].flat().join(", ")),
  ]);
  return {
    status: answer.status,
    statusText: world.redact(answer.statusText),
    headers: Object.fromEntries(headers),
    body: world.redact(answer.body.toString("utf8")),
    bytes: answer.body.length,
    truncated: answer.truncated,
    seconds,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bodyFailure(message: string): Failure {
  return { kind: "body", phase: "body", message };
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
