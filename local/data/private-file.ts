/** Files that only the user who runs the system can read: tokens, keys and passwords. */
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";

/** Writes a file with mode 0600, also where it replaces one with a wider mode. */
export async function writePrivately(file: string, text: string): Promise<void> {
  const written = `${file}.${randomBytes(4).toString("hex")}.new`;
  try {
    await writeFile(written, text, { mode: 0o600, flag: "wx" });
    await rename(written, file);
  } catch (error) {
    await rm(written, { force: true });
    throw error;
  }
}

/** Returns the content of the file, or writes and returns what `make` returns where it is missing or empty. */
export async function keptSecret(file: string, make: () => string): Promise<string> {
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept.trim() !== "") return kept.trim();
  const made = make();
  await writePrivately(file, made);
  return made;
}
