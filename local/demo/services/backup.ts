/** The demo's backup: a job that reads the database in its nights, keeps what it read, and reports to the monitor by itself. */
import { rename, writeFile } from "node:fs/promises";
import type { Heartbeat } from "../../../shared/messages/heartbeat.ts";
import { ask, type DatabaseAccess, makePool } from "./database.ts";

/** Options of the job. */
export interface BackupOptions {
  readonly access: DatabaseAccess;
  /** The file that holds the newest backup. */
  readonly file: string;
  /** Milliseconds between two nights. */
  readonly everyMs: number;
  /** Database timeout, in milliseconds. */
  readonly timeoutMs: number;
  /** True if it runs. */
  readonly runs: () => boolean;
  readonly report: (beat: Heartbeat) => Promise<unknown>;
}

/** Starts the job: the first night is now. */
export function startBackup({ access, file, everyMs, timeoutMs, runs, report }: BackupOptions): {
  stop(): Promise<void>;
} {
  const name = "nightly-backup";
  const pool = makePool(access, 1, timeoutMs);
  const night = async (): Promise<void> => {
    if (!runs()) return;
    const beat = await save().then(
      (users): Heartbeat => ({ name, ok: true, message: `users saved: ${users}` }),
      (error: Error): Heartbeat => ({ name, ok: false, message: `the database: ${error.message}` }),
    );
    // One that is lost is missed, which is what this is for.
    await report(beat).catch(() => {});
  };
  const save = async (): Promise<number> => {
    const users = await ask(pool, "select * from users order by email");
    await writeFile(`${file}.new`, `${JSON.stringify(users)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return users.length;
  };
  let working = night();
  const nights = setInterval(() => {
    working = working.then(night);
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(nights);
      await working;
      await pool.end();
    },
  };
}
