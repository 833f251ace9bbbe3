/** Defines commands of the command line: their description, argument parsing and usage lines. */
import { parseArgs } from "node:util";
import { nearest } from "../shared/text/nearest.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** The invocation that every text shows. With `--no`, npm runs only what is installed, and never downloads a package of this name. */
export const program: string = "npx --no pathkeeper";

/** One option, in the form that `parseArgs` of Node takes, with what its line of the help says. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** Placeholder for the value in the help, such as `FILE`. Options of type `string` have one. */
  readonly value?: string;
  /** Description of the default, if it differs from the value of `default`. */
  readonly usual?: string;
  /** Help text of the option, without a full stop. */
  readonly help: string;
}

/** Options by name. */
export type Options = Readonly<Record<string, Option>>;

/** Description of a command. Each command has one file and one line in the table of `main.ts`. */
interface Description {
  /** One-sentence summary for the list of commands. Begins with a verb, without a full stop. */
  readonly summary: string;
  /** Operand after the name, besides options: `NAME`, `[FILE]` or `FILE...`. No operand if absent. */
  readonly operand?: Operand;
  readonly options: Options;
  /** Redirection after the options in the usage line, such as `< reports.ndjson`. */
  readonly input?: string;
  /** Example calls, without the program name, each with a description. At least one. */
  readonly examples: readonly (readonly [call: string, does: string])[];
}

/** An argument that is no option. */
export interface Operand {
  /** In brackets where it may be left out, with dots where several may be given. */
  readonly form: string;
  readonly help: string;
}

/** One command. */
export interface Command extends Description {
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
export type OptionValues<Given extends Options> = ReturnType<
  typeof parseArgs<{ options: Given; allowPositionals: true; args: string[] }>
>["values"];

/** A command whose arguments are read by its own description. */
export function defineCommand<const Given extends Options>({
  run,
  ...description
}: Description & {
  readonly options: Given;
  /** @param operands as many as the form of the operand allows */
  run(values: OptionValues<Given>, terminal: Terminal, operands: readonly string[]): Promise<number>;
}): Command {
  return {
    ...description,
    async run(args, terminal) {
      const { values, operands } = readArguments<Given>(args, description);
      return run(values, terminal, operands);
    },
  };
}

/** Returns the usage line of a command: `npx --no pathkeeper validate [options] [FILE]`. */
export function usageOf(name: string, { operand, options, input }: Description): string {
  const all = [program, name, Object.keys(options).length > 0 ? "[options]" : "", operand?.form ?? "", input ?? ""];
  return all.filter((part) => part !== "").join(" ");
}

/**
 * Reads options and operands.
 * @throws WrongUsage for an unknown option, with the nearest one, a missing value, and too few or too many operands
 */
export function readArguments<const Given extends Options>(
  args: readonly string[],
  { options, operand }: { readonly options: Given; readonly operand?: Operand },
): { readonly values: OptionValues<Given>; readonly operands: readonly string[] } {
  const { values, positionals } = parsed<Given>(args, options);
  const form = operand?.form ?? "";
  if (positionals.length === 0 && form !== "" && !form.startsWith("["))
    throw new WrongUsage(`${form.replaceAll(".", "")} is missing: ${operand?.help}`);
  const extra = form.includes("...") ? undefined : positionals[form === "" ? 0 : 1];
  if (extra !== undefined) throw new WrongUsage(`unexpected argument "${extra}"${dashesMissing(extra, options)}`);
  return { values, operands: positionals };
}

function parsed<Given extends Options>(args: readonly string[], options: Given) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true as const, strict: true });
  } catch (error) {
    throw new WrongUsage(explained(error as NodeJS.ErrnoException, options), { cause: error });
  }
}

function explained({ code, message }: NodeJS.ErrnoException, options: Options): string {
  const [, quoted = ""] = /'([^']*)'/.exec(message) ?? [];
  const [, name = ""] = /^(?:-\w, )?--([\w-]+)/.exec(quoted) ?? [];
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const names = Object.keys(options);
    const suggestion = nearest(quoted.replace(/^-+/, ""), names);
    const known = names.length === 0 ? "there are none" : `the options are ${names.map(dashed).join(", ")}`;
    return `unknown option ${quoted}: ${suggestion === undefined ? known : `did you mean ${dashed(suggestion)}?`}`;
  }
  const option = Object.entries(options).find(([known]) => known === name)?.[1];
  if (code !== "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" || option === undefined)
    return message.replace(/\.?\n[\s\S]*$/, "");
  return option.type === "boolean"
    ? `${dashed(name)} takes no value`
    : `${dashed(name)} needs a value: write ${dashed(name)} ${option.value ?? "VALUE"}`;
}

/** Somebody wrote `json` and meant `--json`. */
function dashesMissing(argument: string, options: Options): string {
  const option = Object.keys(options).find((name) => argument === name || argument === `-${name}`);
  return option === undefined ? "" : `: did you mean ${dashed(option)}?`;
}

function dashed(name: string): string {
  return `--${name}`;
}
