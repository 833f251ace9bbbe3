/** One run a data directory: two would stop each other's database and answer each other's messages. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A directory that is held. */
export interface DataLock {
  stop(): void;
}

/**
 * Holds the directory until it is stopped or the process ends, however it ends: the lock is the operating system's.
 * @throws Error one sentence, when another run holds it
 */
export function holdDirectory(directory: string): DataLock {
  const database = new DatabaseSync(join(directory, "lock.db"));
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new Error(`another run uses ${directory}: stop it first, or name another folder with --data DIR`, { cause });
  }
  return { stop: () => database.close() };
}
