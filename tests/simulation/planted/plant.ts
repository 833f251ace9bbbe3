/** Applies a patch to a text. */
import type { Patch } from "./patches.ts";

/** Returns the text with the bug. @throws Error if the patch no longer applies */
export function planted(text: string, { name, file, find, put, also = [] }: Patch): string {
  return [{ find, put }, ...also].reduce((before, one) => {
    const parts = before.split(one.find);
    if (parts.length !== 2)
      throw new Error(`the bug "${name}" does not apply any more: ${file} has its text ${parts.length - 1} times`);
    return parts.join(one.put);
  }, text);
}
