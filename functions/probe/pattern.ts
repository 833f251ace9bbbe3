/** Patterns over texts of a target: a pattern that backtracks without end must not stop all other probes. */
import { createContext, Script } from "node:vm";
import { lazily } from "../../shared/lazily.ts";

/** How long one search may take, in milliseconds. */
const patience = 100;

/** Whether the pattern is found in the text; `too slow` when that could not be told in 100 ms. */
export function search(pattern: RegExp, text: string): boolean | "too slow" {
  const match = find(pattern, text);
  return match === "too slow" ? match : match !== undefined;
}

/** What the pattern finds in the text: its first group, or all of it where it has none; `too slow` as in `search`. */
export function find(pattern: RegExp, text: string): { readonly text: string } | undefined | "too slow" {
  const match = execute(pattern, text);
  return match === null ? undefined : match === "too slow" ? match : { text: match[1] ?? match[0] ?? "" };
}

function execute(pattern: RegExp, text: string): readonly (string | undefined)[] | null | "too slow" {
  // Only short texts are searched without a guard, which costs more than the search itself.
  if (text.length <= 100) return pattern.exec(text);
  sandbox.pattern = pattern;
  sandbox.text = text;
  try {
    return execution().runInContext(context(), { timeout: patience }) as readonly string[] | null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return "too slow";
    throw error;
  } finally {
    sandbox.text = "";
  }
}

/** Reads `/pattern/` or `/pattern/i`; `undefined` when the text is not written so, or is no regular expression. */
export function parsePattern(text: string): RegExp | undefined {
  const read = readPattern(text);
  return read instanceof RegExp ? read : undefined;
}

/** What keeps a text from being a pattern, to stand at the end of a sentence; `undefined` for one that is. */
export function patternMistake(text: string): string | undefined {
  const read = readPattern(text);
  if (read instanceof RegExp) return undefined;
  return read === undefined ? "write it between slashes" : read;
}

/** The pattern, or why it is no regular expression; `undefined` for what is not written between slashes. */
function readPattern(text: string): RegExp | string | undefined {
  const match = /^\/(.+)\/([ims]*)$/s.exec(text);
  if (!match) return undefined;
  try {
    return new RegExp(match[1] ?? "", match[2]);
  } catch (error) {
    // `Invalid regular expression: /(/: Unterminated group`
    return (/: ([^:]+)$/.exec((error as Error).message)?.[1] ?? "it is no regular expression").toLowerCase();
  }
}

const sandbox = { pattern: /(?:)/, text: "" };
const context = lazily(() => createContext(sandbox));
const execution = lazily(() => new Script("pattern.exec(text)"));
