import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { closedPort, issue, listening, measured, probeOnce, tcpServer } from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { tcp } from "./tcp.ts";

const root = await issue({ name: "Test Root" });
const good = await issue({ name: "good", issuer: root, hosts: ["127.0.0.1"], until: 90 });

/** Answers every line with a text. */
const answering = (answer: string) => (socket: Socket) => socket.on("data", () => socket.write(answer));
const redis = (): Promise<number> => listening(createServer(answering("+PONG\r\n")));
const probe = (port: number, settings: Record<string, unknown> = {}, timeoutMs = 5_000) =>
  probeOnce(tcp, { host: "127.0.0.1", port, ...settings }, { timeoutMs, secrets: { ca: root.cert } });

proberContract({
  prober: tcp,
  settings: (port) => ({ host: "127.0.0.1", port, send: { secret: "canary" }, expect: "/^\\+PONG/" }),
  healthy: redis,
  echo: (text) => text,
});

describe("tcp", () => {
  it("connects and measures, without sending anything", async () => {
    const result = await probe(await tcpServer(() => {}));
    expect(result.failure).toBeUndefined();
    expect(measured(result, "connection_time")).toBeGreaterThan(0);
    expect(measured(result, "connection_phase_time", "connect")).toBeGreaterThan(0);
    expect(measured(result, "connection_phase_time", "answer")).toBeUndefined();
  });

  it.each([
    ["a text", "PONG"],
    ["a pattern", "/^\\+pong\\r\\n$/i"],
  ])("sends a text and finds %s in the response", async (_what, expected) => {
    const heard: string[] = [];
    const port = await tcpServer((socket) =>
      socket.on("data", (data) => {
        heard.push(String(data));
        socket.write("+PO");
        setImmediate(() => socket.write("NG\r\n"));
      }),
    );
    const result = await probe(port, { send: "PING\r\n", expect: expected });
    expect(result.failure).toBeUndefined();
    expect(heard.join("")).toBe("PING\r\n");
    expect(measured(result, "connection_phase_time", "answer")).toBeGreaterThan(0);
  });

  it("finds a greeting without sending anything", async () => {
    const port = await tcpServer((socket) => socket.write("220 mail.example.com ESMTP\r\n"));
    expect((await probe(port, { expect: "/^220 /" })).failure).toBeUndefined();
  });

  it("reports what arrived instead of the expected response", async () => {
    const port = await tcpServer((socket) => socket.end("-LOADING Redis is loading\r\n"));
    expect((await probe(port, { expect: "+PONG" })).failure).toEqual({
      kind: "body",
      phase: "answer",
      message: expect.stringMatching(
        /^the response does not contain "\+PONG"; the response is: .*-LOADING Redis is loading/,
      ),
    });
    expect((await probe(port, { expect: "/^\\+PONG/" })).failure?.message).toMatch(
      /^the response does not match \/\^\\\+PONG\/; the response is: /,
    );
  });

  it("reports what arrived before the time ran out", async () => {
    const port = await tcpServer((socket) => socket.write("220 wait"));
    expect((await probe(port, { expect: "ready" }, 300)).failure).toEqual({
      kind: "timeout",
      phase: "answer",
      message: expect.stringMatching(/^the probe timed out while waiting for .*; it sent: .*220 wait/),
    });
  });

  it("reads no more than the maximum response length", async () => {
    const port = await tcpServer((socket) => socket.on("data", () => socket.write(`${"x".repeat(20_000)}ready`)));
    const { failure } = await probe(port, { send: "go", expect: "ready" });
    expect(failure).toMatchObject({ kind: "body", phase: "answer" });
  });

  it("distinguishes a refused connection from one that is closed before the response", async () => {
    const closed = await closedPort();
    expect((await probe(closed)).failure).toMatchObject({ kind: "refused", phase: "connect", code: "ECONNREFUSED" });
    const silent = await listening(createServer((socket) => socket.end()));
    expect((await probe(silent, { expect: "PONG" })).failure).toMatchObject({ kind: "reset", phase: "answer" });
  });

  it("uses TLS, and verifies the certificate", async () => {
    const port = await listening(createTlsServer({ cert: good.cert, key: good.key }, answering("+PONG\r\n")));
    const settings = { tls: true, send: "PING\r\n", expect: "PONG" };
    const trusted = await probe(port, { ...settings, ca: { secret: "ca" } });
    expect(trusted.failure).toBeUndefined();
    expect((measured(trusted, "tls_certificate_expiry") ?? 0) / 86_400).toBeGreaterThan(20);
    expect(measured(trusted, "connection_phase_time", "tls")).toBeGreaterThan(0);
    const other = await probe(port, { ...settings, ca: { secret: "ca" }, server_name: "redis.example.com" });
    expect(other.failure).toMatchObject({ kind: "tls", phase: "tls", signal: "certificate" });
    expect((await probe(port, settings)).failure).toMatchObject({ kind: "tls", signal: "certificate" });
    expect((await probe(await redis(), { ...settings, expect: "PONG" }, 1_000)).success).toBe(false);
  });

  it.each([
    [{ host: "redis:6379", port: 1 }, "must be a host name or an address"],
    [{ host: "a", port: 1, ca: { secret: "ca" } }, "ca has no effect without TLS"],
    [{ host: "a", port: 1, server_name: "b" }, "server_name has no effect without TLS"],
    [{ host: "a", port: 1, expect: "/(/" }, "must be a text or a pattern such as /^220 /: missing closing )"],
  ])("rejects %j", (settings, message) => {
    expect(tcp.settings.safeParse(settings).error?.issues[0]?.message).toContain(message);
  });
});
