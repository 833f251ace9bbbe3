/** Where the environment of a process says that pages are written. */
import { resolve } from "node:path";
import type { GoogleApi, Pages } from "../ports.ts";
import { folderPages } from "./pages-folder.ts";
import { storagePages } from "./pages-storage.ts";

/** The place for pages: below the folder that `PATHKEEPER_PAGES` names, or buckets of Cloud Storage. */
export function connectPages(environment: Readonly<Record<string, string | undefined>>, google: GoogleApi): Pages {
  const folder = environment["PATHKEEPER_PAGES"];
  return folder === undefined ? storagePages(google) : folderPages(resolve(folder));
}
