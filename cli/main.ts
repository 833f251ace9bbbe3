/** The command line: the table of commands, and what is common to them. */
import { insteadOf } from "../shared/config/problems.ts";
import { nearest } from "../shared/nearest.ts";
import { beat } from "./beat.ts";
import { type Command, WrongUsage } from "./command.ts";
import { cost } from "./cost.ts";
import { probe } from "./probe.ts";
import { replay } from "./replay.ts";
import { schema } from "./schema.ts";
import { processTerminal, type Terminal, table } from "./terminal.ts";
import { test } from "./test.ts";
import { validate } from "./validate.ts";
import { verify } from "./verify.ts";
import { watch } from "./watch.ts";

/** Every command, by name. */
export const commands: Readonly<Record<string, Command>> = {
  validate,
  probe,
  watch,
  verify,
  replay,
  test,
  beat,
  cost,
  schema,
};

/**
 * Runs the command that `args` name.
 * @param args without the program
 * @returns the exit code: that of the command, or 2 for wrong usage, which is said in one line on standard error
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || isCallForHelp(name)) {
    terminal.print(...help());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const names = Object.keys(commands);
    terminal.note(`pathkeeper: unknown command "${name}": ${insteadOf(nearest(name, names), names, "commands")}`);
    return 2;
  }
  if (rest.some(isCallForHelp)) {
    terminal.print(`npx pathkeeper ${command.usage}`, "", `  ${command.summary}`);
    return 0;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    terminal.note(`pathkeeper ${name}: ${error.message} (usage: npx pathkeeper ${command.usage})`);
    return 2;
  }
}

function isCallForHelp(argument: string): boolean {
  return argument === "--help" || argument === "-h";
}

function help(): string[] {
  return [
    "Watches Cloud Run services, their load balancer and their database, and says what broke.",
    "",
    ...table(Object.values(commands).map(({ usage, summary }) => [`npx pathkeeper ${usage}`, summary])),
  ];
}
