/** Simultaneous connections to PostgreSQL, and the number that a server can spare. */
import type { Socket } from "node:net";
import type pg from "pg";
import { Overrun, type SeenFailure } from "../net/faults.ts";
import { type Stopwatch, stopwatch } from "../net/stopwatch.ts";
import type { ProbeWorld } from "../prober.ts";
import {
  isRefusal,
  type Login,
  openConnection,
  openSession,
  reachServer,
  sessionFailure,
  speaksTls,
} from "./session.ts";

/** How far the connections of a stage go: `answer` replaces `tls` if PostgreSQL's own TLS is not used. */
export type BurstStageName = "connect" | "tls" | "answer" | "login";

/** Ways in which connections are lost on the path to the server. */
export const lossClasses = ["unanswered", "reset", "tls"] as const;

/** A lost connection: no response in time, a reset, or a failed TLS handshake. */
export type LossClass = (typeof lossClasses)[number];

/** The results of connections that were opened simultaneously and went equally far. */
export interface BurstStage {
  readonly stage: BurstStageName;
  /** Seconds until each connection that was not lost was established. */
  readonly ready: readonly number[];
  /** Connections that the server itself refused. */
  readonly refusals: readonly SeenFailure[];
  /** Connections that were lost on the way. */
  readonly losses: readonly { readonly class: LossClass; readonly failure: SeenFailure }[];
}

/** The results of a burst: its stages in sequence. */
export type Burst = readonly BurstStage[];

/** Returns the number of connections that a stage opened. */
export function openedBy({ ready, refusals, losses }: BurstStage): number {
  return ready.length + refusals.length + losses.length;
}

/** Number of connections that a burst always leaves free: others log in, and finished sessions are still closing, while it runs. */
export const minFree = 3;

/** Maximum number of connections in a burst to a server whose free connections are unknown. */
export const maxConnectionsUncounted = 10;

/** The free connections of a server. */
export interface FreeConnections {
  /** Number of logins until the next one is refused by the limit of the server, the database or the role, whichever comes first. */
  readonly free: number;
  /** `max_connections`. */
  readonly max: number;
}

/** The number of connections that each stage of a burst opens, and the number of logins. */
export interface BurstPlan {
  readonly connections: number;
  readonly logins: number;
}

/** The limits of a burst. */
export interface BurstLimits {
  /** Absent if it is unknown, or if another probe's burst is using it. */
  readonly room: FreeConnections | undefined;
  /** Connections that the application's pool may still open. */
  readonly unopened: number;
  /** The number of connections at which the path to the server fails. @default none */
  readonly ceiling?: number | undefined;
  /** Client connections now, excluding this probe's own; absent if they could not be counted. */
  readonly used?: number | undefined;
}

/**
 * Plans a burst that never takes the last connections from the application, neither on the server nor on the path to it.
 * @param asked the number of connections in the settings
 */
export function burstPlan(asked: number, { room, unopened, ceiling, used }: BurstLimits): BurstPlan {
  // Stays below the ceiling together with the open connections, and with the session of this probe.
  const below = ceiling === undefined ? asked : used === undefined ? 0 : Math.max(0, ceiling - 1 - (used + 1));
  const bearable = Math.min(asked, below);
  if (room === undefined) return { connections: Math.min(bearable, maxConnectionsUncounted), logins: 0 };
  const kept = Math.max(minFree, Math.ceil(room.free / 2), unopened);
  // A server has processes for twice `max` connections. Connections that stop before the login must leave enough of them for those that log
  // in.
  const connections = Math.min(bearable, room.max);
  return { connections, logins: Math.max(0, Math.min(connections, room.free - kept)) };
}

/**
 * Counts the free connections of the server. The session then holds a lock, so that bursts of other probes of this database wait until it
 * ends instead of counting the same connections as free.
 * @returns `undefined` if the count or the lock cannot be obtained
 */
