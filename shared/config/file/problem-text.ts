/** Describes invalid values and what to write instead. */
import { z } from "zod";
import { ownEntry } from "../../runtime/entries.ts";
import { nearest } from "../../text/nearest.ts";

/** An issue, as the schema library reports it. */
export type Issue = z.core.$ZodIssue;

/**
 * The sentence of an issue; empty for a union, of which `issues.ts` looks for the branch that was meant.
 * @param schema what reported it
 */
export function sentence(issue: Issue, schema: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return mustBe([issue.expected], issue.input, schema);
    case "invalid_value":
      return oneOf(issue.values, issue.input);
    case "invalid_union":
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
        : `must be ${ownEntry(formats, issue.format) ?? `of the form ${issue.format}`}`;
    default:
      return issue.message ?? "is wrong";
  }
}

/** Describes the expected type. @param schema the schema that refused the value, for the example */
export function mustBe(expected: readonly string[], input: unknown, schema?: unknown): string {
  const wanted = expected.map((type) => ownEntry(typeNames, type) ?? type).join(" or ");
  const advice = adviceFor(expected, input, schema);
  return `must be ${wanted}, not ${nameOf(input)}${advice === undefined ? "" : `: ${advice}`}`;
}

/** Describes the expected value. */
export function oneOf(values: readonly unknown[], input: unknown): string {
  const names = values.map(String);
  const given = typeof input === "string" ? `"${input}"` : (shownScalar(input) ?? nameOf(input));
  if (typeof input !== "string" && values.includes(String(input)))
    return `must be ${listed(names)} as a text: write it in quotes, "${String(input)}"`;
  if (names.length <= maxListed) return `must be ${listed(names)}, not ${given}`;
  const words = `_${String(input).toLowerCase()}_`;
  const near = nearest(String(input), names) ?? names.find((name) => `_${name.toLowerCase()}_`.includes(words));
  const instead = near === undefined ? `, such as ${names.slice(0, 3).join(", ")}` : `: did you mean "${near}"?`;
  return `${given} is not one of the ${names.length} names allowed here${instead}`;
}

/** The key that was meant by a word that other tools have for it; `undefined` where none of the candidates is. */
export function sameMeaning(key: string, candidates: readonly string[]): string | undefined {
  return otherWords.get(key)?.find((word) => candidates.includes(word));
}

/** Suggests the new name of a renamed key, if it is among the candidates. */
export function renamedKey(key: string, candidates: readonly string[]): string | undefined {
  const now = renamed.get(key);
  return now !== undefined && candidates.includes(now) ? now : undefined;
}

const renamed: ReadonlyMap<string, string> = new Map([["heartbeat", "watchdog"]]);

/** The fields under which an unknown key would be known, one level down. */
export function placesOf(key: string, schema: z.ZodObject): string[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const inner = bare(field);
    return inner instanceof z.ZodObject && Object.hasOwn(inner.shape, key) ? [name] : [];
  });
}

/** More values than a sentence lists. */
const maxListed = 12;

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

/** Words that other tools have for our keys. */
const otherWords: ReadonlyMap<string, readonly string[]> = new Map([
  ["type", ["kind"]],
  ["interval", ["every", "schedule"]],
  ["every", ["schedule"]],
  ["cron", ["schedule"]],
  ["frequency", ["schedule"]],
  ["uri", ["url"]],
  ["endpoint", ["url"]],
  ["target", ["url", "host"]],
  ["address", ["host", "url"]],
  ["hostname", ["host"]],
  ["url", ["host"]],
  ["for", ["alert_duration"]],
  ["duration", ["alert_duration"]],
  ["expr", ["condition"]],
  ["expression", ["condition"]],
  ["level", ["severity"]],
  ["priority", ["severity"]],
  ["depends", ["depends_on"]],
  ["dependencies", ["depends_on"]],
  ["description", ["title"]],
  ["retry", ["recheck"]],
  ["retries", ["recheck"]],
  ["redirects", ["follow_redirects"]],
  ["max_redirects", ["follow_redirects"]],
  ["status_code", ["status"]],
  ["contains", ["body_contains"]],
  ["matches", ["body_matches"]],
  ["response_time", ["max_time"]],
  ["name", ["beat", "connector", "service", "instance", "url_map"]],
  ["job", ["beat"]],
  ["db", ["database"]],
  ["dbname", ["database"]],
  ["username", ["user"]],
  ["message", ["send"]],
  ["wait", ["expect"]],
  ["receive", ["expect"]],
  ["timeout", ["within"]],
]);

