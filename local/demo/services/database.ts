/** Database access of the demo's services: connection pools through the connector. */
import pg from "pg";
import type { Answer } from "./http.ts";

/** Connection of a service to the database. */
export interface DatabaseAccess {
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** Returns true if the service is healthy, which requires a response from the database. */
export async function health(pool: pg.Pool): Promise<Answer> {
  try {
    await ask(pool);
    return { status: 200, body: { status: "healthy", database: "connected" } };
  } catch (error) {
    return { status: 503, body: { status: "unhealthy", database: (error as Error).message } };
  }
}

/**
 * Asks the database one question. A connection that failed is not returned to the pool, so that the next question opens a fresh one.
 * @returns the rows
 */
export async function ask(
  pool: pg.Pool,
  question: string = "select 1",
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    return (await client.query(question, [...values])).rows;
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    client.release(failure);
  }
}

/** Runs the database setup of a service at startup, with a longer timeout than for later queries. */
export async function atStart(access: DatabaseAccess, work: (pool: pg.Pool) => Promise<unknown>): Promise<void> {
  const pool = makePool(access, 1, 30_000);
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}

/** Seconds until the first answer on a fresh connection; where none comes, the seconds that were spent waiting for it. */
export async function connectionEstablishmentTime(
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
export function makePool(access: DatabaseAccess, max: number, timeoutMs: number): pg.Pool {
  const pool = new pg.Pool({ ...connectionOptions(access, timeoutMs), max, maxLifetimeSeconds: timeoutMs / 1_000 });
  pool.on("error", () => {});
  // One that is in use has no listener of the pool's: its end reaches the query, and must not end the process besides.
  pool.on("connect", (client) => void client.on("error", () => {}));
  return pool;
}

function connectionOptions(access: DatabaseAccess, timeoutMs: number): pg.ClientConfig {
  return { host: "127.0.0.1", ...access, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs };
}
