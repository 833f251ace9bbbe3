import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Server as GrpcServer, ServerCredentials, status } from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import { closedPort, issue, listening, measured, type ProbeOnceOptions, probeOnce, tcpServer } from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { grpc } from "./grpc.ts";

const root = await issue({ name: "Test Root" });
const good = await issue({ name: "good", issuer: root, hosts: ["127.0.0.1"], until: 90 });
const us = await issue({ name: "pathkeeper", issuer: root, hosts: ["pathkeeper.example.com"] });

const probe = (port: number, settings: Record<string, unknown> = {}, options: ProbeOnceOptions = {}) =>
  probeOnce(
    grpc,
    { host: "127.0.0.1", port, ...settings },
    { secrets: { ca: root.cert, cert: us.cert, key: us.key }, ...options },
  );

/** `HealthCheckResponse { status }` in wire format. */
const reply = (serving: number) => Buffer.from([0, 0, 0, 0, 2, 8, serving]);

/** Answers every call by hand. */
function answering(server: Http2Server, body: Buffer, trailers: Record<string, string>): Http2Server {
  return server.on("stream", (stream: ServerHttp2Stream) => {
    stream
      .on("error", () => {})
      .resume()
      .respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers)).end(body);
  });
}

const served = (body: Buffer, trailers: Record<string, string> = { "grpc-status": "0" }) =>
  listening(answering(createServer(), body, trailers));

/** A call as passed on by the server of the gRPC library. */
interface HealthCall {
  readonly request: Buffer;
  readonly metadata: { get(name: string): unknown[] };
}
type Reply = (error: { code: number; details: string } | null, answer?: Buffer) => void;

/** A real gRPC server. */
async function realServer(
  check: (call: HealthCall, reply: Reply) => void,
  credentials = ServerCredentials.createInsecure(),
) {
  const server = new GrpcServer();
  const bytes = (value: Buffer): Buffer => value;
  const method = {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  } as const;
  server.addService({ check: method }, { check: check as never });
  onTestFinished(() => server.forceShutdown());
  return await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port))),
  );
}

const serving: (call: HealthCall, reply: Reply) => void = (_call, done) => done(null, Buffer.from([8, 1]));

proberContract({
  prober: grpc,
  settings: (port) => ({ host: "127.0.0.1", port, headers: { authorization: { secret: "canary" } } }),
  healthy: () => served(reply(1)),
  echo: (text) => text,
  misbehaviours: {
    "begins an answer of HTTP/1": (socket) => socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\n")),
    "sends settings and nothing more": (socket) => socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])),
  },
});

