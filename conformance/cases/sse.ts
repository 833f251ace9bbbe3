/** Streams of server-sent events. */
import type { Socket } from "node:net";
import type { Case, Check, Verdict } from "../case.ts";
import { certificate, goodLeaf, root } from "../stand.ts";
import { talking } from "../support/talk.ts";

type More = Partial<Omit<Extract<Check, { protocol: "sse" }>, "protocol">>;

const at = (port: number, more: More = {}): Check => ({
  protocol: "sse",
  url: `http://127.0.0.1:${port}/`,
  event: "done",
  ...more,
});

const talks = talking(at);
const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

/** A server that sends these pieces in sequence, and leaves the stream open. */
const sends =
  (...pieces: readonly (string | Buffer)[]) =>
  (socket: Socket): void =>
    void socket.once("data", () => {
      const [first = "", ...rest] = pieces;
      socket.write(first);
      for (const [position, piece] of rest.entries()) setTimeout(() => socket.write(piece), 10 * (position + 1));
    });

const says =
  (text: string) =>
  (socket: Socket): void =>
    void socket.once("data", () => socket.end(text));

const streams = (does: string, events: string | Buffer, verdict: Verdict = "up", more?: More): Case =>
  talks(does, sends(Buffer.concat([Buffer.from(streamHead), Buffer.from(events as string)])), verdict, more);

const sequence = (message: RegExp, phase = "expect-1"): Verdict => ({ kind: "sequence", phase, says: message });

