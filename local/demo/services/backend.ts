/** The demo's backend: health, infrastructure metrics, and the chat. It reaches the database and the cache through the connector. */

import type { Connector } from "../connector.ts";
import type { DemoFaults } from "../faults.ts";
import { askCache, type CacheAccess } from "./cache.ts";
import { serveChat } from "./chat.ts";
import { ask, atStart, connectionEstablishmentTime, type DatabaseAccess, health, makePool } from "./database.ts";
import { close, jsonServer, listen, notFound, type Service } from "./http.ts";
import { startupPhases } from "./startup.ts";

/** Options of the backend. */
export interface BackendOptions {
  readonly access: DatabaseAccess;
  readonly cache: CacheAccess;
  readonly connector: Connector;
  /** Timeout of a connection and of a query, in milliseconds. */
  readonly timeoutMs: number;
  readonly faults: () => DemoFaults;
}

const poolSize = 10;

/** Timeout of the cache at startup, in milliseconds. */
const patienceAtStartMs = 30_000;

/**
 * Starts the backend: `/health` asks the database, `/health/infrastructure` measures the way to it, `/ws/health` and `/ws` are its
 * WebSockets. Its users keep a part of its pool busy, so that the pool fills when queries hang.
 */
export async function startBackend({ access, cache, connector, timeoutMs, faults }: BackendOptions): Promise<Service> {
  const phases = startupPhases();
  const pool = makePool(access, poolSize, timeoutMs);
  phases.end("dependencies");
  await atStart(access, (patient) => ask(patient));
  phases.end("database");
  await askCache(cache, ["PING"], patienceAtStartMs);
  phases.end("cache");

  const query = `select pg_sleep(${(0.075 * timeoutMs) / 1_000})`;
  const users = setInterval(() => pool.query(query).catch(() => {}), timeoutMs / 20);
  const server = jsonServer(async ({ url }) => {
    if (faults().deploy === "broken") return { status: 500, body: { error: "TypeError: agents is not iterable" } };
    // Without the role, the backend cannot connect to the database.
    if (faults().change === "role")
      return { status: 503, body: { status: "unhealthy", database: "403 notAuthorized" } };
    if (url === "/health") return await health(pool);
    if (url !== "/health/infrastructure") return notFound;
    const establishment = await connectionEstablishmentTime(access, timeoutMs);
    return {
      status: establishment.ok ? 200 : 503,
      body: {
        database_pool_utilization: Math.min(1, (pool.totalCount - pool.idleCount + pool.waitingCount) / poolSize),
        vpc_connector_health: establishment.ok ? "healthy" : "unhealthy",
        vpc_connector_utilization: connector.load().utilization,
        connection_establishment_time: establishment.seconds,
        last_smd_phase_times: { ...phases.seconds, "3": (phases.seconds["3"] ?? 0) + faults().slowStart },
      },
    };
  });
  phases.end("services");
  const endChat = serveChat(server, { pool, cache, pauseMs: timeoutMs / 20, faults });
  phases.end("websocket");
  const port = await listen(server);
  phases.end("ready");

  return {
    port,
    stop: async () => {
      clearInterval(users);
      endChat();
      await close(server);
      await pool.end();
    },
  };
}
