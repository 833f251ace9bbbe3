/** WebSocket servers for tests, valid and misbehaving ones. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { listening } from "./fixtures.ts";

/** Handles the connection of a client. */
export type Talk = (socket: WebSocket, request: IncomingMessage) => void;

/** Starts a server that handles each client with `talk`. @returns the port */
export function serveWebSocket(talk: Talk, server: Server | TlsServer = createServer()): Promise<number> {
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    socket.on("error", () => {});
    talk(socket, request);
  });
  return listening(server);
}

/** Sends messages: a text verbatim, anything else as JSON. */
export function say(socket: WebSocket, ...messages: readonly unknown[]): void {
  for (const message of messages) socket.send(typeof message === "string" ? message : JSON.stringify(message));
}

/** Accepts the upgrade on a raw socket, to send frames that no valid server sends. */
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

/** Encodes a text frame of less than 126 bytes, final and unmasked, as servers send it. */
export function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)]);
}

/** Answers the first request with this head, and sends nothing more. */
export function answering(head: string): (socket: Socket) => void {
  return (socket) => socket.once("data", () => socket.write(`HTTP/1.1 ${head}`));
}

/** Ways in which a server can violate the WebSocket protocol. */
export const socketMisbehaviours: Readonly<Record<string, (socket: Socket) => void>> = {
  "refuses with 503 and a body that never ends": answering("503 Busy\r\ncontent-type: text/plain\r\n\r\n"),
  "accepts with a wrong key": answering(
    "101 Yes\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: no\r\n\r\n",
  ),
  "switches to another protocol": answering("101 Yes\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
  "accepts and keeps still": accepting(() => {}),
  "accepts and closes": accepting((socket) => socket.end()),
  "accepts and resets": accepting((socket) => socket.resetAndDestroy()),
  "sends a frame of no meaning": accepting((socket) => socket.write(Buffer.from([0xf7, 0xff, 0x00]))),
  "sends text that is not UTF-8": accepting((socket) => socket.write(Buffer.from([0x81, 2, 0xc3, 0x28]))),
  "sends a masked frame": accepting((socket) => socket.write(Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5]))),
  "announces a message of gigabytes": accepting((socket) =>
    socket.write(Buffer.from([0x82, 127, 0, 0, 0, 9, 0, 0, 0, 0])),
  ),
  "never ends a fragmented message": accepting((socket) => {
    socket.write(Buffer.from([0x01, 0]));
    const more = setInterval(() => socket.write(Buffer.from([0x00, 1, 0x61])), 10);
    socket.once("close", () => clearInterval(more));
  }),
  "never stops talking": accepting((socket) => {
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => frame('{"type":"noise c4n4ry-S3cret/value"}')));
    const pour = (): void => {
      while (socket.writable && socket.write(many));
    };
    socket.on("drain", pour);
    pour();
  }),
  "never stops pinging": accepting((socket) => {
    const many = Buffer.alloc(2_000, Buffer.from([0x89, 0x00]));
    const pour = (): void => {
      while (socket.writable && socket.write(many));
    };
    socket.on("drain", pour);
    pour();
  }),
  "sends one byte of its message at a time": accepting((socket) => {
    const bytes = [...frame("x".repeat(100))].values();
    const drip = setInterval(() => socket.write(Buffer.from([bytes.next().value ?? 0x61])), 20);
    socket.once("close", () => clearInterval(drip));
  }),
};
