/** The files that pages load: the sheet, the script and the chart library, all from this machine. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { sheet } from "./pages/sheet.ts";

/** One file. */
export interface Asset {
  readonly contentType: string;
  readonly content: string;
  /** Changes with the content. */
  readonly version: string;
}

/** All of them. */
export interface Assets {
  /** The file of a name; `undefined` where there is none. */
  find(name: string): Asset | undefined;
  /** The address of a file, which changes with its content. */
  url(name: string): string;
}

/** Reads all files. @throws Error when one is missing */
export async function readAssets(): Promise<Assets> {
  const require = createRequire(import.meta.url);
  const library = (file: string): Promise<string> => readFile(require.resolve(`uplot/dist/${file}`), "utf8");
  const [script, chart, chartSheet] = await Promise.all([
    readFile(new URL("./assets/room.js", import.meta.url), "utf8"),
    library("uPlot.esm.js"),
    library("uPlot.min.css"),
  ]);
  const files = {
    "room.css": assetOf("text/css; charset=utf-8", sheet),
    "room.js": assetOf("text/javascript; charset=utf-8", script),
    "uplot.js": assetOf("text/javascript; charset=utf-8", chart),
    "uplot.css": assetOf("text/css; charset=utf-8", chartSheet),
  };
  return {
    find: (name) => ownEntry(files, name),
    url: (name) => `/assets/${name}?v=${ownEntry(files, name)?.version ?? ""}`,
  };
}

function assetOf(contentType: string, content: string): Asset {
  return { contentType, content, version: createHash("sha256").update(content).digest("base64url").slice(0, 10) };
}
