/** The configuration that a local system runs, kept with its data for commands: `monitor.yaml`, written at every start. */
import { readFile, realpath, rename, writeFile } from "node:fs/promises";
import { keptConfiguration } from "../../cli/configuration.ts";
import { copyMark } from "../../cli/places.ts";

/** First line of the file, and the first line of older demo files. */
const mark = "# Written by npm start";
const ours = new RegExp(`^(${mark}|# What the demo of npm start watches)\\b`);

/**
 * Writes a configuration into the data, in place of an earlier one. A file that somebody else wrote there is not replaced.
 * @param about what the configuration is, for its first line
 * @returns the file
 * @throws Error one sentence, when a file of somebody else is in the way
 */
export async function keepConfiguration(dataDir: string, about: string, text: string): Promise<string> {
  const file = keptConfiguration(dataDir);
  const present = await readFile(file, "utf8").catch(() => "");
  if (present !== "" && !ours.test(present)) {
    throw new Error(
      `cannot replace ${file}, which npm start did not write: run it with --config ${file}, or choose another folder with --data DIR`,
    );
  }
  // Whole or not at all: half a file would not be known for ours.
  await writeFile(`${file}.new`, `${mark} at every start: ${about}\n${text.replace(/^\uFEFF/, "")}`);
  await rename(`${file}.new`, file);
  return file;
}

/** Writes a copy of the configuration that `source` holds into the data, unless `source` is that very file. */
export async function copyConfiguration(dataDir: string, text: string, source: string): Promise<void> {
  const [from, to] = await Promise.all(
    [source, keptConfiguration(dataDir)].map((file) => realpath(file).catch(() => file)),
  );
  if (from === to) return;
  await keepConfiguration(dataDir, copyMark(from ?? source), text);
}
