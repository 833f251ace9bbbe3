/** Simultaneous connections to PostgreSQL, and how many of them a server can spare. */
import type pg from "pg";
import type { Failure } from "../../../shared/messages/report.ts";
import type { ProbeWorld } from "../prober.ts";
import { isRefusal, type Login, openSession, reachServer, sessionFailure } from "./postgres-session.ts";
import { stopwatch } from "./stopwatch.ts";

/** What became of simultaneous connections. */
export interface Burst {
  readonly started: number;
  /** Seconds until each connection that logged in was ready. */
  readonly ready: readonly number[];
  /** Seconds until the server answered each that was to stop before the login. @default none */
  readonly answered?: readonly number[];
  /** Logins that the server itself refused. @default none */
  readonly refusals?: readonly Failure[];
  /** Connections that were lost on the way. */
  readonly failures: readonly Failure[];
}

/** Connections that a burst always leaves free: others log in, and finished sessions are still closing, while it runs. */
export const minFree = 3;

/** The most connections of a burst to a server whose free connections are unknown. */
export const maxConnectionsUncounted = 10;

/** The connections that a server has left. */
export interface FreeConnections {
  /** Logins until the next one is refused by the limit of the server, the database or the role, whichever comes first. */
  readonly free: number;
  /** `max_connections`. */
  readonly max: number;
}

/** The connections that a burst opens, and how many of them log in. */
export interface BurstPlan {
  readonly connections: number;
  readonly logins: number;
}

/**
 * Plans a burst that never takes the last connections from the application.
 * @param asked the connections that the settings ask for
 * @param room absent where it is unknown, or where another probe's burst is using it
 * @param unopened connections that the application's pool may still open
 */
export function burstPlan(asked: number, room: FreeConnections | undefined, unopened: number): BurstPlan {
  if (room === undefined) return { connections: Math.min(asked, maxConnectionsUncounted), logins: 0 };
  const kept = Math.max(minFree, Math.ceil(room.free / 2), unopened);
  // A server has processes for twice `max` connections. Those that stop before the login must leave enough of them to those that log in.
  const connections = Math.min(asked, room.max);
  return { connections, logins: Math.max(0, Math.min(connections, room.free - kept)) };
}

/**
 * Counts the connections that the server has left. The session then holds a lock, so that bursts of other probes of this database wait until
 * it ends instead of counting the same connections as free.
 * @returns `undefined` where the count or the lock is not to be had
 */
export async function roomFor(session: pg.Client, world: ProbeWorld): Promise<FreeConnections | undefined> {
  const remaining = Math.max(2, Math.ceil(world.remaining()));
  const limits = `set local lock_timeout = ${Math.floor(remaining / 2)}; set local idle_in_transaction_session_timeout = ${remaining + 1_000}`;
  try {
    await session.query(`begin read only; ${limits}; select pg_advisory_xact_lock(${burstLock})`);
    const [room] = (await session.query<FreeConnections>(countRoom)).rows;
    return room && Number.isInteger(room.free) && Number.isInteger(room.max) ? room : undefined;
  } catch (error) {
    // A burst that has no time left would count as lost.
    if (world.signal.aborted) throw error;
    return undefined;
  }
}

/** Opens the connections of a burst at the same moment, and closes them when the last has its outcome. */
export async function openBurst(login: Login, { connections, logins }: BurstPlan, world: ProbeWorld): Promise<Burst> {
  const begin = world.clock();
  const ready: number[] = [];
  const answered: number[] = [];
  const refusals: Failure[] = [];
  const failures: Failure[] = [];
  // Kept until all have been tried: the connections of a burst stand at the same time.
  const closing: (() => unknown)[] = [];
  const one = async (logsIn: boolean): Promise<void> => {
    const watch = stopwatch(() => world.clock());
    try {
      if (logsIn) {
        const session = await openSession(login, world, watch);
        closing.push(() => session.end().catch(() => {}));
      } else {
        const socket = await reachServer(login, world, watch);
        closing.push(() => socket.destroy());
      }
      (logsIn ? ready : answered).push((world.clock() - begin) / 1000);
    } catch (error) {
      (isRefusal(error) ? refusals : failures).push(sessionFailure(error, login, watch.phase, world));
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, position) => one(position < logins)));
  for (const close of closing) close();
  return { started: connections, ready, answered, refusals, failures };
}

/**
 * SQL for whether a row of `pg_stat_activity` is a client. A role without the right to see others' sessions (pg_read_all_stats, pg_monitor)
 * reads no backend type and no state of them, but sees whose they are and in which database. Workers of the server itself lack one or the
 * other.
 */
export const isClient = "coalesce(backend_type = 'client backend', usename is not null and datname is not null)";

/** SQL for the connections that the server allows ordinary users. */
export const ordinaryLimit = `current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)`;

/** The key of the advisory lock under which bursts take turns: `pathkeep` in ASCII. */
const burstLock = "8097881596816090480";

/**
 * A login takes one of the server's connections before it is authenticated. Until then only some roles and versions see it in
 * `pg_stat_activity`, but it has a transaction, which every role sees in `pg_locks`.
 */
const countRoom = `
with clients as (
  select pid, usename, datname from pg_stat_activity where ${isClient}
), starting as (
  select count(distinct pid) as n from pg_locks
  where locktype = 'virtualxid' and pid not in (
    select pid from pg_stat_activity where backend_type is not null or usename is not null or datname is not null
  )
)
select
  current_setting('max_connections')::int as max,
  (least(
    ${ordinaryLimit} - (select count(*) from clients),
    (select datconnlimit from pg_database where datname = current_database() and datconnlimit >= 0)
      - (select count(*) from clients where datname = current_database()),
    (select rolconnlimit from pg_roles where rolname = session_user and rolconnlimit >= 0)
      - (select count(*) from clients where usename = session_user)
  ) - (select n from starting))::int as free`;