export async function roomFor(session: pg.Client, world: ProbeWorld): Promise<FreeConnections | undefined> {
  const remaining = Math.max(2, Math.ceil(world.remaining()));
  const limits = `set local lock_timeout = ${Math.floor(remaining / 2)}; set local idle_in_transaction_session_timeout = ${remaining + 1_000}`;
  try {
    await session.query(`begin read only; ${limits}; select pg_advisory_xact_lock(${burstLock})`);
    const [room] = (await session.query<FreeConnections>(countRoom)).rows;
    return room && Number.isInteger(room.free) && Number.isInteger(room.max) ? room : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens a burst in sequential stages: TCP connections, connections up to the TLS handshake or the server's first response, and logins. This
 * shows how far connections get. Each stage has an equal part of the remaining time, and closes what it opened. A stage with less time than
 * one connection takes is skipped: it would only measure the clock.
 * @param sessionMs time that one session took to open, in milliseconds
 * @returns `undefined` if there was no time for any stage
 */
export async function openBurst(
  login: Login,
  plan: BurstPlan,
  sessionMs: number,
  world: ProbeWorld,
): Promise<Burst | undefined> {
  const second = speaksTls(login) ? "tls" : "answer";
  const stages = [
    { stage: "connect", count: plan.connections, open: openConnection },
    { stage: second, count: plan.connections, open: reachServer },
    { stage: "login", count: plan.logins, open: openSession },
  ] as const;
  const wanted = stages.filter(({ count }) => count > 0);
  const seen: BurstStage[] = [];
  for (const [position, stage] of wanted.entries()) {
    const limitMs = world.remaining() / (wanted.length - position) - marginMs;
    if (limitMs < patience * sessionMs) continue;
    seen.push(await openStage(stage, login, limitMs, world));
  }
  return seen.length === 0 ? undefined : seen;
}

/** Maximum duration of a connection of a burst, as a multiple of the duration of the session. */
const patience = 1.5;

/** The part of a stage's time that is reserved for closing, in milliseconds. */
const marginMs = 10;

interface PlannedStage {
  readonly stage: BurstStageName;
  readonly count: number;
  readonly open: (login: Login, world: ProbeWorld, watch: Stopwatch) => Promise<Socket | pg.Client>;
}

/** Opens the connections of a stage simultaneously, and closes them when the last has its outcome. */
async function openStage(
  { stage, count, open }: PlannedStage,
  login: Login,
  limitMs: number,
  world: ProbeWorld,
): Promise<BurstStage> {
  const begin = world.clock();
  const ready: number[] = [];
  const refusals: SeenFailure[] = [];
  const losses: BurstStage["losses"][number][] = [];
  // Kept until all have been tried: the connections of a stage are open simultaneously.
  const opened: (Socket | pg.Client)[] = [];
  const overrun = new AbortController();
  const alarm = setTimeout(
    () => overrun.abort(new Overrun(`stage ${stage} of the burst`, limitMs)),
    Math.max(0, limitMs),
  );
  const bounded = { ...world, signal: AbortSignal.any([world.signal, overrun.signal]) };
  const one = async (): Promise<void> => {
    const watch = stopwatch(() => world.clock());
    try {
      opened.push(await open(login, bounded, watch));
      ready.push((world.clock() - begin) / 1000);
    } catch (error) {
      const failure = sessionFailure(error, login, watch, bounded);
      if (isRefusal(error)) refusals.push(failure);
      else losses.push({ class: lossClass(failure), failure });
    }
  };
  await Promise.all(Array.from({ length: count }, one));
  clearTimeout(alarm);
  await Promise.all(opened.map(closed));
  return { stage, ready, refusals, losses };
}

/** Time for the server to notice that a connection has ended, in milliseconds: the next stage must not overlap with this one. */
const closingMs = 250;

/** Ends a connection and waits until the server has ended it too. */
async function closed(connection: Socket | pg.Client): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const alarm = setTimeout(resolve, closingMs);
  if ("resume" in connection) connection.once("close", resolve).resume().end();
  else connection.end().then(resolve, resolve);
  await promise;
  clearTimeout(alarm);
  if ("destroy" in connection) connection.destroy();
}

function lossClass({ kind, phase }: SeenFailure): LossClass {
  if (kind === "timeout" || kind === "unavailable" || kind === "dns") return "unanswered";
  return phase === "tls" && kind !== "reset" ? "tls" : "reset";
}

/**
 * SQL for whether a row of `pg_stat_activity` is a client. A role without the right to see others' sessions (pg_read_all_stats, pg_monitor)
 * reads neither their backend type nor their state, but sees their role and database. Workers of the server itself lack one or the other.
 */
export const isClient = "coalesce(backend_type = 'client backend', usename is not null and datname is not null)";

/** SQL for the connection limit of ordinary users. */
export const ordinaryLimit = `current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)`;

/** The key of the advisory lock that serializes bursts: `pathkeep` in ASCII. */
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
