/** Pages in folders of this machine, one below `root` for each place. One process writes them. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { type Pages, PagesError } from "../ports.ts";

/** Pages in folders. The version is the hash of the content. */
export function folderPages(root: string): Pages {
  const writing = new Map<string, Promise<unknown>>();
  const fileOf = (place: string, path: string): string => {
    const folder = join(root, place);
    const file = join(folder, path);
    if (folder.startsWith(root + sep) && file.startsWith(folder + sep)) return file;
    throw new PagesError(`${place}/${path} would stand outside of ${root}`, 0);
  };
  const versionOf = async (file: string): Promise<string | undefined> => {
    try {
      return createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw refused(error, `${file} cannot be read`);
    }
  };
  const write = async (file: string, content: string, replaces: string | undefined): Promise<boolean> => {
    if ((await versionOf(file)) !== replaces) return false;
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.new`, content);
      await rename(`${file}.new`, file);
    } catch (error) {
      throw refused(error, `${file} cannot be written`);
    }
    return true;
  };
  return {
    version: async (place, path) => versionOf(fileOf(place, path)),
    async write(place, { path, content }, replaces) {
      const file = fileOf(place, path);
      // One after the other: between the comparison and the renaming nobody else may write.
      const turn = (writing.get(file) ?? Promise.resolve()).then(() => write(file, content, replaces));
      const settled = turn.catch(() => undefined);
      writing.set(file, settled);
      try {
        return await turn;
      } finally {
        if (writing.get(file) === settled) writing.delete(file);
      }
    },
  };
}

function refused(error: unknown, what: string): PagesError {
  return new PagesError(`${what}: ${(error as Error).message}`, 0, { cause: error });
}
