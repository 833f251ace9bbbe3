/** The command line: the table of commands, and what is common to them. */
import { readFileSync } from "node:fs";
import { insteadOf } from "../shared/config/file/problems.ts";
import { ownEntry } from "../shared/runtime/entries.ts";
import { nearest } from "../shared/text/nearest.ts";
import { type Command, program, usageOf, WrongUsage } from "./command.ts";
import { commandHelp, programHelp } from "./terminal/help.ts";
import { processTerminal, type Terminal } from "./terminal/terminal.ts";

/** Every command, by name. Each is read when it is called: most of them need little of what the others need. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import("./commands/init.ts")).init,
  validate: async () => (await import("./commands/validate.ts")).validate,
  probe: async () => (await import("./commands/probe.ts")).probe,
  watch: async () => (await import("./commands/watch.ts")).watch,
  verify: async () => (await import("./commands/verify.ts")).verify,
  replay: async () => (await import("./commands/replay.ts")).replay,
  test: async () => (await import("./commands/test.ts")).test,
  routes: async () => (await import("./commands/routes.ts")).routes,
  preview: async () => (await import("./commands/preview.ts")).preview,
  incidents: async () => (await import("./commands/incidents.ts")).incidents,
  ack: async () => (await import("./commands/ack.ts")).ack,
  silence: async () => (await import("./commands/silence.ts")).silence,
  note: async () => (await import("./commands/note.ts")).note,
  resolve: async () => (await import("./commands/resolve.ts")).resolve,
  postmortem: async () => (await import("./commands/postmortem.ts")).postmortem,
  room: async () => (await import("./commands/room.ts")).room,
  drill: async () => (await import("./commands/drill.ts")).drill,
  changes: async () => (await import("./commands/changes.ts")).changes,
  heartbeat: async () => (await import("./commands/heartbeat.ts")).heartbeat,
  cost: async () => (await import("./commands/cost.ts")).cost,
  rehearse: async () => (await import("./commands/rehearse.ts")).rehearse,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  schema: async () => (await import("./commands/schema.ts")).schema,
};

/** Earlier names of commands, and what they are called now. */
const renamed: Readonly<Record<string, string>> = { beat: "heartbeat" };

/**
 * Runs the command that `args` name.
 * @param args without the program
 * @returns the exit code: that of the command, or 2 for wrong usage, which is said in one line on standard error
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  const [first, ...rest] = args;
  // npx keeps `--help` and `--version` for itself where no command stands before them: both are commands as well.
  if (first === "--version" || first === "version") {
    terminal.print(version());
    return 0;
  }
  const asksForHelp = first === "help" || rest.slice(0, endOfOptions(rest)).some(isHelp);
  const name = first === "help" ? rest.find((argument) => !isHelp(argument)) : first;
  if (name === undefined || isHelp(name)) {
    terminal.print(...programHelp(await loaded()));
    return 0;
  }
  const command = await ownEntry(commands, name)?.();
  if (!command) {
    terminal.note(`pathkeeper: ${unknown(name)}`);
    return 2;
  }
  if (asksForHelp) {
    terminal.print(...commandHelp(name, command));
    return 0;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    const message = error.message.replaceAll(/\s*\n\s*/g, " ");
    terminal.note(`pathkeeper ${name}: ${message} (usage: ${usageOf(name, command)})`);
    return 2;
  }
}

/** Every command with its name. */
export function loaded(): Promise<(readonly [name: string, command: Command])[]> {
  return Promise.all(Object.entries(commands).map(async ([name, load]) => [name, await load()] as const));
}

function isHelp(argument: string): boolean {
  return argument === "--help" || argument === "-h";
}

/** Behind `--` nothing is an option. */
function endOfOptions(args: readonly string[]): number {
  const end = args.indexOf("--");
  return end < 0 ? args.length : end;
}

function unknown(name: string): string {
  const now = ownEntry(renamed, name);
  if (now !== undefined) return `the command "${name}" is now called "${now}": write ${program} ${now}`;
  const names = [...Object.keys(commands), "help", "version"];
  if (name.startsWith("-")) {
    const instead = nearest(name, ["--help", "--version"]) ?? "--help";
    return `unknown option ${name}: did you mean ${instead}?`;
  }
  return `unknown command "${name}": ${insteadOf(nearest(name, names), names, "commands")}`;
}

/** The version of this program. */
export function version(): string {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
