/** Text of `--help`. */
import { type Command, type Option, type Options, program, usageOf } from "../command.ts";
import { type Entry, list, shellCall, wrapped } from "./columns.ts";

/** The help of the program: what it is, and each command in a sentence. */
export function programHelp(commands: readonly (readonly [name: string, command: Command])[]): string[] {
  return [
    ...wrapped("Pathkeeper probes services from inside and outside, and reports what broke, why, and who should act."),
    "",
    ...synopsis(`${program} COMMAND [options]`),
    "",
    "Commands:",
    ...list([
      ...commands.map(([name, { summary }]): Entry => [name, summary]),
      ["help", "Show this help, or the help of a command"],
      ["version", "Show the version"],
    ]),
    "",
    "Exit codes:",
    ...list([
      ["0", "success"],
      ["1", "problems were found"],
      ["2", "invalid usage, explained in one line on standard error"],
    ]),
    "",
    "Examples:",
    ...examples([
      ["validate", "Check monitor.yaml in the current folder"],
      ["validate --help", "Show the options of a command"],
    ]),
  ];
}

/** The help of one command: how it is called, every option, and examples. */
export function commandHelp(name: string, command: Command): string[] {
  const { summary, operand, options } = command;
  return [
    ...synopsis(usageOf(name, command)),
    "",
    ...wrapped(`${summary}.`),
    ...(operand === undefined ? [] : ["", "Arguments:", ...list([[operand.form.replace(/[[\]]/g, ""), operand.help]])]),
    "",
    "Options:",
    ...list(optionEntries(options)),
    "",
    "Examples:",
    ...examples(command.examples),
  ];
}

/** Returns an entry for each option, and one for `--help`. */
export function optionEntries(options: Options): Entry[] {
  return [...Object.entries(options).map(optionEntry), ["-h, --help", "show this help"]];
}

function optionEntry([name, option]: readonly [string, Option]): Entry {
  const { type, value = "VALUE", help, multiple } = option;
  const usual = option.usual ?? (option.default === false ? undefined : option.default);
  const notes = [...(multiple ? ["may be repeated"] : []), ...(usual === undefined ? [] : [`default: ${usual}`])];
  return [
    `--${name}${type === "string" ? ` ${value}` : ""}`,
    notes.length === 0 ? help : `${help} (${notes.join("; ")})`,
  ];
}

function synopsis(usage: string): string[] {
  return wrapped(usage, "Usage: ", " ".repeat(9));
}

function examples(calls: Command["examples"]): string[] {
  return calls.flatMap(([call, does], index) => [
    ...(index === 0 ? [] : [""]),
    ...wrapped(does, "  # "),
    ...shellCall(`${program} ${call}`),
  ]);
}
