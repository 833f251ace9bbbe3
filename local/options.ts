/** The options of `npm start`. */
import { parseArgs } from "node:util";
import { insteadOf } from "../shared/config/file/problems.ts";
import { nearest } from "../shared/text/nearest.ts";
import { parseDuration } from "../shared/text/units.ts";
import { type FaultName, faultNames, outages } from "./demo/script.ts";

/** What was asked for on the command line. */
export interface Options {
  /** The reader's own configuration; without it the demo is played. */
  readonly config?: string;
  /** Where everything is kept; without it in a folder that is removed at the end. */
  readonly data?: string;
  /** The file to which every report is appended, for `pathkeeper replay`. */
  readonly record?: string;
  /** The folder of `npm run build -- --embedded`, from which the functions run in place of the sources. */
  readonly bundles?: string;
  /** End by itself after the demo's outage, and say whether it went as promised. */
  readonly once: boolean;
  readonly engine: "embedded" | "google";
  /** What goes wrong in the demo. */
  readonly fault: FaultName;
  /** How many times faster than life the demo plays. */
  readonly pace: number;
  /** Share of the messages that the embedded broker delivers twice, from 0 to 1. */
  readonly duplicates: number;
  /** By how much the embedded broker lets messages overtake each other, in milliseconds. */
  readonly disorderMs: number;
}

/** What `--help` prints. */
export const usage: string = `npm start -- [options]

  --config FILE      watch the targets of this configuration instead of the demo
  --data DIR         keep everything there, across restarts
  --record FILE      append every report to this file, for npx pathkeeper replay
  --bundles DIR      run the functions from there, as npm run build -- --embedded wrote them
  --fault NAME       what goes wrong in the demo, one of these (default: ${faultNames[0]}):
${faultNames.map((name) => `                       ${name.padEnd(16)} ${outages[name].title}`).join("\n")}
  --once             end after the demo's outage; exit 0 only if it went as promised
  --engine ENGINE    embedded (default), or google: Google's clients on Google's emulators
  --pace N           play the demo N times faster (1, 2 or 4)
  --duplicates P     deliver this share of all messages twice (0 to 1)
  --disorder TIME    let messages overtake each other by up to this time, as in 500ms
  --help             print this
`;

/** A command line that makes no sense, in one sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads the command line.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): Options | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const { config, data, record, bundles, once = false, engine = "embedded" } = values;
  if (engine !== "embedded" && engine !== "google") {
    throw new UsageError(`--engine ${engine}: there is only embedded and google`);
  }
  const { fault = faultNames[0] } = values;
  if (!isFaultName(fault)) {
    throw new UsageError(`--fault ${fault}: ${insteadOf(nearest(fault, faultNames), faultNames, "faults")}`);
  }
  if (config !== undefined && values.fault !== undefined)
    throw new UsageError("--fault breaks a part of the demo: it does not go with --config");
  const pace = Number(values.pace ?? "1");
  if (![1, 2, 4].includes(pace)) throw new UsageError(`--pace ${values.pace}: write 1, 2 or 4`);
  const duplicates = Number(values.duplicates ?? "0");
  if (!(duplicates >= 0 && duplicates <= 1)) {
    throw new UsageError(`--duplicates ${values.duplicates}: write a share from 0 to 1`);
  }
  const disorderMs = parseDuration(values.disorder ?? "0s");
  if (disorderMs === undefined) throw new UsageError(`--disorder ${values.disorder}: write a time such as 500ms`);
  if (engine === "google" && (duplicates > 0 || disorderMs > 0)) {
    throw new UsageError(
      "--duplicates and --disorder need the embedded broker: Google's emulator cannot be told to misbehave",
    );
  }
  if (config !== undefined && once)
    throw new UsageError("--once plays the demo to its end: it does not go with --config");
  return {
    ...(config === undefined ? {} : { config }),
    ...(data === undefined ? {} : { data }),
    ...(record === undefined ? {} : { record }),
    ...(bundles === undefined ? {} : { bundles }),
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

function parse(args: readonly string[]): {
  config?: string;
  data?: string;
  record?: string;
  bundles?: string;
  once?: boolean;
  engine?: string;
  fault?: string;
  pace?: string;
  duplicates?: string;
  disorder?: string;
  help?: boolean;
} {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        config: { type: "string" },
        data: { type: "string" },
        record: { type: "string" },
        bundles: { type: "string" },
        once: { type: "boolean" },
        engine: { type: "string" },
        fault: { type: "string" },
        pace: { type: "string" },
        duplicates: { type: "string" },
        disorder: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    return values;
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\. |\n/);
    throw new UsageError(`${sentence}. See npm start -- --help`);
  }
}
