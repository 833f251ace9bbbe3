/** Reads the configuration file of a command, and shows what is wrong with it. */
import { readFile } from "node:fs/promises";
import { type Loaded, loadConfiguration } from "../shared/config/load.ts";
import type { Configuration } from "../shared/config/model.ts";
import type { Problem } from "../shared/config/problems.ts";
import { WrongUsage } from "./command.ts";
import { counted, type Style, type Terminal } from "./terminal.ts";
import { vocabulary } from "./vocabulary.ts";

/** The option `--config`, which most commands have. */
export const configOption = { config: { type: "string", default: "monitor.yaml" } } as const;

/** A file that could be read, whatever it says. */
export interface ConfigurationFile {
  readonly file: string;
  readonly text: string;
  readonly loaded: Loaded;
}

/**
 * Reads and checks a configuration file.
 * @throws WrongUsage when there is no such file
 */
export async function readConfigurationFile(file: string): Promise<ConfigurationFile> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "there is no such file" : cause.message;
    throw new WrongUsage(`cannot read ${file}: ${reason}; name another with --config FILE`, { cause });
  });
  return { file, text, loaded: loadConfiguration(text, file, vocabulary) };
}

/**
 * The configuration for a command that needs a right one. Where it is wrong, its problems are shown on standard error.
 * @throws WrongUsage when there is no such file
 */
export async function requireConfiguration(file: string, terminal: Terminal): Promise<Configuration | undefined> {
  const { text, loaded } = await readConfigurationFile(file);
  if ("configuration" in loaded) return loaded.configuration;
  terminal.note(...explainProblems(loaded.problems, text, "bad", terminal));
  terminal.note(terminal.paint("bad", `${counted(loaded.problems.length, "problem")} in ${file}`));
  return undefined;
}

/** Each problem as its place and sentence, the line of the file, and a mark below. */
export function explainProblems(
  problems: readonly Problem[],
  text: string,
  style: Style,
  { paint }: Pick<Terminal, "paint">,
): string[] {
  const lines = text.split(/\r?\n/);
  return problems.flatMap((problem) => {
    const { file, line, column, message } = problem;
    const { shown, mark } = excerpt(lines[line - 1] ?? "", problem);
    const place = paint("strong", `${file}:${line}:${column}`);
    return [`${place}  ${paint(style, message)}`, `    ${paint("faint", shown)}`, `    ${paint(style, mark)}`, ""];
  });
}

/** Characters of a line that are shown; a longer one is cut around the mark. */
const longestExcerpt = 110;

function excerpt(line: string, { column, length, confidential }: Problem): { shown: string; mark: string } {
  const start = column - 1;
  const whole = confidential ? `${line.slice(0, start)}${"*".repeat(8)}${line.slice(start + length)}` : line;
  const from = start + Math.min(length, 40) > longestExcerpt ? start - 40 : 0;
  const shown = whole.replaceAll("\t", " ").slice(from, from + longestExcerpt);
  const width = Math.max(1, Math.min(confidential ? 8 : length, longestExcerpt - (start - from)));
  return { shown: shown.trimEnd(), mark: `${" ".repeat(start - from)}${"^".repeat(width)}` };
}
