/** One HTTP request to the internet: to public addresses only unless allowed, no redirects followed, the answer bounded. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { bounded } from "../text/redact.ts";
import { publicLookup, refusePrivateHost } from "./address.ts";
import { lookup } from "./lookup.ts";

/** The request. */
export interface OutboundRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether plain HTTP and non-public addresses are allowed. */
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
  /** Secrets that must not appear in the answer. */
  readonly secrets: Iterable<string>;
  /** Maximum length of the answer, in characters. @default longestAnswer */
  readonly readAnswer?: number;
  /** Called when the connection stands, TLS included: from then on the other side may have the request. @default nothing */
  readonly onConnected?: () => void;
}

/** The response. */
export interface OutboundAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Its beginning. */
  readonly body: string;
}

/** The longest answer that is kept where nothing else is asked, in characters. */
export const longestAnswer = 200;

/** How long to wait for the body after the status is known, in milliseconds. */
const bodyPatienceMs = 2_000;

/**
 * Sends once, on a connection of its own.
 * @throws PrivateAddress, or the error of the connection, or the reason of the signal
 */
export async function outbound(asked: OutboundRequest): Promise<OutboundAnswer> {
  const { method, url, headers, body, allowPrivate, signal, secrets, readAnswer = longestAnswer, onConnected } = asked;
  if (!allowPrivate) refusePrivateHost(url.hostname);
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
      method,
      headers: { "user-agent": "pathkeeper", "content-length": String(Buffer.byteLength(body)), ...headers },
      agent: false,
      signal,
      lookup: allowPrivate ? lookup : publicLookup,
    });
    request.on("error", reject);
    if (onConnected !== undefined)
      request.on("socket", (socket) =>
        socket.once(url.protocol === "https:" ? "secureConnect" : "connect", onConnected),
      );
    request.on("response", (response) => {
      const answered = {
        status: response.statusCode ?? 0,
        headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
      };
      let answer = "";
      // The status is the answer; a body that is endless, slow or torn off must not change it.
      const finish = (): void => {
        resolve({ ...answered, body: bounded(answer, secrets, readAnswer) });
        request.destroy();
      };
      const patience = setTimeout(finish, bodyPatienceMs);
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        answer += chunk;
        if (answer.length > readAnswer * 4) finish();
      });
      response.on("close", () => {
        clearTimeout(patience);
        finish();
      });
      response.on("error", finish);
    });
    request.end(body);
  });
}
