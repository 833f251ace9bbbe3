/** Secrets that a target echoes, in any encoding, wherever its protocol allows a text: none of them is in the result. */
import { createServer as createHttp2Server } from "node:http2";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import packets from "dns-packet";
import { describe, expect, it } from "vitest";
import { encodings } from "../../shared/text/encodings.fixtures.ts";
import * as fc from "../../tests/support/chance.ts";
import { issue, probeOnce, tcpServer } from "./fixtures.ts";
import type { AnyProber } from "./prober.ts";
import { dns } from "./probers/dns.ts";
import { grpc } from "./probers/grpc.ts";
import { http } from "./probers/http.ts";
import { journey } from "./probers/journey.ts";
import { postgres } from "./probers/postgres.ts";
import { redis } from "./probers/redis.ts";
import { sse } from "./probers/sse.ts";
import { tcp } from "./probers/tcp.ts";
import { websocket } from "./probers/websocket.ts";
import { accepting } from "./websocket.fixtures.ts";

const root = await issue({ name: "Test Root" });

const token = 'c4n4ry/S3cret+"value"&<é>';
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Secrets of headers, each with an echo by the target. */
const headers: readonly (readonly [secret: string, ...said: string[]])[] = [
  [token, token],
  [`Bearer ${token}`, token, `Bearer ${token}`],
  [`Basic ${base64(`someone:${token}`)}`, token, base64(`someone:${token}`)],
  [`someone:${token}`, token, base64(`someone:${token}`)],
  [`theme=dark; sid=${encodeURIComponent(token)}`, token, encodeURIComponent(token)],
];

/** A target that sends a text in one place of its protocol, and the probe of it. */
interface Place {
  readonly prober: AnyProber;
  readonly settings: (port: number) => Record<string, unknown>;
  readonly serve: (socket: Socket, said: string) => void;
  /** Maximum length of the text, in bytes. @default any length */
  readonly longest?: number;
  /** Whether the text is cut off and continued later, or not at all. */
  readonly isInPieces?: true;
  /** Maximum time for the probe, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
  /** Whether the secret is a token that the target issued. @default one of the configuration */
  readonly isCaptured?: true;
}

const answering =
  (answer: (said: string) => string) =>
  (socket: Socket, said: string): void =>
    void socket.once("data", () => socket.end(answer(said)));

const authorization = { authorization: { secret: "told" } };

function httpPlace(answer: (said: string) => string, settings: Record<string, unknown> = {}): Place {
  return {
    prober: http,
    settings: (port) => ({ url: `http://127.0.0.1:${port}/`, headers: authorization, ...settings }),
    serve: answering(answer),
  };
}

function journeyPlace(answer: (said: string) => string, step: (port: number) => Record<string, unknown>): Place {
  return {
    prober: journey,
    settings: (port) => ({
      steps: [
        { name: "log in", http: { url: `http://127.0.0.1:${port}/login` }, capture: { token: "$.token" } },
        { name: "next", ...step(port) },
      ],
    }),
    isCaptured: true,
    serve: (socket, said) =>
      socket.once("data", (data) =>
        socket.end(
          String(data).includes("/login") ? `HTTP/1.1 200 OK\r\n\r\n${JSON.stringify({ token })}` : answer(said),
        ),
      ),
  };
}

const socketSettings = (port: number): Record<string, unknown> => ({
  url: `ws://127.0.0.1:${port}/`,
  headers: authorization,
  script: [{ expect: [{ contains: "never said" }], within: "30ms" }],
});

/** Length of a secret's part in the first piece, in bytes: too short to be recognized alone. */
const cutAfter = 10;

/** Sends something in two pieces, or only the first of them. */
function inPieces(socket: Socket, before: string, said: string, goesOn: boolean): void {
  const bytes = Buffer.from(said);
  const middle = Math.min(cutAfter, bytes.length);
  socket.write(Buffer.concat([Buffer.from(before), bytes.subarray(0, middle)]), () => {
    if (goesOn) setImmediate(() => setImmediate(() => socket.end(bytes.subarray(middle))));
  });
}

