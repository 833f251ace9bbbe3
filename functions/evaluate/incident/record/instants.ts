/** Formats instants in sentences of incidents. */

/** `12:04:10 UTC`. */
export function clockTime(at: number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** `2025-09-16 12:04:10 UTC`. */
export function dateTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 10)} ${clockTime(at)}`;
}
