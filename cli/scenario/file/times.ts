/** Times as a file of tests writes them. */
import { parseDuration } from "../../../shared/text/units.ts";

/** `at 12m`, `from 10m`, `from 10m to 40m` or `from 10m for 30m`, in milliseconds; `undefined` where it is none of them. */
export function timeOf(
  text: string,
): { readonly at: number } | { readonly from: number; readonly to: number } | undefined {
  const [, at, from, link, end] = /^(?:at\s+(\S+)|from\s+(\S+)(?:\s+(to|for)\s+(\S+))?)$/.exec(text.trim()) ?? [];
  if (at !== undefined) {
    const instant = parseDuration(at);
    return instant === undefined ? undefined : { at: instant };
  }
  const begin = from === undefined ? undefined : parseDuration(from);
  if (begin === undefined) return undefined;
  if (end === undefined) return { from: begin, to: Number.POSITIVE_INFINITY };
  const time = parseDuration(end);
  return time === undefined ? undefined : { from: begin, to: link === "for" ? begin + time : time };
}

/** The instant of a key such as `at 12m`, in milliseconds after the start; not a number where it is none. */
export function instantIn(key: string): number {
  const time = timeOf(key);
  return time !== undefined && "at" in time ? time.at : Number.NaN;
}
