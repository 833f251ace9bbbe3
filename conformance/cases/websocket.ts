/** Upgrades, frames and closes of WebSockets. */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import type { Case, Check, Verdict } from "../case.ts";
import { goodLeaf, root } from "../stand.ts";
import { talking } from "../support/talk.ts";

type More = Omit<Extract<Check, { protocol: "websocket" }>, "protocol" | "url">;

const at = (port: number, more: More = {}): Check => ({
  protocol: "websocket",
  url: `ws://127.0.0.1:${port}/`,
  ...more,
});

/** Accepts the upgrade, with additional or different headers, and then does this. */
const accepting =
  (then: (socket: Socket) => void, headers: (key: string) => string = accepts) =>
  (socket: Socket): void =>
    void socket.once("data", (request) => {
      const key = /sec-websocket-key: (\S+)/i.exec(request.toString())?.[1] ?? "";
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers(key)}\r\n\r\n`);
      then(socket);
    });

const accepts = (key: string): string =>
  `connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")}`;

const frame = (opcode: number, payload: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from([0x80 | opcode, Buffer.byteLength(payload)]), Buffer.from(payload as string)]);

const text = (payload: string): Buffer => frame(1, payload);

const close = (code: number, reason = ""): Buffer =>
  frame(8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));

const talks = talking(at);

const refuses = (name: string, answer: string, verdict: Verdict): Case =>
  talks(name, (socket) => socket.once("data", () => socket.end(answer)), verdict);

const wrongFrame = (name: string, bytes: Buffer, says: RegExp): Case =>
  talks(
    name,
    accepting((socket) => socket.write(bytes)),
    { kind: "protocol", phase: "expect-1", says },
    { expects: "ready" },
  );

/** A server that closes with a code, with and without a script, and with TCP closed or left open. */
const closes = (code: number, kind: Extract<Verdict, object>["kind"], reason: string, says: RegExp): readonly Case[] =>
  (
    [
      ["", "", true],
      [" and leaves TCP open", "", false],
    ] as const
  ).flatMap(([how, , ends]) => {
    const talk = accepting((socket) => (ends ? socket.end(close(code, reason)) : socket.write(close(code, reason))));
    const verdict = { kind, code: String(code), says };
    return [
      talks(`accepts, and closes with ${code}${how}`, talk, { ...verdict, phase: "upgrade" }),
      talks(
        `closes with ${code} in place of a message${how}`,
        talk,
        { ...verdict, kind, phase: "expect-1" },
        { expects: "ready" },
      ),
    ];
  });

