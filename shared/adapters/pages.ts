/** Chooses where pages are written, from the environment of the process. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { GoogleApi, Pages } from "../ports.ts";
import { folderPages } from "./pages-folder.ts";
import { storagePages } from "./pages-storage.ts";

/** The place for pages: below the folder that `PATHKEEPER_PAGES` names, or buckets of Cloud Storage. */
export function connectPages(environment: Readonly<Record<string, string | undefined>>, google: GoogleApi): Pages {
  const folder = environment["PATHKEEPER_PAGES"];
  return folder === undefined ? storagePages(google) : folderPages(resolve(folder));
}

/** The address of the folder below which pages are written; `undefined` where they are written to buckets. */
export function pagesUrl(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const folder = environment["PATHKEEPER_PAGES"];
  return folder === undefined ? undefined : pathToFileURL(resolve(folder)).href;
}
