import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { measured, probeOnce } from "../../functions/probe/fixtures.ts";
import { cloudSql } from "../../functions/probe/probers/cloud_sql.ts";
import { tls } from "../../functions/probe/probers/tls.ts";
import { vpcConnector } from "../../functions/probe/probers/vpc_connector.ts";
import type { Heartbeat } from "../../shared/messages/heartbeat.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { type ConnectorFaults, healthy } from "./connector.ts";
import { type Demo, startDemo } from "./environment.ts";
import { allWell } from "./faults.ts";
import { startBackup } from "./services/backup.ts";

/** Slow, so that what is measured is the demo and not how busy the machine is. */
const pace = 0.5;
let dataDir: string;
let demo: Demo;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "pathkeeper-demo-"));
  // If the tests run as root, PostgreSQL runs as another user, who needs access.
  await chmod(dataDir, 0o755);
  demo = await startDemo({ dataDir, log: silentLogger, pace });
});

afterAll(async () => {
  await demo.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function get(port: number, path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The status of the answer to a handshake; 101 when it was accepted. */
function handshake(path = "/ws/health", authorization?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = authorization === undefined ? {} : { authorization };
    const socket = new WebSocket(`ws://127.0.0.1:${demo.targets.backend}${path}`, { headers });
    socket.on("open", () => {
      socket.close();
      resolve(101);
    });
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
    socket.on("error", reject);
  });
}

async function canQuery(port: number): Promise<boolean> {
  const { databaseName: database, databaseUser: user } = demo.targets;
  const password = demo.secrets["demo-database-password"];
  const client = new pg.Client({ host: "127.0.0.1", port, database, user, password, connectionTimeoutMillis: 1_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query("select 1 as one")).rows[0]?.one === 1;
  } catch {
    return false;
  } finally {
    client.end().catch(() => {});
  }
}

function setConnector(faults: Partial<ConnectorFaults>): Promise<void> {
  return demo.setFaults({ ...allWell, connector: { ...healthy, ...faults } });
}

/** Returns the state as seen by users, operators and both connection paths to the database. */
async function look(): Promise<object> {
  const { backend, auth, connector, database } = demo.targets;
  const [health, login, infrastructure, socket, inside, outside] = await Promise.all([
    get(backend, "/health"),
    get(auth, "/health"),
    get(backend, "/health/infrastructure"),
    handshake(),
    canQuery(connector),
    canQuery(database),
  ]);
  const statuses = { health: health.status, login: login.status, infrastructure: infrastructure.status, socket };
  return { ...statuses, connector: infrastructure.body["vpc_connector_health"], inside, outside };
}

const well = {
  health: 200,
  login: 200,
  infrastructure: 200,
  socket: 101,
  connector: "healthy",
  inside: true,
  outside: true,
};
const sick = {
  health: 503,
  login: 503,
  infrastructure: 503,
  socket: 503,
  connector: "unhealthy",
  inside: false,
  outside: true,
};

describe("the environment", () => {
  it("is healthy, and reports it in the format that the monitor reads", async () => {
    await vi.waitFor(async () => expect(await look()).toEqual(well), { timeout: 60_000 });
    const { body } = await get(demo.targets.backend, "/health/infrastructure");
    expect(body["connection_establishment_time"]).toBeGreaterThan(0);
    expect(body["connection_establishment_time"]).toBeLessThan(5);
    expect(body["database_pool_utilization"]).toBeLessThan(0.8);
    expect(body["vpc_connector_utilization"]).toBeLessThan(0.7);
    expect(Object.keys(body["last_smd_phase_times"] as object)).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
  });

  it("has slow connections with a slow connector", async () => {
    await setConnector({ latencyMs: 150 });
    const { status, body } = await get(demo.targets.backend, "/health/infrastructure");
    expect(status).toBe(200);
    expect(body["connection_establishment_time"]).toBeGreaterThanOrEqual(0.145);
    await setConnector({});
  });

  it("fails everywhere except at the database when the connector loses connections, and recovers with its repair", async () => {
    await setConnector({ lost: 1, neighbours: 0.9 });
    await vi.waitFor(async () => expect(await look()).toEqual(sick), { timeout: 60_000 });
    await vi.waitFor(
      async () => {
        const { body } = await get(demo.targets.backend, "/health/infrastructure");
        expect(body["database_pool_utilization"]).toBeGreaterThan(0.85);
        expect(body["vpc_connector_utilization"]).toBeGreaterThan(0.9);
      },
      { timeout: 60_000 },
    );
    await setConnector({});
    await vi.waitFor(async () => expect(await look()).toEqual(well), { timeout: 60_000 });
  });

  it("requires the password to log in, and a login to open the chat, until logout", async () => {
    const post = (path: string, body: unknown, token = "") =>
      fetch(`http://127.0.0.1:${demo.targets.auth}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
    const { email } = demo.targets;
    const password = demo.secrets["demo-user-password"];
    expect((await post("/auth/login", { email, password: "wrong" })).status).toBe(401);
    expect((await post("/auth/login", { email: "nobody@demo.localhost", password })).status).toBe(401);
    expect((await post("/auth/login", "no object")).status).toBe(401);
    const answer = await post("/auth/login", { email, password });
    const { token } = (await answer.json()) as { token: string };
    expect([answer.status, token.length]).toEqual([200, 32]);
    expect(await handshake("/ws")).toBe(401);
    expect(await handshake("/ws", "Bearer no-such-token")).toBe(403);
    expect(await handshake("/ws", `Bearer ${token}`)).toBe(101);
    expect((await post("/auth/logout", {}, token)).status).toBe(200);
    expect((await post("/auth/logout", {}, token)).status).toBe(401);
    expect(await handshake("/ws", `Bearer ${token}`)).toBe(403);
    expect(await handshake("/ws", `Bearer ${demo.secrets["demo-websocket-token"]}`)).toBe(101);
  });

  it("closes every chat with 4401 while all tokens are rejected", async () => {
    await demo.setFaults({ ...allWell, tokens: "refused" });
    const socket = new WebSocket(`ws://127.0.0.1:${demo.targets.backend}/ws`, {
      headers: { authorization: `Bearer ${demo.secrets["demo-websocket-token"]}` },
    });
    const [code, reason] = await once(socket, "close");
    expect([code, String(reason)]).toEqual([4401, "the token is not valid"]);
    expect(await handshake()).toBe(101);
    await demo.setFaults(allWell);
  });

  it("presents a certificate of its own authority, which can expire and be renewed", async () => {
    const look = () =>
      probeOnce(
        tls,
        {
          host: "127.0.0.1",
          port: demo.targets.website,
          server_name: "www.demo.localhost",
          tls: { ca: { secret: "demo-authority" } },
        },
        { secrets: demo.secrets },
      );
    const expiry = async () => Math.round((measured(await look(), "tls_certificate_expiry") ?? 0) / 86_400);
    expect([(await look()).failure, await expiry()]).toEqual([undefined, 60]);
    await demo.setFaults({ ...allWell, certificate: "expired" });
    expect([(await look()).failure?.message, await expiry()]).toEqual([expect.stringMatching(/ expired on 20/), -1]);
    await demo.setFaults(allWell);
    expect((await look()).failure).toBeUndefined();
  });

  it("reports database backups and their failures, and nothing when stopped", async () => {
    const { database: port, databaseName: database, databaseUser: user, email } = demo.targets;
    const access = { port, database, user, password: demo.secrets["demo-database-password"] ?? "" };
    const file = join(dataDir, "backup.json");
    const beats: Heartbeat[] = [];
    let nights = 0;
    let runs = true;
    const job = startBackup({
      access,
      file,
      everyMs: 20,
      timeoutMs: 5_000,
      runs: () => {
        nights += 1;
        return runs;
      },
      report: async (beat) => beats.push(beat),
    });
    const last = (beat: object) => vi.waitFor(() => expect(beats.at(-1)).toMatchObject(beat), { timeout: 60_000 });
    await last({ name: "nightly-backup", ok: true, message: "users saved: 1" });
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject([{ email }]);
    await demo.setFaults({ ...allWell, database: "closed" });
    await last({ name: "nightly-backup", ok: false, message: expect.stringMatching(/^the database: /) });
    await demo.setFaults(allWell);
    await last({ ok: true });
    runs = false;
    const night = nights;
    // One may be under way.
    await vi.waitFor(() => expect(nights).toBeGreaterThan(night + 1), { timeout: 60_000 });
    const reported = beats.length;
    await vi.waitFor(() => expect(nights).toBeGreaterThan(night + 4), { timeout: 60_000 });
    expect(beats).toHaveLength(reported);
    await job.stop();
  });

  it("is reported by Google's APIs, from its real state", async () => {
    const google = { timeoutMs: 10_000, googleApis: demo.googleApi };
    const place = { project: "pathkeeper-demo", region: "us-central1" };
    await vi.waitFor(
      async () => {
        const load = await probeOnce(vpcConnector, { ...place, connector: "demo-connector" }, google);
        expect(measured(load, "vpc_connector_utilization")).toBeGreaterThan(0.1);
        expect(measured(load, "vpc_connector_throughput", "sent")).toBeGreaterThan(0);
        const sql = await probeOnce(cloudSql, { project: place.project, instance: "demo-postgres" }, google);
        expect(sql.failure).toBeUndefined();
        expect(measured(sql, "cloud_sql_connections")).toBeGreaterThan(0);
        expect(measured(sql, "cloud_sql_new_connections")).toBeGreaterThan(0);
      },
      { timeout: 20_000 },
    );
  });

  it("returns 404 for unknown paths", async () => {
    expect((await get(demo.targets.backend, "/admin")).status).toBe(404);
    expect((await get(demo.targets.auth, "/")).status).toBe(404);
  });
});

