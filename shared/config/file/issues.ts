/** Reads a part of the file by a schema, and says what is wrong in sentences of our own. */
import { z } from "zod";
import { ownEntry } from "../../runtime/entries.ts";
import { nearest } from "../../text/nearest.ts";
import { secretForm } from "../fields.ts";
import { bare, type Issue, mustBe, oneOf, placesOf, renamedKey, sameMeaning, sentence } from "./problem-text.ts";
import { insteadOf, type Path, type Problems } from "./problems.ts";

/**
 * Reads a value by a schema.
 * @param path where the value stands in the file
 * @param otherKeys keys that stand beside the schema's own and are read elsewhere
 * @returns `undefined` when anything is wrong with it; every problem has then been reported
 */
export function inspect<T>(
  schema: z.ZodType<T, unknown>,
  value: unknown,
  path: Path,
  problems: Problems,
  otherKeys: readonly string[] = [],
): T | undefined {
  const objects = new Map<readonly string[], z.ZodObject>();
  const parsed = schema.safeParse(value, {
    reportInput: true,
    error: (issue) => {
      if (issue.code === "unrecognized_keys" && issue.inst instanceof z.ZodObject) objects.set(issue.keys, issue.inst);
      return sentence(issue as Issue, issue.inst);
    },
  });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap(unfold);
  const mistyped = new Set<string>();
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys") continue;
    const object = objects.get(issue.keys);
    const candidates = [...Object.keys(object?.shape ?? {}), ...(issue.path.length === 0 ? otherKeys : [])];
    for (const key of issue.keys) {
      const places = object === undefined ? [] : placesOf(key, object);
      const now = renamedKey(key, candidates);
      const suggestion =
        places.length > 0 ? undefined : (now ?? sameMeaning(key, candidates) ?? nearest(key, candidates));
      if (suggestion !== undefined) mistyped.add(JSON.stringify([...issue.path, suggestion]));
      const instead =
        places.length > 0 ? `it belongs under ${places.join(" or ")}` : insteadOf(suggestion, candidates, "keys here");
      const message = now === undefined ? `unknown key "${key}": ${instead}` : `"${key}" was renamed: write ${now}:`;
      problems.error({ path: [...path, ...keysOf(issue), key], part: "key" }, { message, suggestion });
    }
  }
  for (const issue of issues) {
    if (issue.code === "unrecognized_keys") continue;
    const inside = keysOf(issue);
    if (isMissing(issue)) {
      // A key that was only mistyped is not missing as well.
      if (mistyped.has(JSON.stringify(issue.path))) continue;
      const spot = { path: [...path, ...inside.slice(0, -1)], part: "key" } as const;
      problems.error(spot, { message: missing(schema, inside) });
    } else {
      const part = issue.code === "invalid_key" ? "key" : "value";
      const confidential = typeof issue.input === "string" && issue.message.includes(secretForm);
      const suggestion =
        issue.code === "invalid_value" ? nearest(String(issue.input), issue.values.map(String)) : undefined;
      problems.error({ path: [...path, ...inside], part }, { message: issue.message, suggestion, confidential });
    }
  }
  return undefined;
}

function keysOf(issue: Issue): (string | number)[] {
  return issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
}

/** If one branch of a union is clearly meant, its issues are more precise than those of the union. */
function unfold(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union" || issue.message !== "") return [issue];
  const branches = issue.errors.filter((errors) => errors.every((error) => error.path.length > 0 || !isOfType(error)));
  const meant = branches.toSorted((a, b) => a.length - b.length)[0];
  if (meant) return meant.flatMap((inner) => unfold({ ...inner, path: [...issue.path, ...inner.path] } as Issue));
  const errors = issue.errors.flat();
  const expected = errors.flatMap((error) => (error.code === "invalid_type" ? [error.expected] : []));
  const values = errors.flatMap((error) => (error.code === "invalid_value" ? error.values : []));
  const message = expected.length === 0 ? oneOf(values, issue.input) : mustBe([...new Set(expected)], issue.input);
  return [{ ...issue, message }];
}

function isOfType(issue: Issue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function isMissing(issue: Issue): boolean {
  return issue.path.length > 0 && issue.input === undefined && issue.code !== "custom";
}

function missing(schema: z.ZodType, inside: readonly (string | number)[]): string {
  const key = String(inside.at(-1));
  // The first sentence only; the rest explains.
  const [description] = fieldAt(schema, inside)?.description?.split(/\.(?: |$)/) ?? [];
  return description === undefined ? `"${key}" is required` : `"${key}" is required: ${uncapitalized(description)}`;
}

/** The schema of a field inside another; `undefined` where the way there is not that of plain maps and lists. */
function fieldAt(schema: z.ZodType, path: readonly (string | number)[]): z.ZodType | undefined {
  let field: unknown = schema;
  for (const key of path) {
    const outer = bare(field);
    if (outer instanceof z.ZodObject) field = ownEntry(outer.shape, String(key));
    else if (outer instanceof z.ZodArray) field = outer.element;
    else if (outer instanceof z.ZodRecord) field = outer.valueType;
    else return undefined;
  }
  return field instanceof z.ZodType ? field : undefined;
}

function uncapitalized(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
