/** Serves answers over HTTP: as a separate function in the cloud, or as part of a server on one machine. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpFunction } from "@google-cloud/functions-framework";
import { outbound } from "../../../shared/net/outbound.ts";
import { forRequest } from "../../../shared/runtime/logger.ts";
import { type AnswerResponse, type AnswerWorld, answerHandler } from "./handler.ts";
import type { AnswerRequest } from "./incoming.ts";

/** Maximum size of a request body, in bytes. Slack sends the whole message with each button press. */
const longestBody = 256 * 1024;

/** Timeout for replying to a service, in milliseconds. Slack waits at most three seconds. */
const replyMs = 2_000;

/** Dependencies of the answer handler, except for sending replies. */
export type AnswerPorts = Omit<AnswerWorld, "reply">;

/** Creates the HTTP function. */
export function answerFunction(ports: AnswerPorts): HttpFunction {
  const handle = answerHandler({ ...ports, reply: postReply });
  return (request, response) =>
    forRequest(request.get("x-cloud-trace-context"), async () => {
      const body = request.rawBody ?? Buffer.alloc(0);
      const answer = body.length > longestBody ? tooLong : await handle(readRequest(request, ports.answersUrl, body));
      write(response, answer);
    });
}

/** Creates a listener for a Node server. It handles requests below the path of the base URL for answers. */
export function answerListener(ports: AnswerPorts): {
  takes(request: IncomingMessage): boolean;
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
} {
  const handle = answerHandler({ ...ports, reply: postReply });
  const below = `${new URL(ports.answersUrl).pathname.replace(/\/$/, "")}/`;
  return {
    takes: ({ url = "" }) => url.startsWith(below),
    answer: async (request, response) => {
      const body = await bodyOf(request).catch(() => null);
      // The client has disconnected.
      if (body === null) response.destroy();
      else write(response, body === undefined ? tooLong : await handle(readRequest(request, ports.answersUrl, body)));
    },
  };
}

function readRequest(
  { method = "GET", url = "/", headers }: Pick<IncomingMessage, "method" | "url" | "headers">,
  answersUrl: string,
  body: Uint8Array,
): AnswerRequest {
  const [path = "/"] = url.split("?");
  const below = new URL(answersUrl).pathname.replace(/\/$/, "");
  return {
    method,
    path: path.startsWith(`${below}/`) ? path.slice(below.length) : path,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value?.toString()])),
    body,
  };
}

/** Returns the body; `undefined` if it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooLong: AnswerResponse = {
  status: 413,
  headers: { "content-type": "text/plain; charset=utf-8", connection: "close" },
  body: "the request is too long\n",
};

function write(response: ServerResponse, { status, headers, body }: AnswerResponse): void {
  response.writeHead(status, { ...headers }).end(body);
}

async function postReply(url: string, body: object): Promise<void> {
  await outbound({
    method: "POST",
    url: new URL(url),
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    allowPrivate: false,
    signal: AbortSignal.timeout(replyMs),
    secrets: [url],
  });
}