describe("its database", () => {
  it("installs no signal or exit handlers", () => {
    const listeners = ["SIGINT", "SIGTERM", "beforeExit"].map((event) => process.listeners(event as NodeJS.Signals));
    expect(listeners.flat().map(String).join()).not.toContain("exit(code");
  });

  it("restarts after its owner was killed, and after its data was damaged", { timeout: 120_000 }, async () => {
    const folder = join(dataDir, "again");
    const environment = new URL("./environment.ts", import.meta.url).href;
    const code = `import { startDemo } from "${environment}";
      const log = { info() {}, warning() {}, error() {} };
      const demo = await startDemo({ dataDir: ${JSON.stringify(folder)}, log });
      process.kill(process.pid, "SIGKILL");`;
    const signal = await new Promise((resolve) => {
      execFile(process.execPath, ["--input-type=module", "-e", code], (error) => resolve(error?.signal));
    });
    expect(signal).toBe("SIGKILL");
    const orphan = await readFile(join(folder, "postgres", "postmaster.pid"), "utf8");

    const said: string[] = [];
    const log = { ...silentLogger, warning: (message: string) => void said.push(message) };
    const second = await startDemo({ dataDir: folder, log });
    expect((await get(second.targets.auth, "/health")).status).toBe(200);
    await second.stop();
    expect(said).toEqual(["stopping the PostgreSQL server that an earlier run left behind"]);
    const [error] = await once(connect(Number(orphan.split("\n")[3]), "127.0.0.1"), "error");
    expect(error).toMatchObject({ code: "ECONNREFUSED" });

    await writeFile(join(folder, "postgres", "PG_VERSION"), "9.6\n");
    const third = await startDemo({ dataDir: folder, log });
    expect((await get(third.targets.auth, "/health")).status).toBe(200);
    await third.stop();
    expect(said[1]).toMatch(/^the demo's PostgreSQL does not start on its old data and is made anew: .*incompatible/);
  });

  it("reports in one sentence why it cannot start", async () => {
    const file = join(dataDir, "file");
    await writeFile(file, "");
    await expect(startDemo({ dataDir: file, log: silentLogger })).rejects.toThrow(
      `the demo cannot keep its data in ${file}: EEXIST`,
    );
  });
});
