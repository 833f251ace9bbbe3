/** What a command of the command line is, and how it reads its arguments. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { nearest } from "../shared/text/nearest.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** One command: one file, one line in the table of `main.ts`. */
export interface Command {
  /** What it does, in a few words for the list of commands. */
  readonly summary: string;
  /** How it is called, without the name of the program: `validate [--config FILE] [--json]`. */
  readonly usage: string;
  /**
   * @param args what follows the name of the command
   * @returns the exit code: 0 when all is well, 1 when what was examined is not
   * @throws WrongUsage
   */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** The command was called wrongly; its message is the one line that says how. Exit code 2. */
export class WrongUsage extends Error {
  override readonly name = "WrongUsage";
}

/** The values of options, by name; `undefined` for those not given. */
export type OptionValues<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: boolean; args: string[] }>
>["values"];

/**
 * Reads options and, where a command takes any, positional arguments.
 * @throws WrongUsage for an unknown option, with the nearest one, or a missing value
 */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  allowPositionals: boolean = false,
): { values: OptionValues<Options>; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals, strict: true });
    return { values, positionals };
  } catch (error) {
    throw new WrongUsage(explained(error as NodeJS.ErrnoException, Object.keys(options)), { cause: error });
  }
}

function explained(error: NodeJS.ErrnoException, options: readonly string[]): string {
  const [, quoted = ""] = /'([^']*)'/.exec(error.message) ?? [];
  if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const suggestion = nearest(quoted.replace(/^-+/, ""), options);
    const all = options.map((option) => `--${option}`).join(", ");
    const known = all === "" ? "it takes none" : `there is ${all}`;
    const instead = suggestion === undefined ? known : `did you mean --${suggestion}?`;
    return `unknown option ${quoted}: ${instead}`;
  }
  if (error.code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL") return `unexpected argument "${quoted}"`;
  return error.message.replace(/\.?\n[\s\S]*$/, "");
}
