/** The embedded engine: one SQLite file for documents, another for messages, nothing to install. */
import { join } from "node:path";
import { BrokerPublisher } from "../../shared/adapters/broker.ts";
import { SqliteStore, salvageDocuments, storeTables } from "../../shared/adapters/sqlite.ts";
import type { Logger } from "../../shared/ports.ts";
import { type Recovery, usableDatabase } from "../data/databases.ts";
import { writePrivately } from "../data/private-file.ts";
import type { RecurringFailures } from "../failures.ts";
import { Broker } from "./broker/broker.ts";
import { journalTables, salvageJournal } from "./broker/journal.ts";
import type { Engine } from "./engine.ts";

/** Options of the embedded engine. */
export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly duplicates: number;
  readonly disorderMs: number;
  /** Required of every publisher. */
  readonly token: string;
  readonly logger: Logger;
  readonly failures: RecurringFailures;
  /** Handling of unusable files. */
  readonly recovery: Recovery;
}

const hourMs = 3_600_000;

/**
 * Starts the embedded engine on what `dataDir` holds.
 * @throws Error one sentence that names the file which cannot be used
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Engine> {
  const { dataDir, failures, recovery, ...others } = options;
  const [storeFile, brokerFile] = [join(dataDir, "store.db"), join(dataDir, "broker.db")];
  const damagedStore = usableDatabase(storeFile, storeTables, recovery);
  const damagedBroker = usableDatabase(brokerFile, journalTables, recovery);
  const store = new SqliteStore(storeFile);
  const stops: (() => Promise<void>)[] = [() => store.close()];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    if (damagedStore !== undefined) {
      recovery.report(`${await salvageDocuments(damagedStore, store)} documents of ${damagedStore} were kept`);
    }
    const salvage = damagedBroker === undefined ? undefined : salvageJournal(damagedBroker);
    if (salvage !== undefined) recovery.report(`${salvage.messages.length} messages of ${damagedBroker} were kept`);
    const failure = failures.writing(brokerFile);
    const broker = await Broker.open({ file: brokerFile, failure, ...(salvage && { salvage }), ...others });
    stops.push(() => broker.close());
    const url = await broker.listen();
    // For commands that publish to this system. It holds the token, so only the user who started the run may read it.
    await writePrivately(join(dataDir, "broker.url"), `${url}\n`);
    store.expire(Date.now());
    const expiring = setInterval(() => {
      try {
        store.expire(Date.now());
      } catch (error) {
        options.logger.warning(`expired documents could not be deleted: ${(error as Error).message}`);
      }
    }, hourMs).unref();
    stops.push(async () => clearInterval(expiring));
    const publisher = new BrokerPublisher(url);
    stops.push(() => publisher.close());
    return {
      store,
      publisher,
      environment: { PATHKEEPER_STORE: storeFile, PATHKEEPER_BROKER: url },
      subscribe: async (endpoints) => {
        for (const endpoint of endpoints) broker.subscribe(endpoint.subscription, endpoint.url);
      },
      delivered: () => broker.stats().delivered,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
