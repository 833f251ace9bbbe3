import { createServer } from "node:http";
import { connect as connectTo } from "node:net";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { issue, listening, measured, probeOnce, tcpServer } from "../fixtures.ts";
import { login, testDatabase } from "../postgres/database.fixtures.ts";
import { postgres } from "./postgres.ts";

const database = testDatabase();

describe("postgres over TLS", () => {
  const encrypted = (tls: string, host = "localhost"): Record<string, unknown> => ({
    connection: { host, port: database.port, ...login },
    tls,
    ...(tls === "require" ? {} : { ca: { secret: "ca" } }),
  });

  it.each([
    ["require", "127.0.0.1"],
    ["verify-ca", "127.0.0.1"],
    ["verify-full", "localhost"],
  ])("connects with %s to %s", async (tls, host) => {
    const result = await probeOnce(postgres, encrypted(tls, host), { secrets: database.secrets });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_phase_time", "tls")).toBeGreaterThan(0);
  });

  it("rejects a certificate for another host", async () => {
    const result = await probeOnce(postgres, encrypted("verify-full", "127.0.0.1"), { secrets: database.secrets });
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
    const result = await probeOnce(postgres, settings, { secrets: database.secrets });
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
      const { failure } = await probeOnce(postgres, weaker, { secrets: { ...database.secrets, url: url + mode } });
      expect(failure).toMatchObject({ kind: "tls", phase: "tls" });
    }
    expect(received()).toBe("");
  });

  it.each([
    ["no tls", "localhost", {}, undefined],
    ["no tls", "127.0.0.1", {}, "the certificate is for localhost, not for 127.0.0.1"],
    ["tls: require", "127.0.0.1", { tls: "require" }, undefined],
  ])("verifies against ca, with %s, at %s", async (_what, host, tls, message) => {
    const settings = { connection: { host, port: database.port, ...login }, ca: { secret: "ca" }, ...tls };
    const result = await probeOnce(postgres, settings, { secrets: database.secrets });
    expect(result.failure?.message).toBe(message);
  });

  it.each(["", " \n", "-----BEGIN NOTHING-----"])(
    "does not fall back to other authorities if ca contains %j",
    async (ca) => {
      const settings = { connection: { host: "localhost", port: database.port, ...login }, ca: { secret: "ca" } };
      const { failure } = await probeOnce(postgres, settings, { secrets: { ca } });
      expect(failure?.message).toBe("ca contains no certificate: set it to the trusted authorities in PEM");
    },
  );

  it("rejects a ca for a secret URL with a socket", async () => {
    const settings = { connection: { url: { secret: "url" } }, ca: { secret: "ca" } };
    const url = "postgres://probe@localhost/postgres?host=/cloudsql/a:b:c";
    const { failure } = await probeOnce(postgres, settings, { secrets: { ...database.secrets, url } });
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
    const inner = { port: database.port };
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
    const fake = await listening(
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
        { googleApis: `http://127.0.0.1:${fake}` },
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
