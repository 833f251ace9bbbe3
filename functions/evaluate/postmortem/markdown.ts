/** Markdown from texts that nobody vouches for: what a target, a person or a configuration says stays text, and never becomes markup. */

/**
 * A text on one line, as it stands in a paragraph, an item or a cell. Spans in backticks, as our own sentences have them, stay what they are: in
 * them nothing is markup. Everything else that could be is escaped: formatting, links and addresses that become links, HTML, formulas.
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

/** Paragraphs, headings, tables and lists, each set apart by an empty line. */
export function blocks(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join("\n\n");
}

/** A section with its heading; nothing where there is nothing in it. */
export function section(heading: string, ...parts: readonly (string | undefined)[]): string | undefined {
  const body = blocks(parts);
  return body === "" ? undefined : `## ${heading}\n\n${body}`;
}

/** Items, each already Markdown. */
export function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

/** A table; its cells are already Markdown. Nothing where it has no rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string | undefined {
  if (rows.length === 0) return undefined;
  // In a table this sign must be escaped within backticks, too.
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll(/(?<!\\)\|/g, "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function escaped(text: string): string {
  return (
    text
      .replaceAll(/[\\`*[\]<>~|@$]/g, "\\$&")
      .replaceAll(/&(?=#?\w+;)/g, "\\&")
      // Within a word it is no formatting, and names of metrics stay readable.
      .replaceAll(/(?<!\w)_|_(?!\w)/g, "\\_")
      .replaceAll("://", ":\\//")
      .replaceAll(/\bwww\./gi, (start) => start.replace(".", "\\."))
  );
}
