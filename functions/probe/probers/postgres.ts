/** The prober `postgres`: a fresh connection by phase, a burst of connections, and the free connections of the server. */
import { z } from "zod";
import { customIssue, secretReference } from "../../../shared/config/fields.ts";
import { unlessAborted } from "../../../shared/net/unless-aborted.ts";
import { hostMistake } from "../../../shared/net/written-address.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { sqlInstance } from "../google/watched.ts";
import { addressKinds, connectorPort, instanceAccess } from "../net/cloud-sql.ts";
import { portNumber } from "../net/endpoint.ts";
import { errorText, failureOf, ProbeFault, type SeenFailure } from "../net/faults.ts";
import { type Stopwatch, stopwatch } from "../net/stopwatch.ts";
import { speaksTls } from "../net/tls.ts";
import { type Burst, burstPlan, maxConnectionsUncounted, minFree, openBurst, roomFor } from "../postgres/burst.ts";
import { burstFailure, burstMeasurements, lossMetrics } from "../postgres/burst-metrics.ts";
import { type Login, openSession, peerOf, sessionFailure, tlsModes } from "../postgres/session.ts";
import { assertWritable, type Connections, countConnections } from "../postgres/statistics.ts";
import type { Assessment, Prober, ProbeWorld } from "../prober.ts";
import { cite, type ReportText } from "../text/target-text.ts";
import { always, onlyWhere } from "../yields.ts";

const settings = lazily(() =>
  z
    .strictObject({
      connection: z
        .strictObject({
          url: secretReference().optional().describe("A secret postgres:// URL, instead of all the settings below."),
          host: z
            .string()
            .min(1)
            .superRefine(customIssue((host) => (host.startsWith("/") ? undefined : hostMistake(host))))
            .optional()
            .describe("A host name, an address, or the directory of a socket: /cloudsql/project:region:instance."),
          instance: z
            .string()
            .regex(/^[^:\s]+:[^:\s]+:[^:\s]+$/, "must be an instance such as project:region:name")
            .optional()
            .describe("A Cloud SQL instance, project:region:name, to connect to as Google's connector libraries do."),
          ip: z.enum(addressKinds).default("public").describe("The type of address to use: public, private or psc."),
          port: portNumber()
            .optional()
            .describe("The port, which is also part of the name of a socket. Default: 5432, or 3307 with `instance`."),
          database: z.string().min(1).default("postgres").describe("The database to log in to."),
          user: z.string().min(1).optional().describe("The role to log in as."),
          password: secretReference().optional().describe("The password of the role."),
          iam: z
            .boolean()
            .default(false)
            .describe(
              "Logs in with a token of the function's own identity as the password, for Cloud SQL IAM authentication.",
            ),
        })
        .refine(({ url, host, instance }) => [url, host, instance].filter((way) => way !== undefined).length === 1, {
          message: "set either url: { secret: NAME }, or host and user, or instance and user",
        })
        .refine(({ url, user }) => url !== undefined || user !== undefined, {
          message: `"user" is required: the role to log in as`,
          path: ["user"],
        })
        .refine(({ iam, url, password }) => !iam || (url === undefined && password === undefined), {
          message: "IAM authentication uses no password: set either iam: true or a password",
          path: ["iam"],
        })
        .describe("The server and credentials to connect with."),
      tls: z
        .enum(tlsModes)
        .optional()
        .describe(
          "disable, require (encrypted, but not verified unless `ca` is set), verify-ca or verify-full. Default: require, or verify-full with `ca`. A socket never uses TLS.",
        ),
      ca: secretReference()
        .optional()
        .describe(
          "Trusted certificate authorities in PEM, instead of the system's. The server is always verified against them.",
        ),
      query: z
        .string()
        .min(1)
        .default("select 1")
        .describe("The first query. It runs in a read-only transaction that the server ends at the probe's deadline."),
      primary: z
        .boolean()
        .default(false)
        .describe(
          "Whether the probe fails if the server is a replica. A primary that accepts no writes always fails the probe.",
        ),
      burst: z
        .strictObject({
          connections: z
            .int()
            .min(0)
            .max(100)
            .default(0)
            .describe("The number of connections that each stage opens simultaneously, or 0 for no burst."),
          ceiling: z
            .int()
            .min(1)
            .optional()
            .describe(
              "The number of connections at which the VPC connector on the path fails. The burst and all client connections together stay below it.",
            ),
        })
        .prefault({})
        .describe("Simultaneous fresh connections, which an overloaded network path drops first."),
      pool: z
        .strictObject({
          size: z.int().min(1).describe("Connections that the application's pools keep open, over all instances."),
          overflow: z
            .int()
            .min(0)
            .default(0)
            .describe("Connections that they may open beyond `size`, over all instances."),
          role: z
            .string()
            .min(1)
            .optional()
            .describe("The role that the application logs in as. Default: all clients are counted."),
        })
        .optional()
        .describe("The application's connection pool, for cloud_sql_pool_utilization."),
    })
    .refine(({ connection: { iam, host = "/" }, tls }) => !iam || tls !== "disable" || host.startsWith("/"), {
      message: "a token must not be sent unencrypted: use require, verify-ca or verify-full",
      path: ["tls"],
    })
    .refine(({ ca, tls }) => ca === undefined || tls !== "disable", {
      message: "ca has no effect without TLS: use verify-full or verify-ca, or remove ca",
      path: ["tls"],
    })
    .refine(({ connection: { host = "" }, ca, tls = "" }) => !host.startsWith("/") || !(ca || /^verify/.test(tls)), {
      message: "a socket never uses TLS: remove ca and tls",
      path: ["connection", "host"],
    })
    .refine(({ connection: { instance }, ca }) => instance === undefined || ca === undefined, {
      message: "an instance is verified against its own authority, which Google's API provides: remove ca",
      path: ["ca"],
    }),
);

