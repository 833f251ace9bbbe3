/** The demo's WebSockets: `/ws/health` is public, and `/ws` requires a login and has agents that answer messages. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type pg from "pg";
import { type WebSocket, WebSocketServer } from "ws";
import type { DemoFaults } from "../faults.ts";
import { bearerOf, whoIs } from "./accounts.ts";
import { askCache, type CacheAccess } from "./cache.ts";
import { ask, health } from "./database.ts";

/** Dependencies of the chat. */
export interface ChatOptions {
  readonly pool: pg.Pool;
  /** Cache that counts messages. */
  readonly cache: CacheAccess;
  /** Milliseconds between two events of the agents. */
  readonly pauseMs: number;
  readonly faults: () => DemoFaults;
}

/** Serves WebSockets on a server. @returns what ends them all */
export function serveChat(server: Server, options: ChatOptions): () => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 100_000 });
  server.on("upgrade", async (request, socket: Duplex, head) => {
    socket.on("error", () => {});
    const status = await admission(request, options);
    if (socket.destroyed) return;
    if (status !== 101) {
      socket.end(`HTTP/1.1 ${status} ${phrases[status] ?? "Refused"}\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on("error", () => {});
      if (request.url === "/ws/health") say(client, { type: "health", status: "healthy" });
      else if (options.faults().tokens === "refused") client.close(notLoggedIn, "the token is not valid");
      else converse(client, options);
    });
  });
  return () => {
    for (const client of sockets.clients) client.terminate();
  };
}

/** Timeout for counting a message, in milliseconds. */
const longestCountMs = 5_000;

/** Close code by which applications say 401 once a WebSocket is open. */
const notLoggedIn = 4401;

const phrases: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The status of the answer to an upgrade; 101 lets it in. */
async function admission({ url, headers }: IncomingMessage, { pool, faults }: ChatOptions): Promise<number> {
  const { deploy, upgradesRefusedWith } = faults();
  if (deploy === "broken") return 500;
  if (upgradesRefusedWith !== 0) return upgradesRefusedWith;
  if (url === "/ws/health") return (await health(pool)).status === 200 ? 101 : 503;
  if (url !== "/ws") return 404;
  const token = bearerOf(headers.authorization);
  if (token === undefined) return 401;
  return await whoIs(pool, token).then(
    (email) => (email === undefined ? 403 : 101),
    () => 503,
  );
}

/** Greets, and answers each message of the user as an agent does: step by step, and with what the database says. */
function converse(client: WebSocket, { pool, cache, pauseMs, faults }: ChatOptions): void {
  const thread = randomUUID();
  say(client, { type: "connection_established", thread_id: thread });
  client.on("message", async (data) => {
    const message = parsed(String(data));
    if (message?.type !== "user_message") return say(client, { type: "error", message: "unknown type of message" });
    // Nobody waits for a cache.
    askCache(cache, ["INCR", "messages"], longestCountMs).catch(() => {});
    const about = { thread_id: thread, run_id: randomUUID() };
    say(client, { type: "agent_started", ...about });
    if (faults().agents === "silent") return;
    await pause(pauseMs, client);
    say(client, { type: "agent_thinking", ...about });
    try {
      const [row] = await ask(pool, "select count(*)::int as sessions from sessions");
      await pause(pauseMs, client);
      say(client, { type: "agent_completed", ...about });
      const text = `You said "${String(message.text).slice(0, 200)}". ${row?.["sessions"]} sessions are open.`;
      say(client, { type: "reply", ...about, text });
    } catch (error) {
      say(client, { type: "error", ...about, message: `the database: ${(error as Error).message}` });
    }
  });
}

function parsed(text: string): { type?: unknown; text?: unknown } | undefined {
  try {
    return JSON.parse(text) as { type?: unknown; text?: unknown };
  } catch {
    return undefined;
  }
}

/** Work takes time, and none is done for a user who has left. */
function pause(milliseconds: number, client: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    client.once("close", () => clearTimeout(timer));
  });
}

function say(client: WebSocket, message: object): void {
  if (client.readyState === client.OPEN) client.send(JSON.stringify(message));
}