/** The cases. */
export const websocketCases: readonly Case[] = [
  talks(
    "accepts and answers pings",
    accepting((socket) => socket.on("data", () => socket.write(frame(10, "")))),
    "up",
  ),
  talks(
    "accepts and keeps still",
    accepting(() => {}),
    "up",
  ),
  talks(
    "says what is expected",
    accepting((socket) => socket.write(text("ready"))),
    "up",
    { expects: "ready" },
  ),
  talks(
    "says what is expected after other things",
    accepting((socket) => socket.write(Buffer.concat([text("noise"), text("ready")]))),
    "up",
    { expects: "ready" },
  ),
  talks(
    "says what is expected in pieces",
    accepting((socket) =>
      socket.write(Buffer.concat([Buffer.from([1, 2]), Buffer.from("re"), Buffer.from([0x80, 3]), Buffer.from("ady")])),
    ),
    "up",
    { expects: "ready" },
  ),
  talks(
    "says what is expected and closes with 1000",
    accepting((socket) => socket.end(Buffer.concat([text("ready"), close(1000)]))),
    "up",
    { expects: "ready" },
  ),
  talks(
    "closes with 1000 when it was accepted",
    accepting((socket) => socket.end(close(1000))),
    "up",
  ),
  ...closes(1001, "unavailable", "", /closed the connection with 1001 \(going away\)/),
  ...closes(1008, "sequence", "not you", /closed the connection with 1008 \(policy violation\): not you/),
  ...closes(
    1011,
    "unavailable",
    "the database is down",
    /closed the connection with 1011 \(internal error\): the database is down/,
  ),
  ...closes(1012, "unavailable", "", /closed the connection with 1012 \(service restart\)/),
  ...closes(1013, "unavailable", "", /closed the connection with 1013 \(try again later\)/),
  ...closes(4401, "auth", "token expired", /closed the connection with 4401 \(not logged in\): token expired/),
  ...closes(4403, "auth", "", /closed the connection with 4403 \(forbidden\)/),
  ...closes(3000, "auth", "no token", /closed the connection with 3000 \(unauthorized\): no token/),
  ...closes(3003, "auth", "", /closed the connection with 3003 \(forbidden\)/),
  ...closes(4000, "sequence", "own reasons", /closed the connection with 4000: own reasons/),
  talks(
    "accepts and is cut off",
    accepting((socket) => socket.end()),
    { kind: "reset", phase: "upgrade", code: "1006", says: /closed the connection with 1006 \(abnormal closure\)/ },
  ),
  talks(
    "accepts and resets",
    accepting((socket) => socket.resetAndDestroy()),
    { kind: "reset", phase: "upgrade", says: /closed the connection/ },
  ),
  talks(
    "is cut off in place of a message",
    accepting((socket) => socket.end()),
    {
      kind: "reset",
      phase: "expect-1",
      code: "1006",
      says: /1006 \(abnormal closure\); no message with "ready" arrived/,
    },
    { expects: "ready" },
  ),
  talks(
    "says something else",
    accepting((socket) => socket.write(text("busy"))),
    {
      kind: ["sequence", "timeout"],
      phase: "expect-1",
      says: /no message with "ready" arrived; 1 other arrived, the last: busy/,
    },
    { expects: "ready" },
    400,
  ),
  talks(
    "sends nothing",
    accepting(() => {}),
    { kind: ["sequence", "timeout"], phase: "expect-1", says: /no message with "ready" arrived/ },
    { expects: "ready" },
    400,
  ),
  refuses(
    "refuses the upgrade with 401",
    "HTTP/1.1 401 Unauthorized\r\ncontent-type: text/plain\r\ncontent-length: 7\r\n\r\nwho are",
    { kind: "auth", phase: "upgrade", status: 401, says: /the upgrade was answered with 401 Unauthorized: who are/ },
  ),
  refuses("refuses the upgrade with 403", "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", {
    kind: "auth",
    phase: "upgrade",
    status: 403,
    says: /403 Forbidden/,
  }),
  refuses("refuses the upgrade with 404", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", {
    kind: "http_status",
    phase: "upgrade",
    status: 404,
    says: /404 Not Found/,
  }),
  refuses("refuses the upgrade with 426", "HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n", {
    kind: "http_status",
    phase: "upgrade",
    status: 426,
    says: /426 Upgrade Required/,
  }),
  refuses("refuses the upgrade with 503", "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", {
    kind: "http_status",
    phase: "upgrade",
    status: 503,
    says: /503 Service Unavailable/,
  }),
  refuses("answers the upgrade with 200", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", {
    kind: "http_status",
    phase: "upgrade",
    status: 200,
    says: /the upgrade was answered with 200 OK/,
  }),
  refuses("redirects the upgrade", "HTTP/1.1 301 Moved Permanently\r\nlocation: /ws/\r\ncontent-length: 0\r\n\r\n", {
    kind: "http_status",
    phase: "upgrade",
    status: 301,
    says: /301 Moved Permanently/,
  }),
  refuses("closes at the upgrade", "", {
    kind: "reset",
    phase: "upgrade",
    says: /closed the connection while waiting for the WebSocket upgrade from 127\.0\.0\.1:\d+/,
  }),
  refuses("speaks SSH in place of the upgrade", "SSH-2.0-OpenSSH_9.9\r\n", {
    kind: "protocol",
    phase: "upgrade",
    says: /does not speak HTTP: its response begins with "SSH-2\.0/,
  }),
  refuses("answers the upgrade with an alert of TLS", "\x15\x03\x01\x00\x02\x02\x46", {
    kind: "protocol",
    phase: "upgrade",
    says: /speaks TLS.*wss:\/\//,
  }),
  talks(
    "accepts with a wrong key",
    accepting(
      () => {},
      () => "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: wrong",
    ),
    { kind: "protocol", phase: "upgrade", says: /answered the upgrade with a wrong key/ },
  ),
  talks(
    "accepts without a key",
    accepting(
      () => {},
      () => "connection: Upgrade\r\nupgrade: websocket",
    ),
    { kind: "protocol", phase: "upgrade", says: /answered the upgrade with a wrong key/ },
  ),
  talks(
    "upgrades to something else",
    accepting(
      () => {},
      () => "connection: Upgrade\r\nupgrade: h2c",
    ),
    { kind: "protocol", phase: "upgrade", says: /without `upgrade: websocket`/ },
  ),
  talks(
    "chooses a subprotocol that was not offered",
    accepting(
      () => {},
      (key) => `${accepts(key)}\r\nsec-websocket-protocol: other`,
    ),
    { kind: "protocol", phase: "upgrade", says: /subprotocol that was not offered/ },
  ),
  talks(
    "chooses no subprotocol",
    accepting(() => {}),
    { kind: "protocol", phase: "upgrade", says: /chose none of the subprotocols that were offered/ },
    { subprotocol: "chat" },
  ),
  talks(
    "chooses an extension that was not offered",
    accepting(
      () => {},
      (key) => `${accepts(key)}\r\nsec-websocket-extensions: permessage-deflate`,
    ),
    { kind: "protocol", phase: "upgrade", says: /extension that was not offered/ },
  ),
  talks(
    "does not answer the upgrade",
    () => {},
    {
      kind: "timeout",
      phase: "upgrade",
      says: /timed out while waiting for the WebSocket upgrade from 127\.0\.0\.1:\d+/,
    },
    {},
    300,
  ),
  wrongFrame("sends a masked frame", Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5]), /masked frame/),
  wrongFrame("sends reserved bits", Buffer.from([0xf1, 0x00]), /reserved bits/),
  wrongFrame("sends an unknown type of frame", Buffer.from([0x83, 0x00]), /unknown or misplaced type/),
  wrongFrame("continues what it did not begin", Buffer.from([0x80, 0x00]), /unknown or misplaced type/),
  wrongFrame("sends a ping in pieces", Buffer.from([0x09, 0x00]), /fragmented control frame/),
  wrongFrame("sends a text that is not UTF-8", Buffer.from([0x81, 2, 0xc3, 0x28]), /text that is not UTF-8/),
  wrongFrame(
    "announces a message of gigabytes",
    Buffer.from([0x82, 127, 0, 0, 0, 9, 0, 0, 0, 0]),
    /longer than max_message/,
  ),
  wrongFrame("closes with an invalid code", frame(8, Buffer.from([0x00, 0x05])), /closed with an invalid code/),
  {
    name: "is not there for WebSockets",
    verdict: { kind: "refused", phase: "connect", says: /127\.0\.0\.1:\d+ refused the connection/ },
    serve: async (stand) => at(await stand.closedPort()),
  },
  {
    name: "speaks TLS where it is asked for a plain WebSocket",
    verdict: { kind: "protocol", phase: "upgrade", says: /speaks TLS.*wss:\/\// },
    serve: async (stand) => {
      const { cert, key } = await goodLeaf();
      return at(
        await stand.tls(
          { cert, key },
          accepting(() => {}),
        ),
      );
    },
  },
  {
    name: "speaks plain text where it is asked for a WebSocket over TLS",
    verdict: { kind: "tls", phase: "tls", says: /localhost:\d+ \(127\.0\.0\.1\) does not speak TLS/ },
    serve: async (stand) => ({
      protocol: "websocket",
      url: `wss://localhost:${await stand.says("HTTP/1.1 400 Bad Request\r\n\r\n")}/`,
      ca: (await root()).cert,
    }),
  },
  {
    name: "accepts a WebSocket over TLS",
    verdict: "up",
    serve: async (stand) => {
      const { cert, key } = await goodLeaf();
      const port = await stand.tls(
        { cert, key },
        accepting((socket) => socket.write(text("ready"))),
      );
      return { protocol: "websocket", url: `wss://localhost:${port}/`, expects: "ready", ca: (await root()).cert };
    },
  },
];
