/** The data of a run, for the user who runs it alone. */
import { chmod, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** File mode mask of this process and its children: no access for other users. */
export const privateUmask = 0o077;

/** Files and folders in a data directory that a run writes or reads. PostgreSQL's own are those of its own user. */
const files =
  /^((store|broker|lock|measurements)\.db.*|(processes|configuration|script|backup)\.json|monitor\.yaml|incidents\.port|broker\.url|webhook-key|google-project|postgres\.password|metrics\.prom)(\.new)?$/;
const folders: ReadonlySet<string> = new Set(["logs", "secrets", "inbox", "pages", "postmortems"]);

/**
 * Takes from others what an earlier run, or a copy, has let them read in the data.
 * @throws Error one sentence, where a symbolic link stands in place of one of its files or folders: it may lead to anything
 */
export async function keepPrivate(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (files.test(name) || folders.has(name) || name === "postgres") await close(join(directory, name), name);
  }
}

async function close(path: string, name: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink())
    throw new Error(`${path} is a symbolic link: remove it, or choose another folder with --data DIR`);
  if (name === "postgres") return;
  if (found.isDirectory()) for (const inner of await readdir(path)) await close(join(path, inner), "");
  if (found.uid === process.getuid?.() && (found.mode & privateUmask) !== 0)
    await chmod(path, found.mode & 0o777 & ~privateUmask);
}
