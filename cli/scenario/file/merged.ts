/** A configuration with changes, and where in a file of tests its problems stand. */
import { stringify } from "yaml";
import type { Path, Problems } from "../../../shared/config/file/problems.ts";
import { loadConfiguration } from "../../../shared/config/load.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { vocabulary } from "../../vocabulary.ts";

/** A change to a configuration and where it stands in the file of tests. */
export interface Override {
  readonly change: unknown;
  readonly path: Path;
}

/**
 * Checks a configuration with its changes. A problem is reported for the change that causes it, or else for `config`.
 * @returns `undefined` if it is invalid
 */
export function changedConfiguration(
  base: unknown,
  overrides: readonly Override[],
  problems: Problems,
): Configuration | undefined {
  const merged = overrides.reduce((all, { change }) => mergedWith(all, change), base);
  const loaded = loadConfiguration(stringify(merged), "config", vocabulary);
  if ("configuration" in loaded) return loaded.configuration;
  for (const { path, message } of loaded.problems) {
    const steps = stepsOf(path);
    const guilty = overrides.findLast(({ change }) => reaches(change, steps));
    problems.error({ path: [...(guilty?.path ?? ["config"]), ...steps] }, { message });
  }
  return undefined;
}

/** Maps are merged, everything else is replaced, and null removes. */
function mergedWith(base: unknown, change: unknown): unknown {
  if (!isMap(base) || !isMap(change)) return change;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete merged[key];
    else setEntry(merged, key, mergedWith(ownEntry(merged, key), value));
  }
  return merged;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The steps of a path as people write it. The inverse of `formatPath`. */
function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key = ""]) =>
    index === undefined ? key : Number(index),
  );
}

function reaches(value: unknown, [first, ...rest]: readonly (string | number)[]): boolean {
  if (first === undefined) return true;
  if (Array.isArray(value)) return typeof first === "number" && first in value;
  if (!isMap(value)) return false;
  if (!Object.hasOwn(value, String(first))) return false;
  const next = ownEntry(value, String(first));
  return rest.length === 0 || !isMap(next) || reaches(next, rest) || !Array.isArray(next);
}
