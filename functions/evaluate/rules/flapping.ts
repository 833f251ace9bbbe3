/**
 * Flapping: whether something changes its state too often to be worth a notice each time.
 *
 * The last 21 results have 20 places where one may differ from the one before. Each change counts between 0.8 (the oldest) and 1.18 (the
 * newest) of a twentieth. Above 30 % it flaps, below 25 % it has calmed.
 * @see https://icinga.com/docs/icinga-2/latest/doc/08-advanced-topics/#flapping-detection
 */

/** The last 21 results as bits, the newest lowest, 1 for a bad one. Before the first there were good ones. */
export type Results = number;

/** Since when something flaps, and how often it has changed: the changes that made it flap, and every one since. */
export interface Flapping {
  readonly since: number;
  readonly changes: number;
}

const places = 20;
const startsAbove = 30;
const stopsBelow = 25;

/** The results with one more. */
export function withResult(results: Results, bad: 0 | 1): Results {
  return ((results << 1) | bad) & (2 ** (places + 1) - 1);
}

/** Weighted rate of state changes in the window, in percent. */
export function changeShare(results: Results): number {
  let twentieths = 0;
  for (let age = 0; age < places; age++) {
    if (changed(results, age)) twentieths += 0.8 + 0.02 * (places - 1 - age);
  }
  return (twentieths / places) * 100;
}

/** Returns whether it flaps with the newest result at that instant; `before` is the answer for the previous result. */
export function flappingAfter(results: Results, at: number, before: Flapping | undefined): Flapping | undefined {
  if (before === undefined && isSteady(results)) return undefined;
  const share = changeShare(results);
  if (before === undefined) return share > startsAbove ? { since: at, changes: changesIn(results) } : undefined;
  if (share < stopsBelow) return undefined;
  return changed(results, 0) ? { ...before, changes: before.changes + 1 } : before;
}

/** Number of bad results among the (at most 20) before the newest bad stretch. */
export function badBefore(results: Results): number {
  let older = results;
  while (older & 1) older >>= 1;
  let count = 0;
  for (; older > 0; older >>= 1) count += older & 1;
  return count;
}

function changed(results: Results, age: number): boolean {
  return (((results >> age) ^ (results >> (age + 1))) & 1) === 1;
}

function changesIn(results: Results): number {
  let changes = 0;
  for (let age = 0; age < places; age++) if (changed(results, age)) changes += 1;
  return changes;
}

function isSteady(results: Results): boolean {
  return results === 0 || results === 2 ** (places + 1) - 1;
}
