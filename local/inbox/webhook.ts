/** The webhook inbox: an HTTP server that verifies signatures and keeps what it is sent as lines of JSON. */
import { once } from "node:events";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { appendWhole } from "../data/log-file.ts";
import { guardRequests } from "../engine/request-guard.ts";
import type { Inbox, InboxOptions, Received } from "./inbox.ts";

/** Options of the webhook inbox. */
export interface WebhookInboxOptions extends InboxOptions {
  /** The signing key that it shares with the sender: `whsec_` and base64. */
  readonly key: string;
}

/** One kept line. */
interface Kept extends Received {
  readonly body: unknown;
}

const largestBody = 256 * 1024;

/**
 * Starts the inbox at `http://127.0.0.1:<port>/<channel>`. It answers 200 to what it has kept, also when it comes again; 401 to a
 * signature that does not verify, and 400 or 413 to what is no notice.
 * @see https://www.standardwebhooks.com
 */
export async function startWebhookInbox({ directory, port = 0, key, onReceive }: WebhookInboxOptions): Promise<Inbox> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, "webhooks.ndjson");
  const kept = await readKept(file);
  const ids = new Set(kept.map(({ id }) => id));
  const webhook = new Webhook(key);
  let repeated = 0;

  const accept = async (request: IncomingMessage): Promise<readonly [status: number, answer: string]> => {
    if (request.method !== "POST") return [405, "send notifications with POST"];
    const text = await readBody(request);
    if (text === undefined) return [413, `a notification can have at most ${largestBody} bytes`];
    let body: unknown;
    try {
      body = webhook.verify(text, request.headers as Record<string, string>);
    } catch (error) {
      return error instanceof SyntaxError ? [400, "the body is not JSON"] : [401, (error as Error).message];
    }
    const id = String(request.headers["webhook-id"]);
    if (ids.has(id)) {
      repeated += 1;
      return [200, "known"];
    }
    const received: Received = { at: Date.now(), channel: channelOf(request), ...noticeOf(body), id };
    ids.add(id);
    try {
      await appendWhole(file, `${JSON.stringify({ ...received, body } satisfies Kept)}\n`);
    } catch (error) {
      ids.delete(id);
      throw error;
    }
    kept.push(received);
    onReceive?.(received);
    return [200, "kept"];
  };

  const server = createServer((request, response) => {
    accept(request).then(
      ([status, answer]) => response.writeHead(status, { "content-type": "text/plain" }).end(`${answer}\n`),
      (error: Error) => response.writeHead(500).end(`${error.message}\n`),
    );
  });
  // Without a token: the signature authenticates the sender.
  guardRequests(server).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received: () => kept,
    repeated: () => repeated,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** A line that a crash cut short was never answered with 200, so the sender sends it again. */
async function readKept(file: string): Promise<Received[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  if (text !== "" && !text.endsWith("\n")) await appendFile(file, "\n");
  return text.split("\n").flatMap((line) => {
    try {
      const { at, channel, incident, event, id } = JSON.parse(line) as Kept;
      return [{ at, channel, incident, event, id }];
    } catch {
      return [];
    }
  });
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > largestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function channelOf(request: IncomingMessage): string {
  return request.url?.split("?", 1)[0]?.slice(1) || "webhook";
}

/** Returns the event of a notification, from its `data`. */
function noticeOf(body: unknown): { incident: string; event: string } {
  const { incident = "", event = "" } = Object(Object(body).data) as { incident?: unknown; event?: unknown };
  return { incident: String(incident), event: String(event) };
}
