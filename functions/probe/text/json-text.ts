/**
 * Formats JSON of targets as text. Nothing limits how deep a target nests its response, and any recursive function overflows the stack:
 * 200,000 brackets fit into 400 KB. Therefore only a few levels are written out; deeper values are shown as `[…]` and `{…}`.
 */
/** Number of levels that are written out, and that a captured value may have. */
export const maxLevels = 100;

/** Returns a JSON value as text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(cut(value, maxLevels)) ?? String(value);
}

/** Returns a JSON value as a text for comparisons: `up`, `3`, `true`; a list of these as `1,2`. */
export function plainValue(value: unknown): string {
  const isNested = typeof value === "object" && value !== null;
  const isFlat = Array.isArray(value) && value.every((one) => typeof one !== "object" || one === null);
  return isNested && !isFlat ? jsonText(value) : String(value);
}

/** Returns whether a value is nested too deeply to be written out. */
export function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= maxLevels; depth++) {
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
    if (level.length === 0) return false;
  }
  return true;
}

function cut(value: unknown, levels: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return levels === 0 ? "[…]" : value.map((one) => cut(one, levels - 1));
  if (levels === 0) return "{…}";
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cut(one, levels - 1)]));
}