function adviceFor(expected: readonly string[], input: unknown, schema: unknown): string | undefined {
  if (input === null && expected.some((type) => ["array", "object", "record"].includes(type)))
    return "write its entries below it, or remove the key";
  const scalar = shownScalar(input);
  if (expected.includes("array")) {
    const element = schema instanceof z.ZodArray ? bare(schema.element) : undefined;
    if (element instanceof z.ZodObject && !isMap(input))
      return `write [{ ${keyFor(input, element) ?? "KEY"}: ${scalar ?? "…"} }]`;
    if (typeof input === "string" && /^[\w .:@/-]{1,60}$/.test(input)) return `write [${input}]`;
    if (scalar !== undefined) return `write [${scalar}]`;
    return isMap(input) ? "put - in front of each entry, or the whole into [ ]" : undefined;
  }
  if (expected.includes("object") || expected.includes("record")) return mapAdvice(input, schema);
  if (expected.includes("string") && (typeof input === "number" || typeof input === "boolean"))
    return "write it in quotes";
  if (expected.includes("string") && Array.isArray(input) && input.length === 1) {
    const only = shownScalar(input[0]);
    return only === undefined ? undefined : `write ${only} without - or [ ]`;
  }
  if (expected.some((type) => type === "number" || type === "int") && typeof input === "string" && isNumeric(input))
    return `write ${input.trim()} without quotes`;
  if (expected.includes("boolean") && typeof input === "string") {
    if (/^(yes|on|true)$/i.test(input)) return "write true";
    if (/^(no|off|false)$/i.test(input)) return "write false";
  }
  return undefined;
}

function mapAdvice(input: unknown, schema: unknown): string | undefined {
  if (!(schema instanceof z.ZodObject)) return `write KEY: VALUE${Array.isArray(input) ? ", without - or [ ]" : ""}`;
  const keys = Object.keys(schema.shape);
  if (Array.isArray(input)) return `its keys are ${keys.join(", ")}, without - or [ ]`;
  const scalar = shownScalar(input);
  const meant = keyFor(input, schema);
  if (scalar === undefined || meant === undefined) return `its keys are ${keys.join(", ")}`;
  return `write { ${meant}: ${scalar} }`;
}

/** The key for which the value would be enough. */
function keyFor(input: unknown, schema: z.ZodObject): string | undefined {
  return Object.keys(schema.shape).find((key) => schema.safeParse({ [key]: input }).success);
}

/** A value as it may stand inside an example; `undefined` where it is long, or not simple. */
function shownScalar(input: unknown): string | undefined {
  if (typeof input === "number" || typeof input === "boolean") return String(input);
  return typeof input === "string" && /^([\w@.-]{1,40}|[\w.:/-]{1,60})$/.test(input) ? input : undefined;
}

function isNumeric(text: string): boolean {
  return /^\s*-?\d+(\.\d+)?\s*$/.test(text);
}

function isMap(input: unknown): boolean {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

function nameOf(input: unknown): string {
  if (input === null) return "empty";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "number" && !Number.isInteger(input)) return "a fraction";
  return typeNames[typeof input] ?? typeof input;
}

function listed(names: readonly string[]): string {
  return names.join(", ").replace(/, ([^,]*)$/, " or $1");
}

function discriminators(issue: z.core.$ZodIssueInvalidUnion): string[] {
  return "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : ["another"];
}

function discriminated(issue: z.core.$ZodIssueInvalidUnion): unknown {
  const key = "discriminator" in issue ? issue.discriminator : undefined;
  return typeof key === "string" ? ownEntry(issue.input as Record<string, unknown> | undefined, key) : issue.input;
}

function size(origin: string, limit: number | bigint, comparison: string): string {
  if (comparison === "at least" && Number(limit) === 1 && origin !== "number" && origin !== "int")
    return "must not be empty";
  const things: Readonly<Record<string, string>> = { string: " characters", array: " entries", record: " entries" };
  const thing = ownEntry(things, origin);
  return `${thing === undefined ? "must be" : "must have"} ${comparison} ${limit}${thing ?? ""}`;
}

/** A schema without its defaults, transformations and the like. */
export function bare(schema: unknown): unknown {
  if (!(schema instanceof z.ZodType)) return schema;
  const { innerType, in: input } = schema.def as { innerType?: unknown; in?: unknown };
  const inner = innerType ?? input;
  return inner === undefined ? schema : bare(inner);
}