/** Settings of a `postgres` probe. */
export type PostgresSettings = z.output<ReturnType<typeof settings>>;

/** The observation of the server. */
export interface PostgresObservation {
  readonly failure?: SeenFailure | undefined;
  /** Seconds in each completed phase. */
  readonly phases: Readonly<Record<string, number>>;
  /** Seconds from the start of the connection to the result of the first query. */
  readonly seconds?: number | undefined;
  readonly connections?: Connections | undefined;
  /** Why the connections could not be counted. */
  readonly uncounted?: ReportText | undefined;
  readonly burst?: Burst | undefined;
}

/** The prober `postgres`. */
export const postgres: Prober<PostgresSettings, PostgresObservation> = {
  kind: "postgres",
  title:
    "Opens a fresh connection to PostgreSQL, times each phase, counts the connections in use, and can open a burst of connections. A burst fails the probe only when none of its connections succeeds.",
  role: "database",
  reach: "private",
  get settings() {
    return settings();
  },
  example: `connection: { host: 10.20.0.3, user: pathkeeper, password: { secret: database-password } }
tls: require
burst: { connections: 10 }
pool: { size: 10, overflow: 15, role: backend }
`,
  notes: `## What a burst measures
A burst has up to three sequential stages, each of which opens its connections simultaneously: TCP connections, connections up to the TLS handshake
(or up to the server's first response without TLS), and logins. \`database_connect_burst_connections\` is the number that each stage opened. Each
type of loss has a metric, by \`stage\`:

| metric | meaning |
|---|---|
| \`database_connect_burst_unanswered\` | no response arrived in the time of the stage; in the stage \`connect\`, an unanswered SYN |
| \`database_connect_burst_resets\` | the connection was reset, or refused by TCP |
| \`database_connect_burst_tls_failures\` | the TLS handshake failed |
| \`database_connect_burst_refusals\` | the server itself refused the connection, with the SQLSTATE \`code\` |

\`database_connect_burst_success\` describes only the network path: 1 minus the share that was lost in the worst stage. A connection that the server
refuses, for example with SQLSTATE 53300, does not count as lost.

## Limits of a burst
A burst never takes the last connections of a server. Before it starts, the probe counts the free connections: \`max_connections\` minus the
reserved ones, those in use, and unfinished logins. The limits of the database and of the role count too. Half of the free connections stay free, at
least ${minFree}, and at least as many as \`pool\` may still open. Only the rest log in. The other stages use none of \`max_connections\`. With
\`burst.ceiling\`, the connections of a stage, of all clients and of the probe itself stay below that number together.
Bursts of several probes of one database run one after the other. If the free connections cannot be counted, or another burst does not end, no
connection logs in, and at most ${maxConnectionsUncounted} are opened, or none with \`burst.ceiling\`.
`,

  usualSeconds: 0.5,
  looksAt: ({ connection: { instance } }) => (instance === undefined ? [] : [sqlInstance(instance)]),
  requires: ({ connection: { instance, iam } }) => ({ cloudSqlInstance: instance, cloudSqlLogin: iam }),
  yields: (settings) => [
    ...always("database_connection_time", "database_connections", "database_connection_limit"),
    { metric: "database_phase_time", labels: { phase: ["dns", "connect", "tls", "authentication", "query"] } },
    ...always("database_connections_by_state"),
    ...onlyWhere(settings, ({ pool }) => pool !== undefined, "with pool", ["cloud_sql_pool_utilization"]),
    ...onlyWhere(settings, ({ burst }) => burst.connections > 0, "with burst", [
      "database_connect_burst_success",
      "database_connect_burst_time",
      ...(
        [
          "database_connect_burst_connections",
          "database_connect_burst_refusals",
          ...Object.values(lossMetrics),
        ] as const
      ).map((metric) => ({ metric, labels: { stage: ["connect", "tls", "answer", "login"] } })),
    ]),
  ],

  async observe(settings, world) {
    let login: Login;
    try {
      login = await loginOf(settings, world);
    } catch (error) {
      if (!(error instanceof ProbeFault) && !world.signal.aborted) throw error;
      const peer = settings.connection.instance ?? "the database";
      return { failure: failureOf(error, { phase: "access", peer, signal: world.signal }), phases: {} };
    }
    return await observed(login, settings, world);
  },

  assess({ connection, pool }, { failure, phases, seconds, connections, uncounted, burst }) {
    const measurements: Assessment["measurements"][number][] = Object.entries(phases).map(([phase, value]) => ({
      metric: "database_phase_time",
      value,
      labels: { phase },
    }));
    if (seconds !== undefined) measurements.push({ metric: "database_connection_time", value: seconds });
    if (connections)
      measurements.push(
        { metric: "database_connections", value: connections.used },
        { metric: "database_connection_limit", value: connections.limit },
        ...Object.entries({ ...noStates, ...connections.states }).map(([state, value]) => ({
          metric: "database_connections_by_state" as const,
          value,
          labels: { state },
        })),
      );
    if (connections && pool)
      measurements.push({
        metric: "cloud_sql_pool_utilization",
        value: connections.pool / (pool.size + pool.overflow),
      });
    if (burst) measurements.push(...burstMeasurements(burst));
    const reason = failure ?? burstFailure(burst);
    const conclusive = failure === undefined ? { conclusive: true as const } : {};
    return {
      ...(reason ? { failure: reason, ...conclusive } : {}),
      measurements,
      ...(uncounted === undefined
        ? {}
        : {
            unchecked: [
              {
                checks: ["database_connections"],
                resource: connection.instance ?? connection.host ?? "the database",
                explanation: cite`The connections could not be counted: ${uncounted}. Give the role pg_monitor (\`grant pg_monitor to ROLE\`), or find out what slows down the server.`,
              },
            ],
          }),
    };
  },
};

