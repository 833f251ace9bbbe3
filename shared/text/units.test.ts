import { describe, expect, it } from "vitest";
import { clockSpan } from "./units.ts";

describe("a span between displayed whole seconds", () => {
  it.each([
    [0, 1_500, 1_000],
    [900, 1_100, 1_000],
    [1_900, 3_100, 2_000],
    [200, 900, 0],
  ])("from %i ms to %i ms is %i ms", (from, to, span) => {
    expect(clockSpan(from, to)).toBe(span);
  });
});
