/** The databases of a data directory, looked through before anything opens them. One that cannot be used is set aside where that is asked for. */
import { problemOf, setAside, type Tables } from "../../shared/adapters/sqlite-file.ts";

/** Handling of unusable databases. */
export interface Recovery {
  /** True if they may be set aside. */
  readonly recover: boolean;
  /** Called with a sentence about each file that was set aside. */
  readonly report: (sentence: string) => void;
  readonly now: number;
}

/**
 * Looks through the database `file`, and sets it aside where it cannot be used.
 * @returns the name of the file that was set aside; `undefined` where the database can be used
 * @throws Error one sentence that names the file, where nothing may be set aside
 */
export function usableDatabase(file: string, tables: Tables, { recover, report, now }: Recovery): string | undefined {
  const problem = problemOf(file, tables);
  if (problem === undefined) return undefined;
  if (!recover) {
    throw new Error(
      `${file} ${problem}: start again with --recover to set it aside and keep what can be read, or choose another folder with --data DIR`,
    );
  }
  const aside = setAside(file, now);
  report(`${file} ${problem}: it was set aside as ${aside}`);
  return aside;
}
