/** The environment that the demo watches: a database, a VPC connector in front of it, and the services behind it. All of it is real. */
import { join } from "node:path";
import type { Logger } from "../../shared/ports.ts";
import { type Connector, type ConnectorFaults, type ConnectorLoad, startConnector } from "./connector.ts";
import { startElsewhere } from "./elsewhere.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { tempoOf } from "./script.ts";
import { type Service, startAuth, startBackend } from "./services.ts";

/** Where the probes find the parts of the demo; every port is on 127.0.0.1. */
export interface DemoTargets {
  readonly backend: number;
  readonly auth: number;
  /** The database through the connector. */
  readonly connector: number;
  /** The database itself. */
  readonly database: number;
  /** What always answers, whatever is played. */
  readonly elsewhere: number;
  readonly databaseName: string;
  readonly databaseUser: string;
}

/** The running environment. */
export interface Demo {
  readonly targets: DemoTargets;
  /** What the references of the demo's configuration stand for, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Sets what is wrong with the connector; everything else follows by itself. */
  setFaults(faults: ConnectorFaults): void;
  connectorLoad(): ConnectorLoad;
  stop(): Promise<void>;
}

/** Options of `startDemo`. */
export interface DemoOptions {
  /** The database is kept here, in the folder `postgres`. */
  readonly dataDir: string;
  readonly log: Logger;
  /** How many times faster than life the services lose patience. @default 1 */
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
    const backend: Service = keep(await startBackend(access, connector, patienceMs));
    const auth: Service = keep(await startAuth(access, patienceMs));
    const elsewhere: Service = keep(await startElsewhere());
    return {
      targets: {
        backend: backend.port,
        auth: auth.port,
        connector: connector.port,
        database: postgres.port,
        elsewhere: elsewhere.port,
        databaseName: database,
        databaseUser: user,
      },
      secrets: { "demo-database-password": password },
      setFaults: connector.setFaults,
      connectorLoad: connector.load,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
