/** The demo's application: a backend with a WebSocket endpoint, and an auth service, which reach the database through the connector. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import pg from "pg";
import { WebSocketServer } from "ws";
import type { Connector } from "./connector.ts";

/** How a service reaches the database. */
export interface DatabaseAccess {
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** A running service. */
export interface Service {
  /** It listens on 127.0.0.1. */
  readonly port: number;
  stop(): Promise<void>;
}

const poolSize = 10;

/**
 * Starts the backend: `/health` asks the database, `/health/infrastructure` measures the way to it, and `/ws/health` accepts
 * WebSockets while the backend is healthy. Its users keep a part of its pool busy, so that the pool fills when queries hang.
 * @param timeoutMs how long it waits for a connection, and for the answer to a query
 */
export async function startBackend(access: DatabaseAccess, connector: Connector, timeoutMs: number): Promise<Service> {
  const phases = startupPhases();
  const pool = makePool(access, poolSize, timeoutMs);
  phases.end("dependencies");
  await askDatabase(pool);
  phases.end("database");

  const query = `select pg_sleep(${(0.075 * timeoutMs) / 1_000})`;
  const users = setInterval(() => pool.query(query).catch(() => {}), timeoutMs / 20);
  phases.end("cache");
  const answer: RequestListener = async (request, response) => {
    if (request.url === "/health") return reply(response, await health(pool));
    if (request.url !== "/health/infrastructure") return reply(response, { status: 404, body: { error: "not found" } });
    const establishment = await connectionEstablishmentTime(access, timeoutMs);
    return reply(response, {
      status: establishment.ok ? 200 : 503,
      body: {
        database_pool_utilization: Math.min(1, (pool.totalCount - pool.idleCount + pool.waitingCount) / poolSize),
        vpc_connector_health: establishment.ok ? "healthy" : "unhealthy",
        vpc_connector_utilization: connector.load().utilization,
        connection_establishment_time: establishment.seconds,
        last_smd_phase_times: phases.seconds,
      },
    });
  };
  phases.end("services");

  const sockets = new WebSocketServer({ noServer: true });
  sockets.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.send(JSON.stringify({ type: "health", status: "healthy" }));
  });
  const server = createServer(answer);
  server.on("upgrade", async (request, socket: Duplex, head) => {
    socket.on("error", () => {});
    const { status } = request.url === "/ws/health" ? await health(pool) : { status: 404 };
    if (socket.destroyed) return;
    if (status === 200)
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit("connection", client, request));
    else
      socket.end(
        `HTTP/1.1 ${status} ${status === 404 ? "Not Found" : "Service Unavailable"}\r\nConnection: close\r\n\r\n`,
      );
  });
  phases.end("websocket");
  await listen(server);
  phases.end("ready");

  return {
    port: portOf(server),
    stop: async () => {
      clearInterval(users);
      for (const client of sockets.clients) client.terminate();
      await close(server);
      await pool.end();
    },
  };
}

/** Starts the auth service, whose `/health` asks the database as well, by a small pool of its own. */
export async function startAuth(access: DatabaseAccess, timeoutMs: number): Promise<Service> {
  const pool = makePool(access, 2, timeoutMs);
  const server = createServer(async (request, response) =>
    reply(response, request.url === "/health" ? await health(pool) : { status: 404, body: { error: "not found" } }),
  );
  await listen(server);
  return {
    port: portOf(server),
    stop: async () => {
      await close(server);
      await pool.end();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function health(pool: pg.Pool): Promise<Answer> {
  try {
    await askDatabase(pool);
    return { status: 200, body: { status: "healthy", database: "connected" } };
  } catch (error) {
    return { status: 503, body: { status: "unhealthy", database: (error as Error).message } };
  }
}

/** A connection that failed is not returned to the pool, so that the next question opens a fresh one. */
async function askDatabase(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query("select 1");
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    client.release(failure);
  }
}

/** Seconds until the first answer on a fresh connection; where none comes, the seconds that were spent waiting for it. */
async function connectionEstablishmentTime(
  access: DatabaseAccess,
  timeoutMs: number,
): Promise<{ readonly ok: boolean; readonly seconds: number }> {
  const started = performance.now();
  const client = new pg.Client(connectionOptions(access, timeoutMs));
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return { ok: true, seconds: (performance.now() - started) / 1_000 };
  } catch {
    return { ok: false, seconds: (performance.now() - started) / 1_000 };
  } finally {
    client.end().catch(() => {});
  }
}

/** Connections do not live long, as where instances come and go: so the services feel what becomes of new ones. */
function makePool(access: DatabaseAccess, max: number, timeoutMs: number): pg.Pool {
  const pool = new pg.Pool({ ...connectionOptions(access, timeoutMs), max, maxLifetimeSeconds: timeoutMs / 1_000 });
  pool.on("error", () => {});
  return pool;
}

function connectionOptions(access: DatabaseAccess, timeoutMs: number): pg.ClientConfig {
  return { host: "127.0.0.1", ...access, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs };
}

/** Measures the seven phases of the start, of which the third is the database. */
function startupPhases(): { end(phase: string): void; readonly seconds: Readonly<Record<string, number>> } {
  const names = ["configuration", "dependencies", "database", "cache", "services", "websocket", "ready"];
  const seconds: Record<string, number> = {};
  let since = performance.now();
  const end = (phase: string): void => {
    const now = performance.now();
    seconds[String(names.indexOf(phase) + 1)] = (now - since) / 1_000;
    since = now;
  };
  end("configuration");
  return { end, seconds };
}

function reply(response: Parameters<RequestListener>[1], { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}

async function listen(server: Server): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}
