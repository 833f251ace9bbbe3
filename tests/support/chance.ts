/** Runs fast-check with a fixed seed, so that a failure is always due to a change; `random` searches for new failures. */
import fc from "fast-check";
import { repetitions } from "./repetitions.ts";
import { seed } from "./seed.ts";

fc.configureGlobal({ seed, numRuns: repetitions(100) });

export * from "fast-check";
export { fc };

const firstSurrogate = 0xd800;
const surrogates = 0x800;

/**
 * Any character of Unicode, as the unit of a string: the same characters as the unit `binary`, calculated in both directions, where `binary`
 * builds a map of all 1,112,064 at its first use.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - surrogates }).map(
  (index) => String.fromCodePoint(index < firstSurrogate ? index : index + surrogates),
  (character) => {
    const code = typeof character === "string" ? character.codePointAt(0) : undefined;
    if (code === undefined || character !== String.fromCodePoint(code) || !String(character).isWellFormed()) {
      throw new Error("not one character");
    }
    return code < firstSurrogate ? code : code - surrogates;
  },
);
