/** The options of `npm start`. */
import { type Options as DescribedOptions, type OptionValues, program, readArguments } from "../cli/command.ts";
import { list } from "../cli/terminal/columns.ts";
import { optionEntries } from "../cli/terminal/help.ts";
import { insteadOf } from "../shared/config/file/problems.ts";
import { nearest } from "../shared/text/nearest.ts";
import { parseDuration } from "../shared/text/units.ts";
import { type FaultName, faultNames, outages } from "./demo/script.ts";

/** Options of the command line. */
export interface Options {
  /** The reader's own configuration; without it the demo is played. */
  readonly config?: string;
  /** Data folder. Without it, a temporary folder is used and removed at the end. */
  readonly data?: string;
  /** Set aside databases in `data` that cannot be used, and keep what can be read of them. */
  readonly recover: boolean;
  /** The file to which every report is appended, for `pathkeeper replay`. */
  readonly record?: string;
  /** The folder of `npm run build -- --embedded`, from which the functions run in place of the sources. */
  readonly bundles?: string;
  /** End by itself after the demo's outage, and say whether it went as promised. */
  readonly once: boolean;
  readonly engine: "embedded" | "google";
  /** Fault to play in the demo. */
  readonly fault: FaultName;
  /** Speed factor of the demo. */
  readonly pace: number;
  /** Share of the messages that the embedded broker delivers twice, from 0 to 1. */
  readonly duplicates: number;
  /** By how much the embedded broker lets messages overtake each other, in milliseconds. */
  readonly disorderMs: number;
}

const options = {
  config: { type: "string", value: "FILE", help: "monitor the targets of this configuration instead of the demo" },
  data: { type: "string", value: "DIR", help: "store all data in this folder, across restarts" },
  recover: {
    type: "boolean",
    help: "set aside damaged databases in --data DIR, recover the readable data, and continue",
  },
  record: {
    type: "string",
    value: "FILE",
    help: `append every report to this file, for ${program} replay`,
  },
  bundles: {
    type: "string",
    value: "DIR",
    help: "run the functions from this folder, built by npm run build -- --embedded",
  },
  fault: { type: "string", value: "NAME", help: "the fault to play in the demo (see below)", usual: faultNames[0] },
  once: {
    type: "boolean",
    help: "exit after the demo's outage with a JSON summary as the last line; exit code 0 only if the outcome is as expected",
  },
  engine: {
    type: "string",
    value: "ENGINE",
    default: "embedded",
    help: "embedded, or google: Google's clients on Google's emulators",
  },
  pace: { type: "string", value: "N", default: "1", help: "play the demo N times faster: 1, 2 or 4" },
  duplicates: { type: "string", value: "P", default: "0", help: "fraction of messages to deliver twice, from 0 to 1" },
  disorder: {
    type: "string",
    value: "TIME",
    default: "0s",
    help: "reorder messages by up to this duration, for example 500ms",
  },
} as const satisfies DescribedOptions;

/** Text of `--help`. */
export const usage: string = [
  "Usage: npm start -- [options]",
  "",
  "Run the whole system on one machine, with a demo that fails and recovers.",
  "",
  "Options:",
  ...list(optionEntries(options)),
  "",
  "Faults of the demo:",
  ...list(faultNames.map((name) => [name, outages[name].title])),
  "",
  "Examples:",
  "  # Play the demo once, four times faster",
  "  npm start -- --once --pace 4",
  "",
  "  # Monitor your own targets, and keep the data",
  "  npm start -- --config monitor.yaml --data ./watch",
  "",
].join("\n");

/** A command line that makes no sense, in one sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads the command line.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): Options | "help" {
  if (args.some((argument) => argument === "--help" || argument === "-h")) return "help";
  const values = parse(args);
  const { config, data, record, bundles, recover = false, once = false, engine } = values;
  if (engine !== "embedded" && engine !== "google") {
    throw new UsageError(`--engine ${engine}: use embedded or google`);
  }
  const { fault = faultNames[0] } = values;
  if (!isFaultName(fault)) {
    throw new UsageError(`--fault ${fault}: ${insteadOf(nearest(fault, faultNames), faultNames, "faults")}`);
  }
  if (config !== undefined && values.fault !== undefined)
    throw new UsageError("--fault applies to the demo and cannot be combined with --config");
  const pace = Number(values.pace);
  if (![1, 2, 4].includes(pace)) throw new UsageError(`--pace ${values.pace}: use 1, 2 or 4`);
  const duplicates = Number(values.duplicates);
  if (!(duplicates >= 0 && duplicates <= 1)) {
    throw new UsageError(`--duplicates ${values.duplicates}: use a value from 0 to 1`);
  }
  const disorderMs = parseDuration(values.disorder);
  if (disorderMs === undefined) throw new UsageError(`--disorder ${values.disorder}: use a duration such as 500ms`);
  if (engine === "google" && (duplicates > 0 || disorderMs > 0)) {
    throw new UsageError(
      "--duplicates and --disorder require --engine embedded: Google's emulators do not support them",
    );
  }
  if (config !== undefined && once)
    throw new UsageError("--once applies to the demo and cannot be combined with --config");
  return {
    ...(config === undefined ? {} : { config }),
    ...(data === undefined ? {} : { data }),
    ...(record === undefined ? {} : { record }),
    ...(bundles === undefined ? {} : { bundles }),
    recover,
    once,
    engine,
    fault,
    pace,
    duplicates,
    disorderMs,
  };
}

function isFaultName(name: string): name is FaultName {
  return (faultNames as readonly string[]).includes(name);
}

function parse(args: readonly string[]): OptionValues<typeof options> {
  try {
    return readArguments(args, { options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see npm start -- --help)`, { cause: error });
  }
}
