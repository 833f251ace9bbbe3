/**
 * What turns one JSON value into another, in as few words as the usual changes of a state need: a field gets another value, a list loses its
 * oldest elements and gets new ones at its end. Pure.
 */
import { isDeepStrictEqual } from "node:util";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";

/**
 * A list of one: the new value. A list of three: of the old list, `count` elements from `first` on, and then `added`. A record: the differences
 * of its entries, with 0 for one that is gone; all others are as they were.
 */
export type JsonDifference =
  | readonly [value: unknown]
  | readonly [first: number, count: number, added: readonly unknown[]]
  | { readonly [name: string]: JsonDifference | 0 };

type Entries = Readonly<Record<string, unknown>>;

/** The difference between two values; `undefined` where there is none. An entry that is `undefined` is none, as in JSON. */
export function differenceOf(before: unknown, after: unknown): JsonDifference | undefined {
  if (before === after) return undefined;
  if (Array.isArray(before) && Array.isArray(after)) return listDifference(before, after);
  if (isRecord(before) && isRecord(after)) return recordDifference(before, after);
  return [after];
}

/** The second value, from the first and their difference. */
export function withDifference(before: unknown, difference: JsonDifference): unknown {
  if (!isListed(difference)) {
    const entries = new Map(isRecord(before) ? Object.entries(before) : []);
    for (const [name, change] of Object.entries(difference)) {
      if (change === 0) entries.delete(name);
      else entries.set(name, withDifference(entries.get(name), change));
    }
    return Object.fromEntries(entries);
  }
  if (difference.length === 1) return difference[0];
  const [first, count, added] = difference;
  return [...(before as unknown[]).slice(first, first + count), ...added];
}

function listDifference(before: readonly unknown[], after: readonly unknown[]): JsonDifference | undefined {
  const first = before.findIndex((one) => isSame(one, after[0]));
  if (after.length === 0 || first === -1)
    return before.length === after.length && before.length === 0 ? undefined : [after];
  let count = 1;
  while (count < after.length && first + count < before.length && isSame(before[first + count], after[count]))
    count += 1;
  if (first === 0 && count === before.length && count === after.length) return undefined;
  return [first, count, after.slice(count)];
}

/** The difference between two records, in all entries but one. */
export function recordDifference(one: object, other: object, except?: string): JsonDifference | undefined {
  const [before, after] = [one, other] as [Entries, Entries];
  const changes: Record<string, JsonDifference | 0> = {};
  let isChanged = false;
  let shared = 0;
  for (const name of Object.keys(after)) {
    const value = ownEntry(after, name);
    const known = ownEntry(before, name);
    if (known !== undefined && value !== undefined) shared += 1;
    if (known === value || value === undefined || name === except) continue;
    const change = known === undefined ? ([value] as const) : differenceOf(known, value);
    if (change === undefined) continue;
    setEntry(changes, name, change);
    isChanged = true;
  }
  const names = Object.keys(before);
  if (shared < names.length) {
    for (const name of names) {
      if (name === except || ownEntry(before, name) === undefined || ownEntry(after, name) !== undefined) continue;
      setEntry(changes, name, 0);
      isChanged = true;
    }
  }
  return isChanged ? changes : undefined;
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  return typeof one === "object" && typeof other === "object" && isDeepStrictEqual(one, other);
}

function isRecord(value: unknown): value is Entries {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListed(
  difference: JsonDifference,
): difference is Exclude<JsonDifference, { readonly [name: string]: JsonDifference | 0 }> {
  return Array.isArray(difference);
}
