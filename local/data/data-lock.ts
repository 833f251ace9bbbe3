/** One run a data directory: two would stop each other's database and answer each other's messages. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A directory that is held. */
export interface DataLock {
  stop(): void;
}

/** The file that is locked. It holds nothing. */
export function lockFile(directory: string): string {
  return join(directory, "lock.db");
}

/**
 * Holds the directory until it is stopped or the process ends, however it ends: the lock is the operating system's.
 * @throws Error one sentence, when another run holds it, and that of SQLite when nothing can be written there
 */
export function holdDirectory(directory: string): DataLock {
  const database = new DatabaseSync(lockFile(directory));
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if (!isBusy(cause)) throw cause;
    throw new Error(`another run uses ${directory}: stop it first, or choose another folder with --data DIR`, {
      cause,
    });
  }
  return { stop: () => database.close() };
}

/** SQLITE_BUSY; source: https://sqlite.org/rescode.html. */
const busyCode = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === busyCode;
}
