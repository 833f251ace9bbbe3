/** The environment that the demo watches: a database and a cache, a VPC connector in front of them, and the services behind it. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Heartbeat } from "../../shared/messages/heartbeat.ts";
import type { Logger } from "../../shared/ports.ts";
import { type Connector, type ConnectorLoad, startConnector } from "./connector.ts";
import { allWell, type DemoChange, type DemoFaults } from "./faults.ts";
import { type FakeGoogle, monitoringApi, serviceHealthApi, startGoogleApi } from "./google/api.ts";
import { controlPlane } from "./google/control-plane.ts";
import { databaseReader } from "./google/database.ts";
import { loggingApi, type PlayedChange } from "./google/logs.ts";
import { demoHosts } from "./google/names.ts";
import { googleNames, recordDemo } from "./google/record.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { tempoOf } from "./script.ts";
import { userEmail } from "./services/accounts.ts";
import { startAuth } from "./services/auth.ts";
import { startBackend } from "./services/backend.ts";
import { startBackup } from "./services/backup.ts";
import { startCache } from "./services/cache.ts";
import type { Service } from "./services/http.ts";
import { startElsewhere } from "./services/reliable-host.ts";
import { startWebsite, type Website } from "./services/website.ts";

/** Ports of the demo's parts, all on 127.0.0.1. */
export interface DemoTargets {
  readonly backend: number;
  readonly auth: number;
  /** The database through the connector. */
  readonly connector: number;
  /** The cache through the connector. */
  readonly cache: number;
  /** The database itself. */
  readonly database: number;
  /** The website, over TLS. */
  readonly website: number;
  /** A target that always responds, whatever fault is played. */
  readonly elsewhere: number;
  readonly databaseName: string;
  readonly databaseUser: string;
  /** User of the application. */
  readonly email: string;
}

/** The running environment. */
export interface Demo {
  readonly targets: DemoTargets;
  /** Values of the references in the demo's configuration, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Sets what is wrong with the parts; everything else follows by itself. */
  setFaults(faults: DemoFaults): Promise<void>;
  /** Current faults. */
  faults(): DemoFaults;
  connectorLoad(): ConnectorLoad;
  /** Starts the database backup job, which runs now and periodically. @param report called with each result */
  startBackup(report: (beat: Heartbeat) => Promise<unknown>): void;
  /** Below which Google's APIs are found, that tell of the environment. */
  readonly googleApi: string;
  stop(): Promise<void>;
}

/** Options of `startDemo`. */
export interface DemoOptions {
  /** The database is kept here, in the folder `postgres`. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Factor by which the timeouts of the services are shortened. @default 1 */
  readonly pace?: number;
}

/**
 * Starts the environment, healthy. It survives being killed: the next start on the same folder cleans up after it.
 * @throws Error one sentence that says what to do about it
 */
export async function startDemo({ dataDir, log, pace = 1 }: DemoOptions): Promise<Demo> {
  // Shorter than the probes' own, so that these hear what the services have to say.
  const patienceMs = 1_200 / tempoOf(pace);
  const started: { stop(): Promise<void> }[] = [];
  const keep = <T extends { stop(): Promise<void> }>(part: T): T => {
    started.push(part);
    return part;
  };
  // In the order of their dependence, the last first; without its connector no service can hang on the way out.
  const stop = async (): Promise<void> => {
    const [postgres, connector, ...services] = started.splice(0);
    await connector?.stop();
    await Promise.all(services.map((service) => service.stop()));
    await postgres?.stop();
  };

  try {
    const postgres: PostgresServer = keep(await startPostgres(join(dataDir, "postgres"), log));
    const connector: Connector = keep(await startConnector(postgres.port));
    const { database, user, password } = postgres;
    const access = { port: connector.port, database, user, password };
    let faults = allWell;
    const now = (): DemoFaults => faults;
    const [userPassword, lastingToken, cachePassword] = [secretText(), secretText(), secretText()];
    const cache = { port: await connector.lead(keep(await startCache(cachePassword)).port), password: cachePassword };
    const auth: Service = keep(
      await startAuth({ access, password: userPassword, lastingToken, timeoutMs: patienceMs, faults: now }),
    );
    const backend: Service = keep(await startBackend({ access, cache, connector, timeoutMs: patienceMs, faults: now }));
    const website: Website = keep(
      await startWebsite({ [demoHosts.backend]: backend.port, [demoHosts.auth]: auth.port }),
    );
    const elsewhere: Service = keep(await startElsewhere());
    const metrics = keep(databaseReader(postgres, patienceMs));
    const record = keep(
      await recordDemo({
        read: async () => ({ connector: connector.load(), database: await metrics.read() }),
        services: { [backend.port]: "backend", [auth.port]: "auth" },
        everyMs: 1_000 / tempoOf(pace),
      }),
    );
    const { project, region } = googleNames;
    let incidentSince = 0;
    let played: readonly PlayedChange[] = [];
    const google: FakeGoogle = keep(
      await startGoogleApi({
        "logging.googleapis.com": loggingApi(() => played, project),
        ...controlPlane(now, website.port),
        "monitoring.googleapis.com": monitoringApi(record.series, project),
        "servicehealth.googleapis.com": serviceHealthApi(
          () => faults.google && { ...faults.google, since: incidentSince },
          project,
          region,
        ),
      }),
    );
    return {
      targets: {
        backend: backend.port,
        auth: auth.port,
        connector: connector.port,
        cache: cache.port,
        database: postgres.port,
        website: website.port,
        elsewhere: elsewhere.port,
        databaseName: database,
        databaseUser: user,
        email: userEmail,
      },
      secrets: {
        "demo-database-password": password,
        "demo-cache-password": cachePassword,
        "demo-user-password": userPassword,
        "demo-login": JSON.stringify({ email: userEmail, password: userPassword }),
        "demo-websocket-token": lastingToken,
        "demo-authority": website.authority,
      },
      setFaults: async (next) => {
        const before = faults;
        faults = next;
        if (before.google?.title !== next.google?.title) incidentSince = Date.now();
        if (before.change !== next.change) played = nextPlayed(played, next.change, Date.now());
        connector.setFaults(next.connector);
        website.setFault(next.certificate);
        if (before.database !== next.database) await postgres.setFault(next.database);
      },
      faults: now,
      connectorLoad: connector.load,
      startBackup: (report) =>
        void keep(
          startBackup({
            access: { port: postgres.port, database, user, password },
            file: join(dataDir, "backup.json"),
            everyMs: 4_000 / tempoOf(pace),
            timeoutMs: patienceMs,
            runs: () => faults.backup === "well",
            report,
          }),
        ),
      googleApi: google.url,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The changes that were played, with another one begun, or none. */
function nextPlayed(played: readonly PlayedChange[], change: DemoChange | undefined, at: number): PlayedChange[] {
  const over = played.map((one) => (one.until === undefined ? { ...one, until: at } : one));
  return change === undefined ? over : [...over, { change, at }];
}

function secretText(): string {
  return randomBytes(24).toString("base64url");
}
