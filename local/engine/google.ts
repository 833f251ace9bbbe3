/** Google's engine: Google's clients throughout, on Google's emulators, given by the environment or started here. */
import { randomBytes } from "node:crypto";
import { FirestoreStore } from "../../shared/adapters/firestore.ts";
import { PubSubPublisher } from "../../shared/adapters/pubsub.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { type Emulator, type EmulatorKind, startEmulator } from "./emulators.ts";
import type { Engine } from "./engine.ts";
import { setUpGoogleBroker } from "./google-broker.ts";

/**
 * Makes a name for the project in the emulators. The emulators authenticate nobody and allow requests from web pages of every origin, so a name that
 * cannot be guessed is what protects the data.
 */
export function newProject(): string {
  return `pathkeeper-${randomBytes(9).toString("hex")}`;
}

/** Options of `startGoogle`. */
export interface GoogleOptions {
  /** Variables by name, which may name emulators. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** From `newProject`. */
  readonly projectId: string;
}

/**
 * Connects to the emulators named by `FIRESTORE_EMULATOR_HOST` and `PUBSUB_EMULATOR_HOST`, or starts those that are not named.
 * @throws Error that says which emulator is missing and how to get it
 */
export async function startGoogle({ environment, projectId }: GoogleOptions): Promise<Engine> {
  // Without this the clients look for a metadata server, which no machine but the cloud's has.
  process.env["METADATA_SERVER_DETECTION"] = "none";
  const started: Emulator[] = [];
  const hostOf = async (kind: EmulatorKind, variable: string): Promise<string> => {
    const given = ownEntry(environment, variable);
    if (given !== undefined && given !== "") return given;
    const emulator = await startEmulator(kind, environment);
    started.push(emulator);
    return emulator.host;
  };
  const stopAll = async (): Promise<void> => {
    await Promise.all(started.map((emulator) => emulator.stop()));
  };
  const hosts = await Promise.allSettled([
    hostOf("firestore", "FIRESTORE_EMULATOR_HOST"),
    hostOf("pubsub", "PUBSUB_EMULATOR_HOST"),
  ]);
  const failed = hosts.find((host) => host.status === "rejected");
  if (failed) {
    await stopAll();
    throw failed.reason;
  }
  const [firestore = "", pubsub = ""] = hosts.map((host) => (host.status === "fulfilled" ? host.value : ""));
  const store = new FirestoreStore({ projectId, host: firestore });
  const publisher = new PubSubPublisher({ projectId, host: pubsub });
  return {
    store,
    publisher,
    environment: {
      FIRESTORE_EMULATOR_HOST: firestore,
      PUBSUB_EMULATOR_HOST: pubsub,
      PATHKEEPER_PROJECT: projectId,
      METADATA_SERVER_DETECTION: "none",
    },
    subscribe: async (endpoints) => {
      await setUpGoogleBroker({ host: pubsub, projectId, endpoints });
    },
    delivered: () => undefined,
    stop: async () => {
      await publisher.close();
      await store.close();
      await stopAll();
    },
  };
}