/** Answers gRPC calls. */
const grpcServing = (
  answer: (said: string) => { readonly type?: string; readonly trailers?: Record<string, string> },
) => {
  let told = "";
  const server = createHttp2Server().on("stream", (stream) => {
    const { type = "application/grpc", trailers = {} } = answer(told);
    stream
      .on("error", () => {})
      .resume()
      .respond({ ":status": 200, "content-type": type }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers)).end();
  });
  return (socket: Socket, said: string): void => {
    told = said;
    server.emit("connection", socket);
  };
};

const grpcSettings = (port: number): Record<string, unknown> => ({
  host: "127.0.0.1",
  port,
  headers: { "x-key": { secret: "told" } },
});

const sseSettings = (port: number): Record<string, unknown> => ({
  url: `http://127.0.0.1:${port}/`,
  headers: authorization,
  script: [{ expect: [{ event: "never" }], fail_on: [{ event: "error" }], within: "30ms" }],
});

const ok = "HTTP/1.1 200 OK\r\n";
const denied = "HTTP/1.1 401 No\r\ncontent-type: text/plain\r\n\r\n";

const places: Readonly<Record<string, Place>> = {
  "http, status line": httpPlace((said) => `HTTP/1.1 401 ${said}\r\n\r\n`),
  "http, body": httpPlace((said) => denied + said),
  "http, end of what is told of a body": httpPlace((said) => `${denied}${"x ".repeat(50)}${said} and more`),
  "http, header": httpPlace((said) => `${ok}x-echo: ${said}\r\n\r\n`, { expect: { headers: { "x-echo": "other" } } }),
  "http, malformed header": httpPlace((said) => `${ok}${said}\r\n\r\n`),
  "http, beginning of what is no HTTP": httpPlace((said) => `HTTP/1.1 ${said}\r\n\r\n`),
  "http, field of JSON": httpPlace((said) => `${ok}\r\n${JSON.stringify({ a: said })}`, {
    expect: { json: { "$.a": "other" } },
  }),
  "http, JSON that is a text": httpPlace((said) => `${ok}\r\n${JSON.stringify({ a: JSON.stringify({ said }) })}`, {
    expect: { json: { "$.a": "other" } },
  }),
  "http, key of JSON": httpPlace((said) => `${ok}\r\n${JSON.stringify({ p: { [said]: 1 } })}`, {
    extract: [{ metric: "smd_phase_duration", path: "$.p", each: "phase" }],
  }),
  "http, value of JSON": httpPlace((said) => `${ok}\r\n${JSON.stringify({ p: { [said]: said } })}`, {
    extract: [{ metric: "smd_phase_duration", path: "$.p", each: "phase" }],
  }),
  "http, redirect": httpPlace((said) => `HTTP/1.1 302 Found\r\nlocation: /${encodeURIComponent(said)}\r\n\r\n`),
  "http, redirect elsewhere": httpPlace((said) => `HTTP/1.1 302 Found\r\nlocation: mailto:${said}\r\n\r\n`),
  "http, body that does not match": httpPlace((said) => `${ok}\r\n${said}`, { expect: { body_matches: "^other$" } }),
  "journey, body": journeyPlace(
    (said) => denied + said,
    (port) => ({ http: { url: `http://127.0.0.1:${port}/` } }),
  ),
  "journey, refused upgrade": journeyPlace(
    (said) => denied + said,
    (port) => ({ websocket: { url: `ws://127.0.0.1:${port}/` } }),
  ),
  "journey, captured value": journeyPlace(
    (said) => `${ok}\r\n${JSON.stringify({ value: said })}`,
    (port) => ({ http: { url: `http://127.0.0.1:${port}/`, expect: { json: { "$.value": 1 } } } }),
  ),
  "websocket, status line": {
    prober: websocket,
    settings: socketSettings,
    serve: answering((said) => `HTTP/1.1 401 ${said}\r\n\r\n`),
  },
  "websocket, body": { prober: websocket, settings: socketSettings, serve: answering((said) => denied + said) },
  "websocket, beginning of what is no HTTP": {
    prober: websocket,
    settings: socketSettings,
    serve: answering((said) => `SSH-2 ${said}\r\n`),
  },
  "postgres, beginning of what is no PostgreSQL": {
    prober: postgres,
    settings: (port) => ({
      connection: { host: "127.0.0.1", port, user: "someone", password: { secret: "told" } },
    }),
    serve: answering((said) => `220 ${said}\r\n`),
  },
  "websocket, reason of a close": {
    prober: websocket,
    settings: socketSettings,
    serve: (socket, said) =>
      accepting(() => {
        const reason = Buffer.from(said);
        socket.end(Buffer.concat([Buffer.from([0x88, reason.length + 2, 0x10, 0x00]), reason]));
      })(socket),
    longest: 120,
  },
  "websocket, message": {
    prober: websocket,
    settings: socketSettings,
    serve: (socket, said) =>
      accepting(() => {
        const message = Buffer.from(said);
        socket.write(Buffer.concat([Buffer.from([0x81, 126, message.length >> 8, message.length & 0xff]), message]));
      })(socket),
  },
  "websocket, body in pieces": {
    prober: websocket,
    settings: socketSettings,
    serve: (socket, said) => socket.once("data", () => inPieces(socket, denied, said, true)),
    isInPieces: true,
  },
  "websocket, body that does not go on": {
    prober: websocket,
    settings: socketSettings,
    serve: (socket, said) => socket.once("data", () => inPieces(socket, denied, said, false)),
    isInPieces: true,
  },
  "sse, status line": {
    prober: sse,
    settings: sseSettings,
    serve: answering((said) => `HTTP/1.1 401 ${said}\r\n\r\n`),
  },
  "sse, body": { prober: sse, settings: sseSettings, serve: answering((said) => denied + said) },
  "sse, body in pieces": {
    prober: sse,
    settings: sseSettings,
    serve: (socket, said) => socket.once("data", () => inPieces(socket, denied, said, true)),
    isInPieces: true,
  },
  "sse, body that does not go on": {
    prober: sse,
    settings: sseSettings,
    serve: (socket, said) => socket.once("data", () => inPieces(socket, denied, said, false)),
    isInPieces: true,
  },
  "sse, type of what is no stream": {
    prober: sse,
    settings: sseSettings,
    serve: answering((said) => `${ok}content-type: ${said}\r\n\r\n`),
  },
  "sse, event of an error": {
    prober: sse,
    settings: sseSettings,
    serve: answering((said) => `${ok}content-type: text/event-stream\r\n\r\nevent: error\ndata: ${said}\n\n`),
  },
  "sse, event that was not awaited": {
    prober: sse,
    settings: sseSettings,
    serve: (socket, said) =>
      socket.once("data", () => socket.write(`${ok}content-type: text/event-stream\r\n\r\ndata: ${said}\n\n`)),
  },
  "journey, refused stream": journeyPlace(
    (said) => denied + said,
    (port) => ({ stream: { url: `http://127.0.0.1:${port}/` } }),
  ),
  "grpc, message of an error": {
    prober: grpc,
    settings: grpcSettings,
    serve: grpcServing((said) => ({ trailers: { "grpc-status": "16", "grpc-message": encodeURIComponent(said) } })),
    longest: 10_000,
  },
  "grpc, type of what is no gRPC": {
    prober: grpc,
    settings: grpcSettings,
    serve: grpcServing((said) => ({ type: encodeURIComponent(said) })),
    longest: 10_000,
  },
  "dns, record": {
    prober: dns,
    settings: (port) => ({
      name: "shop.example.com",
      expect: { TXT: [{ secret: "told" }, "another"] },
      resolvers: [`127.0.0.1:${port}`],
      transport: "tcp",
    }),
    serve: (socket, said) =>
      socket.once("data", (question) => {
        const { id = 0, questions = [] } = packets.decode(question.subarray(2));
        const bytes = Buffer.from(said);
        const data = Array.from({ length: Math.ceil(bytes.length / 255) }, (_, at) =>
          bytes.subarray(at * 255, (at + 1) * 255),
        );
        const answers = [{ type: "TXT", name: "shop.example.com", data } as const];
        const message = packets.encode({ type: "response", id, questions, answers });
        socket.end(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]));
      }),
  },
  "http, names of a certificate": {
    prober: http,
    settings: (port) => ({ url: `https://127.0.0.1:${port}/`, headers: authorization, tls: { ca: { secret: "ca" } } }),
    serve: (socket, said) => {
      void issue({ name: "told", issuer: root, hosts: [encodeURIComponent(said)] }).then(({ cert, key }) =>
        new TLSSocket(socket, { isServer: true, cert, key }).on("error", () => {}),
      );
    },
    longest: 1_000,
  },
  "tcp, answer that does not go on": {
    prober: tcp,
    settings: (port) => ({ host: "127.0.0.1", port, send: { secret: "told" }, expect: "never said" }),
    serve: (socket, said) => socket.once("data", () => inPieces(socket, "", said, false)),
    isInPieces: true,
    timeoutMs: 100,
  },
  "tcp, answer": {
    prober: tcp,
    settings: (port) => ({ host: "127.0.0.1", port, send: { secret: "told" }, expect: "never said" }),
    serve: answering((said) => said),
  },
  "redis, error": {
    prober: redis,
    settings: (port) => ({ host: "127.0.0.1", port, password: { secret: "told" } }),
    serve: answering((said) => `-ERR ${said}\r\n`),
  },
  "redis, answer": {
    prober: redis,
    settings: (port) => ({ host: "127.0.0.1", port, password: { secret: "told" } }),
    serve: (socket, said) =>
      socket.once("data", () => socket.write("+OK\r\n") && socket.once("data", () => socket.end(`+${said}\r\n`))),
  },
  "postgres, error": {
    prober: postgres,
    settings: (port) => ({
      connection: { host: "127.0.0.1", port, user: "someone", password: { secret: "told" } },
      tls: "disable",
    }),
    serve: (socket, said) =>
      socket.once("data", () => {
        const fields = Buffer.from(`SFATAL\0VFATAL\0C28P01\0M${said}\0\0`);
        const length = Buffer.alloc(4);
        length.writeInt32BE(fields.length + 4);
        socket.end(Buffer.concat([Buffer.from("E"), length, fields]));
      }),
  },
};

