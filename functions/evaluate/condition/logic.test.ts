import { describe, expect, it } from "vitest";
import { fc } from "../../../tests/support/chance.ts";
import { both, either, negation, type Truth } from "./logic.ts";

const truth = fc.constantFrom<Truth>(true, false, undefined);

describe("Kleene's logic", () => {
  it.each<[Truth, Truth, Truth, Truth]>([
    [true, true, true, true],
    [true, false, false, true],
    [true, undefined, undefined, true],
    [false, true, false, true],
    [false, false, false, false],
    [false, undefined, false, undefined],
    [undefined, true, undefined, true],
    [undefined, false, false, undefined],
    [undefined, undefined, undefined, undefined],
  ])("%s, %s: both %s, either %s", (a, b, and, or) => {
    expect(both(a, b)).toBe(and);
    expect(either(a, b)).toBe(or);
  });

  it.each<[Truth, Truth]>([
    [true, false],
    [false, true],
    [undefined, undefined],
  ])("the opposite of %s is %s", (a, opposite) => {
    expect(negation(a)).toBe(opposite);
  });

  it("is commutative, associative, distributive, and De Morgan's", () => {
    fc.assert(
      fc.property(truth, truth, truth, (a, b, c) => {
        expect(both(a, b)).toBe(both(b, a));
        expect(either(a, b)).toBe(either(b, a));
        expect(both(a, both(b, c))).toBe(both(both(a, b), c));
        expect(either(a, either(b, c))).toBe(either(either(a, b), c));
        expect(both(a, either(b, c))).toBe(either(both(a, b), both(a, c)));
        expect(negation(both(a, b))).toBe(either(negation(a), negation(b)));
        expect(negation(negation(a))).toBe(a);
      }),
    );
  });

  it("never decides by an unknown: more knowledge changes no decided result", () => {
    fc.assert(
      fc.property(truth, truth, fc.boolean(), (a, b, known) => {
        for (const combine of [both, either]) {
          const before = combine(a, b);
          if (before !== undefined) expect(combine(a ?? known, b ?? known)).toBe(before);
        }
      }),
    );
  });
});
