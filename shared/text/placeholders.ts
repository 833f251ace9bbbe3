/** `${name}` in texts of the configuration: what is written between the braces, and where, and the text with it filled in. */

/** A mark in a text. */
export interface Mark {
  /** The text between the braces, valid or not. */
  readonly name: string;
  /** Start and length of the mark, in characters of the text. */
  readonly offset: number;
  readonly length: number;
  /** Whether its brace is closed. */
  readonly closed: boolean;
}

/** `$${` stands for the two characters `${`. */
const pattern = /\$\$\{|\$\{([^{}]*)\}?/g;

/** The marks of a text, in the order in which they stand. */
export function marksOf(text: string): Mark[] {
  return [...text.matchAll(pattern)].flatMap(({ 0: whole, 1: name, index }) =>
    name === undefined ? [] : [{ name, offset: index, length: whole.length, closed: whole.endsWith("}") }],
  );
}

/** A text with its marks filled in. @param fill the text that stands for a name, at an offset of the text */
export function fillMarks(text: string, fill: (name: string, offset: number) => string): string {
  return text.replaceAll(pattern, (_, name: string | undefined, offset: number) =>
    name === undefined ? "${" : fill(name, offset),
  );
}

/** A text that `fillMarks` turns into the given one, whatever stands in it. */
export function withoutMarks(text: string): string {
  // A function, because `$$` in a text of replacement is one dollar.
  return text.replaceAll("${", () => "$${");
}