describe("grpc", () => {
  it("checks a service of a real server, with metadata", async () => {
    const seen: { service: string; token: unknown }[] = [];
    const port = await realServer((call, done) => {
      seen.push({ service: String(call.request.subarray(2)), token: call.metadata.get("authorization")[0] });
      done(null, Buffer.from([8, 1]));
    });
    const result = await probe(port, { service: "shop.v1.Cart", headers: { authorization: { secret: "canary" } } });
    expect(result.failure).toBeUndefined();
    expect(seen).toEqual([{ service: "shop.v1.Cart", token: "c4n4ry-S3cret/value" }]);
    expect(measured(result, "grpc_response_time")).toBeGreaterThan(0);
    expect(measured(result, "connection_phase_time", "answer")).toBeGreaterThan(0);
  });

  it("uses TLS with a real server, and reports its certificate", async () => {
    const pair = { cert_chain: Buffer.from(good.cert), private_key: Buffer.from(good.key) };
    const port = await realServer(serving, ServerCredentials.createSsl(Buffer.from(root.cert), [pair], true));
    const client_certificate = { cert: { secret: "cert" }, key: { secret: "key" } };
    const result = await probe(port, { tls: true, ca: { secret: "ca" }, client_certificate });
    expect(result.failure).toBeUndefined();
    expect((measured(result, "tls_certificate_expiry") ?? 0) / 86_400).toBeGreaterThan(20);
    const bare = await probe(port, { tls: true, ca: { secret: "ca" } });
    expect(bare.failure?.kind).toBe("tls");
    expect((await probe(port, { tls: true })).failure).toMatchObject({ kind: "tls", signal: "certificate" });
  });

  it.each([
    [status.UNIMPLEMENTED, { kind: "protocol", code: "UNIMPLEMENTED" }],
    [status.NOT_FOUND, { kind: "body", code: "NOT_FOUND" }],
    [status.UNAUTHENTICATED, { kind: "auth", code: "UNAUTHENTICATED" }],
    [status.PERMISSION_DENIED, { kind: "auth", code: "PERMISSION_DENIED" }],
    [status.UNAVAILABLE, { kind: "unavailable", code: "UNAVAILABLE" }],
    [status.RESOURCE_EXHAUSTED, { kind: "unavailable", code: "RESOURCE_EXHAUSTED" }],
    [status.DEADLINE_EXCEEDED, { kind: "timeout", code: "DEADLINE_EXCEEDED" }],
  ])("reports the status %i of a real server", async (code, expected) => {
    const port = await realServer((_call, done) => done({ code, details: "told by the server: 100 %" }));
    const result = await probe(port, {}, { recheck: true });
    expect(result.failure).toMatchObject({ ...expected, phase: "answer", message: expect.stringMatching(/100 %$/) });
    expect(measured(result, "probe_attempts")).toBe(1);
  });

  it.each([
    [reply(2), { kind: "unavailable", code: "NOT_SERVING", message: expect.stringMatching(/^cart is not serving/) }],
    [reply(0), { kind: "protocol", code: "UNKNOWN" }],
    [Buffer.from([0, 0, 0, 0, 0]), { kind: "protocol", code: "UNKNOWN" }],
    [Buffer.from([1, 0, 0, 0, 2, 8, 1]), { kind: "protocol", message: expect.stringContaining("is malformed") }],
    [Buffer.from([0, 0, 0, 0, 9, 8, 1]), { kind: "protocol", message: expect.stringContaining("is malformed") }],
    [Buffer.from([0, 0, 0, 0, 2, 8, 129]), { kind: "protocol", message: expect.stringContaining("is malformed") }],
  ])("assesses the response %j", async (body, failure) => {
    expect((await probe(await served(body), { service: "cart" })).failure).toMatchObject(failure);
  });

  it("skips fields of later versions", async () => {
    const body = Buffer.from([0, 0, 0, 0, 6, 0x12, 2, 65, 66, 8, 1]);
    expect((await probe(await served(body))).failure).toBeUndefined();
  });

  it("connects to an IPv6 address, and writes it as in URLs", async () => {
    const server = answering(createServer(), reply(1), { "grpc-status": "0" });
    await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect((await probe(port, { host: "::1" })).failure).toBeUndefined();
    const { failure } = await probe(await closedPort(), { host: "::1" });
    expect(failure?.message).toMatch(/^\[::1\]:\d+ refused the connection/);
  });

  it("names the Google component that responded instead of the service", async () => {
    const page =
      "<html><h1>Error: Forbidden</h1> <h2>Your client does not have permission to get URL <code>/</code> from this server.</h2></html>";
    const front = createServer((_request, response) =>
      response.writeHead(403, { "content-type": "text/html" }).end(page),
    );
    expect((await probe(await listening(front))).failure).toMatchObject({
      kind: "auth",
      status: 403,
      answered_by: "cloud-run",
      message: expect.stringMatching(
        /answered with HTTP 403 instead of gRPC; answered by Cloud Run.*roles\/run\.invoker/,
      ),
    });
  });

  it("distinguishes an HTTP response from a gRPC response", async () => {
    const web = createServer((_request, response) => response.writeHead(403).end("no"));
    expect((await probe(await listening(web))).failure).toMatchObject({ kind: "auth", status: 403 });
    const page = createServer((_request, response) => response.writeHead(404).end("no"));
    expect((await probe(await listening(page))).failure).toMatchObject({ kind: "http_status", status: 404 });
    const html = createServer((_request, response) => response.writeHead(200, { "content-type": "text/html" }).end());
    expect((await probe(await listening(html))).failure).toMatchObject({
      kind: "protocol",
      message: expect.stringMatching(/does not speak gRPC: it answered as text\/html$/),
    });
    const bare = createServer((_request, response) =>
      response.writeHead(200, { "content-type": "application/grpc" }).end(reply(1)),
    );
    expect((await probe(await listening(bare))).failure).toMatchObject({ kind: "protocol" });
  });

  it("distinguishes a refused connection, a reset call and a server without HTTP/2", async () => {
    expect((await probe(await closedPort())).failure).toMatchObject({ kind: "refused", phase: "connect" });
    const resetting = createServer().on("stream", (stream: ServerHttp2Stream) => stream.on("error", () => {}).close(7));
    expect((await probe(await listening(resetting))).failure).toMatchObject({ kind: "reset", code: "REFUSED_STREAM" });
    const options = { cert: good.cert, key: good.key, ALPNProtocols: ["http/1.1"] };
    const old = await listening(createTlsServer(options, (socket) => socket.resume()));
    expect((await probe(old, { tls: true, ca: { secret: "ca" } })).failure?.kind).toMatch(/tls|protocol/);
    const web = await tcpServer((socket) => socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
    expect((await probe(web)).failure).toMatchObject({
      kind: "protocol",
      message: expect.stringContaining("does not speak HTTP/2"),
    });
    const secure = createSecureServer({ cert: good.cert, key: good.key });
    const plain = await listening(answering(secure, reply(1), { "grpc-status": "0" }));
    expect((await probe(plain, { tls: true, ca: { secret: "ca" } })).failure).toBeUndefined();
    expect((await probe(plain)).success).toBe(false);
  });

  it.each([
    [{ host: "https://a", port: 1 }, "must be a host name or an address"],
    [{ host: "a", port: 1, server_name: "b" }, "server_name has no effect without TLS"],
  ])("rejects %j", (settings, message) => {
    expect(grpc.settings.safeParse(settings).error?.issues[0]?.message).toContain(message);
  });
});
