/** WebSocket servers for tests, decent ones and others. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { listening } from "./fixtures.ts";

/** What a server does with a client. */
export type Talk = (socket: WebSocket, request: IncomingMessage) => void;

/** A server that talks with each client as it is told. @returns the port */
export function serveWebSocket(talk: Talk, server: Server | TlsServer = createServer()): Promise<number> {
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    socket.on("error", () => {});
    talk(socket, request);
  });
  return listening(server);
}

/** Says messages: a text as it is, anything else as JSON. */
export function say(socket: WebSocket, ...messages: readonly unknown[]): void {
  for (const message of messages) socket.send(typeof message === "string" ? message : JSON.stringify(message));
}

/** Accepts the upgrade on a bare socket, for what no decent server sends. */
export function accepting(then: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", (request) => {
      const key = /sec-websocket-key: (\S+)/i.exec(request.toString())?.[1];
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
      );
      then(socket);
    });
  };
}

/** A frame of text of less than 126 bytes, final and unmasked, as servers send it. */
export function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)]);
}
