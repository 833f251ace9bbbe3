import { describe, expect, it } from "vitest";
import { parseJsonPath, valueAt } from "./json-path.ts";

describe("paths into JSON", () => {
  const json = { a: { b: [{ c: 1 }, { "x y": "two" }] }, "d-e": false, f: null };
  it.each([
    ["$", [], json],
    ["$.a.b[0].c", ["a", "b", 0, "c"], 1],
    ['$.a.b[1]["x y"]', ["a", "b", 1, "x y"], "two"],
    ["$['d-e']", ["d-e"], false],
    ["$.d-e", ["d-e"], false],
    ["$.f", ["f"], null],
    ["$.f.g", ["f", "g"], undefined],
    ["$.a.b[7]", ["a", "b", 7], undefined],
    ["$.a.constructor", ["a", "constructor"], undefined],
    ["$.a.b.length.x", ["a", "b", "length", "x"], undefined],
  ])("%s", (text, path, value) => {
    expect(parseJsonPath(text)).toEqual(path);
    expect(valueAt(json, path)).toEqual(value);
  });

  it.each(["", "a.b", "$a", "$.", "$..a", "$[x]", "$[-1]", "$.a[*]", '$["a]'])("refuses %j", (text) => {
    expect(parseJsonPath(text)).toBeUndefined();
  });
});
