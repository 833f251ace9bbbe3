/** `${name}` in texts: which variables a value asks for, and the value with them filled in, each written as its place wants it. */
import type { z } from "zod";
import { fillMarks, marksOf } from "../../../shared/text/placeholders.ts";
import { ProbeFault } from "../net/faults.ts";

/** A value of JSON. */
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

/** A text with its variables as plain text. @param encode writes a value for its place */
export function fillText(
  text: string,
  variables: Variables,
  encode: (plain: string) => string = (plain) => plain,
): string {
  return fillMarks(text, (name) => encode(plainText(variables.get(name) ?? "")));
}

/** A URL with its variables as parts of path and query. */
export function fillUrl(url: string, variables: Variables): string {
  return fillText(url, variables, (plain) => encodeURIComponent(plain.toWellFormed()));
}

/** The text of a header. @throws ProbeFault for a value that no header can carry */
export function fillHeader(text: string, variables: Variables): string {
  const filled = fillText(text, variables);
  if (!/[^\t\u0020-\u007e\u0080-\u00ff]/.test(filled)) return filled;
  const marks = marksIn(text).map((name) => `\${${name}}`);
  throw new ProbeFault(
    "body",
    `a value for ${marks.join(" or ") || "a header"} has characters that no header can carry`,
  );
}

/** A value of JSON with its variables: a text that is nothing but one variable becomes its value, of whatever type. */
export function fillJson(value: Json, variables: Variables): Json {
  if (typeof value === "string") {
    const whole = /^\$\{([^{}]*)\}$/.exec(value);
    return whole ? (variables.get(whole[1] ?? "") ?? null) : fillText(value, variables);
  }
  if (Array.isArray(value)) return value.map((one) => fillJson(one, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillJson(one, variables)]));
}

/** A value as it stands in a text. */
export function plainText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
