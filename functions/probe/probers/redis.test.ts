import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { closedPort, issue, listening, measured, type ProbeOnceOptions, probeOnce, tcpServer } from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { type RedisServer, redisServer } from "../redis.fixtures.ts";
import { redis } from "./redis.ts";

const root = await issue({ name: "Test Root" });
const good = await issue({ name: "good", issuer: root, hosts: ["127.0.0.1"], until: 90 });
const us = await issue({ name: "pathkeeper", issuer: root, hosts: ["pathkeeper.example.com"] });
const password = "c4n4ry-S3cret/value";

const started = (server: RedisServer = {}): Promise<number> => listening(createServer(redisServer(server)));
const probe = (port: number, settings: Record<string, unknown> = {}, options: ProbeOnceOptions = {}) =>
  probeOnce(
    redis,
    { host: "127.0.0.1", port, ...settings },
    { secrets: { ca: root.cert, cert: us.cert, key: us.key, other: good.key }, ...options },
  );
const login = { password: { secret: "canary" } };

proberContract({
  prober: redis,
  settings: (port) => ({ host: "127.0.0.1", port, user: { secret: "canary" }, ...login }),
  healthy: () => started({ users: { [password]: password } }),
  echo: (text) => `-ERR ${text}\r\n`,
  misbehaviours: {
    "begins a text that never ends": (socket) => socket.on("data", () => socket.write("$10\r\nabc")),
    "says a length that is none": (socket) => socket.on("data", () => socket.write("$1e9\r\n")),
    "answers a line without end": (socket) => socket.on("data", () => socket.write(`+${"x".repeat(70_000)}`)),
    "answers PING with another word": (socket) => socket.on("data", () => socket.write("+OK\r\n")),
  },
});

