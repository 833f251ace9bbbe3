/** Formats the output of commands: coloured on a terminal, plain in a pipe or with NO_COLOR, aligned in both. */
import { stripVTControlCharacters, styleText } from "node:util";

/** Style of a text, which selects its colour. */
export type Style = "good" | "warning" | "bad" | "strong" | "faint";

/** Output of a command. */
export interface Terminal {
  /** Results: lines on standard output. */
  print(...lines: readonly string[]): void;
  /** Complaints and progress: lines on standard error. */
  note(...lines: readonly string[]): void;
  /** Colours a text that will be printed. */
  paint(style: Style, text: string): string;
  /** True if the output is a terminal, not a file or program. */
  readonly isInteractive: boolean;
}

/** The terminal, or the pipes, of this process. */
export function processTerminal(): Terminal {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough, such as `head`, is no reason to fail.
    if (error.code === "EPIPE") return;
    process.stderr.write(`pathkeeper: cannot write the output: ${error.message}\n`);
    process.exit(1);
  });
  process.stderr.on("error", () => {});
  return {
    print: (...lines) => void process.stdout.write(lines.map((line) => `${line}\n`).join("")),
    note: (...lines) => void process.stderr.write(lines.map((line) => `${line}\n`).join("")),
    paint: (style, text) => styleText(styles[style], text, { stream: process.stdout }),
    isInteractive: process.stdout.isTTY === true,
  };
}

/** A terminal that keeps plain lines in memory, for tests. */
export function memoryTerminal(
  isInteractive: boolean = false,
): Terminal & { readonly printed: string[]; readonly noted: string[] } {
  const printed: string[] = [];
  const noted: string[] = [];
  return {
    printed,
    noted,
    print: (...lines) => void printed.push(...lines),
    note: (...lines) => void noted.push(...lines),
    paint: (_, text) => text,
    isInteractive,
  };
}

/** Rows as lines, with every column but the last as wide as its widest cell. Colours do not count as width. */
export function table(rows: readonly (readonly string[])[], indent: string = "  "): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)),
    );
    return `${indent}${cells.join("  ")}`.trimEnd();
  });
}

/** A number with its noun: `1 probe`, `3 probes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

const styles = {
  good: "green",
  warning: "yellow",
  bad: "red",
  strong: "bold",
  faint: "dim",
} as const;

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
