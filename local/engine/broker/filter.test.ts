import { describe, expect, it } from "vitest";
import { subscriptions } from "../../../shared/topology.ts";
import { FilterError, parseFilter } from "./filter.ts";

const messages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  none: {},
  inside: { vantage: "inside", group: "inside-1m" },
  outside: { vantage: "outside", group: "outside-1m" },
  odd: { "iana.org/tag": 'de "x"', vantage: "" },
};

describe("a filter matches", () => {
  it.each<[string, string[]]>([
    ["attributes:vantage", ["inside", "outside", "odd"]],
    ["NOT attributes:vantage", ["none"]],
    ["-attributes:vantage", ["none"]],
    ["NOT NOT attributes:vantage", ["inside", "outside", "odd"]],
    ['attributes.vantage = "inside"', ["inside"]],
    ['attributes.vantage="inside"', ["inside"]],
    ['attributes . vantage != "inside"', ["none", "outside", "odd"]],
    ['attributes.vantage = ""', ["odd"]],
    ['attributes:vantage AND attributes.vantage != "inside"', ["outside", "odd"]],
    ['hasPrefix(attributes.group, "in")', ["inside"]],
    ['hasPrefix(attributes.vantage, "")', ["inside", "outside", "odd"]],
    ['NOT hasPrefix( attributes.group , "in" )', ["none", "outside", "odd"]],
    ['attributes.vantage = "inside" OR attributes.vantage = "outside"', ["inside", "outside"]],
    ['(attributes:vantage AND attributes:group) OR attributes:"iana.org/tag"', ["inside", "outside", "odd"]],
    ['attributes:vantage AND (attributes.vantage = "" OR hasPrefix(attributes.group, "out"))', ["outside", "odd"]],
    ['attributes:vantage AND NOT attributes:group AND attributes.x != "y"', ["odd"]],
    ['attributes."iana.org/tag" = "de \\"x\\""', ["odd"]],
    ['  attributes:"vantage"\n', ["inside", "outside", "odd"]],
    ["attributes:constructor", []],
    ["NOT (attributes:vantage)", ["none"]],
  ])("%s", (filter, expected) => {
    const matches = parseFilter(filter);
    expect(Object.keys(messages).filter((name) => matches(messages[name] ?? {}))).toEqual(expected);
  });
});

describe("a filter is refused", () => {
  it.each<[string, string]>([
    ["", 'expected "attributes", "hasPrefix", "NOT" or "(" at column 1, found the end'],
    ["vantage", 'expected "attributes", "hasPrefix", "NOT" or "(" at column 1, found "vantage"'],
    ["attributes", 'expected ":" or "." at column 11, found the end'],
    ["attributes.vantage", 'expected "=" or "!=" at column 19, found the end'],
    ['attributes.vantage == "inside"', 'expected a value in double quotes at column 21, found "="'],
    ["attributes.vantage = inside", 'expected a value in double quotes at column 22, found "inside"'],
    ["attributes.vantage = 'inside'", "expected a value in double quotes at column 22"],
    ['attributes.vantage = "inside', "expected a value in double quotes at column 22"],
    ['attributes.iana.org = "x"', 'expected "=" or "!=" at column 16, found ".org"'],
    ["attributes:", "expected the key of an attribute at column 12, found the end"],
    ["(attributes:x", 'expected ")" at column 14, found the end'],
    ["attributes:x)", 'expected "AND", "OR" or the end at column 13, found ")"'],
    ["attributes:x and attributes:y", 'expected "AND", "OR" or the end at column 14, found "and"'],
    ["attributes:x AND", 'expected "attributes", "hasPrefix", "NOT" or "(" at column 17, found the end'],
    [
      "attributes:x AND attributes:y OR attributes:z",
      'expected parentheses around the ANDs or the ORs at column 31, found "OR"',
    ],
    ["hasPrefix(attributes:x, 1)", 'expected "." at column 21, found ":x,"'],
    ['hasPrefix(attributes.x "y")', 'expected "," at column 24'],
    ["hasSuffix(attributes.x)", 'expected "attributes", "hasPrefix", "NOT" or "(" at column 1'],
    ['attributes.x = "\\q"', 'the text "\\q": its escapes are not those of JSON'],
    [`attributes.x = "${"y".repeat(240)}"`, "filter of 257 bytes: at most 256 are allowed"],
  ])("%s", (filter, reason) => {
    expect(() => parseFilter(filter)).toThrow(FilterError);
    expect(() => parseFilter(filter)).toThrow(reason);
  });
});

it("every filter of the topology is valid", () => {
  expect(() => subscriptions.map(({ filter }) => parseFilter(filter ?? "attributes:any"))).not.toThrow();
});
