/** The state of a server in addition to the result of a query: its connections, and whether it accepts writes. */
import type pg from "pg";
import { ProbeFault } from "../net/faults.ts";
import type { ProbeWorld } from "../prober.ts";
import type { ReportText } from "../text/target-text.ts";
import { isClient, ordinaryLimit } from "./burst.ts";
import { isOfServer, type Login, peerOf, sessionFailure } from "./session.ts";

/** Connections of the server, excluding this probe's own. */
export interface Connections {
  readonly used: number;
  /** The connection limit for ordinary users. */
  readonly limit: number;
  /** Connections of the application's role. */
  readonly pool: number;
  /** Number of connections in each state of `pg_stat_activity`. */
  readonly states: Readonly<Record<string, number>>;
}

/** Connections, or the reason why they could not be counted. */
export type Counted =
  | { readonly connections: Connections }
  | {
      readonly problem: ReportText;
      /** Whether the session is still waiting for the count and cannot run another query. */
      readonly stuck: boolean;
    };

/**
 * Counts the connections in at most half of the time that is left. A server that answers queries is not down because it denies its statistics
 * or is slow to give them.
 * @param role that of the application; `undefined` counts all clients
 * @throws the error of a connection that ended, or of a server that shuts down
 */
export async function countConnections(
  session: pg.Client,
  role: string | undefined,
  login: Login,
  world: ProbeWorld,
): Promise<Counted> {
  const limitMs = Math.max(1, Math.floor(world.remaining() / 2));
  const counted = (async (): Promise<Connections | undefined> => {
    await session.query(`set statement_timeout = ${limitMs}`);
    return firstRow(await session.query<Connections>(query, [role ?? null]));
  })();
  try {
    const connections = await within(limitMs, counted);
    if (connections === overdue) return { problem: tooLong, stuck: true };
    if (connections && Number.isInteger(connections.used) && Number.isInteger(connections.limit))
      return { connections };
    return { problem: "the server does not keep pg_stat_activity", stuck: false };
  } catch (error) {
    if (!world.signal.aborted && (!isOfServer(error) || /^57P0|^08/.test(error.code ?? ""))) throw error;
    // Cancelled by the statement timeout, which has the same meaning.
    if (isOfServer(error) && error.code === "57014") return { problem: tooLong, stuck: world.signal.aborted };
    const { message } = sessionFailure(error, login, { phase: "statistics", address: undefined }, world);
    return { problem: message, stuck: world.signal.aborted };
  }
}

/**
 * Refuses a primary that accepts no writes or, if a primary is required, a replica. A role that is read-only by itself says nothing about
 * its server.
 * @throws ProbeFault
 */
export async function assertWritable(
  session: pg.Client,
  wantsPrimary: boolean,
  login: Login,
  world: ProbeWorld,
): Promise<void> {
  const asked = session.query<{ replica: boolean; readonly: boolean }>(writability).catch(() => undefined);
  const answer = await within(Math.max(1, Math.floor(world.remaining() / 2)), asked);
  const row = answer === overdue || answer === undefined ? undefined : firstRow(answer);
  if (row?.replica === true && wantsPrimary)
    throw new ProbeFault(
      "database",
      `${peerOf(login)} is a replica and accepts no writes, expected a primary. Check for a failover that clients have not followed`,
      { code: readOnly },
    );
  if (row?.replica === false && row.readonly === true)
    throw new ProbeFault(
      "database",
      `${peerOf(login)} is a primary that accepts no writes: default_transaction_read_only is on. Turn it off once the underlying problem, such as a full disk, is fixed`,
      { code: readOnly },
    );
}

/** SQLSTATE read_only_sql_transaction: the error for applications that write to such a server. */
const readOnly = "25006";

const writability = `
select pg_is_in_recovery() as replica,
  coalesce((
    select reset_val = 'on' and source not in ('user', 'database user', 'client', 'session') from pg_settings
    where name = 'default_transaction_read_only'
  ), false) as readonly`;

const query = `
with clients as (
  select usename, coalesce(state, 'unknown') as state from pg_stat_activity where pid <> pg_backend_pid() and ${isClient}
)
select
  count(*)::int as used,
  (count(*) filter (where $1::text is null or usename = $1))::int as pool,
  ${ordinaryLimit} as limit,
  coalesce((
    select json_object_agg(state, n) from (select state, count(*)::int as n from clients group by state) as counted
  ), '{}') as states
from clients`;

/** Returns the first row of a result; none if the result is not that of a single statement. */
function firstRow<Row extends pg.QueryResultRow>({ rows }: { readonly rows?: readonly Row[] }): Row | undefined {
  return rows?.[0];
}

const tooLong = "the server took too long to count them";

const overdue = Symbol("overdue");

/** Returns the result of a promise within so many milliseconds. A later error is ignored. */
async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | typeof overdue> {
  let alarm: NodeJS.Timeout | undefined;
  promise.catch(() => {});
  const late = new Promise<typeof overdue>((resolve) => {
    alarm = setTimeout(() => resolve(overdue), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(alarm);
  }
}
