/** The broker's door for publishers: Pub/Sub's own REST call, so that whatever can publish to the cloud can publish here. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { z } from "zod";
import { isJson } from "../../../shared/messages/push.ts";
import { type OutgoingMessage, PublishError, type Publisher } from "../../../shared/ports.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";

/**
 * Answers `POST /v1/projects/PROJECT/topics/TOPIC:publish` with the ids of the messages once `publisher` has accepted them. The data of a
 * message is base64 of JSON. A refusal is `{ error: { code, status, message } }`: 4xx where no repeat helps, 503 where it may.
 * @see https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish
 */
export function createPublishServer(publisher: Pick<Publisher, "publish">): Server {
  return createServer((request, response) => {
    handle(publisher, request).then(
      (messageIds) => answer(response, 200, { messageIds }),
      (error) => {
        const { code, status, message } = refusalOf(error);
        request.resume();
        answer(response, code, { error: { code, status, message } });
      },
    );
  });
}

/** Room for a message of 10 MB in base64, and its attributes. */
const maxBodyBytes = 16 * 2 ** 20;

const route = /^\/v1\/projects\/[^/]+\/topics\/([^/:?]+):publish(?:\?|$)/;

const bodySchema = z.object({
  messages: z.array(
    z.object({ data: z.string().min(1), attributes: namedRecord(z.string(), z.string()).default({}) }),
    "an array of messages is required",
  ),
});

class Refusal extends Error {
  readonly code: number;
  readonly status: string;

  constructor(code: number, status: string, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

async function handle(publisher: Pick<Publisher, "publish">, request: IncomingMessage): Promise<string[]> {
  const topic = topicOf(request.url);
  if (request.method !== "POST" || topic === undefined) {
    throw new Refusal(404, "NOT_FOUND", "only POST /v1/projects/PROJECT/topics/TOPIC:publish is supported");
  }
  if (!isJson(request.headers["content-type"])) {
    throw new Refusal(415, "INVALID_ARGUMENT", "the content-type must be application/json");
  }
  return publisher.publish(topic, decode(await read(request)));
}

function topicOf(url = ""): string | undefined {
  try {
    return decodeURIComponent(route.exec(url)?.[1] ?? "") || undefined;
  } catch {
    return undefined;
  }
}

/** The whole body. What is over the limit is still taken off the wire, because a client reads the answer only when it has sent everything. */
function read(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("error", reject);
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else
        reject(
          new Refusal(
            413,
            "INVALID_ARGUMENT",
            `a request can have at most ${maxBodyBytes} bytes: send fewer messages per request`,
          ),
        );
    });
  });
}

function decode(body: string): OutgoingMessage[] {
  const parsed = bodySchema.safeParse(parseJson(body, "the body"));
  if (!parsed.success) {
    const problems = parsed.error.issues
      .slice(0, 5)
      .map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`);
    throw new Refusal(400, "INVALID_ARGUMENT", `not a publish request: ${problems.join("; ")}`);
  }
  return parsed.data.messages.map(({ data, attributes }, index) => ({
    data: parseJson(Buffer.from(data, "base64").toString("utf8"), `the data of message ${index + 1}`),
    attributes,
  }));
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, "INVALID_ARGUMENT", `${what} is not JSON`);
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof PublishError && !error.retryable) return new Refusal(400, "INVALID_ARGUMENT", message);
  return new Refusal(503, "UNAVAILABLE", message);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
