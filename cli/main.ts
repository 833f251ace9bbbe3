/** The command line: the table of commands, and what is common to them. */
import { insteadOf } from "../shared/config/file/problems.ts";
import { ownEntry } from "../shared/runtime/entries.ts";
import { nearest } from "../shared/text/nearest.ts";
import { type Command, WrongUsage } from "./command.ts";
import { processTerminal, type Terminal, table } from "./terminal/terminal.ts";

/** Every command, by name. Each is read when it is called: most of them need little of what the others need. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  validate: async () => (await import("./commands/validate.ts")).validate,
  probe: async () => (await import("./commands/probe.ts")).probe,
  watch: async () => (await import("./commands/watch.ts")).watch,
  verify: async () => (await import("./commands/verify.ts")).verify,
  replay: async () => (await import("./commands/replay.ts")).replay,
  test: async () => (await import("./commands/test.ts")).test,
  preview: async () => (await import("./commands/preview.ts")).preview,
  postmortem: async () => (await import("./commands/postmortem.ts")).postmortem,
  drill: async () => (await import("./commands/drill.ts")).drill,
  beat: async () => (await import("./commands/heartbeat.ts")).beat,
  cost: async () => (await import("./commands/cost.ts")).cost,
  schema: async () => (await import("./commands/schema.ts")).schema,
};

/**
 * Runs the command that `args` name.
 * @param args without the program
 * @returns the exit code: that of the command, or 2 for wrong usage, which is said in one line on standard error
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || isCallForHelp(name)) {
    terminal.print(...(await help()));
    return 0;
  }
  const command = await ownEntry(commands, name)?.();
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

async function help(): Promise<string[]> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  return [
    "Watches Cloud Run services, their load balancer and their database, and says what broke.",
    "",
    ...table(all.map(({ usage, summary }) => [`npx pathkeeper ${usage}`, summary])),
  ];
}
