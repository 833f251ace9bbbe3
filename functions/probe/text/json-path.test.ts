import { describe, expect, it } from "vitest";
import { jsonQueryMistake, parseJsonPath, valueAt, valuesAt } from "./json-path.ts";

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

  it.each(["", "a.b", "$a", "$.", "$..a", "$[x]", "$[-1]", "$.a[*]", '$["a]'])("reject %j", (text) => {
    expect(parseJsonPath(text)).toBeUndefined();
  });
});

describe("JSONPath queries", () => {
  const json = {
    items: [
      { name: "x", state: "ready", n: 1 },
      { name: "y", state: "down", n: 2 },
    ],
    nested: { deeper: { state: "ready" } },
  };
  it.each([
    ['$.items[?(@.name == "x")].state', ["ready"]],
    ["$.items[?@.n > 1].name", ["y"]],
    ["$.items[*].n", [1, 2]],
    ["$.items[-1].name", ["y"]],
    ["$..state", ["ready", "down", "ready"]],
    ['$.items[?match(@.name, "[xz]")].n', [1]],
    ['$.items[?match(@.state, "ead")].n', []],
    ['$.items[?search(@.state, "ead")].n', [1]],
    ['$.items[?search(@.state, "(")].n', []],
    ["$.nested.deeper.state", ["ready"]],
    ["$.items[7]", []],
    ["$.constructor", []],
    ["$.items[?@.constructor]", []],
  ])("%s", (text, values) => {
    expect(jsonQueryMistake(text)).toBeUndefined();
    expect(valuesAt(json, text)).toEqual(values);
  });

  it.each(["", "a.b", "$[", "$.items[?(@.name ==)]", '$.items[?(@.name === "x")]', "$.items[?alert(1)]"])(
    "reject %j",
    (text) => {
      expect(jsonQueryMistake(text)).toBeDefined();
      expect(valuesAt(json, text)).toEqual([]);
    },
  );

  it("end for any pattern and any depth of the response", () => {
    expect(valuesAt([{ a: `${"a".repeat(40)}!` }], '$[?match(@.a, "(a+)+b")]')).toEqual([]);
    expect(valuesAt(JSON.parse("[".repeat(100_000) + "]".repeat(100_000)), "$..x")).toEqual([]);
  });
});
