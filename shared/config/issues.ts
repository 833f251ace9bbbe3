/** Reads a part of the file by a schema, and says what is wrong in sentences of our own. */
import { z } from "zod";
import { nearest } from "../nearest.ts";
import { secretForm } from "./fields.ts";
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
  const keysBeside = new Map<readonly string[], readonly string[]>();
  const parsed = schema.safeParse(value, {
    reportInput: true,
    error: (issue) => {
      if (issue.code === "unrecognized_keys" && issue.inst instanceof z.ZodObject)
        keysBeside.set(issue.keys, Object.keys(issue.inst.shape));
      return sentence(issue as Issue);
    },
  });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap(unfold);
  const mistyped = new Set<string>();
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys") continue;
    const candidates = [...(keysBeside.get(issue.keys) ?? []), ...(issue.path.length === 0 ? otherKeys : [])];
    for (const key of issue.keys) {
      const suggestion = nearest(key, candidates);
      if (suggestion !== undefined) mistyped.add(JSON.stringify([...issue.path, suggestion]));
      const message = `unknown key "${key}": ${insteadOf(suggestion, candidates, "keys here")}`;
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

type Issue = z.core.$ZodIssue;

function keysOf(issue: Issue): (string | number)[] {
  return issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
}

/** Where one branch of a union is clearly meant, its issues say more than the union's own. */
function unfold(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union" || issue.message !== "") return [issue];
  const branches = issue.errors.filter((errors) => errors.every((error) => error.path.length > 0 || !isOfType(error)));
  const meant = branches.toSorted((a, b) => a.length - b.length)[0];
  if (meant) return meant.flatMap((inner) => unfold({ ...inner, path: [...issue.path, ...inner.path] } as Issue));
  const expected = issue.errors.flat().flatMap((error) => (error.code === "invalid_type" ? [error.expected] : []));
  return [{ ...issue, message: mustBe([...new Set(expected)], issue.input) }];
}

function isOfType(issue: Issue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function isMissing(issue: Issue): boolean {
  return issue.path.length > 0 && issue.input === undefined && issue.code !== "custom";
}

function missing(schema: z.ZodType, inside: readonly (string | number)[]): string {
  const key = String(inside.at(-1));
  const field: unknown = inside.length === 1 && schema instanceof z.ZodObject ? schema.shape[key] : undefined;
  const description = field instanceof z.ZodType ? field.description?.replace(/\.$/, "") : undefined;
  return description === undefined ? `"${key}" is missing` : `"${key}" is missing: ${uncapitalized(description)}`;
}

function uncapitalized(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function sentence(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return mustBe([issue.expected], issue.input);
    case "invalid_value":
      return oneOf(issue.values.map(String), issue.input);
    case "invalid_union":
      // Left empty for `unfold`, which looks for the branch that was meant.
      return issue.errors.length > 0 ? "" : oneOf(discriminators(issue), discriminated(issue));
    case "invalid_key":
      return issue.issues[0]?.message ?? "this key is not allowed here";
    case "too_small":
      return size(issue.origin, issue.minimum, issue.inclusive === false ? "more than" : "at least");
    case "too_big":
      return size(issue.origin, issue.maximum, issue.inclusive === false ? "less than" : "at most");
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_format":
      return issue.format === "regex"
        ? `"${String(issue.input)}" is not of the form ${issue.pattern ?? "wanted here"}`
        : `must be ${formats[issue.format] ?? `of the form ${issue.format}`}`;
    default:
      return issue.message ?? "is wrong";
  }
}

const formats: Readonly<Record<string, string>> = {
  url: "a complete address such as https://example.com/health",
  email: "a mail address such as team@example.com",
};

const typeNames: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

function mustBe(expected: readonly string[], input: unknown): string {
  const wanted = expected.map((type) => typeNames[type] ?? type).join(" or ");
  const quotable = expected.includes("string") && (typeof input === "number" || typeof input === "boolean");
  return `must be ${wanted}, not ${nameOf(input)}${quotable ? ": write it in quotes" : ""}`;
}

function nameOf(input: unknown): string {
  if (input === null) return "empty";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "number" && !Number.isInteger(input)) return "a fraction";
  return typeNames[typeof input] ?? typeof input;
}

function oneOf(values: readonly string[], input: unknown): string {
  const given = typeof input === "string" ? `"${input}"` : nameOf(input);
  return `must be ${values.join(", ").replace(/, ([^,]*)$/, " or $1")}, not ${given}`;
}

function discriminators(issue: z.core.$ZodIssueInvalidUnion): string[] {
  return "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : ["another"];
}

function discriminated(issue: z.core.$ZodIssueInvalidUnion): unknown {
  const key = "discriminator" in issue ? issue.discriminator : undefined;
  return typeof key === "string" ? (issue.input as Record<string, unknown> | undefined)?.[key] : issue.input;
}

function size(origin: string, limit: number | bigint, comparison: string): string {
  if (comparison === "at least" && Number(limit) === 1 && origin !== "number" && origin !== "int")
    return "must not be empty";
  const things: Readonly<Record<string, string>> = { string: " characters", array: " entries", record: " entries" };
  const verb = things[origin] === undefined ? "must be" : "must have";
  return `${verb} ${comparison} ${limit}${things[origin] ?? ""}`;
}