const forms = fc.array(fc.constantFrom(...Object.entries(encodings)), { maxLength: 2 });
const configured = fc
  .constantFrom(...headers)
  .chain(([secret, ...said]) => fc.record({ secret: fc.constant(secret), text: fc.constantFrom(...said), forms }));
const captured = fc.record({ secret: fc.constant("not used"), text: fc.constant(token), forms });

/** Declares tests that no secret is in the result, whatever place of its protocol a target sends it in: so many texts for each place. */
export function revealsNoSecret(texts: number): void {
  describe.each(Object.entries(places))("%s", (_where, place) => {
    const { prober, settings, serve, longest = 60_000, isInPieces, timeoutMs = 5_000, isCaptured } = place;
    it("reveals no secret that is sent there", async () => {
      let said = "";
      const port = await tcpServer((socket) => serve(socket, said));
      await fc.assert(
        fc.asyncProperty(isCaptured ? captured : configured, async ({ secret, text, forms }) => {
          // Such a short piece in another encoding reveals nothing about the secret.
          fc.pre(isInPieces !== true || (forms.length === 0 && text === token));
          said = forms.reduce((inner, [, encode]) => encode(inner), text);
          fc.pre(Buffer.byteLength(said) <= longest);
          const result = await probeOnce(prober, settings(port), {
            secrets: { told: secret, ca: root.cert },
            timeoutMs,
          });
          const kept = JSON.stringify(result);
          const beginning = said.slice(0, isInPieces ? cutAfter - 2 : 16);
          for (const part of [beginning, encodeURI(beginning)])
            expect(kept).not.toContain(JSON.stringify(part).slice(1, -1));
          expect(kept).toContain("***");
        }),
        { numRuns: texts },
      );
    });
  });
}

/** Declares a test that what is not secret stays readable. */
export function namesTheUser(): void {
  it("names the user whose login failed", async () => {
    const port = await tcpServer((socket) =>
      answering((said) => denied + said)(socket, `no user someone with ${token}`),
    );
    const [, , [secret] = [""]] = headers;
    const settings = { url: `http://127.0.0.1:${port}/`, headers: authorization };
    const { failure } = await probeOnce(http, settings, { secrets: { told: secret } });
    expect(failure?.message).toBe("401 No: no user someone with ***");
  });
}
