import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { measured, openFailure, probeOnce, tcpServer } from "../fixtures.ts";
import { errorResponse, login, testDatabase } from "../postgres/database.fixtures.ts";
import { postgres } from "./postgres.ts";

const database = testDatabase();

describe("postgres burst", () => {
  const burst = (connections: number, more: object = {}) => ({
    ...database.settings(),
    burst: { connections },
    ...more,
  });
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
    await expect.poll(database.clients).toBe(0);
    const result = await probeOnce(postgres, burst(4));
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_connect_burst_success")).toBe(1);
    expect(measured(result, "database_connect_burst_time")).toBeGreaterThan(0);
    expect(stages(result)).toEqual(whole(4, 4));
    await expect.poll(database.clients).toBe(0);
  });

  it.each([
    [12, 0, 4],
    [5, 2, 3],
    [5, 4, 1],
    [5, 5, 0],
    [5, 8, 0],
  ])("configured for %d connections with %d of 9 in use, logs in %d times", async (asked, used, logins) => {
    await expect.poll(database.clients).toBe(0);
    const others = await Promise.all(
      Array.from({ length: used }, () => database.connect("application", "of the application")),
    );
    const result = await probeOnce(postgres, burst(asked));
    for (const client of others) await client.end();
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_connect_burst_success")).toBe(1);
    expect(stages(result)).toEqual(whole(asked, logins));
  });

  it("leaves connections to an application that logs in during the burst", async () => {
    await expect.poll(database.clients).toBe(0);
    let running = true;
    const refused: unknown[] = [];
    const application = (async () => {
      while (running) {
        const client = await database.connect("application", "of the application").catch((error: unknown) => {
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
    await expect.poll(database.clients).toBe(0);
    if (rights !== "") await database.asSuperuser(`grant ${rights} to probe`);
    const unfinished = await Promise.all(Array.from({ length: 4 }, database.unfinishedLogin));
    const result = await probeOnce(postgres, burst(5));
    for (const socket of unfinished) socket.destroy();
    if (rights !== "") await database.asSuperuser(`revoke ${rights} from probe`);
    expect(stages(result)).toEqual(whole(5, 1));
  });

  it.each([
    ["role", "alter role probe connection limit 5", "alter role probe connection limit -1"],
    ["database", "alter database postgres connection limit 5", "alter database postgres connection limit -1"],
  ])("respects the limit of the %s", async (_what, limited, unlimited) => {
    await expect.poll(database.clients).toBe(0);
    await database.asSuperuser(limited);
    const result = await probeOnce(postgres, burst(6));
    await database.asSuperuser(unlimited);
    expect(stages(result)).toEqual(whole(6, 1));
  });

  it("leaves the connections free that the pool may still open", async () => {
    await expect.poll(database.clients).toBe(0);
    const application = await database.connect("application", "of the application");
    const pool = { size: 4, overflow: 3, role: "application" };
    const result = await probeOnce(postgres, burst(5, { pool }));
    await application.end();
    expect(stages(result)).toEqual(whole(5, 1));
  });

  it("does not log in while another probe's burst runs", async () => {
    await expect.poll(database.clients).toBe(0);
    let others = 0;
    // Accepts only the first connection, so that the burst waits until its deadline.
    const stuck = await tcpServer((socket) => {
      if (others++ === 0) database.through(socket);
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
    await database.asSuperuser("revoke execute on function pg_advisory_xact_lock(bigint) from public");
    const result = await probeOnce(postgres, burst(12));
    await database.asSuperuser("grant execute on function pg_advisory_xact_lock(bigint) to public");
    expect(result.failure).toBeUndefined();
    expect(measured(result, "database_connect_burst_success")).toBe(1);
    expect(stages(result)).toEqual(whole(10, 0));
  });

  it.each<[string, () => object]>([
    ["over TLS", () => ({ tls: "require" })],
    ["by the socket", () => ({ connection: { host: database.folder, port: database.port, ...login } })],
  ])("reaches the server %s without a login", async (_what, way) => {
    await expect.poll(database.clients).toBe(0);
    const others = await Promise.all(
      Array.from({ length: 6 }, () => database.connect("application", "of the application")),
    );
    const result = await probeOnce(postgres, burst(6, way()));
    for (const client of others) await client.end();
    expect(stages(result)).toEqual(whole(6, 0, "tls" in way() ? "tls" : "answer"));
  });

  it.each<[string, string, (socket: Socket) => unknown]>([
    ["cuts off", "resets", (socket) => socket.once("data", () => socket.resetAndDestroy())],
    ["closes without an answer", "resets", (socket) => socket.once("data", () => socket.end())],
    ["does not answer", "unanswered", () => {}],
  ])("counts as lost what the network path %s", async (_what, lost, lose) => {
    await expect.poll(database.clients).toBe(0);
    let seen = 0;
    const way = await tcpServer((socket) => (seen++ % 3 === 0 ? database.through(socket) : lose(socket)));
    const connection = { host: "127.0.0.1", port: way, ...login };
    const result = await probeOnce(postgres, burst(6, { connection }), { timeoutMs: 2_000 });
    expect(result.failure).toBeUndefined();
    const { connect, answer } = stages(result);
    expect(connect).toEqual({ connections: 6 });
    expect(answer).toEqual({ connections: 6, [lost]: 4 });
    expect(measured(result, "database_connect_burst_success")).toBeCloseTo(2 / 6);
  });

  it("distinguishes failed TLS handshakes, resets and missing responses", async () => {
    await expect.poll(database.clients).toBe(0);
    let seen = 0;
    const way = await tcpServer((socket) => {
      // The first connection is the session of the probe; the next eight are the TCP connections and the handshakes.
      const turn = seen++ - 5;
      if (turn === 0) socket.once("data", () => socket.resetAndDestroy());
      else if (turn === 1)
        socket.once("data", () => socket.write("S").valueOf() && socket.once("data", () => socket.end("nonsense")));
      else if (turn !== 2) database.through(socket);
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
    await expect.poll(database.clients).toBe(0);
    let seen = 0;
    const full = await tcpServer((socket) => {
      if (seen++ === 0) database.through(socket);
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
    await expect.poll(database.clients).toBe(0);
    let open = 0;
    let most = 0;
    const connector = await tcpServer((socket) => {
      most = Math.max(most, ++open);
      socket.once("close", () => open--);
      database.through(socket);
    });
    const connection = { host: "127.0.0.1", port: connector, ...login };
    const others = await Promise.all([1, 2].map(() => database.connect("application", "of the application")));
    const settings = { ...burst(9, { connection }), burst: { connections: 9, ceiling: 6 } };
    const result = await probeOnce(postgres, settings);
    for (const client of others) await client.end();
    expect(stages(result)).toEqual(whole(2, 2));
    expect(most + others.length).toBeLessThan(6);
  });

  it("fails the probe when none succeeds", () => {
    const failure = { kind: "timeout", phase: "connect", message: "the time ran out" } as const;
    const settings = postgres.settings.parse(database.settings());
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
