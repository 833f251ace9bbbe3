/** The configuration as the functions are given it: checked once when it is deployed, then plain JSON. */
import { crc32 } from "node:zlib";
import type { Configuration } from "./model.ts";

/** Counts up when functions can no longer read what an older command line compiled. */
const version = 2;

/** Makes the text that `readCompiled` reads. The same configuration always gives the same text. */
export function compile(configuration: Configuration): string {
  return JSON.stringify({ version, digest: digestOf(configuration), configuration });
}

/**
 * Reads what `compile` made.
 * @throws Error that says whether the text is no configuration, of another version, or altered
 */
export function readCompiled(text: string): Configuration {
  const compiled = parse(text);
  if (compiled?.configuration === undefined)
    throw new Error("this is not a compiled configuration: compile monitor.yaml");
  if (compiled.version !== version)
    throw new Error(
      `the configuration was compiled for version ${compiled.version}, this is ${version}: compile it again`,
    );
  if (compiled.digest !== digestOf(compiled.configuration))
    throw new Error("the compiled configuration was altered: change monitor.yaml and compile it again");
  return compiled.configuration;
}

interface Compiled {
  readonly version: number;
  readonly digest: string;
  readonly configuration: Configuration;
}

function parse(text: string): Partial<Compiled> | undefined {
  try {
    return (JSON.parse(text) ?? undefined) as Partial<Compiled> | undefined;
  } catch (cause) {
    throw new Error("the compiled configuration is not JSON: compile monitor.yaml again", { cause });
  }
}

/** A checksum against hands that slip. Against ill will nothing here would help, and a start would have to load cryptography for it. */
function digestOf(configuration: Configuration): string {
  return crc32(JSON.stringify(configuration)).toString(16);
}
