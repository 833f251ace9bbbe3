/**
 * Reads values from Google's answers. A value that is absent, or does not have the documented form, is `undefined`: an answer may be of a
 * newer version than this code, and no check may fail because of that.
 */
import { ownEntry } from "../../../../shared/runtime/entries.ts";

/** Maximum length of a text that is read, in characters: names and states are far shorter. */
const longest = 200;

/** Returns the value at a path. */
export function at(json: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" ? ownEntry(value as Record<string, unknown> | null, key) : undefined),
    json,
  );
}

/** Returns a non-empty text. */
export function textAt(json: unknown, ...path: readonly string[]): string | undefined {
  const value = at(json, ...path);
  return typeof value === "string" && value !== "" ? value.slice(0, longest) : undefined;
}

/** Returns a number, including one written as a text, as 64-bit integers are in JSON. */
export function numberAt(json: unknown, ...path: readonly string[]): number | undefined {
  const value = at(json, ...path);
  const number = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Returns a boolean. */
export function flagAt(json: unknown, ...path: readonly string[]): boolean | undefined {
  const value = at(json, ...path);
  return typeof value === "boolean" ? value : undefined;
}

/** Returns a list; an empty one if there is none. */
export function listAt(json: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = at(json, ...path);
  return Array.isArray(value) ? value : [];
}

/** Returns the texts of a list. */
export function textsAt(json: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(json, ...path).flatMap((value) => textAt({ value }, "value") ?? []);
}

/** Returns the seconds of a duration in Google's format: `300s`. */
export function secondsAt(json: unknown, ...path: readonly string[]): number | undefined {
  const text = textAt(json, ...path);
  const [, seconds] = text === undefined ? [] : (/^(\d+(?:\.\d+)?)s$/.exec(text) ?? []);
  return seconds === undefined ? undefined : Number(seconds);
}

/** Returns the last segment of the name or URL of a resource: `backend` of `projects/p/global/backendServices/backend`. */
export function nameIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
