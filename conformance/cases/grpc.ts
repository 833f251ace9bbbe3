/** gRPC servers with the standard health service, or without it. */
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { FailureKind } from "../../shared/messages/report.ts";
import type { Case, Check, Verdict } from "../case.ts";
import { certificate, goodLeaf, root, type Stand } from "../stand.ts";

type More = Partial<Omit<Extract<Check, { protocol: "grpc" }>, "protocol" | "host" | "port">>;

const at = (port: number, more: More = {}): Check => ({ protocol: "grpc", host: "127.0.0.1", port, ...more });

type Answering = (stream: ServerHttp2Stream) => void;

/** An HTTP/2 server that gives every call the same response. */
function server(answer: Answering): Http2Server {
  return createServer()
    .on("sessionError", () => {})
    .on("stream", (stream) => {
      stream.on("error", () => {}).resume();
      answer(stream);
    });
}

const answers = (does: string, answer: Answering, verdict: Verdict, more: More = {}, timeoutMs?: number): Case => ({
  name: does,
  verdict,
  serve: async (stand) => at(await stand.listen(server(answer)), more),
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});

/** `HealthCheckResponse { status }` in wire format. */
const reply = (serving: number): Buffer => Buffer.from([0, 0, 0, 0, 2, 8, serving]);

/** A gRPC response: a body, and the status of the call. */
const ends =
  (body: Buffer, trailers: Readonly<Record<string, string>> = { "grpc-status": "0" }): Answering =>
  (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ ...trailers })).end(body);
  };

/** A failing call, reported in headers alone. */
const fails = (status: number, code: string, kind: FailureKind, says: RegExp): Case =>
  answers(
    `ends the call with ${code}`,
    (stream) =>
      stream.respond(
        {
          ":status": 200,
          "content-type": "application/grpc",
          "grpc-status": String(status),
          "grpc-message": "told%20why",
        },
        { endStream: true },
      ),
    { kind, phase: "answer", code, says },
  );

const page = (status: number, kind: FailureKind): Case =>
  answers(
    `answers the call with HTTP ${status}`,
    (stream) => {
      stream.respond({ ":status": status, "content-type": "text/html" });
      stream.end("<h1>no</h1>");
    },
    {
      kind,
      phase: "answer",
      status,
      says: new RegExp(`127\\.0\\.0\\.1:\\d+ answered with HTTP ${status} instead of gRPC`),
    },
  );

const senseless: Verdict = {
  kind: "protocol",
  phase: "answer",
  says: /127\.0\.0\.1:\d+ does not speak gRPC: its response is malformed/,
};

const noHttp2: Verdict = { kind: "protocol", phase: "answer", says: /127\.0\.0\.1:\d+ does not speak HTTP\/2/ };

/** A TLS server that speaks HTTP/2. */
async function overTls(stand: Stand, { cert, key }: { readonly cert: string; readonly key: string }): Promise<Check> {
  const inside = server(ends(reply(1)));
  const port = await stand.tls({ cert, key, ALPNProtocols: ["h2"] }, (socket) => inside.emit("connection", socket));
  return at(port, { tls: true, ca: (await root()).cert });
}