describe("redis", () => {
  it("sends a PING without a login", async () => {
    const result = await probe(await started());
    expect(result.failure).toBeUndefined();
    expect(measured(result, "connection_time")).toBeGreaterThan(0);
    expect(measured(result, "connection_phase_time", "connect")).toBeGreaterThan(0);
    expect(measured(result, "connection_phase_time", "answer")).toBeGreaterThan(0);
    expect(measured(result, "connection_phase_time", "authentication")).toBeUndefined();
  });

  it("logs in with a password alone and as a user", async () => {
    const alone = await probe(await started({ users: { default: password } }), login);
    expect(alone.failure).toBeUndefined();
    expect(measured(alone, "connection_phase_time", "authentication")).toBeGreaterThan(0);
    const user = await probe(await started({ users: { monitor: password } }), { user: "monitor", ...login });
    expect(user.failure).toBeUndefined();
  });

  it.each<[string, RedisServer, Record<string, unknown>, object]>([
    [
      "a login that is missing",
      { users: { default: "other" } },
      {},
      { kind: "auth", phase: "answer", code: "NOAUTH", message: expect.stringContaining("requires a login") },
    ],
    [
      "a wrong password",
      { users: { default: "other" } },
      login,
      { kind: "auth", phase: "authentication", code: "WRONGPASS" },
    ],
    [
      "a password where none is set",
      { answers: { AUTH: "-ERR AUTH <password> called without any password configured for the default user.\r\n" } },
      login,
      { kind: "auth", code: "ERR", message: expect.stringContaining("has no password set") },
    ],
    [
      "no permission",
      { answers: { PING: "-NOPERM this user has no permissions to run the 'ping' command\r\n" } },
      {},
      { kind: "auth", code: "NOPERM" },
    ],
    [
      "too many clients",
      { answers: { PING: "-ERR max number of clients reached\r\n" } },
      {},
      { kind: "unavailable", signal: "saturated" },
    ],
    [
      "data that is being loaded",
      { answers: { PING: "-LOADING Redis is loading the dataset in memory\r\n" } },
      {},
      { kind: "unavailable", phase: "answer", code: "LOADING" },
    ],
    [
      "an unknown error",
      { answers: { PING: "-ERR unknown command 'PING'\r\n" } },
      {},
      { kind: "protocol", code: "ERR" },
    ],
    [
      "a replica in place of the primary",
      { info: "# Replication\r\nrole:slave\r\nmaster_link_status:up\r\n" },
      { replication: "primary" },
      { kind: "body", code: "replica", message: expect.stringMatching(/is a replica, expected a primary$/) },
    ],
    [
      "a replica that lost its primary",
      { info: "role:slave\r\nmaster_link_status:down\r\n" },
      { replication: "replica" },
      { kind: "unavailable", code: "LINK_DOWN" },
    ],
    ["a server without replication information", { info: "" }, { replication: "primary" }, { kind: "protocol" }],
  ])("reports %s", async (_what, server, settings, failure) => {
    const result = await probe(await started(server), settings, { recheck: true });
    expect(result.failure).toMatchObject(failure);
    expect(measured(result, "probe_attempts")).toBe(1);
  });

  it("accepts a replica and a primary if they are expected", async () => {
    expect((await probe(await started(), { replication: "primary" })).success).toBe(true);
    const info = "role:slave\r\nmaster_link_status:up\r\n";
    expect((await probe(await started({ info }), { replication: "replica" })).success).toBe(true);
  });

  it("distinguishes a refused connection from a server that is not Redis", async () => {
    expect((await probe(await closedPort())).failure).toMatchObject({ kind: "refused", phase: "connect" });
    const web = await tcpServer((socket) => socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
    expect((await probe(web)).failure).toMatchObject({
      kind: "protocol",
      phase: "answer",
      message: expect.stringContaining('does not speak Redis: its response begins with "HTTP/1.1 400'),
    });
  });

  it("uses TLS, verifies the certificate and presents its own", async () => {
    const options = { cert: good.cert, key: good.key, ca: root.cert, requestCert: true };
    const port = await listening(createTlsServer(options, redisServer()));
    const settings = { tls: true, ca: { secret: "ca" } };
    const client_certificate = { cert: { secret: "cert" }, key: { secret: "key" } };
    const trusted = await probe(port, { ...settings, client_certificate });
    expect(trusted.failure).toBeUndefined();
    expect((measured(trusted, "tls_certificate_expiry") ?? 0) / 86_400).toBeGreaterThan(20);
    const bare = await probe(port, settings);
    expect(bare.failure).toMatchObject({
      kind: "tls",
      code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
      message: expect.stringContaining("client_certificate"),
    });
    const other = await probe(port, { ...settings, server_name: "redis.example.com" });
    expect(other.failure).toMatchObject({ kind: "tls", signal: "certificate" });
    const alert = Buffer.from([0x15, 3, 1, 0, 2, 2, 70]);
    const plain = await probe(await tcpServer((socket) => socket.on("data", () => socket.end(alert))));
    expect(plain.failure).toMatchObject({ kind: "protocol", message: expect.stringContaining("set tls: true") });
    const refusing = (socket: Socket) => socket.on("data", () => socket.write("-ERR Protocol error\r\n"));
    const overPlain = await probe(await listening(createServer(refusing)), settings);
    expect(overPlain.failure).toMatchObject({ kind: "tls" });
  });

  it.each([
    ["ca", "key", 'client_certificate: the key in "key" does not belong to the certificate in "ca"'],
    ["cert", "other", 'client_certificate: the key in "other" does not belong to the certificate in "cert"'],
    ["key", "key", 'client_certificate: the secret "key" must contain a certificate in PEM'],
    ["cert", "cert", 'client_certificate: the secret "cert" must contain a private key in PEM without a passphrase'],
  ])("does not blame the target for the pair of %s and %s", async (cert, key, message) => {
    const client_certificate = { cert: { secret: cert }, key: { secret: key } };
    const result = await probe(await closedPort(), { tls: true, client_certificate });
    expect(result.failure).toMatchObject({ kind: "internal", message });
  });

  it.each([
    [{ host: "redis:6379" }, "must be a host name or an address"],
    [{ host: "a", user: "b" }, "user requires a password"],
    [{ host: "a", ca: { secret: "ca" } }, "ca has no effect without TLS"],
    [{ host: "a", client_certificate: { cert: { secret: "c" }, key: { secret: "k" } } }, "has no effect without TLS"],
  ])("rejects %j", (settings, message) => {
    expect(redis.settings.safeParse(settings).error?.issues[0]?.message).toContain(message);
  });
});
