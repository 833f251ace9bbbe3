import { describe, expect, it } from "vitest";
import { unitOf, type ValueUnit } from "./algebra.ts";
import type { Arithmetic } from "./language/syntax.ts";

describe("unitOf", () => {
  it.each<[ValueUnit, Arithmetic, ValueUnit, ValueUnit | undefined]>([
    ["seconds", "+", "seconds", "seconds"],
    ["ratio", "-", "ratio", "ratio"],
    ["count", "+", "number", "count"],
    ["number", "-", "count", "count"],
    ["number", "+", "number", "number"],
    ["number", "-", "ratio", undefined],
    ["seconds", "+", "bytes", undefined],
    ["count", "+", "ratio", undefined],
    ["number", "*", "seconds", "seconds"],
    ["bytes", "*", "number", "bytes"],
    ["count", "*", "number", "count"],
    ["count", "*", "seconds", "seconds"],
    ["count", "*", "count", "count"],
    ["ratio", "*", "count", "count"],
    ["count", "*", "ratio", "count"],
    ["ratio", "*", "ratio", "ratio"],
    ["seconds", "*", "seconds", undefined],
    ["bytes", "*", "seconds", undefined],
    ["seconds", "/", "number", "seconds"],
    ["number", "/", "number", "number"],
    ["count", "/", "number", "count"],
    ["count", "/", "count", "ratio"],
    ["seconds", "/", "seconds", "ratio"],
    ["ratio", "/", "ratio", "ratio"],
    ["bytes", "/", "count", "bytes"],
    ["count", "/", "ratio", "count"],
    ["number", "/", "seconds", undefined],
    ["bytes", "/", "seconds", undefined],
  ])("%s %s %s is %s", (left, operator, right, result) => {
    expect(unitOf(operator, left, right)).toBe(result);
  });
});
