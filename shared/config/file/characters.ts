/** Characters that no text for people holds, and that come into a file by accident: terminals, mails and databases do anything with them. */
import { ownEntry } from "../../runtime/entries.ts";
import type { Path, Problems } from "./problems.ts";

/** Controls, but for tabs and line breaks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** Settings of probes are left to their kinds: bytes that a target wants to hear may be anything. */
const leftOut = ["probes", "control"];

/** Reports every text of the file, and every key, that holds a control character. */
export function checkCharacters(file: Readonly<Record<string, unknown>>, problems: Problems): void {
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === "string") report(value, path, "value");
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const inside = [...path, Array.isArray(value) ? Number(key) : key];
      if (!Array.isArray(value)) report(key, inside, "key");
      visit(inner, inside);
    }
  };
  const report = (text: string, path: Path, part: "key" | "value"): void => {
    const [found] = control.exec(text) ?? [];
    if (found !== undefined)
      problems.error({ path, part }, { message: `holds the control character ${nameOf(found)}: remove it` });
  };
  for (const key of Object.keys(file)) {
    report(key, [key], "key");
    if (!leftOut.includes(key)) visit(ownEntry(file, key), [key]);
  }
}

/** A character as Unicode names it: `U+00A0`. */
export function nameOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
