/**
 * Looks into Google's answers. What is absent, or not of the form that the reference promises, is `undefined`: an answer may be of a
 * newer version than this code, and no check may fail for that.
 */
import { ownEntry } from "../../../../shared/runtime/entries.ts";

/** The longest text that is taken over, in characters: names and states are far shorter. */
const longest = 200;

/** Returns the value at a path. */
export function at(json: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" ? ownEntry(value as Record<string, unknown> | null, key) : undefined),
    json,
  );
}

/** A text that is not empty. */
export function textAt(json: unknown, ...path: readonly string[]): string | undefined {
  const value = at(json, ...path);
  return typeof value === "string" && value !== "" ? value.slice(0, longest) : undefined;
}

/** A number, also where it is written as a text, as 64 bits of an integer are in JSON. */
export function numberAt(json: unknown, ...path: readonly string[]): number | undefined {
  const value = at(json, ...path);
  const number = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Yes or no. */
export function flagAt(json: unknown, ...path: readonly string[]): boolean | undefined {
  const value = at(json, ...path);
  return typeof value === "boolean" ? value : undefined;
}

/** A list; an empty one where there is none. */
export function listAt(json: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = at(json, ...path);
  return Array.isArray(value) ? value : [];
}

/** The texts of a list. */
export function textsAt(json: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(json, ...path).flatMap((value) => textAt({ value }, "value") ?? []);
}

/** Seconds of a duration as Google writes it: `300s`. */
export function secondsAt(json: unknown, ...path: readonly string[]): number | undefined {
  const text = textAt(json, ...path);
  const [, seconds] = text === undefined ? [] : (/^(\d+(?:\.\d+)?)s$/.exec(text) ?? []);
  return seconds === undefined ? undefined : Number(seconds);
}

/** The last part of the name or URL of a resource: `backend` of `projects/p/global/backendServices/backend`. */
export function nameIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
