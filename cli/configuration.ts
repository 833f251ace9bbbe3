/** Reads the configuration file of a command, and shows what is wrong with it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeFile } from "../shared/config/file/encoding.ts";
import type { Problem } from "../shared/config/file/problems.ts";
import { type Loaded, loadConfiguration } from "../shared/config/load.ts";
import { type Operand, WrongUsage } from "./command.ts";
import type { Style, Terminal } from "./terminal/terminal.ts";
import { vocabulary } from "./vocabulary.ts";

/** The configuration of a command that names none. */
export const usualConfiguration: string = "monitor.yaml";

/** The option `--config`, which most commands have. */
export const configOption = {
  config: { type: "string", value: "FILE", help: "the configuration", usual: usualConfiguration },
} as const;

/** The same file without the option: `validate FILE`. */
export const configOperand: Operand = { form: "[FILE]", help: "the configuration, in place of --config FILE" };

/**
 * Returns the file that `--config` or the operand names; `undefined` where neither does.
 * @throws WrongUsage where both do
 */
export function namedConfiguration(config: string | undefined, operands: readonly string[]): string | undefined {
  const [operand] = operands;
  if (config === undefined || operand === undefined) return config ?? operand;
  throw new WrongUsage(`two configurations given, ${operand} and ${config}: specify only one`);
}

/** Returns where `npm start -- --data DIR` keeps the configuration that it runs. */
export function keptConfiguration(data: string): string {
  return join(data, usualConfiguration);
}

/** A file that could be read, whatever it says. */
export interface ConfigurationFile {
  readonly file: string;
  readonly text: string;
  readonly loaded: Loaded;
}

/**
 * Reads and checks a configuration file.
 * @param advice what to do when it cannot be read
 * @throws WrongUsage when there is no such file
 */
export async function readConfigurationFile(
  file: string,
  advice: string = "specify another file with --config FILE",
): Promise<ConfigurationFile> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "no such file" : cause.message;
    throw new WrongUsage(`cannot read ${file}: ${reason}; ${advice}`, { cause });
  });
  return configurationOf(bytes, file, Date.now());
}

/** Checks the bytes of a configuration file. @param now milliseconds since the epoch, for warnings of what is over; without it there are none */
export function configurationOf(bytes: Uint8Array, file: string, now?: number): ConfigurationFile {
  const { text, problem } = decodeFile(bytes, file);
  const loaded =
    problem === undefined ? loadConfiguration(text, file, vocabulary, now) : { problems: [problem], warnings: [] };
  return { file, text, loaded };
}

/** Maximum number of problems shown. Fix these first, then run the command again. */
const maxShown = 50;

/** Each problem as its place and sentence, the line of the file, and a mark below; of very many the first ones, and how many more there are. */
export function explainProblems(
  problems: readonly Problem[],
  text: string,
  style: Style,
  { paint }: Pick<Terminal, "paint">,
): string[] {
  const lines = text.split(/\r?\n/);
  const more = problems.length - maxShown;
  const shownProblems = problems.slice(0, maxShown).flatMap((problem) => {
    const { file, line, column, message } = problem;
    const { shown, mark } = excerpt(lines[line - 1] ?? "", problem);
    const place = paint("strong", `${file}:${line}:${column}`);
    return [`${place}  ${paint(style, message)}`, `    ${paint("faint", shown)}`, `    ${paint(style, mark)}`, ""];
  });
  return more <= 0 ? shownProblems : [...shownProblems, `… and ${more} more of these`, ""];
}

/** Characters of a line that are shown; a longer one is cut around the mark. */
const longestExcerpt = 110;

function excerpt(line: string, { column, length, confidential }: Problem): { shown: string; mark: string } {
  const start = column - 1;
  const end = start + length;
  const safe = confidential ? line.slice(0, start) + stars(line.slice(start, end)) + line.slice(end) : line;
  // A mistake may stand beside a password that is no mistake to YAML.
  const whole = safe.replaceAll(/(?<=:\/\/[^\s/@]*:)[^\s/@]+(?=@)/g, stars).replaceAll("\t", " ");
  const from = start + Math.min(length, 40) > longestExcerpt ? start - 40 : 0;
  const shown = whole.slice(from, from + longestExcerpt).trimEnd();
  const width = Math.max(1, Math.min(length, longestExcerpt - (start - from)));
  return { shown, mark: `${" ".repeat(start - from)}${"^".repeat(width)}` };
}

function stars(text: string): string {
  return "*".repeat(text.length);
}
