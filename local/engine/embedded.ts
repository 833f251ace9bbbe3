/** The embedded engine: one SQLite file for documents, another for messages, nothing to install. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BrokerPublisher } from "../../shared/adapters/broker.ts";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import type { Logger } from "../../shared/ports.ts";
import { Broker } from "../broker/broker.ts";
import type { Engine } from "./engine.ts";

/** How the embedded engine is to behave. */
export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly duplicates: number;
  readonly disorderMs: number;
  readonly logger: Logger;
}

/** Starts the embedded engine on what `dataDir` holds. */
export async function startEmbedded({ dataDir, duplicates, disorderMs, logger }: EmbeddedOptions): Promise<Engine> {
  const storeFile = join(dataDir, "store.db");
  const broker = await Broker.open({ file: join(dataDir, "broker.db"), duplicates, disorderMs, logger });
  const url = await broker.listen();
  // For what reports to this system from outside of it.
  await writeFile(join(dataDir, "broker.url"), `${url}\n`);
  const store = new SqliteStore(storeFile);
  const publisher = new BrokerPublisher(url);
  return {
    store,
    publisher,
    environment: { PATHKEEPER_STORE: storeFile, PATHKEEPER_BROKER: url },
    subscribe: async (endpoints) => {
      for (const endpoint of endpoints) broker.subscribe(endpoint.subscription, endpoint.url);
    },
    delivered: () => broker.stats().delivered,
    stop: async () => {
      await broker.close();
      await publisher.close();
      await store.close();
    },
  };
}
