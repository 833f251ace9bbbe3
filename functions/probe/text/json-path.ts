/** Paths into JSON: `$.a.b[0]["c"]`. Nothing else of JSONPath, so that a path means one value. */
import { ownEntry } from "../../../shared/runtime/entries.ts";

/** A path: the keys and positions that lead from the root to a value. */
export type JsonPath = readonly (string | number)[];

/** Reads a path; `undefined` when it is none. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith("$")) return undefined;
  const path: (string | number)[] = [];
  const step = /\.([A-Za-z_][\w-]*)|\[(\d{1,9})\]|\["((?:[^"\\]|\\.)*)"\]|\['([^'\\]*)'\]/y;
  step.lastIndex = 1;
  while (step.lastIndex < text.length) {
    const match = step.exec(text);
    if (!match) return undefined;
    const [, name, position, quoted, single] = match;
    path.push(position === undefined ? (name ?? single ?? unquoted(quoted ?? "")) : Number(position));
  }
  return path;
}

/** The value that a path leads to; `undefined` where there is none. Only own fields count. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object") return undefined;
    value = ownEntry(value as Record<string, unknown> | null, String(step));
  }
  return value;
}

function unquoted(text: string): string {
  return text.replaceAll(/\\(.)/g, "$1");
}