/** States that are reported even if no connection is in them. */
const noStates: Connections["states"] = { active: 0, idle: 0, "idle in transaction": 0 };

/** Observes the first connection, the state of the server, and the burst while that connection is open. */
async function observed(
  login: Login,
  { query, primary, pool, burst: { connections: asked, ceiling } }: PostgresSettings,
  world: ProbeWorld,
): Promise<PostgresObservation> {
  const watch = stopwatch(() => world.clock());
  const started = world.clock();
  let seconds: number | undefined;
  let phases: Readonly<Record<string, number>> | undefined;
  try {
    const session = await openSession(login, world, watch);
    const sessionMs = world.clock() - started;
    watch.enter("query");
    // Limited and read-only on the server's side too, so that an abandoned query does not keep running.
    const limit = Math.max(1, Math.ceil(world.remaining()));
    await session.query(`begin read only; set local statement_timeout = ${limit}; ${query}\n; commit`);
    watch.stop();
    seconds = (world.clock() - started) / 1000;
    phases = { ...watch.times() };
    await assertWritable(session, primary, login, world);
    watch.enter("statistics");
    const counted = await countConnections(session, pool?.role, login, world);
    const connections = "connections" in counted ? counted.connections : undefined;
    const seen = { phases, seconds, connections, ...("problem" in counted ? { uncounted: counted.problem } : {}) };
    const isStuck = "stuck" in counted && counted.stuck;
    if (asked === 0 || world.signal.aborted) {
      if (!isStuck) session.end().catch(() => {});
      return seen;
    }
    // If counting failed once, it is not tried again.
    const room = connections === undefined ? undefined : await roomFor(session, world);
    const unopened = pool && connections ? pool.size + pool.overflow - connections.pool : 0;
    const plan = burstPlan(asked, { room, unopened, ceiling, used: connections?.used });
    const burst = world.signal.aborted ? undefined : await openBurst(login, plan, sessionMs, world);
    if (!isStuck) session.end().catch(() => {});
    return { ...seen, ...(burst === undefined ? {} : { burst }) };
  } catch (error) {
    const failure = sessionFailure(error, login, watch, world);
    return { failure: await overTls(failure, login, watch, world), phases: phases ?? watch.times(), seconds };
  }
}

