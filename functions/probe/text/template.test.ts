import { describe, expect, it } from "vitest";
import { anyCharacter, fc } from "../../../tests/support/chance.ts";
import { fillHeader, fillJson, fillText, fillUrl, type Json, marksIn } from "./template.ts";

const variables = new Map<string, Json>([
  ["name", "a b/ü?&"],
  ["id", 17],
  ["user", { id: 17, roles: ["x"] }],
  ["quote", 'say "hi"\n'],
  ["mark", "${id}"],
]);

describe("templates", () => {
  it.each<[string, string, unknown, unknown]>([
    ["text", "Hello ${name}, ${id}", fillText, "Hello a b/ü?&, 17"],
    ["text with JSON", "I am ${user}", fillText, 'I am {"id":17,"roles":["x"]}'],
    ["text with the characters", "$${id} is ${id}", fillText, "${id} is 17"],
    ["a value that looks like a mark", "${mark}", fillText, "${id}"],
    [
      "a URL",
      "https://x/${name}?q=${name}&n=${id}",
      fillUrl,
      "https://x/a%20b%2F%C3%BC%3F%26?q=a%20b%2F%C3%BC%3F%26&n=17",
    ],
    ["a header", "Bearer ${id}", fillHeader, "Bearer 17"],
    [
      "JSON that keeps types",
      { a: "${id}", b: ["${user}", "no ${id}"], c: 1, d: null, e: true } as never,
      fillJson,
      { a: 17, b: [{ id: 17, roles: ["x"] }, "no 17"], c: 1, d: null, e: true },
    ],
  ])("fill %s", (_what, template, fill, expected) => {
    expect((fill as typeof fillText)(template, variables)).toEqual(expected);
  });

  it("lists the variables of a value at any depth, valid or not", () => {
    expect(marksIn({ a: "${x} $${no} ${y}", b: [["${x z}"], 1, null], c: "${open" })).toEqual([
      "x",
      "y",
      "x z",
      "open",
    ]);
  });

  it("encodes any value reversibly in a URL, and verbatim in JSON", () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (value) => {
        const own = new Map<string, Json>([["v", value]]);
        const url = new URL(fillUrl("https://x/p/${v}?q=${v}", own));
        expect(url.searchParams.get("q")).toBe(value.toWellFormed());
        expect(url.hash).toBe("");
        expect(fillJson({ a: ["${v}"] }, own)).toEqual({ a: [value] });
        expect((JSON.parse(JSON.stringify(fillJson({ a: "<${v}>" }, own))) as { a: string }).a).toBe(`<${value}>`);
      }),
    );
  });
});
