import { describe, expect, it } from "vitest";
import { readSource } from "./source.ts";

/** Problems of a text as `line:column message`. */
function problems(text: string): string[] {
  return readSource(text, "monitor.yaml")
    .found()
    .problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

describe("reports a YAML error in plain words, once, at its position", () => {
  it.each([
    ["a no-break space in the indent", "a:\n\u00a0 b: 1\n", "2:1 this line is indented with a no-break space (U+00A0)"],
    [
      "several of them",
      "a:\n  k:\n\u00a0\u00a0\u00a0\u00a0kind: x\n",
      "3:1 this line is indented with a no-break space",
    ],
    ["an ideographic space", "a:\n\u3000b: 1\n", "2:1 this line is indented with an unusual space (U+3000)"],
    ["a zero-width space", "a: 1\n\u200bb: 2\n", "2:1 this line is indented with an invisible character (U+200B)"],
    ["a no-break space in a key", "a: 1\nb\u00a0c: 2\n", "2:2 there is a no-break space (U+00A0) here"],
    ["a missing comma in a map", "a: { title: API layer: app }", "1:17 invalid YAML: a comma is missing before this"],
    ["one behind a quoted text", 'a: { title: "API" layer: app }', "1:19 invalid YAML: a comma is missing"],
    ["one behind a list", "a: { b: [1] c: 2 }", "1:13 invalid YAML: a comma is missing"],
    ["one in a list", 'a: ["x" "y"]', "1:9 invalid YAML: a comma is missing"],
    ["one at the end of a line", "a: {\n  b: 1\n  c: 2\n}", "3:3 invalid YAML: a comma is missing"],
    ["one between maps", "a: [{ b: 1 } { c: 2 }]", "1:14 invalid YAML: a comma is missing"],
    ["a full-width colon", "a:\n  b: 1\n  url： x\n", '3:6 "：" is a full-width colon (U+FF1A)'],
    ["one behind the first key", "a：1\nb: 2\n", '1:2 "：" is a full-width colon (U+FF1A)'],
    ["one that leaves a valid file", "a:\n  url： x\n", '2:6 "：" is a full-width colon (U+FF1A)'],
    ["a full-width comma", "a: { b: 1，c: 2 }", '1:10 "，" is a full-width comma (U+FF0C)'],
    ["curly quotes", "a: “x: y”", '1:4 "“" is a curly quote (U+201C)'],
    [
      "no space behind the colon",
      "a:\n  kind:http\n  b: 1\n",
      "2:3 invalid YAML: a space is missing behind the colon: write kind: http",
    ],
    ["a key without a value", "a: 1\nb\nc: 2\n", '2:1 invalid YAML: "b" has no value'],
    ["a bracket that is not closed", "a: { b: 1\nc: 2", "2:1 invalid YAML: the closing } is missing"],
    ["a quote that is not closed", 'a: "x\nb: 1', '2:5 invalid YAML: the closing " is missing'],
    ["a crooked indent", "a:\n   b: 1\n  c: 2\n", "3:1 invalid YAML: this line does not line up"],
    ["a colon in a value", "a: b: c", "1:4 invalid YAML: a value with a colon and a space in it must stand in quotes"],
    ["keys below a value", "a: 1\n  b: 2\n", "1:4 invalid YAML: a key with a value cannot have more keys below it"],
    ["a reserved sign", "a: @x", "1:4 invalid YAML: a value that begins with @ must stand in quotes"],
    ["an escape that is none", 'a: "\\d"', "1:5 invalid YAML: \\d means nothing in double quotes"],
    ["a bracket too many", "a: [1]]", "1:7 invalid YAML: there is a ] too many"],
    ["text behind a value", 'a: "x" y', "1:8 invalid YAML: there is text behind the value"],
    ["a wildcard", "a: *.example.com", "1:4 *.example.com refers to nothing"],
  ])("%s", (_, text, said) => {
    expect(problems(text)).toEqual([expect.stringContaining(said)]);
  });

  it("accepts texts in which such characters are valid", () => {
    expect(problems("a: 100\u00a0%\nb: “Shop”\nc: 注意：x\nd: [x、y]\ne: It’s\u00a0fine\n")).toEqual([]);
  });

  it("does not blame them for another error", () => {
    expect(problems("impact: It’s down：100\u00a0% of orders: gone\n")).toEqual([
      "1:9 invalid YAML: a value with a colon and a space in it must stand in quotes",
    ]);
  });
});
