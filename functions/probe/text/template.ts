/** `${name}` in texts: the variables that a value refers to, and the value with them filled in, each encoded for its place. */
import type { z } from "zod";
import { fillMarks, marksOf } from "../../../shared/text/placeholders.ts";
import { ProbeFault } from "../net/faults.ts";

/** A JSON value. */
export type Json = z.core.util.JSONType;

/** The values of variables, by name. */
export type Variables = ReadonlyMap<string, Json>;

/** Valid names of variables. */
export const variableName: RegExp = /^[a-z][a-z0-9_]*$/i;

/** Returns the variables that a value refers to, at any depth: the text between the braces, valid or not, in order of appearance. */
export function marksIn(value: unknown): string[] {
  if (typeof value === "string") return marksOf(value).map(({ name }) => name);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(marksIn) : [];
}

/** Returns a text with its variables filled in as plain text. @param encode encodes a value for its place */
export function fillText(
  text: string,
  variables: Variables,
  encode: (plain: string) => string = (plain) => plain,
): string {
  return fillMarks(text, (name) => encode(plainText(variables.get(name) ?? "")));
}

/** Returns a URL with its variables filled in, as parts of path and query. */
export function fillUrl(url: string, variables: Variables): string {
  return fillText(url, variables, (plain) => encodeURIComponent(plain.toWellFormed()));
}

/** Returns the text of a header. @throws ProbeFault for a value that is invalid in a header */
export function fillHeader(text: string, variables: Variables): string {
  const filled = fillText(text, variables);
  if (!/[^\t\u0020-\u007e\u0080-\u00ff]/.test(filled)) return filled;
  const marks = marksIn(text).map((name) => `\${${name}}`);
  throw new ProbeFault(
    "body",
    `the value for ${marks.join(" or ") || "a header"} contains characters that are invalid in a header`,
  );
}

/** Returns a JSON value with its variables filled in: a text that is nothing but one variable becomes its value, of whatever type. */
export function fillJson(value: Json, variables: Variables): Json {
  if (typeof value === "string") {
    const whole = /^\$\{([^{}]*)\}$/.exec(value);
    return whole ? (variables.get(whole[1] ?? "") ?? null) : fillText(value, variables);
  }
  if (Array.isArray(value)) return value.map((one) => fillJson(one, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillJson(one, variables)]));
}

/** Returns a value as it appears in a text. */
export function plainText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