/** Returns the failure, or its meaning if the port speaks TLS from the first byte and closes any other connection. */
async function overTls(
  failure: SeenFailure,
  login: Login,
  { address }: Stopwatch,
  world: ProbeWorld,
): Promise<SeenFailure> {
  const isSilent = failure.kind === "reset" && /^(tls|authentication)$/.test(failure.phase) && !login.instance;
  if (!isSilent || !(await speaksTls(address, login.port, world))) return failure;
  const { phase } = failure;
  const message = `${peerOf(login)} speaks TLS from the first byte, which PostgreSQL does not: use the port of the server itself, such as 5432, or set connection.instance to use the Cloud SQL connector`;
  return { kind: "protocol", phase, message };
}

async function loginOf({ connection, tls, ca: authority }: PostgresSettings, world: ProbeWorld): Promise<Login> {
  const ca = authority && (await world.resolve(authority));
  if (connection.url) {
    const { sslmode, ...login } = readUrl(await world.resolve(connection.url), connection.url.secret, world);
    if (ca !== undefined && login.host.startsWith("/"))
      throw new Error(`the secret "${connection.url.secret}" refers to a socket, which never uses TLS: remove ca`);
    return { ...login, tls: tlsMode(tls ?? sslmode, ca), ca };
  }
  const common = { tls: tlsMode(tls, ca), ca };
  const { host = "", instance: name, ip, database, user = "", iam } = connection;
  const password = iam ? await token(world) : connection.password && (await world.resolve(connection.password));
  if (name === undefined) return { host, port: connection.port ?? 5432, database, user, password, ...common };
  const instance = await instanceAccess(name, ip, world);
  return { host: instance.host, port: connection.port ?? connectorPort, database, user, password, ...common, instance };
}

/** Returns the extent of TLS: if authorities are set, the server is always verified against them, as PostgreSQL's own clients do. */
function tlsMode(wanted: PostgresSettings["tls"], ca: string | undefined): Login["tls"] {
  if (ca === undefined) return wanted ?? "require";
  return wanted === "require" ? "verify-ca" : (wanted ?? "verify-full");
}

/** Returns a token of the function, as the password of a role for its service account. */
async function token({ google, signal, conceal }: ProbeWorld): Promise<string> {
  const asked = google.accessToken().catch((error: unknown) => {
    throw new ProbeFault("auth", errorText(error));
  });
  const text = await unlessAborted(asked, signal);
  conceal(text);
  return text;
}

/** Decodes a part of a URL; returns it unchanged if it contains an invalid escape, such as `%zz`. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function readUrl(
  text: string,
  secret: string,
  world: ProbeWorld,
): Omit<Login, "tls" | "ca"> & { readonly sslmode: "verify-ca" | "verify-full" | undefined } {
  const url = URL.parse(text);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.username === "")
    throw new Error(`the secret "${secret}" must contain a URL such as postgres://user:password@host:5432/database`);
  const password = decoded(url.password);
  world.conceal(password);
  const sslmode = url.searchParams.get("sslmode");
  return {
    // Only options that make it safer are taken from the URL: disabling TLS requires the settings.
    sslmode: sslmode === "verify-ca" || sslmode === "verify-full" ? sslmode : undefined,
    host: url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || 5432),
    database: decoded(url.pathname.slice(1)) || "postgres",
    user: decoded(url.username),
    password: password === "" ? undefined : password,
  };
}
