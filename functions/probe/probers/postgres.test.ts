import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { canaries, fullServer, measured, probeOnce, tcpServer } from "../fixtures.ts";
import { errorResponse, limit, login, testDatabase } from "../postgres/database.fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { postgres } from "./postgres.ts";

const database = testDatabase();

proberContract({
  prober: postgres,
  settings: (port) => ({ connection: { host: "127.0.0.1", port, ...login }, tls: "disable" }),
  healthy: async () => database.port,
  echo: (text) => errorResponse("28P01", `no entry for ${text}`),
});

describe("postgres", () => {
  it("times a fresh connection by phase", async () => {
    const result = await probeOnce(postgres, database.settings());
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
    await expect.poll(database.clients).toBe(0);
    const settings = { ...database.settings(), pool: { size: 2, overflow: 2, role: "application" } };
    const none = await probeOnce(postgres, settings);
    const applications = await Promise.all([
      database.connect("application", "of the application"),
      database.connect("application", "of the application"),
    ]);
    const superuser = await database.connect("postgres", "of the superuser");
    const three = await probeOnce(postgres, settings);
    for (const client of [...applications, superuser]) await client.end();
    expect(measured(none, "database_connections")).toBe(0);
    expect(measured(three, "database_connections")).toBe(3);
    expect(measured(three, "cloud_sql_pool_utilization")).toBe(0.5);
    expect(measured(three, "database_connection_limit")).toBe(9);
  });

  it("counts connections by state, as far as its role may see it", async () => {
    await expect.poll(database.clients).toBe(0);
    const [idle, busy] = await Promise.all([1, 2].map(() => database.connect("application", "of the application")));
    await busy?.query("begin");
    const states = (result: ProbeResult): Record<string, number> =>
      Object.fromEntries(
        result.measurements
          .filter(({ metric }) => metric === "database_connections_by_state")
          .map(({ labels, value }) => [labels["state"], value]),
      );
    expect(states(await probeOnce(postgres, database.settings()))).toEqual({
      active: 0,
      idle: 0,
      "idle in transaction": 0,
      unknown: 2,
    });
    await database.asSuperuser("grant pg_monitor to probe");
    // The connections of the probe and of the superuser take a moment to end.
    await expect.poll(database.clients).toBe(2);
    const seen = states(await probeOnce(postgres, database.settings()));
    await database.asSuperuser("revoke pg_monitor from probe");
    await Promise.all([idle?.end(), busy?.end()]);
    expect(seen).toEqual({ active: 0, idle: 1, "idle in transaction": 1 });
  });

  it("logs in with a token of the function's identity", async () => {
    // With a fake of Google's APIs, the token is this text.
    await database.asSuperuser(`create role "monitor@shop.iam" login password 'no-token'`);
    const connection = { host: "127.0.0.1", port: database.port, user: "monitor@shop.iam", iam: true };
    const result = await probeOnce(postgres, { connection, tls: "require" });
    expect(result.failure).toBeUndefined();
    await database.asSuperuser(`alter role "monitor@shop.iam" password 'another'`);
    const refused = await probeOnce(postgres, { connection, tls: "require" });
    expect(refused.failure).toMatchObject({ kind: "auth", phase: "authentication" });
  });

  it("runs the query in a read-only transaction", async () => {
    const writing = await probeOnce(postgres, { ...database.settings(), query: "create table harm ()" });
    expect(writing.failure).toMatchObject({
      kind: "database",
      phase: "query",
      message: expect.stringContaining("must be read-only"),
    });
    const wrong = await probeOnce(postgres, { ...database.settings(), query: "select * from nowhere" });
    expect(wrong.failure).toMatchObject({
      kind: "database",
      phase: "query",
      message: expect.stringContaining("42P01"),
    });
    const commented = await probeOnce(postgres, { ...database.settings(), query: "select 1 -- the last word" });
    expect(commented.failure).toBeUndefined();
  });

  it("cancels a query at the deadline, on the server too", async () => {
    const result = await probeOnce(
      postgres,
      { ...database.settings(), query: "select pg_sleep(30)" },
      { timeoutMs: 4_000 },
    );
    expect(result.failure).toMatchObject({ kind: "timeout", phase: "query" });
    expect(measured(result, "database_phase_time", "authentication")).toBeGreaterThan(0);
    expect(measured(result, "database_connection_time")).toBeUndefined();
    await expect.poll(database.clients).toBe(0);
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
    const settings = {
      connection: { host: "127.0.0.1", port: database.port, ...login, ...connection },
      tls: "disable",
    };
    const { failure } = await probeOnce(postgres, settings);
    expect(failure).toMatchObject({ kind, phase, message: expect.stringContaining(message) });
  });

  it("reports a server without free connections", async () => {
    await expect.poll(database.clients).toBe(0);
    const others = await Promise.all(
      Array.from({ length: limit.max - limit.reserved }, () => database.connect("application", "of the application")),
    );
    const { failure, measurements } = await probeOnce(postgres, database.settings());
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
    const url = `postgres://probe:100%zz@localhost:${database.port}/postgres`;
    const settings = { connection: { url: { secret: "database-url" } }, tls: "disable" };
    const { failure } = await probeOnce(postgres, settings, { secrets: { "database-url": url } });
    expect(failure).toMatchObject({ kind: "auth", phase: "authentication", code: "28P01" });
  });

  it("reads a secret URL, and conceals its password", async () => {
    const url = `postgres://probe:${encodeURIComponent(canaries["canary"] ?? "")}@localhost:${database.port}/postgres`;
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
  const socket = (host: string): Record<string, unknown> => ({ connection: { host, port: database.port, ...login } });

  it("connects, without TLS", async () => {
    const result = await probeOnce(postgres, socket(database.folder));
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_phase_time", "connect")).toBeGreaterThan(0);
  });

  it("reports a missing socket", async () => {
    const result = await probeOnce(postgres, socket("/cloudsql/project:region:instance"));
    expect(result.failure).toMatchObject({
      kind: "unavailable",
      phase: "connect",
      message: `no Auth Proxy socket at /cloudsql/project:region:instance/.s.PGSQL.${database.port}: the instance is not attached to this service`,
    });
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
    await database.asSuperuser(on);
    await database.asSuperuser("select pg_reload_conf()");
    await expect.poll(() => database.readOnly("application", "of the application")).toBe("on");
    const { failure } = await probeOnce(postgres, database.settings());
    await database.asSuperuser(off);
    await database.asSuperuser("select pg_reload_conf()");
    await expect.poll(() => database.readOnly("application", "of the application")).toBe("off");
    expect(failure).toEqual({
      kind: "database",
      phase: "query",
      code: "25006",
      message: `127.0.0.1:${database.port} is a primary that accepts no writes: default_transaction_read_only is on. Turn it off once the underlying problem, such as a full disk, is fixed`,
    });
    expect((await probeOnce(postgres, database.settings())).failure).toBeUndefined();
  });

  it("does not mistake a read-only role for a read-only server", async () => {
    await database.asSuperuser("alter role probe set default_transaction_read_only = on");
    const { failure } = await probeOnce(postgres, database.settings());
    await database.asSuperuser("alter role probe reset default_transaction_read_only");
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
  ])("is up if they are %s", async (_what, hidden, shown, why) => {
    await database.asSuperuser("set allow_system_table_mods = on", hidden);
    const result = await probeOnce(
      postgres,
      { ...database.settings(), burst: { connections: 3 } },
      { timeoutMs: 2_500 },
    );
    await database.asSuperuser("set allow_system_table_mods = on", shown);
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
