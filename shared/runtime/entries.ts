/**
 * Entries of records whose keys are names from outside. A plain look-up also finds what every object inherits, such as `constructor`, and a
 * plain assignment to `__proto__` sets the prototype. So records are read and written by these two; tests/tidy.test.ts refuses the rest.
 */

/** Returns the entry that a record itself has under a name, or `undefined`. */
export function ownEntry<T>(record: Readonly<Record<string, T>> | null | undefined, name: string): T | undefined {
  return record !== undefined && record !== null && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Sets the entry of a record under a name. */
export function setEntry<T>(record: Record<string, T>, name: string, value: T): void {
  if (name !== "__proto__") record[name] = value;
  else Object.defineProperty(record, name, { value, writable: true, enumerable: true, configurable: true });
}

/** A value by its path in something that came as JSON: `service_config.0.uri`; `undefined` where there is none. */
export function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((found, key) => ownEntry((found ?? {}) as Record<string, unknown>, key), value);
}