const refuses = (status: number, text: string, kind: "auth" | "http_status", body = ""): Case =>
  talks(
    `answers the request for a stream with ${status}`,
    says(`HTTP/1.1 ${status} ${text}\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
    {
      kind,
      phase: "response",
      status,
      says: new RegExp(`the stream was answered with ${status} ${text}${body === "" ? "" : `: ${body}`}`),
    },
  );

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const chunked = streamHead.replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n");

/** The cases. */
export const sseCases: readonly Case[] = [
  streams("sends the event", "event: done\ndata: x\n\n"),
  streams("sends the event behind others", "event: token\ndata: a\n\ndata: b\n\nevent: done\ndata: x\n\n"),
  streams("begins its stream with a byte order mark", "\ufeffevent: done\ndata: x\n\n"),
  streams("ends its lines in carriage returns and line feeds", "event: done\r\ndata: x\r\n\r\n"),
  streams("ends its lines in carriage returns", "event: done\rdata: x\r\r"),
  streams("sends comments to keep the stream open", ": still here\n\n: still here\n\nevent: done\ndata: x\n\n"),
  streams("leaves out the space behind a colon", "event:done\ndata:x\n\n"),
  streams("sends data in several lines", "event: done\ndata: a\ndata: b\n\n", "up", { data: "a\nb" }),
  streams("sends fields that there are not", "flavour: x\nevent: done\nretry: soon\ndata: x\n\n"),
  streams("sends data in UTF-8", "event: done\ndata: größer\n\n", "up", { data: "größer" }),
  talks(
    "cuts a character into two pieces",
    (socket) =>
      void socket.once("data", () => {
        const event = Buffer.from("event: done\ndata: é\n\n");
        socket.write(Buffer.concat([Buffer.from(streamHead), event.subarray(0, event.length - 3)]));
        setTimeout(() => socket.write(event.subarray(event.length - 3)), 10);
      }),
    "up",
    { data: "é" },
  ),
  talks("sends the event in pieces", sends(streamHead, "eve", "nt: done\n", "data: x", "\n\n"), "up"),
  talks("sends the event in chunks", sends(chunked, chunk("event: do"), chunk("ne\ndata: x\n\n")), "up"),
  talks(
    "says the character set of its stream",
    sends(`${streamHead.replace("event-stream", "event-stream; charset=utf-8")}event: done\ndata: x\n\n`),
    "up",
  ),
  {
    name: "sends the event over TLS",
    verdict: "up",
    serve: async (stand) => {
      const { cert, key } = await goodLeaf();
      const talk = sends(`${streamHead}event: done\ndata: x\n\n`);
      return at(0, { url: `https://localhost:${await stand.tls({ cert, key }, talk)}/`, ca: (await root()).cert });
    },
  },
  {
    name: "speaks TLS where a stream is asked for in plain text",
    verdict: {
      kind: "protocol",
      phase: "first_byte",
      says: /127\.0\.0\.1:\d+ speaks TLS on this port, but the request was in plain text/,
    },
    serve: async (stand) => at(await stand.tls(await goodLeaf())),
  },
  {
    name: "has an expired certificate for its stream",
    verdict: { kind: "tls", phase: "tls", says: /the certificate of localhost expired on \d{4}-\d\d-\d\d/ },
    serve: async (stand) => {
      const options = { name: "localhost", issuer: await root(), hosts: ["localhost"], from: -30, until: -1 };
      const { cert, key } = await certificate("expired stream", options);
      return at(0, { url: `https://localhost:${await stand.tls({ cert, key })}/`, ca: (await root()).cert });
    },
  },
  refuses(401, "Unauthorized", "auth", "no such token"),
  refuses(403, "Forbidden", "auth"),
  refuses(404, "Not Found", "http_status"),
  refuses(429, "Too Many Requests", "http_status", "slow down"),
  refuses(500, "Internal Server Error", "http_status"),
  refuses(503, "Service Unavailable", "http_status", "overloaded"),
  talks("redirects in place of a stream", says("HTTP/1.1 302 Found\r\nlocation: /login\r\n\r\n"), {
    kind: "http_status",
    phase: "response",
    status: 302,
    says: /the stream was answered with 302 Found/,
  }),
  talks(
    "answers with JSON in place of a stream",
    says('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"error":"no model"}'),
    {
      kind: "protocol",
      phase: "first_byte",
      says: /the response is not an event stream: it came as application\/json: \{"error":"no model"\}/,
    },
  ),
  talks("does not say what it answers with", says("HTTP/1.1 200 OK\r\n\r\ndata: x\n\n"), {
    kind: "protocol",
    phase: "first_byte",
    says: /the response is not an event stream: it came without a content-type/,
  }),
  talks(
    "ends the stream before the event",
    says(`${streamHead}event: token\ndata: a\n\n`),
    sequence(/127\.0\.0\.1:\d+ ended the stream; no message with the event done arrived; 1 other arrived, the last: a/),
  ),
  streams("sends other events only", "event: token\ndata: a\n\ndata: b\n\n", {
    kind: "sequence",
    phase: "expect-1",
    says: /within 300ms no message with the event done arrived; 2 others arrived, the last: b/,
  }),
  streams(
    "sends an event of an error in place of the one that is awaited",
    "event: error\ndata: model overloaded\n\nevent: done\ndata: x\n\n",
    sequence(/a message with the event error arrived: model overloaded/),
    { failOn: "error" },
  ),
  streams(
    "does not end the event",
    "event: done\ndata: x\n",
    sequence(/within 300ms no message with the event done arrived/),
  ),
  streams(
    "sends an event without data",
    "event: done\n\n",
    sequence(/within 300ms no message with the event done arrived/),
  ),
  talks(
    "sends the head of a stream and nothing more",
    sends(streamHead),
    sequence(/no message with the event done arrived/),
  ),
  talks("cuts its stream off in a chunk", says(`${chunked}ff\r\nevent: token\ndata: a\n\n`), {
    kind: "reset",
    phase: "expect-1",
    says: /127\.0\.0\.1:\d+ \(?.*closed the connection while waiting for messages/,
  }),
  talks("speaks SSH in place of a stream", says("SSH-2.0-OpenSSH_9.9\r\n"), {
    kind: "protocol",
    phase: "first_byte",
    says: /does not speak HTTP: its response begins with "SSH-2\.0"/,
  }),
  talks("closes in place of a stream", (socket) => void socket.once("data", () => socket.end()), {
    kind: "reset",
    phase: "first_byte",
    says: /closed the connection while waiting for the first byte/,
  }),
  talks(
    "does not answer the request for a stream",
    () => {},
    { kind: "timeout", phase: "first_byte", says: /timed out while waiting for the first byte from 127\.0\.0\.1:\d+/ },
    {},
    300,
  ),
  {
    name: "is not there for a stream",
    verdict: { kind: "refused", phase: "connect", says: /127\.0\.0\.1:\d+ refused the connection/ },
    serve: async (stand) => at(await stand.closedPort()),
  },
];
