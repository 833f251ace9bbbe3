/** From text to tokens. */
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import { ConditionError, corrected, type Span } from "./error.ts";

/** A word of the language. */
export interface Token extends Span {
  readonly kind: "name" | "number" | "string" | "symbol" | "end";
  /** As written; a string without its quotes, a number without spaces. */
  readonly text: string;
}

/**
 * Splits a text into tokens; the last is always `end`.
 * @throws ConditionError for what is no word of the language
 */
export function lex(text: string): readonly Token[] {
  if (text.length > longest) {
    const span = { start: longest, end: text.length };
    throw new ConditionError(`the text is longer than ${longest} characters: split it into several rules`, span);
  }
  const tokens: Token[] = [];
  for (const match of text.matchAll(word)) {
    const span = { start: match.index, end: match.index + match[0].length };
    const { number, name, string, symbol, other } = match.groups ?? {};
    if (number !== undefined) tokens.push({ kind: "number", text: number.replaceAll(/\s/g, ""), ...span });
    else if (name !== undefined) tokens.push({ kind: "name", text: name, ...span });
    else if (string !== undefined) tokens.push({ kind: "string", text: string.slice(1, -1), ...span });
    else if (symbol !== undefined && symbols.has(symbol)) tokens.push({ kind: "symbol", text: symbol, ...span });
    else throw notAWord(text, span, symbol ?? other ?? "");
  }
  tokens.push({ kind: "end", text: "", start: text.length, end: text.length });
  return tokens;
}

/** Bounds the depth of the tree as well, and so the recursion over it. */
const longest = 2000;

const word: RegExp =
  /(?<number>\d[\w.]*(?:\s*%)?)|(?<name>[A-Za-z_]\w*)|(?<string>"[^"]*"|'[^']*')|(?<symbol>[<>=!~&|]+|[-+*/(){},])|(?<other>\S)/gu;

const symbols: ReadonlySet<string> = new Set([
  ...["(", ")", "{", "}", ",", "+", "-", "*", "/", "=", "==", "!=", "<", "<=", ">", ">="],
]);

/** Tokens of other languages, and their equivalents in this one. */
const foreign: Readonly<Record<string, string>> = {
  "&&": "and",
  "&": "and",
  "||": "or",
  "|": "or",
  "!": "not",
  "===": "==",
  "!==": "!=",
  "<>": "!=",
  "=>": ">=",
  "=<": "<=",
  "≥": ">=",
  "≤": "<=",
  "≠": "!=",
  "×": "*",
  "÷": "/",
  "−": "-",
};

function notAWord(text: string, span: Span, found: string): ConditionError {
  const ours = ownEntry(foreign, found);
  if (ours !== undefined) {
    return new ConditionError(`unknown operator "${found}": write ${ours}`, span, corrected(text, span, ` ${ours} `));
  }
  return new ConditionError(adviceOn(found), span);
}

function adviceOn(found: string): string {
  switch (found) {
    case '"':
    case "'":
      return `unterminated string ${found}: write for example {probe="database"}`;
    case "=~":
    case "!~":
      return `unexpected "${found}": compare a label with = or !=`;
    case "[":
    case "]":
      return `unexpected "${found}": write a window as in avg(http_response_time, 5m)`;
    case ".":
      return 'a number does not begin with ".": write 0.5';
    default:
      return `unexpected "${found}": write a condition as in vpc_connector_utilization > 70%`;
  }
}
