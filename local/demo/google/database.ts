/** Metrics of the demo's database, read over a separate path that bypasses the connector, as Google does for Cloud SQL. */
import pg from "pg";
import type { PostgresServer } from "../postgres.ts";
import type { DatabaseReadings } from "./record.ts";

/** Reads the database again and again on one connection, as its superuser; nothing where it does not answer in time. */
export function databaseReader(
  { port, password }: Pick<PostgresServer, "port" | "password">,
  timeoutMs: number,
): { read(): Promise<DatabaseReadings | undefined>; stop(): Promise<void> } {
  let client: pg.Client | undefined;
  const connect = async (): Promise<pg.Client> => {
    const limits = { connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs };
    const superuser = { user: "postgres", database: "postgres", application_name: "cloud-sql-metrics" };
    const fresh = new pg.Client({ host: "127.0.0.1", port, password, ...superuser, ...limits });
    fresh.on("error", () => {});
    await fresh.connect();
    client = fresh;
    return fresh;
  };
  const stop = async (): Promise<void> => {
    const last = client;
    client = undefined;
    await last?.end().catch(() => {});
  };
  return {
    stop,
    read: async () => {
      try {
        const { rows } = await (client ?? (await connect())).query<DatabaseReadings>(readings);
        return rows[0];
      } catch {
        await stop();
        return undefined;
      }
    },
  };
}

/** Its own connection is not counted: Google's agents are not, either. */
const readings = `
with clients as (
  select datname, state from pg_stat_activity where pid <> pg_backend_pid() and datname is not null
), databases as (
  select datname, count(clients.datname)::int as connections from pg_database left join clients using (datname)
  where datallowconn and not datistemplate group by datname
)
select
  (select json_object_agg(datname, connections) from databases) as connections,
  (select count(*)::int from clients where state = 'active') as active,
  (select sum(sessions)::float8 from pg_stat_database) as sessions,
  (select sum(blks_read)::float8 from pg_stat_database) as "blocksRead",
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as "bytesWritten",
  (select sum(pg_database_size(datname))::float8 from databases) as "bytesStored"`;
