/** The embedded engine: one SQLite file for documents, another for messages, nothing to install. */
import { join } from "node:path";
import { BrokerPublisher } from "../../shared/adapters/broker.ts";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import type { Logger } from "../../shared/ports.ts";
import { writePrivately } from "../data/private-file.ts";
import type { Troubles } from "../troubles.ts";
import { Broker } from "./broker/broker.ts";
import type { Engine } from "./engine.ts";

/** How the embedded engine is to behave. */
export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly duplicates: number;
  readonly disorderMs: number;
  /** Required of every publisher. */
  readonly token: string;
  readonly logger: Logger;
  readonly troubles: Troubles;
}

/** Starts the embedded engine on what `dataDir` holds. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Engine> {
  const { dataDir, troubles, ...others } = options;
  const [storeFile, brokerFile] = [join(dataDir, "store.db"), join(dataDir, "broker.db")];
  const broker = await Broker.open({ file: brokerFile, trouble: troubles.writing(brokerFile), ...others });
  const url = await broker.listen();
  // For commands that publish to this system. It holds the token, so only the user who started the run may read it.
  await writePrivately(join(dataDir, "broker.url"), `${url}\n`);
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
