/**
 * Inspects an address: finds its health check, the metrics in its JSON, and whether it accepts WebSockets. Only reads, and requests at most
 * a dozen paths.
 */
import { randomUUID } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { lookup } from "../../../../shared/net/lookup.ts";
import type { Endpoint, Health, Sighting, Socket } from "./endpoint.ts";
import { healthIn, metricsIn } from "./health-json.ts";

/** Paths at which services say how they are, the most usual first. */
const healthPaths = [
  "/health",
  "/healthz",
  "/readyz",
  "/livez",
  "/api/health",
  "/health/ready",
  "/actuator/health",
  "/status",
  "/ping",
];
/** Paths at which they tell more of themselves. */
const figurePaths = ["/health/infrastructure", "/health/details", "/metrics.json"];
/** Paths at which they take WebSockets. */
const socketPaths = ["/ws/health", "/ws", "/websocket", "/socket"];

/** Timeout of one request, in milliseconds. */
const usualTimeoutMs = 5_000;

/** The longest body that is read, in bytes. */
const longestBody = 64 * 1024;

/** Options of the inspection. */
export interface DetectOptions {
  /** Trusted authorities in PEM, in place of those of the system. */
  readonly ca?: string | undefined;
  /** Takes any certificate. @default false */
  readonly insecure?: boolean;
  /** Timeout of one request, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

/** An answer, or why there is none. */
type Answer =
  | { readonly status: number; readonly type: string; readonly body: string }
  | { readonly unreachable: string; readonly untrusted: boolean };

/** Looks at an endpoint. Never throws for what the other side does. */
export async function detect(endpoint: Endpoint, options: DetectOptions = {}): Promise<Sighting> {
  const { origin, path, given, isSocket } = endpoint;
  if (isSocket) {
    const socket = await socketAt(origin, path ?? "/", options);
    return { sockets: socket === undefined ? [] : [socket] };
  }
  const ask = (asked: string): Promise<Answer> => answerOf(`${origin}${asked}`, options);
  const first = await ask(path ?? "/");
  if ("unreachable" in first) {
    const { unreachable, untrusted } = first;
    // Whose certificate it is does not change what it says.
    if (untrusted && !options.insecure)
      return { ...(await detect(endpoint, { ...options, insecure: true })), untrusted: true };
    return { unreachable };
  }
  // A server that answers every path alike says nothing by any of them.
  const nowhere = await ask(`/${randomUUID()}`);
  const tells = (answer: Answer): answer is Exclude<Answer, { unreachable: string }> =>
    !("unreachable" in answer) &&
    (answer.status < 300 || answer.status === 503) &&
    !/html/i.test(answer.type) &&
    !("body" in nowhere && nowhere.status === answer.status && nowhere.body === answer.body);
  const seen = async (paths: readonly string[]): Promise<Health[]> => {
    const answers = await Promise.all(paths.map(async (one) => ({ one, answer: await ask(one) })));
    return answers.flatMap(({ one, answer }) => (tells(answer) ? [healthOf(one, answer)] : []));
  };
  const own = path === undefined ? undefined : healthOf(path, first);
  const health = own !== undefined && (given || own.status !== 404) ? own : (await seen(healthPaths))[0];
  const figures = (await seen(figurePaths)).filter((one) => one.metrics.length > 0 && one.path !== health?.path);
  const wanted = given && path !== undefined ? [path, ...socketPaths] : socketPaths;
  const sockets = await Promise.all(wanted.map((one) => socketAt(origin, one, options)));
  return {
    ...(health === undefined ? {} : { health }),
    figures,
    sockets: sockets.filter((socket) => socket !== undefined),
  };
}

function healthOf(path: string, { status, type, body }: Exclude<Answer, { unreachable: string }>): Health {
  const json = /json/i.test(type) ? parsed(body) : undefined;
  return { path, status, json: healthIn(json), metrics: metricsIn(json) };
}

function answerOf(url: string, options: DetectOptions): Promise<Answer> {
  const { timeoutMs = usualTimeoutMs } = options;
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      resolve({ unreachable: whyNot(error, timeoutMs), untrusted: untrustedCodes.has(error.code ?? "") });
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const outgoing = send(url, { ...optionsOf(options), headers: { accept: "application/json, */*" } }, (answer) => {
      readBody(answer).then(
        (body) => resolve({ status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", body }),
        failed,
      );
    });
    outgoing.on("error", failed).end();
  });
}

/** Tries the handshake of a WebSocket. @returns `undefined` where there is none at this path */
function socketAt(origin: string, path: string, options: DetectOptions): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64"),
    };
    const send = origin.startsWith("https:") ? httpsRequest : httpRequest;
    const outgoing = send(`${origin}${path}`, { ...optionsOf(options), headers });
    outgoing.on("upgrade", (answer, socket) => {
      socket.destroy();
      const isWebSocket = /^websocket$/i.test(answer.headers.upgrade ?? "");
      resolve(isWebSocket ? { path, status: 101 } : undefined);
    });
    outgoing.on("response", (answer) => {
      answer.destroy();
      const { statusCode: status = 0 } = answer;
      resolve(status === 401 || status === 403 ? { path, status } : undefined);
    });
    outgoing.on("error", () => resolve(undefined)).end();
  });
}

function optionsOf({ ca, insecure = false, timeoutMs = usualTimeoutMs }: DetectOptions): RequestOptions {
  return {
    agent: false,
    lookup,
    signal: AbortSignal.timeout(timeoutMs),
    rejectUnauthorized: !insecure,
    ...(ca === undefined ? {} : { ca }),
  };
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > longestBody) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** OpenSSL error codes for a certificate chain with an unknown authority. */
const untrustedCodes: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function whyNot({ code = "", name, message }: NodeJS.ErrnoException, timeoutMs: number): string {
  if (name === "AbortError" || name === "TimeoutError") return `no answer within ${timeoutMs / 1_000} s`;
  if (untrustedCodes.has(code)) return "its certificate was issued by an authority that this machine does not trust";
  if (code === "ECONNREFUSED") return "the connection was refused";
  if (code === "ENOTFOUND") return "the name does not exist";
  return code === "" ? message.slice(0, 100) : code;
}
