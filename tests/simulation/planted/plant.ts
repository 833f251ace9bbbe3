/** Applies a patch to a text. */
import type { Patch } from "./patches.ts";

/** The text with a bug in it. @throws Error where the patch does not apply any more */
export function planted(text: string, { name, file, find, put, also = [] }: Patch): string {
  return [{ find, put }, ...also].reduce((before, one) => {
    const parts = before.split(one.find);
    if (parts.length !== 2)
      throw new Error(`the bug "${name}" does not apply any more: ${file} has its text ${parts.length - 1} times`);
    return parts.join(one.put);
  }, text);
}
