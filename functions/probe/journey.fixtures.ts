/** A small chat for the tests of journeys: a login that returns a token, and a WebSocket that requires it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { listening } from "./fixtures.ts";
import { say } from "./websocket.fixtures.ts";

/** The token that the chat issues. It must not appear in any report. */
export const givenToken = 'tok"en/c4n4ry-S3cret/value';

/** Deviations of a chat server from a healthy one. */
export interface ChatOptions {
  /** Answers a request instead of the chat; `false` leaves it to the chat. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse, body: string) => boolean;
  /** Answers a message instead of the agents. */
  readonly agents?: (socket: WebSocket, message: { readonly text?: string; readonly thread_id?: unknown }) => void;
  /** The status of refused upgrades. */
  readonly refuses?: number;
}

/** A running chat. */
export interface Chat {
  readonly port: number;
  /** Every request as `METHOD PATH`, upgrades included, and every message as `MESSAGE text`, in order. */
  readonly heard: string[];
}

/** Starts a chat that runs until the test is over. */
export async function startChat({ answer, agents = reply, refuses }: ChatOptions = {}): Promise<Chat> {
  const heard: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    heard.push(`${request.method} ${request.url}`);
    if (answer?.(request, response, body)) return;
    if (request.url === "/login") {
      const { password } = JSON.parse(body) as { password?: string };
      if (password !== "c4n4ry-S3cret/value") response.writeHead(401).end();
      else
        response
          .writeHead(200, {
            "content-type": "application/json",
            "set-cookie": "session=s-77; HttpOnly",
            "x-user": "u 1/2",
          })
          .end(JSON.stringify({ token: givenToken, user: { id: 17, roles: ["user"] } }));
    } else response.writeHead(request.headers.authorization === `Bearer ${givenToken}` ? 200 : 403).end("ok");
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    heard.push(`UPGRADE ${request.url}`);
    const status = refuses ?? (request.headers.authorization === `Bearer ${givenToken}` ? 101 : 401);
    if (status !== 101) {
      socket.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on("error", () => {});
      client.on("message", (data) => {
        heard.push(`MESSAGE ${String(data)}`);
        agents(client, JSON.parse(String(data)) as object);
      });
      say(client, { type: "connection_established", thread_id: 41 });
    });
  });
  return { port: await listening(server), heard };
}

function reply(socket: WebSocket, { text, thread_id }: { readonly text?: string; readonly thread_id?: unknown }): void {
  say(socket, { type: "agent_started" }, { type: "agent_thinking" }, { type: "agent_completed" });
  say(socket, { type: "reply", thread_id, text: `You said ${text}` });
}

/** The journey through a chat, as written in the file. */
export function chatJourney(port: number): { variables: object; steps: Record<string, unknown>[]; cleanup: object[] } {
  const http = `http://127.0.0.1:${port}`;
  return {
    variables: { password: { secret: "canary" }, greeting: 'Hi "you"' },
    steps: [
      {
        name: "log in",
        http: { method: "POST", url: `${http}/login`, json: { email: "m@example.com", password: "${password}" } },
        capture: { token: "$.token", user: "$.user", id: "$.user.id", name: { header: "x-user" } },
      },
      {
        name: "open socket",
        websocket: {
          url: `ws://127.0.0.1:${port}/ws/${"${name}"}?u=${"${id}"}`,
          headers: { authorization: "Bearer ${token}" },
        },
      },
      {
        name: "welcome",
        expect: [{ json: { "$.type": "connection_established" } }],
        capture: { thread: "$.thread_id" },
      },
      { name: "send message", send: { thread_id: "${thread}", text: "${greeting}", by: "${user}", as: "no ${id}" } },
      {
        name: "agent events",
        expect: ["agent_started", "agent_completed"].map((type) => ({ json: { "$.type": type } })),
        within: "2s",
      },
      { name: "reply", expect: [{ json: { "$.type": "reply", "$.thread_id": "${thread}" }, contains: "You said" }] },
    ],
    cleanup: [
      {
        name: "delete thread",
        http: {
          method: "DELETE",
          url: `${http}/threads/${"${thread}"}`,
          headers: { authorization: "Bearer ${token}" },
        },
      },
    ],
  };
}
