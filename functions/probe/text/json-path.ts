/**
 * Paths into JSON: `$.a.b[0]["c"]`, which refer to one value; and, where several values are possible, all of JSONPath, including filters:
 * `$.items[?(@.name == "x")].state`.
 * @see https://www.rfc-editor.org/rfc/rfc9535
 */
import { FunctionExpressionType, JSONPathEnvironment, type JSONPathQuery } from "json-p3";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { parsePattern } from "./pattern.ts";

/** A path: the keys and indexes that lead from the root to a value. */
export type JsonPath = readonly (string | number)[];

/** Parses a path; `undefined` if it is invalid. */
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

/** Returns the value at a path; `undefined` if there is none. Only own fields count. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object") return undefined;
    value = ownEntry(value as Record<string, unknown> | null, String(step));
  }
  return value;
}

/** Returns why a text is not a valid path or query, or `undefined` if it is valid. */
export function jsonQueryMistake(text: string): string | undefined {
  const read = queryOf(text);
  return typeof read === "string" ? read : undefined;
}

/** Returns all values that a path leads to or a query selects, in order; none if the text is neither. */
export function valuesAt(root: unknown, text: string): readonly unknown[] {
  const query = queryOf(text);
  if (typeof query === "string") return [];
  if (isPath(query)) {
    const value = valueAt(root, query);
    return value === undefined ? [] : [value];
  }
  const values: unknown[] = [];
  try {
    // Parsed JSON contains only JSON values.
    for (const { value } of query.lazyQuery(root as JsonValue)) {
      values.push(value);
      if (values.length === maxSelected) break;
    }
  } catch {
    // Too deeply nested: the values found so far count.
  }
  return values;
}

/** Maximum number of values that a query selects. */
const maxSelected = 10_000;

type JsonValue = Parameters<JSONPathQuery["lazyQuery"]>[0];

const environment = new JSONPathEnvironment();
// The library's own functions would use JavaScript's regular expressions, which can backtrack endlessly.
for (const [name, whole] of [
  ["match", true],
  ["search", false],
] as const)
  environment.functionRegister.set(name, {
    argTypes: [FunctionExpressionType.ValueType, FunctionExpressionType.ValueType],
    returnType: FunctionExpressionType.LogicalType,
    call: (text: unknown, pattern: unknown) =>
      typeof text === "string" &&
      typeof pattern === "string" &&
      parsePattern(whole ? `/^(?:${pattern})$/` : `/${pattern}/`)?.isIn(text) === true,
  });

/** Parsed queries, or their mistakes, by their text: those of a configuration are used in every run. */
const known = new Map<string, JsonPath | JSONPathQuery | string>();
/** Maximum number of cached queries: more than a configuration has. */
const maxKnown = 1_000;

function queryOf(text: string): JsonPath | JSONPathQuery | string {
  const found = known.get(text);
  if (found !== undefined) return found;
  const read = parseJsonPath(text) ?? compiled(text);
  if (known.size >= maxKnown) known.clear();
  known.set(text, read);
  return read;
}

function compiled(text: string): JSONPathQuery | string {
  if (!text.startsWith("$")) return "it does not begin with $";
  try {
    return environment.compile(text);
  } catch (error) {
    return (error as Error).message;
  }
}

function isPath(query: JsonPath | JSONPathQuery): query is JsonPath {
  return Array.isArray(query);
}

function unquoted(text: string): string {
  return text.replaceAll(/\\(.)/g, "$1");
}
