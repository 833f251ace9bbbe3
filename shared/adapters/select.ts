/**
 * The one place where the environment of the process decides which adapters a function runs on.
 *
 * | variable | meaning |
 * |---|---|
 * | `PATHKEEPER_CONFIGURATION` | file of the compiled configuration |
 * | `PATHKEEPER_VANTAGE` | where the probe function runs: `inside`, `outside`, or `any` on one machine |
 * | `PATHKEEPER_SYNTHETIC` | the probe that the probe function is, where Cloud Monitoring calls it as a synthetic monitor |
 * | `PATHKEEPER_PROJECT` | Google Cloud project of Firestore and Pub/Sub |
 * | `PATHKEEPER_DATABASE` | Firestore database, by default `(default)` |
 * | `PATHKEEPER_TOPIC_PREFIX` | before the names of topics, by default nothing |
 * | `PATHKEEPER_STORE` | file of the embedded store, in place of Firestore |
 * | `PATHKEEPER_BROKER` | URL of the embedded broker with its token, in place of Pub/Sub |
 * | `PATHKEEPER_GOOGLE_API` | URL below which Google's APIs are found by their host names, in place of the real ones |
 * | `PATHKEEPER_INCIDENT_URL` | where people find an incident, with `${incident}` for its id, by default its document in Google's console |
 * | `PATHKEEPER_ANSWERS_URL` | where readers act on incidents, by default nowhere |
 * | `PATHKEEPER_ANSWERS` | set where the notify function takes answers and nothing else |
 * | `PATHKEEPER_DRIFT_CHECK` | region of the functions of the deployment that the evaluate function checks for drift each day, by default none |
 * | `PATHKEEPER_PAGES` | folder below which status pages are written, in place of buckets |
 * | `PATHKEEPER_SECRET_PREFIX` | before the names of secrets in Secret Manager; without it they are looked for in the two places below |
 * | `PATHKEEPER_SECRETS` | folders of secrets, one file each, separated as in `PATH` |
 * | `PATHKEEPER_SECRET_<NAME>` | one secret |
 */
import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { readCompiled } from "../config/compile.ts";
import type { Configuration } from "../config/model.ts";
import type { Vantage } from "../messages/report.ts";
import type { Clock, GoogleApi, Logger, Publisher, Secrets, Store } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";
import { reportCrashes, structuredLogger } from "../runtime/logger.ts";
import { googleApi } from "./google-api.ts";
import { secretManager } from "./secret-manager.ts";
import { localSecrets } from "./secrets.ts";

/** The world of a function: its ports and its configuration. */
export interface World {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly secrets: Secrets;
  readonly google: GoogleApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly configuration: Configuration;
  readonly vantage: Vantage | "any";
}

/** The environment variables of a process. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Connects a function to its world.
 * @throws Error that names the variable that is missing or wrong
 */
export async function connect(environment: Environment): Promise<World> {
  const configuration = readConfiguration(environment);
  const [store, publisher] = await Promise.all([connectStore(environment), connectPublisher(environment)]);
  const logger = structuredLogger(undefined, {
    service: environment["K_SERVICE"],
    version: environment["K_REVISION"],
    project: environment["PATHKEEPER_PROJECT"],
  });
  reportCrashes(logger);
  const google = googleApi(environment["PATHKEEPER_GOOGLE_API"]);
  const clock = { now: () => Date.now() };
  const prefix = environment["PATHKEEPER_SECRET_PREFIX"];
  return {
    store,
    publisher,
    secrets:
      prefix === undefined
        ? localSecrets(environment, ...(environment["PATHKEEPER_SECRETS"]?.split(delimiter) ?? []))
        : secretManager({ google, projectId: projectOf(environment), prefix, clock }),
    google,
    clock,
    logger,
    configuration,
    vantage: vantageOf(environment),
  };
}

/** The store that the environment names: the embedded one, or Firestore. */
export async function connectStore(environment: Environment): Promise<Store> {
  const file = environment["PATHKEEPER_STORE"];
  if (file !== undefined) {
    const { SqliteStore } = await import("./sqlite.ts");
    return new SqliteStore(file);
  }
  const { FirestoreStore } = await import("./firestore.ts");
  const databaseId = environment["PATHKEEPER_DATABASE"];
  return new FirestoreStore({ projectId: projectOf(environment), ...(databaseId === undefined ? {} : { databaseId }) });
}

/** The publisher that the environment names: to the embedded broker, or to Pub/Sub. */
export async function connectPublisher(environment: Environment): Promise<Publisher> {
  const url = environment["PATHKEEPER_BROKER"];
  if (url !== undefined) {
    const { BrokerPublisher } = await import("./broker.ts");
    return new BrokerPublisher(url);
  }
  const { PubSubPublisher } = await import("./pubsub.ts");
  const topicPrefix = environment["PATHKEEPER_TOPIC_PREFIX"];
  return new PubSubPublisher({
    projectId: projectOf(environment),
    ...(topicPrefix === undefined ? {} : { topicPrefix }),
  });
}

function readConfiguration(environment: Environment): Configuration {
  const file = needed(environment, "PATHKEEPER_CONFIGURATION", "the file of the compiled configuration");
  // Not asynchronous: a start waits for it in any case, and would first wait for the threads that read.
  return readCompiled(readFileSync(file, "utf8"));
}

function projectOf(environment: Environment): string {
  return needed(environment, "PATHKEEPER_PROJECT", "the Google Cloud project");
}

function vantageOf(environment: Environment): Vantage | "any" {
  const vantage = environment["PATHKEEPER_VANTAGE"] ?? "any";
  if (vantage === "inside" || vantage === "outside" || vantage === "any") return vantage;
  throw new Error(`PATHKEEPER_VANTAGE is "${vantage}": write inside, outside or any`);
}

function needed(environment: Environment, name: string, what: string): string {
  const value = ownEntry(environment, name);
  if (value === undefined || value === "") throw new Error(`${name} is not set: it names ${what}`);
  return value;
}
