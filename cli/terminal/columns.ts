/** Texts in lines that no terminal of 80 columns breaks. */

/** The widest line, in characters. */
const columns = 80;

/** A name and what it is: one entry of a list. */
export type Entry = readonly [name: string, text: string];

/**
 * Returns a text in lines, broken between words.
 * @param text a string, or words that stay whole
 * @param hanging how every line but the first begins. @default as the first
 */
export function wrapped(
  text: string | readonly string[],
  first: string = "",
  hanging: string = first,
  width: number = columns,
): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of typeof text === "string" ? text.split(" ") : text) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = hanging;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** Returns entries with their texts aligned. */
export function list(entries: readonly Entry[]): string[] {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.flatMap(([name, text]) => wrapped(text, `  ${name.padEnd(width)}  `, " ".repeat(width + 4)));
}

/** Returns a call of the shell that may be copied whole: a long one goes on behind a backslash, before an option or a redirection. */
export function shellCall(call: string): string[] {
  const indented = `  ${call}`;
  if (indented.length <= columns) return [indented];
  const lines = wrapped(call.split(/ (?=--\w|[<>|&])/), "  ", "    ", columns - 2);
  return lines.map((line, index) => (index === lines.length - 1 ? line : `${line} \\`));
}
