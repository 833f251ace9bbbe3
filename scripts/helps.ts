/** Output of `--help`, by the name of the section of docs/cli.md that shows it. */
import { loaded } from "../cli/main.ts";
import { commandHelp, programHelp } from "../cli/terminal/help.ts";
import { usage } from "../local/options.ts";

const commands = await loaded();

/** The help of the program, of each command, and of `npm start`. */
export const helps: ReadonlyMap<string, string> = new Map([
  ["help", programHelp(commands).join("\n")],
  ...commands.map(([name, command]) => [name, commandHelp(name, command).join("\n")] as const),
  ["start", usage.trimEnd()],
]);
