/** Problems of a configuration file: sentences with their exact position. */

/** Path of a value in the file, from the top: keys and list indexes. */
export type Path = readonly (string | number)[];

/** One error or warning, at one place in the file. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
  /** Characters to underline on that line, at least 1. */
  readonly length: number;
  /** `probes.backend-health.url`; empty for the file as a whole. */
  readonly path: string;
  /** One sentence: what is wrong and what to write instead. */
  readonly message: string;
  /** The right name, where one is near. */
  readonly suggestion?: string;
  /** The underlined text may be a secret and must not be shown. */
  readonly confidential?: true;
}

/** Target of a problem: a value, or its key. */
export interface Spot {
  readonly path: Path;
  /** @default the value */
  readonly part?: "key" | "value";
  /** A part of a text, in characters of the value. */
  readonly within?: { readonly offset: number; readonly length: number };
}

/** A problem at a spot. */
export interface Remark {
  readonly message: string;
  readonly suggestion?: string | undefined;
  readonly confidential?: boolean | undefined;
}

/** Collects the errors and warnings of one file. */
export interface Problems {
  error(spot: Spot, remark: Remark): void;
  warn(spot: Spot, remark: Remark): void;
}

/** A path as people write it: `monitoring_rules[0].condition`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** Problems in the order of the file. What is wrong with a value that aliases repeat is said once. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  const said = new Map(problems.map((problem) => [`${problem.line}:${problem.column} ${problem.message}`, problem]));
  return [...said.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** Names that a sentence lists. */
const maxNamed = 50;

/** The end of a sentence about a wrong name: the right one where it is near, else all that there are. */
export function insteadOf(suggestion: string | undefined, candidates: readonly string[], what: string): string {
  if (suggestion !== undefined) return `did you mean "${suggestion}"?`;
  if (candidates.length === 0) return `there are no ${what}`;
  const more = candidates.length - maxNamed;
  const named = candidates.slice(0, maxNamed).join(", ");
  return more > 0 ? `the ${what} are ${named} and ${more} more` : `the ${what} are ${named}`;
}
