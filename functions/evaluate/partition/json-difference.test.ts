import { expect, it } from "vitest";
import { fc } from "../../../tests/support/chance.ts";
import { repetitions } from "../../../tests/support/repetitions.ts";
import { differenceOf, withDifference } from "./json-difference.ts";

it.each([
  ["equal values", { a: [1, 2], b: { c: null } }, { a: [1, 2], b: { c: null } }, undefined],
  ["another value", 1, "1", ["1"]],
  ["a list that moved on", [1, 2, 3, 4], [3, 4, 5], [2, 2, [5]]],
  [
    "a list whose last element is another",
    [
      [1, 0],
      [2, 0],
    ],
    [
      [1, 0],
      [2, 1],
    ],
    [0, 1, [[2, 1]]],
  ],
  ["a list that shares nothing", [1, 2], [3], [[3]]],
  ["a list that is empty now", [1, 2], [], [[]]],
  ["entries that changed, came and went", { a: 1, b: 2, c: 3 }, { a: 1, b: 4, d: 5 }, { b: [4], d: [5], c: 0 }],
  ["a field deep inside", { a: { b: { c: 1, d: 2 } } }, { a: { b: { c: 1, d: 3 } } }, { a: { b: { d: [3] } } }],
  ["an entry that is undefined", { a: 1 }, { a: 1, b: undefined }, undefined],
  ["a name that every object inherits", {}, { constructor: 1 }, { constructor: [1] }],
])("%s", (_, before, after, difference) => {
  expect(differenceOf(before, after)).toEqual(difference);
});

it("leads from any value to any other", () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, fc.constantFrom(null, true, 0, 1, 2, "a"), tie("list"), tie("record")),
    list: fc.array(tie("any"), { maxLength: 5 }),
    record: fc.dictionary(fc.constantFrom("a", "b", "__proto__", "constructor"), tie("any"), { maxKeys: 4 }),
  })).any;
  fc.assert(
    fc.property(value, value, (before, after) => {
      const difference = differenceOf(before, after);
      if (difference === undefined) expect(before).toEqual(after);
      else expect(withDifference(before, JSON.parse(JSON.stringify(difference)))).toEqual(after);
    }),
    { numRuns: repetitions(2_000) },
  );
});
