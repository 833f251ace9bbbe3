/** Builds Markdown from untrusted texts: text from targets, people and configurations is escaped. */

/**
 * Returns a text on one line, for a paragraph, an item or a cell. Spans in backticks are kept: they contain no markup. All other markup is
 * escaped: formatting, links, addresses that would become links, HTML, formulas.
 */
export function inline(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\s+/g, " ")
    .trim()
    .split(/(`[^`]{1,200}`)/)
    .map((part, index) => (index % 2 === 1 ? part : escaped(part)))
    .join("")
    .replace(/^(#|[-+=]+(?=\s|$))/, "\\$1")
    .replace(/^(\d+)(?=[.)])/, "$1\\");
}

/** Joins paragraphs, headings, tables and lists with blank lines. */
export function blocks(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join("\n\n");
}

/** Returns a section with its heading; `undefined` if it is empty. */
export function section(heading: string, ...parts: readonly (string | undefined)[]): string | undefined {
  const body = blocks(parts);
  return body === "" ? undefined : `## ${heading}\n\n${body}`;
}

/** Returns a bulleted list. @param items Markdown */
export function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

/** Returns a table; `undefined` if it has no rows. Its cells are Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string | undefined {
  if (rows.length === 0) return undefined;
  // In a table, a pipe must be escaped even within backticks.
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll(/(?<!\\)\|/g, "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function escaped(text: string): string {
  return (
    text
      .replaceAll(/[\\`*[\]<>~|@$]/g, "\\$&")
      .replaceAll(/&(?=#?\w+;)/g, "\\&")
      // An underscore within a word is not formatting, and names of metrics stay readable.
      .replaceAll(/(?<!\w)_|_(?!\w)/g, "\\_")
      .replaceAll("://", ":\\//")
      .replaceAll(/\bwww\./gi, (start) => start.replace(".", "\\."))
  );
}