/** The cases. */
export const grpcCases: readonly Case[] = [
  answers("is serving", ends(reply(1)), "up"),
  answers("is serving as the service that is asked for", ends(reply(1)), "up", { service: "shop.v1.Cart" }),
  answers("answers in a later version of the message", ends(Buffer.from([0, 0, 0, 0, 6, 0x12, 2, 65, 66, 8, 1])), "up"),
  {
    name: "is serving over TLS",
    verdict: "up",
    serve: async (stand) => await overTls(stand, await goodLeaf()),
  },
  answers(
    "is not serving",
    ends(reply(2)),
    {
      kind: "unavailable",
      phase: "answer",
      code: "NOT_SERVING",
      says: /shop\.v1\.Cart is not serving at 127\.0\.0\.1:\d+/,
    },
    { service: "shop.v1.Cart" },
  ),
  answers("does not know whether it is serving", ends(reply(0)), {
    kind: "protocol",
    phase: "answer",
    code: "UNKNOWN",
    says: /did not report whether the server is serving/,
  }),
  fails(1, "CANCELLED", "unavailable", /answered that the call failed \(CANCELLED\): told why/),
  fails(3, "INVALID_ARGUMENT", "protocol", /\(INVALID_ARGUMENT\): told why/),
  fails(4, "DEADLINE_EXCEEDED", "timeout", /the server timed out \([A-Z_]+\): told why/),
  fails(5, "NOT_FOUND", "body", /the health service does not know the service \([A-Z_]+\): told why/),
  fails(7, "PERMISSION_DENIED", "auth", /the call is not permitted \([A-Z_]+\): told why/),
  fails(8, "RESOURCE_EXHAUSTED", "unavailable", /the server has reached a limit \([A-Z_]+\): told why/),
  fails(12, "UNIMPLEMENTED", "protocol", /there is no health service \([A-Z_]+\): told why/),
  fails(13, "INTERNAL", "unavailable", /the server failed \([A-Z_]+\): told why/),
  fails(14, "UNAVAILABLE", "unavailable", /the server is unavailable \([A-Z_]+\): told why/),
  fails(16, "UNAUTHENTICATED", "auth", /the call requires authentication \([A-Z_]+\): told why/),
  page(401, "auth"),
  page(403, "auth"),
  page(404, "http_status"),
  page(503, "http_status"),
  answers(
    "answers the call with a page",
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "text/html" });
      stream.end("<h1>hello</h1>");
    },
    {
      kind: "protocol",
      phase: "answer",
      says: /does not speak gRPC: it answered as text\/html|its response is malformed/,
    },
  ),
  answers(
    "does not say how the call ended",
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.end(reply(1));
    },
    { kind: "protocol", phase: "answer", says: /does not speak gRPC: it answered without a status/ },
  ),
  answers("compresses what was to be plain", ends(Buffer.from([1, 0, 0, 0, 2, 8, 1])), senseless),
  answers("sends a message that is cut off", ends(Buffer.from([0, 0, 0, 0, 9, 8, 1])), senseless),
  answers("sends a number that does not end", ends(Buffer.from([0, 0, 0, 0, 2, 8, 129])), senseless),
  answers("sends an answer without end", ends(Buffer.alloc(100_000)), {
    kind: "protocol",
    phase: "answer",
    says: /sent a response longer than 16384 bytes/,
  }),
  answers("resets the call", (stream) => stream.close(7), {
    kind: "reset",
    phase: "answer",
    code: "REFUSED_STREAM",
    says: /127\.0\.0\.1:\d+ reset the call with REFUSED_STREAM/,
  }),
  answers(
    "does not answer the call",
    () => {},
    { kind: "timeout", phase: "answer", says: /timed out while waiting for the first response from 127\.0\.0\.1:\d+/ },
    {},
    300,
  ),
  {
    name: "speaks HTTP/1.1 instead of gRPC",
    verdict: noHttp2,
    serve: async (stand) => at(await stand.says("HTTP/1.1 400 Bad Request\r\n\r\n")),
  },
  {
    name: "speaks SSH instead of gRPC",
    verdict: noHttp2,
    serve: async (stand) => at(await stand.says("SSH-2.0-OpenSSH_9.9\r\n")),
  },
  {
    name: "speaks TLS where a call goes in plain text",
    verdict: {
      kind: "protocol",
      phase: "answer",
      says: /speaks TLS on this port, but the request was in plain text: set tls: true/,
    },
    serve: async (stand) => at(await stand.tls(await goodLeaf())),
  },
  {
    name: "closes at the call",
    verdict: { kind: "reset", phase: "answer", says: /127\.0\.0\.1:\d+ closed the connection/ },
    serve: async (stand) => at(await stand.tcp((socket) => socket.once("data", () => socket.end()))),
  },
  {
    name: "offers no HTTP/2 over TLS",
    verdict: {
      kind: ["protocol", "tls"],
      phase: ["tls", "answer"],
      says: /does not (offer HTTP\/2 over TLS, which gRPC requires|speak HTTP)|\(ALPN\)/,
    },
    serve: async (stand) => {
      const { cert, key } = await goodLeaf();
      return at(await stand.tls({ cert, key }), { tls: true, ca: (await root()).cert });
    },
  },
  {
    name: "has a certificate of another name for gRPC",
    verdict: { kind: "tls", phase: "tls", says: /the certificate is for other\.example, not for 127\.0\.0\.1/ },
    serve: async (stand) => {
      const options = { name: "other", issuer: await root(), hosts: ["other.example"] };
      return await overTls(stand, await certificate("other grpc", options));
    },
  },
  {
    name: "is not there for a call",
    verdict: { kind: "refused", phase: "connect", says: /127\.0\.0\.1:\d+ refused the connection/ },
    serve: async (stand) => at(await stand.closedPort()),
  },
];
